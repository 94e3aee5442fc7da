import pytest
from hypothesis import given
from hypothesis import strategies as st

from taggers.windows import Window, windows


@st.composite
def settings(draw):
    margin = draw(st.integers(0, 8))
    return draw(st.integers(2 * margin + 1, 2 * margin + 20)), margin


@given(st.integers(0, 200), settings())
def test_every_position_is_judged_once_with_its_margin(length, drawn):
    size, margin = drawn
    made = windows(length, size=size, margin=margin)

    judged = [position for window in made for position in range(window.keep_start, window.keep_stop)]
    assert judged == list(range(length))
    for window in made:
        assert 0 <= window.start <= window.keep_start < window.keep_stop <= window.stop <= length
        assert window.stop - window.start == min(size, length)
        assert window.start == 0 or window.keep_start - window.start >= margin
        assert window.stop == length or window.stop - window.keep_stop >= margin


@given(st.integers(1, 200), settings())
def test_there_are_no_more_windows_than_needed(length, drawn):
    size, margin = drawn
    stride = size - 2 * margin

    assert len(windows(length, size=size, margin=margin)) == 1 + max(0, -(-(length - size) // stride))


def test_what_fits_is_not_cut():
    assert windows(10, size=10, margin=2) == [Window(0, 10, 0, 10)]
    assert windows(0, size=10, margin=2) == []


def test_the_last_window_reaches_back():
    assert windows(12, size=10, margin=2) == [Window(0, 10, 0, 8), Window(2, 12, 8, 12)]


@pytest.mark.parametrize(
    ("length", "size", "margin", "problem"),
    [
        (5, 4, 2, "larger than two margins of 2, found a size of 4"),
        (5, 0, 0, "larger than two margins of 0, found a size of 0"),
        (-1, 4, 1, "found -1 and 1"),
        (5, 4, -1, "found 5 and -1"),
    ],
)
def test_windows_that_would_keep_nothing_are_refused(length, size, margin, problem):
    with pytest.raises(ValueError, match=problem):
        windows(length, size=size, margin=margin)
