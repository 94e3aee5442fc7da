"""Which column of a BIO file holds what, in which scheme: found out from the file where nobody says so."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from taggers.errors import FormatError
from taggers.spans import OUTSIDE, Scheme

DOCUMENT_START = "-DOCSTART-"
"""The form of the row that begins a document in the CoNLL-2003 manner."""

TAG = re.compile(r"O|[BIESLU]-\S.*")
"""A tag of any scheme."""

_BLANKS = re.compile(r"[ \t]+")
_SAMPLE = 2000  # rows looked at; they may hold a damaged one
_MOSTLY = 0.5


@dataclass(frozen=True, slots=True)
class ColumnDialect:
    """Where the columns are, counted from 0.

    Attributes:
        separator: A tab, which lets forms hold blanks, or None for runs of blanks.
        columns: How many columns there are; a numbered dialect may have more behind (annotator, remarks).
        form: The column of the form.
        tag: The column of the tag.
        xpos: The column of the part of speech, if there is one.
        numbered: Whether column 0 counts the tokens of a sentence from 1.
        scheme: The tagging scheme; None to find out.
    """

    separator: str | None = "\t"
    columns: int = 2
    form: int = 0
    tag: int = 1
    xpos: int | None = None
    numbered: bool = False
    scheme: Scheme | None = None

    def split(self, line: str) -> list[str]:
        """The columns of a line."""
        return split_columns(line, self.separator)

    def holds(self, row: Sequence[str]) -> bool:
        """Whether a row has the right number of columns and a tag where it must be."""
        enough = len(row) >= self.columns if self.numbered else len(row) == self.columns
        return enough and (row[self.tag] == OUTSIDE or TAG.fullmatch(row[self.tag]) is not None)


def split_columns(line: str, separator: str | None) -> list[str]:
    """The columns of a line without its line end; blanks at its end are dropped."""
    line = line.rstrip(" ")
    if separator:
        return line.split(separator)
    return _BLANKS.split(line.strip(" \t")) if "\t" in line or "  " in line else line.split(" ")


def detect_dialect(lines: Iterable[str], path: str) -> ColumnDialect:
    """The dialect that most of the first rows are written in (all but its scheme).

    Raises:
        FormatError: No column of the file holds tags.
    """
    sample = []
    for number, line in enumerate(lines, 1):
        if line.strip() and not line.startswith(("# ", DOCUMENT_START)):
            sample.append((number, line))
        if len(sample) == _SAMPLE:
            break
    if not sample:
        return ColumnDialect()
    tabs = sum("\t" in line.rstrip() for _, line in sample)
    separator = "\t" if tabs > len(sample) * _MOSTLY else None
    rows = [split_columns(line, separator) for _, line in sample]
    width = Counter(map(len, rows)).most_common(1)[0][0]
    numbered = width > 2 and sum(row[0].isdecimal() for row in rows) > len(rows) * 0.9 and rows[0][0] == "1"
    form = int(numbered)
    tag = _tag_column(rows, range(form + 1, width))
    if tag is None:
        raise FormatError(path, sample[0][0], f"expected a column of tags such as O or B-PER, found {sample[0][1]!r}")
    if numbered:
        return ColumnDialect(separator, tag + 1, form, tag, numbered=True)
    return ColumnDialect(separator, width, form, tag, xpos=1 if tag > 1 else None)


def detect_scheme(sentences: Iterable[Sequence[str]]) -> Scheme:
    """The scheme that tags are most likely written in.

    BIOES and BILOU show by their own prefixes, IOB1 by spans that begin with ``I-`` more often than with ``B-``.
    """
    prefixes: Counter[str] = Counter()
    begun: Counter[str] = Counter()
    spans = 0
    for tags in sentences:
        previous = ""
        for tag in tags:
            if tag != OUTSIDE:
                prefixes[tag[0]] += 1
                spans += tag[0] in "BSU" or tag[2:] != previous
                if tag[2:] != previous:
                    begun[tag[0]] += 1
            previous = tag[2:]
    for scheme, own in ((Scheme.BILOU, "LU"), (Scheme.BIOES, "ES")):
        if sum(prefixes[prefix] for prefix in own) > 0.1 * spans:  # which may be long
            return scheme
    return Scheme.IOB1 if begun["I"] > begun["B"] else Scheme.BIO


def _tag_column(rows: Sequence[Sequence[str]], columns: range) -> int | None:
    """The column in which most rows have a tag; the last one if several do."""
    best, most = None, len(rows) * _MOSTLY
    for column in columns:
        share = sum(len(row) > column and TAG.fullmatch(row[column]) is not None for row in rows)
        if share >= most:
            best, most = column, share
    return best
