"""From the pieces of text that lie on a page to its lines in reading order. Pure functions; nothing here knows PDF.

Lengths are in points, y grows upwards. Pages set in columns are read column by column: a gutter is an x that many
fragments begin at and few cross, and fragments that do cross it (titles, wide figures) part the page into what is read
before and after them. A table that rules make out is taken out first and stands in the order where it begins.
"""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

from ingestion.loaders.pdf.geometry import Rect, Sheet
from ingestion.loaders.pdf.ruled import ruled_tables
from ingestion.loaders.pdf.tables import Table
from ingestion.loaders.pdf.words import Fragment, rows

_MIN_COLUMN_LINES = 3
_MIN_COLUMN_EMS = 9
_MIN_UNLEVEL_LINES = 12
_MAX_GUTTERS = 24
_MAX_LEVEL = 0.4
_MIN_FILLED = 0.55
CELL_GAP_EMS = 1.2
_MARGIN_SHARE = 0.13
_EDGE_ROWS = 3
_PAGE_NUMBER = re.compile(
    r"[-–—·•|\[(\s]*(?:(?:page|seite|p\.|第)\s*)?(?:\d{1,4}|[ivxlc]{1,7})(?:\s*(?:of|/|von|页，?共|页\s*/\s*共|／)\s*\d{1,4})?\s*页?[-–—·•|\])\s]*",
    re.I,
)


@dataclass(slots=True)
class Line:
    """A line of one column. ``cells`` are its parts between wide gaps, ``spans`` where each of them begins and ends;
    ``flow`` numbers the columns in reading order. Where it stands for a whole ``table`` it has no text of its own.
    """

    text: str
    cells: tuple[str, ...]
    spans: tuple[tuple[float, float], ...]
    page: int
    flow: int
    left: float
    right: float
    bottom: float
    size: float
    bold: bool
    column_left: float
    column_right: float
    fragments: tuple[Fragment, ...] = ()
    table: Table | None = None

    def rect(self) -> Rect:
        return Rect(self.left, self.bottom, self.right, self.bottom + self.size)


@dataclass(slots=True)
class Page:
    """``number`` counts from 1 as the file does, whatever is printed on the page. All but ``sheet`` is in reading
    space; ``fragments`` holds what a reader sees, ``unseen`` what is hidden.
    """

    number: int
    sheet: Sheet
    fragments: list[Fragment] = field(default_factory=list)
    unseen: list[Fragment] = field(default_factory=list)
    rules: list[Rect] = field(default_factory=list)

    @property
    def height(self) -> float:
        return self.sheet.reading.height


def reading_order(pages: Sequence[Page]) -> Iterator[Line]:
    """The lines of all pages without running heads, running feet and page numbers."""
    flow = 0
    for page, furniture in zip(pages, _furniture(pages), strict=True):
        fragments = [fragment for fragment in page.fragments if id(fragment) not in furniture]
        fragments, tables = _without_tables(fragments, page.rules)
        for column in _columns(fragments):
            flow += 1
            left, right = min(f.left for f in column), max(f.right for f in column)
            for row in rows(column):
                for part in _parted_by_tables(row, tables):
                    yield _line(part, page.number, flow, left, right, tables.get(id(part[0])))


def line_of(row: list[Fragment], page: int) -> Line:
    """The line that ``row`` is by itself, where there are no columns."""
    return _line(row, page, 0, row[0].left, max(fragment.right for fragment in row), None)


def _without_tables(fragments: list[Fragment], rules: Sequence[Rect]) -> tuple[list[Fragment], dict[int, Table]]:
    """``fragments`` with one in place of those of each ruled table, and the tables by the ids of these."""
    tables: dict[int, Table] = {}
    placed: list[Fragment] = []
    inside: set[int] = set()
    for table, taken in ruled_tables(fragments, rules):
        inside.update(map(id, taken))
        top = table.rect.top
        stand_in = Fragment("", table.rect.left, table.rect.right, top - table.size, top, table.size, bold=False)
        tables[id(stand_in)] = table
        placed.append(stand_in)
    if not tables:
        return fragments, tables
    return [f for f in fragments if id(f) not in inside] + placed, tables


def _parted_by_tables(row: list[Fragment], tables: dict[int, Table]) -> Iterator[list[Fragment]]:
    text = [fragment for fragment in row if id(fragment) not in tables]
    if text:
        yield text
    yield from ([fragment] for fragment in row if id(fragment) in tables)


def _line(
    row: list[Fragment], page: int, flow: int, column_left: float, column_right: float, table: Table | None
) -> Line:
    main = max(row, key=lambda f: len(f.text))
    cells = [row[0].text]
    spans = [(row[0].left, row[0].right)]
    for before, fragment in pairwise(row):
        gap = fragment.left - before.right
        if gap > CELL_GAP_EMS * main.size:
            cells.append(fragment.text)
            spans.append((fragment.left, fragment.right))
        else:
            spans[-1] = (spans[-1][0], fragment.right)
            cells[-1] += (" " if gap > 0.15 * main.size else "") + fragment.text
    return Line(
        text=" ".join(cells),
        cells=tuple(cells),
        spans=tuple(spans),
        page=page,
        flow=flow,
        left=row[0].left,
        right=max(f.right for f in row),
        bottom=main.bottom,
        size=main.size,
        bold=all(f.bold for f in row),
        column_left=column_left,
        column_right=column_right,
        fragments=tuple(row),
        table=table,
    )


def _columns(fragments: list[Fragment]) -> list[list[Fragment]]:
    """``fragments`` parted into what is read one after the other."""
    gutter = _gutter(fragments)
    if gutter is None:
        return [fragments] if fragments else []
    parts: list[list[Fragment]] = []
    for run, crosses in _runs(rows(fragments), gutter):
        left, right = _sides(run, gutter)
        if not crosses and _are_columns(left, right):
            parts += [*_columns(left), *_columns(right)]
        elif parts and crosses and not _was_column(parts[-1], gutter):
            parts[-1] += run
        else:
            parts.append(list(run))
    return parts


def _gutter(fragments: list[Fragment]) -> float | None:
    """The x just left of the column that takes in most text, None where the text is in one column."""
    if len(fragments) < 2 * _MIN_COLUMN_LINES:
        return None
    starts = Counter(round(fragment.left) for fragment in fragments)
    leftmost = min(starts)
    lines = rows(fragments)
    best, best_score = None, 0.0
    often = Counter(
        {start: starts[start] + starts[start - 1] + starts[start + 1] for start in starts if start > leftmost}
    )
    likely = [start for start, count in often.most_common(_MAX_GUTTERS) if count >= _MIN_COLUMN_LINES]
    for start in sorted(likely):
        x = start - 1.5
        score = 0.0
        for run, crosses in _runs(lines, x):
            if crosses:
                continue
            left, right = _sides(run, x)
            if _are_columns(left, right):
                score += sum(fragment.right - fragment.left for fragment in run)
        if score > best_score:
            best, best_score = x, score
    return best


def _runs(lines: list[list[Fragment]], x: float) -> Iterator[tuple[list[Fragment], bool]]:
    """From the top down, what crosses ``x`` and what does not, each as long as it lasts."""
    run: list[Fragment] = []
    crossed = False
    for row in lines:
        crosses = any(_crosses(fragment, x) for fragment in row)
        if run and crosses != crossed:
            yield run, crossed
            run = []
        run.extend(row)
        crossed = crosses
    if run:
        yield run, crossed


def _sides(run: list[Fragment], x: float) -> tuple[list[Fragment], list[Fragment]]:
    return [f for f in run if f.left + f.right < 2 * x], [f for f in run if f.left + f.right >= 2 * x]


def _crosses(fragment: Fragment, x: float) -> bool:
    """Whether it goes through ``x``; a quotation mark that hangs into the gutter does not make it do so."""
    return fragment.left < x - 0.7 * fragment.size and fragment.right > x + 0.7 * fragment.size


def _are_columns(left: list[Fragment], right: list[Fragment]) -> bool:
    """Whether both sides are running text rather than the cells of a table: several lines, wide and mostly filled.

    Where the lines of the two sides do not stand level with each other, one of them may be unfilled, as formulas are.
    """
    if min(len(left), len(right)) < _MIN_COLUMN_LINES:
        return False
    are_text = _is_running_text(left), _is_running_text(right)
    if all(are_text):
        return True
    if not any(are_text) or min(len(left), len(right)) < _MIN_UNLEVEL_LINES:
        return False
    sides = (left, right)
    is_wide = all(max(f.right for f in s) - min(f.left for f in s) >= _MIN_COLUMN_EMS * s[0].size for s in sides)
    return is_wide and _share_level(left, right) < _MAX_LEVEL


def _share_level(left: list[Fragment], right: list[Fragment]) -> float:
    """The share of the lines on the side with fewer that have one at the same height on the other side."""
    sides = sorted(({round(row[0].bottom) for row in rows(side)} for side in (left, right)), key=len)
    return sum(bottom in sides[1] for bottom in sides[0]) / len(sides[0])


def _is_running_text(side: list[Fragment]) -> bool:
    width = max(f.right for f in side) - min(f.left for f in side)
    if width < _MIN_COLUMN_EMS * median(f.size for f in side):
        return False
    lines = rows(side)
    if 2 * sum(map(_has_cells, lines)) >= len(lines):
        return False
    return median(sum(f.right - f.left for f in row) for row in lines) >= _MIN_FILLED * width


def _has_cells(row: list[Fragment]) -> bool:
    return any(after.left - before.right > CELL_GAP_EMS * before.size for before, after in pairwise(row))


def _was_column(part: list[Fragment], x: float) -> bool:
    return not any(_crosses(fragment, x) for fragment in part)


def _furniture(pages: Sequence[Page]) -> list[set[int]]:
    """For each page the ids of the fragments that are its running head or foot, or its number.

    A row is one of these if its text, but for numbers, is repeated in the margin of other pages, if it stands where
    such a row stands on other pages, or if it is the outermost row and nothing but a number.
    """
    edges = [list(_edge_rows(page)) for page in pages]
    texts = Counter(key for page_edges in edges for key in {key for key, _, _ in page_edges})
    repeated = {key for key, pages_with in texts.items() if pages_with >= 3 or pages_with == len(pages) == 2}
    places = Counter(_place(key, row) for page_edges in edges for key, _, row in page_edges if key in repeated)
    found = []
    for page_edges in edges:
        dropped: set[int] = set()
        for key, is_outermost, row in page_edges:
            stands_alike = is_outermost and places[_place(key, row)] >= 3
            is_number = is_outermost and _PAGE_NUMBER.fullmatch(" ".join(fragment.text for fragment in row))
            if key in repeated or stands_alike or is_number:
                dropped.update(map(id, row))
        found.append(dropped)
    return found


def _place(key: tuple[str, str, int], row: list[Fragment]) -> tuple[str, int, int]:
    return key[0], key[2], round(row[0].bottom)


def _edge_rows(page: Page) -> Iterator[tuple[tuple[str, str, int], bool, list[Fragment]]]:
    """(what to compare with other pages, whether nothing is further out, row) for the rows in the page's margins."""
    all_rows = rows(page.fragments)
    for edge, ordered in (("head", all_rows), ("foot", all_rows[::-1])):
        for position, row in enumerate(ordered[:_EDGE_ROWS]):
            share = row[0].bottom / page.height
            if share < _MARGIN_SHARE if edge == "foot" else share > 1 - _MARGIN_SHARE:
                text = re.sub(r"\d+", "#", "".join(fragment.text for fragment in row)).replace(" ", "").casefold()
                yield (edge, text, round(row[0].size)), position == 0, row
