"""Word documents (.docx), paragraphs and tables in the order of the document.

Kept: the title and headings by style (built in, derived from one, by outline level, or named "标题 1"), list items with
a marker, table rows with merged cells once, tracked insertions, content controls, text boxes after the paragraph that
they are anchored in, footnotes and endnotes after the paragraph or table that cites them, and the title, authors and
language that the file's properties state. Set apart as hidden: text that Word does not show.
Dropped: headers, footers, comments, tracked deletions, pictures, and the numbers that Word puts before headings by
itself.
"""

import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import docx
from docx.opc.exceptions import OpcError
from docx.oxml.exceptions import InvalidXmlError
from docx.oxml.ns import qn
from docx.oxml.parser import parse_xml
from lxml import etree

from ingestion.loaders.assemble import heading, paragraph, table_rows, title_of
from ingestion.loaders.lines import language_code, list_marker, one_line, person_names, raised, sane_title
from ingestion.loaders.source import document, read_head, refuse_if_it_unpacks_to_too_much
from ingestion.loaders.unseen_docx import UNSEEN, set_unseen_apart
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

_HEADING_STYLE = re.compile(r"(?:heading|标题|標題)\s*([1-9])", re.I)
_TITLE_STYLE = re.compile(r"title|标题|標題", re.I)
_BULLETS = {"bullet", "none", ""}
_REMOVED = {
    qn("w:moveFrom"),
    qn("w:del"),
    "{http://schemas.openxmlformats.org/markup-compatibility/2006}Fallback",
}
_TEXT_BOX = qn("w:txbxContent")
_NOTE_KINDS = {qn("w:footnoteReference"): "footnote", qn("w:endnoteReference"): "endnote"}
_MATH_TEXT = "{http://schemas.openxmlformats.org/officeDocument/2006/math}t"


def load(path: Path) -> Iterator[LoadedDocument]:
    """The one document. Raises UnreadableFile where the file is empty, damaged or without text."""
    read_head(path)
    try:
        word = _opened(path)
        set_unseen_apart(word)
        blocks = _titled(list(_Reader(word).blocks(word.element.body)))
        metadata = _metadata(word)
    except (
        zipfile.BadZipFile,
        OpcError,
        InvalidXmlError,
        etree.XMLSyntaxError,
        AttributeError,  # python-docx takes for granted which element each part has at its root
        KeyError,
        ValueError,
        OSError,
    ) as error:
        raise _damaged(path, error) from error
    yield document(path, blocks, metadata.updated_by(Metadata(title=title_of(blocks))))


def _opened(path: Path) -> Any:
    refuse_if_it_unpacks_to_too_much(path)
    try:
        return docx.Document(str(path))
    except (zlib.error, NotImplementedError, RuntimeError) as error:  # damaged, oddly compressed or encrypted members
        raise _damaged(path, error) from error


def _damaged(path: Path, error: Exception) -> UnreadableFile:
    return UnreadableFile(
        f"{path.name} is damaged or no Word document ({type(error).__name__}); open it in Word and save it again"
    )


class _Reader:
    """Reads blocks from one document's body, counting its numbered lists as Word does."""

    def __init__(self, word: Any) -> None:
        self._styles = {style.style_id: style for style in word.styles}
        self._formats = dict(_number_formats(word))
        self._counts: Counter[tuple[str, str]] = Counter()
        self._list: str | None = None
        self._note_texts = dict(_notes(word))
        self._cited_notes: list[Block] = []
        self._table_depth = 0

    def blocks(self, parent: Any) -> Iterator[Block]:
        for element in parent:
            if element.tag == qn("w:p"):
                yield from self._paragraph(element)
                yield from self._attached(element)
            elif element.tag == qn("w:tbl"):
                self._list = None
                self._table_depth += 1
                yield from self._table(element)
                self._table_depth -= 1
                yield from self._notes_now()
            elif element.tag in (qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:moveTo"), qn("w:customXml")):
                yield from self.blocks(element)

    def _paragraph(self, element: Any) -> Iterator[Block]:
        text = one_line("".join(_text(element)))
        if not text:
            return
        if why := element.get(UNSEEN):
            yield Block(BlockKind.PARAGRAPH, text, hidden=why)
            return
        properties = [element.find(qn("w:pPr")), *self._style_properties(element)]
        if self._is_title(element):
            yield Block(BlockKind.TITLE, text)
        elif level := self._heading_level(element, properties):
            yield from heading(text, level)
        elif marker := self._marker(properties):
            yield Block(BlockKind.LIST_ITEM, f"{marker} {text}", joins_previous=self._list is not None)
            self._list = marker
            return
        elif marked := list_marker(text):
            yield Block(BlockKind.LIST_ITEM, "".join(marked), joins_previous=self._list is not None)
            self._list = marked[0]
            return
        else:
            yield from paragraph(text)
        self._list = None

    def _attached(self, element: Any) -> Iterator[Block]:
        """The text boxes anchored in a paragraph and the notes that it cites; those of a table wait for its end."""
        for attached in _attachments(element):
            if attached.tag == _TEXT_BOX:
                yield from self.blocks(attached)
            else:
                key = _NOTE_KINDS[attached.tag], attached.get(qn("w:id"))
                self._cited_notes += self._note_texts.pop(key, ())
        yield from self._notes_now()

    def _notes_now(self) -> Iterator[Block]:
        if not self._table_depth:
            yield from self._cited_notes
            self._cited_notes = []

    def _table(self, table: Any) -> Iterator[Block]:
        rows = table.xpath("./w:tr | ./w:sdt/w:sdtContent/w:tr")
        cells = [row.xpath("./w:tc | ./w:sdt/w:sdtContent/w:tc") for row in rows]
        if sum(map(len, cells)) == 1:
            yield from self.blocks(cells[0][0])
            return
        yield from table_rows([self._cell(cell) for cell in row if not _continues_merge(cell)] for row in cells)

    def _cell(self, cell: Any) -> str:
        return " ".join(block.text for block in self.blocks(cell))

    def _style_chain(self, element: Any) -> Iterator[Any]:
        stated = element.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        style = self._styles.get(stated.get(qn("w:val"))) if stated is not None else None
        seen: set[str] = set()
        while style is not None and style.style_id not in seen:
            seen.add(style.style_id)
            yield style
            style = getattr(style, "base_style", None)

    def _style_properties(self, element: Any) -> Iterator[Any]:
        for style in self._style_chain(element):
            yield style.element.find(qn("w:pPr"))

    def _is_title(self, element: Any) -> bool:
        return any(
            _TITLE_STYLE.fullmatch(name)
            for style in self._style_chain(element)
            for name in (style.name, style.style_id)
            if name
        )

    def _heading_level(self, element: Any, properties: list[Any]) -> int:
        for style in self._style_chain(element):
            for name in (style.name, style.style_id):
                if name and (match := _HEADING_STYLE.fullmatch(name)):
                    return int(match[1])
        outline = _first_value(properties, "w:outlineLvl")
        return int(outline) + 1 if outline is not None and outline.isdecimal() and int(outline) < 9 else 0

    def _marker(self, properties: list[Any]) -> str | None:
        number = _first_value(properties, "w:numPr/w:numId")
        if number is None or number == "0":
            return None
        level = _first_value(properties, "w:numPr/w:ilvl") or "0"
        if self._formats.get((number, level), "bullet") in _BULLETS:
            return "-"
        for deeper in [key for key in self._counts if key[0] == number and key[1] > level]:
            del self._counts[deeper]
        self._counts[number, level] += 1
        return f"{self._counts[number, level]}."


def _text(element: Any) -> Iterator[str]:
    before = ""
    for child in element:
        if child.tag in (qn("w:t"), _MATH_TEXT):
            text = child.text or ""
        elif child.tag in (qn("w:br"), qn("w:cr"), qn("w:tab")):
            text = "\t" if child.tag == qn("w:tab") else "\n"
        elif child.tag == qn("w:noBreakHyphen"):
            text = "-"
        elif child.tag not in _REMOVED and child.tag not in (qn("w:pPr"), _TEXT_BOX):
            text = "".join(_text(child))
            if _first_value([child], "w:rPr/w:vertAlign") == "superscript":
                text = raised(text, before)
        else:
            continue
        yield text
        before = text or before


def _attachments(element: Any) -> Iterator[Any]:
    """The text boxes in a paragraph and its references to notes, not those within a text box."""
    for child in element:
        if child.tag == _TEXT_BOX or child.tag in _NOTE_KINDS:
            yield child
        elif child.tag not in _REMOVED:
            yield from _attachments(child)


def _notes(word: Any) -> Iterator[tuple[tuple[str, str], list[Block]]]:
    """(("footnote", its id), its paragraphs) for each footnote and endnote."""
    for relation in word.part.rels.values():
        kind = relation.reltype.rpartition("/")[2].removesuffix("s")
        if kind not in _NOTE_KINDS.values() or relation.is_external:
            continue
        for note in parse_xml(relation.target_part.blob):
            texts = ("".join(_text(line)) for line in note.iter(qn("w:p")))
            yield (kind, note.get(qn("w:id"))), [block for text in texts for block in paragraph(text)]


def _first_value(properties: list[Any], path: str) -> str | None:
    """The value at ``path`` in the first of ``properties`` (the paragraph's own, then its styles') that states it."""
    steps = "/".join(map(qn, path.split("/")))
    found = (given.find(steps) for given in properties if given is not None)
    return next((element.get(qn("w:val")) for element in found if element is not None), None)


def _number_formats(word: Any) -> Iterator[tuple[tuple[str, str], str]]:
    """((list id, level), number format), such as ("3", "0"), "decimal"."""
    numbering = next((part for part in word.part.package.iter_parts() if part.partname == "/word/numbering.xml"), None)
    if numbering is None:
        return
    root = numbering.element
    abstract = {element.get(qn("w:abstractNumId")): element for element in root.iter(qn("w:abstractNum"))}
    for number in root.iter(qn("w:num")):
        definition = abstract.get(_first_value([number], "w:abstractNumId"))
        for level in () if definition is None else definition.iter(qn("w:lvl")):
            kind = _first_value([level], "w:numFmt") or "decimal"
            yield (number.get(qn("w:numId")), level.get(qn("w:ilvl"))), kind


def _continues_merge(cell: Any) -> bool:
    merge = cell.find(f"{qn('w:tcPr')}/{qn('w:vMerge')}")
    return merge is not None and merge.get(qn("w:val"), "continue") == "continue"


def _titled(blocks: list[Block]) -> list[Block]:
    """``blocks`` with one title: the first by style, else a sole heading of level 1 that all else follows."""
    titles = [block for block in blocks if block.kind is BlockKind.TITLE]
    outermost = [block for block in blocks if block.kind is BlockKind.HEADING and block.level == 1]
    title = titles[0] if titles else outermost[0] if len(outermost) == 1 and outermost[0] is blocks[0] else None
    levels = [block.level for block in blocks if block.kind is BlockKind.HEADING and block is not title]
    shift = min(levels, default=1) - 1
    titled = []
    for block in blocks:
        if block is title:
            titled.append(Block(BlockKind.TITLE, block.text))
        elif block.kind is BlockKind.TITLE:
            titled.append(Block(BlockKind.HEADING, block.text, level=1))
        elif block.kind is BlockKind.HEADING:
            titled.append(Block(BlockKind.HEADING, block.text, level=block.level - shift))
        else:
            titled.append(block)
    return titled


def _metadata(word: Any) -> Metadata:
    properties = word.core_properties
    return Metadata(
        title=sane_title(properties.title),
        authors=person_names(properties.author),
        language=language_code(properties.language),
    )
