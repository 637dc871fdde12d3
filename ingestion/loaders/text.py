"""Plain text in any of the encodings that ``ingestion.encoding`` tells apart.

Kept: everything. A first short line that ends in no punctuation, before a blank line, is the title; blank lines
part paragraphs; lines wrapped at a fixed width are joined, long lines are a paragraph each; lines that begin with a
bullet or a number are list items; a line that stands alone and is numbered ("1.2 Diagnosis", "一、概述", "（一）诊断")
or in capitals is a heading.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ingestion.loaders.assemble import heading, paragraph, title_of
from ingestion.loaders.lines import display_width, ends_a_sentence, list_marker, numbered_heading_level, one_line
from ingestion.loaders.source import document, read_text
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata

_BLANK_LINES = re.compile(r"\n[^\S\n]*(?:\n[^\S\n]*)+")
_MAX_TITLE_WIDTH = 120
_MAX_WRAPPED_WIDTH = 130
_CHINESE_HEADING = re.compile(r"第|[一二三四五六七八九十百]+、|[（(][一二三四五六七八九十百]+[）)]|附")


def load(path: Path) -> Iterator[LoadedDocument]:
    """The one document. Raises UnreadableFile where the file is empty or no text."""
    blocks = list(_blocks(read_text(path)))
    yield document(path, blocks, Metadata(title=title_of(blocks)))


def _blocks(text: str) -> Iterator[Block]:
    chunks = [chunk.split("\n") for chunk in _BLANK_LINES.split(text) if chunk.strip()]
    for position, chunk in enumerate(chunks):
        chunk = [line for line in chunk if line.strip()]
        if position == 0 and len(chunks) > 1 and len(chunk) == 1 and _is_title(chunk[0]):
            yield Block(BlockKind.TITLE, one_line(chunk[0]))
        elif len(chunk) == 1 and (level := _heading_level(one_line(chunk[0]))):
            yield from heading(chunk[0], level)
        else:
            yield from _chunk_blocks(chunk)


def _is_title(line: str) -> bool:
    return 0 < display_width(line.strip()) <= _MAX_TITLE_WIDTH and not ends_a_sentence(line)


def _heading_level(line: str) -> int:
    if level := numbered_heading_level(line):
        return level
    is_capitals = line.isupper() and sum(map(str.isalpha, line)) >= 4 and line.isascii()
    return int(is_capitals and display_width(line) <= 80 and not ends_a_sentence(line))


def _chunk_blocks(lines: list[str]) -> Iterator[Block]:
    """Paragraphs, list items and Chinese headings of consecutive lines, with what a fixed width has broken joined."""
    width = max(display_width(line.rstrip()) for line in lines)
    wrapped: list[str] = []
    in_list = False
    for line in lines:
        starts_item = list_marker(line.strip()) is not None
        level = numbered_heading_level(one_line(line)) if _CHINESE_HEADING.match(line.strip()) else 0
        if wrapped and (starts_item or level or _starts_anew(wrapped[-1], line, width)):
            yield from _joined(wrapped, in_list)
            in_list = list_marker(wrapped[0].strip()) is not None
            wrapped = []
        if level:
            yield from heading(line, level)
            in_list = False
        else:
            wrapped.append(line)
    yield from _joined(wrapped, in_list)


def _starts_anew(previous: str, line: str, width: int) -> bool:
    if width > _MAX_WRAPPED_WIDTH or line.startswith(("\u3000\u3000", "\t")):
        return True
    return ends_a_sentence(previous) and display_width(previous.rstrip()) < 0.7 * width


def _joined(lines: list[str], in_list: bool) -> Iterator[Block]:
    text = one_line("\n".join(lines))
    if marked := list_marker(text):
        yield Block(BlockKind.LIST_ITEM, "".join(marked), joins_previous=in_list)
    else:
        yield from paragraph(text)
