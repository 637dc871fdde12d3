"""Removing documents: gone from every search at once; with a purge, their words are erased as well.

A removal keeps text and record for the answers that quote it; in the moments that follow, the worker or whoever writes
next takes its vectors and terms out of the indexes, and until then it counts in how rare a word is. A purge erases the
stored text, the quotes in stored answers, the vectors and terms, and names the original file for erasing; what stays is
a tombstone of digests, which ``verify`` accepts. Either leaves a receipt.
"""

import logging
import shutil
import uuid
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime

from filelock import Timeout
from sqlalchemy import delete, func, select

from rag import audit, page_cache
from rag.database import ReadSession, WriteSession
from rag.errors import Forbidden, NotFound, Unavailable
from rag.identity import current_id
from rag.indexing import compact, tidy
from rag.originals import erase_original
from rag.record import ERASED, erase_quotes
from rag.sealing import Seal, touch
from rag.settling import settle_editions
from rag.system import System
from rag.tables import CollectionRow, DocumentRow, EditionRow, JobFileRow, PassageRow, RemovalRow, SourceRow
from rag.types import Caller, Role
from rag.vectors import SegmentGoneError
from rag.writing import writing_turn

PURGE_WAIT_S = 600
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a removal removed, when, and from which generation of the collection on it is gone. ``title`` is None in
    the receipt of a purge, which keeps no words. ``original_erased`` is False where the original file stays because
    other documents came from it too."""

    id: str
    document_id: str
    edition_ids: tuple[str, ...]
    title: str | None
    collection: str
    editions: int
    passages: int
    generation: int
    purged: bool
    deleted_at: str
    original_erased: bool


def delete_document(
    system: System, caller: Caller, document_id: str, edition_id: str | None = None, purge: bool = False
) -> Receipt:
    """Removes a document, or one edition of it, from every search at once. Raises NotFound, and Forbidden for a reader,
    or for a purge by who is no administrator.

    It comes back only when ingested with ``restore``. A ``purge`` also takes what was removed before, and returns when
    nothing of the text is left in database, indexes, originals and drawn pages; it waits for a running ingest, and
    raises Unavailable, the removal done but not the purge, where that takes longer than ten minutes.
    """
    with system.database.writing() as session:
        receipt, collection_id = _remove(session, caller, document_id, edition_id, purge)
    if not purge:
        return receipt
    try:
        with writing_turn(system, timeout=PURGE_WAIT_S):
            return _purge(system, caller, receipt, collection_id)
    except Timeout:
        raise Unavailable(
            "The document is removed but not yet purged: another process is still writing; run the purge again"
        ) from None


class Tidying:
    """Takes what was removed out of the indexes, collection by collection, where it has changed since the last time."""

    def __init__(self, system: System) -> None:
        self._system = system
        self._seen: dict[int, int] = {}

    def run(self) -> None:
        """Does nothing where another process is writing: the next call does it then. That a file of an index is missing
        is only logged: what was removed is found by no search all the same."""
        with self._system.database.reading() as session:
            now = {
                row.id: row.generation for row in session.execute(select(CollectionRow.id, CollectionRow.generation))
            }
        changed = [
            collection_id for collection_id, generation in now.items() if self._seen.get(collection_id) != generation
        ]
        if not changed:
            return
        try:
            with writing_turn(self._system, timeout=0):
                for collection_id in changed:
                    self._seen[collection_id] = now[collection_id]
                    tidy(self._system, collection_id)
        except Timeout:
            return
        except SegmentGoneError as error:
            log.error("File %s of an index is missing: run taiyi-rag verify, then taiyi-rag reindex", error)


def receipts(session: ReadSession, caller: Caller, document_id: str | None = None) -> list[Receipt]:
    """The receipts of removals, newest first; the caller's own, an administrator's all."""
    statement = select(RemovalRow).order_by(RemovalRow.removed_at.desc(), RemovalRow.id)
    if document_id:
        statement = statement.where(RemovalRow.document_id == document_id)
    return [
        _receipt(row)
        for row in session.scalars(statement)
        if caller.may_read(row.collection) and (caller.role is Role.ADMIN or row.caller_id == caller.id)
    ]


def _remove(
    session: WriteSession, caller: Caller, document_id: str, edition_id: str | None, purge: bool
) -> tuple[Receipt, int]:
    asked_for, document_id = document_id, current_id(session, document_id)
    document = session.get(DocumentRow, document_id)
    collection = session.get(CollectionRow, document.collection_id) if document else None
    if document is None or collection is None or not caller.may_read(collection.name):
        raise NotFound(f"There is no document {asked_for!r}")
    if not caller.may_edit:
        raise Forbidden("Removing documents needs a key with the role editor or admin")
    if purge and caller.role is not Role.ADMIN:
        raise Forbidden("Purging documents needs a key with the role admin; removing them takes an editor")
    kept = ("purged",) if purge else ("purged", "removed")
    present = session.scalars(
        select(EditionRow)
        .where(EditionRow.document_id == document_id, EditionRow.state.not_in(kept))
        .order_by(EditionRow.ingested_at)
    ).all()
    if not present:
        raise NotFound(f"There is no document {document_id!r}")
    removed = [edition for edition in present if edition_id in (None, edition.id)]
    if not removed:
        raise NotFound(f"Document {document_id!r} has no edition {edition_id!r}")
    now = datetime.now(UTC)
    for edition in removed:
        edition.state = "removed"
    if all(edition.state == "removed" for edition in present):
        document.deleted_at = document.deleted_at or now
    settle_editions(session, document_id)
    session.execute(
        delete(SourceRow).where(
            SourceRow.collection_id == collection.id, SourceRow.location.in_([e.source for e in removed])
        )
    )
    collection.generation += 1
    row = RemovalRow(
        id=uuid.uuid4().hex,
        document_id=document_id,
        edition_ids=[edition.id for edition in removed],
        title=removed[-1].title,
        collection=collection.name,
        passages=_count_passages(session, [edition.id for edition in removed]),
        generation=collection.generation,
        purged=False,
        original_erased=False,
        caller_id=caller.id,
        removed_at=now,
    )
    session.add(row)
    details = {"receipt": row.id, "editions": row.edition_ids, "collection": collection.name, "purge": purge}
    audit.append(session, caller, "delete", document_id, {**details, "generation": row.generation})
    return _receipt(row), collection.id


def _purge(system: System, caller: Caller, receipt: Receipt, collection_id: int) -> Receipt:
    """Erases the words of removed editions, the files first: killed half-way, the purge is run again to its end."""
    compact(system, collection_id)
    ours = EditionRow.id.in_(receipt.edition_ids)
    with system.database.reading() as session:
        originals = set(session.scalars(select(EditionRow.source_sha256).where(ours)))
        others = select(EditionRow.source_sha256).where(
            EditionRow.source_sha256.in_(originals),
            EditionRow.state != "purged",
            EditionRow.id.not_in(receipt.edition_ids),
        )
        needed = set(session.scalars(others))
        jobs = set(session.scalars(select(JobFileRow.job_id).where(JobFileRow.document_id == receipt.document_id)))
    for sha256 in originals - needed:
        erase_original(system.home, sha256)
        page_cache.erase(system.home, sha256)
    for job_id in jobs:  # what waits there to be tried again
        shutil.rmtree(system.home / "uploads" / job_id, ignore_errors=True)
    with system.database.writing() as session:
        session.execute(delete(PassageRow).where(PassageRow.edition_id.in_(receipt.edition_ids)))
        for edition in session.scalars(select(EditionRow).where(ours)):
            _make_tombstone(edition)
        answers = erase_quotes(session, receipt.edition_ids)
        row = session.get_one(RemovalRow, receipt.id)
        row.purged, row.original_erased = True, not needed
        for former in session.scalars(select(RemovalRow).where(RemovalRow.document_id == receipt.document_id)):
            former.title = None
        for file in session.scalars(select(JobFileRow).where(JobFileRow.document_id == receipt.document_id)):
            file.location = ERASED
        erased = [Seal("edition", one, erased=True) for one in receipt.edition_ids]
        sealed_again = [Seal("answer", one) for one in answers]
        touch(session, receipt.document_id)
        details = {"receipt": receipt.id, "collection": receipt.collection, "answers": len(answers)}
        audit.append(session, caller, "purge", receipt.document_id, details, [*erased, *sealed_again])
    system.database.forget_freed_pages()
    return replace(receipt, purged=True, title=None, original_erased=not needed)


def _make_tombstone(edition: EditionRow) -> None:
    """Keeps ids, digests, dates and place in time; no word of the document or of its description."""
    edition.state = "purged"
    edition.title, edition.text, edition.likeness, edition.source = ERASED, "", "", ERASED
    edition.authors, edition.publication_types, edition.page_starts, edition.abbreviations = [], [], [], {}
    for name in ("publisher", "journal", "edition", "url", "licence", "study_design", "evidence_grade", "retraction"):
        setattr(edition, name, None)


def _count_passages(session: WriteSession, edition_ids: Sequence[str]) -> int:
    return session.scalar(select(func.count(PassageRow.id)).where(PassageRow.edition_id.in_(edition_ids))) or 0


def _receipt(row: RemovalRow) -> Receipt:
    return Receipt(
        id=row.id,
        document_id=row.document_id,
        edition_ids=tuple(row.edition_ids),
        title=row.title,
        collection=row.collection,
        editions=len(row.edition_ids),
        passages=row.passages,
        generation=row.generation,
        purged=row.purged,
        original_erased=row.original_erased,
        deleted_at=row.removed_at.isoformat(),
    )
