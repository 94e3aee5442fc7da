"""A file -> documents, whatever its format: chosen by name, or told."""

from pathlib import Path
from typing import Literal, get_args

from taggers.document import Document
from taggers.errors import FormatError
from taggers.formats.columns import read_columns_file
from taggers.formats.conllu import read_conllu_file

AnnotationFormat = Literal["conllu", "columns"]

_SUFFIXES: dict[str, AnnotationFormat] = {
    ".conllu": "conllu",
    ".iob2": "columns",
    ".iob": "columns",
    ".bio": "columns",
    ".conll": "columns",
    ".tsv": "columns",
    ".txt": "columns",
}


def read_file(path: Path, *, format: AnnotationFormat | Literal["auto"] = "auto") -> list[Document]:
    """Read an annotated file.

    Args:
        path: The file.
        format: ``auto`` goes by the file's suffix.

    Raises:
        FormatError: It is malformed, or its suffix tells no format.
    """
    chosen = _SUFFIXES.get(path.suffix.lower()) if format == "auto" else format
    match chosen:
        case "conllu":
            return read_conllu_file(path)
        case "columns":
            return read_columns_file(path)
        case _:
            known = f"{', '.join(_SUFFIXES)} (or one of {', '.join(get_args(AnnotationFormat))}, told explicitly)"
            raise FormatError(path, 1, f"the format cannot be told from the suffix {path.suffix!r}; expected {known}")
