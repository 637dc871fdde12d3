"""PDF with a text layer, read with PDFium. Pages are numbered as the file counts them, from 1.

Kept: the text in reading order (column by column), lines joined into paragraphs also across columns and pages, words
mended where a line end hyphenates them, headings by size or weight, list items, rows set with wide gaps as table rows,
footnotes after the text of their page; title, authors and language that the file states, and a date of publication or
a DOI that its first page states. Dropped: running heads and feet, page numbers, rotated text, pictures, annotations.
Typographic ligatures are spelt out.
"""

import ctypes
import re
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import groupby, pairwise
from pathlib import Path
from statistics import median
from typing import Any

import pypdfium2
from pypdfium2 import raw as pdfium

from ingestion.loaders.assemble import table_rows, title_of
from ingestion.loaders.lines import (
    ends_a_sentence,
    language_code,
    list_marker,
    numbered_heading_level,
    one_line,
    sane_title,
)
from ingestion.loaders.pagelayout import Fragment, Line, Page, reading_order
from ingestion.loaders.source import document, read_head
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

_TAIL_BYTES = 4096
_GAP_HEIGHTS = 0.9
_BOLD_WEIGHT = 600
_HEADING_RATIO = 1.15
_NOTE_RATIO = 0.92
_MIN_BOLD_RATIO = 0.85
_FOOT_SHARE = 0.35
_MAX_HEADING_CHARACTERS = 200
_MAX_UNMAPPED = 0.3

_LIGATURES = str.maketrans(
    {"ﬀ": "ff", "ﬁ": "fi", "ﬂ": "fl", "ﬃ": "ffi", "ﬄ": "ffl", "ﬅ": "ft", "ﬆ": "st", "\u00a0": " "}
)
_SPACES = frozenset((9, 32, 160))
_LINE_ENDS = {10: ord(" "), 2: ord("-"), 0xFFFE: ord("-")}  # PDFium gives a hyphen at a line's end as 2 or U+FFFE
_LINE_END_HYPHENS = "-\u2010\u00ad"
_SENTENCE_END = re.compile(r"[.!?:;。！？：；…][\"'”’)）\]」』]*\d{0,3}$")
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_DOI = re.compile(r"\b10\.\d{4,9}/[^\s\"<>]+[^\s\"<>.,;)\]]")
_MONTHS = "January February March April May June July August September October November December".split()
_PUBLISHED = re.compile(
    rf"(?:\bpublished(?: online)?|发布日期|出版日期)\s*[:：]?\s*(?:on\s+)?"
    rf"(?:(?P<day>\d{{1,2}})\s+(?P<month>{'|'.join(_MONTHS)}),?\s+(?P<year>\d{{4}})"
    rf"|(?P<month_first>{'|'.join(_MONTHS)})\s+(?P<day_second>\d{{1,2}}),\s*(?P<year_last>\d{{4}})"
    rf"|(?P<y>\d{{4}})[-年](?P<m>\d{{1,2}})[-月](?P<d>\d{{1,2}}))",
    re.I,
)


def load(path: Path) -> Iterator[LoadedDocument]:
    """The one document. Raises UnreadableFile where the file is encrypted, damaged, cut short or without text."""
    read_head(path)
    _refuse_cut_short(path)
    try:
        with closing(pypdfium2.PdfDocument(path)) as pdf:
            pages = [_page(pdf, index, path) for index in range(len(pdf))]
            properties, language = pdf.get_metadata_dict(), _language(pdf)
    except pypdfium2.PdfiumError as error:
        if "password" in str(error).lower() or "security" in str(error).lower():
            raise UnreadableFile(f"{path.name} is encrypted; remove the password and try again") from error
        raise UnreadableFile(f"{path.name} is a damaged PDF ({error}); download it again") from error
    _refuse_without_text(pages, path)
    lines = list(reading_order(pages))
    blocks = _blocks(lines)
    yield document(path, blocks, _metadata(properties, language, lines, title_of(blocks)))


def _refuse_cut_short(path: Path) -> None:
    """PDFium mends a file that lacks its end, silently without the pages that were in it."""
    with path.open("rb") as stream:
        stream.seek(-min(_TAIL_BYTES, path.stat().st_size), 2)
        if b"%%EOF" not in stream.read():
            raise UnreadableFile(f"{path.name} is cut short: the end of the PDF is missing; copy or download it again")


def _refuse_without_text(pages: list[Page], path: Path) -> None:
    text = "".join(fragment.text for page in pages for fragment in page.fragments)
    if not text.strip():
        count = f"{len(pages)} page{'s' * (len(pages) != 1)}"
        raise UnreadableFile(f"{path.name} has no text layer: it looks like a scan, {count}; run OCR first")
    unmapped = sum(character == "\ufffd" or "\ue000" <= character <= "\uf8ff" for character in text)
    if unmapped > _MAX_UNMAPPED * len(text):
        raise UnreadableFile(
            f"{path.name} has an unreadable text layer: its fonts do not say what their signs mean; run OCR first"
        )


def _page(pdf: Any, index: int, path: Path) -> Page:
    try:
        with closing(pdf[index]) as page, closing(page.get_textpage()) as text:
            return Page(index + 1, page.get_height(), list(_fragments(text.raw)))
    except pypdfium2.PdfiumError as error:
        raise UnreadableFile(
            f"{path.name} is a damaged PDF: page {index + 1} cannot be read; download it again"
        ) from error


def _fragments(text: Any) -> Iterator[Fragment]:
    """The page's runs of upright characters, in the order in which the file draws them."""
    box = pdfium.FS_RECTF()
    reference = ctypes.byref(box)
    get_unicode, get_box = pdfium.FPDFText_GetUnicode, pdfium.FPDFText_GetLooseCharBox
    codes: list[int] = []
    inked: list[int] = []
    left = right = bottom = top = 0.0
    for index in range(pdfium.FPDFText_CountChars(text)):
        code = get_unicode(text, index)
        if code <= 32 or code in _SPACES or code in _LINE_ENDS:
            if code in _LINE_ENDS and inked:
                codes.append(_LINE_ENDS[code])
                yield from _fragment(text, codes, inked, left, right)
                codes, inked = [], []
            elif code in _SPACES and inked:
                codes.append(32)
            continue
        get_box(text, index, reference)
        if inked and (box.left - right > _GAP_HEIGHTS * (top - bottom) or box.bottom > top or box.top < bottom):
            yield from _fragment(text, codes, inked, left, right)
            codes, inked = [], []
        if not inked:
            left, right, bottom, top = box.left, box.right, box.bottom, box.top
        elif box.right > right:
            right = box.right
        if box.left < left:
            left = box.left
        codes.append(code)
        inked.append(index)
    if inked:
        yield from _fragment(text, codes, inked, left, right)


def _fragment(text: Any, codes: list[int], inked: list[int], left: float, right: float) -> Iterator[Fragment]:
    """The fragment of ``codes``; its size, weight and baseline are those of the character in its middle."""
    middle = inked[len(inked) // 2]
    size = _size(text, middle)
    string = "".join(map(chr, codes)).strip()
    if any(0xD800 <= code < 0xE000 for code in codes):
        string = string.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if string and size > 0:
        box = pdfium.FS_RECTF()
        pdfium.FPDFText_GetLooseCharBox(text, middle, box)
        bold = pdfium.FPDFText_GetFontWeight(text, middle) >= _BOLD_WEIGHT or _font_is_bold(text, middle)
        yield Fragment(string.translate(_LIGATURES), left, right, box.bottom, box.bottom + size, size, bold)


def _size(text: Any, index: int) -> float:
    """The size at which the character is drawn, 0 where it is rotated."""
    size = float(pdfium.FPDFText_GetFontSize(text, index))
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFText_GetMatrix(text, index, matrix):
        return size
    return 0.0 if abs(matrix.b) > 0.2 * abs(matrix.a) else size * abs(matrix.d)


def _font_is_bold(text: Any, index: int) -> bool:
    name = ctypes.create_string_buffer(128)
    pdfium.FPDFText_GetFontInfo(text, index, name, 128, ctypes.c_int())
    return re.search(rb"bold|black|heavy|semibold|-bd|simhei", name.value, re.I) is not None


def _blocks(lines: list[Line]) -> list[Block]:
    """Blocks in reading order, a page's footnotes after what begins on that page."""
    if not lines:
        return []
    style = _Style(lines)
    notes = style.notes(lines)
    text = [line for line in lines if id(line) not in notes]
    by_page: dict[int, list[Block]] = defaultdict(list)
    foot_of_columns = groupby((line for line in lines if id(line) in notes), key=lambda line: line.flow)
    for part in (text, *(list(column) for _, column in foot_of_columns)):
        for block in style.paragraphs(part):
            by_page[block.page or 0].append(block)
    return [block for page in sorted(by_page) for block in by_page[page]]


class _Style:
    """What the lines of one document have in common: body size, leading, the sizes of its headings, its words."""

    def __init__(self, lines: list[Line]) -> None:
        weights: Counter[float] = Counter()
        bold = 0
        for line in lines:
            weights[round(line.size * 2) / 2] += len(line.text)
            bold += len(line.text) * line.bold
        self.body = weights.most_common(1)[0][0] or 1.0
        self.body_is_bold = bold > 0.5 * weights.total()
        gaps = [(a.bottom - b.bottom) / b.size for a, b in pairwise(lines) if a.flow == b.flow]
        self.leading = median([gap for gap in gaps if 0.8 < gap < 2.5] or [1.2])
        self.words = Counter(word for line in lines for word in _WORD.findall(line.text.lower()))
        self.title = self._title(lines)
        sizes = {round(line.size) for line in lines if line not in self.title and self._is_large(line)}
        self.ranks = {size: rank for rank, size in enumerate(sorted(sizes, reverse=True), start=1)}

    def _title(self, lines: list[Line]) -> list[Line]:
        """The largest text on the first page, where that is larger than the text of the body."""
        first = [line for line in lines if line.page == lines[0].page and any(map(str.isalpha, line.text))]
        largest = max((line.size for line in first), default=0.0)
        if largest < _HEADING_RATIO * self.body:
            return first[:1] if first and first[0].bold and not self.body_is_bold and _is_wording(first[0].text) else []
        large = [position for position, line in enumerate(first) if line.size > 0.97 * largest]
        if not _is_wording(first[large[0]].text):
            return []
        end = large[0]
        while end + 1 in large and len(large) < 8:
            end += 1
        return first[large[0] : end + 1]

    def notes(self, lines: list[Line]) -> set[int]:
        """The ids of the small lines at the foot of a column that has larger ones above them."""
        found: set[int] = set()
        flows: dict[int, list[Line]] = defaultdict(list)
        heights: dict[int, list[float]] = defaultdict(list)
        for line in lines:
            flows[line.flow].append(line)
            heights[line.page].append(line.bottom)
        for column in flows.values():
            on_page = heights[column[0].page]
            foot = min(on_page) + _FOOT_SHARE * (max(on_page) - min(on_page))
            end = len(column)
            while end and column[end - 1].size < _NOTE_RATIO * self.body and column[end - 1].bottom < foot:
                end -= 1
            if end:
                found.update(map(id, column[end:]))
        return found

    def paragraphs(self, lines: list[Line]) -> Iterator[Block]:
        """The blocks of ``lines``, which follow each other."""
        pending: list[Line] = []
        previous_kind = BlockKind.PARAGRAPH
        for group in self._tables(lines):
            if len(group) > 1:
                yield from self._block(pending, previous_kind)
                pending = []
                for row in table_rows([one_line(cell) for cell in line.cells] for line in group):
                    yield Block(row.kind, row.text, page=group[0].page, joins_previous=row.joins_previous)
                continue
            line = group[0]
            kind = self._kind(line)
            if pending and not self._continues(pending, previous_kind, line, kind):
                yield from self._block(pending, previous_kind)
                pending = []
            if not pending:
                previous_kind = kind
            pending.append(line)
        yield from self._block(pending, previous_kind)

    def _tables(self, lines: list[Line]) -> Iterator[list[Line]]:
        """``lines`` one by one, but the rows of a table together."""
        table: list[Line] = []
        for line in lines:
            is_row = len(line.cells) > 1 and line not in self.title
            if table and not (is_row and line.flow == table[-1].flow and _are_aligned(table[-1], line)):
                yield from [table] if len(table) > 1 else [[row] for row in table]
                table = []
            if is_row:
                table.append(line)
            else:
                yield [line]
        yield from [table] if len(table) > 1 else [[row] for row in table]

    def _kind(self, line: Line) -> BlockKind:
        if line in self.title:
            return BlockKind.TITLE
        if len(line.text) <= _MAX_HEADING_CHARACTERS and self._is_heading(line):
            return BlockKind.HEADING
        return BlockKind.LIST_ITEM if list_marker(line.text) else BlockKind.PARAGRAPH

    def _is_large(self, line: Line) -> bool:
        return line.size >= _HEADING_RATIO * self.body and sum(map(str.isalpha, line.text)) >= 2

    def _is_heading(self, line: Line) -> bool:
        if self._is_large(line):
            return True
        if not line.bold or self.body_is_bold or line.size < _MIN_BOLD_RATIO * self.body or len(line.cells) > 2:
            return False
        if numbered_heading_level(line.text):
            return True
        is_short = line.right - line.left < 0.9 * (line.column_right - line.column_left) and len(line.text) <= 80
        return is_short and not ends_a_sentence(line.text) and sum(map(str.isalpha, line.text)) >= 3

    def _continues(self, before: list[Line], kind: BlockKind, line: Line, line_kind: BlockKind) -> bool:
        """Whether ``line`` belongs to the block that the lines ``before`` make up."""
        last = before[-1]
        if abs(line.size - last.size) > 0.12 * last.size or line_kind is BlockKind.LIST_ITEM:
            return False
        if (
            kind in (BlockKind.TITLE, BlockKind.HEADING) or line_kind is not BlockKind.PARAGRAPH
        ) and kind is not line_kind:
            return False
        is_full = last.right > last.column_right - 2 * last.size
        ends = _SENTENCE_END.search(last.text) is not None
        if line.flow != last.flow:
            is_midway = line.text[:1].islower() or "\u4e00" <= line.text[:1] <= "\u9fff" or is_full
            return kind not in (BlockKind.TITLE, BlockKind.HEADING) and not ends and is_midway
        gap = last.bottom - line.bottom
        if gap > 1.35 * max(self.leading, 1.0) * line.size or gap < -line.size:
            return False
        if kind in (BlockKind.TITLE, BlockKind.HEADING):
            return not numbered_heading_level(line.text)
        indent = line.left - last.left
        if indent > 0.8 * line.size and kind is not BlockKind.LIST_ITEM:
            return not (ends or not is_full)
        if indent < -0.8 * line.size and len(before) > 1 and ends:
            return False
        is_short = last.right < last.column_right - 0.2 * (last.column_right - last.column_left)
        return not (ends and is_short)

    def _block(self, lines: list[Line], kind: BlockKind) -> Iterator[Block]:
        if not lines or not (text := self._joined(lines)):
            return
        level = 0
        if kind is BlockKind.HEADING:
            ranked = self.ranks.get(round(lines[0].size), len(self.ranks) + 1)
            level = numbered_heading_level(text) or min(ranked, 6)
        elif kind is BlockKind.LIST_ITEM and (marked := list_marker(text)):
            text = "".join(marked)
        yield Block(kind, text, level=level, page=lines[0].page)

    def _joined(self, lines: Sequence[Line]) -> str:
        text = lines[0].text
        for line in lines[1:]:
            text = self._mended(text, line.text)
        return one_line(text)

    def _mended(self, text: str, rest: str) -> str:
        """``text`` continued by the next line; a hyphen at its end goes, unless the document writes it elsewhere."""
        if not (len(text) > 1 and text[-1] in _LINE_END_HYPHENS and text[-2].isalnum() and rest[:1].isalnum()):
            return f"{text}\n{rest}"
        first, second = re.split(r"[^\w-]", text[:-1])[-1], _WORD.match(rest)
        if text[-1] != "\u00ad" and (not rest[0].islower() or not text[-2].isalpha() or second is None):
            return f"{text}{rest}"
        compound = f"{first}-{second[0] if second else ''}".lower()
        if text[-1] != "\u00ad" and self.words[compound] > self.words[compound.replace("-", "")]:
            return f"{text}{rest}"
        return f"{text[:-1]}{rest}"


def _are_aligned(above: Line, below: Line) -> bool:
    """Whether a cell after the first begins, ends or is centred at the same x in both lines."""
    for left, right in above.spans[1:]:
        for other_left, other_right in below.spans[1:]:
            if (
                min(abs(left - other_left), abs(right - other_right), abs(left + right - other_left - other_right) / 2)
                < 2
            ):
                return True
    return False


def _is_wording(text: str) -> bool:
    """Whether ``text`` is words rather than a formula or a table's figures."""
    signs = [character for character in text if not character.isspace()]
    return sum(map(str.isalpha, signs)) >= 0.7 * len(signs)


def _language(pdf: Any) -> str | None:
    length = pdfium.FPDFCatalog_GetLanguage(pdf.raw, None, 0)
    if length <= 2:
        return None
    buffer = ctypes.create_string_buffer(length)
    pdfium.FPDFCatalog_GetLanguage(pdf.raw, ctypes.cast(buffer, ctypes.POINTER(ctypes.c_ushort)), length)
    return language_code(buffer.raw.decode("utf-16-le", "replace").strip("\0"))


def _metadata(properties: dict[str, str], language: str | None, lines: list[Line], shown_title: str | None) -> Metadata:
    first_page = "\n".join(line.text for line in lines if line.page == lines[0].page)
    dois = set(_DOI.findall(first_page))
    names = [one_line(name) for name in re.split(r"[;；]", properties.get("Author") or "")]
    return Metadata(
        title=sane_title(properties.get("Title")) or shown_title,
        authors=tuple(name for name in names if " " in name or re.search("[\u4e00-\u9fff]{2}", name)),
        published=_published(first_page),
        language=language,
        doi=dois.pop() if len(dois) == 1 else None,
    )


def _published(text: str) -> str | None:
    match = _PUBLISHED.search(text)
    if match is None:
        return None
    stated = match.groupdict()
    year = stated["year"] or stated["year_last"] or stated["y"]
    name = stated["month"] or stated["month_first"]
    month = _MONTHS.index(name.capitalize()) + 1 if name else int(stated["m"])
    day = int(stated["day"] or stated["day_second"] or stated["d"])
    return f"{year}-{month:02d}-{day:02d}" if 1 <= month <= 12 and 1 <= day <= 31 else None
