"""PDF files set with reportlab, so that what is on their pages and where is known."""

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ingestion.loaders.pdf import load
from ingestion.types import Block, LoadedDocument

canvas = pytest.importorskip("reportlab.pdfgen.canvas")

WIDTH, HEIGHT = 595, 842

PARAGRAPH = [
    "High blood pressure is the most common chronic disease and the main",
    "risk factor of stroke and of heart disease; its treatment is long and",
    "its control is poor in most countries.",
]


def lines(page: Any, text: list[str], x: float, y: float, size: float = 10, font: str = "Helvetica") -> None:
    page.setFont(font, size)
    for number, line in enumerate(text):
        page.drawString(x, y - number * 1.2 * size, line)


def pdf(draw: Callable[[Any], None], **options: Any) -> bytes:
    buffer = io.BytesIO()
    page = canvas.Canvas(buffer, pagesize=(WIDTH, HEIGHT), **options)
    draw(page)
    page.save()
    return buffer.getvalue()


def loaded(tmp_path: Path, data: bytes) -> LoadedDocument:
    path = tmp_path / "guide.pdf"
    path.write_bytes(data)
    (document,) = load(path)
    return document


def texts(document: LoadedDocument) -> list[str]:
    return [block.text for block in document.blocks]


def words_of(block: Block) -> list[str]:
    """The words in each box of ``block``, which has to hold all that is not white space, in order and once."""
    end = 0
    for box in block.boxes:
        assert block.text[end : box.start].strip() == ""
        assert box.start < box.end
        end = box.end
    assert end == len(block.text)
    return [block.text[box.start : box.end] for box in block.boxes]
