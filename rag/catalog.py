"""Reading documents, editions and passages from SQL, as the caller may see them.

What a caller may not see does not exist for them: the same NotFound as for what never was. Deleted documents are gone
from every function here.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, fields
from datetime import UTC, date, datetime
from functools import cache
from typing import Any, get_args

import numpy as np
from sqlalchemy import ColumnElement, and_, bindparam, case, func, not_, or_, select

from rag.database import ReadSession
from rag.editions import standing
from rag.errors import NotFound
from rag.far_texts import FAR, far_texts
from rag.filters import RETRACTED, conditions
from rag.flags import spaced
from rag.identity import current_id
from rag.permitted import Permitted
from rag.tables import CollectionRow, DocumentRow, EditionRow, PassageRow
from rag.types import Caller, Document, Edition, Filters, Language, Metadata, Passage

READABLE = ("live", "replaced")
NEWEST_FIRST = (EditionRow.in_force_from.desc().nulls_last(), EditionRow.ingested_at.desc(), EditionRow.id)
_ID_CHUNK = 500


@dataclass(frozen=True, slots=True)
class Collection:
    id: int
    name: str
    generation: int
    lexical: str | None
    abstain_below: float | None


@dataclass(frozen=True, slots=True)
class CollectionCounts:
    name: str
    documents: int
    passages: int
    abstain_below: float | None


def today() -> date:
    """The day on which editions are judged to be in force, in UTC."""
    return datetime.now(UTC).date()


def collections(session: ReadSession, caller: Caller, names: Sequence[str] = ()) -> list[Collection]:
    """The collections called ``names``, or all that the caller may read. Raises NotFound for one it may not."""
    rows = session.scalars(select(CollectionRow).order_by(CollectionRow.name)).all()
    readable = {row.name: row for row in rows if caller.may_read(row.name)}
    for name in names:
        if name not in readable:
            raise NotFound(f"There is no collection {name!r}")
    chosen = [readable[name] for name in dict.fromkeys(names)] if names else list(readable.values())
    return [Collection(row.id, row.name, row.generation, row.lexical, row.abstain_below) for row in chosen]


def count(session: ReadSession, caller: Caller) -> list[CollectionCounts]:
    """Documents and passages that a search of each readable collection can find today."""
    counts = []
    for collection in collections(session, caller):
        statement = (
            select(func.count(func.distinct(DocumentRow.id)), func.count(PassageRow.id))
            .select_from(PassageRow)
            .join(EditionRow)
            .join(DocumentRow)
            .where(DocumentRow.collection_id == collection.id, _in_force(today()), EditionRow.retraction.is_(None))
        )
        documents, passages = session.execute(statement).one()
        counts.append(CollectionCounts(collection.name, documents, passages, collection.abstain_below))
    return counts


def permitted(
    session: ReadSession,
    collection: Collection,
    filters: Filters,
    on: date,
    include_undated: bool,
    without_flags: Iterable[str] = (),
) -> dict[Language, Permitted]:
    """The passages of a collection that were in force on a day, pass the filters and have none of the flags, by the
    language they are in.

    Retracted texts are left out unless a filter asks for them.
    """
    statement = (
        select(PassageRow.language, PassageRow.id)
        .join(EditionRow)
        .join(DocumentRow)
        .where(
            DocumentRow.collection_id == collection.id,
            _in_force(on, include_undated),
            *_unless_retracted(filters),
            *(not_(PassageRow.flags.contains(spaced([flag]))) for flag in without_flags),
            *conditions(filters),
        )
    )
    ids: dict[str, list[int]] = {language: [] for language in get_args(Language)}
    for language, identifier in session.execute(statement):
        ids[language].append(identifier)
    sets = {language: Permitted(np.sort(np.array(ids[language], np.int64))) for language in get_args(Language)}
    return {language: permitted for language, permitted in sets.items() if len(permitted)}


def searchable_documents(
    session: ReadSession, collection: Collection, filters: Filters, on: date, include_undated: bool
) -> int:
    """How many documents of a collection have a text that was in force on a day and passes the filters. Retracted texts
    count where a filter asks for them."""
    statement = (
        select(func.count(func.distinct(EditionRow.document_id)))
        .join(DocumentRow)
        .where(
            DocumentRow.collection_id == collection.id,
            _in_force(on, include_undated),
            *_unless_retracted(filters),
            *conditions(filters),
        )
    )
    return session.scalar(statement) or 0


def undated_documents(session: ReadSession, searched: Sequence[Collection], filters: Filters) -> int:
    """How many documents have a live text without a date, which an ``as_of`` search leaves out.

    Retracted texts count where a filter asks for them, since otherwise no search finds them.
    """
    statement = (
        select(func.count(func.distinct(DocumentRow.id)))
        .select_from(EditionRow)
        .join(DocumentRow)
        .where(
            DocumentRow.collection_id.in_([collection.id for collection in searched]),
            DocumentRow.deleted_at.is_(None),
            EditionRow.state == "live",
            EditionRow.in_force_from.is_(None),
            *_unless_retracted(filters),
            *conditions(filters),
        )
    )
    return session.scalar(statement) or 0


def passages(session: ReadSession, caller: Caller, ids: Iterable[int]) -> dict[int, Passage]:
    """The passages under ``ids`` that exist for the caller; those that do not are left out."""
    wanted = list(ids)
    found: dict[int, Passage] = {}
    for at in range(0, len(wanted), _ID_CHUNK):
        rows = session.execute(_passages_by_id(), {"ids": wanted[at : at + _ID_CHUNK]}).all()
        rows = [row for row in rows if row.deleted_at is None and row.state in READABLE]
        rows = [row for row in rows if caller.may_read(row.collection)]
        far = far_texts(session, [row for row in rows if row.text is None])
        found |= {row.id: _passage(row, far.get(row.id)) for row in rows}
    return found


def passage_with_neighbours(
    session: ReadSession, caller: Caller, passage_id: str
) -> tuple[Passage, Passage | None, Passage | None]:
    """A passage, the one before it and the one after it in the same edition. Raises NotFound."""
    number = int(passage_id) if passage_id.isascii() and passage_id.isdecimal() and len(passage_id) < 19 else 0
    passage = passages(session, caller, [number]).get(number)
    if passage is None:
        raise NotFound(f"There is no passage {passage_id!r}")
    ordinal = session.scalars(select(PassageRow.ordinal).where(PassageRow.id == number)).one()
    beside = {
        row.ordinal: _passage(row)
        for row in session.execute(
            _passages().where(
                PassageRow.edition_id == passage.edition_id, PassageRow.ordinal.in_([ordinal - 1, ordinal + 1])
            )
        )
    }
    return passage, beside.get(ordinal - 1), beside.get(ordinal + 1)


def documents(session: ReadSession, caller: Caller, names: Sequence[str] = ()) -> list[Document]:
    """The documents of the collections called ``names``, or of all that the caller may read, by title."""
    searched = collections(session, caller, names)
    statement = _editions().where(DocumentRow.collection_id.in_([collection.id for collection in searched]))
    listed = _documents(session.execute(statement))
    return sorted(listed, key=lambda document: (document.collection, document.title, document.id))


def documents_by_id(session: ReadSession, ids: Sequence[str]) -> dict[str, Document]:
    """The documents under ``ids``, which the caller was found to may read; those that do not exist are left out."""
    found: dict[str, Document] = {}
    for at in range(0, len(ids), _ID_CHUNK):
        rows = session.execute(_editions().where(DocumentRow.id.in_(ids[at : at + _ID_CHUNK])))
        found |= {document.id: document for document in _documents(rows)}
    return found


def editions_by_id(session: ReadSession, caller: Caller, ids: Sequence[str]) -> dict[str, Edition]:
    """The editions under ``ids`` that exist for the caller; those that do not are left out."""
    rows = session.execute(_editions().where(EditionRow.id.in_(ids)))
    return {row.id: _edition(row) for row in rows if caller.may_read(row.collection)}


def document(
    session: ReadSession, caller: Caller, document_id: str, edition_id: str | None = None, with_text: bool = True
) -> Document:
    """A document with the text of one edition, by default the current one; that text may be a book. Raises
    NotFound."""
    rows = session.execute(_editions().where(DocumentRow.id == current_id(session, document_id))).all()
    if not rows or not caller.may_read(rows[0].collection):
        raise NotFound(f"There is no document {document_id!r}")
    described = _document(rows)
    chosen = edition_id or described.edition_id
    if chosen not in {edition.id for edition in described.editions}:
        raise NotFound(f"Document {document_id!r} has no edition {edition_id!r}")
    text = session.scalars(select(EditionRow.text).where(EditionRow.id == chosen)).one() if with_text else None
    shown = next(row for row in rows if row.id == chosen)
    return _document(rows, shown=shown, text=text)


@dataclass(frozen=True, slots=True)
class FlaggedPassage:
    """A passage that screening found something in."""

    passage_id: str
    edition_id: str
    section: str | None
    page: int | None
    flags: tuple[str, ...]
    text: str


def flagged_passages(session: ReadSession, caller: Caller, document_id: str) -> list[FlaggedPassage]:
    """The flagged passages of a document's readable editions. Raises NotFound."""
    readable = {edition.id for edition in document(session, caller, document_id).editions}
    statement = _passages().where(PassageRow.edition_id.in_(readable), PassageRow.flags != "")
    return [
        FlaggedPassage(str(row.id), row.edition_id, row.section, row.page, tuple(row.flags.split()), row.text)
        for row in session.execute(statement.order_by(EditionRow.id, PassageRow.ordinal))
    ]


def page_starts(session: ReadSession, edition_id: str) -> tuple[int, ...]:
    """Where the pages of an edition begin; empty where it has none."""
    return tuple(session.scalars(select(EditionRow.page_starts).where(EditionRow.id == edition_id)).one())


def ended_editions(session: ReadSession, edition_ids: Iterable[str]) -> dict[str, bool]:
    """Those of ``edition_ids`` that no longer hold: superseded, replaced, lapsed, retracted or removed; and of each
    whether it was retracted."""
    columns = (EditionRow.id, EditionRow.state, EditionRow.in_force_until, EditionRow.retraction)
    rows = session.execute(select(*columns).where(EditionRow.id.in_(set(edition_ids))))
    return {row.id: row.retraction is not None for row in rows if _no_longer_holds(row)}


def edition_text(session: ReadSession, edition_id: str) -> str | None:
    """The text of an edition in whatever state, for checking what stored answers quote."""
    return session.scalars(select(EditionRow.text).where(EditionRow.id == edition_id)).one_or_none()


def _in_force(on: date, include_undated: bool = True) -> ColumnElement[bool]:
    begun = EditionRow.in_force_from <= on
    return and_(
        DocumentRow.deleted_at.is_(None),
        EditionRow.state == "live",
        or_(begun, EditionRow.in_force_from.is_(None)) if include_undated else begun,
        or_(EditionRow.in_force_until.is_(None), EditionRow.in_force_until > on),
    )


def _unless_retracted(filters: Filters) -> list[ColumnElement[bool]]:
    return [] if RETRACTED in filters else [EditionRow.retraction.is_(None)]


def _no_longer_holds(row: Any) -> bool:
    ended = row.in_force_until is not None and row.in_force_until <= today()
    return row.state not in ("pending", "live") or ended or row.retraction is not None


@cache
def _passages_by_id() -> Any:
    """Whether they exist is not asked in SQL: for more than a few, SQLite would read every live edition."""
    near = case((PassageRow.char_start < FAR, _words()), else_=None).label("text")
    return _passage_columns(near).where(PassageRow.id.in_(bindparam("ids", expanding=True)))


def _passages() -> Any:
    exists = DocumentRow.deleted_at.is_(None), EditionRow.state.in_(READABLE)
    return _passage_columns(_words().label("text")).where(*exists)


def _words() -> Any:
    return func.substr(EditionRow.text, PassageRow.char_start + 1, PassageRow.char_end - PassageRow.char_start)


def _passage_columns(words: Any) -> Any:
    return (
        select(
            PassageRow.id,
            PassageRow.ordinal,
            PassageRow.char_start,
            PassageRow.char_end,
            PassageRow.section,
            PassageRow.page,
            words,
            EditionRow.id.label("edition_id"),
            EditionRow.title,
            EditionRow.publisher,
            EditionRow.edition,
            EditionRow.published,
            EditionRow.url,
            EditionRow.language,
            EditionRow.state,
            EditionRow.in_force_until,
            EditionRow.retraction,
            EditionRow.external_id,
            EditionRow.study_design,
            EditionRow.publication_types,
            EditionRow.evidence_grade,
            PassageRow.flags,
            DocumentRow.id.label("document_id"),
            DocumentRow.deleted_at,
            CollectionRow.name.label("collection"),
        )
        .join(EditionRow, PassageRow.edition_id == EditionRow.id)
        .join(DocumentRow, EditionRow.document_id == DocumentRow.id)
        .join(CollectionRow, DocumentRow.collection_id == CollectionRow.id)
    )


def _passage(row: Any, words: str | None = None) -> Passage:
    """``words`` are those of a row that has none."""
    return Passage(
        passage_id=str(row.id),
        document_id=row.document_id,
        edition_id=row.edition_id,
        external_id=row.external_id,
        collection=row.collection,
        title=row.title,
        publisher=row.publisher,
        edition=row.edition,
        published=row.published,
        url=row.url,
        language=row.language,
        section=row.section,
        page=row.page,
        text=row.text if words is None else words,
        char_start=row.char_start,
        char_end=row.char_end,
        superseded=_no_longer_holds(row),
        flags=tuple(row.flags.split()),
        study_design=row.study_design,
        publication_types=tuple(row.publication_types),
        evidence_grade=row.evidence_grade,
    )


def _editions() -> Any:
    counted = select(func.count()).where(PassageRow.edition_id == EditionRow.id).correlate(EditionRow)
    return (
        select(
            EditionRow.id,
            EditionRow.state,
            EditionRow.in_force_from,
            EditionRow.in_force_until,
            EditionRow.retired_on,
            EditionRow.format,
            EditionRow.source,
            EditionRow.ingested_at,
            *(getattr(EditionRow, field.name) for field in fields(Metadata)),
            counted.scalar_subquery().label("passages"),
            counted.where(PassageRow.flags != "").scalar_subquery().label("flagged"),
            DocumentRow.id.label("document_id"),
            CollectionRow.name.label("collection"),
        )
        .join(DocumentRow, EditionRow.document_id == DocumentRow.id)
        .join(CollectionRow, DocumentRow.collection_id == CollectionRow.id)
        .where(DocumentRow.deleted_at.is_(None), EditionRow.state.in_(READABLE))
        .order_by(*NEWEST_FIRST)
    )


def _documents(rows: Iterable[Any]) -> list[Document]:
    by_document: dict[str, list[Any]] = {}
    for row in rows:
        by_document.setdefault(row.document_id, []).append(row)
    return [_document(of_one) for of_one in by_document.values()]


def _document(rows: Sequence[Any], shown: Any = None, text: str | None = None) -> Document:
    """A document of its editions' rows; ``shown`` is the one that titles it, by default the one in force today."""
    holding = [row for row in rows if not _no_longer_holds(row)]
    begun = [row for row in holding if row.in_force_from is None or row.in_force_from <= today()]
    shown = shown or (begun or holding or rows)[0]
    return Document(
        id=shown.document_id,
        collection=shown.collection,
        external_id=shown.external_id,
        title=shown.title,
        publisher=shown.publisher,
        language=shown.language,
        editions=tuple(_edition(row) for row in rows),
        edition_id=shown.id,
        text=text,
    )


def _edition(row: Any) -> Edition:
    known = {field.name: getattr(row, field.name) for field in fields(Metadata)}
    known |= {"authors": tuple(row.authors), "publication_types": tuple(row.publication_types)}
    return Edition(
        id=row.id,
        document_id=row.document_id,
        metadata=Metadata(**known),
        format=row.format,
        source=row.source,
        passages=row.passages,
        flagged=row.flagged,
        standing=standing(
            today(),
            row.state,
            row.in_force_from,
            row.in_force_until,
            row.retired_on,
            row.withdrawn,
            row.review_by,
            row.retraction,
        ),
        superseded=_no_longer_holds(row),
        in_force_from=_iso(row.in_force_from),
        in_force_until=_iso(row.in_force_until),
        retired_on=_iso(row.retired_on),
        ingested_at=row.ingested_at.isoformat(),
    )


def _iso(day: date | None) -> str | None:
    return day.isoformat() if day else None
