"""Listing documents, a page at a time: searched, filtered and sorted in SQL, so that a library of thousands is turned
over as quickly as one of ten.

A document is listed by the edition that titles it (``rag.catalog``): the one in force today, else the newest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, Literal

from sqlalchemy import ColumnElement, Text, and_, case, cast, func, or_, select
from sqlalchemy.sql import Select

from rag import catalog
from rag.database import ReadSession
from rag.editions import Standing
from rag.errors import InvalidRequest
from rag.tables import CollectionRow, DocumentRow, EditionRow, PassageRow
from rag.types import Caller, Document

SortKey = Literal["title", "publisher", "edition", "published", "language", "format", "state", "ingested_at"]
Facet = Literal["collection", "state", "language", "format"]
MAX_WORDS = 20
UNSTATED = ""
"""What a facet calls the documents that do not state the thing."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which documents are listed, and in which order; without ``sort`` by collection and title.

    ``text`` has words that all have to stand in the title, publisher, authors or identifiers, or in the file's name.
    ``state`` is where any edition of the document stands today; ``flagged`` that screening found something in one.
    ``language`` and ``format`` are those of the edition by which it is listed; of ``""`` are those that state none.
    """

    collections: tuple[str, ...] = ()
    text: str = ""
    state: Standing | None = None
    language: str | None = None
    format: str | None = None
    flagged: bool = False
    sort: SortKey | None = None
    descending: bool = False
    limit: int = 1000
    offset: int = 0


@dataclass(frozen=True, slots=True)
class Listed:
    """A page of documents and how many there are on all pages."""

    documents: tuple[Document, ...]
    total: int


def listed(session: ReadSession, caller: Caller, wanted: Wanted) -> Listed:
    """The documents that the caller may read and ``wanted`` describes. Raises NotFound for a collection that the caller
    may not read, InvalidRequest for more than MAX_WORDS words."""
    shown = _shown(session, caller, wanted.collections)
    chosen = select(shown.c.document_id).where(*_conditions(shown, wanted))
    total = session.scalar(select(func.count()).select_from(chosen.subquery())) or 0
    ordered = chosen.order_by(*_order(shown, wanted)).limit(wanted.limit).offset(wanted.offset)
    ids = list(session.scalars(ordered))
    found = catalog.documents_by_id(session, ids)
    return Listed(tuple(found[identifier] for identifier in ids), total)


def facets(session: ReadSession, caller: Caller, wanted: Wanted) -> dict[Facet, dict[str, int]]:
    """How many documents each value of a facet would list, were it chosen instead of the one in ``wanted``. Only of
    collections that the caller may read; a document counts in each state that one of its editions is in."""
    counted: dict[Facet, dict[str, int]] = {}
    chosen_elsewhere: dict[Facet, Wanted] = {
        "collection": replace(wanted, collections=()),
        "state": replace(wanted, state=None),
        "language": replace(wanted, language=None),
        "format": replace(wanted, format=None),
    }
    for facet, others in chosen_elsewhere.items():
        shown = _shown(session, caller, others.collections)
        conditions = _conditions(shown, others)
        counted[facet] = _count_by(session, shown, facet, conditions)
    return counted


def _count_by(
    session: ReadSession, shown: Any, facet: Facet, conditions: Sequence[ColumnElement[bool]]
) -> dict[str, int]:
    if facet == "state":
        value: Any = standing_today(catalog.today()).label("value")
        chosen = select(shown.c.document_id).where(*conditions)
        statement = select(value, func.count(func.distinct(EditionRow.document_id))).where(
            EditionRow.document_id.in_(chosen), EditionRow.state.in_(catalog.READABLE)
        )
    else:
        value = func.coalesce(shown.c[facet], UNSTATED).label("value")
        statement = select(value, func.count()).where(*conditions)
    rows: Mapping[str, int] = {name: number for name, number in session.execute(statement.group_by("value"))}  # noqa: C416
    return dict(sorted(rows.items(), key=lambda row: (-row[1], row[0])))


def standing_today(today: date) -> ColumnElement[Any]:
    """``rag.editions.standing`` of an edition, in SQL. An end is never later than any of its possible reasons, so that
    of a date that is stated as a month or a year it is enough to ask whether the end lies in that month, or past it."""
    ends = cast(EditionRow.in_force_until, Text)
    holds = or_(EditionRow.in_force_until.is_(None), EditionRow.in_force_until > today)
    return case(
        (EditionRow.state == "replaced", "replaced"),
        (EditionRow.retraction.is_not(None), "retracted"),
        (and_(holds, EditionRow.in_force_from > today), "upcoming"),
        (holds, "current"),
        (EditionRow.in_force_until == EditionRow.retired_on, "retired"),
        (func.substr(ends, 1, func.length(EditionRow.withdrawn)) == EditionRow.withdrawn, "withdrawn"),
        (func.substr(ends, 1, func.length(EditionRow.review_by)) > EditionRow.review_by, "overdue"),
        else_="superseded",
    )


def _shown(session: ReadSession, caller: Caller, names: Sequence[str]) -> Any:
    """For each document the edition by which it is listed, as a subquery."""
    searched = catalog.collections(session, caller, names)
    today = catalog.today()
    live = and_(EditionRow.state == "live", EditionRow.retraction.is_(None))
    holds = and_(live, or_(EditionRow.in_force_until.is_(None), EditionRow.in_force_until > today))
    begun = or_(EditionRow.in_force_from.is_(None), EditionRow.in_force_from <= today)
    place = func.row_number().over(
        partition_by=EditionRow.document_id,
        order_by=[case((and_(holds, begun), 0), (holds, 1), else_=2), *catalog.NEWEST_FIRST],
    )
    columns = ("title", "publisher", "edition", "published", "language", "format", "authors", "external_id", "doi")
    editions: Select[Any] = (
        select(
            *(getattr(EditionRow, name) for name in (*columns, "pmid", "pmcid", "source", "ingested_at")),
            EditionRow.in_force_from,
            standing_today(today).label("state"),
            EditionRow.document_id,
            CollectionRow.name.label("collection"),
            place.label("place"),
        )
        .join(DocumentRow, EditionRow.document_id == DocumentRow.id)
        .join(CollectionRow, DocumentRow.collection_id == CollectionRow.id)
        .where(
            DocumentRow.collection_id.in_([collection.id for collection in searched]),
            DocumentRow.deleted_at.is_(None),
            EditionRow.state.in_(catalog.READABLE),
        )
    )
    ranked = editions.subquery()
    return select(ranked).where(ranked.c.place == 1).subquery()


def _conditions(shown: Any, wanted: Wanted) -> list[ColumnElement[bool]]:
    words = wanted.text.split()
    if len(words) > MAX_WORDS:
        raise InvalidRequest(f"The search has {len(words)} words; it may have {MAX_WORDS}")
    conditions = [_holds_word(shown, word) for word in words]
    for name in ("language", "format"):
        value = getattr(wanted, name)
        if value is not None:
            conditions.append(func.coalesce(shown.c[name], UNSTATED) == value)
    readable = EditionRow.state.in_(catalog.READABLE)
    if wanted.state is not None:
        stands_so = select(EditionRow.document_id).where(readable, standing_today(catalog.today()) == wanted.state)
        conditions.append(shown.c.document_id.in_(stands_so))
    if wanted.flagged:
        flagged = select(EditionRow.document_id).join(PassageRow).where(readable, PassageRow.flags != "")
        conditions.append(shown.c.document_id.in_(flagged))
    return conditions


def _holds_word(shown: Any, word: str) -> ColumnElement[bool]:
    within = ("title", "publisher", "external_id", "doi", "pmid", "pmcid", "source")
    parts = [shown.c[name].icontains(word, autoescape=True) for name in within]
    # JSON keeps other letters than ASCII as escapes, by which they are looked for
    escaped = word.encode("ascii", "backslashreplace").decode() if not word.isascii() else word
    parts.append(cast(shown.c.authors, Text).icontains(escaped, autoescape=True))
    return or_(*parts)


def _order(shown: Any, wanted: Wanted) -> list[Any]:
    in_the_end = [shown.c.collection, shown.c.title, shown.c.document_id]
    if wanted.sort is None:
        return in_the_end
    column = shown.c["in_force_from" if wanted.sort == "published" else wanted.sort]
    key = func.lower(column) if wanted.sort in ("title", "publisher", "edition") else column
    return [(key.desc() if wanted.descending else key.asc()).nulls_last(), *in_the_end]
