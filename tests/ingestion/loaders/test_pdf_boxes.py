"""Where the words of a block stand: in points from the top left corner of the page as it is shown."""

import io
from pathlib import Path
from typing import Any

import pypdfium2
import pytest
from pdf_pages import HEIGHT, PARAGRAPH, WIDTH, lines, loaded, pdf, texts, words_of
from pypdfium2 import raw as pdfium

from ingestion.types import Box

pytest.importorskip("reportlab")
from reportlab.pdfbase.pdfmetrics import stringWidth  # type: ignore[import-untyped]


def edited(data: bytes, rotation: int = 0, crop: tuple[float, float, float, float] | None = None) -> bytes:
    document = pypdfium2.PdfDocument(data)
    page = document[0]
    page.set_rotation(rotation)
    if crop is not None:
        pdfium.FPDFPage_SetCropBox(page.raw, *crop)
    buffer = io.BytesIO()
    document.save(buffer)
    document.close()
    return buffer.getvalue()


def place(box: Box) -> tuple[float, float, float, float]:
    return box.left, box.top, box.right, box.bottom


def test_each_line_of_a_block_has_the_box_in_which_it_is_set(tmp_path: Path) -> None:
    (block,) = loaded(tmp_path, pdf(lambda page: lines(page, PARAGRAPH, 72, 700))).blocks

    assert words_of(block) == PARAGRAPH
    for number, (line, box) in enumerate(zip(PARAGRAPH, block.boxes, strict=True)):
        baseline = HEIGHT - 700 + 12 * number
        assert box.page == 1
        assert box.left == pytest.approx(72, abs=0.5)
        assert box.right == pytest.approx(72 + stringWidth(line, "Helvetica", 10), abs=0.5)
        assert baseline - 10 < box.top < baseline - 6
        assert baseline < box.bottom < baseline + 4


@pytest.mark.parametrize("rotation", [0, 90, 180, 270])
def test_boxes_lie_on_the_ink_of_the_page_as_it_is_shown(tmp_path: Path, rotation: int) -> None:
    def draw(page: Any) -> None:
        page.translate(WIDTH / 2, HEIGHT / 2)
        page.rotate(rotation)
        lines(page, ["Words to be found"], -60, 100, 12)

    data = edited(pdf(draw), rotation, crop=(20, 40, 500, 800))
    (block,) = loaded(tmp_path, data).blocks

    page = pypdfium2.PdfDocument(data)[0]
    pixels = page.render(scale=1, grayscale=True).to_numpy()
    ink = (pixels.reshape(pixels.shape[0], -1) < 128).nonzero()
    (box,) = block.boxes
    assert (box.left, box.right) == pytest.approx((ink[1].min(), ink[1].max() + 1), abs=2)
    assert box.top - 1 <= ink[0].min()
    assert ink[0].max() <= box.bottom + 1
    assert box.bottom - box.top == pytest.approx(12, abs=1)


def test_text_that_stands_on_its_side_has_upright_boxes(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        page.rotate(90)
        lines(page, ["Words to be found"], 100, -200, 12)

    (block,) = loaded(tmp_path, pdf(draw)).blocks

    width = stringWidth("Words to be found", "Helvetica", 12)
    assert place(block.boxes[0]) == pytest.approx((191, HEIGHT - 100 - width, 203, HEIGHT - 100), abs=2)


def test_a_block_that_goes_over_the_page_has_boxes_on_both_pages(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, PARAGRAPH[:2], 72, 84)
        page.showPage()
        lines(page, [PARAGRAPH[2]], 72, 760)

    (block,) = loaded(tmp_path, pdf(draw)).blocks

    assert words_of(block) == PARAGRAPH
    assert [box.page for box in block.boxes] == [1, 1, 2]


def test_boxes_follow_mended_hyphens_markers_and_chinese_line_ends(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        lines(page, ["• people with hyper-", "tension and soon", "after it"], 72, 700)

    (block,) = loaded(tmp_path, pdf(draw)).blocks

    assert block.text == "- people with hypertension and soon after it"
    assert words_of(block) == ["- people with hyper", "tension and soon", "after it"]


def test_each_cell_of_a_row_has_its_boxes(tmp_path: Path) -> None:
    def draw(page: Any) -> None:
        for number, row in enumerate([("Drug", "Dose"), ("Amoxicillin", "500 mg"), ("Aspirin", "75 mg")]):
            for column, cell in enumerate(row):
                lines(page, [cell], 72 + 150 * column, 640 - 14 * number)

    document = loaded(tmp_path, pdf(draw))

    assert texts(document)[1] == "Amoxicillin | 500 mg"
    assert words_of(document.blocks[1]) == ["Amoxicillin |", "500 mg"]
    assert [round(box.left) for box in document.blocks[1].boxes] == [72, 222]
