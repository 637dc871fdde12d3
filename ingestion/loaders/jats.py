"""JATS, the XML of PubMed Central and most journals; a file may wrap many articles, each becomes a document.

Kept in order: the title with its subtitle, abstracts, titles and abstracts in further languages, the body with its
sections, lists, boxes, figure captions and tables, appendices, floating figures and tables.
Dropped: references, acknowledgements, author and end notes, supplementary files, sub-articles (reviews, responses),
graphical and table-of-contents abstracts, TeX duplicates of formulas, and the numbers that cite a reference
("[1,2]", superscript 1-3), and paragraphs that only name a part's DOI. Citations by name and year stay.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingestion.loaders.assemble import BREAK, Piece, heading, line_of, list_items, paragraphs, table_rows
from ingestion.loaders.citation import retraction_of
from ingestion.loaders.lines import language_code, one_line
from ingestion.loaders.markup import XLINK_HREF, XML_LANG, children, elements, superscript
from ingestion.study_designs import study_design_of
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

_DROPPED = frozenset(
    "ref-list ack fn fn-group author-notes notes bio supplementary-material media graphic inline-graphic tex-math "
    "object-id permissions attrib sub-article response sec-meta kwd-group alt-text long-desc".split()
)
_DROPPED_ABSTRACTS = {"graphical", "toc", "teaser", "web-summary", "video"}
_SECTIONS = {"sec", "app", "boxed-text", "statement", "glossary"}
_CAPTIONED = {"fig", "table-wrap", "fig-group", "table-wrap-group", "disp-formula-group", "boxed-figure"}
_BREAKING = {"p", "disp-quote", "disp-formula", "verse-line", "speech", "preformat", "code", "def-item", "title"}

_NOTICES = {"retraction", "partial-retraction", "expression-of-concern"}
_RETRACTED_BY = {"retraction-forward", "retraction-in", "retraction", "retracted-by"}

_CITATION = "\ue000"
_BRACKETED = rf"[\[(](?:[\s,;–—-]*{_CITATION})+[\s,;–—-]*[\])]"
_CITATIONS = re.compile(rf"\s*(?:{_BRACKETED}|{_CITATION})(?:[\s,;–—-]*(?:{_BRACKETED}|{_CITATION}))*")
_BARE_DOI = re.compile(r"(?:DOI:\s*)?https?://(?:dx\.)?doi\.org/\S+", re.I)
_REFERENCE_NUMBERS = re.compile(r"[\s\d,;–—\-\[\]()a-d*]*")


def load(path: Path) -> Iterator[LoadedDocument]:
    """A document for each article. Raises UnreadableFile where the XML is not well formed or no article has text."""
    found = False
    for article in elements(path, "article"):
        blocks = _blocks(article)
        if blocks:
            found = True
            yield LoadedDocument(tuple(blocks), _metadata(article))
    if not found:
        raise UnreadableFile(f"{path.name} holds no JATS article with a title, an abstract or a body")


def _blocks(article: etree._Element) -> list[Block]:
    meta = article.find("front/article-meta")
    blocks: list[Block] = []
    if meta is not None:
        if title := _title(meta.find("title-group"), "article-title", "subtitle"):
            blocks.append(Block(BlockKind.TITLE, title))
        for abstract in meta.findall("abstract"):
            if abstract.get("abstract-type") not in _DROPPED_ABSTRACTS:
                blocks += paragraphs(_section(abstract, 1))
        for group in meta.findall("title-group/trans-title-group"):
            blocks += heading(_title(group, "trans-title", "trans-subtitle"), 1)
        for title_alone in meta.findall("title-group/trans-title"):
            blocks += heading(_line(title_alone), 1)
        for abstract in meta.findall("trans-abstract"):
            blocks += paragraphs(_section(abstract, 1))
    for body in article.findall("body"):
        blocks += paragraphs(_pieces(body, 1))
    for appendix in article.iterfind("back/app-group/app"):
        blocks += paragraphs(_section(appendix, 1))
    for floats in article.findall("floats-group") + article.findall("floats-wrap"):
        blocks += paragraphs(_pieces(floats, 1))
    return [block for block in blocks if not _BARE_DOI.fullmatch(block.text)]


def _section(section: etree._Element, level: int) -> Iterator[Piece]:
    """A section, box or abstract: its title as a heading of ``level``, what is inside it one level deeper."""
    yield BREAK
    title = section.find("title")
    if title is None:
        title = section.find("caption/title")
    text = " ".join(filter(None, (_line(section.find("label")), _line(title))))
    yield from heading(text, level)
    for child, _ in children(section):
        if child is not None and child.tag not in ("title", "label"):
            yield from _piece(child, level + 1 if text else level, skipped=title)
    yield BREAK


def _pieces(element: etree._Element, level: int, skipped: etree._Element | None = None) -> Iterator[Piece]:
    for child, text in children(element):
        if child is None:
            yield text
        elif child is not skipped:
            yield from _piece(child, level, skipped)


def _piece(element: etree._Element, level: int, skipped: etree._Element | None = None) -> Iterator[Piece]:
    tag = element.tag
    if tag in _DROPPED:
        return
    if tag in _SECTIONS:
        yield from _section(element, level)
    elif tag in _CAPTIONED:
        yield BREAK
        yield from _captioned(element, level)
        yield BREAK
    elif tag in ("list", "def-list"):
        yield BREAK
        yield from _list(element, level)
    elif tag == "table":
        yield BREAK
        yield from table_rows(_row(row, level) for row in element.iter("tr"))
    elif _cites(element):
        yield _CITATION
    elif tag == "sup" and (power := superscript(element)):
        yield power
    elif tag == "break":
        yield " "
    elif tag in _BREAKING:
        yield BREAK
        yield from _cleaned(_pieces(element, level, skipped))
        yield BREAK
    else:
        yield from _pieces(element, level, skipped)


def _cleaned(pieces: Iterator[Piece]) -> Iterator[Piece]:
    """``pieces`` whose runs of inline text are without their citation marks and the brackets around them."""
    inline: list[str] = []
    for piece in pieces:
        if isinstance(piece, str):
            inline.append(piece)
        else:
            yield _CITATIONS.sub("", "".join(inline))
            inline.clear()
            yield piece
    yield _CITATIONS.sub("", "".join(inline))


def _cites(element: etree._Element) -> bool:
    """Whether it is the number of a reference, or a superscript of nothing but such numbers."""
    if element.tag not in ("xref", "sup") or not _REFERENCE_NUMBERS.fullmatch("".join(element.itertext())):
        return False
    return any(inner.tag == "xref" and inner.get("ref-type") == "bibr" for inner in element.iter())


def _captioned(element: etree._Element, level: int) -> Iterator[Piece]:
    """A figure or table: its label and caption as one paragraph, then what else is in it."""
    label, caption = element.find("label"), element.find("caption")
    said = " ".join(filter(None, (_line(label), _line(caption))))
    yield said
    yield BREAK
    for child, _ in children(element):
        if child is not None and child is not label and child is not caption:
            yield from _foot(child, level) if child.tag == "table-wrap-foot" else _piece(child, level)


def _foot(foot: etree._Element, level: int) -> Iterator[Piece]:
    for note in foot.iter("p"):
        yield BREAK
        yield from _cleaned(_pieces(note, level))
        yield BREAK


def _list(element: etree._Element, level: int) -> Iterator[Piece]:
    if element.tag == "def-list":
        for item in element.findall("def-item"):
            yield from list_items([("-", list(paragraphs([": ".join(filter(None, map(_line, item)))])))])
        return
    ordered = element.get("list-type") == "order"
    items = []
    for number, item in enumerate(element.findall("list-item"), start=1):
        label = item.find("label")
        marker = _line(label) or (f"{number}." if ordered else "-")
        items.append(
            ("-" if marker == "•" else marker, list(paragraphs(_cleaned(_pieces(item, level, skipped=label)))))
        )
    yield from list_items(items)


def _row(row: etree._Element, level: int) -> list[str]:
    return [line_of(_cleaned(_pieces(cell, level))) for cell in row if cell.tag in ("td", "th")]


def _line(element: etree._Element | None) -> str:
    return "" if element is None else line_of(_cleaned(_pieces(element, 0)))


def _title(group: etree._Element | None, name: str, subtitle: str) -> str:
    if group is None:
        return ""
    return ": ".join(filter(None, (_line(group.find(name)), _line(group.find(subtitle)))))


def _metadata(article: etree._Element) -> Metadata:
    meta = article.find("front/article-meta")
    journal = article.find("front/journal-meta")
    if meta is None:
        return Metadata(language=language_code(article.get(XML_LANG)))
    ids = {element.get("pub-id-type"): _line(element) for element in meta.findall("article-id")}
    number = (ids.get("pmc") or ids.get("pmcid") or "").upper().removeprefix("PMC")
    pmcid = f"PMC{number}" if number.isdecimal() else None
    doi = ids.get("doi") or None
    title = _title(meta.find("title-group"), "article-title", "subtitle")
    kinds = tuple(filter(None, [article.get("article-type")]))
    return Metadata(
        external_id=pmcid or doi or ids.get("publisher-id") or None,
        title=title or None,
        authors=tuple(_authors(meta)),
        publisher=None if journal is None else _line(journal.find("publisher/publisher-name")) or None,
        journal=None if journal is None else _line(journal.find(".//journal-title")) or None,
        published=_published(meta),
        language=language_code(article.get(XML_LANG)),
        doi=doi,
        pmid=ids.get("pmid") or None,
        pmcid=pmcid,
        licence=_licence(meta),
        publication_types=kinds,
        study_design=study_design_of((*kinds, *_subjects(meta))),
        retraction=None if _NOTICES.intersection(kinds) else retraction_of(title, kinds, _retractions(meta)),
    )


def _subjects(meta: etree._Element) -> Iterator[str]:
    """The headings under which the journal lists its articles, such as "Systematic Review"."""
    return map(_line, meta.iterfind("article-categories/subj-group/subject"))


def _retractions(meta: etree._Element) -> Iterator[str]:
    """What the article says of its own retraction: the notice that it links to, or the event in its history."""
    for related in meta.iter("related-article", "related-object"):
        if related.get("related-article-type") in _RETRACTED_BY:
            link = related.get(XLINK_HREF)
            yield f"Retraction in: {_line(related) or link}" if _line(related) or link else "Retracted"
    for event in meta.iterfind("pub-history/event"):
        if event.get("event-type") in ("retracted", "retraction"):
            yield " ".join(filter(None, ("Retracted", *(_date(date) for date in event.iter("date")))))
    for date in meta.iterfind("history/date"):
        if date.get("date-type") in ("retracted", "retraction"):
            yield " ".join(filter(None, ("Retracted", _date(date))))


def _authors(meta: etree._Element) -> Iterator[str]:
    for contributor in meta.iterfind("contrib-group/contrib"):
        if contributor.get("contrib-type", "author") != "author":
            continue
        name = contributor.find(".//name")
        group = contributor.find("collab")
        if name is not None:
            yield one_line(f"{_line(name.find('given-names'))} {_line(name.find('surname'))}")
        elif group is not None and (text := one_line(group.text or "") or _line(group)):
            yield text


def _published(meta: etree._Element) -> str | None:
    """The date of electronic publication, else of the printed issue, else of the collection; as exactly as stated."""
    dates = {date.get("pub-type") or date.get("date-type") or "": date for date in reversed(meta.findall("pub-date"))}
    for kind in ("epub", "pub", "epub-ppub", "ppub", "", "collection"):
        if kind in dates and (stated := _date(dates[kind])):
            return stated
    return None


def _date(date: etree._Element) -> str | None:
    year, month, day = (_line(date.find(name)) for name in ("year", "month", "day"))
    if not re.fullmatch(r"\d{4}", year):
        return None
    if not re.fullmatch(r"0?[1-9]|1[0-2]", month):
        return year
    if not re.fullmatch(r"0?[1-9]|[12]\d|3[01]", day):
        return f"{year}-{int(month):02d}"
    return f"{year}-{int(month):02d}-{int(day):02d}"


def _licence(meta: etree._Element) -> str | None:
    """The licence's address where it is given, else its wording."""
    licence = meta.find("permissions/license")
    if licence is None:
        return None
    links = [licence.get(XLINK_HREF), _line(licence.find("license_ref"))]
    links += [link.get(XLINK_HREF) for link in licence.iter("ext-link")]
    return next((link for link in links if link and link.startswith("http")), _line(licence) or None)
