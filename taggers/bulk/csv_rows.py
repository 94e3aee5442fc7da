"""CSV -> pieces: one row each, with whatever is wrong in its bytes."""

from collections.abc import Iterator
from io import BufferedReader

from taggers.bulk.lines import Lines, skip_bytes
from taggers.bulk.pieces import Failure, Found, Piece, ReadOptions, as_failure
from taggers.bulk.sources import Source
from taggers.errors import FormatError
from taggers.formats.lines import decode_at
from taggers.formats.quotes import Quotes
from taggers.formats.tables import read_table


class _TableLines:
    """The lines of a CSV, decoded. What is wrong with one is raised in the header, and else kept for its row.

    Of a row that is too long, the lines past the limit are read and left out, up to the one that ends it.
    """

    def __init__(self, source: Source, stream: BufferedReader, *, limit: int) -> None:
        self.in_header = True
        self._label = source.label
        self._stream = stream
        self._limit = limit
        self._quotes = Quotes()
        self._failure: Failure | None = None
        self._row_begins, self._row_length = 1, 0
        self.move(0, 0)

    def move(self, offset: int, line: int) -> None:
        """Go on at another place of the stream, between two rows."""
        self.at = Lines(self._stream, limit=self._limit, offset=offset, number=line, watch=self._quotes.feed)

    def __iter__(self) -> "_TableLines":
        return self

    def __next__(self) -> str:
        is_within = self._quotes.open
        line = next(self.at)
        if not is_within:
            self._row_begins, self._row_length = line.number, 0
        self._row_length += line.length
        if line.content is None or self._row_length > self._limit:
            return self._leave_out(is_within=is_within)
        try:
            return decode_at(line.content, self._label, line=line.number, offset=line.offset)
        except FormatError as error:
            self._blame(error)
        return line.content.decode("utf-8", "replace")

    def _leave_out(self, *, is_within: bool) -> str:
        """Read to the end of a row that is too long; what ends it for whoever has read its beginning."""
        while self._quotes.open and (line := next(self.at, None)):
            self._row_length += line.length
        last = self.at.number
        lines = f" in lines {self._row_begins} to {last}" if last > self._row_begins else ""
        never = ", with a quote that nothing closes" if self._quotes.open else ""
        problem = f"expected a row of at most {self._limit:,} bytes, found {self._row_length:,}{lines}{never}"
        self._blame(FormatError(self._label, self._row_begins, problem))
        return '"\n' if is_within else "no text\n"

    def _blame(self, error: FormatError) -> None:
        if self.in_header:
            raise error
        self._failure = as_failure(error)

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
    lines = _TableLines(source, stream, limit=options.max_record_bytes)
    rows = read_table(
        lines,
        source.label,
        text_field=options.text_field,
        id_field=options.id_field,
        number=lambda: lines.at.number,
    )
    lines.in_header = False
    if offset > lines.at.offset:
        skip_bytes(stream, offset - lines.at.offset, name=source.label)
        lines.move(offset, line)
    start = lines.at.offset
    for row in rows:
        end = lines.at.offset
        item: Piece | Failure | None = lines.take_failure()
        if item is None and row.fields is None:
            item = Failure(f"{source.label}:{row.line}", row.problem)
        elif item is None and row.fields is not None:
            item = Piece(source.label, "row", row.line, start, row.fields)
        assert item is not None
        yield Found(item, end, lines.at.number, end - start)
        start = end
