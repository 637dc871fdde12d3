"""Seals: keyed digests of stored things, over every column as the database holds it, byte for byte.

A seal is over what the database gives back, not over what was handed to it, so that sealing and checking read the same.
Of the kinds of things, an ``edition`` is a text with its metadata and passages, which never change; a ``document`` is
which editions it has and how each of them stands, which does.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sqlalchemy import JSON, Date, Text, cast, func, select
from sqlalchemy.orm import InstrumentedAttribute

from rag.audit_key import keyed
from rag.database import ReadSession, WriteSession
from rag.tables import (
    AnswerPassageRow,
    AnswerRow,
    DocumentRow,
    EditionRow,
    FeedbackRow,
    HandledRow,
    KeyRow,
    Moment,
    PassageRow,
)

Kind = Literal["answer", "edition", "document", "feedback", "handled", "key"]
BATCH = 200
_STANDING = ("document_id", "state", "in_force_from", "in_force_until", "retired_on", "source", "ingested_at")
"""The columns of an edition that may change; the seal of its document is over them."""
_TOUCHED = "touched_documents"
Thing = TypeVar("Thing")


@dataclass(frozen=True, slots=True)
class Seal:
    """A thing that an audit row vouches for. Where ``erased``, its content is gone, or all that is left is a tombstone.
    The seals of ``feedback`` and ``handled`` have the id of their answer; that of feedback is over all that was said
    of it."""

    kind: Kind
    subject: str
    erased: bool = False


@dataclass(frozen=True, slots=True)
class _Part:
    """Rows of one table that belong to a thing: those whose ``owner`` is its id."""

    owner: InstrumentedAttribute[Any]
    columns: tuple[InstrumentedAttribute[Any], ...]
    order: tuple[InstrumentedAttribute[Any], ...] = ()


def _columns(table: Any, *names: str, but: Sequence[str] = ()) -> tuple[InstrumentedAttribute[Any], ...]:
    return tuple(
        getattr(table, column.key)
        for column in table.__table__.columns
        if column.key not in but and (not names or column.key in names)
    )


_PARTS: dict[Kind, tuple[_Part, ...]] = {
    "answer": (
        _Part(AnswerRow.id, _columns(AnswerRow)),
        _Part(AnswerPassageRow.answer_id, _columns(AnswerPassageRow), (AnswerPassageRow.rank,)),
    ),
    "edition": (
        _Part(EditionRow.id, _columns(EditionRow, but=_STANDING)),
        _Part(PassageRow.edition_id, _columns(PassageRow), (PassageRow.id,)),
    ),
    "document": (
        _Part(DocumentRow.id, _columns(DocumentRow)),
        _Part(EditionRow.document_id, _columns(EditionRow, "id", *_STANDING), (EditionRow.id,)),
    ),
    "feedback": (_Part(FeedbackRow.answer_id, _columns(FeedbackRow), (FeedbackRow.caller_id,)),),
    "handled": (_Part(HandledRow.answer_id, _columns(HandledRow)),),
    "key": (_Part(KeyRow.id, _columns(KeyRow)),),
}


def touch(session: WriteSession, *document_ids: str) -> None:
    """Notes that this transaction changes how documents stand, so that its audit row seals them again."""
    session.info.setdefault(_TOUCHED, set()).update(document_ids)


def is_touched(session: WriteSession) -> bool:
    """Whether documents have been noted that are still to be sealed."""
    return bool(session.info.get(_TOUCHED))


def touched(session: WriteSession) -> list[str]:
    """The documents noted since the last time that this was asked."""
    return sorted(session.info.pop(_TOUCHED, ()))


def digests(session: ReadSession | WriteSession, secret: bytes, kind: Kind, subjects: Sequence[str]) -> dict[str, str]:
    """The seals of those of ``subjects`` that are there, as they are now; a few hundred at a time."""
    parts = [_rows(session, part, subjects) for part in _PARTS[kind]]
    return {
        subject: keyed(secret, "seal", kind, subject, [rows.get(subject, []) for rows in parts])
        for subject in subjects
        if any(subject in rows for rows in parts)
    }


def batched(things: Iterable[Thing]) -> Iterable[list[Thing]]:
    listed = list(things)
    return (listed[at : at + BATCH] for at in range(0, len(listed), BATCH))


def as_stored(column: InstrumentedAttribute[Any], dialect: str) -> Any:
    """A column as text where it is JSON or a time, the same text on every database; else as it is."""
    if isinstance(column.type, JSON):
        return cast(column, Text)
    if isinstance(column.type, Moment | Date) and dialect == "postgresql":
        if isinstance(column.type, Date):
            return func.to_char(column, "YYYY-MM-DD")
        return func.to_char(func.timezone("UTC", column), "YYYY-MM-DD HH24:MI:SS.US")
    return cast(column, Text) if isinstance(column.type, Moment | Date) else column


def _rows(session: ReadSession | WriteSession, part: _Part, subjects: Sequence[str]) -> dict[str, list[list[Any]]]:
    dialect = session.get_bind().dialect.name
    columns = [as_stored(column, dialect).label(f"c{at}") for at, column in enumerate(part.columns)]
    statement = select(part.owner, *columns).where(part.owner.in_(subjects)).order_by(*part.order)
    found: dict[str, list[list[Any]]] = {}
    for row in session.execute(statement):
        found.setdefault(row[0], []).append(list(row[1:]))
    return found
