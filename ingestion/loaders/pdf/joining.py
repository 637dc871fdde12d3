"""Lines joined into the one line of a block, and the boxes that say which of its words stand where on which page."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from ingestion.loaders.assemble import table_rows
from ingestion.loaders.lines import list_marker, one_line
from ingestion.loaders.pdf.geometry import Rect, Sheet
from ingestion.loaders.pdf.tables import Cell, Table
from ingestion.types import Block, BlockKind, Box

_LINE_END_HYPHENS = "-\u2010\u00ad"
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_LAST_WORD = 80


@dataclass(frozen=True, slots=True)
class Placed:
    """The text of one line and where it stands, in the reading space of ``page``."""

    text: str
    rect: Rect
    page: int


class Joiner:
    """Joins lines by the words of the document that they come from."""

    def __init__(self, lines: Sequence[str], sheets: dict[int, Sheet]) -> None:
        self._sheets = sheets
        self._words = Counter(_unbroken_words(lines))

    def block(
        self, kind: BlockKind, lines: Sequence[Placed], level: int = 0, hidden: str | None = None
    ) -> Block | None:
        """The block that ``lines`` make up, None where they are blank."""
        text, starts = self._joined([line.text for line in lines])
        if not text:
            return None
        if kind is BlockKind.LIST_ITEM and (marked := list_marker(text)):
            longer = len("".join(marked)) - len(text)
            text = "".join(marked)
            starts = [max(start + longer, 0) if start else 0 for start in starts]
        boxes = self._boxes(text, zip(starts, lines, strict=True))
        return Block(kind, text, level=level, page=lines[0].page, boxes=boxes, hidden=hidden)

    def table(self, table: Table, page: int) -> Iterator[Block]:
        """The rows of ``table``, each with a box for every line of its cells."""
        rows = [[self._cell(cell) for cell in row] for row in table.rows]
        filled = [(row, cells) for row, cells in zip(table.rows, rows, strict=True) if any(text for text, _ in cells)]
        blocks = table_rows([text for text, _ in cells] for _, cells in filled)
        for block, (row, cells) in zip(blocks, filled, strict=True):
            starts: list[tuple[int, Placed]] = []
            for column, (cell, (_, cell_starts)) in enumerate(zip(row, cells, strict=True)):
                before = one_line(" | ".join([*(text for text, _ in cells[:column]), ""])) if column else ""
                offset = len(before) + 1 if before else 0
                for start, piece in zip(cell_starts, cell, strict=True):
                    starts.append((offset + start, Placed(piece.text, piece.rect, page)))
            boxes = self._boxes(block.text, starts)
            yield Block(block.kind, block.text, page=page, joins_previous=block.joins_previous, boxes=boxes)

    def _cell(self, cell: Cell) -> tuple[str, list[int]]:
        return self._joined([piece.text for piece in cell])

    def _joined(self, lines: Sequence[str]) -> tuple[str, list[int]]:
        """``lines`` as one, and where each of them begins in it."""
        parts: list[str] = []
        starts = []
        length = 0
        for line in map(one_line, lines):
            if parts and line:
                dropped, between = self._join(parts[-1], line)
                if dropped:
                    parts[-1] = parts[-1][:-1]
                parts.append(between)
                length += len(between) - dropped
            starts.append(length)
            if line:
                parts.append(line)
                length += len(line)
        return "".join(parts), starts

    def _join(self, line: str, rest: str) -> tuple[bool, str]:
        """Whether the hyphen at the end of ``line`` goes where ``rest`` follows, and what stands between the two.

        A hyphen stays where the document writes the compound, or both of its parts but never the whole, elsewhere.
        """
        if not (len(line) > 1 and line[-1] in _LINE_END_HYPHENS and line[-2].isalnum() and rest[0].isalnum()):
            return False, one_line(f"{line[-1]}\n{rest[0]}")[1:-1]
        if line[-1] == "\u00ad":
            return True, ""
        first, second = re.split(r"[^\w-]", line[-_LAST_WORD:-1])[-1], _WORD.match(rest)
        if second is None or not rest[0].islower() or not line[-2].isalpha() or len(first) == 1:
            return False, ""
        parts = first.lower(), second[0].lower()
        whole, compound = "".join(parts), "-".join(parts)
        if self._words[compound] > self._words[whole]:
            return False, ""
        is_compound = not self._words[whole] and all(len(part) > 2 and self._words[part] for part in parts)
        return not is_compound, ""

    def _boxes(self, text: str, starts: Iterable[tuple[int, Placed]]) -> tuple[Box, ...]:
        """A box for each line that has words in ``text``; it reaches to where the next one begins."""
        kept: list[tuple[int, Placed]] = []
        for start, line in starts:
            if kept and start <= kept[-1][0]:
                continue
            if start < len(text):
                kept.append((start if kept else 0, line))
        ends = [after for _, (after, _) in pairwise(kept)] + [len(text)]
        boxes = []
        for (start, line), end in zip(kept, ends, strict=True):
            left, top, right, bottom = self._sheets[line.page].shown(line.rect)
            boxes.append(Box(line.page, left, top, right, bottom, start, start + len(text[start:end].rstrip())))
        return tuple(boxes)


def _unbroken_words(lines: Iterable[str]) -> Iterator[str]:
    """The words of ``lines`` in small letters, without those that the end of a line breaks in two."""
    is_broken = False
    for line in lines:
        words = _WORD.findall(line.lower())
        begins_broken, is_broken = is_broken, line[-1:] in tuple(_LINE_END_HYPHENS)
        yield from words[1 if begins_broken else 0 : -1 if is_broken else None]
