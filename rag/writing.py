"""Writing documents to SQL: taking turns, adding an edition, removing a document; ``rag.indexing`` then publishes."""

import contextlib
import hashlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from filelock import FileLock, Timeout
from sqlalchemy import delete, func, select
from sqlalchemy.dialects import postgresql, sqlite

from rag.database import WriteSession
from rag.editions import in_force_from
from rag.errors import NotFound
from rag.indexing import settle_editions, tidy
from rag.system import System
from rag.tables import CollectionRow, DocumentRow, EditionRow, PassageRow, SourceRow
from rag.types import Caller


@dataclass(frozen=True, slots=True)
class NewPassage:
    """``boxes`` are ``(page, left, top, right, bottom)`` in PDF points from the page's top left corner, one a line;
    ``flags`` are what screening found."""

    char_start: int
    char_end: int
    section: str | None
    page: int | None
    boxes: tuple[tuple[int, float, float, float, float], ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class NewEdition:
    """A document's text as ingestion hands it over. ``key`` is what the document is recognised by."""

    key: str
    external_id: str | None
    source: str
    source_sha256: str
    format: str
    title: str
    authors: tuple[str, ...]
    publisher: str | None
    journal: str | None
    edition: str | None
    published: str | None
    effective: str | None
    language: str | None
    url: str | None
    doi: str | None
    pmid: str | None
    pmcid: str | None
    licence: str | None
    text: str
    page_starts: tuple[int, ...]
    passages: tuple[NewPassage, ...]

    @property
    def content_sha256(self) -> str:
        """Two editions with the same digest say the same in the same words and under the same names."""
        described = (self.key, self.title, self.authors, self.publisher, self.journal, self.edition, self.published)
        further = (self.effective, self.language, self.url, self.doi, self.pmid, self.pmcid, self.licence)
        spans = tuple((p.char_start, p.char_end, p.section, p.page) for p in self.passages)
        content = repr((described, further, self.page_starts, spans, self.text))
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Added:
    """What became of an edition: ``added`` (a new document), ``updated``, ``unchanged``, or ``deleted`` and left so."""

    status: str
    document_id: str
    passages: int = 0


@contextmanager
def writing_turn(
    system: System, waiting: Callable[[], None] = lambda: None, timeout: float | None = None
) -> Iterator[None]:
    """Waits until no other process writes to this home; calls ``waiting`` once if it has to.

    A killed writer's turn ends with it. Raises filelock.Timeout after ``timeout`` seconds, None waits for ever.
    """
    lock = FileLock(system.home / "writing.lock")
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting()
        lock.acquire(timeout=-1 if timeout is None else timeout)
    try:
        yield
    finally:
        lock.release()


def ensure_collection(session: WriteSession, name: str) -> CollectionRow:
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    session.execute(
        insert(CollectionRow)
        .values(name=name, generation=0, created_at=datetime.now(UTC))
        .on_conflict_do_nothing(index_elements=["name"])
    )
    return session.scalars(select(CollectionRow).where(CollectionRow.name == name)).one()


def add_edition(session: WriteSession, collection_id: int, new: NewEdition, restore: bool = False) -> Added:
    """Commits nothing itself. The edition is pending; ``publish`` makes it searchable.

    Ids follow from content, so that adding the same twice, or again after a crash, adds it once.
    """
    document_id = _derived_id(f"{collection_id}", new.key)
    edition_id = _derived_id(document_id, new.content_sha256)
    document = session.get(DocumentRow, document_id)
    existing = session.get(EditionRow, edition_id)
    was_deleted = document is not None and document.deleted_at is not None
    if (was_deleted or (existing is not None and existing.state == "removed")) and not restore:
        return Added("deleted", document_id)
    if existing is not None and existing.state in ("pending", "live"):
        return Added("unchanged", document_id)
    if document is None:
        session.add(DocumentRow(id=document_id, collection_id=collection_id, key=new.key, external_id=new.external_id))
        session.flush()
    else:
        document.deleted_at = None
        document.external_id = new.external_id
    status = "added" if document is None or was_deleted else "updated"
    if existing is not None:
        existing.state = "pending"
        existing.ingested_at = datetime.now(UTC)
        return Added(status, document_id, len(new.passages))
    session.add(
        EditionRow(
            id=edition_id,
            document_id=document_id,
            state="pending",
            in_force_from=in_force_from(new.effective, new.published),
            source=new.source,
            source_sha256=new.source_sha256,
            format=new.format,
            title=new.title,
            authors=list(new.authors),
            publisher=new.publisher,
            journal=new.journal,
            edition=new.edition,
            published=new.published,
            effective=new.effective,
            language=new.language,
            url=new.url,
            doi=new.doi,
            pmid=new.pmid,
            pmcid=new.pmcid,
            licence=new.licence,
            text=new.text,
            page_starts=list(new.page_starts),
            ingested_at=datetime.now(UTC),
        )
    )
    session.flush()
    session.add_all(
        PassageRow(
            edition_id=edition_id,
            ordinal=ordinal,
            char_start=passage.char_start,
            char_end=passage.char_end,
            section=passage.section,
            page=passage.page,
        )
        for ordinal, passage in enumerate(new.passages)
    )
    return Added(status, document_id, len(new.passages))


@dataclass(frozen=True, slots=True)
class Receipt:
    """What a removal removed, when, and from which generation of the collection on it is gone."""

    document_id: str
    title: str
    collection: str
    editions: int
    passages: int
    generation: int
    deleted_at: str


def delete_document(system: System, caller: Caller, document_id: str, edition_id: str | None = None) -> Receipt:
    """Removes a document, or one edition of it, from every search at once. Raises NotFound.

    Text and record stay for the answers that quote it; it comes back only when ingested with ``restore``.
    """
    now = datetime.now(UTC)
    with system.database.writing() as session:
        document = session.get(DocumentRow, document_id)
        collection = session.get(CollectionRow, document.collection_id) if document else None
        if document is None or collection is None or document.deleted_at or not caller.may_read(collection.name):
            raise NotFound(f"There is no document {document_id!r}")
        present = session.scalars(
            select(EditionRow)
            .where(EditionRow.document_id == document_id, EditionRow.state != "removed")
            .order_by(EditionRow.ingested_at)
        ).all()
        removed = [edition for edition in present if edition_id in (None, edition.id)]
        if not removed:
            raise NotFound(f"Document {document_id!r} has no edition {edition_id!r}")
        for edition in removed:
            edition.state = "removed"
        if len(removed) == len(present):
            document.deleted_at = now
        settle_editions(session, document_id)
        session.execute(
            delete(SourceRow).where(
                SourceRow.collection_id == collection.id, SourceRow.location.in_([e.source for e in removed])
            )
        )
        collection.generation += 1
        collection_id = collection.id
        receipt = Receipt(
            document_id=document_id,
            title=removed[-1].title,
            collection=collection.name,
            editions=len(removed),
            passages=_count_passages(session, [edition.id for edition in removed]),
            generation=collection.generation,
            deleted_at=now.isoformat(),
        )
    with contextlib.suppress(Timeout), writing_turn(system, timeout=0):
        tidy(system, collection_id)
    return receipt


def _count_passages(session: WriteSession, edition_ids: list[str]) -> int:
    return session.scalar(select(func.count(PassageRow.id)).where(PassageRow.edition_id.in_(edition_ids))) or 0


def _derived_id(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:32]
