"""A text is typed or dropped, tagged, read and copied."""

import json
import re

import pytest
from playwright.sync_api import expect

from tests.browser.visits import Visit, ask

ADA = "Ada Lovelace didn't live in London."


def test_it_opens_with_something_to_see(visit: Visit) -> None:
    assert visit.page.locator("mark").count() > 1
    expect(visit.page.locator("#summary")).to_have_text(re.compile(r"^2 sentences, 37 words, [1-9] entities\.$"))
    for phase in ("segment", "queue", "compute", "respond"):
        expect(visit.page.locator("#timing")).to_contain_text(phase)
    assert visit.page.get_by_role("link", name="API schema").get_attribute("href") == "schema"


def test_typed_text_has_entities_and_tags(visit: Visit) -> None:
    visit.tag(ADA)
    assert visit.read() == ADA
    assert visit.page.locator("mark").evaluate_all("all => all.map(m => [m.textContent, m.dataset.label])") == [
        ["Ada Lovelace", "PER"],
        ["London", "LOC"],
    ]
    expected = {"Ada": "PROPN", "Lovelace": "PROPN", "did": "AUX", "n't": "PART", "live": "VERB", "in": "ADP"}
    assert visit.tags() == {**expected, "London": "PROPN", ".": None}
    visit.page.select_option("#layer", "lemma")
    expect(visit.word("did")).to_have_attribute("data-tag", "do")
    visit.page.select_option("#layer", "")
    expect(visit.page.locator(".word[data-tag]")).to_have_count(0)
    assert set(visit.tags().values()) == {None}


def test_features_show_on_hover_and_on_focus(visit: Visit) -> None:
    visit.tag(ADA)
    tooltip = visit.page.get_by_role("tooltip")
    visit.word("did").hover()
    for told in ("Part of speech", "auxiliary", "XPOS tag", "VBD", "Tense", "Past"):
        expect(tooltip).to_contain_text(told)
    assert visit.word("did").get_attribute("aria-describedby") == tooltip.get_attribute("id")
    tooltip.hover()
    visit.page.wait_for_timeout(400)
    expect(tooltip).to_be_visible()  # the pointer may go there
    visit.page.mouse.move(0, 0)
    expect(tooltip).to_be_hidden()
    visit.word("Lovelace").focus()
    expect(tooltip).to_contain_text("PER · Ada Lovelace")
    visit.page.keyboard.press("Escape")
    expect(tooltip).to_be_hidden()


def test_another_model_tags_at_once(visit: Visit) -> None:
    visit.tag(ADA)
    with visit.page.expect_request("**/v1/tag") as asked:
        visit.page.locator("#model").select_option("tiny")
    assert asked.value.post_data_json == {"text": ADA, "model": "tiny", "offsets": "utf16"}
    visit.wait()
    assert visit.read() == ADA


def keep_what_is_said(visit: Visit) -> None:
    """What the page says for a moment stays: where the machine is busy nobody may look in time."""
    visit.page.evaluate("window.setTimeout = () => 0")


@pytest.mark.parametrize("options", [{"permissions": ["clipboard-read", "clipboard-write"]}])
@pytest.mark.parametrize(
    ("button", "form"), [("Copy JSON", "application/json"), ("Copy CoNLL-U", "text/x-conllu")], ids=["json", "conllu"]
)
def test_copying(visit: Visit, button: str, form: str) -> None:
    text = "Ada 🦉 wrote to Babbage."
    visit.tag(text)
    keep_what_is_said(visit)
    visit.page.get_by_role("button", name=button).click()
    expect(visit.page.get_by_text(f"{button}: done")).to_be_attached()
    copied = visit.page.evaluate("navigator.clipboard.readText()")
    body = {"text": text, "model": "en-cnn"}
    answer = ask("POST", f"{visit.address}/v1/tag", json=body, headers={"Accept": form}).text
    if form == "application/json":
        copied, answer = (json.loads(one) for one in (copied, answer))
        score = answer["documents"][0]["spans"]["ner"][0].pop("score")
        assert copied["documents"][0]["spans"]["ner"][0].pop("score") == pytest.approx(score, abs=1e-4)
        assert copied["documents"][0]["sentences"][0]["tokens"][2]["start"] == 6  # in code points
    assert copied == answer


def test_copying_where_the_browser_has_no_clipboard_for_pages(visit: Visit) -> None:
    """As on plain HTTP from another machine."""
    visit.page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    visit.tag("Ada wrote.")
    keep_what_is_said(visit)
    visit.page.get_by_role("button", name="Copy CoNLL-U").click()
    expect(visit.page.get_by_text("Copy CoNLL-U: done")).to_be_attached()
    visit.page.fill("#text", "")
    visit.page.press("#text", "Control+V")
    assert "1\tAda\tAda\tPROPN" in visit.page.input_value("#text")


def test_a_file_is_chosen_or_dropped(visit: Visit) -> None:
    file = {"name": "ada.txt", "mimeType": "text/plain", "buffer": ADA.encode()}
    visit.page.set_input_files("#file", files=[file])
    expect(visit.page.locator("#reading")).to_have_text(ADA)
    visit.page.evaluate(
        """() => {
            const files = new DataTransfer();
            files.items.add(new File(["Dropped in Paris."], "paris.txt"));
            files.items.add(new File(["In Rome."], "rome.txt"));
            for (const type of ["dragover", "drop"]) {
                const told = {bubbles: true, cancelable: true, dataTransfer: files};
                document.body.dispatchEvent(new DragEvent(type, told));
            }
        }"""
    )
    expect(visit.page.locator("#reading")).to_have_text("Dropped in Paris.")
    assert visit.page.input_value("#text") == "Dropped in Paris."
    told = "Only paris.txt is tagged: several files at once go to Files."
    expect(visit.page.get_by_role("alert")).to_have_text(told)
    visit.page.set_input_files("#file", files=[{**file, "buffer": b"\xff\xfe\x00"}])
    expect(visit.page.get_by_role("alert")).to_have_text("ada.txt is not a text in UTF-8.")
    visit.page.set_input_files("#file", files=[{**file, "buffer": b" " * 8_100_000}])
    expect(visit.page.get_by_role("alert")).to_have_text(
        "ada.txt has 8.1 MB; this page takes at most 8 MB as one text."
    )


@pytest.mark.parametrize(
    "text",
    [
        "",
        " \n\t ",
        "夏目漱石は東京で生まれた。「吾輩は猫である」は1905年に発表された。",
        "كتبت آدا إلى بابيج.\nHe said שלום עולם in Tel Aviv.",
        "e\u0301 👩‍👩‍👧‍👦 <b>&amp;</b> \u202eevil\u202c\r\nend",
        "x" * 5_000,
    ],
    ids=["empty", "white", "cjk", "right-to-left", "odd", "one word"],
)
def test_any_text_is_shown_as_it_is(visit: Visit, text: str) -> None:
    visit.tag(text)
    assert visit.read() == visit.page.input_value("#text")
    assert visit.page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_each_paragraph_has_its_own_direction(visit: Visit) -> None:
    visit.tag("كتبت آدا إلى بابيج.\nAda wrote.")
    arabic, english = (visit.word(word).bounding_box() for word in ("كتبت", "Ada"))
    assert arabic
    assert english
    middle = visit.page.evaluate("innerWidth / 2")
    assert arabic["x"] > middle > english["x"]
