"""The web page in a real browser, against a real server over the sample library."""

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from conftest import NEEDS_BROWSER

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
expect = sync_api.expect

pytestmark = NEEDS_BROWSER

ENGLISH = "Below which eGFR is metformin contraindicated?"
CHINESE = "哮喘第1级治疗的首选方案是什么？"
ABSURD = "What is the capital of France?"
WORDS = Path(__file__).parent.parent / "api" / "web" / "words"
HOSTILE = '<img src=x onerror="alert(1)"><script>alert(2)</script>'

# 𬌗 (U+2C317), an everyday word of Chinese dentistry, is one code point and two UTF-16 units.
RARE_QUOTE = "𬌗面窝沟封闭适用于𬌗面窝沟较深的六龄齿🦷。"
RARE_DOCUMENT = f"""𬌗面窝沟封闭 {HOSTILE}

😀𠮷{HOSTILE}𬌗学概述。{RARE_QUOTE}封闭后每6个月复查一次。
"""


@pytest.fixture(autouse=True)
def _patience() -> Iterator[None]:
    """For machines that are busy with other things."""
    expect.set_options(timeout=60_000)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="session")
def rare_document(page_server: str) -> str:
    """The id of a loaded document whose title and text hold markup and signs beyond the Basic Multilingual Plane."""
    files = {"file": ("occlusal.txt", RARE_DOCUMENT.encode(), "text/plain")}
    with httpx.Client(base_url=page_server, timeout=60) as client:
        job = client.post("/v1/documents", files=files, data={"collection": "rare"}).raise_for_status().json()
        deadline = time.monotonic() + 60
        while job["state"] in ("queued", "running") and time.monotonic() < deadline:
            time.sleep(0.2)
            job = client.get(f"/v1/jobs/{job['id']}").json()
        assert job["state"] == "succeeded", job
        documents = client.get("/v1/documents", params={"collection": "rare"}).json()["documents"]
    return str(documents[0]["id"])


def test_an_english_question_is_answered_in_sentences_each_with_its_numbered_source(page: Any) -> None:
    answer = _ask(page, ENGLISH)
    assert answer["status"] == "answered"
    items = page.locator("#answer .sentences > li")
    expect(items).to_have_count(len(answer["sentences"]))
    for item, sentence in zip(items.all(), answer["sentences"], strict=True):
        assert item.locator("q").text_content() == sentence["text"]
        assert item.locator("button").all_text_contents() == [f"[{n}]" for n in sentence["citations"]]
    used = len({citation["passage_id"] for citation in answer["citations"]})
    counted = f"Searched {answer['documents_searched']} documents, used {used} passages, from 1 current edition"
    expect(page.locator("#answer .status")).to_have_text(counted)
    for citation in answer["citations"]:
        place = page.locator(".evidence .documents > li", has_text=citation["title"])
        expect(place).to_contain_text(citation["edition"])
        expect(place.get_by_role("button", name=f"[{citation['marker']}]")).to_be_visible()


def test_a_chinese_reader_asks_in_chinese_and_finds_the_page_in_chinese(new_page: Any) -> None:
    page = new_page(locale="zh-CN")
    page.goto("/")
    expect(page.get_by_role("button", name="提问")).to_be_visible()
    answer = _ask(page, CHINESE)
    assert answer["status"] == "answered"
    expect(page.locator("#answer q").first).to_have_text(answer["sentences"][0]["text"])
    expect(page.locator("#answer q").first).to_have_attribute("lang", "zh")
    expect(page.get_by_role("button", name=f"出处 [1]：{answer['citations'][0]['title']}")).to_be_visible()


@pytest.mark.parametrize(
    ("locale", "asked", "shown", "told"),
    [
        ("en-US", f"Mr. Zebulon Quartermain: {ENGLISH}", f"Mr. [name]: {ENGLISH}", "taken out of the question"),
        ("zh-CN", f"患者欧阳靖雯，{CHINESE}", f"患者[姓名]，{CHINESE}", "已从问题中隐去"),
    ],
)
def test_a_name_in_a_question_is_gone_from_the_page_and_its_reader_told(
    new_page: Any, locale: str, asked: str, shown: str, told: str
) -> None:
    page = new_page(locale=locale)
    page.goto("/")
    field = page.locator("#question")
    field.fill(asked)
    with page.expect_response("**/v1/ask"):
        field.press("Enter")
    expect(page.locator("#answer .notices")).to_contain_text(told)
    expect(page.locator("#answer h2").first).to_have_text(shown)
    expect(field).to_have_value(shown)
    page.reload()
    expect(page.locator("#answer .notices")).to_contain_text(told)


def test_the_language_is_switched_in_place_and_remembered(page: Any) -> None:
    answer = _ask(page, ENGLISH)
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_role("heading", name="出处")).to_be_visible()
    expect(page.locator("#answer q").first).to_have_text(answer["sentences"][0]["text"])
    page.reload()
    expect(page.get_by_label("您的问题")).to_have_value(ENGLISH)
    expect(page.locator("html")).to_have_attribute("lang", "zh")


def test_both_languages_have_the_same_texts(page: Any) -> None:
    files = [file.name for file in WORDS.glob("*.js")]
    assert "common.js" in files
    named = page.evaluate(
        """async (files) => {
            const names = (texts) => Object.entries(texts).flatMap(([name, text]) =>
                typeof text === "object" ? Object.keys(text).map((key) => `${name}.${key}`) : [name]);
            const texts = await Promise.all(files.map((file) => import(`/words/${file}`)));
            return texts.filter(({ en }) => en).map(({ en, zh }) => [names(en), names(zh)]);
        }""",
        files,
    )
    for english, chinese in named:
        assert english == chinese


def test_an_example_question_is_one_click(page: Any) -> None:
    page.get_by_role("button", name=CHINESE).click()
    expect(page.locator("#answer .chip").first).to_be_visible()
    expect(page.get_by_label("Your question")).to_have_value(CHINESE)


def test_an_empty_library_says_how_to_fill_it(new_page: Any) -> None:
    page = new_page()
    empty = {"collections": [{"name": "default", "documents": 0, "passages": 0}]}
    page.route("**/v1/collections", lambda route: route.fulfill(json=empty))
    page.goto("/")
    expect(page.locator("#home")).to_contain_text("taiyi-rag ingest PATH")
    expect(page.locator("#home button")).to_have_count(0)


@pytest.mark.parametrize("question", [ENGLISH, CHINESE])
def test_opening_a_source_marks_exactly_the_quote(page: Any, question: str) -> None:
    answer = _ask(page, question)
    for citation in answer["citations"]:
        page.locator("#answer .chip", has_text=f"[{citation['marker']}]").click()
        expect(page.locator("#source .meta").first).to_have_text(f"Source [{citation['marker']}]")
        expect(page.locator("#source mark")).to_have_text(citation["quote"])
        _assert_marked_where_cited(page, citation)
        expect(page.locator("#source-title")).to_have_text(citation["title"])
        expect(page.locator("#source dl")).to_contain_text(citation["edition"])


def test_a_quote_among_signs_beyond_utf16_is_marked_to_the_code_point_and_markup_stays_text(
    page: Any, rare_document: str
) -> None:
    dialogs: list[Any] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    answer = _ask(page, "𬌗面窝沟封闭适用于什么？")
    citation = next(one for one in answer["citations"] if RARE_QUOTE in one["quote"])
    assert citation["document_id"] == rare_document
    page.locator("#answer .chip", has_text=f"[{citation['marker']}]").click()
    _assert_marked_where_cited(page, citation)
    expect(page.locator("#source .text")).to_contain_text(HOSTILE)
    assert page.locator("img, main script, aside script").count() == 0
    assert dialogs == []


def test_a_text_that_changed_since_it_was_quoted_is_shown_without_a_mark(page: Any, page_server: str) -> None:
    answer = _ask(page, ENGLISH)
    citation = answer["citations"][0]
    passage = httpx.get(f"{page_server}/v1/passages/{citation['passage_id']}").json()
    changed = {**passage, "text": "x" * len(passage["text"])}
    page.route("**/v1/passages/*", lambda route: route.fulfill(json=changed))
    page.locator("#answer .chip").first.click()
    expect(page.locator("#source .text").filter(has_text="xxx")).to_be_visible()
    expect(page.locator("#source mark")).to_have_count(0)
    expect(page.locator("#source blockquote")).to_have_text(citation["quote"])


def test_a_superseded_source_is_marked_as_such(page: Any) -> None:
    def supersede(answer: dict[str, Any]) -> None:
        for citation in answer["citations"]:
            citation.update(superseded=True, retracted=citation["marker"] > 1)

    _changed(page, supersede)
    _ask(page, ENGLISH)
    source = page.locator(".evidence .documents > li").first
    expect(source.get_by_text("superseded", exact=True)).to_be_visible()
    expect(page.locator("#answer .status")).to_contain_text("from 0 current editions and 1 that no longer holds")
    page.locator("#answer .chip").first.hover()
    expect(page.locator("#card")).to_contain_text("This edition no longer holds")
    page.locator("#answer .chip").nth(1).hover()
    expect(page.locator("#card")).to_contain_text("This text was retracted")
    page.locator("#answer .chip").first.click()
    expect(page.locator("#source")).to_contain_text("A newer edition of this document has replaced this one.")


def test_a_source_says_how_strong_its_evidence_is_and_where_else_it_stands(page: Any) -> None:
    other: dict[str, Any] = {}

    def strengthen(answer: dict[str, Any]) -> None:
        cited = answer["citations"][0]["passage_id"]
        last = answer["passages"][-1]
        other.update({key: last[key] for key in ("passage_id", "section", "page")}, title=HOSTILE, whole=False)
        evidence = {"level": 1, "label": "Systematic Review", "year": 2021, "reason": "Systematic Review, 2021"}
        for hit in answer["passages"]:
            if hit["passage_id"] == cited:
                hit.update(also=[other], evidence=evidence)

    _changed(page, strengthen)
    _ask(page, ENGLISH)
    source = page.locator(".evidence .documents > li").first
    expect(source.locator(".evidence-level")).to_have_text("Systematic Review · 2021 (evidence level 1 of 5)")
    source.get_by_text("Also in 1 other place").click()
    expect(source.locator(".also button")).to_contain_text(HOSTILE)
    expect(source.locator(".also button")).to_contain_text("(most of it)")
    source.locator(".also button").click()
    expect(page.locator("#source .text").first).to_be_visible()
    assert page.locator("img, main script, aside script").count() == 0
    page.get_by_role("button", name="中文").click()
    expect(source.locator(".evidence-level")).to_contain_text("证据等级 1")


def test_a_confidence_is_never_rounded_to_certainty(page: Any) -> None:
    _changed(page, lambda answer: answer.update(confidence=0.99987, confidence_reasons=["Its passage is very likely."]))
    _ask(page, ENGLISH)
    expect(page.get_by_text("confidence > 0.99")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    expect(page.get_by_text("置信度 > 0.99")).to_be_visible()


def test_an_answer_recorded_without_them_is_shown(page: Any) -> None:
    def older(answer: dict[str, Any]) -> None:
        del answer["documents_searched"]
        for hit in answer["passages"]:
            del hit["also"], hit["evidence"]

    _changed(page, older)
    answer = _ask(page, ENGLISH)
    expect(page.locator(".evidence .documents > li").first).to_contain_text(answer["citations"][0]["title"])
    expect(page.locator(".evidence .evidence-level, .evidence .also")).to_have_count(0)
    expect(page.locator("#answer .status")).to_contain_text(f"{len(answer['passages'])} passages considered")


def test_an_abstention_is_a_result_with_the_closest_passages(page: Any) -> None:
    answer = _ask(page, ABSURD)
    assert answer["status"] == "abstained"
    told = page.locator("#answer .unanswered")
    expect(told).to_contain_text(answer["text"].split("\n")[0])
    expect(told).to_contain_text(answer["abstention"]["looked_for"])
    for near in answer["abstention"]["nearest"]:
        expect(told).to_contain_text(near["title"])
    expect(page.locator("#answer .status")).to_contain_text("used none")
    expect(page.locator("#answer .chip")).to_have_count(0)
    closest = page.locator(".evidence .closest button")
    expect(closest.first).to_contain_text(answer["passages"][0]["title"])
    closest.first.click()
    expect(page.locator("#source .text").first).to_be_visible()
    expect(page.locator("#source mark")).to_have_count(0)


def test_markup_in_a_question_stays_text(page: Any) -> None:
    dialogs: list[Any] = []
    page.on("dialog", lambda dialog: (dialogs.append(dialog.message), dialog.dismiss()))
    answer = _ask(page, HOSTILE)
    expect(page.locator("#answer .question")).to_have_text(answer["question"])
    page.reload()
    expect(page.locator("#answer .question")).to_have_text(HOSTILE)
    assert page.locator("img, main script").count() == 0
    assert dialogs == []


def test_the_address_of_an_answer_shows_it_again_and_back_leaves_it(page: Any) -> None:
    first = _ask(page, ENGLISH)
    second = _ask(page, CHINESE)
    assert urlsplit(page.url).fragment == f"/answers/{second['id']}"
    page.reload()
    expect(page.locator("#answer q").first).to_have_text(second["sentences"][0]["text"])
    page.go_back()
    expect(page.locator("#answer q").first).to_have_text(first["sentences"][0]["text"])
    expect(page.get_by_label("Your question")).to_have_value(ENGLISH)
    page.go_back()
    expect(page.locator("#home .example")).to_have_count(4)


def test_what_is_typed_and_asked_while_the_page_comes_up_is_not_lost(new_page: Any) -> None:
    page = new_page()
    page.route("**/v1/session", lambda route: (time.sleep(1), route.continue_()))
    page.goto("/")
    assert _ask(page, ENGLISH)["status"] == "answered"
    expect(page.locator("#question")).to_have_value(ENGLISH)


def test_the_field_keeps_the_focus_while_its_view_is_loaded(new_page: Any) -> None:
    page = new_page()
    held: list[Any] = []
    page.route("**/ask_view.js", lambda route: held.append(route))
    with page.expect_request("**/ask_view.js"):
        page.goto("/")
    page.locator("#question").fill(ENGLISH, timeout=5_000)
    expect(page.locator("#navigation a[aria-current]")).to_have_count(1)
    _let_it_draw(page)
    expect(page.locator("#question")).to_be_focused(timeout=1_000)
    held[0].continue_()
    expect(page.locator("#home .example")).to_have_count(4)
    expect(page.locator("#question")).to_be_focused()
    assert _ask(page, ENGLISH)["status"] == "answered"


def test_examples_are_offered_only_where_the_sample_is_that_they_are_about(new_page: Any) -> None:
    page = new_page()
    page.route("**/v1/documents?q=taiyi-demo*", lambda route: route.fulfill(json={"documents": [], "total": 0}))
    page.goto("/")
    expect(page.locator("#home")).to_contain_text("Answers come from")
    expect(page.locator("#home .example")).to_have_count(0)
    page.get_by_role("link", name="See which").click()
    expect(page.get_by_label("Find in the library")).to_be_visible()


def test_an_unknown_answer_is_a_problem_with_its_request_id(page: Any) -> None:
    with page.expect_response("**/v1/answers/unknown") as response:
        page.goto("/#/answers/unknown")
    problem = response.value.json()
    expect(page.locator("#answer .box")).to_contain_text(problem["title"])
    expect(page.locator("#answer .box")).to_contain_text(problem["detail"])
    expect(page.locator("#answer .box")).to_contain_text(problem["request_id"])


def test_a_service_that_does_not_answer_says_what_to_check(page: Any) -> None:
    expect(page.locator("#home .example")).to_have_count(4)
    page.context.set_offline(True)
    page.get_by_label("Your question").fill(ENGLISH)
    page.keyboard.press("Enter")
    expect(page.locator("#answer .box")).to_contain_text("The service does not answer")
    expect(page.locator("#answer .box")).to_contain_text("taiyi-rag serve")
    expect(page.get_by_label("Your question")).to_have_value(ENGLISH)


def test_nothing_is_asked_of_another_host_and_the_console_stays_clean(new_page: Any, page_server: str) -> None:
    page = new_page()
    requests: list[str] = []
    complaints: list[str] = []
    weights: list[int] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("response", lambda response: weights.append(int(response.headers.get("content-length", 0))))
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto("/")
    expect(page.locator("#home .example")).to_have_count(4)
    assert 50_000 < sum(weights) < 300_000
    _ask(page, ENGLISH)
    page.locator("#answer .chip").first.click()
    expect(page.locator("#source mark")).to_be_visible()
    page.get_by_role("button", name="中文").click()
    page.keyboard.press("Escape")
    _ask(page, ABSURD)
    assert complaints == []
    assert {urlsplit(url).netloc for url in requests} == {urlsplit(page_server).netloc}


@pytest.mark.parametrize("question", [ENGLISH, ABSURD, "W" * 300])
def test_a_phone_never_scrolls_sideways(new_page: Any, question: str) -> None:
    page = new_page(viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True)
    page.goto("/")
    expect(page.locator("#home .example")).to_have_count(4)
    _assert_fits(page)
    _ask(page, question)
    _assert_fits(page)
    page.locator("#answer .chip, .evidence .closest button").first.tap()
    expect(page.locator("#source .text").first).to_be_visible()
    _assert_fits(page)


def test_the_keyboard_alone_asks_opens_and_closes(page: Any) -> None:
    expect(page.locator("#home .example")).to_have_count(4)
    page.keyboard.press("/")
    field = page.get_by_label("Your question")
    expect(field).to_be_focused()
    page.keyboard.type("1/2 " + ENGLISH)
    expect(field).to_have_value("1/2 " + ENGLISH)
    field.fill(ENGLISH)
    page.keyboard.press("Enter")
    chip = page.locator("#answer .turn[data-state=settled] .chip").first
    chip.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#source mark")).to_be_visible()
    expect(page.locator("#source-title")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.locator("#source")).to_be_hidden()
    expect(chip).to_be_focused()


def test_enter_that_accepts_a_word_of_an_input_method_does_not_ask(page: Any) -> None:
    field = page.get_by_label("Your question")
    field.fill("哮喘")
    field.dispatch_event("keydown", {"key": "Enter", "isComposing": True, "bubbles": True})
    expect(page.locator("#answer")).to_be_empty()


def _ask(page: Any, question: str) -> Any:
    """Asks and waits until the page shows the answer; gives the answer as the service sent it."""
    page.locator("#question").fill(question)
    former = page.url
    page.keyboard.press("Enter")
    page.wait_for_url(lambda url: url != former and "#/answers/" in url)
    expect(page.locator("#answer .turn[data-state=settled] .question")).to_have_text(question)
    return page.request.get(f"/v1/answers/{urlsplit(page.url).fragment.rpartition('/')[2]}").json()


def _let_it_draw(page: Any) -> None:
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def _changed(page: Any, change: Callable[[dict[str, Any]], None]) -> None:
    """Lets the page hear of answers as ``change`` leaves them."""

    def reply(route: Any) -> None:
        lines = route.fetch().text().split("\n")
        at = lines.index("event: answer") + 1
        answer = json.loads(lines[at].removeprefix("data: "))
        change(answer)
        lines[at] = f"data: {json.dumps(answer)}"
        route.fulfill(content_type="text/event-stream", body="\n".join(lines))

    page.route("**/v1/ask", reply)


def _assert_marked_where_cited(page: Any, citation: dict[str, Any]) -> None:
    """What is marked is the quote, and stands as far into the passage as the citation says."""
    mark = page.locator("#source mark")
    expect(mark).to_have_text(citation["quote"])
    assert mark.text_content() == citation["quote"]
    marked = mark.locator("xpath=..").text_content()
    before = mark.evaluate("mark => mark.previousSibling ? mark.previousSibling.textContent : ''")
    passage = page.request.get(f"/v1/passages/{citation['passage_id']}").json()
    assert marked == passage["text"]
    assert len(before) == citation["char_start"] - passage["char_start"]


def _assert_fits(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
