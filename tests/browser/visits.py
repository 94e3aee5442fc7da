"""A service in a thread, and visits of its page, which notice what a visitor would not."""

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any
from urllib.parse import urlsplit

import httpx
import uvicorn
from playwright.sync_api import Browser, ConsoleMessage, Locator, Page, expect

from service.app import create_app
from service.settings import Settings

WITHIN_MS = 120_000
"""Patience for machines that are busy with something else."""

ask = partial(httpx.request, timeout=WITHIN_MS / 1000)
"""Ask a service as programs do."""


@contextmanager
def serving(settings: Settings, *, ready: bool = True) -> Iterator[str]:
    """A service that listens; its address. Without ``ready`` nobody waits for its models."""
    server = uvicorn.Server(uvicorn.Config(create_app(settings), log_config=None, ws="none"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
        thread.start()
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        try:
            while not server.started or (ready and ask("GET", f"{address}/health/ready").status_code != 200):
                assert thread.is_alive()
                time.sleep(0.05)
            yield address
        finally:
            server.should_exit = True
            thread.join()


class Visit:
    """One visitor's page, with what happened behind it.

    Attributes:
        page: The page.
        complaints: What the console told that is wrong: errors, warnings, broken policies.
        refused: The status of each answer from 400 on.
        hosts: Where requests went.
    """

    def __init__(self, page: Page, address: str) -> None:
        self.page = page
        self.address = address
        self.complaints: list[str] = []
        self.refused: list[int] = []
        self.hosts: set[str] = set()
        page.set_default_timeout(WITHIN_MS)
        page.on("console", self._hear)
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", lambda request: self.hosts.add(urlsplit(request.url).netloc))
        page.on("response", lambda response: self._see(response.status))

    def _hear(self, message: ConsoleMessage) -> None:
        if message.type in ("error", "warning") and "Failed to load resource" not in message.text:
            self.complaints.append(message.text)

    def _see(self, status: int) -> None:
        if status >= 400:
            self.refused.append(status)

    def check(self, *, refused: list[int]) -> None:
        """Nothing is wrong but what was meant to be."""
        assert self.complaints == []
        assert self.hosts == {urlsplit(self.address).netloc}
        assert self.refused == refused

    def open(self) -> "Visit":
        """The page, and on it the example, tagged."""
        self.page.goto(self.address)
        return self.wait()

    def wait(self) -> "Visit":
        """Until everything is tagged."""
        expect(self.page.locator("#summary")).not_to_be_empty()
        expect(self.page.locator("#stop")).to_be_hidden()
        return self

    def tag(self, text: str) -> "Visit":
        """Type a text and have it tagged."""
        self.page.fill("#text", text)
        with self.page.expect_response("**/v1/tag"):
            self.page.click("#tag")
        return self.wait()

    def word(self, text: str) -> Locator:
        """The first word that reads so."""
        return self.page.get_by_text(text, exact=True).and_(self.page.locator(".word")).first

    def tags(self) -> dict[str, str | None]:
        """Word -> what is below it."""
        expect(self.page.locator(".word").first).to_be_visible()
        return {word.inner_text(): word.get_attribute("data-tag") for word in self.page.locator(".word:visible").all()}

    def read(self) -> Any:
        """The text as it is shown."""
        return self.page.locator("#reading").evaluate("element => element.textContent")


def open_visit(browser: Browser, address: str, **options: Any) -> Visit:
    """A new visitor, with what playwright's contexts take: a color scheme, a size, permissions."""
    expect.set_options(timeout=WITHIN_MS)
    return Visit(browser.new_context(**options).new_page(), address)
