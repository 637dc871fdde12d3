"""PubMed XML: PubmedArticleSet, a PubmedArticle on its own, and PubmedBookArticle; one document a record, streamed.

Kept: the title, the abstract with its section labels as headings, the vernacular title and abstracts in further
languages after it; PMID, PMCID, DOI, journal or book, publisher, authors, publication date, language.
Dropped: MeSH headings, chemicals, grants, affiliations, references, corrections, deleted citations.
"""

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingestion.loaders.assemble import heading, paragraph
from ingestion.loaders.lines import language_code, one_line
from ingestion.loaders.markup import children, elements
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

_UNLABELLED = {"UNLABELLED", "UNLABELED", "UNASSIGNED"}
_NO_TITLE = {"[Not Available]", "[Not Available].", "Not Available", "Not Available."}
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")


def load(path: Path) -> Iterator[LoadedDocument]:
    """A document for each record. Raises UnreadableFile where the XML is not well formed or holds no record."""
    found = False
    for record in elements(path, "PubmedArticle", "PubmedBookArticle"):
        document = _book_article(record) if record.tag == "PubmedBookArticle" else _article(record)
        if document.blocks:
            found = True
            yield document
    if not found:
        raise UnreadableFile(
            f"{path.name} holds no PubMed record with a title or an abstract; export the records again"
        )


def _article(record: etree._Element) -> LoadedDocument:
    citation = record.find("MedlineCitation")
    article = citation.find("Article") if citation is not None else None
    if citation is None or article is None:
        return LoadedDocument(())
    title = _title(article.find("ArticleTitle"))
    vernacular = _title(article.find("VernacularTitle"))
    ids = record.findall("PubmedData/ArticleIdList/ArticleId")
    pmid = _text(citation.find("PMID")) or None
    stated = [code for element in article.findall("Language") if (code := language_code(_text(element)))]
    metadata = Metadata(
        external_id=pmid or _id(ids, "pii"),
        title=title or vernacular or None,
        authors=_authors(article.find("AuthorList")),
        journal=_text(article.find("Journal/Title")) or None,
        published=_date(article.find("Journal/JournalIssue/PubDate")) or _date(article.find("ArticleDate")),
        language="en" if article.find("Abstract") is not None or "en" in stated else next(iter(stated), None),
        doi=_id(ids, "doi") or _electronic_location(article),
        pmid=pmid,
        pmcid=_id(ids, "pmc"),
    )
    blocks = _blocks(title or vernacular, article.find("Abstract"))
    others = citation.findall("OtherAbstract")
    if title and vernacular:
        blocks += heading(vernacular, 1)
    for other in others:
        blocks += _abstract(other, level=2 if title and vernacular else 1)
    return LoadedDocument(tuple(blocks), metadata)


def _book_article(record: etree._Element) -> LoadedDocument:
    entry = record.find("BookDocument")
    if entry is None:
        return LoadedDocument(())
    title = _title(entry.find("ArticleTitle")) or _text(entry.find("Book/BookTitle"))
    authors = entry.find("AuthorList[@Type='authors']")
    ids = entry.findall("ArticleIdList/ArticleId")
    pmid = _text(entry.find("PMID")) or None
    metadata = Metadata(
        external_id=pmid or _id(ids, "bookaccession"),
        title=title or None,
        authors=_authors(authors if authors is not None else entry.find("Book/AuthorList")),
        publisher=_text(entry.find("Book/Publisher/PublisherName")) or None,
        edition=_text(entry.find("Book/Edition")) or None,
        published=_date(entry.find("ContributionDate")) or _date(entry.find("Book/PubDate")),
        language=language_code(_text(entry.find("Language"))),
        doi=_id(ids, "doi"),
        pmid=pmid,
        pmcid=_id(ids, "pmc"),
    )
    return LoadedDocument(tuple(_blocks(title, entry.find("Abstract"))), metadata)


def _blocks(title: str, abstract: etree._Element | None) -> list[Block]:
    blocks = [Block(BlockKind.TITLE, title)] if title else []
    if abstract is not None:
        blocks += _abstract(abstract, level=1)
    return blocks


def _abstract(abstract: etree._Element, level: int) -> Iterator[Block]:
    for part in abstract.findall("AbstractText"):
        label = one_line(part.get("Label") or "").rstrip(":")
        text = _text(part)
        if label and label.upper() not in _UNLABELLED and text:
            yield from heading(label.capitalize() if label.isupper() else label, level)
        yield from paragraph(text)


def _title(element: etree._Element | None) -> str:
    title = _text(element)
    return "" if title in _NO_TITLE else title


def _text(element: etree._Element | None) -> str:
    return "" if element is None else one_line("".join(_inline(element)))


def _inline(element: etree._Element) -> Iterator[str]:
    for child, text in children(element):
        if child is None:
            yield text
        else:
            yield from _inline(child)


def _id(ids: list[etree._Element], kind: str) -> str | None:
    return next((_text(element) for element in ids if element.get("IdType") == kind and _text(element)), None)


def _electronic_location(article: etree._Element) -> str | None:
    return _text(article.find("ELocationID[@EIdType='doi']")) or None


def _authors(authors: etree._Element | None) -> tuple[str, ...]:
    if authors is None:
        return ()
    names = []
    for author in authors.findall("Author"):
        given = _text(author.find("ForeName")) or _text(author.find("Initials"))
        names.append(_text(author.find("CollectiveName")) or f"{given} {_text(author.find('LastName'))}".strip())
    return tuple(name for name in names if name)


def _date(date: etree._Element | None) -> str | None:
    """``YYYY[-MM[-DD]]``; of a span such as "1998 Dec-1999 Jan", its start."""
    if date is None:
        return None
    year, month, day = (_text(date.find(name)) for name in ("Year", "Month", "Day"))
    if not year:
        year, month = ([*_text(date.find("MedlineDate")).replace("-", " ").split(), "", ""])[:2]
    if not (len(year) == 4 and year.isdecimal()):
        return None
    number = (
        _MONTHS.index(month[:3].lower()) + 1 if month[:3].lower() in _MONTHS else int(month) if month.isdecimal() else 0
    )
    if not 1 <= number <= 12:
        return year
    return f"{year}-{number:02d}-{int(day):02d}" if day.isdecimal() and 1 <= int(day) <= 31 else f"{year}-{number:02d}"
