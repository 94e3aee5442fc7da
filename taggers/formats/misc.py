r"""The MISC column of CoNLL-U: the white space around a token, and span layers in BIO tags.

White space follows UDPipe: ``SpaceAfter=No``, ``SpacesAfter=\s\n``, ``SpacesBefore=\t``, ``SpacesInToken=a\nb``.
The layer ``ner`` is written ``NE=B-PER``, any other ``Span:chunk=B-NP``.
"""

import re
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass

from taggers.document import MOST_LAYERS, NO_VALUE, Span
from taggers.remembering import remembering
from taggers.spans import Reading, Scheme, decode_spans

_ESCAPES = {" ": r"\s", "\t": r"\t", "\r": r"\r", "\n": r"\n", "|": r"\p", "\\": "\\\\"}
_UNESCAPES = {written: character for character, written in _ESCAPES.items()}
_TO_ESCAPE = re.compile(r"[\s|\\]")
_ESCAPED = re.compile(r"\\(?:[strnp\\]|u(?![Dd][89A-Fa-f])[0-9A-Fa-f]{4})")  # no surrogates: no text may hold them
_LAYER_PREFIX = "Span:"


def escape(text: str) -> str:
    r"""``text`` as a MISC value: UDPipe's escapes for space, tab, line ends, ``|`` and backslash; else ``\u00A0``."""
    return _TO_ESCAPE.sub(lambda match: _ESCAPES.get(match[0]) or f"\\u{ord(match[0]):04X}", text)


def unescape(value: str) -> str:
    """The text that a MISC value stands for; an unknown escape stands for itself."""
    return _ESCAPED.sub(lambda match: _UNESCAPES.get(match[0]) or chr(int(match[0][2:], 16)), value)


@dataclass(frozen=True, slots=True)
class Spacing:
    """The white space of one token.

    Attributes:
        before: Written before the token, beside what the token before asked for.
        after: Written after it; None where MISC says nothing, which means one space.
        within: The token's surface where it differs from the form (a line end inside); None where it does not.
    """

    before: str = ""
    after: str | None = None
    within: str | None = None


@remembering(4096)
def read_spacing(misc: str) -> Spacing:
    """The white space that a MISC value asks for."""
    if "Space" not in misc:
        return Spacing()
    values = dict(item.partition("=")[::2] for item in misc.split("|"))
    after = "" if values.get("SpaceAfter") == "No" else None
    if "SpacesAfter" in values:
        after = unescape(values["SpacesAfter"])
    within = unescape(values["SpacesInToken"]) if "SpacesInToken" in values else None
    return Spacing(unescape(values.get("SpacesBefore", "")), after, within)


def write_spacing(spacing: Spacing) -> str:
    """The MISC value that asks for this white space; ``_`` where it asks for nothing."""
    items = [f"SpacesBefore={escape(spacing.before)}"] if spacing.before else []
    if spacing.within is not None:
        items.append(f"SpacesInToken={escape(spacing.within)}")
    if spacing.after == "":
        items.append("SpaceAfter=No")
    elif spacing.after is not None:
        items.append(f"SpacesAfter={escape(spacing.after)}")
    return "|".join(items) or NO_VALUE


def read_layers(column: Sequence[str]) -> dict[str, tuple[Span, ...]]:
    """The span layers in the MISC values of one sentence, decoded leniently.

    A layer whose values are not tags of a BIO-like scheme (``NE`` serves other conventions too) is left out.

    Raises:
        ValueError: There are more than ``MOST_LAYERS``.
    """
    return {layer: spans for layer, tags in _read_tags(column).items() if (spans := _decode(tags)) is not None}


def find_stray(column: Sequence[str], layers: Container[str]) -> tuple[int, str] | None:
    """The first word whose value for one of ``layers`` is not a tag, and that item of its MISC."""
    for layer, tags in _read_tags(column).items():
        if layer in layers and _decode(tags) is None:
            scheme = _scheme(tags)
            index = next(index for index, tag in enumerate(tags) if _decode([tag], scheme) is None)
            return index, f"{_key(layer)}={escape(tags[index])}"
    return None


def write_layers(column: Sequence[str], layers: Mapping[str, Iterable[str]]) -> list[str]:
    """MISC values with the tags of these layers in place of those they had.

    Args:
        column: The MISC values of one sentence.
        layers: For each layer to write, one BIO tag a word.
    """
    written = []
    for misc, *tags in zip(column, *layers.values(), strict=True):
        items = [] if misc == NO_VALUE else [item for item in misc.split("|") if _layer_of(item) not in layers]
        items += [f"{_key(layer)}={escape(tag)}" for layer, tag in zip(layers, tags, strict=True) if tag != "O"]
        written.append("|".join(items) or NO_VALUE)
    return written


def _key(layer: str) -> str:
    return "NE" if layer == "ner" else _LAYER_PREFIX + escape(layer).replace("=", r"\u003D")


def _layer_of(item: str) -> str | None:
    key, equals, _ = item.partition("=")
    if key == "NE" and equals:
        return "ner"
    return unescape(key.removeprefix(_LAYER_PREFIX)) if key.startswith(_LAYER_PREFIX) and equals else None


def _read_tags(column: Sequence[str]) -> dict[str, list[str]]:
    """The values of each layer in MISC, ``O`` where a word has none."""
    found: dict[str, dict[int, str]] = {}
    for index, misc in enumerate(column):
        if misc == NO_VALUE or ("NE=" not in misc and _LAYER_PREFIX not in misc):
            continue
        for item in misc.split("|"):
            layer = _layer_of(item)
            if layer is not None:
                found.setdefault(layer, {})[index] = unescape(item.partition("=")[2])
    if len(found) > MOST_LAYERS:
        raise ValueError(f"expected at most {MOST_LAYERS} layers of spans, found {len(found):,}")
    return {layer: [tags.get(index, "O") for index in range(len(column))] for layer, tags in found.items()}


def _scheme(tags: Sequence[str]) -> Scheme:
    prefixes = {tag[0] for tag in tags if tag}
    return Scheme.BILOU if prefixes & {"L", "U"} else Scheme.BIOES if prefixes & {"E", "S"} else Scheme.BIO


def _decode(tags: Sequence[str], scheme: Scheme | None = None) -> tuple[Span, ...] | None:
    try:
        return tuple(decode_spans(tags, scheme or _scheme(tags), Reading.CONLLEVAL))
    except ValueError:
        return None
