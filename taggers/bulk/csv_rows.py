"""CSV -> pieces: one row each, with whatever is wrong in its bytes."""

from collections.abc import Iterator
from io import BufferedReader

from taggers.bulk.lines import Line, Lines, skip_bytes
from taggers.bulk.pieces import Failure, Found, Piece, ReadOptions, as_failure
from taggers.bulk.sources import Source
from taggers.errors import FormatError
from taggers.formats.lines import decode_at
from taggers.formats.tables import read_table


class _TableLines:
    """The lines of a CSV, decoded. What is wrong with one is raised in the header, and else kept for its row."""

    def __init__(self, source: Source, lines: Lines) -> None:
        self.lines = lines
        self.in_header = True
        self._label = source.label
        self._failure: Failure | None = None

    def __iter__(self) -> "_TableLines":
        return self

    def __next__(self) -> str:
        line = next(self.lines)
        try:
            return self._decoded(line)
        except FormatError as error:
            if self.in_header:
                raise
            self._failure = as_failure(error)
        return "no text\n" if line.content is None else line.content.decode("utf-8", "replace")

    def _decoded(self, line: Line) -> str:
        if line.content is None:
            problem = f"expected a line of at most {self.lines.limit:,} bytes, found {line.length:,}"
            raise FormatError(self._label, line.number, problem)
        return decode_at(line.content, self._label, line=line.number, offset=line.offset)

    def take_failure(self) -> Failure | None:
        """What was wrong since this was asked last."""
        failure, self._failure = self._failure, None
        return failure


def read_csv_rows(
    source: Source, stream: BufferedReader, options: ReadOptions, *, offset: int, line: int
) -> Iterator[Found]:
    """The rows of a CSV from one on, whose header is read in any case.

    Args:
        source: Which it is.
        stream: Its bytes from the start.
        options: How it is read.
        offset: Where the row begins; 0 for the first.
        line: How many lines come before it.

    Raises:
        FormatError: It lacks a column.
    """
    lines = _TableLines(source, Lines(stream, limit=options.max_record_bytes))
    rows = read_table(
        lines,
        source.label,
        text_field=options.text_field,
        id_field=options.id_field,
        max_field=options.max_record_bytes,
        number=lambda: lines.lines.number,
    )
    lines.in_header = False
    if offset > lines.lines.offset:
        skip_bytes(stream, offset - lines.lines.offset)
        lines.lines = Lines(stream, limit=options.max_record_bytes, offset=offset, number=line)
    start = lines.lines.offset
    for row in rows:
        end = lines.lines.offset
        item: Piece | Failure | None = lines.take_failure()
        if item is None and row.fields is None:
            item = Failure(f"{source.label}:{row.line}", row.problem)
        elif item is None and row.fields is not None:
            item = Piece(source.label, "row", row.line, start, row.fields)
        assert item is not None
        yield Found(item, end, lines.lines.number, end - start)
        start = end
