import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.offsets import OffsetMap, OffsetUnit
from tests.strategies import texts

units = st.sampled_from(OffsetUnit)


def length_in(text, unit):
    match unit:
        case OffsetUnit.CODEPOINT:
            return len(text)
        case OffsetUnit.UTF16:
            return len(text.encode("utf-16-le")) // 2
        case OffsetUnit.UTF8:
            return len(text.encode("utf-8"))


@given(texts(), units)
def test_every_offset_counts_the_text_before_it(text, unit):
    mapping = OffsetMap(text, unit)
    expected = [length_in(text[:offset], unit) for offset in range(len(text) + 1)]
    assert [mapping.to_unit(offset) for offset in range(len(text) + 1)] == expected
    assert list(mapping.to_units(range(len(text) + 1))) == expected
    assert [mapping.to_codepoint(offset) for offset in expected] == list(range(len(text) + 1))


@given(texts(), units, st.integers(-3, 200))
def test_an_offset_into_the_text_comes_back_or_is_refused(text, unit, offset):
    mapping = OffsetMap(text, unit)
    valid = {length_in(text[:at], unit): at for at in range(len(text) + 1)}
    if offset in valid:
        assert mapping.to_codepoint(offset) == valid[offset]
    else:
        with pytest.raises(ValueError, match=f"offset {offset} "):
            mapping.to_codepoint(offset)


@pytest.mark.parametrize("unit", OffsetUnit)
def test_a_huge_offset_is_refused(unit):
    with pytest.raises(ValueError, match="outside the text"):
        OffsetMap("é😀", unit).to_codepoint(10**30)
