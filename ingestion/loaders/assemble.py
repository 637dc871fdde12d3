"""Blocks out of the pieces that a walk over a marked-up document meets, the same way for HTML, JATS and PubMed.

A walk yields a ``str`` for inline text, ``BREAK`` where a paragraph ends, and a ``Block`` for what is one already.
``LINE_BREAK`` is a forced line break; two in a row part paragraphs, as authors who use ``<br><br>`` mean them to.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import replace

from ingestion.loaders.lines import one_line
from ingestion.types import Block, BlockKind

BREAK = None
LINE_BREAK = "\u2028"
Piece = str | Block | None


_PARAGRAPH_BREAK = re.compile(r"\u2028\s*\u2028")


def paragraphs(pieces: Iterable[Piece]) -> Iterator[Block]:
    """The blocks among ``pieces``, and a paragraph of each run of inline text between them."""
    inline: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            inline.append(piece)
            continue
        yield from _split("".join(inline))
        inline.clear()
        if piece is not BREAK:
            yield piece
    yield from _split("".join(inline))


def _split(inline: str) -> Iterator[Block]:
    for text in _PARAGRAPH_BREAK.split(inline):
        yield from paragraph(text)


def paragraph(text: str) -> Iterator[Block]:
    if line := one_line(text):
        yield Block(BlockKind.PARAGRAPH, line)


def heading(text: str, level: int) -> Iterator[Block]:
    if line := one_line(text):
        yield Block(BlockKind.HEADING, line, level=level)


def line_of(pieces: Iterable[Piece]) -> str:
    """All the text of ``pieces`` as one line, as for a table cell."""
    return " ".join(block.text for block in paragraphs(pieces))


def list_items(items: Iterable[tuple[str, list[Block]]]) -> Iterator[Block]:
    """Each item's blocks, the first of them made a list item with its marker; items after the first join it."""
    joins_previous = False
    for marker, blocks in items:
        for position, block in enumerate(blocks):
            if position == 0 and block.kind is BlockKind.PARAGRAPH:
                yield Block(BlockKind.LIST_ITEM, f"{marker} {block.text}", joins_previous=joins_previous)
            elif block.kind is BlockKind.LIST_ITEM:
                yield replace(block, joins_previous=joins_previous)
            else:
                yield block
            joins_previous = True


def table_rows(rows: Iterable[list[str]]) -> Iterator[Block]:
    """A block for each row that is not blank, its cells joined by `` | ``; blank cells at its end are left out."""
    joins_previous = False
    for cells in rows:
        while cells and not cells[-1]:
            cells = cells[:-1]
        if cells:
            yield Block(BlockKind.TABLE_ROW, one_line(" | ".join(cells)), joins_previous=joins_previous)
            joins_previous = True


def with_title(blocks: list[Block]) -> list[Block]:
    """``blocks`` whose headings carry the depth that the file gives them (1 is outermost), set in relation to a title.

    The first heading of depth 1 becomes the title; of the others, the outermost depth in use becomes level 1.
    """
    headings = [block for block in blocks if block.kind is BlockKind.HEADING]
    title = next((block for block in headings if block.level == 1), None)
    outermost = min((block.level for block in headings if block is not title), default=1)
    settled = []
    for block in blocks:
        if block is title:
            settled.append(replace(block, kind=BlockKind.TITLE, level=0))
        elif block.kind is BlockKind.HEADING:
            settled.append(replace(block, level=block.level - outermost + 1))
        else:
            settled.append(block)
    return settled


def title_of(blocks: Iterable[Block]) -> str | None:
    return next((block.text for block in blocks if block.kind is BlockKind.TITLE), None)
