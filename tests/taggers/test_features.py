"""Features of forms: what is known has its id, everything else one of its own, and memory stays bounded."""

import itertools
import unicodedata
from collections import Counter
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from taggers import features
from taggers.config import AffixConfig, CharacterConfig, FeatureConfig, ShapeConfig, VectorConfig, WordConfig
from taggers.features import (
    MAX_PIECES_OF_A_WORD,
    UNKNOWN,
    Featurizer,
    PieceTokenizer,
    Vocabularies,
    as_seen,
    build_vocabularies,
    shape_of,
    visible_characters,
)
from tests.tiny import tiny_labeler

ALL = FeatureConfig(
    words=WordConfig(min_count=2),
    prefixes=AffixConfig(lengths=(1, 3), min_count=1),
    suffixes=AffixConfig(lengths=(2,), min_count=1),
    shape=ShapeConfig(min_count=1),
    characters=CharacterConfig(max_characters=4, min_count=1),
    vectors=VectorConfig(source="x"),
)
KEEP_ALL = ALL.model_copy(update={"words": WordConfig(min_count=1)})
FORMS = Counter({"Ada": 3, "ada": 2, "wrote": 1})


def featurizer(config: FeatureConfig = ALL) -> Featurizer:
    return Featurizer(config, build_vocabularies(FORMS, config, vectors=("ada", "Ada")))


@pytest.mark.parametrize(
    ("form", "shape"),
    [
        ("Ada", "Xxx"),
        ("McDonald", "XxXxxxx"),
        ("UNESCO", "XXXX"),
        ("12:30", "dd:dd"),
        ("1234567", "dddd"),
        ("字典", "cc"),
        ("Straße!", "Xxxxx!"),
        ("......", "...."),
        ("ǅ", "c"),
        ("", ""),
    ],
)
def test_shapes(form: str, shape: str) -> None:
    assert shape_of(form) == shape


@given(st.text(max_size=200))
def test_a_shape_is_short_and_of_itself(form: str) -> None:
    assert len(shape_of(form)) <= 64
    assert shape_of(form) == shape_of(form + ("z" if len(form) >= 64 else ""))
    assert all(len([*run]) <= 4 for _, run in itertools.groupby(shape_of(form)))


@given(st.text(max_size=12), st.integers(1, 8))
def test_visible_characters_are_the_first_and_the_last(form: str, limit: int) -> None:
    seen = visible_characters(form, limit)
    assert len(seen) == min(len(form), limit)
    assert seen == form or (form.startswith(seen[: (limit + 1) // 2]) and form.endswith(seen[(limit + 1) // 2 :]))


def test_the_middle_of_a_long_form_is_not_seen() -> None:
    assert visible_characters("abcdef", 4) == "abef"
    assert visible_characters("abcdef", 3) == "abf"
    assert visible_characters("abcdef", 1) == "a"


def test_vocabularies_hold_what_is_frequent_enough_the_most_frequent_first() -> None:
    made = build_vocabularies(FORMS, ALL, vectors=("b", "a"))
    assert made.words == ("Ada", "ada")
    assert made.prefixes == ("1a", "3ada", "1w", "3wro")
    assert made.suffixes == ("2da", "2te")
    assert made.shapes == ("Xxx", "xxx", "xxxx")
    assert made.characters == ("a", "d", "A", "e", "r", "t", "w")
    assert made.vectors == ("b", "a")
    assert made.sizes() == {"words": 4, "prefixes": 6, "suffixes": 4, "shapes": 5, "characters": 9, "vectors": 4}


def test_vocabularies_do_not_depend_on_the_order_of_the_corpus() -> None:
    forms = {"b": 1, "a": 1, "c": 5, "ab": 1}
    config = FeatureConfig(words=WordConfig(min_count=1), suffixes=AffixConfig(min_count=1))
    expected = build_vocabularies(forms, config)
    for order in itertools.permutations(forms):
        assert build_vocabularies({form: forms[form] for form in order}, config) == expected


def test_a_feature_that_is_not_used_has_no_vocabulary() -> None:
    assert build_vocabularies(FORMS, FeatureConfig()) == Vocabularies()


def test_the_ids_of_a_known_form() -> None:
    ids = featurizer().form_ids("Ada")
    assert ids.word == 2
    assert ids.shape == 2
    assert ids.vector == 2, "vectors are looked up in lower case"
    assert ids.prefixes == (2, 3)
    assert ids.suffixes == (2,)
    assert ids.characters == (4, 3, 2)
    assert ids.pieces == ()


def test_what_is_not_known_is_unknown_and_never_padding() -> None:
    ids = featurizer().form_ids("ZZ9")
    assert (ids.word, ids.shape, ids.vector) == (UNKNOWN,) * 3
    assert ids.prefixes == (UNKNOWN, UNKNOWN)
    assert ids.suffixes == (UNKNOWN,)
    assert ids.characters == (UNKNOWN,) * 3


def test_affixes_of_a_form_shorter_than_they_are() -> None:
    ids = featurizer().form_ids("a")
    assert ids.prefixes == (2, UNKNOWN), "the prefix of three is the whole form, and was not seen"
    assert ids.suffixes == (UNKNOWN,)


@pytest.mark.parametrize(("lowercase", "row"), [(True, 2), (False, 3)])
def test_vectors_by_the_form_or_its_lower_case(lowercase: bool, row: int) -> None:
    config = FeatureConfig(vectors=VectorConfig(source="x", lowercase=lowercase))
    assert featurizer(config).form_ids("Ada").vector == row


@given(st.text(max_size=6))
@settings(max_examples=60)
def test_any_form_has_as_many_features_as_any_other(form: str) -> None:
    ids = featurizer().form_ids(form)
    assert (len(ids.prefixes), len(ids.suffixes), len(ids.characters)) == (2, 1, min(4, len(as_seen(form))))
    assert min(ids.word, ids.shape, ids.vector, *ids.prefixes, *ids.suffixes, *ids.characters, 99) >= UNKNOWN


@given(st.text(alphabet="aé\u0301\u212b\u1100\u1161İ1", max_size=6))
def test_what_was_counted_is_known_in_any_composition(form: str) -> None:
    made = Featurizer(KEEP_ALL, build_vocabularies({form: 1}, KEEP_ALL))
    for again in (form, unicodedata.normalize("NFC", form), unicodedata.normalize("NFD", form)):
        ids = made.form_ids(again)
        assert UNKNOWN not in (ids.word, ids.shape, *ids.prefixes, *ids.suffixes, *ids.characters)
        assert ids == made.form_ids(form)


def test_a_batch_embeds_each_form_once_and_says_where_it_stands() -> None:
    batch = featurizer().batch([["Ada", "wrote", "Ada"], ["wrote"]])
    assert batch.lengths_B.tolist() == [3, 1]
    assert batch.mask_BT.tolist() == [[True, True, True], [True, False, False]]
    assert len(batch.forms.word_F) == 2
    assert batch.form_BT.tolist() == [[0, 1, 0], [1, 0, 0]]
    assert batch.pieces is None


def test_a_text_is_a_sequence_of_characters() -> None:
    one, other = featurizer().batch(["abca"]), featurizer().batch([["a", "b", "c", "a"]])
    assert torch.equal(one.form_BT, other.form_BT)
    assert torch.equal(one.forms.word_F, other.forms.word_F)


def test_an_empty_form_is_a_form() -> None:
    batch = featurizer().batch([[""]])
    assert batch.forms.characters_FC.shape == (1, 0)
    assert batch.forms.word_F.tolist() == [UNKNOWN]


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_REMEMBERED_FORMS", 10)
    made = featurizer()
    answers = [made.form_ids(str(number)) for number in range(35)]
    assert 0 < len(made._seen) <= 10
    assert len(made._seen_before) <= 10
    assert answers == [made.form_ids(str(number)) for number in range(35)]


def test_what_is_frequent_stays_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(features, "_REMEMBERED_FORMS", 10)
    made = featurizer()
    frequent = made.form_ids("the")
    for number in range(100):
        made.form_ids(str(number))
        assert made.form_ids("the") is frequent


def test_a_monster_word_is_not_remembered() -> None:
    made = featurizer()
    assert made.form_ids("a" * 100_000) == made.form_ids("a" * 99_999)
    assert not made._seen


def test_what_is_remembered_is_what_was_computed() -> None:
    made = featurizer()
    assert made.form_ids("Ada") is made.form_ids("Ada")
    assert made.form_ids("Ada") == featurizer().form_ids("Ada")


def byte_pieces() -> PieceTokenizer:
    """One piece for each character, none for a bell."""
    letters = {letter: index for index, letter in enumerate("?ab")}
    tokenizer = Tokenizer(models.BPE(vocab=letters, merges=[], unk_token="?"))
    tokenizer.pre_tokenizer = pre_tokenizers.Split("\x07", "removed")
    return PieceTokenizer(tokenizer, (1,), (2,), 0)


def test_a_words_pieces_are_bounded() -> None:
    tokenizer = byte_pieces()
    assert tokenizer.pieces("-" * 1_000_000) == tokenizer.pieces("-" * 100)
    assert tokenizer.pieces("ab") == (1, 2)
    assert tokenizer.pieces("\x07") == ()
    assert tokenizer.pieces("a" * 1000) == (1,) * MAX_PIECES_OF_A_WORD


def test_a_form_costs_its_pieces_and_at_least_one_position() -> None:
    made = Featurizer(FeatureConfig(), Vocabularies(), tokenizer=byte_pieces())
    assert [made.cost(form) for form in ("ab", "\x07", "", "a" * 99)] == [2, 1, 1, MAX_PIECES_OF_A_WORD]
    assert featurizer().cost("wrote") == 1
    batch = made.batch([["ab", "\x07"]])
    assert batch.pieces is not None
    assert batch.pieces.ids_BP.tolist() == [[1, 1, 2, 2]]


def test_a_real_tokenizer_drops_what_cannot_be_seen(tmp_path: Path) -> None:
    labeler, _ = tiny_labeler("pretrained", folder=tmp_path)
    for form in ("\x00", "\u200b", "\x07", "\ufffd", ""):
        assert labeler.featurizer.form_ids(form).pieces == ()
    assert labeler.featurizer.form_ids("ada").pieces != ()


@pytest.mark.parametrize(
    ("form", "seen"),
    [
        ("plain", "plain"),
        ("Zoe\u0308", "Zo\u00eb"),
        ("\U0001f389", "\u2606"),
        ("\U0001f389\U0001f389", "\u2606"),
        ("\u2764\ufe0f", "\u2606"),
        ("\U0001f44d\U0001f3fd", "\u2606"),
        ("\U0001f469\u200d\U0001f467", "\u2606"),
        ("ok\U0001f44d!", "ok\u2606!"),
        ("\u00a9", "\u00a9"),
        ("\u2460", "\u2460"),
    ],
)
def test_every_pictograph_looks_alike_and_accents_are_composed(form: str, seen: str) -> None:
    assert as_seen(form) == seen
    assert as_seen(seen) == seen


def test_many_marks_take_no_time_that_grows_with_their_square() -> None:
    form = "a" + "\N{COMBINING ACUTE ACCENT}" * 500_000 + "\N{COMBINING CEDILLA}" * 500_000
    assert as_seen(form) == form
