"""Lines in reading order to blocks: title, headings by size or weight, paragraphs, list items, tables, footnotes."""

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby, pairwise
from statistics import median

from ingestion.loaders.lines import ends_a_sentence, list_marker, numbered_heading_level
from ingestion.loaders.pdf.geometry import Sheet
from ingestion.loaders.pdf.joining import Joiner, Placed
from ingestion.loaders.pdf.layout import Line, Page, line_of
from ingestion.loaders.pdf.lined import tables_in
from ingestion.loaders.pdf.words import Fragment, rows
from ingestion.types import Block, BlockKind

_HEADING_RATIO = 1.15
_NOTE_RATIO = 0.92
_MIN_BOLD_RATIO = 0.85
_FOOT_SHARE = 0.35
_MAX_HEADING_CHARACTERS = 200
_MAX_HEADING_LINES = 2
_HEADING_LEADING = 1.6
_SAME_RANK = 0.9

_SENTENCE_END = re.compile(r"[.!?:;。！？：；…][\"'”’)）\]」』]*\d{0,3}$")
_HEADINGS = (BlockKind.TITLE, BlockKind.HEADING)


def blocks_of(lines: list[Line], pages: Sequence[Page]) -> list[Block]:
    """Blocks in reading order; a page's footnotes after what begins on that page, its hidden text after these."""
    by_page: dict[int, list[Block]] = defaultdict(list)
    sheets = {page.number: page.sheet for page in pages}
    if lines:
        style = _Style(lines, sheets)
        notes = style.notes(lines)
        text = [line for line in lines if id(line) not in notes]
        foot_of_columns = groupby((line for line in lines if id(line) in notes), key=lambda line: line.flow)
        for part in (text, *(list(column) for _, column in foot_of_columns)):
            for block in style.paragraphs(part):
                by_page[block.page or 0].append(block)
    for page in pages:
        by_page[page.number] += _hidden_blocks(page)
    return [block for page in sorted(by_page) for block in by_page[page]]


def _hidden_blocks(page: Page) -> Iterator[Block]:
    """A paragraph of each run of lines that is hidden for the same reason."""
    lines = [(line_of(row, page.number), row[0].hidden) for row in _by_reason(page)]
    joiner = Joiner([line.text for line, _ in lines], {page.number: page.sheet})
    for reason, of in groupby(lines, key=lambda line: line[1]):
        block = joiner.block(BlockKind.PARAGRAPH, [_placed(line) for line, _ in of], hidden=reason)
        if block is not None:
            yield block


def _by_reason(page: Page) -> Iterator[list[Fragment]]:
    for reason in sorted({fragment.hidden or "" for fragment in page.unseen}):
        yield from rows(fragment for fragment in page.unseen if fragment.hidden == reason)


def _placed(line: Line) -> Placed:
    return Placed(line.text, line.rect(), line.page)


class _Style:
    """What the lines of one document have in common: body size, leading, the sizes of its headings, its words."""

    def __init__(self, lines: list[Line], sheets: dict[int, Sheet]) -> None:
        self.joiner = Joiner([line.text for line in lines], sheets)
        weights: Counter[float] = Counter()
        bold = 0
        for line in lines:
            weights[round(line.size * 2) / 2] += len(line.text)
            bold += len(line.text) * line.bold
        self.body = weights.most_common(1)[0][0] or 1.0
        self.body_is_bold = bold > 0.5 * weights.total()
        gaps = [(a.bottom - b.bottom) / b.size for a, b in pairwise(lines) if a.flow == b.flow]
        self.leading = median([gap for gap in gaps if 0.8 < gap < 2.5] or [1.2])
        self.title = self._title(lines)
        self.title_ids = set(map(id, self.title))
        self.sizes = self._heading_sizes(line for line in lines if id(line) not in self.title_ids)
        self.begun = set(self._begun_headings(lines))

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

    def _heading_sizes(self, lines: Iterable[Line]) -> list[float]:
        """The sizes of headings, largest first, without those that differ little, or stand on one page where others
        recur: they are of a cover.
        """
        pages: dict[float, set[int]] = defaultdict(set)
        for line in lines:
            if self._is_large(line):
                pages[round(line.size)].add(line.page)
        recurring = [size for size, on in pages.items() if len(on) > 1]
        sizes: list[float] = []
        for size in sorted(recurring or pages, reverse=True):
            if not sizes or size < _SAME_RANK * sizes[-1]:
                sizes.append(size)
        return sizes

    def _begun_headings(self, lines: list[Line]) -> Iterator[int]:
        """The ids of bold lines as wide as their column that go on with a bold line that is a heading by itself."""
        length = 0
        for line, after in pairwise(reversed(lines)):
            goes_on = (
                line.flow == after.flow
                and 0 < after.bottom - line.bottom < _HEADING_LEADING * line.size
                and abs(line.size - after.size) < 1
                and after.bold
                and not (ends_a_sentence(after.text) or list_marker(line.text))
            )
            length = length + 1 if goes_on and (length or self._is_heading(line)) else 0
            if 0 < length <= _MAX_HEADING_LINES and not self._is_heading(after) and self._is_bold_text(after):
                yield id(after)

    def _is_bold_text(self, line: Line) -> bool:
        is_large_enough = line.size >= _MIN_BOLD_RATIO * self.body
        return line.bold and not self.body_is_bold and is_large_enough and len(line.cells) <= 2 and line.table is None

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
            while end and self._is_note(column[end - 1], foot):
                end -= 1
            if end:
                found.update(map(id, column[end:]))
        return found

    def _is_note(self, line: Line, foot: float) -> bool:
        return line.table is None and line.size < _NOTE_RATIO * self.body and line.bottom < foot

    def paragraphs(self, lines: list[Line]) -> Iterator[Block]:
        """The blocks of ``lines``, which follow each other. A table that a sentence goes around comes after it."""
        pending: list[Line] = []
        waiting: list[Block] = []
        previous_kind = BlockKind.PARAGRAPH
        for item in tables_in(lines, self.title_ids):
            if isinstance(item, tuple):
                table, page = item
                if pending and (previous_kind is not BlockKind.PARAGRAPH or _ends(pending[-1])):
                    yield from self._block(pending, previous_kind)
                    yield from waiting
                    pending, waiting = [], []
                rows_of_table = self.joiner.table(table, page)
                if pending:
                    waiting += rows_of_table
                else:
                    yield from rows_of_table
                continue
            kind = self._kind(item)
            if pending and not self._continues(pending, previous_kind, item, kind):
                yield from self._block(pending, previous_kind)
                yield from waiting
                pending, waiting = [], []
            if not pending:
                previous_kind = kind
            pending.append(item)
        yield from self._block(pending, previous_kind)
        yield from waiting

    def _kind(self, line: Line) -> BlockKind:
        if id(line) in self.title_ids:
            return BlockKind.TITLE
        if id(line) in self.begun or (len(line.text) <= _MAX_HEADING_CHARACTERS and self._is_heading(line)):
            return BlockKind.HEADING
        return BlockKind.LIST_ITEM if list_marker(line.text) else BlockKind.PARAGRAPH

    def _is_large(self, line: Line) -> bool:
        return line.size >= _HEADING_RATIO * self.body and sum(map(str.isalpha, line.text)) >= 2

    def _is_heading(self, line: Line) -> bool:
        if self._is_large(line):
            return True
        if not self._is_bold_text(line):
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
        if (kind in _HEADINGS or line_kind is not BlockKind.PARAGRAPH) and kind is not line_kind:
            return False
        is_full = last.right > last.column_right - 2 * last.size
        ends = _ends(last)
        if line.flow != last.flow:
            is_midway = line.text[:1].islower() or "\u4e00" <= line.text[:1] <= "\u9fff" or is_full
            return kind not in _HEADINGS and not ends and is_midway
        gap = last.bottom - line.bottom
        if gap > 1.35 * max(self.leading, 1.0) * line.size or gap < -line.size:
            return False
        if kind in _HEADINGS:
            return not numbered_heading_level(line.text)
        indent = line.left - last.left
        if indent > 0.8 * line.size and kind is not BlockKind.LIST_ITEM:
            return not (ends or not is_full)
        if indent < -0.8 * line.size and len(before) > 1 and ends:
            return False
        is_short = last.right < last.column_right - 0.2 * (last.column_right - last.column_left)
        return not (ends and is_short)

    def _block(self, lines: list[Line], kind: BlockKind) -> Iterator[Block]:
        if not lines:
            return
        level = 0
        if kind is BlockKind.HEADING:
            ranked = 1 + sum(_SAME_RANK * size > lines[0].size for size in self.sizes)
            level = numbered_heading_level(" ".join(line.text for line in lines)) or min(ranked, 6)
        if (block := self.joiner.block(kind, [_placed(line) for line in lines], level)) is not None:
            yield block


def _ends(line: Line) -> bool:
    return _SENTENCE_END.search(line.text) is not None


def _is_wording(text: str) -> bool:
    """Whether ``text`` is words rather than a formula or a table's figures."""
    signs = [character for character in text if not character.isspace()]
    return sum(map(str.isalpha, signs)) >= 0.7 * len(signs)
