"""CommonMark with tables.

Kept: the first heading of depth 1 as the title, the other headings in relation to it, paragraphs, quotes and code as
paragraphs, list items with their marker, table rows, link and image texts, plain ``key: value`` lines of YAML front
matter as metadata. Dropped: emphasis marks, addresses of links, HTML tags and comments, the rest of the front matter.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token

from ingestion.loaders.assemble import paragraph, table_rows, title_of, with_title
from ingestion.loaders.lines import language_code, one_line
from ingestion.loaders.source import document, read_text
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata

_FRONT_MATTER = re.compile(r"\A---[^\S\n]*\n(.*?)^(?:---|\.\.\.)[^\S\n]*(?:\n|\Z)", re.S | re.M)
_SCALAR = re.compile(r"^([A-Za-z_]+):[^\S\n]+(.*\S)[^\S\n]*$", re.M)
_DATE = re.compile(r"\d{4}(?:-\d{2}(?:-\d{2})?)?")
_HTML = re.compile(r"<!--.*?(?:-->|\Z)|</?[A-Za-z][^>]*>", re.S)
_HTML_BREAK = re.compile(r"<(?:br|/?p|/?div|/?li|/?t[rdh])\b[^>]*>", re.I)


def load(path: Path) -> Iterator[LoadedDocument]:
    """The one document. Raises UnreadableFile where the file is empty, no text, or front matter alone."""
    text = read_text(path)
    stated = match[1] if (match := _FRONT_MATTER.match(text)) else ""
    tokens = MarkdownIt("commonmark").enable("table").parse(text[match.end() :] if match else text)
    blocks = with_title(list(_blocks(tokens)))
    yield document(path, blocks, _metadata(stated).updated_by(Metadata(title=title_of(blocks))))


def _blocks(tokens: list[Token]) -> Iterator[Block]:
    markers: list[str] = []
    is_first_in_list = True
    heading_level = 0
    rows: list[list[str]] = []
    for token in tokens:
        match token.type:
            case "heading_open":
                heading_level = int(token.tag[1])
            case "list_item_open":
                markers.append(f"{token.info}{token.markup}" if token.info else "-")
            case "list_item_close":
                del markers[-1:]
            case "bullet_list_open" | "ordered_list_open":
                is_first_in_list = not markers
            case "tr_open":
                rows.append([])
            case "table_close":
                yield from table_rows(rows)
                rows = []
            case "inline" if rows:
                rows[-1].append(one_line(_text(token)))
            case "inline" if heading_level:
                if line := one_line(_text(token)):
                    yield Block(BlockKind.HEADING, line, level=heading_level)
                heading_level = 0
            case "inline" | "fence" | "code_block" | "html_block":
                line = one_line(_text(token))
                if line and markers and markers[-1]:
                    yield Block(BlockKind.LIST_ITEM, f"{markers[-1]} {line}", joins_previous=not is_first_in_list)
                    markers[-1], is_first_in_list = "", False
                else:
                    yield from paragraph(line)


def _text(token: Token) -> str:
    match token.type:
        case "softbreak" | "hardbreak":
            return "\n"
        case "html_inline" | "html_block":
            return _HTML.sub("", _HTML_BREAK.sub("\n", token.content))
        case "inline" | "image":
            return "".join(map(_text, token.children or []))
        case _:
            return token.content


def _metadata(front_matter: str) -> Metadata:
    stated = {name.lower(): value.strip("\"'") for name, value in _SCALAR.findall(front_matter)}
    date = _DATE.match(stated.get("date") or stated.get("published") or "")
    authors = (stated.get("authors") or stated.get("author") or "").strip("[]")
    return Metadata(
        title=stated.get("title"),
        authors=tuple(filter(None, (one_line(name).strip("\"'") for name in re.split("[,、;；]", authors)))),
        publisher=stated.get("publisher"),
        journal=stated.get("journal"),
        edition=stated.get("edition") or stated.get("version"),
        published=date[0] if date else None,
        language=language_code(stated.get("lang") or stated.get("language")),
        url=stated.get("url"),
        doi=stated.get("doi"),
        licence=stated.get("licence") or stated.get("license"),
    )
