"""The BIO codec: spans of a sentence <-> one tag for each token, in every scheme of the family.

A tag is ``O`` or ``PREFIX-LABEL``. Which prefix is written where is the *scheme*; which tag sequences that break the
scheme still count as spans is the *reading*. The transition tables here are what a decoder needs in order never to
break the scheme.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from typing import Self

from taggers.document import Span

OUTSIDE = "O"

_SYNONYMS = {"IOB2": "BIO", "IOBES": "BIOES", "BMEWO": "BIOES", "BILUO": "BILOU"}


class Scheme(StrEnum):
    """Which prefixes mark the beginning, inside and end of a span.

    - ``IOB1``: ``I-`` throughout; ``B-`` only where a span follows one of the same label (Ramshaw and Marcus, 1995).
    - ``BIO``, also called IOB2: ``B-`` on the first token of every span, ``I-`` on the others.
    - ``BIOES``, also called IOBES: BIO with ``E-`` on the last token and ``S-`` on a single one.
    - ``BILOU``: BIOES with ``L-`` for ``E-`` and ``U-`` for ``S-`` (Ratinov and Roth, 2009).
    """

    IOB1 = "IOB1"
    BIO = "BIO"
    BIOES = "BIOES"
    BILOU = "BILOU"

    @classmethod
    def _missing_(cls, value: object) -> "Scheme | None":
        name = str(value).upper()
        name = _SYNONYMS.get(name, name)
        return cls.__members__.get(name)

    @classmethod
    def parse(cls, name: str) -> Self:
        """The scheme called ``name``, in any case; IOB2 and IOBES are understood too.

        Raises:
            ValueError: There is no such scheme.
        """
        try:
            return cls(name)
        except ValueError:
            known = ", ".join([*cls, "IOB2", "IOBES"])
            raise ValueError(f"unknown tagging scheme {name!r}; there are: {known}") from None


class Reading(StrEnum):
    """Which spans a tag sequence that breaks its scheme is taken to hold.

    ``STRICT`` counts a span only if it is written exactly as the scheme demands, as the ``seqeval`` package does with
    ``mode="strict"``. ``CONLLEVAL`` is that of the CoNLL-2000 script ``conlleval``: every tag other than ``O`` belongs
    to a span. ``I-ORG I-ORG`` in BIO is no span under the first and one span under the second.
    """

    STRICT = "strict"
    CONLLEVAL = "conlleval"


@dataclass(frozen=True, slots=True)
class Repair:
    """One tag that was changed: at token ``position`` the tag ``found`` was replaced by ``wrote``."""

    position: int
    found: str
    wrote: str


@dataclass(frozen=True, slots=True)
class Transitions:
    """Which tag may stand where, by the position of a tag in the label set.

    Attributes:
        start: Whether a sentence may begin with the tag.
        step: ``step[a][b]``: whether tag ``b`` may follow tag ``a``.
        end: Whether a sentence may end with the tag.
    """

    start: tuple[bool, ...]
    step: tuple[tuple[bool, ...], ...]
    end: tuple[bool, ...]


def encode_spans(spans: Sequence[Span], length: int, scheme: Scheme) -> list[str]:
    """The tags of a sentence of ``length`` tokens that holds ``spans``, given in any order.

    Raises:
        ValueError: Spans overlap, are empty or have no label, or leave the sentence.
    """
    tags = [OUTSIDE] * length
    begin, inside, last, single = _WRITTEN[scheme]
    previous: Span | None = None
    for span in sorted(spans, key=lambda span: span.start):
        if not 0 <= span.start < span.stop <= length:
            raise ValueError(f"span {span.start}:{span.stop} is not in a sentence of {length} tokens")
        if not span.label:
            raise ValueError(f"span {span.start}:{span.stop} has no label")
        if previous is not None and span.start < previous.stop:
            raise ValueError(f"span {span.start}:{span.stop} overlaps {previous.start}:{previous.stop}")
        first = begin
        if scheme is Scheme.IOB1 and previous and (previous.stop, previous.label) == (span.start, span.label):
            first = "B-"
        tags[span.start : span.stop] = [inside + span.label] * (span.stop - span.start)
        tags[span.stop - 1] = last + span.label
        tags[span.start] = (first if span.stop - span.start > 1 or scheme is Scheme.IOB1 else single) + span.label
        previous = span
    return tags


def decode_spans(tags: Sequence[str], scheme: Scheme, reading: Reading) -> list[Span]:
    """The spans that ``tags`` hold, in order, without scores.

    Raises:
        ValueError: A tag is neither ``O`` nor a prefix of the scheme with a label.
    """
    spans = []
    start = -1
    open_tag = previous = _BOUNDARY
    for position, text in enumerate(tags):
        if text == OUTSIDE and start < 0:
            previous = _BOUNDARY
            continue
        tag = _parse(text, scheme)
        if start >= 0 and not _continues(previous, tag):
            if reading is Reading.CONLLEVAL or _closes(previous, scheme):
                spans.append(Span(start, position, open_tag.label))
            start = -1
        if start < 0 and tag.prefix != OUTSIDE and (reading is Reading.CONLLEVAL or _opens(previous, tag, scheme)):
            start, open_tag = position, tag
        previous = tag
    if start >= 0 and (reading is Reading.CONLLEVAL or _closes(previous, scheme)):
        spans.append(Span(start, len(tags), open_tag.label))
    return spans


def repair_tags(tags: Sequence[str], scheme: Scheme) -> tuple[list[str], list[Repair]]:
    """Tags that keep to the scheme and hold the same spans as ``tags`` do in the conlleval reading.

    Returns:
        The tags, and what was changed; valid tags come back as they are.

    Raises:
        ValueError: A tag is neither ``O`` nor a prefix of the scheme with a label.
    """
    repaired = convert_tags(tags, scheme, scheme)
    pairs = zip(tags, repaired, strict=True)
    return repaired, [Repair(index, found, wrote) for index, (found, wrote) in enumerate(pairs) if found != wrote]


def convert_tags(tags: Sequence[str], source: Scheme, target: Scheme) -> list[str]:
    """Tags of one scheme in another, holding the same spans (in the conlleval reading).

    Raises:
        ValueError: A tag is neither ``O`` nor a prefix of the source scheme with a label.
    """
    return encode_spans(decode_spans(tags, source, Reading.CONLLEVAL), len(tags), target)


def span_tags(labels: Sequence[str], scheme: Scheme) -> list[str]:
    """The tags that a network predicts for spans of these labels: ``O`` first, then label by label."""
    return [OUTSIDE, *(f"{prefix}-{label}" for label in labels for prefix in _PREFIXES[scheme])]


def allowed_transitions(tags: Sequence[str], scheme: Scheme) -> Transitions:
    """The transitions between ``tags`` that keep to the scheme: all of its valid sequences and no other.

    Raises:
        ValueError: A tag is neither ``O`` nor a prefix of the scheme with a label.
    """
    parsed = [_parse(tag, scheme) for tag in tags]
    return Transitions(
        start=tuple(_may_follow(_BOUNDARY, tag, scheme) for tag in parsed),
        step=tuple(tuple(_may_follow(before, tag, scheme) for tag in parsed) for before in parsed),
        end=tuple(_may_follow(tag, _BOUNDARY, scheme) for tag in parsed),
    )


@dataclass(frozen=True, slots=True)
class _Tag:
    """A tag in the terms of BIOES (``L`` read as ``E``, ``U`` as ``S``), whatever its scheme."""

    prefix: str
    label: str


_BOUNDARY = _Tag(OUTSIDE, "")

_PREFIXES = {Scheme.IOB1: "BI", Scheme.BIO: "BI", Scheme.BIOES: "BIES", Scheme.BILOU: "BILU"}

_WRITTEN = {  # the prefix of a span's first token, of those inside, of the last one, and of a single one
    Scheme.IOB1: ("I-", "I-", "I-", "I-"),
    Scheme.BIO: ("B-", "I-", "I-", "B-"),
    Scheme.BIOES: ("B-", "I-", "E-", "S-"),
    Scheme.BILOU: ("B-", "I-", "L-", "U-"),
}


@lru_cache(maxsize=4096)
def _parse(text: str, scheme: Scheme) -> _Tag:
    if text == OUTSIDE:
        return _BOUNDARY
    prefix, hyphen, label = text.partition("-")
    if len(prefix) != 1 or prefix not in _PREFIXES[scheme] or not hyphen or not label:
        expected = ", ".join(f"{prefix}-LABEL" for prefix in _PREFIXES[scheme])
        raise ValueError(f"expected a {scheme} tag (O, {expected}), found {text!r}")
    return _Tag({"L": "E", "U": "S"}.get(prefix, prefix), label)


def _continues(previous: _Tag, tag: _Tag) -> bool:
    return previous.prefix in "BI" and tag.prefix in "IE" and previous.label == tag.label


def _opens(previous: _Tag, tag: _Tag, scheme: Scheme) -> bool:
    """Whether a span may be written as beginning with ``tag`` (after a tag that it does not continue)."""
    if scheme is Scheme.IOB1:
        return tag.prefix == "I" or previous.label == tag.label
    return tag.prefix in "BS"


def _closes(tag: _Tag, scheme: Scheme) -> bool:
    """Whether a span may be written as ending with ``tag``."""
    return scheme in (Scheme.IOB1, Scheme.BIO) or tag.prefix in "ES"


def _may_follow(previous: _Tag, tag: _Tag, scheme: Scheme) -> bool:
    if _continues(previous, tag):
        return True
    return (previous.prefix == OUTSIDE or _closes(previous, scheme)) and (
        tag.prefix == OUTSIDE or _opens(previous, tag, scheme)
    )
