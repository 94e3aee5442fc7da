"""The lines of CoNLL-U as checked rows: sentences cut at blank lines, IDs in order, ten columns each."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from taggers.document import EmptyNode, MultiWord
from taggers.errors import FormatError
from taggers.formats.lines import strip_mark

COLUMNS = ("lemma", "upos", "xpos", "feats", "head", "deprel", "deps", "misc")
"""The token layers of a CoNLL-U sentence, in the order of their columns after ID and FORM."""

_COLUMN_NAMES = ("ID", "FORM", *(name.upper() for name in COLUMNS))
_RANGE = re.compile(r"([1-9][0-9]{0,8})-([1-9][0-9]{0,8})")
_EMPTY = re.compile(r"(0|[1-9][0-9]{0,8})\.([1-9][0-9]{0,8})")

Row = list[str]


@dataclass(slots=True)
class Block:
    """The lines of one sentence; ``line`` is the number of its first row, and rows follow one another."""

    comments: list[str] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    line: int = 0


def read_blocks(stream: Iterable[str], path: str) -> Iterator[Block]:
    """Cut lines into sentences; more than one blank line between them, or none at the end, is no harm.

    Raises:
        FormatError: A comment stands inside or without a sentence, or a line holds a CR.
    """
    block = Block()
    number = 0
    for number, raw in enumerate(stream, 1):
        line = raw.rstrip("\r\n") if number > 1 else strip_mark(raw).rstrip("\r\n")
        if "\r" in line:
            raise FormatError(path, number, "expected a line end LF or CRLF, found a CR inside the line")
        if line.startswith("#"):
            if block.rows:
                raise FormatError(path, number, "expected a word or a blank line, found a comment inside a sentence")
            block.comments.append(line)
        elif line:
            block.line = block.line or number
            block.rows.append(line.split("\t"))
        elif block.rows:
            yield block
            block = Block()
        else:
            _refuse_lone_comments(block, path, number)
    if block.rows:
        yield block
    else:
        _refuse_lone_comments(block, path, number)


@dataclass(slots=True)
class SentenceRows:
    """The rows of one sentence by their kind."""

    words: list[Row] = field(default_factory=list)
    multiword: list[MultiWord] = field(default_factory=list)
    empty_nodes: list[EmptyNode] = field(default_factory=list)


def split_rows(block: Block, path: str) -> SentenceRows:
    """Sort the rows of a sentence into words, multi-word tokens and empty nodes.

    Raises:
        FormatError: A row has not ten columns, a column is empty, or an ID is not the one that comes next.
    """
    found = SentenceRows()
    words = found.words
    for number, row in enumerate(block.rows, block.line):
        if len(row) != 10:
            raise FormatError(path, number, f"expected 10 tab-separated columns, found {len(row)}")
        if "" in row:
            raise FormatError(path, number, f"expected a value or _ in {_COLUMN_NAMES[row.index('')]}, found nothing")
        if row[0] == str(len(words) + 1):
            words.append(row)
        elif problem := _read_other(row, found):
            raise FormatError(path, number, f"expected {problem}, found ID {row[0]!r}")
    last = found.multiword[-1].stop if found.multiword else 1
    if len(words) < last:
        number = block.line + len(block.rows) - 1
        raise FormatError(path, number, f"expected word {last}, found the end of the sentence at word {len(words)}")
    return found


def _read_other(row: Row, found: SentenceRows) -> str | None:
    """Take in the row of a multi-word token or an empty node; what was expected instead if it is neither."""
    done = len(found.words)
    if match := _RANGE.fullmatch(row[0]):
        first, last = int(match[1]), int(match[2])
        covered = found.multiword[-1].stop if found.multiword else 0
        if first != done + 1 or first <= covered or last <= first:
            return f"a range from {max(done, covered) + 1} to a later word"
        found.multiword.append(MultiWord(first - 1, last, row[1], tuple(row[2:])))
        return None
    if match := _EMPTY.fullmatch(row[0]):
        before = found.empty_nodes[-1] if found.empty_nodes else EmptyNode(-1, 0, ())
        index = before.index + 1 if before.after == done else 1
        if (int(match[1]), int(match[2])) != (done, index):
            return f"empty node {done}.{index}"
        found.empty_nodes.append(EmptyNode(done, index, tuple(row[1:])))
        return None
    return f"word {done + 1}"


def _refuse_lone_comments(block: Block, path: str, number: int) -> None:
    if block.comments:
        raise FormatError(path, number, "expected the words of a sentence after its comments, found none")
