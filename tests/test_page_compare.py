"""The comparison on the page, in a real browser, with a model that says what a test wants said."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
from scripted_server import Messages, Script, Service, eventually, number_of, shown_passages

from conftest import NEEDS_BROWSER
from kept_runs import EVALUATION, HOSTILE, keep
from rag.database import open_database
from rag.settings import Settings

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install taiyi-rag[dev]")
expect = sync_api.expect

pytest_plugins = ["service_fixtures"]
pytestmark = NEEDS_BROWSER

QUESTION = "Below which eGFR is metformin contraindicated?"
TRUE = "Metformin is contraindicated when the eGFR is below 30 mL/min/1.73 m2"
ALSO_TRUE = "Starting metformin is not recommended when the eGFR is between 30 and 45 mL/min/1.73 m2"
WRONG = "Metformin is contraindicated when the eGFR is below 60 mL/min/1.73 m2"
UNHEARD_OF = "Metformin lowers the risk of pancreatic cancer in smokers"
MODEL_NEEDED = {
    "type": "about:blank",
    "title": "Unavailable",
    "status": 503,
    "detail": "Mode 'grounded' needs a language model and none is configured: set RAG_LLM_URL to a vLLM server",
    "request_id": "r1",
}
PHONE = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}


def saying(memory: str, library: str = f"{TRUE} [TRUE]. {ALSO_TRUE} [TRUE].") -> Any:
    """From memory one thing, and another where passages are shown."""

    def said(messages: Messages) -> Script:
        if not shown_passages(messages):
            return memory
        return library.replace("[TRUE]", f"[{number_of(TRUE, messages)}]")

    return said


@pytest.fixture
def new_page(browser: Any, service: Service) -> Iterator[Any]:
    """Opens pages of the service, whose complaints fail the test, but for the refusals that it asks for."""
    contexts, complaints = [], []

    def open_page(**options: Any) -> Any:
        context = browser.new_context(base_url=service.url, **{"locale": "en-US", **options})
        context.set_default_timeout(60_000)
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("console", lambda message: complaints.append(message.text))
        return page

    expect.set_options(timeout=60_000)
    yield open_page
    expect.set_options(timeout=5_000)
    for context in contexts:
        context.close()
    assert [one for one in complaints if "Failed to load resource" not in one] == []


def compare(page: Any, question: str = QUESTION) -> Any:
    """Compares and gives what the service sent."""
    page.locator("#to-compare").fill(question)
    with page.expect_response(lambda response: response.url.endswith("/v1/compare")) as response:
        page.keyboard.press("Enter")
    given = response.value.json()
    expect(page.locator(".compared")).to_be_visible()
    return given


def kinds(page: Any) -> list[str]:
    return list(page.locator(".aligned > li").evaluate_all("rows => rows.map(row => row.dataset.kind)"))


def fits(page: Any) -> bool:
    return bool(page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"))


def barriers(page: Any) -> list[str]:
    """What keeps people out, seriously or worse, by axe-core."""
    found = axe_playwright.Axe().run(page).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    return [f"{one['id']}: {node['html'][:160]}" for one in grave for node in one["nodes"]]


def test_statements_stand_side_by_side_with_what_the_passages_say_of_those_from_memory(
    new_page: Any, service: Service
) -> None:
    service.model.reset(saying(f"{WRONG}. {ALSO_TRUE}. {UNHEARD_OF}."))
    page = new_page(permissions=["clipboard-read", "clipboard-write"])
    page.goto("/#/compare")
    expect(page.locator(".examples button")).to_have_count(2)
    given = compare(page)
    assert kinds(page) == ["number", "same", "onlyUngrounded"]
    rows = page.locator(".aligned > li")
    assert rows.nth(0).locator("mark").all_text_contents()[:1] != rows.nth(0).locator("mark").all_text_contents()[1:]
    for row, side, statement in ((0, "grounded", TRUE), (0, "ungrounded", WRONG), (1, "grounded", ALSO_TRUE)):
        expect(rows.nth(row).locator(f".{side} .statement")).to_have_text(f"{statement}.")
    expect(rows.nth(2).locator(".grounded")).to_have_class("cell grounded empty")
    expect(rows.nth(0).locator(".ungrounded .says.contradicts")).to_be_visible()
    issue = given["difference"]["ungrounded"][0]["corpus"]["issues"][0]["message"]
    expect(rows.nth(0).locator(".ungrounded .reason")).to_contain_text(issue)
    expect(rows.nth(1).locator(".ungrounded .says.supports")).to_be_visible()
    expect(rows.nth(2).locator(".says.does_not_mention")).to_contain_text("Not in the passages")
    assert barriers(page) == []

    rows.nth(0).locator(".chip").first.click()
    cited = given["grounded"]["citations"][0]
    expect(page.locator("#source")).to_contain_text(cited["title"])
    expect(page.locator("#source mark").first).to_have_text(cited["quote"])
    rows.nth(0).locator(".quote-link").first.click()
    expect(page.locator("#source mark").first).to_have_text(
        given["difference"]["ungrounded"][0]["corpus"]["quotes"][0]["quote"]
    )
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()

    page.get_by_role("button", name="Copy as text").click()
    expect(page.locator(".told-line")).to_have_text("Copied.")
    copied = page.evaluate("navigator.clipboard.readText()")
    for words in (QUESTION, f"With evidence: {TRUE}. [1]", f"Without evidence: {WRONG}.", "[1] " + cited["title"]):
        assert words in copied

    assert page.url.endswith(f"#/compare/{given['id']}")
    asked = len(service.model.requests)
    page.reload()
    expect(page.locator(".aligned > li")).to_have_count(3)
    assert kinds(page) == ["number", "same", "onlyUngrounded"]
    assert len(service.model.requests) == asked, "a stored comparison asks no model"
    page.get_by_role("button", name="中文").click()
    expect(rows.nth(0).locator(".kind")).to_have_text("数值不同")
    expect(page.locator("#to-compare")).to_have_value(QUESTION)
    page.goto(f"/#/compare/of/{given['grounded']['id']}")
    expect(page.locator("#to-compare")).to_have_value(QUESTION)
    expect(page.get_by_role("button", name="对照", exact=True)).to_be_focused()
    page.goto("/#/compare/nothing-nothing")
    expect(page.locator(".comparison .box")).to_contain_text("nothing-nothing")


def test_on_a_phone_the_sides_stand_under_each_other_and_hostile_words_stay_words(
    new_page: Any, service: Service
) -> None:
    service.model.reset(saying(f"{HOSTILE} is harmful in gout. {'W' * 400} 5 mg is given. {UNHEARD_OF}."))
    page = new_page(locale="zh-CN", color_scheme="dark", **PHONE)
    page.goto("/#/compare")
    expect(page.locator("label[for=to-compare]")).to_have_text("要回答两次的问题")
    compare(page, f"{QUESTION} {HOSTILE}")
    expect(page.locator(".compared-question")).to_have_text(f"{QUESTION} {HOSTILE}")
    row = page.locator(".aligned > li", has=page.locator(".grounded:not(.empty)")).first
    here, there = row.locator(".grounded"), row.locator(".ungrounded")
    assert here.bounding_box()["y"] + here.bounding_box()["height"] <= there.bounding_box()["y"] + 1
    expect(here.locator(".cell-side")).to_have_text("有依据")
    assert fits(page)
    assert barriers(page) == []
    assert page.locator("main script, main img").count() == 0


def test_what_takes_long_is_stopped_and_the_model_with_it(new_page: Any, service: Service) -> None:
    go = threading.Event()
    service.model.reset(lambda messages: ["It", go, " is done."])
    page = new_page()
    page.goto("/#/compare")
    page.locator("#to-compare").fill(QUESTION)
    page.keyboard.press("Enter")
    expect(page.get_by_role("status")).to_contain_text("Both answers are being written")
    expect(page.locator(".panes-busy .busy")).to_have_count(2)
    assert eventually(lambda: len(service.model.requests) >= 2, 60)
    page.get_by_role("button", name="Stop").click()
    expect(page.locator(".told-line")).to_contain_text("Stopped")
    expect(page.get_by_role("button", name="Compare", exact=True)).to_be_visible()
    assert eventually(lambda: service.model.left >= 2, 60)
    go.set()


def test_without_a_language_model_it_says_what_to_start(new_page: Any) -> None:
    page = new_page()
    page.route(
        lambda url: url.endswith("/v1/compare"),
        lambda route: route.fulfill(status=503, json=MODEL_NEEDED, content_type="application/problem+json"),
    )
    page.goto("/#/compare")
    page.locator("#to-compare").fill(QUESTION)
    page.get_by_role("button", name="Compare", exact=True).click()
    box = page.locator(".no-model")
    expect(box).to_contain_text("make llm")
    expect(box).to_contain_text(MODEL_NEEDED["detail"])
    expect(page.locator("#to-compare")).to_have_value(QUESTION)
    page.get_by_role("button", name="中文").click()
    expect(box).to_contain_text("没有语言模型应答")
    page.route("**/v1/models", lambda route: route.fulfill(json={"object": "list", "data": []}))
    page.goto("/#/library")
    page.goto("/#/compare")
    expect(page.locator(".no-model")).to_contain_text("make llm")


def test_a_language_chosen_while_the_view_is_loaded_holds_for_all_of_it(new_page: Any) -> None:
    page = new_page()
    held: list[Any] = []
    page.route("**/v1/models", lambda route: held.append(route))
    with page.expect_request("**/v1/models"):
        page.goto("/#/compare")
    expect(page.get_by_label("A question to answer twice")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("link", name="文献库")).to_be_visible()
    for route in held:
        route.continue_()
    expect(page.get_by_label("要回答两次的问题")).to_be_visible()
    expect(page.get_by_role("button", name="对照", exact=True)).to_be_visible()


def test_a_run_over_a_set_is_shown_with_its_table_its_plots_and_its_questions(new_page: Any, service: Service) -> None:
    page = new_page()
    page.goto("/#/compare/runs")
    expect(page.locator(".box")).to_contain_text("compare --questions")
    settings = Settings(home=service.home)
    with open_database(settings.sql_url, audit_key=settings.audit_key) as database, database.writing() as session:
        kept = keep(session, True)
    page.reload()
    row = page.locator(".runs tbody tr")
    expect(row).to_contain_text(EVALUATION.run["questions"]["name"])
    expect(row.locator("td.number")).to_have_text(["6", "0.400", "1.000"])
    row.get_by_role("link").click()
    assert page.url.endswith(f"#/compare/runs/{kept}")
    report = page.frame_locator("iframe.report")
    expect(report.locator("h2").first).to_have_text("Figures")
    expect(report.locator(".charts svg").first).to_be_visible()
    accuracies = report.locator("table").first.locator("tbody td:nth-child(2)")
    expect(accuracies).to_contain_text(["0.400", "1.000"])
    report.get_by_role("button", name="accuracy").first.click()
    report.get_by_role("button", name="accuracy").first.click()
    expect(accuracies).to_contain_text(["1.000", "0.400"])
    frame = page.locator("iframe.report")
    inside = frame.evaluate("frame => frame.contentDocument.body.scrollHeight")
    assert abs(frame.bounding_box()["height"] - inside) <= 2
    questions = page.locator(".questions > li")
    expect(questions).to_have_count(6)
    assert barriers(page) == []
    expect(questions.first).to_contain_text(HOSTILE)
    page.get_by_label("Only those on which").check()
    expect(questions).to_have_count(3)
    page.get_by_role("button", name="中文").click()
    expect(report.locator("h2").first).to_have_text("指标")
    page.set_viewport_size({"width": 360, "height": 740})
    assert fits(page)
    page.goto("/#/compare/runs/nothing")
    expect(page.locator(".box")).to_contain_text("nothing")
