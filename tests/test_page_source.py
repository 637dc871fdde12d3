"""A source opened at its page: over HTTP as an image with the cited words marked, and in the panel of the page."""

import io
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import anyio
import httpx
import numpy as np
import pytest
from anyio.from_thread import BlockingPortal, start_blocking_portal
from PIL import Image

from api.drawing import MOST_OF_ONE, Drawing, TooManyPages
from conftest import NEEDS_BROWSER
from ingestion.pages import Pages

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
expect = sync_api.expect

QUESTION = "What is the blood pressure threshold of hypertension in adults?"
PATIENCE_MS = 60_000


@pytest.fixture(scope="module")
def client(page_server: str) -> Any:
    with httpx.Client(base_url=page_server, timeout=120) as opened:
        yield opened


@pytest.fixture(scope="module")
def sources(client: httpx.Client) -> list[dict[str, Any]]:
    """Three places of a PDF with two sentences each, as an answer cites them, and one of a document without pages."""
    hits = client.post("/v1/search", json={"query": QUESTION, "top_k": 40}).json()["hits"]
    paged = [hit for hit in hits if hit["title"].startswith("Hypertension in adults") and ". " in hit["text"][:-2]]
    plain = next(hit for hit in hits if hit["page"] is None and hit["section"] and ". " in hit["text"][:-2])
    return [_cited(hit, marker) for marker, hit in enumerate([*paged[:3], plain], 1)]


def _cited(hit: dict[str, Any], marker: int) -> dict[str, Any]:
    """The hit's second sentence, or what stands for one."""
    start = hit["text"].find(". ") + 2
    quote = hit["text"][start : hit["text"].find(".", start) + 1] or hit["text"][start:]
    char_start = hit["char_start"] + start
    return {**hit, "marker": marker, "quote": quote, "char_start": char_start, "char_end": char_start + len(quote)}


def _range(citation: dict[str, Any]) -> dict[str, int]:
    return {"char_start": citation["char_start"], "char_end": citation["char_end"]}


def _marked(png: bytes) -> Any:
    """Which pixels are marked, by row and column."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    return (pixels[:, :, 0] > 150) & (pixels[:, :, 2] < 150)


def test_the_page_comes_as_an_image_on_which_exactly_the_boxes_are_marked(
    client: httpx.Client, sources: list[dict[str, Any]]
) -> None:
    address = f"/v1/passages/{sources[0]['passage_id']}"
    marks = client.get(f"{address}/boxes", params=_range(sources[0])).json()
    assert marks["exact"]
    assert client.get(address).json()["page_image"] is True

    given = client.get(f"{address}/page.png", params={**_range(sources[0]), "width": 700})
    assert (given.status_code, given.headers["content-type"]) == (200, "image/png")
    assert given.headers["cache-control"] == "private, no-cache"
    assert given.headers["x-content-type-options"] == "nosniff"
    marked = _marked(given.content)
    assert marked.shape[1] == 800, "the width is the next of a few"
    page = next(one for one in marks["pages"] if one["page"] == marks["boxes"][0][0])
    scale = 800 / page["width"]
    inside = np.zeros_like(marked)
    for number, left, top, right, bottom in marks["boxes"]:
        if number == page["page"]:
            rows, columns = (
                slice(int(top * scale), int(bottom * scale) + 5),
                slice(int(left * scale), int(right * scale) + 2),
            )
            inside[rows, columns] = True
            assert marked[rows, columns].mean() > 0.4
    assert not (marked & ~inside).any()

    whole = client.get(f"{address}/page.png", params={"width": 700})
    assert _marked(whole.content).sum() > 1.5 * marked.sum(), "without a range the passage is marked"
    other = 1 if page["page"] != 1 else marks["page_count"]
    assert not _marked(client.get(f"{address}/page.png", params={**_range(sources[0]), "page": other}).content).any()

    again = client.get(
        f"{address}/page.png",
        params={**_range(sources[0]), "width": 700},
        headers={"if-none-match": given.headers["etag"]},
    )
    assert (again.status_code, again.content) == (304, b"")


def test_what_has_no_page_says_why(client: httpx.Client, sources: list[dict[str, Any]]) -> None:
    paged, plain = (f"/v1/passages/{sources[at]['passage_id']}" for at in (0, -1))
    for address, params, status, said in (
        (f"{plain}/page.png", {}, 404, "has its text"),
        (f"{plain}/boxes", {}, 404, "has its text"),
        (f"{paged}/page.png", {"page": 99}, 404, "There is no page 99"),
        (f"{paged}/page.png", {"char_start": 10_000_000}, 422, "the passage reaches from"),
        (f"{paged}/page.png", {"width": 100_000}, 422, "width"),
        ("/v1/passages/999999/page.png", {}, 404, "no passage"),
        ("/v1/passages/nonsense/boxes", {}, 404, "no passage"),
    ):
        refused = client.get(address, params=params)
        assert (refused.status_code, said in refused.text) == (status, True), (address, refused.text)
    assert client.get(plain).json()["page_image"] is False


def test_one_reader_with_many_pages_does_not_hold_up_another() -> None:
    """With room for two drawings, one caller has one of them and the other is free, however many the one waits for."""
    with start_blocking_portal() as portal, ThreadPoolExecutor(MOST_OF_ONE + 2) as threads:
        drawing, hold = portal.call(_drawing), anyio.Event()

        def held(portal: BlockingPortal) -> str:
            portal.call(hold.wait)
            return "done"

        greedy = [threads.submit(portal.call, drawing.run, "greedy", held, portal) for _ in range(MOST_OF_ONE)]
        while portal.call(_waiting, drawing) < MOST_OF_ONE:
            pass
        assert portal.call(drawing.run, "other", lambda: "at once") == "at once"
        with pytest.raises(TooManyPages, match="in a moment"):
            portal.call(drawing.run, "greedy", held, portal)
        portal.call(hold.set)
        assert [one.result() for one in greedy] == ["done"] * MOST_OF_ONE
        assert portal.call(_waiting, drawing) == 0


async def _drawing() -> Drawing:
    return Drawing(Pages.__new__(Pages))


async def _waiting(drawing: Drawing) -> int:
    return drawing.waiting


@pytest.fixture
def opened(new_page: Any, sources: list[dict[str, Any]]) -> Any:
    """Opens the page and, on it, a source among all of them, as a view does."""

    def open_at(at: int, **options: Any) -> Any:
        page = new_page(**options)
        page.context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.goto("/")
        expect(page.locator("#home .example").first).to_be_visible()
        page.locator("#question").focus()
        opening = "async ([places, at]) => (await import('./source.js')).openSource(places[at], places)"
        page.evaluate(opening, [sources, at])
        return page

    return open_at


class TestPanel:
    pytestmark = NEEDS_BROWSER

    def test_the_page_is_shown_with_the_mark_in_sight_and_turned_and_enlarged(
        self, opened: Any, sources: list[dict[str, Any]]
    ) -> None:
        page = opened(0)
        drawn = page.locator("#source img:not(.waiting)")
        expect(drawn).to_be_visible()
        expect(page.locator("#source mark")).to_have_text(sources[0]["quote"])
        assert _marked(page.locator("#source .frame").screenshot()).any(), "the mark is scrolled into sight"
        number = sources[0]["page"]
        expect(page.locator("#source .place")).to_have_text(f"Page {number} of 3")
        assert f"Page {number} of 3" in drawn.get_attribute("alt")

        narrow = drawn.bounding_box()["width"]
        page.get_by_role("button", name="Larger").click()
        expect(drawn).to_be_visible()
        assert drawn.bounding_box()["width"] == pytest.approx(1.5 * narrow, rel=0.02)
        assert _marked(page.locator("#source .frame").screenshot()).any()
        page.get_by_role("button", name="Fit width").click()

        turn = "Next page" if number < 3 else "Previous page"
        page.get_by_role("button", name=turn).click()
        expect(page.get_by_role("button", name="To the marked words")).to_be_visible()
        expect(drawn).to_be_visible()
        assert not _marked(page.locator("#source .frame").screenshot()).any()
        page.get_by_role("button", name="To the marked words").click()
        expect(page.locator("#source .place")).to_have_text(f"Page {number} of 3")

    def test_arrows_walk_the_sources_and_escape_gives_the_focus_back(
        self, opened: Any, sources: list[dict[str, Any]]
    ) -> None:
        page = opened(2)
        expect(page.locator("#source-title")).to_be_focused()
        expect(page.locator("#source .meta").first).to_have_text("Source [3]")
        page.keyboard.press("ArrowRight")
        expect(page.locator("#source .meta").first).to_have_text("Source [4]")
        expect(page.locator("#source mark")).to_have_text(sources[3]["quote"])
        expect(page.locator("#source .sheet")).to_have_count(0)
        expect(page.locator("#source dl")).to_contain_text(sources[3]["section"])
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#source .meta").first).to_have_text("Source [3]")
        expect(page.locator("#source img:not(.waiting)")).to_be_visible()
        page.get_by_role("button", name="Next passage").click()
        expect(page.get_by_role("button", name="Back to what was cited")).to_be_visible()
        page.get_by_role("button", name="Back to what was cited").click()
        expect(page.locator("#source mark")).to_have_text(sources[2]["quote"])
        page.keyboard.press("Escape")
        expect(page.locator("#source")).to_be_hidden()
        expect(page.locator("#question")).to_be_focused()

    def test_on_a_phone_it_covers_the_page_which_then_cannot_be_reached(self, opened: Any) -> None:
        page = opened(0, viewport={"width": 360, "height": 740}, is_mobile=True, has_touch=True, locale="zh-CN")
        expect(page.locator("#source img:not(.waiting)")).to_be_visible()
        box = page.locator("#source").bounding_box()
        assert (box["x"], box["y"], box["width"], box["height"]) == (0, 0, 360, 740)
        assert _marked(page.locator("#source .frame").screenshot()).any()
        assert page.locator(".page").evaluate("page => page.inert")
        expect(page.get_by_role("dialog")).to_be_visible()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        page.get_by_role("button", name="关闭").tap()
        expect(page.locator("#source")).to_be_hidden()
        assert not page.locator(".page").evaluate("page => page.inert")

    def test_a_source_that_no_longer_holds_says_why_and_a_page_that_fails_leaves_the_text(self, opened: Any) -> None:
        page = opened(3)
        expect(page.locator("#source mark")).to_be_visible()

        def retract(route: Any) -> None:
            passage = route.fetch().json()
            for edition in passage["document"]["editions"]:
                if edition["id"] == passage["edition_id"]:
                    edition.update(standing="retracted", retraction="<b>Data</b> were invented.")
            route.fulfill(json=passage)

        page.route("**/v1/passages/*", retract)
        page.route("**/page.png?*", lambda route: route.abort())
        page.keyboard.press("ArrowLeft")
        expect(page.locator("#source .standing")).to_contain_text("This document was retracted")
        expect(page.locator("#source .standing")).to_contain_text("<b>Data</b> were invented.")
        expect(page.locator("#source .told")).to_contain_text("The page could not be drawn")
        expect(page.locator("#source mark")).to_be_visible()
        page.unroute("**/page.png?*")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#source .told")).to_be_hidden()
