"""From the pieces of text that lie on a page to its lines in reading order. Pure functions; nothing here knows PDF.

Lengths are in points, y grows upwards. A ``Fragment`` is a run of characters on one baseline without a wide gap. Pages
set in columns are read column by column: a gutter is an x that many fragments begin at and few cross, and fragments
that do cross it (titles, wide figures) part the page into what is read before and after them.
"""

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median

_MIN_COLUMN_LINES = 3
_MIN_COLUMN_EMS = 9
_MIN_FILLED = 0.55
_CELL_GAP_EMS = 1.2
_MARGIN_SHARE = 0.13
_EDGE_ROWS = 3
_PAGE_NUMBER = re.compile(
    r"[-–—·•|\[(\s]*(?:(?:page|seite|p\.|第)\s*)?(?:\d{1,4}|[ivxlc]{1,7})(?:\s*(?:of|/|von|页，?共|页\s*/\s*共|／)\s*\d{1,4})?\s*页?[-–—·•|\])\s]*",
    re.I,
)


@dataclass(slots=True)
class Fragment:
    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float
    bold: bool


@dataclass(slots=True)
class Line:
    """A line of one column. ``cells`` are its parts between wide gaps, ``spans`` where each of them begins and ends;
    ``flow`` numbers the columns in reading order.
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


@dataclass(slots=True)
class Page:
    """``number`` counts from 1 as the file does, whatever is printed on the page."""

    number: int
    height: float
    fragments: list[Fragment] = field(default_factory=list)


def reading_order(pages: Sequence[Page]) -> Iterator[Line]:
    """The lines of all pages without running heads, running feet and page numbers."""
    flow = 0
    for page, furniture in zip(pages, _furniture(pages), strict=True):
        fragments = [fragment for fragment in page.fragments if id(fragment) not in furniture]
        for column in _columns(fragments):
            flow += 1
            left, right = min(f.left for f in column), max(f.right for f in column)
            for row in rows(column):
                yield _line(row, page.number, flow, left, right)


def rows(fragments: Iterable[Fragment]) -> list[list[Fragment]]:
    """``fragments`` grouped by the line they stand on, from the top down, each line from left to right."""
    grouped: list[list[Fragment]] = []
    bottom = top = 0.0
    for fragment in sorted(fragments, key=lambda f: -(f.bottom + f.top)):
        overlap = min(top, fragment.top) - max(bottom, fragment.bottom)
        if grouped and overlap > 0.5 * min(top - bottom, fragment.top - fragment.bottom):
            grouped[-1].append(fragment)
            if fragment.top - fragment.bottom > top - bottom:
                bottom, top = fragment.bottom, fragment.top
        else:
            grouped.append([fragment])
            bottom, top = fragment.bottom, fragment.top
    for row in grouped:
        row.sort(key=lambda f: f.left)
    return grouped


def _line(row: list[Fragment], page: int, flow: int, column_left: float, column_right: float) -> Line:
    main = max(row, key=lambda f: len(f.text))
    cells = [row[0].text]
    spans = [(row[0].left, row[0].right)]
    for before, fragment in pairwise(row):
        gap = fragment.left - before.right
        if gap > _CELL_GAP_EMS * main.size:
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
    )


def _columns(fragments: list[Fragment]) -> list[list[Fragment]]:
    """``fragments`` parted into what is read one after the other."""
    gutter = _gutter(fragments)
    if gutter is None:
        return [fragments] if fragments else []
    parts: list[list[Fragment]] = []
    for run, crosses in _runs(fragments, gutter):
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
    best, best_score = None, 0.0
    for start in sorted(starts):
        if start == leftmost or starts[start] + starts[start - 1] + starts[start + 1] < _MIN_COLUMN_LINES:
            continue
        x = start - 1.5
        score = 0.0
        for run, crosses in _runs(fragments, x):
            left, right = _sides(run, x)
            if not crosses and _are_columns(left, right):
                score += sum(fragment.right - fragment.left for fragment in run)
        if score > best_score:
            best, best_score = x, score
    return best


def _runs(fragments: list[Fragment], x: float) -> Iterator[tuple[list[Fragment], bool]]:
    """From the top down, what crosses ``x`` and what does not, each as long as it lasts."""
    run: list[Fragment] = []
    crossed = False
    for row in rows(fragments):
        crosses = any(_crosses(fragment, x) for fragment in row)
        if run and crosses != crossed:
            yield run, crossed
            run = []
        run, crossed = run + row, crosses
    if run:
        yield run, crossed


def _sides(run: list[Fragment], x: float) -> tuple[list[Fragment], list[Fragment]]:
    return [f for f in run if f.left + f.right < 2 * x], [f for f in run if f.left + f.right >= 2 * x]


def _crosses(fragment: Fragment, x: float) -> bool:
    """Whether it goes through ``x``; a quotation mark that hangs into the gutter does not make it do so."""
    return fragment.left < x - 0.7 * fragment.size and fragment.right > x + 0.7 * fragment.size


def _are_columns(left: list[Fragment], right: list[Fragment]) -> bool:
    """Whether both sides are running text rather than the cells of a table: several lines, wide and mostly filled."""
    return all(len(side) >= _MIN_COLUMN_LINES and _is_running_text(side) for side in (left, right))


def _is_running_text(side: list[Fragment]) -> bool:
    width = max(f.right for f in side) - min(f.left for f in side)
    if width < _MIN_COLUMN_EMS * median(f.size for f in side):
        return False
    lines = rows(side)
    if 2 * sum(map(_has_cells, lines)) >= len(lines):
        return False
    return median(sum(f.right - f.left for f in row) for row in lines) >= _MIN_FILLED * width


def _has_cells(row: list[Fragment]) -> bool:
    return any(after.left - before.right > _CELL_GAP_EMS * before.size for before, after in pairwise(row))


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
