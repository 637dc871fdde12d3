"""PDF, read with PDFium. Pages are numbered as the file counts them, from 1.

Kept: the text in reading order (column by column), lines joined into paragraphs also across columns and pages, words
mended where a line end hyphenates them, headings by size or weight, list items, tables ruled or set with wide gaps,
footnotes after the text of their page, each line's place on its page; text that a reader does not see as blocks of its
own that say so; title, authors, language, DOI and date of publication that the file or its first page states. A page
that is a picture of text is read with Tesseract where that is installed, else the file is refused.
Dropped: running heads and feet, page numbers, text set askew, pictures, annotations. Typographic ligatures are spelt
out.
"""

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pypdfium2

from ingestion.loaders.assemble import title_of
from ingestion.loaders.pdf.blocks import blocks_of
from ingestion.loaders.pdf.layout import reading_order
from ingestion.loaders.pdf.metadata import metadata_of
from ingestion.loaders.pdf.pages import read_pages
from ingestion.loaders.source import document, read_head
from ingestion.types import LoadedDocument
from rag.errors import UnreadableFile

_TAIL_BYTES = 4096


def load(path: Path) -> Iterator[LoadedDocument]:
    """The one document. Raises UnreadableFile where the file is encrypted, damaged, cut short or without text."""
    read_head(path)
    _refuse_cut_short(path)
    try:
        with closing(pypdfium2.PdfDocument(path)) as pdf:
            pages = read_pages(pdf, path)
            lines = list(reading_order(pages))
            blocks = blocks_of(lines, pages)
            if not any(block.hidden is None for block in blocks):
                raise UnreadableFile(_without_text(path, len(pages)))
            first_page = "\n".join(line.text for line in lines if line.page == lines[0].page)
            metadata = metadata_of(pdf, path, first_page, title_of(blocks))
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise UnreadableFile(f"{path.name} is encrypted; remove the password and try again") from error
        raise UnreadableFile(f"{path.name} is a damaged PDF ({error}); download it again") from error
    yield document(path, blocks, metadata)


def _refuse_cut_short(path: Path) -> None:
    """PDFium mends a file that lacks its end, silently without the pages that were in it."""
    with path.open("rb") as stream:
        stream.seek(-min(_TAIL_BYTES, path.stat().st_size), 2)
        if b"%%EOF" not in stream.read():
            raise UnreadableFile(f"{path.name} is cut short: the end of the PDF is missing; copy or download it again")


def _without_text(path: Path, pages: int) -> str:
    return f"{path.name} has no text that a reader sees, on {pages} page{'s' * (pages != 1)}; run OCR if it is a scan"
