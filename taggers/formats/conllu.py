"""CoNLL-U: reading and writing Universal Dependencies files without losing a byte.

The text of a document is rebuilt from the forms and the white space that MISC tells of; ``# text`` is not read. Spans
of the layer ``ner`` stand in MISC as ``NE=B-PER``. See https://universaldependencies.org/format.html.
"""

from collections.abc import Container, Iterable, Iterator, Sequence
from pathlib import Path

from taggers.document import MOST_LAYERS, NO_VALUE, Document, MultiWord, Sentence, Span
from taggers.errors import FormatError
from taggers.formats.comments import document_id, opens_document, opens_paragraph
from taggers.formats.conllu_rows import COLUMNS, Block, SentenceRows, read_blocks, split_rows
from taggers.formats.conllu_writer import write_conllu
from taggers.formats.lines import read_lines
from taggers.formats.misc import find_stray, read_layers, read_spacing

__all__ = ["COLUMNS", "read_conllu", "read_conllu_file", "write_conllu"]


def read_conllu_file(path: str | Path) -> list[Document]:
    """The documents of a file.

    If any sentence has spans in a layer, every sentence of the file has that layer: it was annotated throughout. A
    value that is not a tag is then a mistake, which would leave its sentence without spans.

    Raises:
        FormatError: A line is malformed, or not UTF-8.
        OSError: The file cannot be read.
    """
    blocks = list(read_blocks(read_lines(Path(path)), str(path)))
    documents = list(_documents(blocks, str(path)))
    layers = {layer for document in documents for sentence in document for layer in sentence.spans}
    if not layers:
        return documents
    for block in blocks:
        _refuse_strays(block, layers, path)
    return [_annotated_throughout(document, layers) for document in documents]


def read_conllu(stream: Iterable[str], path: str = "<stream>") -> Iterator[Document]:
    """The documents of a stream of lines, one as soon as the next begins; ``# newdoc`` begins one.

    If any sentence of a document has spans in a layer, all of its sentences have that layer. Values that are not tags
    stay in MISC: what comes as a stream is to be tagged, not learned from.

    Args:
        stream: Lines, with or without their line ends (LF or CRLF).
        path: What errors call the stream.

    Raises:
        FormatError: A line is malformed.
    """
    return _documents(read_blocks(stream, path), path)


def _documents(blocks: Iterable[Block], path: str) -> Iterator[Document]:
    builder = _DocumentBuilder(None)
    for block in blocks:
        if opens_document(block.comments):
            if builder.sentences:
                yield builder.document()
            builder = _DocumentBuilder(document_id(block.comments))
        rows = split_rows(block, path)
        builder.add(block.comments, rows, _read_layers(rows, (path, block.line)))
        if len(builder.layers) > MOST_LAYERS:
            raise FormatError(
                path, block.line, f"expected at most {MOST_LAYERS} layers of spans in a document, found more"
            )
    if builder.sentences:
        yield builder.document()


def _read_layers(rows: SentenceRows, place: tuple[str, int]) -> dict[str, tuple[Span, ...]]:
    try:
        return read_layers([row[9] for row in rows.words])
    except ValueError as error:
        raise FormatError(*place, str(error)) from None


def _refuse_strays(block: Block, layers: Container[str], path: str | Path) -> None:
    rows = [(number, row[9]) for number, row in enumerate(block.rows, block.line) if row[0].isdecimal()]
    if stray := find_stray([misc for _, misc in rows], layers):
        index, found = stray
        raise FormatError(path, rows[index][0], f"expected a tag like B-LABEL, as elsewhere in the file, found {found}")


class _DocumentBuilder:
    """One document while its sentences arrive: it keeps the text that they have built so far."""

    def __init__(self, name: str | None) -> None:
        self.id = name
        self.sentences: list[Sentence] = []
        self.layers: set[str] = set()
        self._pieces: list[str] = []
        self._length = 0
        self._after: str | None = ""  # what the last token asked for; None: it left it to us

    def add(self, comments: list[str], rows: SentenceRows, spans: dict[str, tuple[Span, ...]]) -> None:
        """Append one sentence."""
        self.layers |= spans.keys()
        columns = tuple(zip(*rows.words, strict=True))
        if self.sentences and not self._after and opens_paragraph(comments):
            self._after = "\n\n"
        offsets = self._place(columns[1], columns[9], rows.multiword)
        self.sentences.append(
            Sentence(
                words=columns[1],
                offsets=tuple(offsets),
                start=offsets[0][0],
                end=offsets[-1][1],
                tags=dict(zip(COLUMNS, columns[2:], strict=True)),
                spans=spans,
                multiword=tuple(rows.multiword),
                empty_nodes=tuple(rows.empty_nodes),
                comments=tuple(comments),
            )
        )

    def document(self) -> Document:
        """The finished document; white space after its last word belongs to it only where MISC spells it out."""
        document = Document("".join(self._pieces) + (self._after or ""), tuple(self.sentences), self.id)
        return _annotated_throughout(document, self.layers)

    def _place(self, words: Sequence[str], misc: Sequence[str], multiword: list[MultiWord]) -> list[tuple[int, int]]:
        offsets: list[tuple[int, int]] = []
        for token in multiword:
            for form, value in zip(words[len(offsets) : token.first], misc[len(offsets) : token.first], strict=True):
                offsets.append(self._append(form, value))
            start, end = self._append(token.surface, token.columns[-1])
            members = words[token.first : token.stop]
            if "".join(members) != token.surface or end - start != len(token.surface):
                offsets += [(start, end)] * len(members)
                continue
            for member in members:
                offsets.append((start, start + len(member)))
                start += len(member)
        done = len(offsets)
        offsets += [self._append(form, value) for form, value in zip(words[done:], misc[done:], strict=True)]
        return offsets

    def _append(self, form: str, misc: str) -> tuple[int, int]:
        """Put one token's surface into the text; its offsets."""
        gap = " " if self._after is None else self._after
        self._after = None
        if misc != NO_VALUE:
            spacing = read_spacing(misc)
            gap += spacing.before
            self._after = spacing.after
            form = form if spacing.within is None else spacing.within
        start = self._length + len(gap)
        self._length = start + len(form)
        self._pieces += (gap, form)
        return start, self._length


def _annotated_throughout(document: Document, layers: set[str]) -> Document:
    """The document with an empty span layer wherever a sentence lacks one of ``layers``."""
    if all(sentence.spans.keys() >= layers for sentence in document):
        return document
    empty = dict.fromkeys(sorted(layers), ())
    sentences = [sentence.annotated(spans={**empty, **sentence.spans}) for sentence in document]
    return Document(document.text, tuple(sentences), document.id)
