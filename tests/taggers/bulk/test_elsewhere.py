"""Addresses: what is there now, files alone, and what passes told from what is missing; on a web server of our own."""

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import aiohttp.client
import fsspec
import pytest

from taggers.bulk import elsewhere
from taggers.bulk.chunks import Position, read_chunks
from taggers.bulk.pieces import ReadOptions
from taggers.bulk.sources import find_sources
from taggers.errors import InputUnreachable, TaglineError

CONTENT = b'{"text": "Ada met Babbage."}\n' * 1000
ENDED = threading.Event()


class Site(BaseHTTPRequestHandler):
    """Serves one text under several names, each with a trouble of its own."""

    def do_GET(self) -> None:
        name = self.path.rpartition("/")[2]
        if name == "moved.jsonl":
            self.send_response(302)
            self.send_header("Location", "/whole.jsonl")
        else:
            self.send_response({"missing.jsonl": 404, "secret.jsonl": 403, "broken.jsonl": 500}.get(name, 200))
            if name not in ("endless.jsonl", "slow.jsonl", "silent.jsonl"):
                self.send_header("Content-Length", str(len(CONTENT)))
        self.end_headers()
        if self.command == "GET" and name in ("whole.jsonl", "half.jsonl", "endless.jsonl"):
            self.wfile.write(CONTENT[: len(CONTENT) // 2] if name == "half.jsonl" else CONTENT)
        if self.command == "GET" and name in ("slow.jsonl", "silent.jsonl"):
            self.wfile.write(CONTENT[: len(CONTENT) // 2])
            if name == "silent.jsonl":
                ENDED.wait(60)
            else:
                time.sleep(1)
                with suppress(OSError):  # who wanted the head alone is gone
                    self.wfile.write(CONTENT[len(CONTENT) // 2 :])
        self.close_connection = True

    do_HEAD = do_GET  # noqa: N815  what the module calls

    def log_message(self, *_: Any) -> None:
        """Keep quiet."""


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Site) as server:
        threading.Thread(target=server.serve_forever).start()
        yield f"http://127.0.0.1:{server.server_port}"
        ENDED.set()
        server.shutdown()


def texts(name: str, **options: Any) -> int:
    return sum(len(chunk.items) for chunk in read_chunks(find_sources([name], **options), ReadOptions()))


def test_a_page_is_read_also_where_it_has_moved(site) -> None:
    assert texts(f"{site}/whole.jsonl") == texts(f"{site}/whole.jsonl", may_move=False) == 1000
    assert texts(f"{site}/moved.jsonl") == 1000


def test_a_page_of_a_length_that_nobody_tells_is_read_and_gone_on_with(site) -> None:
    sources = find_sources([f"{site}/endless.jsonl"])
    assert sources[0].size is None
    first, *_ = read_chunks(sources, ReadOptions())
    assert len(first.items) == 1000
    behind = list(read_chunks(sources, ReadOptions(), Position(0, len(CONTENT) // 2, 500, 500)))
    assert sum(len(chunk.items) for chunk in behind) == 500


@pytest.mark.parametrize(
    ("name", "kind", "problem"),
    [
        ("missing.jsonl", FileNotFoundError, "No such file: .*/missing.jsonl"),
        ("secret.jsonl", TaglineError, "^http.*/secret.jsonl: 403, message='Forbidden'"),
        ("broken.jsonl", InputUnreachable, "^http.*/broken.jsonl: 500, message='Internal Server Error'"),
        ("moved.jsonl", TaglineError, "^http.*/moved.jsonl has moved to /whole.jsonl: name that address"),
    ],
)
def test_what_is_wrong_with_a_page_is_told(site, name, kind, problem) -> None:
    with pytest.raises((TaglineError, OSError), match=problem) as caught:
        find_sources([f"{site}/{name}"], may_move=False)
    assert caught.type is kind


def test_a_page_that_breaks_off_is_no_record_that_failed(site) -> None:
    sources = find_sources([f"{site}/half.jsonl"])
    with pytest.raises(InputUnreachable, match=r"half.jsonl: "):
        list(read_chunks(sources, ReadOptions()))


def test_a_page_may_take_any_time_if_it_is_not_silent(site, monkeypatch) -> None:
    monkeypatch.setattr(aiohttp.client, "DEFAULT_TIMEOUT", aiohttp.ClientTimeout(total=0.5))  # as five minutes are
    assert texts(f"{site}/slow.jsonl") == 1000
    monkeypatch.setattr(elsewhere, "_SILENCE_S", 0.5)
    with pytest.raises(InputUnreachable, match=r"^http.*/silent.jsonl: it has stopped answering"):
        texts(f"{site}/silent.jsonl")


def test_what_asking_again_will_not_change_is_no_server_that_does_not_answer() -> None:
    with pytest.raises(TaglineError, match="Invalid pattern") as caught:
        find_sources(["memory://x/a**.jsonl"])
    assert caught.type is TaglineError


def test_a_server_that_is_not_there_is_told() -> None:
    with pytest.raises(InputUnreachable, match=r"^http://127.0.0.1:9/a.txt: Cannot connect"):
        find_sources(["http://127.0.0.1:9/a.txt"])


def test_a_place_is_looked_at_anew(monkeypatch) -> None:
    files = fsspec.filesystem("memory")
    forgotten: list[bool] = []
    monkeypatch.setattr(type(files), "invalidate_cache", lambda *_: forgotten.append(True))
    files.pipe("/y/a.txt", b"a")
    find_sources(["memory://y/a.txt"])
    files.rm("/y", recursive=True)
    assert forgotten


def test_patterns_and_folders_give_files_that_are_not_hidden(tmp_path) -> None:
    for name in ("a.txt", ".h.txt", ".h/b.txt", "sub/c.txt", "sub/.d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text("a")

    def names(pattern: str) -> list[str]:
        return [
            source.name.removeprefix(f"file://{tmp_path}/") for source in find_sources([f"file://{tmp_path}/{pattern}"])
        ]

    (tmp_path / "link.txt").symlink_to("a.txt")
    assert names("*") == ["a.txt", "link.txt"]
    (tmp_path / "link.txt").unlink()
    assert names("**") == names("") == ["a.txt", "sub/c.txt"]
    assert names(".h*") == [".h.txt"]
    assert Path(tmp_path, ".h").is_dir()
