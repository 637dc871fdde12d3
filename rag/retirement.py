"""Retiring: a document leaves default answers from a day on, without a successor and without being deleted."""

from dataclasses import dataclass
from datetime import date

from sqlalchemy import select

from rag import audit
from rag.catalog import today
from rag.errors import Forbidden, NotFound
from rag.identity import current_id
from rag.settling import settle_editions
from rag.system import System
from rag.tables import CollectionRow, DocumentRow, EditionRow
from rag.types import Caller


@dataclass(frozen=True, slots=True)
class Retirement:
    """``retired_on`` is the first day on which the document no longer holds; None where a retirement was taken back."""

    document_id: str
    title: str
    collection: str
    retired_on: str | None
    generation: int


def retire_document(system: System, caller: Caller, document_id: str, on: date | None = None) -> Retirement:
    """Ends every edition that the document now has on a day, by default today. An edition that is read later is in
    force by its own dates. Raises NotFound, Forbidden for a reader."""
    return _set(system, caller, document_id, on or today())


def unretire_document(system: System, caller: Caller, document_id: str) -> Retirement:
    """Takes a retirement back. Raises NotFound, Forbidden for a reader."""
    return _set(system, caller, document_id, None)


def _set(system: System, caller: Caller, document_id: str, on: date | None) -> Retirement:
    with system.database.writing() as session:
        asked_for, document_id = document_id, current_id(session, document_id)
        document = session.get(DocumentRow, document_id)
        collection = session.get(CollectionRow, document.collection_id) if document else None
        if document is None or collection is None or document.deleted_at or not caller.may_read(collection.name):
            raise NotFound(f"There is no document {asked_for!r}")
        if not caller.may_edit:
            raise Forbidden("Retiring documents needs a key with the role editor or admin")
        editions = session.scalars(
            select(EditionRow)
            .where(EditionRow.document_id == document_id, EditionRow.state.in_(("live", "pending", "replaced")))
            .order_by(EditionRow.ingested_at)
        ).all()
        for edition in editions:
            edition.retired_on = on
        settle_editions(session, document_id)
        collection.generation += 1
        details = {"collection": collection.name, "on": on, "generation": collection.generation}
        audit.append(session, caller, "retire" if on else "unretire", document_id, details)
        return Retirement(
            document_id, editions[-1].title, collection.name, on.isoformat() if on else None, collection.generation
        )
