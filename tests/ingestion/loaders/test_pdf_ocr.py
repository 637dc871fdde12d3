"""Pages that are pictures of text: read with Tesseract where it is installed, else named as needing it."""

from difflib import SequenceMatcher
from pathlib import Path
from typing import Any

import numpy as np
import pypdfium2
import pytest
from pdf_pages import HEIGHT, PARAGRAPH, WIDTH, lines, loaded, pdf, texts, words_of

from ingestion.loaders.pdf import ocr
from rag.errors import UnreadableFile

pytest.importorskip("reportlab")
from reportlab.lib.utils import ImageReader  # type: ignore[import-untyped]
from reportlab.pdfbase import pdfmetrics  # type: ignore[import-untyped]
from reportlab.pdfbase.cidfonts import UnicodeCIDFont  # type: ignore[import-untyped]

needs_tesseract = pytest.mark.skipif("eng" not in ocr.languages(), reason="the program tesseract is not installed")
needs_chinese = pytest.mark.skipif("chi_sim" not in ocr.languages(), reason="tesseract-ocr-chi-sim is not installed")


def picture(draw: Any) -> Any:
    """A page as a scanner sees it."""
    return pypdfium2.PdfDocument(pdf(draw))[0].render(scale=4, grayscale=True).to_pil()


def scan(page: Any, draw: Any) -> None:
    page.drawImage(ImageReader(picture(draw)), 0, 0, WIDTH, HEIGHT)


def paragraph(page: Any) -> None:
    lines(page, PARAGRAPH, 72, 700, 12)


def one_text_and_one_scanned_page(page: Any) -> None:
    lines(page, ["This page has text."], 72, 700)
    page.showPage()
    scan(page, paragraph)


@needs_tesseract
def test_a_scanned_page_is_read_with_boxes_between_pages_of_text(tmp_path: Path) -> None:
    document = loaded(tmp_path, pdf(one_text_and_one_scanned_page))

    assert [(block.text, block.page) for block in document.blocks] == [
        ("This page has text.", 1),
        (" ".join(PARAGRAPH), 2),
    ]
    block = document.blocks[1]
    assert words_of(block) == PARAGRAPH
    for number, box in enumerate(block.boxes):
        baseline = HEIGHT - 700 + 14.4 * number
        assert box.left == pytest.approx(72, abs=2)
        assert box.top < baseline - 6 < baseline < box.bottom + 2


@needs_chinese
def test_a_scanned_page_in_chinese_has_no_spaces_between_characters(tmp_path: Path) -> None:
    pdfmetrics.registerFont(UnicodeCIDFont("STSong-Light"))
    text = ["应当在不同的日子测量血压。", "病人应当每天在家测量血压。", "应当在不同的日子测量血压。"]

    def written(page: Any) -> None:
        lines(page, text, 72, 700, 16, "STSong-Light")

    if not (np.asarray(picture(written)) < 128).any():
        pytest.skip("no Chinese font is installed to draw the page with")

    document = loaded(tmp_path, pdf(lambda page: scan(page, written)))

    read = "".join(texts(document))
    assert " " not in read
    assert SequenceMatcher(None, read, "".join(text)).ratio() > 0.9


def test_without_tesseract_the_scanned_pages_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    ocr.languages.cache_clear()
    try:
        with pytest.raises(UnreadableFile) as refused:
            loaded(tmp_path, pdf(one_text_and_one_scanned_page))
    finally:
        ocr.languages.cache_clear()

    assert str(refused.value) == (
        "guide.pdf needs OCR: page 2 of 2 is a scan without readable text; "
        "install tesseract-ocr and tesseract-ocr-chi-sim, or run OCR on the file"
    )


def test_a_layer_of_invisible_text_over_a_scan_is_the_text_of_its_page(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        scan(page, paragraph)
        layer = page.beginText(72, 700)
        layer.setFont("Helvetica", 12)
        layer.setTextRenderMode(3)
        layer.textLines(PARAGRAPH)
        page.drawText(layer)

    document = loaded(tmp_path, pdf(draw))

    assert [(block.text, block.hidden) for block in document.blocks] == [(" ".join(PARAGRAPH), None)]


def test_a_photograph_among_pages_of_text_is_no_reason_to_refuse_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def draw(page: Any) -> None:
        for step in range(200):
            page.setFillGray(step / 200)
            page.rect(step * 3, 0, 3, HEIGHT, fill=1, stroke=0)

    def document(page: Any) -> None:
        scan(page, draw)
        page.showPage()
        paragraph(page)

    monkeypatch.setenv("PATH", str(tmp_path))
    ocr.languages.cache_clear()
    try:
        assert texts(loaded(tmp_path, pdf(document))) == [" ".join(PARAGRAPH)]
    finally:
        ocr.languages.cache_clear()
