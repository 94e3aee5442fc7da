"""Whether a quote of CSV is open: what tells the end of a row from a line end in a field, without reading either."""

import codecs
import re
from typing import Literal

_QUOTE = re.compile(rb'(?:[^"]|"")*+"')
_END_OF_FIELD = re.compile(rb"[,\r\n]")


class Quotes:
    """Follows the bytes of a CSV through its fields, as the ``csv`` module does when it is strict."""

    def __init__(self) -> None:
        self._state: Literal["begin", "field", "quoted", "quote", "wrong"] = "begin"
        self._at_start = True

    @property
    def open(self) -> bool:
        """Whether the next line end stands in a field."""
        return self._state == "quoted"

    def feed(self, piece: bytes) -> None:
        """Go on behind some more bytes."""
        if self._state != "quoted" and piece.endswith(b"\n") and b'"' not in piece:
            self._state, self._at_start = "begin", False  # what most lines are
            return
        if self._at_start:
            self._at_start = False
            piece = piece.removeprefix(codecs.BOM_UTF8)
        place = 0
        while place < len(piece):
            place = self._step(piece, place)

    def _step(self, piece: bytes, place: int) -> int:
        """Go on at a place, to the next one where something changes."""
        here = piece[place : place + 1]
        match self._state:
            case "begin" if here == b'"':
                self._state = "quoted"
            case "begin" | "field":
                found = _END_OF_FIELD.search(piece, place)
                if found is None:
                    self._state = "field"
                    return len(piece)
                self._state = "wrong" if found[0] == b"\r" else "begin"
                return found.end()
            case "quoted":
                found = _QUOTE.match(piece, place)
                if found is None:
                    return len(piece)
                self._state = "quote"
                return found.end()
            case "quote":  # the end of the field, or one half of a quote in it
                self._state = "quoted" if here == b'"' else "begin" if here in b",\n" else "wrong"
            case "wrong":  # or CR LF; the rest of the line is no part of any field
                end = piece.find(b"\n", place)
                if end < 0:
                    return len(piece)
                self._state = "begin"
                return end + 1
        return place + 1
