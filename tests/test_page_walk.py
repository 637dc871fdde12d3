"""The way of a person who has never seen the page: asks, opens a source, compares, loads a PDF, asks about it, deletes
it. In a real browser, against a real service, with a model that says what the test wants said."""

from collections.abc import Iterator
from io import BytesIO
from typing import Any

import pytest
from scripted_server import Messages, Script, Service, number_of, shown_passages

from conftest import NEEDS_BROWSER

sync_api = pytest.importorskip("playwright.sync_api", reason="the browser tests need playwright (taiyi-rag[dev])")
expect = sync_api.expect
pytest.importorskip("reportlab")
from reportlab.pdfgen.canvas import Canvas  # type: ignore[import-untyped]  # noqa: E402 - after the skip

pytest_plugins = ["service_fixtures"]
pytestmark = NEEDS_BROWSER

QUESTION = "Below which eGFR is metformin contraindicated?"
TRUE = "Metformin is contraindicated when the eGFR is below 30 mL/min/1.73 m2"
WRONG = "Metformin is contraindicated when the eGFR is below 60 mL/min/1.73 m2"
OF_THE_PDF = "How is Vexol given at night?"
DOSE = "Vexol 4 mg is given at night"
PATIENCE_MS = 60_000


def says(messages: Messages) -> Script:
    """From memory what is wrong; from the passages what they say."""
    shown = shown_passages(messages)
    if not shown:
        return f"{WRONG}."
    said = next((one for one in (DOSE, TRUE) if any(one in text for text in shown.values())), None)
    return f"{said} [{number_of(said, messages)}]." if said else "The passages do not say."


def pdf_of_two_pages() -> bytes:
    made = BytesIO()
    canvas = Canvas(made)
    canvas.setTitle("Vexol in tension headache")
    canvas.drawString(72, 760, "Vexol in tension headache")
    canvas.drawString(72, 730, "This page names who wrote the text, and when.")
    canvas.showPage()
    canvas.drawString(72, 760, "Dose")
    canvas.drawString(72, 730, f"{DOSE}.")
    canvas.drawString(72, 710, "The dose is not raised in the first week.")
    canvas.showPage()
    canvas.save()
    return made.getvalue()


@pytest.fixture
def page(browser: Any, service: Service) -> Iterator[Any]:
    """A desktop of an English reader; what the page complains of fails the test."""
    complaints: list[str] = []
    context = browser.new_context(base_url=service.url, locale="en-US", viewport={"width": 1366, "height": 900})
    context.set_default_timeout(PATIENCE_MS)
    expect.set_options(timeout=PATIENCE_MS)
    opened = context.new_page()
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    opened.on("console", lambda message: complaints.append(message.text))
    yield opened
    expect.set_options(timeout=5_000)
    context.close()
    assert complaints == []


def test_a_person_asks_opens_a_source_compares_loads_a_pdf_asks_about_it_and_deletes_it(
    page: Any, service: Service
) -> None:
    service.model.reset(says)
    page.goto("/")
    ask(page, QUESTION, f"{TRUE}.")
    page.locator("#answer [data-state=settled] .chip").first.click()
    source = page.locator("#source")
    expect(source.locator("mark").first).to_contain_text(TRUE)
    page.keyboard.press("Escape")
    expect(source).to_be_hidden()

    page.get_by_role("link", name="Compare", exact=True).click()
    page.get_by_label("A question to answer twice").fill(QUESTION)
    page.get_by_role("button", name="Compare", exact=True).click()
    row = page.locator(".aligned > li").first
    expect(row).to_contain_text("Another number")
    expect(row.locator(".grounded")).to_contain_text(TRUE)
    expect(row.locator(".ungrounded")).to_contain_text("Contradicted by the passages")

    page.get_by_role("link", name="Library").click()
    page.get_by_role("link", name="Load", exact=True).click()
    pdf = {"name": "vexol.pdf", "mimeType": "application/pdf", "buffer": pdf_of_two_pages()}
    page.locator(".load-form input[name=file]").set_input_files(pdf)
    page.locator(".load-form [type=submit]").click()
    job = page.locator("li[data-job]", has_text="vexol.pdf")
    expect(job.locator(".state")).to_have_text("done")

    job.get_by_role("link", name="Ask about it").click()
    expect(page.locator("#question")).to_be_focused()
    ask(page, OF_THE_PDF, f"{DOSE}.")
    page.locator("#answer [data-state=settled] .chip").first.click()
    image = source.locator("img")
    expect(image).to_have_attribute("alt", "Page 2 of 2 as an image. The marked words are in the text below it.")
    assert "page=2" in image.get_attribute("src")
    assert image.evaluate("async (image) => { await image.decode(); return image.naturalWidth }") > 0
    expect(source.locator("mark").first).to_have_text(f"{DOSE}.")
    page.keyboard.press("Escape")

    page.get_by_role("link", name="Library").click()
    page.get_by_role("link", name="Vexol in tension headache").click()
    page.get_by_role("button", name="Delete", exact=True).click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("vexol.pdf")
    dialog.get_by_role("button", name="Delete", exact=True).click()
    expect(page.locator(".receipt")).to_contain_text("Vexol in tension headache")

    page.get_by_role("link", name="Ask", exact=True).click()
    page.locator("#question").fill(OF_THE_PDF)
    page.keyboard.press("Enter")
    expect(
        page.locator("#answer [data-state=settled] .unanswered, #answer [data-state=settled] .sentences")
    ).to_be_visible()
    expect(page.locator("#answer")).not_to_contain_text(DOSE)


def ask(page: Any, question: str, sentence: str) -> None:
    page.locator("#question").fill(question)
    page.keyboard.press("Enter")
    expect(page.locator("#answer [data-state=settled] .sentences")).to_contain_text(sentence)
    expect(page.locator("#answer [data-state=settled] .chip").first).to_be_enabled()
