"""Documents that may be editions of one: a like title and publisher is a proposal, and a librarian decides.

Titles repeat ("Annual report"), so nothing is superseded before somebody has said so.
"""

import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import select

from rag import audit, catalog
from rag.database import ReadSession, WriteSession
from rag.errors import Forbidden, NotFound
from rag.identity import derived_id, merge_documents
from rag.settling import settle_editions
from rag.system import System
from rag.tables import CollectionRow, DocumentRow, EditionRow, ProposalRow
from rag.types import Caller, Document


@dataclass(frozen=True, slots=True)
class Proposal:
    """``document`` came later than ``like``, and may be another edition of it."""

    document: Document
    like: Document
    created_at: str


def likeness(title: str | None, publisher: str | None) -> str:
    """A digest of title and publisher without case, width, spaces and punctuation; empty without both of them."""
    parts = [_letters(title or ""), _letters(publisher or "")]
    return derived_id(*parts) if all(parts) else ""


def _letters(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text).casefold() if c.isalnum())


def propose(session: WriteSession, collection_id: int, edition: EditionRow) -> None:
    """Notes the documents that a new document is like."""
    if not edition.likeness:
        return
    like = session.scalars(
        select(EditionRow.document_id)
        .join(DocumentRow)
        .where(
            EditionRow.likeness == edition.likeness,
            EditionRow.document_id != edition.document_id,
            EditionRow.state.in_(("pending", "live")),
            DocumentRow.collection_id == collection_id,
            DocumentRow.deleted_at.is_(None),
        )
        .distinct()
    )
    for like_id in sorted(like):
        if session.get(ProposalRow, (edition.document_id, like_id)) is None:
            session.add(
                ProposalRow(
                    document_id=edition.document_id, like_id=like_id, state="waiting", created_at=datetime.now(UTC)
                )
            )


def waiting(session: ReadSession, caller: Caller) -> list[Proposal]:
    """The proposals that wait for a decision, oldest first, between documents that are both still there. Raises
    Forbidden for a reader, whose they are not to decide."""
    _check_may_decide(caller)
    rows = session.scalars(
        select(ProposalRow).where(ProposalRow.state == "waiting").order_by(ProposalRow.created_at, ProposalRow.like_id)
    )
    found = []
    for row in rows:
        try:
            document, like = (catalog.document(session, caller, one) for one in (row.document_id, row.like_id))
        except NotFound:
            continue
        if document.id != like.id:
            found.append(Proposal(document, like, row.created_at.isoformat()))
    return found


def accept(system: System, caller: Caller, document_id: str, like_id: str) -> str:
    """Makes the two documents editions of one, and says its id. Raises NotFound where that was not proposed, Forbidden
    for a reader."""
    with system.database.writing() as session:
        collection = _decide(session, caller, document_id, like_id, "accepted")
        merge_documents(session, document_id, like_id)
        settle_editions(session, like_id)
        settled = session.get_one(CollectionRow, collection.id)
        settled.generation += 1
        details = {"collection": settled.name, "merged": document_id, "generation": settled.generation}
        audit.append(session, caller, "accept", like_id, details)
    return like_id


def reject(system: System, caller: Caller, document_id: str, like_id: str) -> None:
    """Leaves the two documents apart for good. Raises NotFound where that was not proposed, Forbidden for a reader."""
    with system.database.writing() as session:
        collection = _decide(session, caller, document_id, like_id, "rejected")
        audit.append(session, caller, "reject", like_id, {"collection": collection.name, "apart": document_id})


def _decide(session: WriteSession, caller: Caller, document_id: str, like_id: str, state: str) -> CollectionRow:
    _check_may_decide(caller)
    proposal = session.get(ProposalRow, (document_id, like_id))
    documents = [session.get(DocumentRow, one) for one in (document_id, like_id)]
    collections = [session.get(CollectionRow, document.collection_id) for document in documents if document]
    readable = [found for found in collections if found and caller.may_read(found.name)]
    if proposal is None or proposal.state != "waiting" or len(readable) != 2:
        raise NotFound(f"No proposal waits that {document_id!r} is an edition of {like_id!r}")
    proposal.state = state
    return readable[0]


def _check_may_decide(caller: Caller) -> None:
    if not caller.may_edit:
        raise Forbidden("Proposals need a key with the role editor or admin")
