"""From blocks to one text with offsets, and from that text to passages.

The text of an edition has one block a line; a blank line stands between blocks, a single line break within a list or
table. Passages are spans of it that together cover every block: whole sentences, never across sections, tables and
lists cut only between rows or items. A passage aims at 200 to 350 tokens; a shorter section gives a shorter one. What
a reader of the source does not see is in passages of its own, flagged as hidden, and its headings head nothing.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from ingestion.types import Block, BlockKind
from rag.flags import HIDDEN
from rag.pages import page_of
from rag.sentences import sentence_spans
from rag.types import NewPassage

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TARGET_TOKENS = 350
MINIMUM_TOKENS = 200
HARD_LIMIT_TOKENS = 450
SECTION_SEPARATOR = " > "

CountTokens = Callable[[list[str]], list[int]]
"""How many tokens each text has, without special ones."""

_LONGEST_KEPT_WORD = 32
_MOST_KEPT_WORDS = 200_000


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
    hidden: bool


def token_counter(tokenizer: "Tokenizer") -> CountTokens:
    """A fast count by a tokenizer that takes each word by itself, as ``rag.packaged_embedder``'s does.

    Counts of words are kept, so that a word is tokenised once. Texts have no space at either end.
    """
    special = [str(token.content) for token in tokenizer.get_added_tokens_decoder().values()]
    kept: dict[str, int] = {}

    def words_of(text: str) -> list[str]:
        if not text.isprintable() or "\u2581" in text or "\ufffd" in text:  # these may become a space, or vanish
            return [text]
        return [text] if "<" in text and any(token in text for token in special) else text.split()

    def encoded(texts: list[str]) -> list[int]:
        return [len(encoding) for encoding in tokenizer.encode_batch_fast(texts, add_special_tokens=False)]

    def count(texts: list[str]) -> list[int]:
        parts = [words_of(text) for text in texts]
        unknown = list({part for one in parts for part in one}.difference(kept))
        counts = dict(zip(unknown, encoded(unknown), strict=True))
        totals = [sum(kept[part] if part in kept else counts[part] for part in one) for one in parts]
        if len(kept) < _MOST_KEPT_WORDS:
            kept.update((part, tokens) for part, tokens in counts.items() if len(part) <= _LONGEST_KEPT_WORD)
        return totals

    return count


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
        for box in block.boxes:
            while len(page_starts) < box.page:
                page_starts.append(at + box.start)
        parts.append(block.text)
        spans.append((at, at + len(block.text)))
        at += len(block.text)
    if page_starts:
        page_starts[0] = 0
    return LaidOutText("".join(parts), tuple(spans), tuple(page_starts))


def split(
    blocks: Sequence[Block],
    laid_out: LaidOutText,
    count_tokens: CountTokens,
    is_suspect: Callable[[str], bool] = lambda sentence: False,
) -> list[NewPassage]:
    """The passages of a text, in order. Together they cover every block; none crosses from one section into another.

    A section's heading belongs to its first passage. Headings with nothing below them join the section that follows.
    Sentences, items and rows that are suspect are in passages of their own, so that what stands beside them can be
    searched without them.
    """
    sections = _sections(blocks)
    units = _units(blocks, laid_out, count_tokens)
    starts = [start for start, _ in laid_out.spans]
    has_boxes = any(block.boxes for block in blocks)
    passages: list[NewPassage] = []
    at = 0
    for section, last in sections:
        end = laid_out.spans[last - 1][1]
        first_unit = at
        while at < len(units) and units[at].start < end:
            at += 1
        for run in _runs(units[first_unit:at], lambda unit: is_suspect(laid_out.text[unit.start : unit.end])):
            flags = (HIDDEN,) if run[0].hidden else ()
            for char_start, char_end in _packed(run):
                boxes = _boxes(blocks, starts, char_start, char_end) if has_boxes else ()
                page = laid_out.page_of(char_start)
                passages.append(NewPassage(char_start, char_end, section, page, boxes, flags))
    return passages


def _boxes(
    blocks: Sequence[Block], starts: Sequence[int], char_start: int, char_end: int
) -> tuple[tuple[int, float, float, float, float], ...]:
    """Where the passage's lines stand on their pages."""
    first = max(0, bisect_right(starts, char_start) - 1)
    return tuple(
        (box.page, round(box.left, 1), round(box.top, 1), round(box.right, 1), round(box.bottom, 1))
        for at in range(first, bisect_left(starts, char_end))
        for box in blocks[at].boxes
        if starts[at] + box.start < char_end and char_start < starts[at] + box.end
    )


def _runs(units: list[_Unit], is_suspect: Callable[[_Unit], bool]) -> list[list[_Unit]]:
    """Units parted where hidden ones and suspect ones begin and end."""
    return [list(run) for _, run in groupby(units, key=lambda unit: (unit.hidden, is_suspect(unit)))]


def _sections(blocks: Sequence[Block]) -> list[tuple[str | None, int]]:
    """``(heading path, last block + 1)`` of each section."""
    sections: list[tuple[str | None, int]] = []
    path: list[tuple[int, str]] = []
    has_body = False
    for at, block in enumerate(blocks):
        if block.hidden is not None:
            continue
        if block.kind is BlockKind.HEADING:
            if has_body:
                sections.append((_joined(path), at))
                has_body = False
            path = [*(entry for entry in path if entry[0] < block.level), (block.level, block.text)]
        elif block.kind is not BlockKind.TITLE:
            has_body = True
    if blocks:
        sections.append((_joined(path), len(blocks)))
    return sections


def _joined(path: list[tuple[int, str]]) -> str | None:
    return SECTION_SEPARATOR.join(text for _, text in path) or None


def _units(blocks: Sequence[Block], laid_out: LaidOutText, count_tokens: CountTokens) -> list[_Unit]:
    spans: list[tuple[int, int, bool, bool]] = []
    for block, (start, end) in zip(blocks, laid_out.spans, strict=True):
        hidden = block.hidden is not None
        if block.kind is BlockKind.PARAGRAPH:
            spans += [(s, e, s == start, hidden) for s, e in sentence_spans(laid_out.text, start, end)]
        else:
            spans.append((start, end, True, hidden))
    counts = count_tokens([laid_out.text[start:end] for start, end, _, _ in spans])
    units: list[_Unit] = []
    for (start, end, starts_block, hidden), tokens in zip(spans, counts, strict=True):
        if tokens > HARD_LIMIT_TOKENS:
            units += _pieces(laid_out.text, start, end, tokens, hidden)
        else:
            units.append(_Unit(start, end, tokens, starts_block, hidden))
    return units


def _pieces(text: str, start: int, end: int, tokens: int, hidden: bool) -> list[_Unit]:
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
            pieces.append(_Unit(begin, begin + len(piece.strip()), -(-tokens // count), begin == start, hidden))
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
