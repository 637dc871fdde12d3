"""Web pages: the main content, as the page marks it or, where it does not, as the text itself shows it.

Kept: what is in ``<main>``, ``role="main"`` or the one ``<article>``, else the part of the body that holds nearly all
text outside links; the first h1 as the title, headings, paragraphs, lists, tables row by row, captions, quotes and
preformatted text; what ``ingestion.loaders.pagemeta`` reads of metadata.
Set apart as hidden: what a browser does not show, after the part of the page that it stood in.
Dropped: scripts, menus, site headers and footers, side bars, cookie banners, share buttons, comments, form fields,
pictures, and the numbers that cite a footnote.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree, html

from ingestion.encoding import decode
from ingestion.loaders.assemble import (
    BREAK,
    LINE_BREAK,
    Piece,
    heading,
    line_of,
    list_items,
    paragraphs,
    table_rows,
    title_of,
    with_title,
)
from ingestion.loaders.markup import superscript
from ingestion.loaders.pagemeta import stated_metadata
from ingestion.loaders.source import document, read_bytes, text_of_bytes
from ingestion.loaders.unseen_html import UNSEEN, set_unseen_apart
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

_DECLARED = re.compile(
    rb"""<meta[^>]{0,200}?charset\s*=\s*["']?\s*([\w.:-]+)|<\?xml[^>]{0,100}?encoding\s*=\s*["']([\w.:-]+)""", re.I
)
_XML_DECLARATION = re.compile(r"\A\s*<\?xml[^>]*\?>")
_WEB_NAMES = {"gb2312": "gb18030", "gbk": "gb18030", "x-gbk": "gb18030"} | dict.fromkeys(
    ("iso-8859-1", "latin1", "ascii", "us-ascii"), "cp1252"
)

_NEVER_TEXT = frozenset(
    "script style noscript template svg canvas iframe object embed audio video map button select option input textarea "
    "label datalist dialog head title nav footer aside menu".split()
)
_FURNITURE_ROLES = frozenset(
    "navigation banner contentinfo search complementary dialog alertdialog menu menubar".split()
)
_FURNITURE_NAMES = frozenset(
    "nav navbar navbox navigation menu footer sidebar cookie cookies consent gdpr breadcrumb breadcrumbs share sharing "
    "social newsletter subscribe comments comment disqus related advert advertisement ads popup pagination pager skip "
    "skiplink editsection noprint printfooter catlinks reflist toc hatnote".split()
)
_FURNITURE_CLASSES = {"sr-only", "visually-hidden", "screen-reader-text", "mw-editsection", "reference", "mw-jump-link"}
_PRUNABLE = frozenset("div section header ul ol table p span form sup details dl a".split())
_BLOCKS = frozenset(
    "p div section article main header address pre blockquote figure figcaption form fieldset details summary dl dt dd "
    "center hr td th tr tbody body caption hgroup html legend li".split()
)
_HEADINGS = {f"h{depth}": depth for depth in range(1, 7)}
_WORDS = re.compile(r"[A-Z]?[a-z]+|[A-Z]+")
_NEARLY_ALL = 0.85


def load(path: Path) -> Iterator[LoadedDocument]:
    """The one document. Raises UnreadableFile where the file is empty, no text, or holds nothing but furniture."""
    page = _page(read_bytes(path), path)
    metadata = stated_metadata(page)
    blocks = with_title(list(_content(page)))
    yield document(path, blocks, metadata.updated_by(Metadata(title=title_of(blocks))))


def chapter(data: bytes, path: Path) -> list[Block]:
    """The blocks of one page of a book that ``path`` is, all of its body, each heading with the depth of its tag."""
    page = _page(data, path)
    body = page.find("body")
    if body is None:
        return []
    _prune(body)
    return list(paragraphs(_pieces(body)))


def _page(data: bytes, path: Path) -> html.HtmlElement:
    text = _XML_DECLARATION.sub("", _text(data, path))
    parser = html.HTMLParser(encoding="utf-8", huge_tree=False, remove_comments=True, remove_pis=True, no_network=True)
    try:
        page = html.document_fromstring(text.encode(), parser=parser)
    except etree.LxmlError as error:
        raise UnreadableFile(f"{path.name} is no readable web page ({error}); save the page again") from error
    if any("depth" in entry.message.lower() for entry in parser.error_log):
        raise UnreadableFile(f"{path.name} nests its tags too deep to be read to the end; save the page again as text")
    set_unseen_apart(page)
    return page


def _content(page: html.HtmlElement) -> Iterator[Block]:
    body = page.find("body")
    if body is None:
        body = page
    _prune(body)
    content = _marked_content(body)
    if content is None:
        _prune_link_lists(body)
        content = _densest(body)
    yield from _heading_before(content, body)
    yield from paragraphs(_pieces(content))
    for unseen in body.iter(UNSEEN):
        if all(above is not content for above in unseen.iterancestors()):
            yield from _unseen(unseen)


def _text(data: bytes, path: Path) -> str:
    """The page as text: a byte order mark counts most, then what the page declares if that fits, then the bytes."""
    if not data.startswith((b"\xff\xfe", b"\xfe\xff", b"\xef\xbb\xbf")) and (match := _DECLARED.search(data[:4096])):
        name = (match[1] or match[2]).decode("ascii", "replace").lower()
        name = "utf-8" if name.startswith(("utf-16", "utf-32")) else name
        try:
            return decode(data.decode(_WEB_NAMES.get(name, name)).encode())
        except (LookupError, UnicodeError, UnreadableFile):
            pass
    return text_of_bytes(data, path)


def _prune(body: html.HtmlElement) -> None:
    """Removes what is no content, but never a part that holds half of the text."""
    half = len(_words(body)) / 2
    for element in list(body.iter(etree.Element)):
        if element is body or element.getparent() is None:
            continue
        if element.tag in _NEVER_TEXT or (_is_furniture(element) and len(_words(element)) < half):
            element.drop_tree()


def _is_furniture(element: html.HtmlElement) -> bool:
    if element.get("role") in _FURNITURE_ROLES:
        return True
    if element.tag == "header":
        return element.find(".//h1") is None and not any(True for _ in element.iterancestors("main", "article"))
    if element.tag not in _PRUNABLE:
        return False
    classes = element.get("class", "").split()
    if _FURNITURE_CLASSES.intersection(classes):
        return True
    return any(_names_furniture(name) for name in [*classes, element.get("id", "")])


def _names_furniture(name: str) -> bool:
    """Whether a class or id such as "site-footer", "cookieBanner" or "menu" names furniture, "has-sidebar" does not."""
    words = [word.lower() for word in _WORDS.findall(name)]
    return (
        bool(words)
        and len(words) <= 3
        and words[0] not in ("has", "no", "with")
        and not _FURNITURE_NAMES.isdisjoint(words)
    )


def _marked_content(body: html.HtmlElement) -> html.HtmlElement | None:
    """The element that the page marks as its content, if it holds a good part of the text."""
    enough = len(_words(body)) / 4
    for path in (".//main", ".//*[@role='main']", ".//article"):
        marked = body.xpath(path)
        largest = max(marked, key=lambda element: len(_words(element)), default=None)
        if largest is not None and len(_words(largest)) >= enough * (3 if len(marked) > 1 else 1):
            return largest
    return None


def _prune_link_lists(body: html.HtmlElement) -> None:
    """Removes what is mostly links, as menus are, but not a list that a paragraph or heading introduces."""
    for element in list(body.iter("div", "section", "ul", "ol", "td")):
        links = element.findall(".//a")
        linked = sum(len(_words(link)) for link in links)
        if len(links) < 3 or linked <= 0.7 * len(_words(element)) or element.getparent() is None:
            continue
        lists = [element] if element.tag in ("ul", "ol") else element.xpath(".//ul | .//ol")
        if not any(map(_is_introduced, lists)):
            element.drop_tree()


def _is_introduced(links: html.HtmlElement) -> bool:
    before = links.getprevious()
    return before is not None and (before.tag == "p" or before.tag in _HEADINGS) and bool(_words(before))


def _densest(body: html.HtmlElement) -> html.HtmlElement:
    """The innermost element that still holds nearly all of the text."""
    content, everything = body, len(_words(body))
    while True:
        inner = next((child for child in content if len(_words(child)) >= _NEARLY_ALL * everything), None)
        if inner is None or inner.tag in ("p", "pre", "table", "tbody", "ul", "ol", "dl", "blockquote"):
            return content
        content = inner


def _heading_before(content: html.HtmlElement, body: html.HtmlElement) -> Iterator[Block]:
    """The page's own h1 where it stands outside of the content."""
    if content.find(".//h1") is None and (title := body.find(".//h1")) is not None:
        yield from heading(line_of(_inside(title)), 1)


def _pieces(element: html.HtmlElement) -> Iterator[Piece]:
    tag = element.tag
    if tag == UNSEEN:
        yield from _unseen(element)
    elif tag in _HEADINGS:
        yield BREAK
        yield from heading(line_of(_inside(element)), _HEADINGS[tag])
    elif tag in ("ul", "ol"):
        yield BREAK
        yield from list_items(_items(element))
    elif tag == "table":
        yield BREAK
        yield from _table(element)
    elif tag == "br":
        yield LINE_BREAK
    elif tag == "sup" and _cites_note(element):
        return
    elif tag == "sup" and (power := superscript(element)):
        yield power
    elif tag in _BLOCKS:
        yield BREAK
        yield from _inside(element)
        yield BREAK
    else:
        yield from _inside(element)


def _unseen(element: html.HtmlElement) -> Iterator[Block]:
    yield Block(BlockKind.PARAGRAPH, element.get("text"), hidden=element.get("why"))


def _inside(element: html.HtmlElement) -> Iterator[Piece]:
    if element.text:
        yield element.text
    for child in element:
        if isinstance(child.tag, str):
            yield from _pieces(child)
        if child.tail:
            yield child.tail


def _items(element: html.HtmlElement) -> Iterator[tuple[str, list[Block]]]:
    start = element.get("start", "1")
    number = int(start) if start.isdecimal() else 1
    for child in element:
        if isinstance(child.tag, str):
            yield (f"{number}." if element.tag == "ol" else "-"), list(paragraphs(_inside(child)))
            number += child.tag == "li"


def _cites_note(superscript: html.HtmlElement) -> bool:
    """Whether it is the number of a note, linked to that note: ``<sup><a href="#n3">[3]</a></sup>``."""
    links = superscript.findall(".//a")
    linked = sum(len(_words(link)) for link in links if "#" in link.get("href", ""))
    return 0 < linked == len(_words(superscript)) <= 8


def _table(table: html.HtmlElement) -> Iterator[Block]:
    """The rows of a table. What lays out the page (one cell, a cell with a table or heading in it) is read through."""
    for caption in table.findall("caption"):
        yield from paragraphs(_inside(caption))
    rows = table.xpath("./tr | ./*[self::thead or self::tbody or self::tfoot]/tr")
    lays_out = table.get("role") == "presentation" or all(len(row) <= 1 for row in rows)
    pending: list[list[str]] = []
    for row in rows:
        if lays_out or any(inner.tag == "table" or inner.tag in _HEADINGS for inner in row.iter(etree.Element)):
            yield from table_rows(pending)
            pending = []
            yield from paragraphs(_inside(row))
        else:
            pending.append([line_of(_inside(cell)) for cell in row if cell.tag in ("td", "th")])
    yield from table_rows(pending)


def _words(element: html.HtmlElement) -> str:
    return "".join("".join(element.itertext()).split())
