"""What is short is found once; what is long does not stay."""

import gc
import weakref

from taggers.remembering import remembering


class Found:
    pass


def test_short_strings_are_remembered_and_long_ones_forgotten() -> None:
    asked: list[str] = []

    @remembering(2)
    def find(value: str) -> Found:
        asked.append(value)
        return Found()

    assert find("a") is find("a")
    assert asked == ["a"]
    long = weakref.ref(find("x" * 1_000))
    gc.collect()
    assert long() is None
    find("b"), find("c"), find("a")
    assert asked == ["a", "x" * 1_000, "b", "c", "a"]
