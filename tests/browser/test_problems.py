"""What goes wrong is told in one clear line, and what there was stays."""

import asyncio
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Route, expect
from pydantic import SecretStr

from service.registry import Registry
from service.settings import Settings
from tests.browser.visits import WITHIN_MS, Visit, open_visit, serving


@contextmanager
def visiting(chromium: Browser, settings: Settings, *, refused: list[int], ready: bool = True) -> Iterator[Visit]:
    with serving(settings, ready=ready) as address:
        visit = open_visit(chromium, address)
        visit.page.goto(address)
        yield visit
        visit.check(refused=refused)
        visit.page.context.close()


def test_a_key_is_asked_for_and_kept_in_the_tab(chromium: Browser, tiny: Path) -> None:
    settings = Settings(models=(str(tiny),), api_keys=(SecretStr("open-sesame"),))
    with visiting(chromium, settings, refused=[401, 401]) as visit:
        alert, key = visit.page.get_by_role("alert"), visit.page.get_by_label("API key")
        expect(alert).to_have_text("An API key is needed: expected an API key.")
        expect(key).to_be_focused()
        key.fill("開けゴマ")  # no header can carry it: it would never get to the service
        key.press("Enter")
        assert key.evaluate("key => key.validity.patternMismatch")
        expect(key).to_be_visible()
        for given in ("wrong", " open-sesame "):
            key.fill(given)
            with visit.page.expect_response("**/v1/models"):
                key.press("Enter")
            if given == "wrong":
                expect(alert).to_have_text("An API key is needed: the API key is not known.")
        visit.wait()
        expect(key).to_be_hidden()
        expect(alert).to_be_empty()
        visit.page.reload()
        visit.wait()
        assert visit.page.evaluate("Object.keys(localStorage).length + document.cookie.length") == 0


def test_a_text_that_comes_before_the_models_is_tagged_with_them(chromium: Browser, tiny: Path) -> None:
    settings = Settings(models=(str(tiny),), api_keys=(SecretStr("open-sesame"),))
    with visiting(chromium, settings, refused=[401]) as visit:
        alert, key = visit.page.get_by_role("alert"), visit.page.get_by_label("API key")
        expect(key).to_be_focused()
        file = {"name": "ada.txt", "mimeType": "text/plain", "buffer": b"Ada wrote."}
        visit.page.set_input_files("#file", files=[file])
        expect(visit.page.locator("#text")).to_have_value("Ada wrote.")
        visit.page.press("#text", "Control+Enter")
        expect(alert).to_have_text("An API key is needed: expected an API key.")
        key.fill("open-sesame")
        key.press("Enter")
        visit.wait()
        assert visit.read() == "Ada wrote."


def test_too_many_requests_say_when_to_come_back(chromium: Browser, tiny: Path) -> None:
    with visiting(chromium, Settings(models=(str(tiny),), requests_per_minute=1), refused=[429]) as visit:
        expect(visit.page.get_by_role("alert")).to_have_text(re.compile(r".*too many .*\. Try again in \d\d s\."))
        expect(visit.page.locator("#stop")).to_be_hidden()
        assert visit.page.input_value("#text")


def test_a_page_that_cannot_be_opened_at_first_opens_later(chromium: Browser, address: str) -> None:
    visit = open_visit(chromium, address)
    outcomes: list[Callable[[Route], None]] = [
        lambda route: route.abort(),
        lambda route: route.fulfill(status=429, headers={"Retry-After": "1"}, body="slowly"),
        lambda route: route.continue_(),
    ]
    visit.page.route("**/v1/models", lambda route: outcomes.pop(0)(route))
    visit.page.goto(address)
    visit.wait()
    assert outcomes == []
    expect(visit.page.get_by_role("alert")).to_be_empty()
    visit.check(refused=[429])
    visit.page.context.close()


def test_a_text_over_the_limit(chromium: Browser, tiny: Path) -> None:
    with visiting(chromium, Settings(models=(str(tiny),), max_body_bytes=1_000), refused=[413]) as visit:
        visit.wait()
        visit.page.fill("#text", "word " * 300)
        visit.page.click("#tag")
        expect(visit.page.get_by_role("alert")).to_contain_text("1000 bytes")


def test_a_service_that_cannot_be_reached(visit: Visit) -> None:
    before = visit.read()
    visit.page.context.set_offline(True)
    visit.page.click("#tag")
    expect(visit.page.get_by_role("alert")).to_have_text("The service cannot be reached.")
    assert visit.read() == before
    visit.page.context.set_offline(False)
    visit.tag("Here again.")
    expect(visit.page.get_by_role("alert")).to_be_empty()


def test_while_models_are_loaded_the_page_waits(chromium: Browser, tiny: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    load = Registry.load
    seen = threading.Event()

    async def load_when_seen(registry: Registry) -> Any:
        await asyncio.to_thread(seen.wait, WITHIN_MS / 1000)
        return await load(registry)

    monkeypatch.setattr(Registry, "load", load_when_seen)
    with serving(Settings(models=(str(tiny),)), ready=False) as address:
        visit = open_visit(chromium, address)
        visit.page.goto(address)
        expect(visit.page.get_by_role("alert")).to_contain_text("not ready")
        seen.set()
        visit.wait()
        expect(visit.page.get_by_role("alert")).to_be_empty()
        assert set(visit.refused) == {503}
        visit.page.context.close()


@pytest.mark.parametrize("options", [{"permissions": ["clipboard-read", "clipboard-write"]}])
def test_a_copy_that_failed_can_be_made_again(visit: Visit) -> None:
    visit.page.context.set_offline(True)
    visit.page.click("#copy-conllu")
    expect(visit.page.get_by_role("alert")).to_have_text("The service cannot be reached.")
    visit.page.context.set_offline(False)
    visit.page.click("#copy-conllu")
    expect(visit.page.get_by_text("Copy CoNLL-U: done")).to_be_attached()
    expect(visit.page.get_by_role("alert")).to_be_empty()
