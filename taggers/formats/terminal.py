"""Tagged documents as tables for people: a row for each word, a rule between sentences."""

import io
from collections.abc import Iterable, Iterator, Sequence

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from taggers.document import NO_VALUE, Document, Sentence
from taggers.formats.conllu_rows import COLUMNS
from taggers.spans import Scheme, encode_spans

_FIRST_COLUMNS = ("upos", "xpos", "feats", "lemma")
_ORDER = (*_FIRST_COLUMNS, *(name for name in COLUMNS if name not in _FIRST_COLUMNS))
_SENTENCES_A_TABLE = 50  # the first rows of a book must not wait for its last


def write_table(documents: Iterable[Document], *, width: int, color: bool) -> Iterator[str]:
    """Tables, in chunks that end with a line end.

    Args:
        documents: What to show.
        width: The columns of the terminal.
        color: Whether the terminal knows escape sequences for colors.
    """
    console = Console(file=io.StringIO(), width=width, force_terminal=color, highlight=False, legacy_windows=False)
    for document in documents:
        if document.id is not None:
            yield _shown(document.id) + "\n"
        for start in range(0, len(document.sentences), _SENTENCES_A_TABLE):
            with console.capture() as capture:
                console.print(_table(document.sentences[start : start + _SENTENCES_A_TABLE]))
            yield "\n".join(line.rstrip() for line in capture.get().splitlines()).strip("\n") + "\n\n"


def _table(sentences: Sequence[Sentence]) -> Table:
    columns = [name for name in _ORDER if any(name in sentence.tags for sentence in sentences)]
    layers = sorted({layer for sentence in sentences for layer in sentence.spans})
    table = Table(box=SIMPLE_HEAD, show_edge=False, pad_edge=False)
    for name in ("word", *columns, *layers):
        table.add_column(name, overflow="fold", style="bold" if name in layers else None)
    for sentence in sentences:
        cells = [sentence.words]
        cells += [sentence.tags.get(name, (NO_VALUE,) * len(sentence)) for name in columns]
        cells += [tuple(encode_spans(sentence.spans.get(layer, ()), len(sentence), Scheme.BIO)) for layer in layers]
        for row in zip(*cells, strict=True):
            table.add_row(
                *(Text("" if cell in ("O", NO_VALUE) and at else _shown(cell)) for at, cell in enumerate(row))
            )
        table.add_section()
    return table


def _shown(text: str) -> str:
    """Text that leaves the terminal as it is: what cannot be printed is escaped."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
