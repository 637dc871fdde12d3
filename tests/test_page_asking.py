"""Asking on the page, in a real browser, with a model that says what a test wants said: what is seen while an answer is
written, what can be asked about it, and what can be done with it."""

import json
import threading
from collections.abc import Iterator
from typing import Any

import httpx
import pytest
from scripted_server import Broken, Messages, Script, Service, eventually, number_of

from conftest import NEEDS_BROWSER

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
expect = sync_api.expect

pytest_plugins = ["service_fixtures"]
pytestmark = NEEDS_BROWSER

QUESTION = "Below which eGFR is metformin contraindicated?"
TRUE = "Metformin is contraindicated when the eGFR is below 30 mL/min/1.73 m2"
ALSO_TRUE = "Starting metformin is not recommended when the eGFR is between 30 and 45 mL/min/1.73 m2"
MADE_UP = "It is a good drug."
HOSTILE = "<img src=x onerror='alert(1)'><script>alert(2)</script> **<b>bold</b>** \u202egnorw si siht"
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
SHIFTS = """
window.shifts = [];
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifts.push(entry.value);
}).observe({ type: "layout-shift", buffered: true });
"""
FORGET_SHIFTS = """() => new Promise((done) => {
  requestAnimationFrame(() => setTimeout(() => { window.shifts = []; done(); }, 100));
})"""
"""A question of two lines makes its field grow while it is written, which moves what is below; that is no matter."""


@pytest.fixture
def new_page(browser: Any, service: Service) -> Iterator[Any]:
    """Opens pages of the service, whose complaints fail the test."""
    contexts, complaints = [], []

    def open_page(**options: Any) -> Any:
        context = browser.new_context(base_url=service.url, **{"locale": "en-US", **options})
        context.set_default_timeout(60_000)
        context.add_init_script(SHIFTS)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        page.goto("/")
        expect(page.locator("#home .example")).to_have_count(4)
        return page

    expect.set_options(timeout=60_000)
    yield open_page
    expect.set_options(timeout=5_000)
    for context in contexts:
        context.close()
    assert complaints == []


def true(messages: Messages) -> str:
    return f"{TRUE} [{number_of(TRUE, messages)}]."


def send(page: Any, question: str = QUESTION) -> None:
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")


@pytest.mark.parametrize("options", [{}, PHONE], ids=["desktop", "phone"])
def test_a_draft_is_grey_until_it_is_judged_and_what_is_read_does_not_move(
    new_page: Any, service: Service, options: dict[str, Any]
) -> None:
    first, second = threading.Event(), threading.Event()

    def written(messages: Messages) -> Script:
        yield from ("Metformin is", first, f"{true(messages)[12:]} {MADE_UP} {ALSO_TRUE[:20]}", second)
        yield f"{ALSO_TRUE[20:]} [{number_of(TRUE, messages)}]."

    page = new_page(**options)
    service.model.reset(written)
    page.locator("#question").fill(QUESTION)
    page.evaluate(FORGET_SHIFTS)
    page.keyboard.press("Enter")
    draft, sentences = page.locator("#answer .draft"), page.locator("#answer .sentence")
    expect(draft).to_have_text("Metformin is")
    expect(page.locator("#answer .status")).to_contain_text("What is grey is not checked yet")
    expect(sentences).to_have_count(0)
    first.set()
    expect(sentences).to_have_text([f"{TRUE}."])
    expect(draft).to_have_text(ALSO_TRUE[:20])
    expect(page.locator("#answer .status")).to_contain_text("1 left out.")
    colour = "node => getComputedStyle(node).color"
    assert draft.evaluate(colour) != sentences.first.evaluate(colour)
    place = sentences.first.bounding_box()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("button", name="停止")).to_be_visible()
    page.get_by_role("button", name="English").click()
    second.set()
    expect(page.locator("#answer .turn[data-state=settled]")).to_be_visible()
    expect(sentences).to_have_text([f"{TRUE}.", f"{ALSO_TRUE}."])
    expect(draft).to_have_count(0)
    expect(page.locator("#answer .withheld summary")).to_contain_text("1 sentence left out")
    assert sentences.first.bounding_box() == place
    assert sum(page.evaluate("window.shifts")) < 0.05
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_draft_loses_the_sentence_that_was_judged(new_page: Any) -> None:
    """Whatever markers and spaces it had; of one that reads otherwise as many signs go."""
    cases = [
        ("A is B [1]. C is", "A is B.", "", " C is"),
        ("\n\nA  is\nB[1][2].[3] C", "A is B.", "\n\n", " C"),
        ("甲为乙[1，2]。丙", "甲为乙。", "", "丙"),
        ("A is B.", "A is B.", "", ""),
        ("Another text", "A is B.", "", " text"),
        ("", "A is B.", "", ""),
    ]
    parted = new_page().evaluate(
        """async (cases) => {
            const { withoutSentence } = await import("/ask/draft.js");
            return cases.map(([draft, sentence]) => withoutSentence(draft, sentence));
        }""",
        cases,
    )
    assert [(one["before"], one["rest"]) for one in parted] == [(before, rest) for _, _, before, rest in cases]


def test_stop_keeps_what_was_checked_and_stops_the_model(new_page: Any, service: Service) -> None:
    page = new_page()
    service.model.reset(lambda messages: [f"{true(messages)} {ALSO_TRUE} ", threading.Event()])
    send(page)
    expect(page.locator("#answer .sentence")).to_have_text([f"{TRUE}."])
    page.get_by_role("button", name="Stop").click()
    expect(page.locator("#answer .box")).to_contain_text("Stopped")
    expect(page.locator("#answer .sentence")).to_have_text([f"{TRUE}."])
    expect(page.locator("#answer .draft, #answer .stop")).to_have_count(0)
    assert eventually(lambda: service.model.left == 1)


def test_a_model_that_breaks_off_is_a_problem_below_what_was_checked(new_page: Any, service: Service) -> None:
    def breaks(messages: Messages) -> Script:
        yield f"{true(messages)} {ALSO_TRUE} "
        raise Broken

    page = new_page()
    service.model.reset(breaks)
    send(page)
    expect(page.locator("#answer .box .box-title")).to_have_text("Unavailable")
    expect(page.locator("#answer .draft")).to_have_count(0)
    service.model.reset(true)
    send(page)
    expect(page.locator("#answer .turn[data-state=settled]")).to_have_count(1)


def test_a_doubtful_sentence_says_so_in_words_and_why_when_pointed_at(new_page: Any, service: Service) -> None:
    def doubt(route: Any) -> None:
        lines = route.fetch().text().split("\n")
        at = lines.index("event: answer") + 1
        answer = json.loads(lines[at].removeprefix("data: "))
        issue = {"kind": "number", "value": "30", "message": "The source says 45, not 30."}
        answer["sentences"][0].update(verdict="contradicted", probability=0.02, issues=[issue])
        answer["citations"][0].update(title=HOSTILE, publisher="X" * 10_000)
        lines[at] = f"data: {json.dumps(answer)}"
        route.fulfill(content_type="text/event-stream", body="\n".join(lines))

    page = new_page()
    service.model.reset(true)
    page.route("**/v1/ask", doubt)
    send(page)
    page.get_by_role("button", name="contradicted").focus()
    page.keyboard.press("Shift+Tab")
    expect(page.locator("#card")).to_contain_text(HOSTILE)
    expect(page.locator("#card")).to_contain_text("2016 edition")
    assert page.locator("img, main script, #card b").count() == 0
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.keyboard.press("Tab")
    expect(page.locator("#card")).to_have_text("contradicted by the sources · support 0.02The source says 45, not 30.")
    page.keyboard.press("Escape")
    expect(page.locator("#card")).to_be_hidden()


def test_the_scope_is_remembered_and_sent_with_every_question(new_page: Any, service: Service) -> None:
    page = new_page()
    scope = page.locator("#scope summary")
    scope.click()
    page.get_by_label("quotes only").check()
    page.get_by_label("English", exact=True).check()
    page.get_by_label("from").fill("2015")
    expect(scope).to_have_text("Scope: English · since 2015 · quotes only")
    page.reload()
    expect(scope).to_have_text("Scope: English · since 2015 · quotes only")
    with page.expect_request("**/v1/ask") as asked:
        send(page)
    sent = asked.value.post_data_json
    assert sent["filters"] == {"language": ["en"], "published": {"gte": "2015"}}
    assert sent["mode"] == "extractive"
    expect(page.locator("#answer q").first).to_be_visible()
    whole = httpx.get(f"{service.url}/v1/collections").json()["collections"][0]["documents"]
    searched = httpx.get(f"{service.url}/v1/answers/{_shown(page)}").json()["documents_searched"]
    assert 0 < searched < whole
    expect(page.locator("#answer .status")).to_contain_text(f"Searched {searched} documents")
    scope.click()
    page.get_by_role("button", name="Reset").click()
    expect(scope).to_have_text("Scope: all documents")


def test_an_address_chooses_the_collection_to_ask_in(new_page: Any, service: Service) -> None:
    names = ["default", "second shelf"]
    collections = [{"name": name, "documents": 1, "passages": 1} for name in names]
    page = new_page()
    page.route("**/v1/collections", lambda route: route.fulfill(json={"collections": collections}))
    page.goto("/#/in/second%20shelf")
    expect(page.locator("#scope summary")).to_have_text("Scope: second shelf")
    expect(page.locator("#question")).to_be_focused()
    page.goto("/#/in/nowhere")
    expect(page.locator("#scope summary")).to_have_text("Scope: nowhere")
    page.reload()
    expect(page.locator("#home .example")).to_have_count(4)
    expect(page.locator("#scope summary")).to_have_text("Scope: all documents")


def test_a_follow_up_goes_on_with_the_conversation_and_a_new_question_leaves_it(
    new_page: Any, service: Service
) -> None:
    page = new_page(locale="zh-CN")
    service.model.reset(true)
    send(page)
    settled = page.locator("#answer .turn[data-state=settled]")
    expect(settled).to_have_count(1)
    first = _shown(page)
    page.get_by_label("追问").fill("What if the eGFR is below 30?")
    page.keyboard.press("Enter")
    expect(settled).to_have_count(2)
    second = httpx.get(f"{service.url}/v1/answers/{_shown(page)}").json()
    assert second["conversation_id"] == first
    expect(page.locator("#answer .question")).to_have_text([QUESTION, second["question"]])
    page.reload()
    expect(settled).to_have_count(2)
    expect(page.locator("#question")).to_have_value(QUESTION)
    page.get_by_role("button", name="新问题").click()
    expect(page.locator("#home .example")).to_have_count(4)
    expect(page.locator("#question")).to_be_focused()
    page.go_back()
    expect(settled).to_have_count(2)


def test_an_answer_is_copied_kept_rated_and_its_sources_walked(new_page: Any, service: Service) -> None:
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    service.model.reset(lambda messages: f"{true(messages)} {ALSO_TRUE} [{number_of(TRUE, messages)}].")
    send(page)
    page.get_by_role("button", name="Copy", exact=True).click()
    expect(page.get_by_text("Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()").split("\n\n")
    assert copied[0] == QUESTION
    assert copied[1] == f"{TRUE}. [1] {ALSO_TRUE}. [1]"
    assert copied[2].startswith("References\n1. ")
    assert "Type 2 diabetes: metformin and kidney function. 2016 edition." in copied[2]
    assert page.url in copied[3]
    with page.expect_download() as download:
        page.get_by_role("button", name="Download RIS").click()
    saved = download.value.path().read_text(encoding="utf-8")
    assert saved.startswith("TY  - RPRT")
    assert saved.count("ER  - ") == 1
    page.get_by_role("button", name="Not helpful").click()
    page.get_by_label("What is wrong or missing?").fill("Says nothing of dialysis")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("What is wrong or missing?")).to_have_count(0)
    told = httpx.get(f"{service.url}/v1/feedback", params={"rating": "down"}).json()["feedback"]
    assert (_shown(page), "Says nothing of dialysis") in [(one["answer_id"], one["reason"]) for one in told]
    page.reload()
    unhelpful = page.get_by_role("button", name="Not helpful")
    expect(unhelpful).to_have_attribute("aria-pressed", "true")
    expect(page.get_by_role("button", name="Helpful", exact=True)).to_have_attribute("aria-pressed", "false")
    unhelpful.click()
    expect(page.get_by_label("What is wrong or missing?")).to_have_value("Says nothing of dialysis")
    page.get_by_role("button", name="Send").click()
    expect(page.get_by_label("What is wrong or missing?")).to_have_count(0)
    sources = page.locator("#answer .evidence button[data-marker]")
    for at in (0, 1, 0):
        page.keyboard.press("ArrowRight")
        expect(sources.nth(at)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#source mark").first).to_be_visible()
    page.emulate_media(media="print")
    expect(page.locator("#answer .question")).to_be_visible()
    expect(page.locator("#answer .evidence .documents")).to_be_visible()
    expect(page.locator("nav, form, #source, .actions").locator("visible=true")).to_have_count(0)


def _shown(page: Any) -> str:
    """The id of the answer in the address."""
    page.wait_for_url("**/#/answers/*")
    return str(page.url.rpartition("/")[2])
