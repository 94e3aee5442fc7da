"""Tagged documents as a page: the text with its spans highlighted and labelled. No script, nothing to load."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape

from taggers.document import Document, Sentence

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.8 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 48rem; padding: 0 1rem; }
p { white-space: pre-wrap; overflow-wrap: anywhere; }
mark { background: #8fc7ff66; color: inherit; border-radius: .3em; padding: .1em .3em; }
mark small { font-weight: 600; margin-left: .4em; opacity: .75; }
"""


def write_html(documents: Iterable[Document], *, title: str) -> Iterator[str]:
    """A page with a section for each document and, in it, a paragraph for each layer of spans."""
    yield f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>\n'
    yield f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
    yield f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>\n'
    for index, document in enumerate(documents):
        yield f"<section><h2>{escape(document.id or str(index + 1))}</h2>\n"
        layers = sorted({layer for sentence in document for layer in sentence.spans})
        for layer in layers:
            yield f"<h3>{escape(layer)}</h3>\n<p>{''.join(_highlighted(document, layer))}</p>\n"
        if not layers:
            yield f"<p>{escape(document.text)}</p>\n"
        yield "</section>\n"
    yield "</body></html>\n"


def _highlighted(document: Document, layer: str) -> Iterator[str]:
    cursor = 0
    for sentence in document:
        for start, end, label in _marks(sentence, layer):
            if start < cursor:  # two spans inside one multi-word token share its characters
                continue
            yield escape(document.text[cursor:start])
            yield f"<mark>{escape(document.text[start:end])}<small>{escape(label)}</small></mark>"
            cursor = end
    yield escape(document.text[cursor:])


def _marks(sentence: Sentence, layer: str) -> Sequence[tuple[int, int, str]]:
    return [
        (sentence.offsets[span.start][0], sentence.offsets[span.stop - 1][1], span.label)
        for span in sentence.spans.get(layer, ())
    ]
