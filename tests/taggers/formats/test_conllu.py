"""Reading and writing CoNLL-U: to the byte what was read, to the white space what was made."""

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from taggers.document import Document, Span
from taggers.errors import FormatError
from taggers.formats.conllu import COLUMNS, read_conllu, read_conllu_file, write_conllu
from tests.strategies import documents

SETTINGS = settings(max_examples=100)

ROW = "\t".join(["{}", *"abcdefgh", "_"])


def rewritten(text):
    return "".join(write_conllu(read_conllu(text.split("\n"))))


@pytest.fixture(scope="module")
def mixed(fixtures):
    return read_conllu_file(fixtures / "mixed.conllu")


def test_our_own_file_comes_back_to_the_byte(fixtures, mixed):
    assert "".join(write_conllu(mixed)) == (fixtures / "mixed.conllu").read_text()
    for document in mixed:
        document.check()


@pytest.mark.corpora
def test_every_file_of_the_corpora_comes_back_to_the_byte(corpora):
    paths = sorted(corpora.rglob("*.conllu"))
    assert paths
    for path in paths:
        documents = read_conllu_file(path)
        assert "".join(write_conllu(documents)) == path.read_bytes().decode(), path
        for document in documents:
            document.check()


def test_documents_and_their_texts(mixed):
    assert [document.id for document in mixed] == ["harbor", "港", None]
    assert [document.text for document in mixed] == [
        "They don't see 👩\u200d👩\u200d👧 in Hà Nội. Sam eats rice, Kim fish.\n\n"
        "Elle va du port au cafe\u0301 de Nóra.",
        "猫は海辺にいる。",
        " Two\t words\u00a0in\na_ field \n",
    ]


def test_words_have_their_own_offsets_or_those_of_the_whole_token(mixed):
    harbor = mixed[0]
    surfaces = [[harbor.text[start:end] for start, end in sentence.offsets] for sentence in harbor]
    assert surfaces[0] == ["They", "do", "n't", "see", "👩\u200d👩\u200d👧", "in", "Hà Nội", "."]
    assert surfaces[2] == ["Elle", "va", "du", "du", "port", "au", "au", "cafe\u0301", "de", "Nóra", "."]
    assert harbor.sentences[2].words[2:4] == ("de", "le")
    last = mixed[2].sentences[0]
    assert last.words[2] == "in a_"
    assert mixed[2].text[slice(*last.offsets[2])] == "in\na_"


def test_columns_ranges_and_empty_nodes(mixed):
    first, second, third = mixed[0].sentences
    assert tuple(first.tags) == COLUMNS
    assert first.tags["lemma"][:3] == ("they", "do", "not")
    assert first.tags["head"][3] == "0"
    assert [(token.first, token.stop, token.surface) for token in third.multiword] == [(2, 4, "du"), (5, 7, "au")]
    assert third.multiword[1].columns[-1] == "Typo=No"
    assert [(node.after, node.index, node.columns[0]) for node in second.empty_nodes] == [
        (0, 1, "so"),
        (5, 1, "eats"),
        (5, 2, "there"),
    ]


def test_spans_stand_in_misc_and_a_file_with_some_is_annotated_throughout(mixed):
    assert [sentence.spans for document in mixed for sentence in document] == [
        {"ner": (Span(6, 7, "LOC"),)},
        {"ner": (Span(0, 1, "PER"), Span(4, 5, "PER"))},
        {"ner": (Span(9, 10, "PER"),)},
        {"ner": ()},
        {"ner": ()},
    ]


def test_a_value_that_is_no_tag_is_a_mistake_where_others_are_tags(tmp_path):
    path = tmp_path / "x.conllu"
    word = ROW.removesuffix("_") + "{}"
    lines = ["# newdoc", word.format(1, "NE=B-PER"), "", "# newdoc", ROW.format("1-2"), ROW.format(1)]
    lines += [word.format(2, "A=b|NE=B_PER"), ""]
    path.write_text("\n".join(lines), encoding="utf-8")
    with pytest.raises(FormatError, match=r"x\.conllu:7: expected a tag like B-LABEL, .*, found NE=B_PER$"):
        read_conllu_file(path)
    assert [sentence.spans for document in read_conllu(lines) for sentence in document] == [
        {"ner": (Span(0, 1, "PER"),)},
        {},
    ]
    path.write_text("\n".join(lines[3:]), encoding="utf-8")  # another convention throughout
    (document,) = read_conllu_file(path)
    assert document.sentences[0].spans == {}
    assert document.sentences[0].tags["misc"] == ("_", "A=b|NE=B_PER")


def test_new_spans_replace_those_in_misc(mixed):
    sentence = mixed[0].sentences[0]
    changed = sentence.annotated(spans={"ner": (Span(4, 7, "GPE"),), "chunk": (Span(0, 1, "NP"),)})
    written = "".join(write_conllu([Document(mixed[0].text, (changed,), "harbor")]))
    misc = [row.split("\t")[9] for row in written.split("\n") if row[:1].isdigit()]
    assert misc == ["Span:chunk=B-NP", *"____", "NE=B-GPE", "NE=I-GPE", "SpaceAfter=No|NE=I-GPE", "_"]
    assert next(read_conllu(written.split("\n"))).sentences[0].spans == changed.spans


def test_crlf_and_a_byte_order_mark_are_read_and_lf_is_written(fixtures):
    path = fixtures / "crlf.conllu"
    documents = read_conllu_file(path)
    assert [document.text for document in documents] == ["नमस्ते! Jó napot"]
    assert documents[0].id is None
    text = path.read_bytes().decode("utf-8-sig").replace("\r\n", "\n")
    assert "".join(write_conllu(documents)) == text + "\n"


@pytest.mark.parametrize("ending", ["", "\n", "\n\n", "\n\n\n"])
def test_the_blank_line_at_the_end_may_be_missing(ending):
    row = ROW.format(1)
    assert rewritten(f"\n{row}{ending}") == f"{row}\n\n"


def test_a_predicted_sentence_gets_what_it_lacks():
    document = Document.from_words([["Hi", "\t", "-"], ["x"]], id="a\nb")
    document = Document(document.text, (document.sentences[0].annotated(tags={"lemma": ("", "t", "-")}),), "a\nb")
    assert "".join(write_conllu([document])) == (
        "# newdoc id = a b\n# sent_id = a b-1\n# text = Hi   -\n"
        "1\tHi\t_" + "\t_" * 7 + "\n"
        "2\t \tt" + "\t_" * 6 + "\tSpacesInToken=\\t\n"
        "3\t-\t-" + "\t_" * 6 + "\tSpacesAfter=\\nx\n\n"
    )


def test_sentences_without_words_are_left_out_and_sentences_named_by_their_document():
    documents = [Document.from_words([["a"], [], ["b"]]), Document(" "), Document.from_words([["c"]])]
    written = "".join(write_conllu(documents))
    assert [line for line in written.split("\n") if line.startswith("# ") and "text" not in line] == [
        "# sent_id = 1-1",
        "# sent_id = 1-2",
        "# newdoc",
        "# sent_id = 3-1",
    ]
    assert "".join(write_conllu(documents[2:], first=2)) == written[written.index("# newdoc") :]


def test_an_id_that_changed_replaces_the_one_in_the_comments(mixed):
    renamed = Document(mixed[1].text, mixed[1].sentences, "other")
    assert next(write_conllu([renamed])).startswith("# newdoc id = other\n# sent_id = 2-1\n")
    nameless = Document(mixed[1].text, mixed[1].sentences)
    assert next(write_conllu([nameless])).startswith("# newdoc\n# sent_id = 2-1\n")


def test_a_text_in_the_comments_that_is_not_the_true_one_is_replaced():
    document = Document.from_words([["a", "b"]])
    sentence = document.sentences[0]
    sentence = type(sentence)(
        sentence.words, sentence.offsets, sentence.start, sentence.end, comments=("# sent_id = s", "# text = ab", "# k")
    )
    written = next(write_conllu([Document(document.text, (sentence,))]))
    assert written.startswith("# sent_id = s\n# k\n# text = a b\n1\ta\t")


@SETTINGS
@given(st.lists(documents(min_sentences=1), max_size=3))
def test_write_then_read_is_identity(originals):
    lines = "".join(write_conllu(originals)).split("\n")
    copies = list(read_conllu(lines))
    assert len(copies) == len(originals)
    for original, copy in zip(originals, copies, strict=True):
        assert (copy.text, copy.id) == (original.text, original.id)
        found = {layer for sentence in original for layer, spans in sentence.spans.items() if spans}
        for before, after in zip(original, copy, strict=True):
            assert (after.words, after.offsets) == (before.words, before.offsets)
            assert (after.start, after.end) == (before.start, before.end)
            assert {name: after.tags[name] for name in before.tags} == before.tags
            assert after.spans == {layer: spans for layer, spans in before.spans.items() if layer in found}
            assert [(token.first, token.stop, token.surface) for token in after.multiword] == [
                (token.first, token.stop, token.surface) for token in before.multiword
            ]
    assert "".join(write_conllu(copies)).split("\n") == lines


@pytest.mark.parametrize(
    ("lines", "line", "problem"),
    [
        (["1\ta\tb"], 1, "expected 10 tab-separated columns, found 3"),
        ([ROW.format(1), ROW.format(3)], 2, "expected word 2, found ID '3'"),
        ([ROW.format("01")], 1, "expected word 1, found ID '01'"),
        ([ROW.format("x")], 1, "expected word 1, found ID 'x'"),
        ([ROW.format(1).replace("\tb\t", "\t\t")], 1, "expected a value or _ in LEMMA, found nothing"),
        ([ROW.format("2-3"), ROW.format(1)], 1, "expected a range from 1 to a later word, found ID '2-3'"),
        ([ROW.format("1-1"), ROW.format(1)], 1, "expected a range from 1 to a later word"),
        ([ROW.format("1-3"), ROW.format(1), ROW.format("2-3")], 3, "expected a range from 4 to a later word"),
        ([ROW.format("1-2"), ROW.format(1), ""], 2, "expected word 2, found the end of the sentence at word 1"),
        ([ROW.format("1.1"), ROW.format(1)], 1, "expected empty node 0.1, found ID '1.1'"),
        ([ROW.format("0.2"), ROW.format(1)], 1, "expected empty node 0.1, found ID '0.2'"),
        ([ROW.format(1), "# late"], 2, "expected a word or a blank line, found a comment"),
        (["# alone", "", ROW.format(1)], 2, "expected the words of a sentence after its comments"),
        (["", "# alone"], 2, "expected the words of a sentence after its comments"),
        ([ROW.format("0.1")], 1, "expected word 1, found the end of the sentence"),
        ([ROW.format("1\r")], 1, "expected a line end LF or CRLF, found a CR"),
        ([ROW.format("9" * 5000)], 1, "expected word 1"),
    ],
)
def test_errors_name_the_line_and_what_was_expected(lines, line, problem):
    with pytest.raises(FormatError) as caught:
        list(read_conllu(lines, "x.conllu"))
    assert str(caught.value).startswith(f"x.conllu:{line}: {problem}")
    assert (caught.value.path, caught.value.line) == ("x.conllu", line)


def test_a_byte_that_is_not_utf8_is_an_error_with_its_line(tmp_path):
    path = tmp_path / "bad.conllu"
    path.write_bytes(b"# sent_id = 1\n1\t\xe4\n")
    with pytest.raises(FormatError, match=r"bad\.conllu:2: expected UTF-8, found byte 0xE4"):
        read_conllu_file(path)


DAMAGES = {
    "no column": lambda line: line.rpartition("\t")[0],
    "one column more": lambda line: line + "\tx",
    "an empty column": lambda line: "\t".join([*line.split("\t")[:-1], ""]),
    "another ID": lambda line: "9" + line,
    "a CR inside": lambda line: line.replace("\t", "\r\t", 1),
    "blanks for tabs": lambda line: line.replace("\t", " "),
}


@SETTINGS
@given(st.data(), st.sampled_from(sorted(DAMAGES)))
def test_a_damaged_line_is_an_error_with_its_number(fixtures, data, damage):
    lines = (fixtures / "mixed.conllu").read_text().split("\n")
    rows = [index for index, line in enumerate(lines) if "\t" in line]
    at = data.draw(st.sampled_from(rows))
    lines[at] = DAMAGES[damage](lines[at])
    with pytest.raises(FormatError) as caught:
        list(read_conllu(lines))
    assert caught.value.line == at + 1


@SETTINGS
@given(st.data())
def test_any_line_gives_documents_or_a_format_error(fixtures, data):
    lines = (fixtures / "mixed.conllu").read_text().split("\n")
    at = data.draw(st.integers(0, len(lines) - 1))
    lines[at] = data.draw(st.text(st.sampled_from("12.-#\t _aNE=B|\\u00\r\u2028") | st.characters(codec="utf-8")))
    with contextlib.suppress(FormatError):
        for document in read_conllu(lines):
            document.check()


@pytest.mark.parametrize("rows", [1, 101])
def test_layers_of_spans_are_bounded_as_every_word_has_each(rows) -> None:
    """In one sentence or all over a document."""
    layers = [f"Span:{n}=B-X" for n in range(101)]
    values = ["|".join(layers[n::rows]) for n in range(rows)]
    lines = [line for misc in values for line in ("1\ta" + "\t_" * 7 + f"\t{misc}", "")]
    with pytest.raises(FormatError, match=rf"x.conllu:{len(lines) - 1}: expected at most 100 layers of spans"):
        list(read_conllu(lines, "x.conllu"))
    assert len(list(read_conllu([line.replace("Span:7=", "Span:8=") for line in lines], "x.conllu"))) == 1
