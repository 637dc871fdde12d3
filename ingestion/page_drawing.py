"""What a child of ``ingestion.fork_server`` does with one page of a PDF: finding the letters of a passage on it, and
drawing it with the words marked. Nothing here writes, and nothing here is protected."""

from collections.abc import Iterator
from contextlib import closing
from io import BytesIO
from typing import Any

import pypdfium2
from PIL import Image, ImageChops, ImageDraw

from ingestion.loaders.pdf import ocr
from ingestion.loaders.pdf.places import letters_of
from ingestion.page_values import Placed, PlacedBox
from rag.errors import UnreadableFile

MOST_PIXELS = 10_000_000
_MARK = (255, 224, 102)
_LINE = (178, 116, 0)
_COMPRESSION = 3


def prepare() -> None:
    """Loads what draws and finds, and asks once what Tesseract knows, for processes forked from this one."""
    ocr.languages()
    Image.init()


def place(path: str, lines: list[PlacedBox], text: str) -> Iterator[Placed]:
    """Where ``text``, which stands on ``lines``, stands to the letter. Raises UnreadableFile."""
    with _opened(path) as pdf:
        numbers = sorted({line[0] for line in lines})
        if numbers and not 1 <= numbers[0] <= numbers[-1] <= len(pdf):
            raise UnreadableFile(f"The file has {len(pdf)} pages, and the passage stands on page {numbers[-1]}")
        sizes = {number: pdf.get_page_size(number - 1) for number in numbers}
        yield Placed(len(pdf), sizes, letters_of(pdf, [_line(line) for line in lines], text))


def draw(path: str, page: int, width: int, boxes: list[PlacedBox]) -> Iterator[bytes]:
    """Page ``page`` as PNG, ``width`` pixels wide unless it is long, with ``boxes`` marked. Raises UnreadableFile."""
    with _opened(path) as pdf, closing(pdf[page - 1]) as sheet:
        wide, high = (max(1.0, length) for length in sheet.get_size())
        scale = min(width / wide, (MOST_PIXELS / (wide * high)) ** 0.5)
        bitmap = sheet.render(scale=scale)
        image = bitmap.to_pil().convert("RGB")
        bitmap.close()
    marked = _marked(image, [[edge * scale for edge in box[1:]] for box in boxes])
    file = BytesIO()
    marked.save(file, "PNG", compress_level=_COMPRESSION)
    yield file.getvalue()


def _marked(image: Image.Image, boxes: list[list[float]]) -> Image.Image:
    """Coloured as a marker pen does it, and underlined for who does not tell the colour."""
    marks = Image.new("RGB", image.size, "white")
    pen = ImageDraw.Draw(marks)
    for left, top, right, bottom in boxes:
        pen.rectangle((left, top, max(left, right), max(top, bottom)), fill=_MARK)
    thickness = max(2, round(image.width / 600))
    for left, _, right, bottom in boxes:
        pen.rectangle((left, bottom, max(left, right), bottom + thickness - 1), fill=_LINE)
    return ImageChops.multiply(image, marks)


def _line(line: Any) -> PlacedBox:
    page, left, top, right, bottom = line
    return page, left, top, right, bottom


def _opened(path: str) -> Any:
    try:
        return closing(pypdfium2.PdfDocument(path))
    except pypdfium2.PdfiumError as error:
        raise UnreadableFile(f"The file is no PDF that can be drawn ({error})") from error
