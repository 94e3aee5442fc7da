"""What there is to read: names of files, folders and patterns, here or at any fsspec address -> files in order."""

import glob
import os
import sys
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from io import BufferedReader, FileIO
from pathlib import Path
from typing import Any, Literal, get_args

from taggers.bulk.compression import Compression, split_suffix
from taggers.bulk.elsewhere import WEB, find_there, look_at, open_there
from taggers.errors import TaglineError

SourceFormat = Literal["text", "jsonl", "csv", "parquet", "conllu"]
InputFormat = Literal["auto", SourceFormat]

STDIN = "-"
"""The name that stands for standard input."""

_SUFFIXES: dict[str, SourceFormat] = {
    ".txt": "text",
    ".text": "text",
    ".md": "text",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".csv": "csv",
    ".parquet": "parquet",
    ".conllu": "conllu",
}


@dataclass(frozen=True, slots=True)
class Source:
    """One file, or standard input.

    Attributes:
        name: As it was given, or found in what was given.
        format: None where only its content can tell.
        compression: That of the whole file, by its suffix.
        size: Its bytes, compressed as they lie there; None where nobody knows.
        version: Differs once the file has changed, as far as can be told.
        remote: The fsspec file system and the path in it, for an address.
    """

    name: str
    format: SourceFormat | None
    compression: Compression | None = None
    size: int | None = None
    version: str = ""
    remote: tuple[Any, str] | None = field(default=None, compare=False)

    @property
    def label(self) -> str:
        """What errors call it."""
        return "<stdin>" if self._is_stdin else _encodable(self.name)

    @property
    def document_id(self) -> str | None:
        """The id of the one document in it, if it is a text."""
        return None if self._is_stdin else _encodable(self.name)

    @property
    def _is_stdin(self) -> bool:
        return self.name == STDIN and self.remote is None

    @contextmanager
    def open(self) -> Iterator[BufferedReader]:
        """Open it for as long as the block lasts, still compressed.

        Raises:
            OSError: It cannot be read.
            InputUnreachable: Its place does not answer.
        """
        if self._is_stdin:
            yield _stdin()  # not ours to close
        elif self.remote is None:
            with Path(self.name).open("rb") as stream:
                yield stream
        else:
            with open_there(*self.remote, self.name) as stream:
                yield stream


def find_sources(
    names: Iterable[str], *, format: InputFormat = "auto", exclude: Sequence[Path] = (), may_move: bool = True
) -> tuple[Source, ...]:
    """The files that names stand for, in the order given, those of a folder or a pattern sorted.

    A folder gives the files in it and below whose suffix tells a format, or all with ``format`` told; none is hidden.
    All are looked at now: hours into a job is too late to hear that its last file is misspelled.

    Args:
        names: Files, folders, patterns (``*``, ``**``, ``?``), addresses with ``://``; ``-`` is standard input.
        format: ``auto`` goes by each file's suffix, and by the content where there is none.
        exclude: The job's own output: files that no folder or pattern gives, and that cannot be read by name.
        may_move: Whether a web server may send us to another address.

    Raises:
        TaglineError: A suffix tells no format, a folder or a pattern gives no file, an address cannot be reached, or
            a file is the job's own output.
        OSError: A file is not there, or a folder cannot be read.
    """
    told = None if format == "auto" else format
    excluded = {path.resolve() for path in exclude}
    sources: list[Source] = []
    for name in names:
        if name == STDIN:
            sources.append(Source(name, told))
        elif "://" in name:
            sources += _remote(name, told, may_move=may_move)
        else:
            sources += _local(name, told, excluded)
    return tuple(sources)


def format_of(name: str) -> SourceFormat | None:
    """The format that the suffix of a name tells, before that of a compression; None if it tells none."""
    return _SUFFIXES.get(Path(split_suffix(name)[0]).suffix.lower())


def total_bytes(sources: Iterable[Source]) -> int | None:
    """How much there is to read; None where a pipe or a server does not tell."""
    sizes = [source.size for source in sources]
    return None if None in sizes else sum(size or 0 for size in sizes)


def _local(name: str, told: SourceFormat | None, excluded: set[Path]) -> list[Source]:
    if not name:
        raise TaglineError("expected the name of a file, found an empty one")
    path = Path(name)
    if path.is_dir():
        found = [file for file in _files_below(path) if told or format_of(str(file))]
    elif not path.exists() and glob.has_magic(name):
        matches = sorted(glob.glob(name, recursive=True))  # noqa: PTH207  Path.glob takes no absolute pattern
        found = [Path(file) for file in matches if Path(file).is_file()]
    else:
        if path.resolve() in excluded:
            raise TaglineError(f"{name} is where the output goes: name another file with -o")
        return [_local_file(name, told)]
    found = [file for file in found if file.resolve() not in excluded]
    if not found:
        raise TaglineError(f"{name}: {_no_files(path.is_dir(), told)}")
    return [_local_file(str(file), told) for file in found]


def _files_below(folder: Path) -> list[Path]:
    """The files in a folder and below that are not hidden, sorted; behind links, too, but no folder twice.

    A link to nothing is among them: it names a text that is missing.
    """
    found: list[Path] = []
    seen = set()
    for place, folders, files in os.walk(folder, onerror=_refuse, followlinks=True):
        state = Path(place).stat()
        if (state.st_dev, state.st_ino) in seen:
            folders.clear()
            continue
        seen.add((state.st_dev, state.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        inside = [Path(place, name) for name in files if not name.startswith(".")]
        found += [file for file in inside if file.is_file() or not file.exists()]
    return sorted(found)


def _refuse(error: OSError) -> None:
    raise error


def _local_file(name: str, told: SourceFormat | None) -> Source:
    state = Path(name).stat()  # raises where there is no such file
    format, compression = _check_format(name, told)
    if not Path(name).is_file():
        return Source(name, format, compression)
    return Source(name, format, compression, state.st_size, f"{state.st_size}-{state.st_mtime_ns}")


def _remote(name: str, told: SourceFormat | None, *, may_move: bool) -> list[Source]:
    def wanted(file: str) -> bool:
        return bool(told or format_of(file))

    filesystem, found = find_there(name, wanted=wanted, may_move=may_move)
    if not found:
        raise TaglineError(f"{name}: {_no_files(not glob.has_magic(name), told)}")
    return [_remote_file(file, filesystem, path, told) for file, path in found]


def _remote_file(name: str, filesystem: Any, path: str, told: SourceFormat | None) -> Source:
    format, compression = _check_format(name.partition("?")[0] if name.startswith(WEB) else name, told)
    details = look_at(filesystem, path, name)
    version = next((str(details[key]) for key in ("ETag", "etag", "mtime", "LastModified") if key in details), "")
    return Source(name, format, compression, details.get("size"), version, (filesystem, path))


def _check_format(name: str, told: SourceFormat | None) -> tuple[SourceFormat | None, Compression | None]:
    """The format of a file, None where only its content can tell, and its compression."""
    inner, compression = split_suffix(name)
    format = told or format_of(name)
    if format is None and Path(inner).suffix:
        raise TaglineError(f"{name}: the suffix tells no format; say which: --from {', '.join(get_args(SourceFormat))}")
    return format, compression


def _no_files(is_folder: bool, told: SourceFormat | None) -> str:
    if not is_folder:
        return "no file matches"
    return "no files in this folder" if told else f"no file in this folder ends in {', '.join(_SUFFIXES)}"


def _encodable(name: str) -> str:
    """A name as UTF-8 can hold it: what of it is none shows as escapes."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")


def _stdin() -> BufferedReader:
    stream = sys.stdin.buffer
    if isinstance(stream, BufferedReader) and isinstance(stream.raw, FileIO):
        # A buffer of our own: a thread that waits in the interpreter's would keep it from shutting down.
        return BufferedReader(FileIO(stream.fileno(), closefd=False))
    return stream if isinstance(stream, BufferedReader) else BufferedReader(stream)  # type: ignore[arg-type]
