"""What a language model is shown of a hit: its passage, what stands around it, and the head of the table it is from.

Passages do not overlap, and one that begins inside a table has the rows only: the row that names the columns, and the
caption, stand in an earlier passage.
"""

import re
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import func, select

from rag import catalog
from rag.database import ReadSession
from rag.errors import NotFound
from rag.flags import ALL
from rag.tables import EditionRow, PassageRow
from rag.types import Caller, Hit, Passage

LONGEST_HEAD = 600
"""Characters of a caption or of a row of column names; a longer one is left out."""
_FIRST_REACH, _LAST_REACH = 16_000, 1_000_000
_CELLS = " | "
_NAMED_AS_TABLE = re.compile(r"(?:table|tab\.|附?表)\s*\S", re.IGNORECASE)
_ENDS_LIKE_PROSE = re.compile(r"[.!?。！？][\"'”’)）]?$")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """``text == text_of_edition[char_start:char_end]``."""

    text: str
    char_start: int
    char_end: int


@dataclass(frozen=True, slots=True)
class Context:
    """A hit with what is around it: ``text == text_of_edition[char_start:char_end]``, which holds the hit's passage
    whole. ``head`` are the caption and the column names of the table in which ``text`` begins, where it lacks them."""

    hit: Hit
    text: str
    char_start: int
    char_end: int
    head: tuple[Excerpt, ...] = ()


@dataclass(frozen=True, slots=True)
class _Draft:
    hit: Hit
    before: Passage | None
    after: Passage | None
    start: int
    end: int
    head: tuple[Excerpt, ...] = ()


def contexts(
    session: ReadSession, caller: Caller, hits: Sequence[Hit], budget: int, without_flags: Collection[str] = ALL
) -> tuple[Context, ...]:
    """The contexts of the best ``hits``, in their order, of at most ``budget`` characters together.

    First come the passages themselves, whole, as many as there is room for; then the heads of their tables; then, from
    the best hit on, the passage after and the one before, of the same section first. No passage is shown twice, and
    none that has one of ``without_flags``. Hits that the caller may no longer read are left out.
    """
    drafts = list(_passages_that_fit(session, caller, hits, budget, without_flags))
    left = budget - sum(draft.end - draft.start for draft in drafts)
    for at, draft in enumerate(drafts):
        head = _table_head(session, draft.hit.passage, without_flags)
        if head and sum(len(one.text) for one in head) <= left:
            drafts[at] = replace(draft, head=head)
            left -= sum(len(one.text) for one in head)
    _widen(drafts, left, without_flags)
    return tuple(_context(session, draft) for draft in drafts)


def _passages_that_fit(
    session: ReadSession, caller: Caller, hits: Sequence[Hit], budget: int, without_flags: Collection[str]
) -> Iterator[_Draft]:
    for hit in hits:
        try:
            passage, before, after = catalog.passage_with_neighbours(session, caller, hit.passage.passage_id)
        except NotFound:
            continue
        if set(passage.flags) & set(without_flags):
            continue
        budget -= passage.char_end - passage.char_start
        if budget < 0:
            return
        yield _Draft(replace(hit, passage=passage), before, after, passage.char_start, passage.char_end)


def _widen(drafts: list[_Draft], left: int, without_flags: Collection[str]) -> None:
    """Takes neighbours into the drafts while there are characters ``left``."""
    shown = {draft.hit.passage.passage_id for draft in drafts}
    for same_section in (True, False):
        for at in range(len(drafts)):
            for neighbour in (drafts[at].after, drafts[at].before):
                if neighbour is None or neighbour.passage_id in shown or set(neighbour.flags) & set(without_flags):
                    continue
                if (neighbour.section == drafts[at].hit.passage.section) is not same_section:
                    continue
                draft = drafts[at]
                start, end = min(draft.start, neighbour.char_start), max(draft.end, neighbour.char_end)
                added = (end - start) - (draft.end - draft.start)
                if added <= left:
                    drafts[at] = replace(draft, start=start, end=end)
                    shown.add(neighbour.passage_id)
                    left -= added


def _context(session: ReadSession, draft: _Draft) -> Context:
    text = _text_between(session, draft.hit.passage.edition_id, draft.start, draft.end)
    head = tuple(one for one in draft.head if one.char_start < draft.start)
    return Context(draft.hit, text, draft.start, draft.end, head)


def _table_head(session: ReadSession, passage: Passage, without_flags: Collection[str]) -> tuple[Excerpt, ...]:
    """The caption and the column names of the table in which a passage begins, as far as they stand before it."""
    if _CELLS not in passage.text:
        return ()
    head = table_head(passage, lambda start, end: _text_between(session, passage.edition_id, start, end))
    flagged = select(PassageRow.char_start, PassageRow.char_end, PassageRow.flags).where(
        PassageRow.edition_id == passage.edition_id, PassageRow.flags != "", PassageRow.char_start < passage.char_start
    )
    unfit = [row for row in session.execute(flagged) if set(row.flags.split()) & set(without_flags)] if head else []
    return tuple(
        one for one in head if not any(row.char_start < one.char_end and one.char_start < row.char_end for row in unfit)
    )


def table_head(passage: Passage, text_between: Callable[[int, int], str]) -> tuple[Excerpt, ...]:
    """The same, for a text that ``text_between(start, end)`` reads: rows of a table follow each other line by line, a
    blank line is before and after it, and its cells are parted by `` | ``."""
    reach = _FIRST_REACH
    while True:
        begin = max(0, passage.char_start - reach)
        before = text_between(begin, passage.char_start)
        table_start = _last_block(before)
        if begin == 0 or table_start > 0 or reach >= _LAST_REACH:
            break
        reach *= 8
    if begin and table_start == 0:
        return ()
    rows = before[table_start:] + passage.text.split("\n\n", 1)[0]
    if _CELLS not in rows:
        return ()
    found = []
    caption_end = len(before[:table_start].rstrip("\n"))
    caption_start = _last_block(before[:caption_end])
    is_whole = begin == 0 or caption_start > 0
    if is_whole and _is_caption(before[caption_start:caption_end], passage):
        found.append((caption_start, caption_end))
    columns_end = _columns_end(before, table_start)
    if columns_end is not None:
        found.append((table_start, columns_end))
    return tuple(
        Excerpt(before[start:end], begin + start, begin + end) for start, end in found if end - start <= LONGEST_HEAD
    )


def _last_block(text: str) -> int:
    """Where the last block of ``text`` begins, one that goes on after its end included: behind the last blank line."""
    return text.rfind("\n\n") + 2 if "\n\n" in text else 0


def _columns_end(before: str, table_start: int) -> int | None:
    """Where the first row with cells ends, of those before the passage; None where there is none."""
    at = table_start
    for line in before[table_start:].splitlines(keepends=True):
        if _CELLS in line:
            return at + len(line.rstrip("\n"))
        at += len(line)
    return None


def _is_caption(block: str, passage: Passage) -> bool:
    """Whether the block before a table is about it: named as a table, or no sentence of its own. A heading is known
    from the section already."""
    if not block or "\n" in block or _CELLS in block or block in {passage.title, *(passage.section or "").split(" > ")}:
        return False
    return bool(_NAMED_AS_TABLE.match(block)) or not _ENDS_LIKE_PROSE.search(block)


def _text_between(session: ReadSession, edition_id: str, start: int, end: int) -> str:
    span = func.substr(EditionRow.text, start + 1, end - start)
    text: str = session.scalars(select(span).where(EditionRow.id == edition_id)).one()
    return text
