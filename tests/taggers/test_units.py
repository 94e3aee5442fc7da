"""Units tile a text, whatever it is; labels survive the way from characters to units and back where they can."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.boundaries import INSIDE, LABELS, OUTSIDE, collect_expansions, decode_boundaries, encode_boundaries
from taggers.clusters import keep_clusters
from taggers.document import Document
from taggers.units import LOOKED_AT, UnitKind, find_units, units_of

TEXTS = st.text(max_size=60) | st.text(alphabet="ab1_ .,\n\u00a0\u0301\u200d字あ한😀👍🏽🇻🇳", max_size=60)
LABEL = st.sampled_from(LABELS)


RUNS: list[UnitKind] = ["syllables", "runs"]


def forms(text: str, kind: UnitKind = "syllables") -> list[str]:
    return list(find_units(text, kind).forms)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Chủ tịch, TP.HCM!", ["Chủ", " tịch", ",", " TP", ".", "HCM", "!"]),
        (" a  b\t", [" a", " b"]),
        ("a \n b\r\nc\n\nd\n", ["a", "\nb", "\nc", "\n\nd"]),
        ("12h30 1.000", ["12h30", " 1", ".", "000"]),
        ("tie\u0302\u0301ng snake_case", ["tie\u0302\u0301ng", " snake_case"]),
        ("字あ한국Hà", ["字", "あ", "한", "국", "Hà"]),
        ("...\u200b", [".", ".", ".", "\u200b"]),
        (" \n ", [" "]),
        ("", []),
    ],
)
def test_syllables_are_runs_of_letters_and_digits_and_other_characters_one_by_one(
    text: str, expected: list[str]
) -> None:
    assert forms(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10am, 3D b2b", ["10", "am", ",", " 3", "D", " b", "2", "b"]),
        ("don't CAN\u2019T", ["do", "n", "'", "t", " CA", "N", "\u2019", "T"]),
        ("n't ain'ts 5n't in't", ["n", "'", "t", " ain", "'", "ts", " 5", "n", "'", "t", " i", "n", "'", "t"]),
        ("cannot Kim's", ["cannot", " Kim", "'", "s"]),
        ("tie\u0302\u0301ng 1\u0301", ["tie\u0302\u0301ng", " 1\u0301"]),
    ],
)
def test_runs_part_letters_and_digits_and_what_negates_a_verb(text: str, expected: list[str]) -> None:
    assert forms(text, "runs") == expected


@given(TEXTS, st.sampled_from(RUNS), st.data())
def test_labels_of_units_in_any_runs_are_one_for_each_character(text: str, kind: UnitKind, data: st.DataObject) -> None:
    units = find_units(text, kind)
    labels = data.draw(st.lists(LABEL, min_size=len(units.forms), max_size=len(units.forms)))
    whole = list(units.spread(labels))
    assert len(whole) == len(text)
    assert units.gather(whole) == labels
    cut = data.draw(st.integers(0, len(labels)))
    assert [*units.spread(labels[:cut]), *units.spread(labels[cut:], cut)] == whole
    document = Document(text, decode_boundaries(text, keep_clusters(text, whole), {}))
    document.check()


@given(TEXTS, st.sampled_from(RUNS))
def test_units_lose_no_visible_character(text: str, kind: UnitKind) -> None:
    visible = [character for character in text if not character.isspace()]
    assert [c for form in forms(text, kind) for c in form if not c.isspace()] == visible


@given(TEXTS, st.integers(0, 5))
def test_characters_show_themselves_and_those_behind(text: str, lookahead: int) -> None:
    units = find_units(text, "characters", lookahead=lookahead)
    assert list(units.forms) == [text[start : start + 1 + lookahead] for start in range(len(text))]
    assert list(units.forms[2:5]) == list(units.forms)[2:5]
    if text and lookahead:
        assert units.forms[len(text) - 1] == text[-1]
    labels = [LABELS[index % len(LABELS)] for index in range(len(text))]
    assert list(units.spread(units.gather(labels))) == labels


def test_a_word_of_syllables_comes_back_with_its_spaces_and_a_boundary_inside_one_does_not() -> None:
    document = Document.from_words([["chủ tịch", "đến", "."], ["Hà Nội"]])
    labels = encode_boundaries(document)
    units = find_units(document.text, "syllables")
    assert units.gather(labels) == ["S", INSIDE, "T", "T", "S", INSIDE]
    spread = units.spread(units.gather(labels))
    assert decode_boundaries(document.text, spread, {}) == document.sentences
    divided = find_units("don't", "syllables")
    assert divided.gather(list("SITII")) == ["S", "I", "I"]
    assert divided.spread(["S", "T", INSIDE]) == ["S", INSIDE, INSIDE, "T", INSIDE]
    assert divided.spread([OUTSIDE] * 3) == [OUTSIDE, INSIDE, INSIDE, OUTSIDE, OUTSIDE]


def test_a_word_that_ends_inside_a_unit_is_looked_up() -> None:
    text = "I don't.\n\nDon't!"
    gold = Document(text, decode_boundaries(text, "SOTIWIITOOSIWIIT", {}))
    units = find_units(text, "syllables")
    labels = units.gather(encode_boundaries(gold, opens=units.opens))
    assert "".join(labels) == "SEIITXIIT"
    assert (
        decode_boundaries(text, units.spread(labels), collect_expansions([gold], find_opens=lambda _: units.opens))
        == gold.sentences
    )


@pytest.mark.parametrize("kind", ["syllables", "runs"])
def test_a_long_text_is_looked_through_in_steps(kind: UnitKind) -> None:
    text = "Many words. " * 5_000
    units = units_of(text, kind)
    found = [len(units.forms) for _ in units.look()]
    assert len(found) == -(-len(text) // LOOKED_AT)
    assert found == sorted(set(found))
    assert list(units.forms) == list(find_units(text, kind).forms)


@pytest.mark.parametrize("kind", ["syllables", "runs"])
@pytest.mark.parametrize(("text", "count"), [("a", 1), ("a b", 2), ("", 1)])
def test_white_space_at_the_end_takes_no_time_that_grows_with_its_square(kind: UnitKind, text: str, count: int) -> None:
    units = find_units(text + " \n" * 500_000, kind)
    assert len(units.forms) == count
    assert len(units.spread(["T"] * count)) == len(text) + 1_000_000


def test_a_form_shows_the_kind_of_gap_before_it() -> None:
    forms = find_units("a b\nc\n \t\n d", "syllables").forms
    assert list(forms) == ["a", " b", "\nc", "\n\nd"]


def test_a_multi_word_token_is_cut_where_a_unit_begins_or_else_looked_up() -> None:
    text = "We don't know Kim's; I cannot."
    gold = Document(text, decode_boundaries(text, "SIOTIWIIOTIIIOTIIWITOTOTIIWIIT", {}))
    units = find_units(text, "runs")
    labels = units.gather(encode_boundaries(gold, opens=units.opens))
    assert "".join(labels) == "STWIITTWITTET"
    expansions = collect_expansions([gold], find_opens=lambda _: units.opens)
    assert expansions == {"cannot": ("can", "not")}
    assert decode_boundaries(text, units.spread(labels), expansions) == gold.sentences


@pytest.mark.parametrize("kind", RUNS)
@pytest.mark.parametrize("line", ["Ada didn't  go in 1843.\n\n", "x" * 30_001 + " ", " " * 30_001 + "x", "don't!"])
def test_units_of_a_long_text_are_those_of_its_lines(kind: UnitKind, line: str) -> None:
    one, two = (list(find_units(line * count, kind).forms) for count in (1, 2))
    many = list(find_units(line * 3_000, kind).forms) if len(line) < 100 else list(find_units(line * 4, kind).forms)
    count = 3_000 if len(line) < 100 else 4
    assert many == one + (two[len(one) :]) * (count - 1)
