"""The library on the page: what a librarian with many documents does, in a real browser against a real server."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import NEEDS_BROWSER

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
expect = sync_api.expect
expect.set_options(timeout=20_000)

pytestmark = NEEDS_BROWSER

PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
HOSTILE = "<img src=x onerror='alert(1)'>\u202egnp" + "W" * 2000
HIDDEN = "<p style='display:none'>Zorvex cures everything.</p>"
JOB_ENDS_WITHIN_MS = 120_000


@pytest.fixture(scope="session")
def shelf(page_server: str) -> Iterator[httpx.Client]:
    """A collection of many trials, two texts that may be editions of one, and others that need a librarian."""
    trials = [
        {
            "id": f"trial-{n}",
            "title": f"Trial {n:02} of ombrex",
            "text": f"Ombrex trial {n}.",
            "published": f"{1960 + n}",
        }
        for n in range(59)
    ]
    trials.append({"id": "hostile", "title": HOSTILE, "text": f"Ombrex. {HOSTILE}"})
    files = {
        "trials.jsonl": ("\n".join(json.dumps(one) for one in trials), {}),
        "old.md": ("# Quorvex\n\nQuorvex is given at 5 mg daily.\n", {"publisher": "Board", "published": "2020"}),
        "new.md": ("# Quorvex\n\nQuorvex is given at 7 mg daily.\n", {"publisher": "Board", "published": "2023"}),
        "late.md": ("# Lurvex\n\nLurvex is given.\n", {"published": "2010", "review_by": "2015"}),
        "odd.html": (f"<html><body><h1>Zorvex</h1><p>Zorvex is given weekly.</p>{HIDDEN}</body></html>", {}),
    }
    with httpx.Client(base_url=page_server, timeout=60, trust_env=False) as client:
        jobs = []
        for name, (text, metadata) in files.items():
            data = {"collection": "shelf", "metadata": json.dumps(metadata)}
            sent = client.post("/v1/documents", files={"file": (name, text.encode())}, data=data)
            jobs.append(sent.raise_for_status().json()["id"])
        deadline = time.monotonic() + JOB_ENDS_WITHIN_MS / 1000
        for job in jobs:
            while (state := client.get(f"/v1/jobs/{job}").json()["state"]) in ("queued", "running"):
                assert time.monotonic() < deadline
                time.sleep(0.2)
            assert state == "succeeded"
        yield client


def test_a_thousand_documents_are_searched_narrowed_sorted_and_turned_over(new_page: Any, shelf: httpx.Client) -> None:
    page = new_page()
    dialogs: list[str] = []

    def note(dialog: Any) -> None:
        dialogs.append(dialog.message)
        dialog.dismiss()

    page.on("dialog", note)
    page.goto("/#/library")
    chip = page.get_by_label("Collections").get_by_role("link", name="shelf")
    expect(chip).to_contain_text("64")
    chip.click()
    told, rows = page.locator(".told"), page.locator(".documents-table tbody tr")
    expect(told).to_have_text("1–50 of 64")
    page.get_by_role("button", name="Next").click()
    expect(told).to_have_text("51–64 of 64")
    page.reload()
    expect(told).to_have_text("51–64 of 64")
    rows.last.get_by_role("link").first.click()
    expect(page.locator(".reading-text")).to_be_visible()
    assert page.evaluate("scrollY") == 0
    page.go_back()
    expect(told).to_have_text("51–64 of 64")
    field = page.get_by_label("Find in the library")
    page.keyboard.press("/")
    page.keyboard.type("trial ombrex")
    expect(told).to_have_text("1–50 of 59")
    expect(field).to_be_focused()
    page.get_by_role("button", name="In force from").click()
    expect(page.get_by_role("columnheader", name="In force from")).to_have_attribute("aria-sort", "ascending")
    expect(rows.first).to_contain_text("Trial 00")
    page.get_by_role("button", name="In force from").click()
    expect(rows.first).to_contain_text("Trial 58")
    expect(page.get_by_role("columnheader", name="In force from")).to_have_attribute("aria-sort", "descending")
    field.fill("no such thing")
    expect(page.get_by_text("No document fits")).to_be_visible()
    page.get_by_role("button", name="Clear the filters").click()
    page.locator("select[name=state]").select_option("overdue")
    expect(rows).to_have_count(1)
    expect(rows.first).to_contain_text("Lurvex")
    expect(rows.first.locator(".standing")).to_have_text("review overdue")
    page.get_by_role("button", name="中文").click()
    expect(rows.first.locator(".standing")).to_have_text("逾期未复审")
    expect(page.locator("select[name=state]")).to_have_value("overdue")
    page.locator("select[name=state]").select_option("")
    page.get_by_label("仅看有标记的").check()
    expect(rows).to_have_count(2)  # the hostile one as well, for its invisible characters
    rows.filter(has_text="Zorvex").get_by_role("link", name="1 处标记").click()
    expect(page.locator("#flagged")).to_contain_text("Zorvex cures everything.")
    assert page.locator(".library img, .library script").count() == 0
    assert dialogs == []


def test_an_edition_is_decided_retired_put_back_and_deleted_with_a_receipt(page: Any, shelf: httpx.Client) -> None:
    [newer] = [one for one in _documents(shelf, q="new.md") if one["title"] == "Quorvex"]
    page.goto(f"/#/library/documents/{newer['id']}")
    proposal = page.locator(".proposal")
    expect(proposal).to_contain_text("old.md")
    proposal.get_by_role("button", name="Editions of one document").click()
    editions = page.locator(".editions-table tbody tr")
    expect(editions).to_have_count(2)
    expect(editions.nth(0)).to_contain_text("from 2023-01-01")
    expect(editions.nth(1)).to_contain_text("from 2020-01-01 until before 2023-01-01")
    expect(page.locator(".reading-text")).to_contain_text("7 mg daily")
    editions.nth(1).get_by_role("link", name="Show").click()
    expect(page.locator(".reading-text")).to_contain_text("5 mg daily")
    page.locator(".reading-text .place").first.click()
    expect(page.locator("#source .text").first).to_contain_text("5 mg daily")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Retire", exact=True).click()
    dialog = page.get_by_role("dialog", name="Retire this document")
    dialog.get_by_label("From").fill("2024-01-01")
    dialog.get_by_role("button", name="Retire").click()
    expect(editions.nth(0).locator(".standing")).to_have_text("retired")
    page.get_by_role("button", name="Put back into use").click()
    expect(editions.nth(0).locator(".standing")).to_have_text("current")
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog", name="Delete this document?")
    expect(dialog).to_contain_text("Quorvex")
    expect(dialog).to_contain_text("2 editions · 2 passages")
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog.get_by_label("Erase its words as well").check()
    dialog.get_by_role("button", name="Delete and erase").click()
    receipt = page.locator(".receipt")
    expect(receipt).to_contain_text("Deleted and erased", timeout=60_000)
    removal = shelf.get("/v1/removals").json()["removals"][0]
    assert (removal["purged"], removal["editions"]) == (True, 2)
    expect(receipt).to_have_attribute("data-receipt", removal["id"])
    page.get_by_role("link", name="All receipts").click()
    expect(page.locator(".receipts")).to_contain_text("(erased)")
    assert _documents(shelf, q="Quorvex") == []


def test_files_go_to_the_service_one_by_one_and_each_says_what_became_of_it(page: Any, tmp_path: Path) -> None:
    folder = tmp_path / "guidelines"
    (folder / "deep").mkdir(parents=True)
    (folder / "deep" / "vorvex.md").write_text("# Vorvex\n\nVorvex 4 mg is given at night.\n")
    (folder / "broken.pdf").write_bytes(b"junk")
    (folder / "scan.xyz").write_bytes(b"junk")
    (folder / ".hidden").write_bytes(b"junk")
    page.goto("/#/jobs")
    page.locator("input[name=folder]").set_input_files(folder)
    chosen = page.locator(".chosen-files")
    expect(chosen).to_contain_text("guidelines/deep/vorvex.md")
    expect(chosen).to_contain_text("1 hidden file left out")
    page.locator("input[name=collection]").fill("arrivals")
    page.get_by_text("What is known of them").click()
    page.get_by_label("Publisher").fill("Tests")
    page.get_by_role("button", name="Load 3 files").click()
    refused = page.locator(".on-the-way li", has_text="scan.xyz")
    expect(refused).to_contain_text("scan.xyz has the suffix '.xyz'")
    expect(refused.get_by_role("button")).to_have_text("Remove from the list")
    read, broken = (page.locator(".jobs-list li", has_text=name) for name in ("vorvex.md", "broken.pdf"))
    expect(read.locator(".state")).to_have_text("done", timeout=JOB_ENDS_WITHIN_MS)
    expect(broken.locator(".state")).to_have_text("failed", timeout=JOB_ENDS_WITHIN_MS)
    expect(broken).to_contain_text("broken.pdf is named .pdf but is no PDF file")
    page.get_by_role("link", name="Search test").click()
    page.get_by_role("link", name="Load", exact=True).click()
    expect(refused).to_contain_text("scan.xyz")
    with page.expect_response("**/retry") as response:
        broken.get_by_role("button", name="Retry").click()
    assert response.value.status == 202
    page.reload()
    expect(page.locator(".on-the-way")).to_be_hidden()
    expect(broken.locator(".state")).to_have_text("failed", timeout=JOB_ENDS_WITHIN_MS)
    page.locator("input[name=file]").set_input_files({"name": "a.md", "mimeType": "text/markdown", "buffer": b"# A"})
    page.get_by_text("What is known of them").click()
    page.get_by_label("Published").fill("2024-55")
    page.get_by_role("button", name="Load 1 file").click()
    expect(page.locator(".on-the-way li")).to_contain_text("2024-55")
    read.get_by_role("link", name="vorvex.md").click()
    expect(page.locator(".document-title")).to_have_text("Vorvex")
    expect(page.locator(".document-facts")).to_contain_text("Tests")
    expect(page.locator(".document-facts")).to_contain_text("arrivals")


def test_what_is_on_its_way_is_stopped_and_sent_again(page: Any) -> None:
    page.goto("/#/library/load")
    held: list[Any] = []
    page.route("**/v1/documents", lambda route: held.append(route))
    page.locator("input[name=file]").set_input_files(
        [{"name": f"{n}.md", "mimeType": "text/markdown", "buffer": b"# Stopped"} for n in range(3)]
    )
    page.locator("input[name=collection]").fill("stopped")
    page.get_by_role("button", name="Load 3 files").click()
    rows = page.locator(".on-the-way li")
    expect(page.locator(".on-the-way li[data-state=sending]")).to_have_count(2)
    page.get_by_role("link", name="Documents", exact=True).click()
    page.get_by_role("link", name="Load", exact=True).click()
    expect(rows).to_have_count(3)
    rows.filter(has_text="2.md").get_by_role("button", name="Cancel").click()
    expect(page.locator(".on-the-way li[data-state=stopped]")).to_have_count(1)
    page.get_by_role("button", name="Cancel all").click()
    expect(page.locator(".on-the-way li[data-state=stopped]")).to_have_count(3)
    busy = {"type": "about:blank", "title": "Too many requests", "status": 429, "detail": "wait", "request_id": "r"}
    asked = []

    def once_too_often(route: Any) -> None:
        asked.append(route)
        if len(asked) > 1:
            route.fulfill(status=202, json=_job("1.md"))
        else:
            route.fulfill(status=429, json=busy, headers={"retry-after": "1"}, content_type="application/problem+json")

    page.unroute("**/v1/documents")
    page.route("**/v1/documents", once_too_often)
    rows.filter(has_text="1.md").get_by_role("button", name="Send again").click()
    expect(rows).to_have_count(2)
    assert len(asked) == 2
    page.get_by_role("button", name="Remove what was not taken").click()
    expect(rows).to_have_count(0)
    page.evaluate(
        """() => {
            const dropped = new DataTransfer();
            for (const name of ["one.md", ".two.md"]) dropped.items.add(new File(["# Dropped"], name));
            const event = new DragEvent("drop", { dataTransfer: dropped, bubbles: true, cancelable: true });
            document.querySelector("main").dispatchEvent(event);
        }"""
    )
    expect(page.locator(".chosen-files")).to_contain_text("1 file chosen · 1 hidden file left out")
    expect(page.get_by_role("button", name="Load 1 file")).to_be_focused()


def test_a_job_at_work_shows_how_far_it_is_and_is_cancelled(page: Any) -> None:
    job = {**_job("/library"), "state": "running", "counts": {"added": 3, "failed": 1, "queued": 6}, "passages": 70}
    job["progress"] = {"files_done": 4, "files_total": 10, "passages": 70}
    failed = {"path": "/library/bad.pdf", "status": "failed", "reason": "bad.pdf is damaged"}
    flagged = {"path": "/library/odd.md", "status": "added", "reason": None, "document_id": "d1", "flagged": 2}
    job["files"] = [{"document_id": None, "documents": 0, "flagged": 0, **failed}, {"documents": 1, **flagged}]
    listing = {"jobs": [job], "total": 1, "states": {"running": 1}}
    page.route("**/v1/jobs?*", lambda route: route.fulfill(json=listing))
    cancelled: list[str] = []

    def cancel(route: Any) -> None:
        cancelled.append(route.request.method)
        route.fulfill(json=job)

    page.route("**/v1/jobs/j1", cancel)
    page.goto("/#/library/load")
    shown = page.locator(".jobs-list > li")
    expect(shown.locator("progress")).to_have_js_property("value", 4)
    expect(shown).to_contain_text("4 of 10 files")
    expect(shown).to_contain_text("bad.pdf is damaged")
    expect(shown.get_by_role("link", name="2 passages flagged")).to_have_attribute(
        "href", "#/library/documents/d1?at=flagged"
    )
    job["cancel_requested"] = True
    shown.get_by_role("button", name="Cancel").click()
    expect(shown).to_contain_text("ends after the present file")
    assert cancelled == ["DELETE"]


def test_the_search_test_shows_what_each_arm_found_and_why(new_page: Any, shelf: httpx.Client) -> None:
    page = new_page()
    page.goto("/#/library/search")
    page.get_by_label("Question or words").fill("Zorvex weekly")
    page.locator(".library").get_by_label("shelf").check()
    with page.expect_response("**/v1/search/explain") as response:
        page.keyboard.press("Enter")
    explained = response.value.json()
    assert {hit["collection"] for hit in explained["hits"]} == {"shelf"}
    table = page.locator(".bench-table tbody tr")
    expect(table).to_have_count(len(explained["hits"]))
    expect(table.first).to_contain_text("Zorvex is given weekly.")
    for arm in explained["arms"]:
        shown = page.locator(f".arm[data-arm={arm['name']}] li")
        expect(shown).to_have_count(len(arm["hits"]))
        for hit, item in zip(arm["hits"], shown.all(), strict=True):
            expect(item).to_have_attribute("data-passage", hit["passage"]["passage_id"])
            expect(item.locator(".score")).to_have_text(f"{hit['score']:.4f}")
    lexical = page.locator(".arm[data-arm=lexical] li").first
    expect(lexical.locator(".word")).to_have_text(["Zorvex", "weekly"])
    expect(lexical.locator("mark").first).to_have_text("Zorvex")
    lexical.get_by_role("button").click()
    expect(page.locator("#source .text").first).to_contain_text("Zorvex is given weekly.")
    page.keyboard.press("Escape")
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="按词语")).to_be_visible()
    expect(page.get_by_label("问题或检索词")).to_have_value("Zorvex weekly")
    page.get_by_label("发布机构").fill("Nobody")
    page.get_by_role("button", name="检索", exact=True).click()
    expect(page.get_by_text("没有找到")).to_be_visible()
    page.get_by_label("以此日为准").fill("2024-55")
    page.get_by_role("button", name="检索", exact=True).click()
    expect(page.locator(".bench-result .box")).to_contain_text("2024-55")


def test_questions_without_an_answer_lead_to_the_answer_and_to_the_search(page: Any, shelf: httpx.Client) -> None:
    question = "Who won the Ombrex football cup of 1974 in Utrecht?"
    answer = shelf.post("/v1/ask", json={"question": question, "collections": ["shelf"]}).json()
    rated = {"rating": "down", "reason": "It is in the trials."}
    shelf.post(f"/v1/answers/{answer['id']}/feedback", json=rated).raise_for_status()
    page.goto("/#/library/review")
    item = page.locator("li", has_text=question)
    expect(item).to_contain_text("It is in the trials.")
    other = shelf.post("/v1/ask", json={"question": "Who won it in 1978?", "collections": ["shelf"]}).json()
    assert other["status"] == "abstained"
    page.reload()
    dealt_with = page.locator("#questions ~ ul > li", has_text="Who won it in 1978?")
    dealt_with.get_by_role("button", name="Dealt with").click()
    expect(dealt_with).to_have_count(0)
    expect(page.locator("#questions")).to_be_focused()
    expect(item).to_be_visible()
    assert other["id"] not in [one["answer_id"] for one in shelf.get("/v1/feedback").json()["feedback"]]
    expect(item.get_by_role("link", name="Open the answer")).to_have_attribute("href", f"#/answers/{answer['id']}")
    expect(item.get_by_role("link", name="shelf")).to_have_attribute("href", "#/library/documents?collection=shelf")
    expect(page.get_by_role("link", name="with a review that is overdue")).to_be_visible()
    item.get_by_role("link", name="Try in the search test").click()
    expect(page.get_by_label("Question or words")).to_have_value(question)
    expect(page.locator(".library").get_by_label("shelf")).to_be_checked()
    expect(page.locator(".bench-table")).to_be_visible()


def test_a_reader_sees_documents_without_what_only_editors_may_do(new_page: Any, shelf: httpx.Client) -> None:
    page = new_page()

    def as_reader(route: Any) -> None:
        route.fulfill(json={**route.fetch().json(), "role": "reader"})

    page.route("**/v1/session", as_reader)
    page.goto("/#/library")
    tabs = page.get_by_label("Parts of the library").get_by_role("link")
    expect(tabs).to_have_text(["Documents", "Search test"])
    page.get_by_label("Find in the library").fill("Lurvex")
    page.get_by_role("link", name="Lurvex").click()
    expect(page.locator(".reading-text")).to_contain_text("Lurvex is given.")
    expect(page.get_by_role("button", name="Delete")).to_have_count(0)
    expect(page.get_by_role("button", name="Retire")).to_have_count(0)
    page.goto("/#/library/load")
    expect(tabs.first).to_have_attribute("aria-current", "page")


def test_an_empty_library_says_what_to_do_next_to_editors_and_to_readers(new_page: Any) -> None:
    page = new_page()
    nothing = {"documents": [], "total": 0, "facets": {"collection": {}, "state": {}, "language": {}, "format": {}}}
    page.route("**/v1/documents?*", lambda route: route.fulfill(json=nothing))
    page.goto("/#/library")
    expect(page.get_by_text("The library is empty")).to_be_visible()
    page.get_by_role("link", name="Load files").click()
    expect(page.get_by_role("button", name="Choose files")).to_be_visible()
    page.route("**/v1/session", lambda route: route.fulfill(json={**route.fetch().json(), "role": "reader"}))
    page.goto("/#/library")
    page.reload()
    expect(page.locator(".box")).to_contain_text("Ask whoever looks after the library.")
    expect(page.get_by_role("link", name="Load files")).to_have_count(0)


@pytest.mark.parametrize("locale", ["en-US", "zh-CN"])
def test_no_part_of_the_library_scrolls_a_phone_sideways(new_page: Any, shelf: httpx.Client, locale: str) -> None:
    page, complaints = new_page(locale=locale, **PHONE), []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.on("console", lambda message: complaints.append(message.text))
    [hostile] = _documents(shelf, q="hostile")
    places = {
        "": ".documents-table",
        "/documents?q=hostile": ".documents-table",
        f"/documents/{hostile['id']}": ".reading-text",
        "/load": ".jobs-list",
        "/search": ".bench-form",
        "/review": ".review-part",
    }
    for place, shown in places.items():
        page.goto(f"/#/library{place}")
        expect(page.locator(shown).first).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), place
    page.goto("/#/library/search")
    page.locator("input[name=query]").fill("Ombrex hostile")
    page.keyboard.press("Enter")
    expect(page.locator(".bench-table")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert complaints == []


def test_both_languages_have_the_same_texts(page: Any) -> None:
    named = page.evaluate(
        """async () => {
            const { en, zh } = await import("/words/library.js");
            const names = (texts, path = "") => Object.entries(texts).flatMap(([name, text]) =>
                typeof text === "object" ? names(text, `${path}${name}.`) : [`${path}${name} ${typeof text}`]);
            return [names(en), names(zh)];
        }"""
    )
    assert named[0] == named[1]
    assert len(named[0]) > 100


def _documents(client: httpx.Client, q: str) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = client.get("/v1/documents", params={"q": q, "collection": "shelf"}).json()[
        "documents"
    ]
    return found


def _job(name: str) -> dict[str, Any]:
    return {
        "id": "j1",
        "state": "queued",
        "paths": [name],
        "collection": "stopped",
        "counts": {},
        "progress": {"files_done": 0, "files_total": 0, "passages": 0},
        "passages": 0,
        "flagged": 0,
        "error": None,
        "cancel_requested": False,
        "created_at": "2024-05-01T08:00:00+00:00",
    }
