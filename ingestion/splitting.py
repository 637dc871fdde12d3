"""From blocks to one text with offsets, and from that text to passages.

The text of an edition has one block a line; a blank line stands between blocks, a single line break within a list or
table. Passages are spans of it that together cover every block: whole sentences, never across sections, tables and
lists cut only between rows or items. A passage aims at 200 to 350 tokens; a shorter section gives a shorter one.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingestion.types import Block, BlockKind
from rag.pages import page_of
from rag.sentences import sentence_spans
from rag.writing import NewPassage

TARGET_TOKENS = 350
MINIMUM_TOKENS = 200
HARD_LIMIT_TOKENS = 450
SECTION_SEPARATOR = " > "

CountTokens = Callable[[list[str]], list[int]]
"""How many tokens each text has, without special ones."""


@dataclass(frozen=True, slots=True)
class LaidOutText:
    """An edition's text, where each block stands in it, and where its pages begin."""

    text: str
    spans: tuple[tuple[int, int], ...]
    page_starts: tuple[int, ...]

    def page_of(self, offset: int) -> int | None:
        return page_of(self.page_starts, offset)


@dataclass(frozen=True, slots=True)
class _Unit:
    """What is not cut: a sentence, a list item, a table row."""

    start: int
    end: int
    tokens: int
    starts_block: bool


def lay_out(blocks: Sequence[Block]) -> LaidOutText:
    """Joins blocks into the text of an edition."""
    parts: list[str] = []
    spans: list[tuple[int, int]] = []
    page_starts: list[int] = []
    at = 0
    for block in blocks:
        if parts:
            separator = "\n" if block.joins_previous else "\n\n"
            parts.append(separator)
            at += len(separator)
        while block.page is not None and len(page_starts) < block.page:
            page_starts.append(at)
        parts.append(block.text)
        spans.append((at, at + len(block.text)))
        at += len(block.text)
    if page_starts:
        page_starts[0] = 0
    return LaidOutText("".join(parts), tuple(spans), tuple(page_starts))


def split(blocks: Sequence[Block], laid_out: LaidOutText, count_tokens: CountTokens) -> list[NewPassage]:
    """The passages of a text, in order. Together they cover every block; none crosses from one section into another.

    A section's heading belongs to its first passage. Headings with nothing below them join the section that follows.
    """
    passages: list[NewPassage] = []
    for section, first, last in _sections(blocks):
        units = _units(blocks, laid_out, first, last, count_tokens)
        for start, end in _packed(units):
            passages.append(NewPassage(start, end, section, laid_out.page_of(start)))
    return passages


def _sections(blocks: Sequence[Block]) -> list[tuple[str | None, int, int]]:
    """``(heading path, first block, last block + 1)`` of each section."""
    sections: list[tuple[str | None, int, int]] = []
    path: list[tuple[int, str]] = []
    first = 0
    has_body = False
    for at, block in enumerate(blocks):
        if block.kind is BlockKind.HEADING:
            if has_body:
                sections.append((_joined(path), first, at))
                first, has_body = at, False
            path = [*(entry for entry in path if entry[0] < block.level), (block.level, block.text)]
        elif block.kind is not BlockKind.TITLE:
            has_body = True
    if first < len(blocks):
        sections.append((_joined(path), first, len(blocks)))
    return sections


def _joined(path: list[tuple[int, str]]) -> str | None:
    return SECTION_SEPARATOR.join(text for _, text in path) or None


def _units(
    blocks: Sequence[Block], laid_out: LaidOutText, first: int, last: int, count_tokens: CountTokens
) -> list[_Unit]:
    spans: list[tuple[int, int, bool]] = []
    for block, (start, end) in zip(blocks[first:last], laid_out.spans[first:last], strict=True):
        if block.kind is BlockKind.PARAGRAPH:
            found = sentence_spans(laid_out.text, start, end)
            spans += [(s, e, s == start) for s, e in found]
        else:
            spans.append((start, end, True))
    counts = count_tokens([laid_out.text[start:end] for start, end, _ in spans])
    units: list[_Unit] = []
    for (start, end, starts_block), tokens in zip(spans, counts, strict=True):
        if tokens > HARD_LIMIT_TOKENS:
            units += _pieces(laid_out.text, start, end, tokens)
        else:
            units.append(_Unit(start, end, tokens, starts_block))
    return units


def _pieces(text: str, start: int, end: int, tokens: int) -> list[_Unit]:
    """A unit that no embedder would read whole, cut between words into about equal parts."""
    count = -(-tokens // TARGET_TOKENS)
    step = (end - start) / count
    cuts = [start]
    for part in range(1, count):
        wanted = start + round(step * part)
        space = text.rfind(" ", wanted - round(step / 4), wanted)
        cuts.append(space + 1 if space > 0 else wanted)
    pieces = []
    for begin, stop in zip(cuts, [*cuts[1:], end], strict=True):
        piece = text[begin:stop]
        begin += len(piece) - len(piece.lstrip())
        if piece.strip():
            pieces.append(_Unit(begin, begin + len(piece.strip()), -(-tokens // count), begin == start))
    return pieces


def _packed(units: Sequence[_Unit]) -> list[tuple[int, int]]:
    """Units put together in order: up to TARGET_TOKENS, ending at a block's end where one lies past MINIMUM_TOKENS."""
    packed: list[tuple[int, int]] = []
    at = 0
    while at < len(units):
        total, stop = units[at].tokens, at + 1
        while stop < len(units) and total + units[stop].tokens <= TARGET_TOKENS:
            total += units[stop].tokens
            stop += 1
        if stop < len(units):
            stop = _best_end(units, at, stop)
        packed.append((units[at].start, units[stop - 1].end))
        at = stop
    return packed


def _best_end(units: Sequence[_Unit], at: int, stop: int) -> int:
    tokens = sum(unit.tokens for unit in units[at:stop])
    for end in range(stop, at, -1):
        if units[end].starts_block:
            return end
        tokens -= units[end - 1].tokens
        if tokens < MINIMUM_TOKENS:
            break
    return stop
