"""MEDLINE records (.nbib, or a .txt that begins with ``PMID-``), as PubMed exports them; one document each, streamed.

Kept: the title, the abstract with its labels in capitals as headings, the vernacular title and abstracts in further
languages after it; PMID, PMCID, DOI, journal or book, publisher, authors, publication date, language, publication
types, retraction, and which record this one is an update of. Dropped: everything else, such as MeSH headings, grants
and affiliations.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ingestion.loaders.assemble import heading
from ingestion.loaders.citation import (
    ABSENT_ABSTRACT,
    NO_TITLE,
    abstract_in_one,
    doi_in,
    given_name_first,
    retraction_of,
    stated_date,
)
from ingestion.loaders.lines import language_code
from ingestion.loaders.source import text_lines
from ingestion.loaders.tagged import Record, records
from ingestion.study_designs import study_design_of
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

_RETRACTIONS = (("RIN", "Retraction in"), ("RRI", "Retracted and republished in"))
_TAGGED = re.compile(r"(?=.{4}-)([A-Z][A-Z0-9]{1,3}) *- ?(.*)", re.S)
_UPDATE_OF = re.compile(r"PMID: ?(\d+)")
_ABSTRACT_TYPE = re.compile(r"(?:Publisher|AAMC|AIDS|KIE|PIP|NASA|Plain-language-summary): ")


def load(path: Path) -> Iterator[LoadedDocument]:
    """A document for each record. Raises UnreadableFile where no record has a title or an abstract."""
    found = False
    for record in records(text_lines(path), _TAGGED, start="PMID"):
        document = _document(record)
        if document.blocks:
            found = True
            yield document
    if not found:
        raise UnreadableFile(
            f"{path.name} holds no MEDLINE record (PMID-, TI, AB) with a title or an abstract; export it again"
        )


def _document(record: Record) -> LoadedDocument:
    title = _title(record.first("TI")) or _title(record.first("BTI"))
    vernacular = _title(record.first("TT"))
    abstract = record.first("AB")
    kinds = tuple(record.all("PT"))
    notices = [f"{what}: {notice}" for tag, what in _RETRACTIONS for notice in record.all(tag)]
    blocks = [Block(BlockKind.TITLE, title or vernacular)] if title or vernacular else []
    blocks += abstract_in_one(abstract, level=1) if abstract else ()
    if title and vernacular:
        blocks += heading(vernacular, 1)
    for stated in record.all("OAB"):
        if (other := _ABSTRACT_TYPE.sub("", stated, count=1)) != ABSENT_ABSTRACT:
            blocks += abstract_in_one(other, level=2 if title and vernacular else 1)
    pmid = record.first("PMID") or None
    languages = [code for stated in record.all("LA") if (code := language_code(stated))]
    updated = [match[1] for stated in record.all("UOF") if (match := _UPDATE_OF.search(stated))]
    metadata = Metadata(
        external_id=pmid,
        title=title or vernacular or None,
        authors=(*map(given_name_first, record.all("FAU", "AU")), *record.all("CN")),
        publisher=record.first("PB") or None,
        journal=record.first("JT", "TA") or None,
        edition=record.first("EN") or None,
        published=stated_date(record.first("DP")) or stated_date(record.first("DEP")),
        language="en" if abstract or "en" in languages else next(iter(languages), None),
        doi=next((doi_in(stated) for stated in record.all("LID", "AID") if stated.endswith("[doi]")), None),
        pmid=pmid,
        pmcid=record.first("PMC") or None,
        publication_types=kinds,
        study_design=study_design_of((*kinds, *_headings(record))),
        retraction=retraction_of(title, kinds, notices),
        supersedes=updated[0] if len(updated) == 1 else None,
    )
    return LoadedDocument(tuple(blocks), metadata)


def _title(stated: str) -> str:
    return "" if stated in NO_TITLE else stated


def _headings(record: Record) -> Iterator[str]:
    for stated in record.all("MH"):
        yield stated.partition("/")[0].strip("*")
