"""The panel of files: one is sent, its job watched, its results fetched."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Locator, Page, expect
from pydantic import SecretStr

from service.settings import Settings
from taggers.catalog import ALIASES
from tests.browser.test_access import LOOKS, PHONE
from tests.browser.visits import WITHIN_MS, Visit, ask, open_visit, serving
from tests.service.jobs.clients import send, wait
from tests.waiting import until

TEXTS = ["Ada wrote to Babbage.", "Paris is larger than Lyon! 🦉", "cats were\nsleeping"]
ROWS = "".join(json.dumps({"id": f"r{n}", "text": text, "stars": n}) + "\n" for n, text in enumerate(TEXTS))
KEY = "open-sesame"


@pytest.fixture(scope="module")
def address(tiny: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A service with the model ``tiny`` alone."""
    with serving(Settings(models=(str(tiny),), jobs_folder=tmp_path_factory.mktemp("jobs"))) as made:
        yield made


@pytest.fixture
def troubled(chromium: Browser, address: str, options: dict[str, Any]) -> Iterator[Visit]:
    """The panel of files, with no jobs."""
    made = open_files(chromium, address, **options)
    yield made
    made.page.context.close()
    for left in ask("GET", f"{address}/v1/jobs").json()["jobs"]:
        ask("DELETE", f"{address}/v1/jobs/{left['id']}")


@pytest.fixture
def visit(troubled: Visit) -> Iterator[Visit]:
    """The same; at the end nothing may have been wrong behind it."""
    yield troubled
    troubled.check(refused=[])


def open_files(chromium: Browser, address: str, **options: Any) -> Visit:
    made = open_visit(chromium, address, **options)
    made.page.goto(f"{address}/#files")
    return made


def choose(page: Page, name: str, content: str | bytes) -> Locator:
    """Have a file sent; its job in the list."""
    expect(page.locator("#job-file")).to_be_enabled()
    buffer = content.encode() if isinstance(content, str) else content
    page.set_input_files("#job-file", files=[{"name": name, "mimeType": "application/json", "buffer": buffer}])
    return job(page, name)


def drop(page: Page, files: dict[str, str]) -> None:
    """Drop files on the page, by their names."""
    page.evaluate(
        """files => {
            const dropped = new DataTransfer();
            for (const [name, content] of Object.entries(files)) dropped.items.add(new File([content], name));
            const told = {bubbles: true, cancelable: true, dataTransfer: dropped};
            document.body.dispatchEvent(new DragEvent("drop", told));
        }""",
        files,
    )


def job(page: Page, name: str) -> Locator:
    return page.locator(".job").filter(has=page.get_by_role("heading", name=name, exact=True))


def expect_state(job: Locator, state: str) -> None:
    expect(job.locator(".state")).to_have_text(state)


def download(job: Locator, link: str | re.Pattern[str]) -> tuple[str, bytes]:
    """The name and the content of what a link brings."""
    with job.page.expect_download() as found:
        job.get_by_role("link", name=link).click()
    return found.value.suggested_filename, found.value.path().read_bytes()


def without_scores(value: Any) -> Any:
    """The same, without the numbers that neighbors in a batch may change a little."""
    if isinstance(value, dict):
        return {key: without_scores(item) for key, item in value.items() if key != "score"}
    return [without_scores(item) for item in value] if isinstance(value, list) else value


def slow() -> bytes:
    """What takes a while to tag."""
    return ROWS.encode() * 30_000


def test_a_file_is_sent_and_its_results_are_those_of_the_api(visit: Visit) -> None:
    reviews = choose(visit.page, "reviews.jsonl", ROWS)
    expect_state(reviews, "Done")
    expect(reviews.locator(".note")).to_contain_text(re.compile(r"^3 documents, \d\d words"))
    expect(reviews.get_by_role("link")).to_have_text(["JSONL", "Parquet", "CoNLL-U", "IOB2", "HTML"])
    name, lines = download(reviews, "JSONL")
    assert name == "reviews.tagged.jsonl"
    body = {"documents": [{"id": f"r{n}", "text": text} for n, text in enumerate(TEXTS)]}
    expected = ask("POST", f"{visit.address}/v1/tag", json=body).json()["documents"]
    with_stars = [{**document, "stars": n} for n, document in enumerate(without_scores(expected))]
    assert [without_scores(json.loads(line)) for line in lines.splitlines()] == with_stars
    (id,) = [found["id"] for found in ask("GET", f"{visit.address}/v1/jobs").json()["jobs"]]
    for label, form in (("Parquet", "parquet"), ("CoNLL-U", "conllu"), ("IOB2", "iob2"), ("HTML", "html")):
        name, content = download(reviews, label)
        assert name == f"reviews.tagged.{form}"
        assert content == ask("GET", f"{visit.address}/v1/jobs/{id}/results", params={"format": form}).content


def test_records_that_are_wrong_are_failures(visit: Visit) -> None:
    reviews = choose(visit.page, "reviews.jsonl", ROWS + "{broken\n" + ROWS)
    expect_state(reviews, "Done")
    name, lines = download(reviews, "1 failure")
    assert name == "reviews.errors.jsonl"
    (failure,) = map(json.loads, lines.splitlines())
    assert "4" in json.dumps(failure)  # the line
    assert len(download(reviews, "JSONL")[1].splitlines()) == 6


def test_how_a_file_is_read_and_tagged_can_be_told(visit: Visit) -> None:
    page = visit.page
    page.get_by_text("Options").click()
    page.get_by_label("Field of the text").fill("body")
    page.get_by_label("Field of the id").fill("key")
    page.get_by_label("Format").select_option("CSV")
    for layer in ("Lemma", "Entities"):
        page.get_by_role("checkbox", name=layer).uncheck()
    with page.expect_request("**/v1/jobs?*") as sent:
        table = choose(page, "what.is.it", "key,body\n7,Ada wrote.\n")
    assert sent.value.headers["content-type"] == "application/octet-stream"
    expect_state(table, "Done")
    expect(table.get_by_role("link")).to_have_text(["JSONL", "Parquet", "CoNLL-U", "HTML"])  # IOB2 is for spans
    found = json.loads(download(table, "JSONL")[1])
    assert (found["id"], found["text"], found["spans"]) == ("7", "Ada wrote.", {})


def test_a_column_may_begin_with_a_space(visit: Visit) -> None:
    visit.page.get_by_text("Options").click()
    visit.page.get_by_label("Field of the text").fill(" text")
    table = choose(visit.page, "table.csv", "id, text\n7,Ada wrote.\n")
    expect_state(table, "Done")
    assert json.loads(download(table, "JSONL")[1])["text"] == "Ada wrote."


def test_a_text_has_a_document_a_line_and_json_is_no_address(visit: Visit) -> None:
    lines = choose(visit.page, "lines.txt", "Ada wrote.\n\nParis!\n")
    expect_state(lines, "Done")
    assert [json.loads(line)["text"] for line in download(lines, "JSONL")[1].splitlines()][::2][:1] == ["Ada wrote."]
    rows = choose(visit.page, "rows.json", ROWS)
    expect_state(rows, "Done")
    expect(visit.page.get_by_role("heading", level=3)).to_have_text(["rows.json", "lines.txt"])  # the newest first


def test_cancel_and_delete(visit: Visit) -> None:
    page = visit.page
    long = choose(page, "long.jsonl", slow())
    expect(long.locator(".state")).to_have_text(re.compile(r"Running, \d+%"))
    progress = float(long.get_by_role("progressbar").get_attribute("value") or 0)
    assert 0 < progress < 1
    expect(long.locator(".note")).to_contain_text(re.compile(r"documents, .* words/s, .* left"))
    long.get_by_role("button", name="Cancel").click()
    expect_state(long, "Cancelled")
    expect(long.get_by_role("button", name="Delete")).to_be_focused()  # as its own button went
    expect(long.get_by_role("link", name="JSONL")).to_be_visible()  # what is done is kept
    for answer, left in (("Keep", 1), ("Delete with its results", 0)):
        long.get_by_role("button", name="Delete").click()
        expect(long.get_by_role("button", name="Keep")).to_be_focused()
        long.get_by_role("button", name=answer).click()
        expect(page.locator(".job")).to_have_count(left)
    expect(page.get_by_role("heading", name="Jobs")).to_be_focused()
    expect(page.get_by_text("None yet.")).to_be_visible()
    assert ask("GET", f"{visit.address}/v1/jobs").json() == {"jobs": []}


def test_sending_shows_how_far_it_is_and_can_be_stopped(visit: Visit) -> None:
    page = visit.page
    network = page.context.new_cdp_session(page)
    slowly = {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": 200_000}
    network.send("Network.emulateNetworkConditions", slowly)
    place = page.locator("#jobs").bounding_box()
    choose(page, "long.jsonl", slow())
    expect(page.locator("#sending-name")).to_have_text(
        re.compile(r"Sending long\.jsonl: (?!0\.0)\d\.\d MB of \d\.\d MB")
    )
    assert page.locator("#jobs").bounding_box() == place  # nothing moves
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#sending")).to_be_hidden()
    expect(page.locator("#job-file")).to_be_focused()
    expect(page.get_by_role("alert")).to_be_empty()
    assert ask("GET", f"{visit.address}/v1/jobs").json() == {"jobs": []}


def test_files_that_are_dropped_are_sent_one_after_another(visit: Visit) -> None:
    expect(visit.page.get_by_text("None yet.")).to_be_visible()
    drop(visit.page, {"one.txt": "Ada wrote.", "two.txt": "Ada wrote."})
    for name in ("one.txt", "two.txt"):
        expect_state(job(visit.page, name), "Done")
    assert visit.page.input_value("#text") != "Ada wrote."


def test_a_file_that_is_wrong_does_not_keep_the_others(troubled: Visit, tmp_path: Path) -> None:
    page, alert = troubled.page, troubled.page.get_by_role("alert")
    expect(page.get_by_text("None yet.")).to_be_visible()
    drop(page, {"one.txt": "Ada.", "two.csv": "a,b", "three.txt": "", "four.txt": "Ada."})
    for name in ("one.txt", "four.txt"):
        expect_state(job(page, name), "Done")
    expect(alert).to_have_text(re.compile(r"^two\.csv: .*column 'text'.*\nthree\.txt: .* is empty"))
    (tmp_path / "folder").mkdir()
    (tmp_path / "five.txt").write_text("Ada.")
    files = [str(tmp_path / name) for name in ("folder", "five.txt")]
    devtools = page.context.new_cdp_session(page)
    for step in ("dragEnter", "dragOver", "drop"):
        data = {"items": [], "files": files, "dragOperationsMask": 1}
        devtools.send("Input.dispatchDragEvent", {"type": step, "x": 9, "y": 9, "data": data})
    expect_state(job(page, "five.txt"), "Done")
    expect(alert).to_have_text(re.compile("^folder: It cannot be read"))
    page.context.set_offline(True)
    drop(page, {"six.txt": "Ada.", "seven.txt": "Ada.", "eight.txt": "Ada."})
    expect(alert).to_have_text("six.txt and 2 more files: The service cannot be reached.")
    troubled.check(refused=[400, 400])


def test_it_stops_asking_when_nothing_goes_on_or_nobody_looks(visit: Visit) -> None:
    page = visit.page
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))
    expect_state(choose(page, "one.txt", "Ada wrote."), "Done")
    page.wait_for_timeout(200)
    asked.clear()
    page.wait_for_timeout(1_200)
    assert asked == []
    long = choose(page, "long.jsonl", slow())
    expect(long.locator(".state")).to_contain_text("Running")
    page.get_by_role("link", name="Text").click()
    visit.wait()  # the example is tagged when it is first seen
    page.wait_for_timeout(200)
    asked.clear()
    page.wait_for_timeout(1_200)
    assert asked == []
    page.get_by_role("link", name="Files").click()
    expect(long.get_by_role("progressbar")).to_be_visible()
    for _ in range(2):
        with page.expect_request("**/v1/jobs?*"):
            pass


def test_the_address_keeps_the_panel(visit: Visit) -> None:
    page = visit.page
    files, text = page.locator("#drop"), page.locator("#text")
    for reload in (False, True):
        if reload:
            page.reload()
        expect(files).to_be_visible()
        expect(text).to_be_hidden()
        expect(page.get_by_role("link", name="Files")).to_have_attribute("aria-current", "page")
    page.get_by_role("link", name="Text").click()
    expect(text).to_be_visible()
    expect(files).to_be_hidden()
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(files).to_be_visible()


def test_of_many_jobs_the_newest_are_shown(visit: Visit) -> None:
    with httpx.Client(base_url=visit.address, timeout=WITHIN_MS / 1000) as client:
        for n in range(30):
            send(client, b"Ada.", name=f"{n}.txt")
    visit.page.reload()
    jobs = visit.page.locator(".job")
    expect(jobs).to_have_count(25)
    expect(jobs.first).to_contain_text("29.txt")
    older = visit.page.get_by_role("button", name="Show older jobs")
    older.click()
    expect(jobs).to_have_count(30)
    expect(older).to_be_hidden()


def test_everything_by_keyboard(visit: Visit) -> None:
    page, press = visit.page, visit.page.keyboard.press

    def tab() -> str:
        press("Tab")
        focused: str = page.evaluate("document.activeElement.id || document.activeElement.textContent")
        return focused

    page.on("filechooser", lambda _: None)  # the browser learns in time that it is to show none
    page.goto(f"{visit.address}/")
    visit.wait()
    assert [tab() for _ in range(2)] == ["Text", "Files"]
    press("Enter")
    expect(page.locator("#drop")).to_be_visible()
    assert tab() == "job-file"
    with page.expect_file_chooser() as chooser:
        press("Enter")
    chooser.value.set_files(files=[{"name": "a.txt", "mimeType": "", "buffer": b"Ada wrote."}])
    expect_state(job(page, "a.txt"), "Done")
    assert [tab() for _ in range(3)] == ["job-model", "Options", "Delete"]
    press("Enter")
    press("Escape")
    expect(job(page, "a.txt").get_by_role("button", name="Delete")).to_be_focused()
    assert [tab() for _ in range(5)] == ["JSONL", "Parquet", "CoNLL-U", "IOB2", "HTML"]
    with page.expect_download():
        press("Enter")
    for key in ("Shift+Tab",) * 5 + ("Enter", "Shift+Tab", "Enter"):
        press(key)
    expect(page.locator(".job")).to_have_count(0)


@pytest.mark.parametrize("options", LOOKS)
def test_axe_finds_nothing(visit: Visit) -> None:
    with httpx.Client(base_url=visit.address, timeout=WITHIN_MS / 1000) as client:
        for name in ("done.jsonl", "other.jsonl"):
            wait(client, send(client, f"{ROWS}broken\n".encode(), name=name)["id"])
    choose(visit.page, "long.jsonl", slow())
    expect(visit.page.locator(".state", has_text="Running")).to_be_visible()
    visit.page.get_by_text("Options").click()
    job(visit.page, "other.jsonl").get_by_role("button", name="Delete").click()
    found = Axe().run(visit.page)
    assert found.violations_count == 0, found.generate_report()


@pytest.mark.parametrize("options", [PHONE])
def test_a_phone_never_scrolls_sideways(visit: Visit) -> None:
    name = "supercalifragilisticexpialidocious" * 4 + ".jsonl"
    long = choose(visit.page, name, ROWS + "broken\n")
    expect_state(long, "Done")
    long.get_by_role("button", name="Delete").tap()
    visit.page.get_by_text("Options").tap()
    for element in visit.page.locator("a:visible, button:visible, select:visible, input:visible, .card:visible").all():
        box = element.bounding_box()
        assert box
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= 360
    assert visit.page.evaluate("document.documentElement.scrollWidth") == 360


@pytest.mark.parametrize("picker", [False, True], ids=["blob", "stream"])
def test_with_a_key_everything_carries_it(chromium: Browser, tiny: Path, tmp_path: Path, picker: bool) -> None:
    settings = Settings(models=(str(tiny),), api_keys=(SecretStr(KEY),), jobs_folder=tmp_path)
    with serving(settings, ready=False) as address:
        visit = open_files(chromium, address)
        page, key = visit.page, visit.page.get_by_label("API key")
        page.evaluate(PICKER if picker else "delete window.showSaveFilePicker")
        expect(key).to_be_focused()
        page.get_by_role("link", name="API schema").click()
        expect(key).to_be_focused()  # it wants one, too
        until(lambda: ask("GET", f"{address}/health/ready").status_code == 200, within_s=60)
        key.fill(KEY)
        key.press("Enter")
        reviews = choose(page, "reviews.jsonl", ROWS + "broken\n")
        expect_state(reviews, "Done")
        (id,) = [found["id"] for found in ask("GET", f"{address}/v1/jobs", headers={"X-API-Key": KEY}).json()["jobs"]]
        wanted = [
            (
                reviews.get_by_role("link", name="CoNLL-U"),
                f"v1/jobs/{id}/results?format=conllu",
                "reviews.tagged.conllu",
            ),
            (reviews.get_by_role("link", name="1 failure"), f"v1/jobs/{id}/failures", "reviews.errors.jsonl"),
            (page.get_by_role("link", name="API schema"), "schema", "openapi.json"),
        ]
        for link, path, name in wanted:
            saved = _saved(link, name) if picker else _downloaded(link, name)
            assert saved == ask("GET", f"{address}/{path}", headers={"X-API-Key": KEY}).content
        expect(page.get_by_text("up to 1 GB")).to_be_visible(visible=not picker)
        visit.check(refused=[401])
        page.context.close()


PICKER = """() => {
    window.showSaveFilePicker = async ({suggestedName}) => {
        const folder = await navigator.storage.getDirectory();
        return folder.getFileHandle(suggestedName, {create: true});
    };
}"""
"""Chooses for the visitor: a real file, in the part of the disk that belongs to the page."""

READ = """async name => {
    const folder = await navigator.storage.getDirectory();
    try {
        return await (await (await folder.getFileHandle(name)).getFile()).text();
    } catch {
        return "";
    }
}"""


def _downloaded(link: Locator, name: str) -> bytes:
    with link.page.expect_download() as found:
        link.click()
    assert found.value.suggested_filename == name
    return found.value.path().read_bytes()


def _saved(link: Locator, name: str) -> bytes:
    link.click()
    content = until(lambda: link.page.evaluate(READ, name), within_s=60)  # it appears when it is whole
    return str(content).encode()


def test_jobs_that_are_switched_off(chromium: Browser, tiny: Path) -> None:
    with serving(Settings(models=(str(tiny),), jobs="off")) as address:
        visit = open_files(chromium, address)
        expect(visit.page.get_by_text("jobs are switched off")).to_be_visible()
        expect(visit.page.locator("#drop")).to_be_hidden()
        expect(visit.page.get_by_role("alert")).to_be_empty()
        visit.check(refused=[404])
        visit.page.context.close()


def test_what_the_service_refuses_is_told(chromium: Browser, tiny: Path, tmp_path: Path) -> None:
    with serving(Settings(models=(str(tiny),), max_job_bytes=100, jobs_folder=tmp_path)) as address:
        visit = open_files(chromium, address)
        alert = visit.page.get_by_role("alert")
        for content, told in ((ROWS, "at most 100 bytes"), ("a,b\n1,2\n", "expected a column 'text'")):
            choose(visit.page, "reviews.csv", content)
            expect(alert).to_have_text(re.compile(rf"^reviews\.csv: .*{told}"))
            expect(visit.page.locator("#sending")).to_be_hidden()
        expect_state(choose(visit.page, "lines.txt", "Ada."), "Done")
        expect(alert).to_be_empty()
        visit.check(refused=[413, 400])
        visit.page.context.close()


def test_a_service_that_comes_back(visit: Visit) -> None:
    page, alert = visit.page, visit.page.get_by_role("alert")
    long = choose(page, "long.jsonl", slow())
    expect(long.locator(".state")).to_contain_text("Running")
    page.context.set_offline(True)
    expect(alert).to_have_text("The service cannot be reached.")
    expect(long).to_be_visible()
    page.context.set_offline(False)
    expect(alert).to_be_empty()
    page.context.set_offline(True)
    expect(alert).to_have_text("The service cannot be reached.")
    choose(page, "unsent.txt", "Ada.")
    expect(alert).to_have_text("unsent.txt: The service cannot be reached.")
    with page.expect_response("**/v1/jobs?limit=*"):
        page.context.set_offline(False)
    with page.expect_response("**/v1/jobs?limit=*"):  # by now it is known that the service is back
        pass
    expect(alert).to_have_text("unsent.txt: The service cannot be reached.")


def test_files_that_are_dropped_before_there_are_models_are_sent_then(
    chromium: Browser, tiny: Path, tmp_path: Path
) -> None:
    settings = Settings(models=(str(tiny),), api_keys=(SecretStr(KEY),), jobs_folder=tmp_path)
    with serving(settings) as address:
        visit = open_files(chromium, address)
        key = visit.page.get_by_label("API key")
        expect(key).to_be_focused()
        for name in ("one.txt", "two.txt"):
            drop(visit.page, {name: "Ada wrote."})
        key.fill(KEY)
        key.press("Enter")
        for name in ("one.txt", "two.txt"):
            expect_state(job(visit.page, name), "Done")
        visit.check(refused=[401])
        visit.page.context.close()


def test_a_key_that_is_needed_later(chromium: Browser, tiny: Path, tmp_path: Path) -> None:
    settings = Settings(models=(str(tiny),), api_keys=(SecretStr(KEY),), jobs_folder=tmp_path)
    with serving(settings) as address:
        visit = open_files(chromium, address)
        page, alert, key = visit.page, visit.page.get_by_role("alert"), visit.page.get_by_label("API key")
        key.fill(KEY)
        key.press("Enter")
        expect(choose(page, "long.jsonl", slow()).locator(".state")).to_contain_text("Running")
        page.context.set_offline(True)
        expect(alert).to_have_text("The service cannot be reached.")
        page.evaluate("sessionStorage.clear()")  # as if the service had other keys when it is back
        page.context.set_offline(False)
        expect(key).to_be_focused()
        expect(alert).to_contain_text("An API key is needed")
        key.fill(KEY)
        key.press("Enter")
        expect(alert).to_be_empty()
        page.evaluate("sessionStorage.clear()")
        choose(page, "unsent.txt", "Ada.")
        expect(alert).to_contain_text("An API key is needed")
        with page.expect_response("**/v1/jobs?limit=*"):
            page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")  # back from where the key was
        key.fill(KEY)
        key.press("Enter")
        expect(job(page, "unsent.txt")).to_be_visible()
        expect(alert).to_be_empty()
        assert set(visit.refused) == {401}
        assert visit.complaints == []
        page.context.close()


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ({"status": 200, "content_type": "text/html", "body": "<p>Log in."}, "not the service that answered"),
        ({"status": 503, "headers": {"Retry-After": "Wed, 21 Oct 2037 07:28:00 GMT"}}, "The service answered 503."),
        ({"status": 429, "content_type": "application/json", "body": '{"message": "x"}'}, "The service answered 429."),
    ],
    ids=["page", "date", "json"],
)
def test_somebody_else_answers(troubled: Visit, answer: dict[str, Any], told: str) -> None:
    page, alert = troubled.page, troubled.page.get_by_role("alert")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.route("**/v1/jobs?*", lambda route: route.fulfill(**answer))
    page.reload()
    expect(alert).to_contain_text(told)
    page.wait_for_timeout(2_000)
    assert len([url for url in asked if "/v1/jobs?" in url]) < 4  # it is in no hurry
    choose(page, "unsent.txt", "Ada.")
    expect(alert).to_contain_text(told)
    expect(alert).to_contain_text("unsent.txt")
    expect(page.locator("#sending")).to_be_hidden()
    assert troubled.complaints == []


@pytest.mark.parametrize("act", ["delete", "download"])
def test_a_job_that_somebody_else_deleted(troubled: Visit, act: str) -> None:
    gone = choose(troubled.page, "gone.txt", "Ada.")
    expect_state(gone, "Done")
    (id,) = [found["id"] for found in httpx.get(f"{troubled.address}/v1/jobs").json()["jobs"]]
    httpx.delete(f"{troubled.address}/v1/jobs/{id}")
    if act == "delete":
        gone.get_by_role("button", name="Delete").click()
        gone.get_by_role("button", name="Delete with its results").click()
    else:
        gone.get_by_role("link", name="JSONL").click()
    expect(gone).to_have_count(0)
    expect(troubled.page.get_by_role("alert")).to_be_empty()
    assert troubled.complaints == []


def test_a_job_on_a_model_by_its_other_name(
    chromium: Browser, tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(ALIASES, "small", "tiny")
    with serving(Settings(models=(str(tiny),), jobs_folder=tmp_path)) as address:
        with httpx.Client(base_url=address) as client:
            wait(client, send(client, b"Ada.", name="a.txt", model="small")["id"])
        visit = open_files(chromium, address)
        expect(job(visit.page, "a.txt").get_by_role("link", name="IOB2")).to_be_visible()
        visit.check(refused=[])
        visit.page.context.close()
