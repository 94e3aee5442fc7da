"""CoNLL-U -> pieces: one document each."""

from codecs import BOM_UTF8
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from taggers.bulk.lines import Lines
from taggers.bulk.pieces import Found, Piece, too_long
from taggers.bulk.sources import Source
from taggers.formats.comments import opens_document


def read_conllu_documents(source: Source, lines: Lines) -> Iterator[Found]:
    """Whole documents: a ``# newdoc`` among the comments of a sentence begins one before that sentence."""
    document: list[_Sentence] = []
    for sentence in _sentences(lines):
        if document and sentence.opens_document:
            yield _found(source, document, lines.limit)
            document = []
        document.append(sentence)
        if sentence.end - document[0].start > lines.limit:  # it will be a failure: there is no use in keeping it
            document = [replace(document[0], content=b""), replace(sentence, content=b"")]
    if document:
        yield _found(source, document, lines.limit)


def _found(source: Source, sentences: Sequence["_Sentence"], limit: int) -> Found:
    first, last = sentences[0], sentences[-1]
    length = last.end - first.start
    if length > limit:
        failure = too_long(f"{source.label}:{first.line}", "a document", length, limit)
        return Found(failure, last.end, last.end_line, 0)
    content = b"".join(sentence.content for sentence in sentences)
    piece = Piece(source.label, "conllu", first.line, first.start, content)
    return Found(piece, last.end, last.end_line, length)


@dataclass(frozen=True, slots=True)
class _Sentence:
    """The lines of a sentence with the blank ones around it; ``content`` is empty where they are too many."""

    content: bytes
    opens_document: bool
    line: int
    start: int
    end: int
    end_line: int


def _sentences(lines: Lines) -> Iterator[_Sentence]:
    gathered: list[bytes] = []
    opens = begun = False
    start, number = lines.offset, lines.number + 1
    for line in lines:
        if line.content is None or lines.offset - start > lines.limit:
            gathered.clear()
        else:
            gathered.append(line.content)
        if line.content is None or not _is_blank(line.content, line.offset):
            begun = True
            opens = opens or _opens_document(line.content)
        elif begun:
            yield _Sentence(b"".join(gathered), opens, number, start, lines.offset, lines.number)
            gathered, opens, begun = [], False, False
            start, number = lines.offset, lines.number + 1
    if begun:
        yield _Sentence(b"".join(gathered), opens, number, start, lines.offset, lines.number)


def _is_blank(content: bytes, offset: int) -> bool:
    return content.isspace() or (not offset and not content.removeprefix(BOM_UTF8).strip())


def _opens_document(line: bytes | None) -> bool:
    return line is not None and line.startswith(b"#") and opens_document([line.decode("utf-8", "replace").rstrip()])
