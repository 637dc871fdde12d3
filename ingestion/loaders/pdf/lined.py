"""Tables without rules, told by lines whose cells, parted by wide gaps, stand under each other."""

import re
from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet

from ingestion.loaders.pdf.layout import Line
from ingestion.loaders.pdf.tables import Table, columns_of, table_of

_ALIGNED = 2.0
_WRAP_GAP = 1.7
_LOOK_BACK = 3
_MAX_CELLS = 40
_MARKER = re.compile(r"[\[(]?\d{1,3}[.)\]]{0,2}|[A-Za-z][.)]|[-–—•●▪■◆*·∙○◦]|[\[(]\w{1,4}[\])]")


def tables_in(lines: Sequence[Line], title: AbstractSet[int]) -> Iterator[Line | tuple[Table, int]]:
    """``lines`` in their order, those that make up a table as that table and its page."""
    position = 0
    while position < len(lines):
        line = lines[position]
        if line.table is not None:
            yield line.table, line.page
            position += 1
            continue
        end = max(_end_of_table(lines, position, title), position + 1)
        table = _table(lines[position:end]) if end > position + 1 else None
        if table is not None:
            yield table, line.page
        else:
            yield from lines[position:end]
        position = end


def _end_of_table(lines: Sequence[Line], start: int, title: AbstractSet[int]) -> int:
    """The position after the last line of the table that begins at ``start``, ``start`` where none does."""
    if not _has_cells(lines[start], title):
        return start
    seeds = [lines[start]]
    end = position = start + 1
    while position < len(lines) and lines[position].flow == lines[start].flow and lines[position].table is None:
        line, above = lines[position], lines[position - 1]
        if _has_cells(line, title):
            if not any(_are_aligned(seed, line) for seed in seeds[-_LOOK_BACK:]):
                break
            seeds.append(line)
            end = position + 1
        elif _is_wrapped(line, above, seeds[-1]):
            if line.left > seeds[-1].left + line.size:
                end = position + 1
        else:
            break
        position += 1
    is_table = len(seeds) > 2 or (len(seeds) == 2 and _stand_under_each_other(*seeds))
    return end if is_table else start


def _has_cells(line: Line, title: AbstractSet[int]) -> bool:
    return 1 < len(line.cells) <= _MAX_CELLS and id(line) not in title


def _is_wrapped(line: Line, above: Line, seed: Line) -> bool:
    """Whether ``line``, tight under ``above``, lies within one column as ``seed`` begins them."""
    if above.bottom - line.bottom > _WRAP_GAP * line.size or (line.bold and not seed.bold):
        return False
    starts = [left for left, _ in seed.spans]
    column = next((i for i, left in enumerate(starts) if abs(left - line.left) < 0.5 * line.size), None)
    if column is None:
        return False
    return column + 1 == len(starts) or line.right < starts[column + 1]


def _stand_under_each_other(above: Line, below: Line) -> bool:
    """Whether all cells of two lines begin at the same x."""
    return len(above.spans) == len(below.spans) and all(
        abs(one[0] - other[0]) < _ALIGNED for one, other in zip(above.spans, below.spans, strict=True)
    )


def _table(lines: Sequence[Line]) -> Table | None:
    seeds = [line for line in lines if len(line.cells) > 1]
    if all(len(line.cells) == 2 for line in seeds):
        for cell in (0, 1):
            if all(_MARKER.fullmatch(line.cells[cell].strip()) for line in seeds):
                return None
    size = seeds[0].size
    borders = columns_of([line.fragments for line in lines], size)
    if not borders:
        return None
    table = table_of([line.fragments for line in lines], borders)
    return table if sum(sum(map(bool, row)) > 1 for row in table.rows) > 1 else None


def _are_aligned(above: Line, below: Line) -> bool:
    """Whether a cell after the first begins, ends or is centred at the same x in both lines."""
    for left, right in above.spans[1:]:
        for other_left, other_right in below.spans[1:]:
            centres = abs(left + right - other_left - other_right) / 2
            if min(abs(left - other_left), abs(right - other_right), centres) < _ALIGNED:
                return True
    return False
