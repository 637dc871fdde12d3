"""The reports' two languages, and their tables in a browser."""

import re
import shutil
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest

from api.qa_report import ARM_NAMES, HELD, NAMES, REFUSALS, STANDINGS
from api.report import LANGUAGES, chinese, render

TEMPLATES = sorted(Path(str(files("api"))).joinpath("reports").glob("*.html"))
VERDICTS = ("supported", "partial", "unsupported", "uncited", "contradicted")
SAID_BY_CODE = {
    *NAMES.values(),
    *ARM_NAMES.values(),
    *HELD.values(),
    *REFUSALS,
    *STANDINGS,
    *VERDICTS,
    "micro F1",
    "published, Taiyi 2",
}
HOLE = re.compile(r"%\((\w+)\)s")
SAME = {"F1", "GPT-3.5", "DeepSeek-14B", "p, Holm"}
"""Names that are the same in both languages."""


def said_by_templates() -> set[str]:
    """The words that the templates name, as the words of the other language are found by."""
    from jinja2 import Environment

    environment = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    environment.policies["ext.i18n.trimmed"] = True
    said: Any = environment
    said.install_null_translations(newstyle=True)
    found = set()
    for template in TEMPLATES:
        for _, _, message in said.extract_translations(template.read_text(encoding="utf-8")):
            if first := message if isinstance(message, str) else message and message[0]:
                found.add(first)
    return found


def test_both_languages_have_every_word_and_fill_in_the_same() -> None:
    english, words = said_by_templates() | SAID_BY_CODE, chinese()
    assert len(english) > 150
    assert english - words.keys() == set(), "without Chinese"
    assert words.keys() - english == set(), "no longer said"
    for one, other in words.items():
        assert sorted(HOLE.findall(one)) == sorted(HOLE.findall(other)), one
        assert one.count("%") == other.count("%"), one
        assert re.search(r"[\u4e00-\u9fff]", other) or one in SAME, one


def test_templates_say_nothing_outside_of_what_is_translated() -> None:
    """Words of letters between tags, once what is filled in and what is translated is taken out."""
    for template in TEMPLATES:
        left = template.read_text(encoding="utf-8")
        if template.name == "page.html":
            continue
        left = re.sub(r"\{% trans.*?endtrans %\}|\{#.*?#\}|\{\{.*?\}\}|\{%.*?%\}|<[^>]*>", " ", left, flags=re.DOTALL)
        left = re.sub(r"\b(sha256|UTC|AUROC|p)\b", " ", left)
        assert not re.search(r"[A-Za-z]{2,}", left), (template.name, re.search(r"[A-Za-z]{2,}", left))


sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
expect = sync_api.expect
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
needs_chromium = pytest.mark.skipif(CHROMIUM is None, reason="this needs Chromium (apt-get install chromium)")
TABLE = """
<h1>{% trans %}Figures{% endtrans %}</h1>
<table class="sortable"><thead><tr><th scope="col">{% trans %}arm{% endtrans %}</th><th scope="col">p</th></tr></thead>
<tbody>{% for name, p in rows %}<tr><th scope="row">{{ name }}</th><td>{{ p }}
<span class="interval">of 9</span></td></tr>{% endfor %}</tbody></table>
"""
ROWS = [("b", "0.5"), ("d", "–"), ("a", "2e-05"), ("<b>c", "-10.25"), ("e", "10")]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        chromium = playwright.chromium.launch(
            executable_path=CHROMIUM, args=["--no-sandbox", "--disable-gpu"], timeout=60_000
        )
        yield chromium
        chromium.close()


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


@pytest.mark.browser
@needs_chromium
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


@pytest.mark.browser
@needs_chromium
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
