"""Long texts: in pieces, and only what is near the window is more than plain text."""

import pytest
from playwright.sync_api import Page, expect

from tests.browser.visits import Visit
from tests.waiting import until

SENTENCE = "Ada Lovelace wrote to Babbage in London. "
BOOK = "".join(SENTENCE * 5 + "\n\n" for _ in range(300_000 // len(SENTENCE * 5 + "\n\n") + 1))


def put(page: Page, text: str) -> None:
    page.set_input_files("#file", files=[{"name": "book.txt", "mimeType": "text/plain", "buffer": text.encode()}])


def sees_end(page: Page) -> bool:
    """Whether the last word is there when one scrolls to it: as what comes near is laid out, the end moves away."""
    page.evaluate("scrollTo(0, document.body.scrollHeight)")
    return page.locator(".block").last.locator(".word").first.is_visible()


def test_300_kb(visit: Visit) -> None:
    put(visit.page, BOOK)
    expect(visit.page.locator("#kept-name")).to_have_text(f"book.txt, {len(BOOK):,} characters")
    expect(visit.page.locator("#stop")).to_be_visible()
    expect(visit.page.locator(".block").nth(10)).to_be_attached()  # some of it is there, and read, before all of it is
    assert visit.page.locator(".word").count() > 100
    visit.wait()
    assert visit.read() == BOOK
    blocks = visit.page.locator(".block")
    assert blocks.count() > 50
    longest = blocks.evaluate_all("all => Math.max(...all.map(block => block.textContent.length))")
    assert longest < 10_000
    assert visit.page.locator(".word").count() < 5_000  # of some 60,000
    expect(blocks.last.locator(".word")).to_have_count(0)
    until(lambda: sees_end(visit.page))
    assert visit.page.locator(".word").count() < 5_000
    assert visit.read() == BOOK
    visit.page.get_by_role("button", name="Remove").click()
    expect(visit.page.locator("#text")).to_be_focused()


def test_it_can_be_stopped(visit: Visit) -> None:
    put(visit.page, BOOK)
    expect(visit.page.locator("#stop")).to_be_visible()
    expect(visit.page.locator("#kept")).to_be_visible()
    expect(visit.page.locator(".block").nth(2)).to_be_attached()
    visit.page.get_by_role("button", name="Stop").click()
    expect(visit.page.locator("#summary")).to_contain_text("so far")
    assert BOOK.startswith(visit.read())
    expect(visit.page.get_by_role("alert")).to_be_empty()


@pytest.mark.parametrize("options", [{"permissions": ["clipboard-read", "clipboard-write"]}])
def test_a_long_text_that_is_pasted_is_kept_beside_the_field(visit: Visit) -> None:
    visit.page.locator("#model").select_option("tiny")
    visit.wait()
    pasted = BOOK[:60_000]
    visit.page.evaluate("text => navigator.clipboard.writeText(text)", pasted)
    visit.page.fill("#text", "Before: ")
    visit.page.press("#text", "Control+V")
    expect(visit.page.locator("#kept-name")).to_have_text("Pasted text, 60,008 characters")
    expect(visit.page.locator(".block").nth(2)).to_be_attached()
    visit.wait()
    assert visit.read() == f"Before: {pasted}"


@pytest.mark.parametrize(
    ("unit", "boundary"),
    [
        ("A line.\n\nAnd one more.\n", "\n\n"),
        ("One line and\n", "\n"),
        ("One sentence. ", ". "),
        ("これは文です。", "。"),
        ("👩‍👩‍👧‍👦", "👦"),
        ("x", "x"),
    ],
    ids=["paragraphs", "lines", "sentences", "japanese", "emoji", "one word"],
)
def test_pieces_end_where_sentences_do(visit: Visit, unit: str, boundary: str) -> None:
    text = unit * (100_000 // len(unit.encode("utf-16-le")) * 2)
    pieces = visit.page.evaluate("async text => [...(await import('/page/pieces.js')).cutPieces(text)]", text)
    assert "".join(pieces) == text
    assert 3 < len(pieces) < 10
    assert all(piece.endswith(boundary) for piece in pieces[:-1])


def test_a_text_of_ordinary_length_is_one_piece(visit: Visit) -> None:
    pieces = visit.page.evaluate("async text => [...(await import('/page/pieces.js')).cutPieces(text)]", BOOK[:30_000])
    assert pieces == [BOOK[:30_000]]
