"""The craft of the whole page: it can be used by everyone, it is harmless whatever a document says, it is quick, and it
asks nothing of anybody else."""

import re
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from conftest import NEEDS_BROWSER, PROJECT

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
axe_playwright = pytest.importorskip("axe_playwright_python.sync_playwright", reason="pip install taiyi-rag[dev]")
expect = sync_api.expect

WEB = PROJECT / "api" / "web"
PATIENCE_MS = 60_000
QUESTION = "Below which eGFR is metformin contraindicated?"
DESKTOP: dict[str, Any] = {"viewport": {"width": 1366, "height": 900}}
PHONE: dict[str, Any] = {"viewport": {"width": 360, "height": 740}, "is_mobile": True, "has_touch": True}
VIEWS = ("#/", "#/compare", "#/library", "#/library/load", "#/library/search", "#/record", "#/health")
FIRST_PAINT_MS = 300
FIRST_LOAD_BYTES = 300_000

SCRIPT = '<img src=x onerror="alert(1)"><script>alert(2)</script>'
OVERRIDE = "\u202e"
LONG_WORD = "W" * 10_000
HOSTILE_NAME = f"{SCRIPT.replace('/', '')}{OVERRIDE}fdp.txt"
HOSTILE_TITLE = f"{SCRIPT} {OVERRIDE}eltit **bold** [link](javascript:alert(3))"
HOSTILE_TEXT = f"""{HOSTILE_TITLE}

Vexirol 4 mg is given at night {SCRIPT} and {OVERRIDE}gninrom eht ni ton, as **Table 1** says.

{LONG_WORD}
"""


@pytest.fixture
def visit(new_page: Any) -> Any:
    """A page with patience, which remembers what it complains of and whatever asks for attention."""

    def opened(**options: Any) -> Any:
        page = new_page(**options)
        page.context.set_default_timeout(PATIENCE_MS)
        expect.set_options(timeout=PATIENCE_MS)
        page.complaints = []
        page.on("pageerror", lambda error: page.complaints.append(str(error)))
        page.on("console", lambda said: page.complaints.append(said.text) if said.type == "error" else None)
        page.on("dialog", lambda dialog: (page.complaints.append(dialog.message), dialog.dismiss()))
        return page

    return opened


@pytest.fixture(scope="module")
def answer(page_server: str) -> dict[str, Any]:
    asked = httpx.post(f"{page_server}/v1/ask", json={"question": QUESTION}, timeout=120)
    given: dict[str, Any] = asked.raise_for_status().json()
    return given


@pytest.fixture(scope="module")
def abstention(page_server: str) -> dict[str, Any]:
    asked = httpx.post(f"{page_server}/v1/ask", json={"question": "What is the capital of France?"}, timeout=120)
    given: dict[str, Any] = asked.raise_for_status().json()
    assert given["status"] == "abstained"
    return given


@pytest.fixture(scope="module")
def hostile(page_server: str) -> Iterator[dict[str, Any]]:
    """A stored answer that quotes a document of which everything is hostile."""
    with httpx.Client(base_url=page_server, timeout=120) as client:
        files = {"file": (HOSTILE_NAME, HOSTILE_TEXT.encode(), "text/plain")}
        job = client.post("/v1/documents", files=files, data={"collection": "hostile"}).raise_for_status().json()
        deadline = time.monotonic() + 120
        while job["state"] in ("queued", "running") and time.monotonic() < deadline:
            time.sleep(0.2)
            job = client.get(f"/v1/jobs/{job['id']}").json()
        assert job["state"] == "succeeded", job
        asked = {"question": "How many mg of Vexirol are given at night?", "collections": ["hostile"]}
        given: dict[str, Any] = client.post("/v1/ask", json=asked).raise_for_status().json()
        assert SCRIPT in given["text"]
        yield given
        document = given["citations"][0]["document_id"]
        client.delete(f"/v1/documents/{document}", params={"purge": True}).raise_for_status()


def _settled(page: Any, address: str) -> None:
    """Goes to a view and waits until it shows what it has to show."""
    page.goto(f"/{address}" if address.startswith("#") else address)
    page.wait_for_load_state("networkidle")
    expect(page.locator("main .view:visible").first).to_be_visible()


def _open_source(page: Any, place: dict[str, Any]) -> None:
    page.evaluate("async place => (await import('./source.js')).openSource(place)", place)
    expect(page.locator("#source .text").first).to_be_visible()


def _violations(page: Any, where: str) -> list[str]:
    found = axe_playwright.Axe().run(page).response["violations"]
    return [
        f"{where}: {one['id']} ({one['impact']}) at {node['target']}: {node['html'][:160]}"
        for one in found
        if one["impact"] in ("serious", "critical")
        for node in one["nodes"][:5]
    ]


class TestEveryView:
    pytestmark = NEEDS_BROWSER

    @pytest.mark.parametrize(
        ("locale", "scheme", "device"),
        [
            ("en-US", "light", DESKTOP),
            ("zh-CN", "dark", DESKTOP),
            ("en-US", "dark", PHONE),
            ("zh-CN", "light", PHONE),
        ],
        ids=["en-light-desktop", "zh-dark-desktop", "en-dark-phone", "zh-light-phone"],
    )
    def test_has_no_serious_violation_of_accessibility_and_fits(
        self,
        visit: Callable[..., Any],
        answer: dict[str, Any],
        abstention: dict[str, Any],
        locale: str,
        scheme: str,
        device: dict[str, Any],
    ) -> None:
        """By axe-core, over every view; each pair of language, colours and device comes up."""
        first, second = (one["marker"] for one in answer["citations"][:2])
        disputed = {
            **answer,
            "conflicts": [{"kind": "number", "message": "", "citations": [first, second], "newer": second}],
        }
        page = visit(locale=locale, color_scheme=scheme, **device)
        found: list[str] = []
        page.route("**/v1/answers/disputed", lambda route: route.fulfill(json=disputed))
        for address in (*VIEWS, *(f"#/answers/{one}" for one in (answer["id"], abstention["id"], "disputed"))):
            _settled(page, address)
            found += _violations(page, address)
            assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), address
        expect(page.locator("#answer .conflicts .sides > li")).to_have_count(2)
        _open_source(page, answer["citations"][0])
        found += _violations(page, "a source")
        paged = next(hit for hit in _hits(page) if hit["page"] and hit["title"].startswith("Hypertension"))
        _open_source(page, paged)
        expect(page.locator("#source img:not(.waiting)")).to_be_visible()
        found += _violations(page, "a page of a source")
        assert found == []
        assert page.complaints == []

    @pytest.mark.parametrize("device", [DESKTOP, PHONE], ids=["desktop", "phone"])
    def test_shows_hostile_titles_names_and_passages_as_harmless_text(
        self, visit: Callable[..., Any], hostile: dict[str, Any], device: dict[str, Any]
    ) -> None:
        page = visit(**device)
        document = hostile["citations"][0]["document_id"]
        shown = {
            f"#/answers/{hostile['id']}": SCRIPT,
            "#/library": SCRIPT,
            f"#/library/documents/{document}": LONG_WORD[:100],
            "#/library/load": "<img src=x onerror=",
            "#/record": "Vexirol",
        }
        for address, text in shown.items():
            _settled(page, address)
            expect(page.locator("main")).to_contain_text(text)
            _assert_harmless(page, address)
        _settled(page, f"#/answers/{hostile['id']}")
        for place in hostile["passages"]:
            _open_source(page, place)
            _assert_harmless(page, "the panel")
        assert any(LONG_WORD[:500] in place["text"] for place in hostile["passages"]), "a long word is read in parts"
        assert page.complaints == []

    def test_is_there_at_once_and_asks_nothing_of_another_host(
        self, visit: Callable[..., Any], page_server: str, record_property: Callable[[str, Any], None]
    ) -> None:
        """Other work only ever adds to a time: on a busy machine it is visited until one visit is not disturbed."""
        paints: list[float] = []
        while len(paints) < 5 or (min(paints) >= FIRST_PAINT_MS and len(paints) < 20):
            page = visit(**DESKTOP)
            asked: list[str] = []
            page.on("request", lambda request, asked=asked: asked.append(request.url))
            page.goto("/")
            expect(page.locator("#home .example").first).to_be_visible()
            page.wait_for_load_state("networkidle")
            paints.append(page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime"))
            weight = page.evaluate(
                "['navigation', 'resource'].flatMap(kind => performance.getEntriesByType(kind))"
                ".reduce((sum, one) => sum + one.transferSize, 0)"
            )
            assert 0 < weight < FIRST_LOAD_BYTES
            assert {urlsplit(url).netloc for url in asked} == {urlsplit(page_server).netloc}
            page.close()
        record_property("first_contentful_paint_ms", sorted(map(round, paints)))
        record_property("first_load_bytes", weight)
        assert min(paints) < FIRST_PAINT_MS, paints


def _hits(page: Any) -> list[dict[str, Any]]:
    asked = {"query": "blood pressure threshold of hypertension in adults", "top_k": 40}
    hits: list[dict[str, Any]] = page.request.post("/v1/search", data=asked).json()["hits"]
    return hits


def _assert_harmless(page: Any, where: str) -> None:
    """Nothing that a document says became an element, nothing reads on in its direction, nothing is pushed aside."""
    assert page.locator("script:not([src]), [onerror], [href^='javascript:'], img[src='x']").count() == 0, where
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth"), where
    leaking = page.evaluate(
        """override => {
          const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
          const found = [];
          for (let node = walker.nextNode(); node; node = walker.nextNode()) {
            if (!node.data.includes(override)) continue;
            let at = node.parentElement;
            const isolates = one => /isolate|plaintext/.test(getComputedStyle(one).unicodeBidi)
              || !/^inline/.test(getComputedStyle(one).display);
            if (!isolates(at)) at = at.closest('[dir=auto], bdi') || at;
            if (!isolates(at)) found.push(node.parentElement.outerHTML.slice(0, 160));
          }
          return found;
        }""",
        OVERRIDE,
    )
    assert leaking == [], where


def test_static_files_are_kept_and_asked_for_again_and_no_answer_lets_foreign_code_in(page_server: str) -> None:
    with httpx.Client(base_url=page_server, timeout=60) as client:
        for name in ("", "app.js", "style.css", "source.css", "icon.svg"):
            given = client.get(f"/{name}")
            assert given.headers["cache-control"] == "no-cache", name
            again = client.get(f"/{name}", headers={"if-none-match": given.headers["etag"]})
            assert (again.status_code, again.content) == (304, b""), name
        for address in (
            "/",
            "/app.js",
            "/v1/collections",
            "/v1/passages/999999",
            "/v1/passages/999999/page.png",
            "/none",
        ):
            headers = client.get(address).headers
            policy = dict(part.strip().split(" ", 1) for part in headers["content-security-policy"].split(";"))
            assert (policy["default-src"], policy["script-src"], policy["style-src"]) == ("'self'", "'self'", "'self'")
            assert (policy["frame-ancestors"], policy["object-src"], policy["base-uri"]) == (
                "'none'",
                "'none'",
                "'none'",
            )
            assert headers["x-content-type-options"] == "nosniff"
            assert headers["referrer-policy"] == "no-referrer"
            assert headers["cross-origin-opener-policy"] == "same-origin"


def test_no_file_of_the_page_has_inline_code_or_reads_text_as_markup() -> None:
    html = (WEB / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<style|\sstyle=|\son[a-z]+=|<script(?![^>]*\ssrc=)|javascript:", html) == []
    assert re.findall(r"""(?:src|href)=["'](?:https?:)?//""", html) == []
    sinks = re.compile(
        r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\(|new Function|DOMParser|srcdoc"
        r"|createContextualFragment|setHTMLUnsafe"
    )
    modules: list[Path] = sorted(WEB.rglob("*.js"))
    assert len(modules) > 10
    assert {path.name: found for path in modules if (found := sinks.findall(path.read_text(encoding="utf-8")))} == {}
