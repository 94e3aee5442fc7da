"""The page's files as they are served; what the page does is tested in tests/browser."""

import gzip
import re
import tomllib
from pathlib import Path

import pytest
from litestar import Litestar
from litestar.testing import TestClient

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "service" / "page"
INDEX = (PAGE / "index.html").read_text("utf-8")
MODULES = {path.name: path.read_text("utf-8") for path in PAGE.glob("*.js")}


def test_the_formats_that_it_offers_are_installed_with_the_service() -> None:
    assert "Parquet" in INDEX
    makefile, dockerfile = ((ROOT / name).read_text("utf-8") for name in ("Makefile", "deploy/Dockerfile"))
    assert re.findall(r"call install,\.\[([^],]+)", makefile) == ["bulk", "dev", "bulk"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["optional-dependencies"]
    assert "tagline[bulk" in str(extras["dev"])
    assert re.findall(r"^RUN pip install '\.\[bulk\]'$", dockerfile, re.MULTILINE)


def test_the_page_and_all_that_it_consists_of(client: TestClient[Litestar]) -> None:
    named = {*re.findall(r'(?:href|src)="(page/[^"]+)"', INDEX)}
    assert named == {f"page/{path.name}" for path in PAGE.iterdir() if path.name != "index.html"}
    types = {"html": "text/html; charset=utf-8", "css": "text/css; charset=utf-8", "svg": "image/svg+xml"}
    for path in ("", *named):
        answer = client.get(f"/{path}")
        assert answer.status_code == 200
        file = PAGE / (path.removeprefix("page/") or "index.html")
        assert answer.content == file.read_bytes()
        assert answer.headers["Content-Type"] == types.get(file.suffix[1:], "text/javascript; charset=utf-8")
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


def test_its_policy_lets_nothing_in_from_elsewhere(client: TestClient[Litestar]) -> None:
    policy = dict(part.split(" ", 1) for part in client.get("/").headers["Content-Security-Policy"].split("; "))
    assert policy.pop("default-src") == "'none'"
    assert policy.pop("require-trusted-types-for") == "'script'"
    assert set(policy.values()) == {"'self'", "'none'"}
    assert {name for name, value in policy.items() if value == "'self'"} == {
        "script-src",
        "style-src",
        "img-src",
        "connect-src",
    }
    assert not re.search(r"<style|style=|<script(?! type=\"module\" src=)| on\w+=", INDEX)


def test_it_is_kept_until_it_changes(client: TestClient[Litestar]) -> None:
    first = client.get("/page/app.js")
    assert first.headers["Cache-Control"] == "no-cache"
    for known in (first.headers["ETag"], f'"other", W/{first.headers["ETag"]}'):
        again = client.get("/page/app.js", headers={"If-None-Match": known})
        assert (again.status_code, again.content) == (304, b"")
        assert again.headers["ETag"] == first.headers["ETag"]
    assert client.get("/page/app.js", headers={"If-None-Match": '"other"'}).status_code == 200


@pytest.mark.parametrize(
    ("accepted", "zipped"),
    [("gzip, br", True), ("br;q=1, GZIP;q=0.5", True), ("*", True), ("br", False), ("gzip;q=0", False), ("", False)],
)
def test_it_is_compressed_for_who_takes_that(accepted: str, zipped: bool, client: TestClient[Litestar]) -> None:
    with client.stream("GET", "/page/style.css", headers={"Accept-Encoding": accepted}) as answer:
        body = b"".join(answer.iter_raw())
    assert answer.headers["Vary"] == "Accept-Encoding"
    assert answer.headers.get("Content-Encoding") == ("gzip" if zipped else None)
    assert (gzip.decompress(body) if zipped else body) == (PAGE / "style.css").read_bytes()
    assert answer.headers["ETag"].endswith('-gzip"') == zipped


@pytest.mark.parametrize("name", ["x.js", "..%2Froutes.py", "%2e%2e", "app.js%00", ""])
def test_there_is_nothing_else(name: str, client: TestClient[Litestar]) -> None:
    assert client.get(f"/page/{name}").status_code == 404


@pytest.mark.parametrize("name", MODULES)
def test_modules_import_what_there_is(name: str) -> None:
    for imported, module in re.findall(r'import \{([^}]+)\} from "\./([^"]+)";', MODULES[name]):
        for symbol in imported.split(","):
            assert re.search(rf"export (async )?(function\*?|class|const) {symbol.strip()}\b", MODULES[module])


def test_modules_find_their_elements() -> None:
    asked = set(re.findall(r'(?:element|getElementById)\("([\w-]+)"\)', "".join(MODULES.values())))
    there = re.findall(r'\bid="([\w-]+)"', INDEX)
    assert len(there) == len(set(there))
    assert asked <= set(there)


def test_it_is_packed_into_the_wheel() -> None:
    setuptools = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    assert setuptools["package-data"]["service"] == ["page/*"]
    assert all(path.is_file() for path in PAGE.iterdir())
