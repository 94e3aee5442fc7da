"""Column files of one tag a token: CoNLL-2003, WNUT, Universal NER and their kin, in any scheme of the BIO family.

Spans are read as ``conlleval`` reads them, so that an ``I-X`` which nothing began begins a span. ``B-O``, a stray tag
of early Universal NER files, is read as ``B-X`` before an ``I-X`` and as ``O`` elsewhere. All that is counted and
logged.
"""

import logging
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from taggers.document import Document, Sentence, Span
from taggers.errors import FormatError
from taggers.formats.column_dialect import DOCUMENT_START, ColumnDialect, detect_dialect, detect_scheme
from taggers.formats.column_rows import read_column_blocks
from taggers.formats.comments import comment_value, document_id, one_line, with_document
from taggers.formats.lines import read_lines, strip_mark
from taggers.spans import OUTSIDE, Reading, Scheme, decode_spans, encode_spans, repair_tags, span_tags

__all__ = ["ColumnDialect", "ColumnReport", "read_columns", "read_columns_file", "write_columns"]

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class ColumnReport:
    """What a reader had to repair: how often a tag was read as another, as ``B-O read as O``, or a row left out."""

    by_kind: Counter[str] = field(default_factory=Counter)

    @property
    def repaired(self) -> int:
        """The number of rows that were not read as they were written."""
        return self.by_kind.total()


def read_columns_file(
    path: str | Path,
    *,
    dialect: ColumnDialect | None = None,
    layer: str = "ner",
    report: ColumnReport | None = None,
) -> list[Document]:
    """The documents of a file; see ``read_columns``.

    Raises:
        FormatError: A line is malformed, or not UTF-8.
        OSError: The file cannot be read.
    """
    return list(read_columns(read_lines(Path(path)), str(path), dialect=dialect, layer=layer, report=report))


def read_columns(
    stream: Iterable[str],
    path: str = "<stream>",
    *,
    dialect: ColumnDialect | None = None,
    layer: str = "ner",
    report: ColumnReport | None = None,
) -> Iterator[Document]:
    """The documents of a stream of lines; ``# newdoc`` or ``-DOCSTART-`` begins one.

    A sentence whose words stand in its ``# text`` has that text, any other its words joined by spaces; a line end
    parts sentences. The stream is read to its end first, because the scheme shows only in all of it.

    Args:
        stream: Lines, with or without their line ends.
        path: What errors call the stream.
        dialect: Where the columns are; None to find out.
        layer: The span layer that the tags fill.
        report: Counts the repairs, if given.

    Raises:
        FormatError: A line is malformed, or no column holds tags.
    """
    lines = [line.rstrip("\r\n") for line in stream]
    lines[:1] = map(strip_mark, lines[:1])
    dialect = dialect or detect_dialect(lines, path)
    repairs: Counter[str] = Counter()
    blocks = list(read_column_blocks(lines, path, dialect, repairs))
    tags = [_without_stray([row[dialect.tag] for row in block.rows], repairs) for block in blocks]
    scheme = dialect.scheme or detect_scheme(tags)
    builder = _DocumentBuilder(None)
    for block, row in zip(blocks, tags, strict=True):
        if block.opens:
            if builder.sentences:
                yield builder.document()
            builder = _DocumentBuilder(document_id(block.comments))
        spans = {layer: tuple(_decode(row, scheme, (path, block.lines), repairs))}
        tokens = {"xpos": tuple(columns[dialect.xpos] for columns in block.rows)} if dialect.xpos else {}
        words = tuple(columns[dialect.form] for columns in block.rows)
        builder.add(Sentence(words, (), 0, 0, tokens, spans, comments=tuple(block.comments)))
    if builder.sentences:
        yield builder.document()
    if repairs:
        _log.info("%s: %d rows repaired: %s", path, repairs.total(), dict(repairs.most_common()))
    if report is not None:
        report.by_kind.update(repairs)


def write_columns(
    documents: Iterable[Document], *, scheme: Scheme = Scheme.BIO, layer: str = "ner", first: int = 0
) -> Iterator[str]:
    """``FORM<TAB>TAG`` and a blank line after each sentence, one chunk a document; without the layer all is ``O``.

    Comments are kept. A sentence that is not its words joined by spaces gets a ``# text``.

    Args:
        documents: What to write.
        scheme: That of the tags.
        layer: The layer of spans that they tell of.
        first: How many documents of the file come before these.

    Raises:
        ValueError: Spans overlap or leave their sentence, or a word reads as something else.
    """
    for number, document in enumerate(documents, first):
        blocks: list[str] = []
        for sentence in document:
            if not sentence.words:
                continue
            comments: Sequence[str] = sentence.comments
            if not blocks:
                comments = with_document(comments, document.id, first=number == 0)
            text = document.text[sentence.start : sentence.end]
            if text != " ".join(sentence.words) and comment_value(comments, "text") is None:
                comments = [*comments, f"# text = {one_line(text)}"]
            tags = encode_spans(sentence.spans.get(layer, ()), len(sentence.words), scheme)
            if not comments and sentence.words[0].startswith("\ufeff") and number == 0:
                comments = ["# newdoc"]  # else it would be the mark of the file
            rows = [f"{_form(word)}\t{one_line(tag)}" for word, tag in zip(sentence.words, tags, strict=True)]
            blocks.append("\n".join([*comments, *rows, "", ""]))
        yield "".join(blocks)


def _form(word: str) -> str:
    form = one_line(word)
    if not form.strip() or form == DOCUMENT_START:
        raise ValueError(f"columns have no place for the word {word!r}")
    return form


def _without_stray(tags: list[str], repairs: Counter[str]) -> list[str]:
    """``B-O`` and ``I-O`` as the tags that they stand for."""
    if "B-O" not in tags and "I-O" not in tags:
        return tags
    cleaned = list(tags)
    for index, (tag, after) in enumerate(zip(tags, [*tags[1:], OUTSIDE], strict=True)):
        if tag[2:] == OUTSIDE:
            begins = tag == "B-O" and after.startswith("I-") and after != "I-O"
            cleaned[index] = "B" + after[1:] if begins else OUTSIDE
            repairs[f"{tag} read as {cleaned[index]}"] += 1
    return cleaned


def _decode(tags: list[str], scheme: Scheme, place: tuple[str, list[int]], repairs: Counter[str]) -> list[Span]:
    """The spans of a sentence whose rows stand on the lines of ``place``."""
    path, lines = place
    try:
        repaired, changes = repair_tags(tags, scheme)
    except ValueError:
        prefixes = {tag[0] for tag in span_tags(["X"], scheme)}
        line, tag = next((line, tag) for line, tag in zip(lines, tags, strict=True) if tag[0] not in prefixes)
        raise FormatError(path, line, f"expected a {scheme} tag, as most of the file has, found {tag!r}") from None
    repairs.update(f"{change.found} read as {change.wrote}" for change in changes)
    return decode_spans(repaired, scheme, Reading.STRICT)


class _DocumentBuilder:
    """One document while its sentences arrive."""

    def __init__(self, name: str | None) -> None:
        self.id = name
        self.sentences: list[Sentence] = []
        self._texts: list[str] = []
        self._length = 0

    def add(self, sentence: Sentence) -> None:
        """Append a sentence, setting its offsets."""
        text = comment_value(sentence.comments, "text")
        offsets = _found(sentence.words, text) if text else None
        if text is None or offsets is None:
            text = " ".join(sentence.words)
            offsets = _found(sentence.words, text) or []
        start = self._length
        moved = tuple((start + first, start + last) for first, last in offsets)
        self.sentences.append(replace(sentence, offsets=moved, start=moved[0][0], end=moved[-1][1]))
        self._texts.append(text)
        self._length += len(text) + 1

    def document(self) -> Document:
        """The finished document."""
        return Document("\n".join(self._texts), tuple(self.sentences), self.id)


def _found(words: Sequence[str], text: str) -> list[tuple[int, int]] | None:
    """Where the words stand in ``text``, if they are all of it but white space."""
    offsets = []
    end = 0
    for word in words:
        start = text.find(word, end)
        if start < 0 or (start > end and not text[end:start].isspace()):
            return None
        end = start + len(word)
        offsets.append((start, end))
    return None if text[end:].strip() else offsets
