"""The audit record: who did what, when, from where, in rows that are chained by keyed digests.

The digest of a row is over the digest before it and every column of its own, so that a row that was altered, removed
or put in shows; ``rag.audit_checking`` looks for that. What a row vouches for (an answer, an edition's text) lives
elsewhere and can be erased; the row keeps its seal.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import ColumnElement, select, text
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import InstrumentedAttribute

from rag.audit_key import AuditKey, Head, fingerprint, keyed
from rag.database import Database, ReadSession, WriteSession
from rag.errors import Forbidden, Inconsistent, InvalidRequest
from rag.sealing import Kind, Seal, batched, digests, touched
from rag.tables import AnswerRow, AuditRow, DocumentRow, EditionRow, FeedbackRow, HandledRow, KeyRow, SealRow
from rag.types import LOCAL_ADMIN, Caller

__all__ = ["Entry", "Picked", "Seal", "append", "begin", "entries", "head", "oldest_first"]

AT_ONCE = 500
"""Rows that a reading of the whole record takes at once."""

CHECKPOINTS = ("begin", "retention")
"""The actions of rows that name the key, and from which the chain may begin."""
SEALS = "seals"
"""Under this name the details of a row list what it vouches for: ``[kind, subject, digest, erased]`` each."""
_TURN = 0x7461_6175
_MOMENT = "%Y-%m-%d %H:%M:%S.%f"


@dataclass(frozen=True, slots=True)
class Entry:
    """A row of the record. ``details`` has, beside what the action says, the ``seals`` of what the row vouches for."""

    number: int
    at: str
    caller_id: str
    address: str | None
    request_id: str | None
    action: str
    subject: str | None
    details: dict[str, Any]
    content: str | None
    digest: str


def append(
    session: WriteSession,
    caller: Caller,
    action: str,
    subject: str | None,
    details: Mapping[str, Any],
    seals: Sequence[Seal] = (),
) -> None:
    """Writes that ``caller`` did something into the record, in the transaction that does it.

    To be called last: from here to the commit nobody else writes to the record. The row vouches for the things in
    ``seals`` as they are now, and for every document that the transaction changed (``rag.sealing.touch``). Raises
    Unavailable where the audit key is missing, Inconsistent where it is not the one that the record was begun with.
    """
    session.flush()
    documents = [Seal("document", one, erased=session.get(DocumentRow, one) is None) for one in touched(session)]
    _take_turn(session)
    last = head(session) or _begun(session)
    secret = _secret(session)
    _write(session, secret, last, caller, action, subject, details, (*seals, *documents))


def begin(database: Database) -> None:
    """Begins the record where there is none yet, and seals what an earlier version stored without one."""
    with database.reading() as reading:
        if head(reading) is not None:
            return
    with database.writing() as session:
        _take_turn(session)
        if head(session) is None:
            _begun(session)


def head(session: ReadSession | WriteSession) -> Head | None:
    """The last row, None where there is none."""
    row = session.execute(select(AuditRow.number, AuditRow.digest).order_by(AuditRow.number.desc()).limit(1)).first()
    return Head(row.number, row.digest) if row else None


@dataclass(frozen=True, slots=True)
class Picked:
    """Which rows are picked; what is None is not looked at. From ``since`` on and before ``until``, both in UTC where
    they name no time zone."""

    action: str | None = None
    caller_id: str | None = None
    subject: str | None = None
    since: datetime | None = None
    until: datetime | None = None


ALL = Picked()


def entries(
    session: ReadSession, caller: Caller, picked: Picked = ALL, *, limit: int | None = 100, before: int | None = None
) -> list[Entry]:
    """Rows of the record, newest first, with a number below ``before``. Raises Forbidden for all but administrators."""
    _check_may_read(caller)
    wanted = [*_picking(picked), *([AuditRow.number < before] if before is not None else [])]
    statement = select(AuditRow).where(*wanted).order_by(AuditRow.number.desc()).limit(limit)
    return [_entry(row) for row in session.scalars(statement)]


def oldest_first(database: Database, caller: Caller, picked: Picked = ALL) -> Iterator[Entry]:
    """All rows, a few hundred in memory at a time, each few in a session of their own: who reads slowly holds up
    nobody. Raises Forbidden for all but administrators, at once."""
    _check_may_read(caller)
    return _following(database, picked)


def _following(database: Database, picked: Picked) -> Iterator[Entry]:
    statement = select(AuditRow).where(*_picking(picked)).order_by(AuditRow.number).limit(AT_ONCE)
    last = 0
    while True:
        with database.reading() as session:
            found = [_entry(row) for row in session.scalars(statement.where(AuditRow.number > last))]
        yield from found
        if len(found) < AT_ONCE:
            return
        last = found[-1].number


def _picking(picked: Picked) -> list[ColumnElement[bool]]:
    asked = {
        AuditRow.action: picked.action,
        AuditRow.caller_id: picked.caller_id,
        AuditRow.subject: picked.subject,
    }
    wanted = [column == value for column, value in asked.items() if value is not None]
    return [*wanted, *between(AuditRow.at, picked.since, picked.until)]


def between(
    column: InstrumentedAttribute[datetime], since: datetime | None, until: datetime | None
) -> list[ColumnElement[bool]]:
    """From ``since`` on and before ``until``, as far as they are stated."""
    return [*([column >= in_utc(since)] if since else []), *([column < in_utc(until)] if until else [])]


def in_utc(moment: datetime) -> datetime:
    """A moment without a time zone is in UTC. Raises InvalidRequest for one that UTC has no date for."""
    try:
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except OverflowError:
        raise InvalidRequest(f"{moment.isoformat()} is beyond the calendar: name another day") from None


def row_digest(secret: bytes, before: str, values: Sequence[Any]) -> str:
    """``values`` are the columns of a row in their order, but for the digest, as the database holds them."""
    return keyed(secret, "row", before, list(values))


def key_of(session: ReadSession | WriteSession) -> AuditKey:
    key = session.info.get("audit_key")
    if not isinstance(key, AuditKey):
        raise RuntimeError("the database was opened without the audit key")
    return key


def _check_may_read(caller: Caller) -> None:
    if not caller.administers_all:
        raise Forbidden("The record is read with a key of the role admin for all collections")


def _entry(row: AuditRow) -> Entry:
    return Entry(
        number=row.number,
        at=row.at.isoformat(),
        caller_id=row.caller_id,
        address=row.address,
        request_id=row.request_id,
        action=row.action,
        subject=row.subject,
        details=row.details,
        content=row.content,
        digest=row.digest,
    )


def _take_turn(session: WriteSession) -> None:
    """Until the commit nobody else numbers rows. On SQLite every writing transaction is alone from its beginning."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"SELECT pg_advisory_xact_lock({_TURN})"))


def _secret(session: WriteSession) -> bytes:
    key = key_of(session)
    secret = key.read()
    begun = session.scalars(
        select(AuditRow.details).where(AuditRow.action.in_(CHECKPOINTS)).order_by(AuditRow.number.desc()).limit(1)
    ).first()
    if begun is None or begun.get("key") != fingerprint(secret):
        raise Inconsistent(
            f"The audit key {key.path} is not the one that the record was begun with: put that back from the backup, "
            "or name its place in RAG_AUDIT_KEY_FILE"
        )
    return secret


def _begun(session: WriteSession) -> Head:
    """The first rows: the key's fingerprint, and seals for all that is there."""
    key = key_of(session)
    if (noted := key.noted_head()) is not None:
        raise Inconsistent(
            f"The record is empty, though it had come to row {noted.number}: put the database back from a backup; "
            f"where this is another database, remove {key.head_path}"
        )
    secret = key.made()
    found: dict[Kind, list[str]] = {
        "edition": list(session.scalars(select(EditionRow.id).order_by(EditionRow.id))),
        "document": list(session.scalars(select(DocumentRow.id).order_by(DocumentRow.id))),
        "answer": list(session.scalars(select(AnswerRow.id).order_by(AnswerRow.id))),
        "feedback": list(session.scalars(select(FeedbackRow.answer_id).distinct().order_by(FeedbackRow.answer_id))),
        "handled": list(session.scalars(select(HandledRow.answer_id).order_by(HandledRow.answer_id))),
        "key": list(session.scalars(select(KeyRow.id).order_by(KeyRow.id))),
    }
    purged = set(session.scalars(select(EditionRow.id).where(EditionRow.state == "purged")))
    details = {"key": fingerprint(secret), "found": {kind: len(subjects) for kind, subjects in found.items()}}
    last = _write(session, secret, Head(0, ""), LOCAL_ADMIN, "begin", None, details, ())
    reason = {"reason": "found when the record began, and vouched for from here on"}
    for kind, subjects in found.items():
        for some in batched(subjects):
            sealed = [Seal(kind, one, kind == "edition" and one in purged) for one in some]
            last = _write(session, secret, last, LOCAL_ADMIN, "seal", None, reason, sealed)
    return last


def _write(
    session: WriteSession,
    secret: bytes,
    last: Head,
    caller: Caller,
    action: str,
    subject: str | None,
    details: Mapping[str, Any],
    seals: Sequence[Seal],
) -> Head:
    number, at = last.number + 1, datetime.now(UTC)
    sealed = _sealed(session, secret, number, seals)
    told = {**details, SEALS: sealed} if sealed else dict(details)
    plain = json.loads(json.dumps(told, sort_keys=True, default=str))
    content = keyed(secret, "content", sealed) if sealed else None
    before = [number, at.strftime(_MOMENT), caller.id, caller.address, caller.request_id, action, subject]
    digest = row_digest(secret, last.digest, [*before, json.dumps(plain), content])
    session.add(
        AuditRow(
            number=number,
            at=at,
            caller_id=caller.id,
            address=caller.address,
            request_id=caller.request_id,
            action=action,
            subject=subject,
            details=plain,
            content=content,
            digest=digest,
        )
    )
    session.flush()
    written = Head(number, digest)
    session.info["audit_head"] = written
    return written


def _sealed(session: WriteSession, secret: bytes, number: int, seals: Sequence[Seal]) -> list[list[Any]]:
    """The seals as the row lists them; notes for each thing that this row is the one that vouches for it."""
    latest = {(seal.kind, seal.subject): seal for seal in seals}
    made: list[list[Any]] = []
    for kind in dict.fromkeys(seal.kind for seal in latest.values()):
        for some in batched(seal.subject for seal in latest.values() if seal.kind == kind):
            found = digests(session, secret, kind, some)
            made += [[kind, one, found.get(one, ""), latest[kind, one].erased] for one in some]
    if gone := [subject for _, subject, digest, erased in made if not digest and not erased]:
        raise RuntimeError(f"there is nothing to seal under {', '.join(gone)}")
    if made:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        names = ("kind", "subject", "digest", "erased")
        statement = insert(SealRow)
        replaced = {name: statement.excluded[name] for name in ("number", "digest", "erased")}
        session.execute(
            statement.on_conflict_do_update(index_elements=["kind", "subject"], set_=replaced),
            [{**dict(zip(names, one, strict=True)), "number": number} for one in made],
        )
    return made
