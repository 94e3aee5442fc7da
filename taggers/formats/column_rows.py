"""The lines of a column file as checked rows: sentences cut at blank lines and at ``-DOCSTART-``."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from taggers.errors import FormatError
from taggers.formats.column_dialect import DOCUMENT_START, ColumnDialect
from taggers.formats.comments import opens_document
from taggers.spans import OUTSIDE

FORMLESS = "row without a form left out"
"""The kind of repair that a row of white space with the tag ``O`` gets."""


@dataclass(slots=True)
class ColumnBlock:
    """The rows of one sentence with their line numbers; ``opens`` says that it begins a document."""

    comments: list[str] = field(default_factory=list)
    rows: list[list[str]] = field(default_factory=list)
    lines: list[int] = field(default_factory=list)
    opens: bool = False


def read_column_blocks(
    lines: Sequence[str], path: str, dialect: ColumnDialect, repairs: Counter[str]
) -> Iterator[ColumnBlock]:
    """Cut lines into sentences, leaving out rows without a form (Twitter corpora have some).

    Raises:
        FormatError: A line is neither blank, nor a comment before a sentence, nor a row of the dialect.
    """
    block = ColumnBlock()
    for number, line in enumerate(lines, 1):
        row = dialect.split(line)
        if not line.strip():
            if block.rows:
                yield block
                block = ColumnBlock()
        elif _is_comment(line, row, dialect):
            if block.rows:
                raise FormatError(path, number, f"expected {_expected(dialect)}, found a comment inside a sentence")
            block.comments.append(line)
            block.opens = block.opens or opens_document([line])
        elif row[dialect.form : dialect.form + 1] == [DOCUMENT_START]:
            if block.rows:
                yield block
                block = ColumnBlock()
            block.opens = True
        elif not dialect.holds(row):
            raise FormatError(path, number, f"expected {_expected(dialect)}, found {line!r}")
        else:
            _add_row(block, row, dialect, (path, number), repairs)
    if block.rows:
        yield block


def _is_comment(line: str, row: Sequence[str], dialect: ColumnDialect) -> bool:
    """Whether a line is a comment, and not the row of a word such as ``#1`` or ``#``."""
    return line.startswith("# ") and (dialect.numbered or not dialect.holds(row))


def _add_row(
    block: ColumnBlock, row: list[str], dialect: ColumnDialect, place: tuple[str, int], repairs: Counter[str]
) -> None:
    if dialect.numbered and row[0] != str(len(block.rows) + 1):
        raise FormatError(*place, f"expected token {len(block.rows) + 1}, found {row[0]!r}")
    if row[dialect.form].strip():
        block.rows.append(row)
        block.lines.append(place[1])
    elif row[dialect.tag] == OUTSIDE:
        repairs[FORMLESS] += 1
    else:
        raise FormatError(*place, f"expected a form for the tag {row[dialect.tag]}, found none")


def _expected(dialect: ColumnDialect) -> str:
    parted = "tab-separated" if dialect.separator else "blank-separated"
    return f"{dialect.columns} {parted} columns with a tag such as O or B-PER in column {dialect.tag + 1}"
