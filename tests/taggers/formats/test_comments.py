import pytest

from taggers.formats.comments import (
    comment_value,
    document_id,
    one_line,
    opens_document,
    opens_paragraph,
    with_document,
)


@pytest.mark.parametrize(
    ("comment", "opens", "name"),
    [
        ("# newdoc id = a b", True, "a b"),
        ("#newdoc id=x", True, "x"),
        ("# newdoc", True, None),
        ("# newdoc id = ", True, None),
        ("# newdocument", False, None),
        ("# newdoc id", False, None),
        ("# newdoc  ", True, None),
        ("# newdoc id = a  b  ", True, "a  b"),
        (f"# newdoc id = a{' ' * 1_000_000}b", True, f"a{' ' * 1_000_000}b"),  # in no time that grows with its square
        (f"# newdoc{' ' * 1_000_000}b", False, None),
        ("# newpar", False, None),
    ],
)
def test_what_begins_a_document(comment, opens, name):
    assert opens_document(["# first", comment]) is opens
    assert document_id([comment]) == name


@pytest.mark.parametrize(
    ("comment", "opens"),
    [("# newpar", True), ("# newpar id = 3", True), ("# newpar_block", False), ("# text = newpar", False)],
)
def test_what_begins_a_paragraph(comment, opens):
    assert opens_paragraph([comment]) is opens


def test_the_value_of_a_comment():
    comments = ["# text_en = no", "# text =  a = b", "# text = c"]
    assert comment_value(comments, "text") == " a = b"
    assert comment_value(comments, "sent_id") is None


@pytest.mark.parametrize(
    ("comments", "name", "first", "expected"),
    [
        ([], None, True, []),
        ([], None, False, ["# newdoc"]),
        (["# a"], "x", True, ["# newdoc id = x", "# a"]),
        (["# a", "#newdoc id=x"], "x", True, ["# a", "#newdoc id=x"]),
        (["# a", "# newdoc id = y", "# b"], "x", False, ["# a", "# newdoc id = x", "# b"]),
    ],
)
def test_a_document_says_its_id_once(comments, name, first, expected):
    assert with_document(comments, name, first=first) == expected


def test_one_line():
    assert [one_line(value) for value in ("a\tb\r\nc", "", "é")] == ["a b  c", "_", "é"]
