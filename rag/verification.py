"""Holding SQL, the indexes and the stored answers against each other."""

from collections.abc import Iterator, Sequence, Set

import numpy as np
from sqlalchemy import select, text
from sqlalchemy.exc import DatabaseError

from rag import catalog
from rag.audit_checking import RESTORE, check_record, read_as_bytes
from rag.audit_key import Head
from rag.database import ReadSession
from rag.lexical import LexicalGoneError
from rag.system import System
from rag.tables import AnswerRow, DocumentRow, EditionRow, PassageRow, SegmentRow
from rag.types import LOCAL_ADMIN, Problem

__all__ = ["Problem", "verify", "verify_record"]


def verify(system: System, heads: Sequence[Head] = ()) -> list[Problem]:
    """Every disagreement found; none means that all is well. ``heads`` are rows of the audit record that were exported
    earlier (``rag.audit.head``): the record has to have them still."""
    problems: list[Problem] = []
    try:
        with system.database.reading() as session, read_as_bytes(session):
            problems += _check_database(session)
            problems += check_record(session, heads)
            problems += _check_passages(session)
            for collection in catalog.collections(session, LOCAL_ADMIN):
                problems += _check_indexes(system, session, collection)
            problems += _check_answers(session, {one.where for one in problems if one.what == "answer"})
    except DatabaseError as error:
        problems.append(_unreadable(error))
    return problems


def verify_record(system: System, heads: Sequence[Head] = ()) -> list[Problem]:
    """The part of ``verify`` that is about the audit record and what it vouches for."""
    try:
        with system.database.reading() as session, read_as_bytes(session):
            return check_record(session, heads)
    except DatabaseError as error:
        return [_unreadable(error)]


def _unreadable(error: DatabaseError) -> Problem:
    return Problem("database", "file", f"It cannot be read to its end ({error.orig}): {RESTORE}")


def _check_database(session: ReadSession) -> Iterator[Problem]:
    """What SQLite finds wrong with its own file; PostgreSQL says so when it reads."""
    if session.get_bind().dialect.name == "sqlite":
        for found in session.execute(text("PRAGMA integrity_check(20)")).scalars():
            if found != "ok":
                yield Problem("database", "file", f"{found}: {RESTORE}")


def _check_passages(session: ReadSession) -> Iterator[Problem]:
    """Every passage lies within its edition's text and begins and ends with a visible character."""
    editions = session.execute(select(EditionRow.id, EditionRow.state, EditionRow.text)).yield_per(100)
    for edition_id, state, words in editions:
        if state == "pending":
            yield Problem("pending", edition_id, "An ingest was interrupted: run taiyi-rag ingest again to finish it")
        spans = session.execute(
            select(PassageRow.id, PassageRow.char_start, PassageRow.char_end).where(PassageRow.edition_id == edition_id)
        )
        for passage_id, start, end in spans:
            passage = words[start:end]
            if not 0 <= start < end <= len(words) or passage != passage.strip():
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
        if segment.embedder == system.embedder.fingerprint:
            parts.append(system.vectors.ids(segment.name))
    ids = np.concatenate(parts)
    if len(np.unique(ids)) != len(ids):
        yield Problem("vectors", collection.name, f"{len(ids) - len(np.unique(ids))} passages are in twice: {rebuild}")
    if missing := live - set(ids.tolist()):
        yield Problem("vectors", collection.name, f"{len(missing)} passages have no vector of the embedder: {rebuild}")
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


def _check_answers(session: ReadSession, altered: Set[str]) -> Iterator[Problem]:
    """Every stored quote is what its edition says at that place; answers that are known as ``altered`` are not read."""
    texts: dict[str, str | None] = {}
    ids = session.scalars(select(AnswerRow.id).order_by(AnswerRow.id)).all()
    for answer_id in ids:
        if answer_id in altered:
            continue
        body = session.scalars(select(AnswerRow.body).where(AnswerRow.id == answer_id)).one()
        for citation in body["citations"]:
            edition_id = citation["edition_id"]
            if edition_id not in texts:
                texts[edition_id] = catalog.edition_text(session, edition_id)
            words = texts[edition_id]
            if words is None or words[citation["char_start"] : citation["char_end"]] != citation["quote"]:
                yield Problem(
                    "answer", answer_id, f"Quote [{citation['marker']}] is not what edition {edition_id} says there"
                )
