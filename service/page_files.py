"""The page at ``/``: its files, read and compressed once, served with validators and a strict policy.

A browser keeps them but asks each time whether they are still the same (304), so that a page never mixes two versions.
"""

import gzip
from dataclasses import dataclass
from hashlib import sha256
from http import HTTPStatus
from importlib import resources
from pathlib import PurePath
from typing import Any

from litestar import Request, Response, Router, get
from litestar.exceptions import NotFoundException
from litestar.params import FromPath

_MEDIA_TYPES = {
    ".html": "text/html",
    ".css": "text/css",
    ".js": "text/javascript",
    ".svg": "image/svg+xml",
}

_POLICY = "; ".join(
    (
        "default-src 'none'",
        *(f"{kind}-src 'self'" for kind in ("script", "style", "img", "connect")),
        *(f"{kind} 'none'" for kind in ("base-uri", "form-action", "frame-ancestors", "trusted-types")),
        "require-trusted-types-for 'script'",
    )
)
"""Everything comes from this origin and goes to it, and no string ever becomes markup or code."""

_HEADERS = {
    "Cache-Control": "no-cache",
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "Vary": "Accept-Encoding",
    "X-Content-Type-Options": "nosniff",
}


@dataclass(frozen=True, slots=True)
class PageFile:
    """One file of the page, plain and compressed."""

    media_type: str
    plain: bytes
    compressed: bytes
    digest: str

    @classmethod
    def of(cls, name: str, plain: bytes) -> "PageFile":
        """The file of a name, by which it has its media type, and its content."""
        return cls(_MEDIA_TYPES[PurePath(name).suffix], plain, gzip.compress(plain, mtime=0), sha256(plain).hexdigest())

    def answer(self, request: Request[Any, Any, Any]) -> Response[bytes]:
        """The file in the form that the client takes, or that what it has is still the same."""
        zipped = _takes_gzip(request.headers.get("Accept-Encoding", ""))
        tag = f'"{self.digest[:32]}{"-gzip" if zipped else ""}"'
        headers = {**_HEADERS, "ETag": tag}
        known = request.headers.get("If-None-Match", "")
        if tag in (one.strip().removeprefix("W/") for one in known.split(",")):
            return Response(b"", status_code=HTTPStatus.NOT_MODIFIED, headers=headers)
        if zipped:
            headers["Content-Encoding"] = "gzip"
        return Response(self.compressed if zipped else self.plain, media_type=self.media_type, headers=headers)


def page_router() -> Router:
    """The routes of the page."""
    folder = resources.files("service") / "page"
    files = {path.name: PageFile.of(path.name, path.read_bytes()) for path in folder.iterdir()}

    @get("/", include_in_schema=False, sync_to_thread=False)
    def index(request: Request[Any, Any, Any]) -> Response[bytes]:
        """For people who would rather look."""
        return files["index.html"].answer(request)

    @get("/page/{file:str}", include_in_schema=False, sync_to_thread=False)
    def part(request: Request[Any, Any, Any], file: FromPath[str]) -> Response[bytes]:
        """What the page consists of."""
        if file not in files:
            raise NotFoundException
        return files[file].answer(request)

    return Router("/", route_handlers=[index, part])


def _takes_gzip(accepted: str) -> bool:
    """Whether an ``Accept-Encoding`` header allows gzip."""
    for coding in accepted.split(","):
        name, _, parameter = coding.partition(";")
        if name.strip().lower() in ("gzip", "*"):
            return parameter.replace(" ", "").lower() not in ("q=0", "q=0.0", "q=0.00", "q=0.000")
    return False
