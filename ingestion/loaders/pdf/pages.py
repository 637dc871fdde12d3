"""One page of a PDF after the other: its text layer, or the text that OCR recognises where it has none."""

import re
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pypdfium2
from pypdfium2 import raw as pdfium

from ingestion.loaders.pdf import ocr
from ingestion.loaders.pdf.geometry import Rect, Sheet, Turned
from ingestion.loaders.pdf.hidden import pictured_share
from ingestion.loaders.pdf.layout import Page
from ingestion.loaders.pdf.objects import Drawn, drawn_on
from ingestion.loaders.pdf.text import fragments
from ingestion.loaders.pdf.words import Fragment
from rag.errors import UnreadableFile

_MAX_UNMAPPED = 0.3
_UNMAPPED = re.compile("[\ufffd\ue000-\uf8ff]")
_STAMP_CHARACTERS = 40
_MIN_PICTURED = 0.4
_MIN_OUTLINES = 30


def read_pages(pdf: Any, path: Path) -> list[Page]:
    """All pages of ``pdf`` (pypdfium2's document).

    Raises UnreadableFile, naming the pages, where one is damaged, or needs OCR that is not installed or fails.
    """
    pages: list[Page] = []
    unread: list[int] = []
    for index in range(len(pdf)):
        try:
            with closing(pdf[index]) as page:
                read, needs_ocr = _read(page, index + 1)
                if needs_ocr and ocr.languages():
                    read = _recognised(page, read, path)
                elif needs_ocr and ocr.looks_like_text(page):
                    unread.append(index + 1)
        except pypdfium2.PdfiumError as error:
            raise UnreadableFile(
                f"{path.name} is a damaged PDF: page {index + 1} cannot be read; download it again"
            ) from error
        pages.append(read)
    if unread:
        raise UnreadableFile(
            f"{path.name} needs OCR: {_named(unread)} of {len(pdf)} {'is a scan' if len(unread) == 1 else 'are scans'} "
            "without readable text; install tesseract-ocr and tesseract-ocr-chi-sim, or run OCR on the file"
        )
    return pages


def _read(page: Any, number: int) -> tuple[Page, bool]:
    """The page as its text layer gives it, and whether it has to be recognised instead."""
    shown = shown_region(page)
    drawn = drawn_on(page.raw)
    with closing(page.get_textpage()) as text:
        sheet, found = fragments(page, text, drawn, shown)
    seen = [fragment for fragment in found if fragment.hidden is None]
    unseen = [fragment for fragment in found if fragment.hidden is not None]
    rules = [sheet.read(rule) for rule in drawn.rules]
    return Page(number, sheet, seen, unseen, rules), _needs_ocr(seen, drawn, shown)


def shown_region(page: Any) -> Turned:
    """The page's visible region and its rotation."""
    box = pdfium.FS_RECTF()
    pdfium.FPDF_GetPageBoundingBox(page.raw, box)
    return Turned(Rect(box.left, box.bottom, box.right, box.top), pdfium.FPDFPage_GetRotation(page.raw))


def _needs_ocr(seen: list[Fragment], drawn: Drawn, shown: Turned) -> bool:
    text = "".join(fragment.text for fragment in seen)
    if len(_UNMAPPED.findall(text)) > _MAX_UNMAPPED * max(len(text), 1):
        return True
    if len(text) > _STAMP_CHARACTERS:
        return False
    return pictured_share(drawn, shown) >= _MIN_PICTURED or (not text and drawn.paths >= _MIN_OUTLINES)


def _recognised(page: Any, read: Page, path: Path) -> Page:
    try:
        found = ocr.recognised(page)
    except ocr.OcrFailed as failure:
        raise UnreadableFile(
            f"{path.name}: page {read.number} is a scan that {failure}; run OCR on the file"
        ) from failure
    if not found and not read.fragments and ocr.looks_like_text(page):
        missing = [language for language in ocr.LANGUAGES if language not in ocr.languages()]
        if missing:
            packages = " and ".join(f"tesseract-ocr-{language.replace('_', '-')}" for language in missing)
            raise UnreadableFile(
                f"{path.name}: page {read.number} is a scan in which Tesseract finds no {'+'.join(ocr.languages())}; "
                f"install {packages}, or run OCR on the file"
            )
    shown = read.sheet.page
    upright = Turned(Rect(0.0, 0.0, shown.width, shown.height))
    return Page(read.number, Sheet(upright, upright), found or read.fragments, read.unseen if not found else [])


def _named(numbers: list[int]) -> str:
    """ "page 3" or "pages 1-4, 7"."""
    ranges = ", ".join(str(first) if first == last else f"{first}-{last}" for first, last in _ranges(numbers))
    return f"page{'s' * (len(numbers) > 1)} {ranges}"


def _ranges(numbers: list[int]) -> Iterator[tuple[int, int]]:
    first = last = numbers[0]
    for number in numbers[1:]:
        if number != last + 1:
            yield first, last
            first = number
        last = number
    yield first, last
