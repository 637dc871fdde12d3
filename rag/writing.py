"""Writing documents to SQL: taking turns, adding an edition; ``rag.indexing`` then publishes."""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass
from datetime import UTC, datetime

from filelock import FileLock, Timeout
from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite

from rag import audit
from rag.abbreviations import definitions
from rag.database import WriteSession
from rag.editions import in_force_from
from rag.errors import Forbidden, InvalidRequest, NotFound
from rag.flags import spaced
from rag.identity import derived_id, find_document
from rag.languages import language_of
from rag.proposals import likeness, propose
from rag.sealing import Seal, is_touched, touch
from rag.system import System
from rag.tables import CollectionRow, DocumentRow, EditionRow, PassageRow
from rag.types import Caller, Metadata, NewPassage, Role


@dataclass(frozen=True, slots=True)
class NewEdition:
    """A document's text as ingestion hands it over. ``place`` names where it was read from, down to the record of a
    file; it is what a document without external id and DOI is recognised by."""

    place: str
    source: str
    source_sha256: str
    format: str
    metadata: Metadata
    text: str
    page_starts: tuple[int, ...]
    passages: tuple[NewPassage, ...]

    @property
    def content_sha256(self) -> str:
        """Two editions with the same digest say the same in the same words and under the same names."""
        content = repr((astuple(self.metadata), self.page_starts, self.passages, self.text))
        return hashlib.sha256(content.encode("utf-8", "surrogatepass")).hexdigest()


@dataclass(frozen=True, slots=True)
class Added:
    """What became of an edition: ``added`` (a new document), ``updated``, ``unchanged``, or ``deleted`` and left so.
    ``edition_id`` is that of one that was written."""

    status: str
    document_id: str
    passages: int = 0
    edition_id: str | None = None


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


def set_abstention(session: WriteSession, caller: Caller, name: str, below: float | None) -> None:
    """Sets the probability below which nothing is answered from a collection; None: what the settings say. Raises
    NotFound for a collection that the caller may not read, Forbidden for who is no administrator, InvalidRequest for
    what is no probability."""
    if below is not None and not 0 <= below <= 1:
        raise InvalidRequest(f"{below} is no probability: write a number from 0 to 1")
    collection = session.scalars(select(CollectionRow).where(CollectionRow.name == name)).one_or_none()
    if collection is None or not caller.may_read(name):
        raise NotFound(f"There is no collection {name!r}")
    if caller.role is not Role.ADMIN:
        raise Forbidden("When a collection abstains takes a key with the role admin to say")
    collection.abstain_below = below
    audit.append(session, caller, "collection.set", name, {"collection": name, "abstain_below": below})


def add_edition(session: WriteSession, collection_id: int, new: NewEdition, restore: bool = False) -> Added:
    """Commits and records nothing itself (``record_added``). The edition is pending; ``publish`` makes it searchable.

    Ids follow from content, so that adding the same twice, or again after a crash, adds it once.
    """
    document_id, is_new = find_document(session, collection_id, new.metadata, new.place)
    document = session.get_one(DocumentRow, document_id)
    content = new.content_sha256
    existing = session.scalars(
        select(EditionRow)
        .where(
            EditionRow.document_id == document_id, EditionRow.content_sha256 == content, EditionRow.state != "purged"
        )
        .limit(1)
    ).first()
    was_deleted = document.deleted_at is not None
    if (was_deleted or (existing is not None and existing.state == "removed")) and not restore:
        return Added("deleted", document_id)
    if existing is not None and existing.state in ("pending", "live"):
        return Added("unchanged", document_id)
    touch(session, document_id)
    document.deleted_at = None
    status = "added" if is_new or was_deleted else "updated"
    if existing is not None:
        edition_id = existing.id
        existing.state, existing.source, existing.ingested_at = "pending", new.source, datetime.now(UTC)
    else:
        edition = _edition_row(_unused_id(session, document_id, content), document_id, new, content)
        edition_id = edition.id
        session.add(edition)
        session.flush()
        session.add_all(_passage_rows(edition.id, new.text, new.passages))
        if is_new:
            propose(session, collection_id, edition)
    return Added(status, document_id, len(new.passages), edition_id)


def record_added(session: WriteSession, caller: Caller, collection_id: int, added: Sequence[Added]) -> None:
    """Writes into the audit record what was added, last in the transaction that did."""
    seals = [Seal("edition", one.edition_id) for one in added if one.edition_id is not None]
    if seals or is_touched(session):
        name = session.get_one(CollectionRow, collection_id).name
        counts = Counter(one.status for one in added)
        audit.append(session, caller, "ingest", name, {"collection": name, "documents": dict(counts)}, seals)


def _edition_row(edition_id: str, document_id: str, new: NewEdition, content_sha256: str) -> EditionRow:
    known = asdict(new.metadata)
    known |= {"authors": list(new.metadata.authors), "publication_types": list(new.metadata.publication_types)}
    return EditionRow(
        id=edition_id,
        document_id=document_id,
        state="pending",
        in_force_from=in_force_from(new.metadata.effective, new.metadata.published),
        source=new.source,
        source_sha256=new.source_sha256,
        format=new.format,
        content_sha256=content_sha256,
        likeness=likeness(new.metadata.title, new.metadata.publisher),
        text=new.text,
        page_starts=list(new.page_starts),
        abbreviations=definitions(new.text),
        ingested_at=datetime.now(UTC),
        **known,
    )


def _passage_rows(edition_id: str, text: str, passages: Iterable[NewPassage]) -> Iterator[PassageRow]:
    for ordinal, passage in enumerate(passages):
        yield PassageRow(
            edition_id=edition_id,
            ordinal=ordinal,
            char_start=passage.char_start,
            char_end=passage.char_end,
            section=passage.section,
            page=passage.page,
            boxes=[list(box) for box in passage.boxes],
            flags=spaced(passage.flags),
            language=language_of(text[passage.char_start : passage.char_end]),
        )


def _unused_id(session: WriteSession, document_id: str, content_sha256: str) -> str:
    """The id that follows from the content; where a purged edition has left it on its tombstone, the next one."""
    edition_id = derived_id(document_id, content_sha256)
    while session.get(EditionRow, edition_id) is not None:
        edition_id = derived_id(edition_id)
    return edition_id
