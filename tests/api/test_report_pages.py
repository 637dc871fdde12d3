"""A report in a browser: its languages, and its tables by the keyboard."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from api.report import LANGUAGES, render
from conftest import NEEDS_BROWSER

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
expect = sync_api.expect
pytestmark = NEEDS_BROWSER
TABLE = """
<h1>{% trans %}Figures{% endtrans %}</h1>
<table class="sortable"><thead><tr><th scope="col">{% trans %}arm{% endtrans %}</th><th scope="col">p</th></tr></thead>
<tbody>{% for name, p in rows %}<tr><th scope="row">{{ name }}</th><td>{{ p }}
<span class="interval">of 9</span></td></tr>{% endfor %}</tbody></table>
"""
ROWS = [("b", "0.5"), ("d", "–"), ("a", "2e-05"), ("<b>c", "-10.25"), ("e", "10")]


@pytest.fixture(params=[True, False], ids=["with-script", "without-script"])
def has_script(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def open_page(browser: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A report of one table, opened as the file that it is."""
    import api.report as report

    known = report._environment

    def with_the_table(language: str) -> Any:
        from jinja2 import ChoiceLoader, DictLoader

        environment = known(language)
        environment.loader = ChoiceLoader([DictLoader({"table.html": TABLE}), environment.loader])  # type: ignore[list-item]
        return environment

    monkeypatch.setattr(report, "_environment", with_the_table)
    (tmp_path / "report.html").write_text(render("table.html", "A report", rows=ROWS), "utf-8")
    contexts = []

    def opened(**options: Any) -> Any:
        context = browser.new_context(**options)
        contexts.append(context)
        page = context.new_page()
        page.goto((tmp_path / "report.html").as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()


def names(page: Any) -> list[str]:
    return [one.strip() for one in page.locator("main:visible tbody th").all_text_contents()]


def test_a_report_is_in_the_language_that_is_chosen_also_without_a_script(open_page: Any, has_script: bool) -> None:
    page = open_page(java_script_enabled=has_script)
    expect(page.get_by_role("heading", level=1)).to_have_text("Figures")
    page.get_by_text("中文").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("指标")
    page.get_by_role("radio", name="中文").press("ArrowLeft")
    expect(page.get_by_role("heading", level=1)).to_have_text("Figures")
    assert names(page) == [name for name, _ in ROWS]
    expect(page.locator("main:visible thead button")).to_have_count(2 if has_script else 0)
    assert page.title() == "A report"
    assert list(LANGUAGES) == ["en", "zh"]


def test_a_table_is_sorted_by_the_keyboard_numbers_as_numbers(open_page: Any) -> None:
    page = open_page()
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    arm, p = page.locator("main:visible thead th").all()
    p.get_by_role("button").focus()
    page.keyboard.press("Enter")
    assert names(page) == ["<b>c", "a", "b", "e", "d"]
    expect(p).to_have_attribute("aria-sort", "ascending")
    page.keyboard.press("Space")
    assert names(page) == ["e", "b", "a", "<b>c", "d"], "what has no value stays last"
    expect(p).to_have_attribute("aria-sort", "descending")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    assert names(page)[1:] == ["a", "b", "d", "e"]
    expect(arm).to_have_attribute("aria-sort", "ascending")
    assert p.get_attribute("aria-sort") is None
    page.keyboard.press("Enter")
    page.keyboard.press("Enter")
    assert names(page) == [name for name, _ in ROWS], "as they were"
    assert arm.get_attribute("aria-sort") is None
    assert complaints == []
