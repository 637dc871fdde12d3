"""RIS, the format in which reference managers exchange citations; one document a record, streamed.

Kept: the title, the abstract with its labels in capitals as headings; PMID, PMCID, DOI, journal or book, publisher,
edition, authors, publication date, language, address, and what the record says of the type of work.
Dropped: key words, notes, editors, pages, and a record's running number, which another export gives to another record.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from ingestion.loaders.citation import abstract_in_one, doi_in, given_name_first, pmid_in, retraction_of, stated_date
from ingestion.loaders.lines import language_code
from ingestion.loaders.source import text_lines
from ingestion.loaders.tagged import Record, records
from ingestion.study_designs import study_design_of
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

_TAGGED = re.compile(r"([A-Z][A-Z0-9])  - ?(.*)", re.S)
_PUBMED = {"pubmed", "medline", "nlm"}


def load(path: Path) -> Iterator[LoadedDocument]:
    """A document for each record. Raises UnreadableFile where the file ends within one, or none has a title."""
    found = False
    for record in records(text_lines(path), _TAGGED, start="TY", end="ER"):
        if not record.ended:
            raise UnreadableFile(f"{path.name}, line {record.line}: the record has no end (ER  -); export it again")
        document = _document(record)
        if document.blocks:
            found = True
            yield document
    if not found:
        raise UnreadableFile(f"{path.name} holds no RIS record with a title (TI) or an abstract (AB); export it again")


def _document(record: Record) -> LoadedDocument:
    title = record.first("TI", "T1", "CT", "BT")
    abstract = record.first("AB", "N2")
    kinds = tuple(kind.strip() for stated in record.all("M3") for kind in stated.split(";") if kind.strip())
    accession = record.first("AN") or None
    pmid = pmid_in(accession or "") if _is_pubmed(record) else None
    blocks = [Block(BlockKind.TITLE, title)] if title else []
    blocks += abstract_in_one(abstract, level=1) if abstract else ()
    metadata = Metadata(
        external_id=pmid or (accession if accession and not accession.isdecimal() else None),
        title=title or None,
        authors=tuple(map(given_name_first, record.all("AU", "A1"))),
        publisher=record.first("PB") or None,
        journal=record.first("JF", "JO", "T2", "JA", "J2") or None,
        edition=record.first("ET") or None,
        published=stated_date(record.first("DA", "Y1", "PY")) or stated_date(record.first("PY", "Y1")),
        language=language_code(record.first("LA")),
        url=next((stated for stated in record.all("UR") if stated.startswith(("http://", "https://"))), None),
        doi=doi_in(record.first("DO")),
        pmid=pmid,
        pmcid=next((stated for stated in record.all("C2") if stated.upper().startswith("PMC")), None),
        publication_types=kinds,
        study_design=study_design_of(kinds),
        retraction=retraction_of(title, kinds, ()),
    )
    return LoadedDocument(tuple(blocks), metadata)


def _is_pubmed(record: Record) -> bool:
    return any(stated.casefold() in _PUBMED for tag in ("DB", "DP") for stated in record.all(tag))
