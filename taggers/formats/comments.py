"""The comment lines that sentences carry in CoNLL-U and in column files: ``# newdoc``, ``# sent_id``, ``# text``."""

import re
from collections.abc import Iterable, Sequence

from taggers.document import NO_VALUE
from taggers.remembering import remembering

_NEW_DOCUMENT = re.compile(r"#\s*+newdoc(?:\s++id\s*+=\s*+(.*)|\s*+)")
_NEW_PARAGRAPH = re.compile(r"#\s*newpar(?:\s.*)?")
_VALUE = re.compile(r"#\s*([^\s=]+)\s*=\s?(.*)")
_BREAKS = re.compile(r"[\t\r\n]")


def opens_document(comments: Iterable[str]) -> bool:
    """Whether a sentence with these comments begins a document."""
    return any(map(_NEW_DOCUMENT.fullmatch, comments))


def opens_paragraph(comments: Iterable[str]) -> bool:
    """Whether a sentence with these comments begins a paragraph."""
    return any(map(_NEW_PARAGRAPH.fullmatch, comments))


def document_id(comments: Iterable[str]) -> str | None:
    """The id of the document that a sentence with these comments begins."""
    matches = map(_NEW_DOCUMENT.fullmatch, comments)
    return next((_id_in(match) for match in matches if match), None)


def _id_in(match: re.Match[str]) -> str | None:
    return (match[1] or "").rstrip() or None


def comment_value(comments: Iterable[str], key: str) -> str | None:
    """The value of the first comment ``# key = value``."""
    matches = map(_VALUE.fullmatch, comments)
    return next((match[2] for match in matches if match and match[1] == key), None)


def with_document(comments: Sequence[str], document_id: str | None, *, first: bool) -> list[str]:
    """The comments of a document's first sentence, with a ``# newdoc`` that carries its id.

    Args:
        comments: What the sentence has.
        document_id: The document's id, if it has one.
        first: Whether the document is the first of its file, which needs no ``# newdoc`` if it has no id.
    """
    wanted = "# newdoc" if document_id is None else f"# newdoc id = {one_line(document_id)}"
    for index, comment in enumerate(comments):
        if match := _NEW_DOCUMENT.fullmatch(comment):
            same = _id_in(match) == (document_id or None)
            return list(comments) if same else [*comments[:index], wanted, *comments[index + 1 :]]
    return list(comments) if first and document_id is None else [wanted, *comments]


@remembering(65536)
def one_line(value: str) -> str:
    """A value that fits into a column or a comment: tabs and line ends become spaces, nothing becomes ``_``."""
    return _BREAKS.sub(" ", value) or NO_VALUE
