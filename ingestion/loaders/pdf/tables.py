"""What a table is, and how the words of its lines are parted into cells. Pure functions; y grows upwards.

Columns are told by the channels that no word crosses. Cells that go on over several lines are joined into their row.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ingestion.loaders.pdf.geometry import Rect
from ingestion.loaders.pdf.words import Fragment, Word

_MIN_GAP_EMS = 0.55
_PROSE_LINES = 4
_PROSE_EMS = 14


@dataclass(frozen=True, slots=True)
class Piece:
    """What stands on one line of a cell."""

    text: str
    rect: Rect


Cell = tuple[Piece, ...]
Row = tuple[Cell, ...]


@dataclass(frozen=True, slots=True)
class Table:
    """``rows`` from the top, the header first; a cell that the row leaves blank is empty."""

    rect: Rect
    size: float
    rows: tuple[Row, ...]


def columns_of(lines: Sequence[Sequence[Fragment]], size: float) -> list[float]:
    """The x between each column and the next, where the words of ``lines`` leave a channel free."""
    spans = sorted((word[1], word[3]) for line in lines for fragment in line for word in _joined(fragment, size))
    if not spans:
        return []
    allowed = len(lines) // 8
    edges = sorted([(left, 1) for left, _ in spans] + [(right, -1) for _, right in spans])
    borders = []
    depth = 0
    free_since: float | None = None
    for x, step in edges:
        if depth <= allowed and depth + step > allowed and free_since is not None:
            if x - free_since >= _MIN_GAP_EMS * size:
                borders.append((free_since + x) / 2)
            free_since = None
        if depth > allowed >= depth + step:
            free_since = x
        depth += step
    return borders


def cells_of(line: Sequence[Fragment], borders: Sequence[float]) -> Row:
    """The cells of one line, parted at ``borders``."""
    cells: list[list[Piece]] = [[] for _ in range(len(borders) + 1)]
    for fragment in line:
        words: dict[int, list[Word]] = {}
        for word in fragment.words:
            middle = (word[1] + word[3]) / 2
            words.setdefault(sum(middle > border for border in borders), []).append(word)
        if len(words) > 1 and len(fragment.words) > 1 and _spans(fragment, borders):
            words = {min(words): list(fragment.words)}
        for column, of in words.items():
            rect = Rect(min(w[1] for w in of), fragment.bottom, max(w[3] for w in of), fragment.top)
            cells[column].append(Piece(" ".join(word[0] for word in of), rect))
    return tuple((one_piece(cell),) if cell else () for cell in cells)


def table_of(lines: Sequence[Sequence[Fragment]], borders: Sequence[float]) -> Table:
    """The table whose text stands on ``lines``; a line that goes on with the row above it is joined to it."""
    fragments = [fragment for line in lines for fragment in line]
    size = median(fragment.size for fragment in fragments)
    parted = [(cells_of(line, borders), min(f.bottom for f in line)) for line in lines]
    return Table(around(fragments), size, tuple(_joined_rows(parted, size)))


def _joined_rows(lines: Sequence[tuple[Row, float]], size: float) -> list[Row]:
    gaps = [above - below for (_, above), (_, below) in pairwise(lines)]
    tight = min(gaps, default=0.0)
    is_spaced = bool(gaps) and sum(gap > 1.25 * tight for gap in gaps) >= 2 and tight < 1.6 * size
    widths = [
        max((piece.rect.width for row, _ in lines for piece in row[column]), default=0.0)
        for column in range(len(lines[0][0]))
    ]
    joined: list[Row] = []
    for position, (row, _) in enumerate(lines):
        gap = gaps[position - 1] if position else 0.0
        if joined and gap < 2.2 * size and _goes_on(joined[-1], row, widths, gap < 1.25 * tight, is_spaced):
            joined[-1] = tuple(above + below for above, below in zip(joined[-1], row, strict=True))
        else:
            joined.append(row)
    return joined


def _goes_on(above: Row, row: Row, widths: Sequence[float], is_tight: bool, is_spaced: bool) -> bool:
    """Whether ``row`` is the next line of wrapped cells in the row ``above``."""
    filled = [column for column, cell in enumerate(row) if cell]
    if not filled or any(not above[column] for column in filled) or len(filled) == len(row):
        return False
    if is_spaced:
        return is_tight
    if len(filled) > max(1, len(row) // 2):
        return False
    if 0 in filled and len(filled) > 1:
        return False
    for column in filled:
        start = row[column][0].text[:1]
        last = above[column][-1]
        if not (start.islower() or start in "(&/+," or last.rect.width > 0.75 * widths[column]):
            return False
        if column == 0 and not (start.islower() or start in "(&/+,"):
            return False
    return True


def one_piece(cell: list[Piece]) -> Piece:
    if len(cell) == 1:
        return cell[0]
    cell.sort(key=lambda piece: piece.rect.left)
    text = cell[0].text
    for before, piece in pairwise(cell):
        is_apart = piece.rect.left - before.rect.right > 0.12 * piece.rect.height
        text += (" " if is_apart else "") + piece.text
    rects = [piece.rect for piece in cell]
    return Piece(
        text,
        Rect(
            min(r.left for r in rects),
            min(r.bottom for r in rects),
            max(r.right for r in rects),
            max(r.top for r in rects),
        ),
    )


def _joined(fragment: Fragment, size: float) -> Iterator[Word]:
    """The words of ``fragment``, those with only a common space between them as one."""
    word: Word | None = None
    for following in fragment.words:
        if word is not None and following[1] - word[3] < 0.4 * size:
            word = (word[0], word[1], word[2], max(word[3], following[3]))
        else:
            if word is not None:
                yield word
            word = following
    if word is not None:
        yield word


def _spans(fragment: Fragment, borders: Sequence[float]) -> bool:
    """Whether ``fragment`` goes on over a border with no more than a common space there."""
    crossed = [border for border in borders if fragment.left < border < fragment.right]
    for border in crossed:
        before = max((word[3] for word in fragment.words if word[1] + word[3] < 2 * border), default=fragment.left)
        after = min((word[1] for word in fragment.words if word[1] + word[3] >= 2 * border), default=fragment.right)
        if after - before > 0.4 * fragment.size:
            return False
    return bool(crossed)


def around(fragments: Iterable[Fragment]) -> Rect:
    of = list(fragments)
    return Rect(min(f.left for f in of), min(f.bottom for f in of), max(f.right for f in of), max(f.top for f in of))


def is_prose(lines: Sequence[Sequence[Fragment]], borders: Sequence[float]) -> bool:
    """Whether what stands between ``borders`` is columns of running text: wide, and most lines filled."""
    parted = [cells_of(line, borders) for line in lines]
    prose = 0
    for column in range(len(borders) + 1):
        widths = [row[column][0].rect.width for row in parted if row[column]]
        size = median([f.size for line in lines for f in line])
        filled = sum(width > 0.75 * max(widths) for width in widths) if widths else 0
        is_wide = bool(widths) and max(widths) > _PROSE_EMS * size
        prose += is_wide and len(widths) >= _PROSE_LINES and filled > 0.5 * len(widths)
    return prose > len(borders) / 2 and prose >= 2
