"""Signing in at the web page in a real browser: with a key, and through an OpenID provider on another site."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from openid_provider import CLIENT, SECRET, OpenIdProvider

from conftest import NEEDS_BROWSER, find_free_port, start_server
from rag import keys
from rag.database import open_database
from rag.settings import Settings
from rag.types import LOCAL_ADMIN, Role

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
expect = sync_api.expect
pytestmark = NEEDS_BROWSER

ENGLISH = "Below which eGFR is metformin contraindicated?"
CHINESE = "哮喘第1级治疗的首选方案是什么？"


@pytest.fixture(scope="module")
def closed(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A server over a copy of the sample library with keys and a provider: its address and the keys' secrets. The
    provider is on ``localhost``, which to a browser is another site than ``127.0.0.1``."""
    home = Path(shutil.copytree(sample_home, tmp_path_factory.mktemp("closed") / "home", symlinks=True))
    settings = Settings(home=home)
    found: dict[str, str] = {}
    with open_database(settings.sql_url, audit_key=settings.audit_key) as database:
        for role in Role:
            with database.writing() as session:
                key, found[role.value] = keys.create(session, LOCAL_ADMIN, role.value, role, ["default"])
                found[f"{role.value} id"] = key.id
    provider, port = OpenIdProvider("localhost"), find_free_port()
    server = start_server(
        home,
        port,
        RAG_OIDC_ISSUER=provider.issuer,
        RAG_OIDC_CLIENT_ID=CLIENT,
        RAG_OIDC_CLIENT_SECRET=SECRET,
        RAG_OIDC_GROUPS=json.dumps({"cardiology": {"role": "reader", "collections": ["default"]}}),
    )
    yield {**found, "url": f"http://127.0.0.1:{port}", "home": str(home)}
    server.terminate()
    server.wait(timeout=30)
    provider.close()


@pytest.fixture
def stranger(browser: Any, closed: dict[str, str]) -> Iterator[Any]:
    """A browser of somebody who is not signed in, at the page."""
    context = browser.new_context(base_url=closed["url"], locale="en-US")
    context.set_default_timeout(60_000)
    expect.set_options(timeout=60_000)
    page = context.new_page()
    page.goto("/")
    yield page
    expect.set_options(timeout=5_000)
    context.close()


def sign_in(page: Any, secret: str) -> None:
    page.get_by_label("Access key").fill(secret)
    page.get_by_role("button", name="Sign in").click()


def test_a_stranger_is_asked_to_sign_in_and_shown_nothing_else(stranger: Any) -> None:
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(stranger.get_by_label("Access key")).to_be_focused()
    expect(stranger.locator("#question, #home .example, #sign-out, nav a").locator("visible=true")).to_have_count(0)
    stranger.get_by_role("button", name="中文").click()
    expect(stranger.get_by_role("heading", name="登录")).to_be_visible()
    expect(stranger.get_by_role("link", name="使用机构账号登录")).to_be_visible()
    assert stranger.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


def test_a_wrong_key_is_said_and_the_right_one_opens_the_page(stranger: Any, closed: dict[str, str]) -> None:
    sign_in(stranger, "trag_" + "x" * 43)
    expect(stranger.get_by_role("alert")).to_contain_text("not known here")
    sign_in(stranger, closed["reader"])
    expect(stranger.locator("#home .example")).to_have_count(4)
    expect(stranger.locator("#sign-in")).to_be_hidden()
    expect(stranger.get_by_role("link", name="Record")).to_be_visible()
    expect(stranger.get_by_role("link", name="Health")).to_be_hidden()
    stranger.locator("#question").fill(ENGLISH)
    stranger.keyboard.press("Enter")
    expect(stranger.locator("#answer .turn[data-state=settled] .question")).to_have_text(ENGLISH)
    cookie = next(one for one in stranger.context.cookies() if one["name"] == "taiyi")
    assert (cookie["httpOnly"], cookie["sameSite"]) == (True, "Strict")
    stored = stranger.evaluate("JSON.stringify([document.cookie, {...localStorage}, {...sessionStorage}])")
    assert closed["reader"] not in stored
    assert cookie["value"] not in stored
    stranger.reload()
    expect(stranger.locator("#answer .question")).to_have_text(ENGLISH)


def test_an_editor_loads_a_document_and_signs_out(stranger: Any, closed: dict[str, str]) -> None:
    sign_in(stranger, closed["editor"])
    expect(stranger.locator("#home .example")).to_have_count(4)
    stranger.goto("/#/library/load")
    stranger.locator(".load-form input[name=file]").set_input_files(
        {"name": "vexol.md", "mimeType": "text/markdown", "buffer": b"# Vexol\n\nVexol 4 mg is given at night.\n"}
    )
    stranger.get_by_role("button", name="Load 1 file").click()
    job = stranger.locator("li[data-job]", has_text="vexol.md")
    expect(job).to_have_attribute("data-state", "succeeded")
    stranger.get_by_role("button", name="Sign out").click()
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(job).to_have_count(0)
    assert stranger.context.cookies() == []
    assert stranger.request.get("/v1/collections").status == 401


def test_a_revoked_key_brings_the_form_back_at_the_next_question(stranger: Any, closed: dict[str, str]) -> None:
    settings = Settings(home=Path(closed["home"]))
    with open_database(settings.sql_url, audit_key=settings.audit_key) as database:
        with database.writing() as session:
            key, secret = keys.create(session, LOCAL_ADMIN, "short", Role.READER)
        sign_in(stranger, secret)
        expect(stranger.locator("#home .example")).to_have_count(4)
        with database.writing() as session:
            keys.revoke(session, LOCAL_ADMIN, key.id)
    stranger.locator("#question").fill(CHINESE)
    stranger.keyboard.press("Enter")
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()
    expect(stranger.locator("#question")).to_be_hidden()


def test_the_institutions_account_signs_in_across_sites(stranger: Any) -> None:
    stranger.get_by_role("link", name="Sign in with your institution's account").click()
    expect(stranger.locator("#home .example")).to_have_count(4)
    assert stranger.url.endswith("/")
    stranger.locator("#question").fill(ENGLISH)
    stranger.keyboard.press("Enter")
    expect(stranger.locator("#answer .question")).to_have_text(ENGLISH)
    stranger.get_by_role("button", name="Sign out").click()
    expect(stranger.get_by_role("heading", name="Sign in")).to_be_visible()
