"""Tagged documents as a page: the text with its spans highlighted and labelled. No script, nothing to load."""

from collections.abc import Iterable, Iterator, Sequence
from html import escape
from zlib import crc32

from taggers.document import Document, Sentence

_POLICY = "default-src 'none'; style-src 'unsafe-inline'"
_STYLE = """
:root { color-scheme: light dark; font: 1rem/1.8 system-ui, sans-serif; }
body { margin: 2rem auto; max-width: 48rem; padding: 0 1rem; }
p { white-space: pre-wrap; overflow-wrap: anywhere; }
mark { background: hsl(var(--hue) 90% 60% / .35); color: inherit; border-radius: .3em; padding: .1em .3em; }
mark small { font-weight: 600; margin-left: .4em; opacity: .75; }
"""


def write_html(documents: Iterable[Document], *, title: str) -> Iterator[str]:
    """A page with a section for each document."""
    yield html_head(title)
    for number, document in enumerate(documents):
        yield html_section(document, number=number)
    yield HTML_TAIL


def html_head(title: str) -> str:
    """What comes before the first document."""
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>{_shown(title)}</title>\n'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">\n'
        f'<meta name="viewport" content="width=device-width, initial-scale=1"><style>{_STYLE}</style></head><body>\n'
    )


HTML_TAIL = "</body></html>\n"
"""What comes after the last document."""


def html_section(document: Document, *, number: int) -> str:
    """A section with a paragraph for each layer of spans, or with the bare text if there is none.

    Args:
        document: What to show.
        number: How many documents of the page come before it; it names one without an id.
    """
    layers = sorted({layer for sentence in document for layer in sentence.spans})
    paragraphs = [f"<h3>{_shown(layer)}</h3>\n<p>{''.join(_highlighted(document, layer))}</p>\n" for layer in layers]
    body = "".join(paragraphs) or f"<p>{_shown(document.text)}</p>\n"
    return f"<section><h2>{_shown(document.id or str(number + 1))}</h2>\n{body}</section>\n"


def _highlighted(document: Document, layer: str) -> Iterator[str]:
    cursor = 0
    for sentence in document:
        for start, end, label in _marks(sentence, layer):
            if start < cursor:  # two spans inside one multi-word token share its characters
                continue
            yield _shown(document.text[cursor:start])
            hue = crc32(label.encode("utf-8")) % 360
            yield f'<mark style="--hue:{hue}">{_shown(document.text[start:end])}<small>{_shown(label)}</small></mark>'
            cursor = end
    yield _shown(document.text[cursor:])


def _marks(sentence: Sentence, layer: str) -> Sequence[tuple[int, int, str]]:
    return [
        (sentence.offsets[span.start][0], sentence.offsets[span.stop - 1][1], span.label)
        for span in sentence.spans.get(layer, ())
    ]


def _shown(text: str) -> str:
    # A parser of HTML reads a carriage return as a line feed, unless it is spelled out.
    return escape(text).replace("\r", "&#13;")
