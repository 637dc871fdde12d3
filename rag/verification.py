"""Holding SQL, the indexes and the stored answers against each other."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from sqlalchemy import select

from rag import catalog
from rag.database import ReadSession
from rag.lexical import LexicalGoneError
from rag.system import System
from rag.tables import AnswerRow, DocumentRow, EditionRow, PassageRow, SegmentRow
from rag.types import LOCAL_ADMIN


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that does not agree. ``what`` names the kind, ``where`` the thing, ``message`` what to do."""

    what: str
    where: str
    message: str


def verify(system: System) -> list[Problem]:
    """Every disagreement found; none means that all is well."""
    with system.database.reading() as session:
        problems = list(_check_passages(session))
        for collection in catalog.collections(session, LOCAL_ADMIN):
            problems += _check_indexes(system, session, collection)
        problems += _check_answers(session)
    return problems


def _check_passages(session: ReadSession) -> Iterator[Problem]:
    """Every passage lies within its edition's text and begins and ends with a visible character."""
    editions = session.execute(select(EditionRow.id, EditionRow.state, EditionRow.text)).yield_per(100)
    for edition_id, state, text in editions:
        if state == "pending":
            yield Problem("pending", edition_id, "An ingest was interrupted: run taiyi-rag ingest again to finish it")
        spans = session.execute(
            select(PassageRow.id, PassageRow.char_start, PassageRow.char_end).where(PassageRow.edition_id == edition_id)
        )
        for passage_id, start, end in spans:
            passage = text[start:end]
            if not 0 <= start < end <= len(text) or passage != passage.strip():
                yield Problem("passage", str(passage_id), f"Does not fit the text of edition {edition_id}")


def _check_indexes(system: System, session: ReadSession, collection: catalog.Collection) -> Iterator[Problem]:
    """Every live passage is once in the vectors and once in the lexical index."""
    rebuild = "run taiyi-rag reindex"
    live = set(
        session.scalars(
            select(PassageRow.id)
            .join(EditionRow, PassageRow.edition_id == EditionRow.id)
            .join(DocumentRow)
            .where(DocumentRow.collection_id == collection.id, EditionRow.state == "live")
        )
    )
    parts = [np.zeros(0, np.int64)]
    for segment in session.scalars(select(SegmentRow).where(SegmentRow.collection_id == collection.id)):
        if not system.vectors.exists(segment.name):
            yield Problem("vectors", collection.name, f"Segment {segment.name} is missing: {rebuild}")
            continue
        if segment.embedder != system.embedder.fingerprint:
            yield Problem("vectors", collection.name, f"Segment {segment.name} is of another embedder: {rebuild}")
        parts.append(system.vectors.ids(segment.name))
    ids = np.concatenate(parts)
    if len(np.unique(ids)) != len(ids):
        yield Problem("vectors", collection.name, f"{len(ids) - len(np.unique(ids))} passages are in twice: {rebuild}")
    if missing := live - set(ids.tolist()):
        yield Problem("vectors", collection.name, f"{len(missing)} passages have no vector: {rebuild}")
    if collection.lexical is None:
        if live:
            yield Problem("lexical", collection.name, f"There is no lexical index: {rebuild}")
        return
    if not system.lexical.is_current(collection.lexical):
        yield Problem(
            "lexical",
            collection.name,
            f"The lexical index is of another version: {rebuild}, or ingest anything into {collection.name}",
        )
        return
    try:
        indexed = set(system.lexical.ids(collection.lexical))
    except LexicalGoneError:
        yield Problem("lexical", collection.name, f"The lexical index is missing: {rebuild}")
        return
    if missing := live - indexed:
        yield Problem("lexical", collection.name, f"{len(missing)} passages are not in the lexical index: {rebuild}")


def _check_answers(session: ReadSession) -> Iterator[Problem]:
    """Every stored quote is what its edition says at that place."""
    texts: dict[str, str | None] = {}
    for answer_id, body in session.execute(select(AnswerRow.id, AnswerRow.body)).yield_per(100):
        for citation in body["citations"]:
            edition_id = citation["edition_id"]
            if edition_id not in texts:
                texts[edition_id] = catalog.edition_text(session, edition_id)
            text = texts[edition_id]
            if text is None or text[citation["char_start"] : citation["char_end"]] != citation["quote"]:
                yield Problem(
                    "answer", answer_id, f"Quote [{citation['marker']}] is not what edition {edition_id} says there"
                )
