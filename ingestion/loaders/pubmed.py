"""PubMed XML: PubmedArticleSet, a PubmedArticle on its own, and PubmedBookArticle; one document a record, streamed.

Kept: the title, the abstract with its section labels as headings, the vernacular title and abstracts in further
languages after it; PMID, PMCID, DOI, journal or book, publisher, authors, publication date, language, publication
types, retraction, and which record this one is an update of; a MeSH heading where it names the study's design.
Dropped: other MeSH headings, chemicals, grants, affiliations, references, errata, deleted citations.
"""

from collections.abc import Iterator
from pathlib import Path

from lxml import etree

from ingestion.loaders.assemble import heading
from ingestion.loaders.citation import (
    ABSENT_ABSTRACT,
    NO_TITLE,
    labelled,
    partial_date,
    retraction_of,
    stated_date,
)
from ingestion.loaders.lines import language_code, one_line
from ingestion.loaders.markup import children, elements, superscript
from ingestion.study_designs import study_design_of
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

_RETRACTIONS = {
    "RetractionIn": "Retraction in",
    "RetractedandRepublishedIn": "Retracted and republished in",
}


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
    kinds = _publication_types(article)
    related = citation.findall("CommentsCorrectionsList/CommentsCorrections")
    updated = [one for one in related if one.get("RefType") == "UpdateOf"]
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
        publication_types=kinds,
        study_design=study_design_of((*kinds, *_headings(citation))),
        retraction=retraction_of(title, kinds, _retractions(related)),
        supersedes=_text(updated[0].find("PMID")) or None if len(updated) == 1 else None,
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
    kinds = _publication_types(entry)
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
        publication_types=kinds,
        study_design=study_design_of(kinds),
    )
    return LoadedDocument(tuple(_blocks(title, entry.find("Abstract"))), metadata)


def _blocks(title: str, abstract: etree._Element | None) -> list[Block]:
    blocks = [Block(BlockKind.TITLE, title)] if title else []
    if abstract is not None:
        blocks += _abstract(abstract, level=1)
    return blocks


def _abstract(abstract: etree._Element, level: int) -> Iterator[Block]:
    for part in abstract.findall("AbstractText"):
        text = _text(part)
        if text != ABSENT_ABSTRACT:
            yield from labelled(one_line(part.get("Label") or ""), text, level)


def _title(element: etree._Element | None) -> str:
    title = _text(element)
    return "" if title in NO_TITLE else title


def _publication_types(entry: etree._Element) -> tuple[str, ...]:
    stated = [*entry.findall("PublicationTypeList/PublicationType"), *entry.findall("PublicationType")]
    return tuple(filter(None, map(_text, stated)))


def _headings(citation: etree._Element) -> Iterator[str]:
    return map(_text, citation.findall("MeshHeadingList/MeshHeading/DescriptorName"))


def _retractions(related: list[etree._Element]) -> Iterator[str]:
    """The notices of its retraction: "Retraction in: Lancet. 2010 Feb 6;375(9713):445. PMID: 20137807"."""
    for one in related:
        if what := _RETRACTIONS.get(one.get("RefType", "")):
            pmid = _text(one.find("PMID"))
            source = _text(one.find("RefSource"))
            yield f"{what}: {' '.join(filter(None, (source, pmid and f'PMID: {pmid}')))}"


def _text(element: etree._Element | None) -> str:
    if element is None:
        return ""
    return one_line("".join(_inline(element)) if len(element) else element.text or "")


def _inline(element: etree._Element) -> Iterator[str]:
    for child, text in children(element):
        if child is None:
            yield text
        elif child.tag == "sup" and (power := superscript(child)):
            yield power
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
    for author in authors.iterchildren("Author"):
        parts = {part.tag: part for part in author}
        given = _text(parts.get("ForeName")) or _text(parts.get("Initials"))
        names.append(_text(parts.get("CollectiveName")) or f"{given} {_text(parts.get('LastName'))}".strip())
    return tuple(name for name in names if name)


def _date(date: etree._Element | None) -> str | None:
    """``YYYY[-MM[-DD]]``; of a span such as "1998 Dec-1999 Jan", its start."""
    if date is None:
        return None
    year, month, day = (_text(date.find(name)) for name in ("Year", "Month", "Day"))
    return partial_date(year, month, day) if year else stated_date(_text(date.find("MedlineDate")))
