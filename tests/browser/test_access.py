"""For everybody: by keyboard, in light and dark, on a phone, with a screen reader (as far as axe-core can tell)."""

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.visits import Visit

PHONE = {"viewport": {"width": 360, "height": 740}, "has_touch": True, "is_mobile": True}
LOOKS = [
    pytest.param({"color_scheme": "light"}, id="light"),
    pytest.param({"color_scheme": "dark"}, id="dark"),
    pytest.param({"color_scheme": "dark", **PHONE}, id="phone"),
]


@pytest.mark.parametrize("options", LOOKS)
def test_axe_finds_nothing(visit: Visit) -> None:
    visit.tag("Ada wrote to the Royal Society in London.")
    visit.word("London").focus()
    expect(visit.page.get_by_role("tooltip")).to_be_visible()
    found = Axe().run(visit.page)
    assert found.violations_count == 0, found.generate_report()


def test_the_scheme_is_the_visitors(visit: Visit) -> None:
    def lightness() -> int:
        color = visit.page.locator("body").evaluate("body => getComputedStyle(body).backgroundColor")
        return sum(map(int, color.removeprefix("rgb(").removesuffix(")").split(",")))

    visit.page.emulate_media(color_scheme="light")
    light = lightness()
    visit.page.emulate_media(color_scheme="dark")
    assert lightness() < 150 < 600 < light


@pytest.mark.parametrize("options", [PHONE])
def test_a_phone_never_scrolls_sideways(visit: Visit) -> None:
    visit.tag("Supercalifragilisticexpialidocious " * 3 + "https://example.org/" + "path/" * 30 + " in London.")
    visit.word("London").tap()
    tooltip = visit.page.get_by_role("tooltip")
    expect(tooltip).to_be_visible()
    for element in [tooltip, *visit.page.locator("button:visible, select:visible, textarea, .card:visible").all()]:
        box = element.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 360


def test_everything_by_keyboard(visit: Visit) -> None:
    page, press = visit.page, visit.page.keyboard.press

    def focused() -> str:
        found: str = page.evaluate("document.activeElement.id || document.activeElement.textContent")
        return found

    def tab() -> str:
        press("Tab")
        return focused()

    assert [tab() for _ in range(4)] == ["Text", "Files", "schema", "text"]
    press("Control+A")
    page.keyboard.type("Ada wrote. Babbage read it.")
    with page.expect_response("**/v1/tag"):
        press("Control+Enter")
    visit.wait()
    assert [tab() for _ in range(7)] == ["model", "file", "tag", "layer", "copy-json", "copy-conllu", "Ada"]
    expect(page.get_by_role("tooltip")).to_contain_text("PROPN")
    walked = []
    for key in (
        "ArrowRight",
        "ArrowRight",
        "ArrowRight",
        "ArrowLeft",
        "ArrowDown",
        "End",
        "ArrowUp",
        "ArrowUp",
        "Home",
    ):
        press(key)
        walked.append(focused())
    assert walked == ["wrote", ".", "Babbage", ".", "Babbage", ".", "Babbage", "Ada", "Ada"]
    press("Escape")
    expect(page.get_by_role("tooltip")).to_be_hidden()
    press("Enter")
    expect(page.get_by_role("tooltip")).to_be_visible()
    press("ArrowRight")
    press("Shift+Tab")
    assert focused() == "copy-conllu"
    assert tab() == "wrote"  # where one was


def test_left_is_forward_in_hebrew(visit: Visit) -> None:
    visit.tag("שלום עולם")
    visit.word("שלום").focus()
    visit.page.keyboard.press("ArrowLeft")
    assert visit.page.evaluate("document.activeElement.textContent") == "עולם"
