import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from taggers.lemma_rules import apply_rule, derive_rule

# Full Unicode beside a few letters whose overlap is large and whose casing is odd.
words = st.text() | st.text(alphabet="abABİißſΣςσ ¦|;=+-1_ǅ", max_size=8)  # noqa: RUF001


@pytest.mark.parametrize(
    ("form", "lemma", "rule"),
    [
        ("cat", "cat", "l;|"),
        ("Cats", "cat", "l;|-1"),
        ("Running", "run", "l;|-4"),
        ("did", "do", "l;|-2+o"),
        ("better", "good", "l;=good"),
        ("is", "be", "l;=be"),
        ("were", "be", "l;=be"),
        ("geworfen", "werfen", "l;-4+we|"),
        ("UN", "UN", "k;|"),
        ("McDonald", "McDonald", "k;|"),
        ("Americans", "American", "k;|-1"),
        ("JOHN", "John", "u0l1;|"),
        ("ipod", "iPod", "l0u1l2;|"),
        ("STRASSE", "Straße", "u0l1;|-3+ße"),
        ("_", "_", "l;|"),
        ("x", "", "l;="),
    ],
)
def test_rules_are_as_general_as_can_be(form, lemma, rule):
    assert derive_rule(form, lemma) == rule
    assert apply_rule(rule, form) == lemma


@pytest.mark.parametrize(
    ("rule", "form", "lemma"),
    [
        (derive_rule("Cats", "cat"), "DOGS", "dog"),
        (derive_rule("UN", "UN"), "U.S.", "U.S."),
        (derive_rule("JOHN", "John"), "MARY", "Mary"),
        (derive_rule("walking", "walk"), "Xã hội ing", "xã hội "),
    ],
)
def test_rules_carry_over_to_other_forms(rule, form, lemma):
    assert apply_rule(rule, form) == lemma


@given(words, words)
@example("İ", "i")
@example("ß", "SS")
@example("ΟΔΟΣ", "οδοσ")
@example("", "")
@example("a|b", "x|b")
@example("b", "1|b")
def test_a_rule_gives_back_the_lemma_it_was_derived_from(form, lemma):
    assert apply_rule(derive_rule(form, lemma), form) == lemma


@given(words, words, words)
def test_a_rule_applies_to_every_form(form, lemma, other):
    assert isinstance(apply_rule(derive_rule(form, lemma), other), str)


@given(st.text(alphabet="abAB", max_size=8), st.text(alphabet="abcd", max_size=12))
def test_casing_neither_loses_nor_doubles_characters(lemma, other):
    casing = derive_rule(lemma.lower(), lemma).partition(";")[0]

    assert apply_rule(f"{casing};|", other).lower() == other


@pytest.mark.parametrize(
    ("rule", "form", "lemma"),
    [
        ("l;|-4", "Sing", "sing"),
        ("k;|-1", "A", "A"),
        ("u0l1;-2|-2", "ABCD", "Abcd"),
        ("l;|-1", "", ""),
    ],
)
def test_a_form_too_short_for_the_edit_only_gets_the_casing(rule, form, lemma):
    assert apply_rule(rule, form) == lemma


@pytest.mark.parametrize("rule", ["", "l", "l;", "l;x", "l;-a|", "x;|", "u;|", ";|"])
def test_what_is_no_rule_is_refused(rule):
    with pytest.raises(ValueError, match="expected"):
        apply_rule(rule, "form")
