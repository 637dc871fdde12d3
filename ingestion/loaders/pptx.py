"""PowerPoint presentations (.pptx), slide after slide; a slide's number is the page.

Kept: the title of each slide as a heading, text by placeholder and text box in the order in which a screen reader
reads them, list items with a marker, tables, what is in groups, speaker notes under a heading "Notes", and the title,
authors and language that the file's properties state. Hidden slides are marked as hidden.
Dropped: pictures, charts, SmartArt, comments, animations, dates, footers and slide numbers.
"""

import zipfile
import zlib
from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pptx
from lxml import etree
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import PythonPptxError
from pptx.oxml.ns import qn

from ingestion.loaders.assemble import heading, paragraph, table_rows, title_of
from ingestion.loaders.lines import language_code, list_marker, one_line, person_names, sane_title
from ingestion.loaders.source import document, read_head, refuse_if_it_unpacks_to_too_much
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

_TITLES = {PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.VERTICAL_TITLE}
_LISTS = {PP_PLACEHOLDER.BODY, PP_PLACEHOLDER.OBJECT, PP_PLACEHOLDER.VERTICAL_BODY, PP_PLACEHOLDER.VERTICAL_OBJECT}
_FURNITURE = {PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER, PP_PLACEHOLDER.HEADER, PP_PLACEHOLDER.SLIDE_NUMBER}
_BULLETS = (qn("a:buNone"), qn("a:buChar"), qn("a:buAutoNum"), qn("a:buBlip"))
_DAMAGED = (
    zipfile.BadZipFile,
    zlib.error,
    PythonPptxError,
    etree.XMLSyntaxError,
    AttributeError,  # python-pptx takes for granted which element each part has at its root
    NotImplementedError,
    RuntimeError,
    KeyError,
    ValueError,
    OSError,
)


def load(path: Path) -> Iterator[LoadedDocument]:
    """The one document. Raises UnreadableFile where the file is empty, damaged or without text."""
    read_head(path)
    try:
        refuse_if_it_unpacks_to_too_much(path)
        presentation = pptx.Presentation(str(path))
        blocks = _titled(list(_blocks_of(presentation)))
        metadata = _metadata(presentation)
    except _DAMAGED as error:
        raise UnreadableFile(
            f"{path.name} is damaged or no PowerPoint presentation ({type(error).__name__}); "
            "open it in PowerPoint and save it again"
        ) from error
    yield document(path, blocks, metadata.updated_by(Metadata(title=title_of(blocks))))


def _blocks_of(presentation: Any) -> Iterator[Block]:
    for number, slide in enumerate(presentation.slides, start=1):
        yield from _slide(slide, number)


def _slide(slide: Any, number: int) -> Iterator[Block]:
    hidden = "hidden slide" if slide._element.get("show") in ("0", "false") else None
    shapes = list(_shapes(slide.shapes))
    titles = [shape for shape in shapes if _placeholder(shape) in _TITLES]
    found: list[Block] = []
    for shape in titles:
        found += heading(" ".join(map(_text, shape.text_frame.paragraphs)), 1)
    for shape in shapes:
        if shape not in titles:
            found += _blocks(shape)
    if slide.has_notes_slide and (frame := slide.notes_slide.notes_text_frame) is not None:
        notes = [block for line in frame.paragraphs for block in paragraph(_text(line))]
        found += [*heading("Notes", 2), *notes] if notes else []
    for block in found:
        yield replace(block, page=number, hidden=hidden)


def _shapes(shapes: Iterable[Any]) -> Iterator[Any]:
    """The shapes that may hold text, those in groups among them."""
    for shape in shapes:
        if hasattr(shape, "shapes"):
            yield from _shapes(shape.shapes)
        elif shape.has_text_frame or getattr(shape, "has_table", False):
            yield shape


def _blocks(shape: Any) -> Iterator[Block]:
    if getattr(shape, "has_table", False):
        yield from table_rows([_cell(cell) for cell in row.cells if not cell.is_spanned] for row in shape.table.rows)
    elif _placeholder(shape) not in _FURNITURE:
        yield from _lines(shape)


def _cell(cell: Any) -> str:
    return " ".join(filter(None, (one_line(_text(line)) for line in cell.text_frame.paragraphs)))


def _lines(shape: Any) -> Iterator[Block]:
    """A shape's paragraphs; those with a bullet or a number, their own or their placeholder's, as list items."""
    counts: dict[int, int] = {}
    joins_previous = False
    for line in shape.text_frame.paragraphs:
        text = one_line(_text(line))
        if not text:
            continue
        bullet = _bullet(line, shape)
        numbered = bullet == qn("a:buAutoNum")
        counts = {level: count for level, count in counts.items() if level < line.level + numbered}
        if numbered:
            counts[line.level] = counts.get(line.level, 0) + 1
            marked = f"{counts[line.level]}. {text}"
        elif bullet is not None and bullet != qn("a:buNone"):
            marked = f"- {text}"
        else:
            marked = "".join(list_marker(text) or ())
        if marked:
            yield Block(BlockKind.LIST_ITEM, marked, joins_previous=joins_previous)
        else:
            yield from paragraph(text)
        joins_previous = bool(marked)


def _bullet(line: Any, shape: Any) -> str | None:
    """The tag of the bullet that the paragraph states, else its shape, else the placeholders that it stands for."""
    properties = [line._p.pPr] if line._p.pPr is not None else []
    level = qn(f"a:lvl{line.level + 1}pPr")
    for holder in _inherited(shape):
        style = holder.find(f"{qn('p:txBody')}/{qn('a:lstStyle')}/{level}")
        properties += [style] if style is not None else []
    if _placeholder(shape) in _LISTS:
        master = shape.part.slide_layout.slide_master._element
        style = master.find(f"{qn('p:txStyles')}/{qn('p:bodyStyle')}/{level}")
        properties += [style] if style is not None else []
    return next((child.tag for stated in properties for child in stated if child.tag in _BULLETS), None)


def _inherited(shape: Any) -> Iterator[Any]:
    while shape is not None:
        yield shape._element
        shape = getattr(shape, "_base_placeholder", None)


def _placeholder(shape: Any) -> Any:
    return shape.placeholder_format.type if shape.is_placeholder else None


def _text(line: Any) -> str:
    """The paragraph's text with fields and line breaks."""
    return str(line.text).replace("\v", "\n")


def _titled(blocks: list[Block]) -> list[Block]:
    """``blocks`` with the first slide's heading as the title."""
    first = blocks[0] if blocks else None
    if first is None or first.kind is not BlockKind.HEADING or first.page != 1 or first.level != 1:
        return blocks
    return [replace(first, kind=BlockKind.TITLE, level=0), *blocks[1:]]


def _metadata(presentation: Any) -> Metadata:
    properties = presentation.core_properties
    return Metadata(
        title=sane_title(properties.title),
        authors=person_names(properties.author),
        language=language_code(properties.language),
    )
