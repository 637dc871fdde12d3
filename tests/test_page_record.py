"""The record and the health of the service in a real browser, against a real server with keys in force."""

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from conftest import NEEDS_BROWSER, find_free_port, start_server
from rag import keys
from rag.database import open_database
from rag.settings import Settings
from rag.types import LOCAL_ADMIN, Role

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
axe = pytest.importorskip(
    "axe_playwright_python.sync_playwright", reason="needs axe-playwright-python (taiyi-rag[dev])"
)
expect = sync_api.expect
pytestmark = NEEDS_BROWSER

ENGLISH = "Below which eGFR is metformin contraindicated?"
CHINESE = "哮喘第1级治疗的首选方案是什么？"
HOSTILE = '<img src=x onerror="alert(1)"> ' + "W" * 200
SLOW_MS = 60_000
PHONE = {
    "viewport": {"width": 360, "height": 740},
    "is_mobile": True,
    "has_touch": True,
    "locale": "zh-CN",
    "color_scheme": "dark",
}


@pytest.fixture(scope="module", autouse=True)
def _patience() -> Iterator[None]:
    """What is expected of the page may take long on a slow machine."""
    expect.set_options(timeout=SLOW_MS)
    yield
    expect.set_options(timeout=5_000)


@pytest.fixture(scope="module")
def kept(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server over a copy of the sample library: its address, the secrets of an administrator, of one of a collection,
    and of a reader, and the ids of what each asked."""
    home = Path(shutil.copytree(sample_home, tmp_path_factory.mktemp("kept") / "home", symlinks=True))
    settings = Settings(home=home)
    found: dict[str, str] = {"home": str(home)}
    callers = {
        "Dr. Adler": (Role.ADMIN, None),
        "Library": (Role.ADMIN, ["default"]),
        "Ward 3": (Role.READER, ["default"]),
    }
    with open_database(settings.sql_url, audit_key=settings.audit_key) as database:
        for name, (role, may) in callers.items():
            with database.writing() as session:
                _, found[name] = keys.create(session, LOCAL_ADMIN, name, role, may)
    port = find_free_port()
    server = start_server(home, port)
    found["url"] = f"http://127.0.0.1:{port}"
    with httpx.Client(base_url=found["url"], timeout=120, trust_env=False) as client:
        for who, question in (("Dr. Adler", ENGLISH), ("Ward 3", CHINESE), ("Ward 3", HOSTILE)):
            headers = {"authorization": f"Bearer {found[who]}"}
            answer = client.post("/v1/ask", json={"question": question}, headers=headers).raise_for_status().json()
            found[question] = answer["id"]
    yield found
    server.terminate()
    server.wait(timeout=30)


@pytest.fixture
def signed_in(browser: Any, kept: dict[str, str]) -> Iterator[Any]:
    """Opens the page for one who is signed in, at an address."""
    contexts = []

    def open_page(who: str, address: str, **options: Any) -> Any:
        context = browser.new_context(base_url=kept["url"], **{"locale": "en-US", **options})
        context.set_default_timeout(SLOW_MS)
        context.grant_permissions(["clipboard-read", "clipboard-write"])
        contexts.append(context)
        page = context.new_page()
        page.goto(f"/{address}")
        page.locator("#sign-in input[name=key]").fill(kept[who])
        page.locator("#sign-in button[type=submit]").click()
        return page

    yield open_page
    for context in contexts:
        context.close()


def seen(page: Any, selector: str) -> Any:
    found = page.locator(selector)
    expect(found.first).to_be_visible(timeout=SLOW_MS)
    return found


def assert_harmless(page: Any) -> None:
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    assert page.locator("main img, main script").count() == 0


def assert_accessible(page: Any) -> None:
    """No violation that axe-core calls serious or critical."""
    found = axe.Axe().run(page).response["violations"]
    grave = [one for one in found if one["impact"] in ("serious", "critical")]
    assert [(one["id"], [node["html"] for node in one["nodes"]][:3]) for one in grave] == []


def test_an_administrator_finds_an_answer_and_replays_it(signed_in: Any, kept: dict[str, str]) -> None:
    page = signed_in("Dr. Adler", "#/record")
    rows = seen(page, ".answers-table tbody tr")
    expect(rows).to_have_count(3)
    expect(rows.filter(has_text=CHINESE)).to_contain_text("Ward 3")
    assert_harmless(page)
    assert_accessible(page)
    page.get_by_label("In the question").fill("EGFR")
    expect(rows).to_have_count(1)
    expect(page).to_have_url(re.compile(r"text=EGFR"))
    page.reload()
    expect(rows).to_have_count(1)
    expect(page.get_by_label("In the question")).to_have_value("EGFR")
    page.get_by_label("Result").select_option("failed")
    expect(page.get_by_text("No answer fits these filters")).to_be_visible()
    page.get_by_role("button", name="Clear filters").click()
    expect(rows).to_have_count(3)
    page.get_by_label("Asked by").select_option(label="Ward 3")
    expect(rows).to_have_count(2)
    rows.filter(has_text=CHINESE).get_by_role("link").click()
    expect(page.locator(".asked-question")).to_have_text(CHINESE)
    expect(page.get_by_role("link", name="Open with its sources")).to_have_attribute(
        "href", f"#/answers/{kept[CHINESE]}"
    )
    page.get_by_role("button", name="Replay this answer").click()
    expect(page.locator(".outcome")).to_contain_text("Identical")
    headers = {"authorization": f"Bearer {kept['Dr. Adler']}"}
    answer = page.request.get(f"/v1/answers/{kept[CHINESE]}", headers=headers).json()
    cited = answer["citations"][0]
    assert page.request.delete(f"/v1/documents/{cited['document_id']}", headers=headers).ok
    page.get_by_role("button", name="Replay again").click()
    expect(page.locator(".outcome")).to_contain_text("Not identical")
    expect(page.locator("[data-what=retrieval]")).to_contain_text("no longer found")
    expect(page.locator("[data-what=retrieval]")).to_contain_text(cited["title"])
    expect(page.locator("[data-what=corpus]")).to_contain_text("The library has moved on")
    assert_accessible(page)
    page.get_by_role("button", name="中文").click()
    expect(page.locator(".outcome")).to_contain_text("不一致")


def test_the_audit_record_is_read_narrowed_checked_and_exported(signed_in: Any, kept: dict[str, str]) -> None:
    page = signed_in("Dr. Adler", "#/record/audit")
    rows = seen(page, ".audit-table tbody tr")
    page.get_by_label("What").select_option("answer")
    expect(rows).to_have_count(3)
    expect(rows.first).to_contain_text("Ward 3")
    expect(rows.last).to_contain_text("Dr. Adler")
    expect(rows.last).to_contain_text("127.0.0.1")
    with page.expect_download() as downloading:
        page.get_by_role("link", name="Export as JSON Lines").click()
    lines = Path(downloading.value.path()).read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["action"] for line in lines] == ["answer"] * 3
    page.get_by_text("Is the record whole?").click()
    page.get_by_role("button", name="Check the record").click()
    expect(page.locator(".verifying .outcome")).to_contain_text("The record is whole")
    head = page.locator(".verifying code").text_content()
    page.get_by_label("A head that was kept elsewhere").fill(f"{head.split(':')[0]}:{'0' * 64}")
    page.get_by_role("button", name="Check the record").click()
    expect(page.locator(".verifying .outcome")).to_contain_text("The record is not whole")
    assert_accessible(page)


def test_a_key_is_made_shown_once_used_and_revoked_on_a_phone_in_chinese(signed_in: Any, kept: dict[str, str]) -> None:
    page = signed_in("Dr. Adler", "#/record/keys", **PHONE)
    rows = seen(page, ".keys-table tbody tr")
    expect(rows).to_have_count(3)
    page.get_by_role("button", name="创建密钥").click()
    page.get_by_label("名称").fill("Ward 5 " + "W" * 60)
    page.locator("[name=collection]").check()
    page.get_by_label("每分钟请求数").fill("50")
    page.get_by_role("button", name="English").click()
    expect(page.get_by_label("Name")).to_have_value(re.compile("Ward 5"))
    page.get_by_role("button", name="中文").click()
    assert_harmless(page)
    assert_accessible(page)
    page.locator(".key-form button[type=submit]").click()
    secret = page.get_by_label("密钥内容").input_value()
    assert secret.startswith("trag_")
    page.get_by_role("button", name="复制", exact=True).click()
    assert page.evaluate("navigator.clipboard.readText()") == secret
    made = {"authorization": f"Bearer {secret}"}
    may = page.request.get("/v1/session", headers=made).json()
    assert (may["role"], may["collections"]) == ("reader", ["default"])
    assert_harmless(page)
    page.get_by_role("button", name="我已复制").click()
    kept_there = (
        "JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}, document.documentElement.outerHTML])"
    )
    assert secret not in page.evaluate(kept_there)
    assert secret not in (Path(kept["home"]) / "serve.log").read_text()
    page.reload()
    expect(rows).to_have_count(4)
    assert secret not in page.content()
    rows.filter(has_text="Ward 5").get_by_role("button").click()
    expect(page.get_by_role("dialog")).to_contain_text("吊销 Ward 5")
    page.get_by_role("dialog").get_by_role("button", name="吊销").click()
    expect(rows).to_have_count(3)
    assert page.request.get("/v1/collections", headers=made).status == 401
    page.goto("/#/record")
    seen(page, ".answers-table tbody tr")
    assert_harmless(page)
    page.goto("/#/record/audit")
    expect(seen(page, ".audit-table tbody tr").filter(has_text="吊销密钥")).to_have_count(1)
    assert_harmless(page)
    page.goto("/#/health")
    expect(seen(page, ".health h2")).to_contain_text("一切正常")
    assert_harmless(page)


def test_health_shows_what_runs_and_the_last_hour(signed_in: Any, kept: dict[str, str]) -> None:
    complaints: list[str] = []
    page = signed_in("Dr. Adler", "#/health")
    page.on("console", lambda message: complaints.append(message.text))
    page.on("pageerror", lambda error: complaints.append(str(error)))
    expect(seen(page, ".health h2")).to_have_text("Everything works")
    parts = page.locator(".parts-table")
    for part in ("Database", "Index", "Embedder", "Sentence check", "Loading worker", "Disk"):
        expect(parts.locator("tr", has_text=part).first).to_contain_text("works")
    expect(parts).to_contain_text("calibrated")
    answers = page.locator("figure", has_text="Answers")
    expect(answers.locator("strong")).to_have_text("3")
    expect(answers.locator("svg")).to_have_attribute("aria-label", re.compile("answered 2"))
    expect(page.locator(".stages")).to_contain_text("finding passages")
    expect(page.locator(".health-storage")).to_contain_text(kept["home"])
    expect(page.locator(".health-to-do")).to_contain_text("No language model is set")
    assert_accessible(page)
    headers = {"authorization": f"Bearer {kept['Ward 3']}"}
    page.request.post("/v1/ask", data={"question": ENGLISH}, headers=headers, timeout=SLOW_MS)
    expect(answers.locator("strong")).to_have_text("4", timeout=SLOW_MS)
    page.context.set_offline(True)
    expect(page.locator(".health-head")).to_contain_text("could not be brought up to date", timeout=SLOW_MS)
    page.context.set_offline(False)
    expect(page.locator(".health-head")).not_to_contain_text("could not be brought up to date", timeout=SLOW_MS)
    assert [one for one in complaints if "ERR_INTERNET_DISCONNECTED" not in one] == []


def test_a_reader_sees_their_own_answers_and_nothing_of_the_whole_service(signed_in: Any, kept: dict[str, str]) -> None:
    page = signed_in("Ward 3", "#/record")
    rows = seen(page, ".answers-table tbody tr")
    expect(rows.filter(has_text=CHINESE)).to_have_count(1)
    expect(page.get_by_role("link", name=kept[ENGLISH])).to_have_count(0)
    expect(page.locator(".record ~ .tabs, .tabs").locator("visible=true")).to_have_count(0)
    expect(page.get_by_label("Asked by")).to_have_count(0)
    for place in ("audit", "keys"):
        page.goto(f"/#/record/{place}")
        expect(page.locator(".record .box")).to_contain_text("role admin")
    page.goto("/#/health")
    expect(seen(page, ".health h2")).to_have_text("Everything works")
    expect(page.locator(".counts")).to_contain_text("default")
    expect(page.locator(".health figure, .health-storage").locator("visible=true")).to_have_count(0)
    assert kept["home"] not in page.content()


def test_an_administrator_goes_on_after_somebody_elses_answer_in_a_conversation_of_their_own(
    signed_in: Any, kept: dict[str, str]
) -> None:
    page = signed_in("Dr. Adler", f"#/answers/{kept[CHINESE]}")
    page.get_by_label("Follow-up question").fill("那么第2级呢？")
    with page.expect_request("**/v1/ask") as asked:
        page.keyboard.press("Enter")
    sent = asked.value.post_data_json
    assert [turn["question"] for turn in sent["history"]] == [CHINESE]
    assert "conversation_id" not in sent
    expect(page.locator("#answer .turn[data-state=settled]")).to_have_count(2)


def test_the_form_to_sign_in_and_health_that_is_slow_keep_nobody_out(
    browser: Any, signed_in: Any, kept: dict[str, str]
) -> None:
    with browser.new_context(base_url=kept["url"]) as context:
        page = context.new_page()
        page.goto("/")
        seen(page, "#sign-in input[name=key]")
        assert_accessible(page)
    page = signed_in("Dr. Adler", "#/record")
    seen(page, ".answers-table tbody tr")
    held: list[Any] = []
    page.route("**/v1/health", lambda route: held.append(route))
    with page.expect_request("**/v1/health"):
        page.get_by_role("link", name="Health").click()
    seen(page, ".view[data-view=health] .busy")
    held[0].continue_()
    expect(seen(page, ".health h2")).to_have_text("Everything works")
    expect(page.locator(".view[data-view=health] .busy")).to_have_count(0)


def test_an_administrator_of_one_collection_makes_keys_for_it_alone(signed_in: Any) -> None:
    page = signed_in("Library", "#/record/keys")
    rows = seen(page, ".keys-table tbody tr")
    expect(rows).to_have_count(2)
    expect(page.get_by_role("link", name="Audit")).to_have_count(0)
    page.get_by_role("button", name="Make a key").click()
    expect(page.get_by_label("every collection")).to_have_count(0)
    page.get_by_label("Name").fill("Ward 9")
    page.get_by_role("button", name="Make the key").click()
    expect(page.locator(".key-form")).to_contain_text("Choose at least one collection")


def test_both_languages_have_the_same_texts(signed_in: Any) -> None:
    page = signed_in("Ward 3", "#/record")
    for name in ("record", "health"):
        named = page.evaluate(
            """async (name) => {
                const { en, zh } = await import(`/words/${name}.js`);
                const names = (texts) => Object.entries(texts).flatMap(([name, text]) =>
                    typeof text === "object" ? names(text).map((key) => `${name}.${key}`) : [name]);
                return [names(en), names(zh)];
            }""",
            name,
        )
        assert named[0] == named[1]
