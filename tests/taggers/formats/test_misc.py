import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.document import Span
from taggers.formats.misc import (
    Spacing,
    escape,
    find_stray,
    read_layers,
    read_spacing,
    unescape,
    write_layers,
    write_spacing,
)
from tests.strategies import texts


@given(texts())
def test_escaped_text_has_no_white_space_and_comes_back(text):
    escaped = escape(text)
    assert unescape(escaped) == text
    assert "|" not in escaped
    assert not any(character.isspace() for character in escaped)


@pytest.mark.parametrize(
    ("written", "text"),
    [(r"\s\t\r\n\p\\", " \t\r\n|\\"), (r"\u00A0\u3000", "\u00a0\u3000"), (r"\x\uD800\u12", r"\x\uD800\u12"), ("", "")],
)
def test_unknown_escapes_and_surrogates_stand_for_themselves(written, text):
    assert unescape(written) == text


@given(texts(max_size=4), st.none() | texts(max_size=4), st.none() | texts(max_size=4))
def test_white_space_comes_back(before, after, within):
    spacing = Spacing(before, after, within)
    assert read_spacing(write_spacing(spacing)) == spacing


@pytest.mark.parametrize(
    ("misc", "spacing"),
    [
        ("_", Spacing()),
        ("SpaceAfter=Yes|Gloss=Space", Spacing()),
        ("Gloss=a|SpaceAfter=No", Spacing(after="")),
        (r"SpaceAfter=No|SpacesAfter=\n", Spacing(after="\n")),
        ("SpacesAfter", Spacing(after="")),
    ],
)
def test_what_misc_says_of_white_space(misc, spacing):
    assert read_spacing(misc) == spacing


@pytest.mark.parametrize(
    ("column", "layers"),
    [
        (("_", "Gloss=NE"), {}),
        (("NE=B-PER", "A=b|NE=I-PER", "_"), {"ner": (Span(0, 2, "PER"),)}),
        (("NE=U-GPE", "NE=B-ORG", "NE=I-ORG", "NE=L-ORG"), {"ner": (Span(0, 1, "GPE"), Span(1, 4, "ORG"))}),
        (("NE=S-GPE", "NE=B-ORG", "NE=E-ORG"), {"ner": (Span(0, 1, "GPE"), Span(1, 3, "ORG"))}),
        (("NE=I-PER", "NE=O"), {"ner": (Span(0, 1, "PER"),)}),
        (("NE=O", "_"), {"ner": ()}),
        (("NE=person", "Span:chunk=B-NP"), {"chunk": (Span(1, 2, "NP"),)}),
        (("NE=", "NE=B-", "NE=E-X", "NE=L-X"), {}),
    ],
)
def test_layers_are_read_in_any_scheme_and_other_conventions_left_alone(column, layers):
    assert read_layers(column) == layers


@pytest.mark.parametrize(
    ("column", "stray"),
    [
        (("NE=B-PER", "A=b|NE=I_PER", "_"), (1, "NE=I_PER")),
        (("NE=L-PER", "NE=S-ORG"), (1, "NE=S-ORG")),  # each of a scheme, but not of one
        (("_", "NE="), (1, "NE=")),
        (("Span:chunk=B_NP", "NE=B-PER"), None),  # not a layer that was asked for
        (("NE=B-PER", "NE=O"), None),
    ],
)
def test_the_value_that_is_no_tag_is_found(column, stray):
    assert find_stray(column, {"ner"}) == stray


def test_written_layers_take_the_place_of_those_there():
    column = ("A=b|NE=B-PER|C=d", "NE=I-PER", "Span:chunk=B-NP")
    written = write_layers(column, {"ner": ["O", "B-A|B", "O"]})
    assert written == ["A=b|C=d", r"NE=B-A\pB", "Span:chunk=B-NP"]
    assert read_layers(written) == {"ner": (Span(1, 2, "A|B"),), "chunk": (Span(2, 3, "NP"),)}
