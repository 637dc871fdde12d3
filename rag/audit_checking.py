"""Whether the record is whole: every row follows from the one before, every seal fits what is stored, nothing that is
stored has none, and the end is where it is known to have been.

Nothing that was altered stops the check: what can no longer be read as text is read as the bytes that are there.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select

from rag.audit import CHECKPOINTS, SEALS, key_of, row_digest
from rag.audit_key import Head, fingerprint, keyed
from rag.database import ReadSession
from rag.errors import TaiyiError
from rag.sealing import Kind, as_stored, batched, digests
from rag.tables import AnswerRow, AuditRow, DocumentRow, EditionRow, FeedbackRow, HandledRow, KeyRow, SealRow
from rag.types import Problem

RESTORE = "put it back from a backup"
_STORED: Mapping[Kind, Any] = {
    "answer": AnswerRow.id,
    "edition": EditionRow.id,
    "document": DocumentRow.id,
    "feedback": FeedbackRow.answer_id,
    "handled": HandledRow.answer_id,
    "key": KeyRow.id,
}
_WHAT: Mapping[Kind, str] = {
    "answer": "The stored answer is",
    "edition": "Its text, its description or one of its passages is",
    "document": "Which editions it has, or how they stand, is",
    "feedback": "What was said of this answer is",
    "handled": "That this answer was dealt with is",
    "key": "The stored key is",
}
_COLUMNS = [getattr(AuditRow, column.key) for column in AuditRow.__table__.columns]
Vouched = dict[tuple[str, str], tuple[int, str, bool]]
"""By kind and subject, the latest row that vouches for it, with the seal, and whether it says that it is erased."""


@contextmanager
def read_as_bytes(session: ReadSession) -> Iterator[None]:
    """Within, text that is no text comes with its bytes escaped, where else SQLite refuses to read it."""
    connection = session.connection().connection.driver_connection
    if session.get_bind().dialect.name != "sqlite" or connection is None:
        yield
        return
    before = connection.text_factory
    connection.text_factory = lambda value: value.decode("utf-8", "surrogateescape")
    try:
        yield
    finally:
        connection.text_factory = before


def check_record(session: ReadSession, known: Sequence[Head] = ()) -> list[Problem]:
    """What is wrong with the record and with what it vouches for. ``known`` are heads that were exported earlier."""
    try:
        secret = key_of(session).read()
        noted = key_of(session).noted_head()
    except TaiyiError as error:
        return [Problem("audit", "key", str(error))]
    vouched: Vouched = {}
    problems: list[Problem] = []
    known = (noted, *known) if noted else known
    for problem in _chain(session, secret, vouched, {head.number: head.digest for head in known}):
        problems.append(problem)
    problems += _seals(session, vouched)
    problems += _stored(session, secret, vouched)
    return problems


def _chain(session: ReadSession, secret: bytes, vouched: Vouched, known: dict[int, str]) -> Iterator[Problem]:
    """Row for row; fills ``vouched``. A record that does not begin with row 1 begins behind what a checkpoint names."""
    dialect = session.get_bind().dialect.name
    columns = [as_stored(column, dialect).label(f"c{at}") for at, column in enumerate(_COLUMNS)]
    rows = session.execute(select(*columns).order_by(AuditRow.number).execution_options(yield_per=500))
    before: Head | None = None
    begins_behind: Head | None = None
    cuts: list[Head] = []
    for *values, digest in rows:
        number = values[0]
        if before is None:
            before = Head(number - 1, "") if number == 1 else _cut_before(session, number)
            begins_behind = before if number > 1 else None
        if number != before.number + 1:
            yield Problem("audit", f"{before.number + 1}", f"Rows up to {number - 1} are missing: {RESTORE}")
        elif digest != row_digest(secret, before.digest, values):
            yield Problem("audit", str(number), f"The row, or the one before it, was altered: {RESTORE}")
        if number in known and known.pop(number) != digest:
            yield Problem("audit", str(number), f"The row is not the one that the head named: {RESTORE}")
        before = Head(number, str(digest))
        details = _details(values[7])
        if details is None:
            yield Problem("audit", str(number), f"The row's details cannot be read: {RESTORE}")
            continue
        if values[5] in CHECKPOINTS and details.get("key") != fingerprint(secret):
            yield Problem("audit", str(number), "The record was written with another key: see RAG_AUDIT_KEY_FILE")
        if values[5] == "retention":
            cuts.append(Head(int(details.get("through", 0)), str(details.get("digest", ""))))
        sealed = details.get(SEALS, [])
        if values[8] != (keyed(secret, "content", sealed) if sealed else None):
            yield Problem("audit", str(number), f"The row's seals are not those it was written with: {RESTORE}")
        for kind, subject, seal, erased in sealed:
            vouched[kind, subject] = (number, seal, erased)
    if before is None:
        yield Problem("audit", "1", f"There is no record: {RESTORE}")
    elif begins_behind is not None and begins_behind not in cuts:
        yield Problem("audit", str(begins_behind.number + 1), f"No checkpoint vouches for what came before: {RESTORE}")
    for number in sorted(known):
        if not any(cut.number >= number for cut in cuts):
            yield Problem("audit", str(number), f"The record had come to this row and is cut off before it: {RESTORE}")


def _cut_before(session: ReadSession, number: int) -> Head:
    """What the checkpoint that cut the rows before ``number`` says that the last of them was."""
    dialect = session.get_bind().dialect.name
    found = session.scalars(
        select(as_stored(AuditRow.details, dialect)).where(AuditRow.action == "retention").order_by(AuditRow.number)
    )
    for text in found:
        details = _details(text)
        if details is not None and details.get("through") == number - 1:
            return Head(number - 1, str(details.get("digest", "")))
    return Head(number - 1, "")


def _details(text: Any) -> dict[str, Any] | None:
    try:
        details = json.loads(text)
    except (TypeError, ValueError):
        return None
    return details if isinstance(details, dict) else None


def _seals(session: ReadSession, vouched: Vouched) -> Iterator[Problem]:
    """The table of seals says what the rows say."""
    left = set(vouched)
    rows = session.execute(select(SealRow.kind, SealRow.subject, SealRow.number, SealRow.digest, SealRow.erased))
    for kind, subject, number, digest, erased in rows:
        left.discard((kind, subject))
        if vouched.get((kind, subject)) != (number, digest, erased):
            yield Problem("seal", f"{kind} {subject}", f"No row of the record vouches for this seal: {RESTORE}")
    for kind, subject in sorted(left):
        yield Problem("seal", f"{kind} {subject}", f"The seal is missing: {RESTORE}")


def _stored(session: ReadSession, secret: bytes, vouched: Vouched) -> Iterator[Problem]:
    """Everything stored fits its seal and everything sealed is there, unless the record says that it was erased."""
    for kind, column in _STORED.items():
        present = set(session.scalars(select(column).distinct()))
        for some in batched(sorted(present, key=str)):
            for subject, digest in digests(session, secret, kind, some).items():
                sealed = vouched.get((kind, subject))
                if sealed is None:
                    yield Problem(kind, subject, "No row of the record vouches for it: it was put in from outside")
                elif sealed[1] != digest:
                    yield Problem(kind, subject, f"{_WHAT[kind]} not what row {sealed[0]} vouches for: {RESTORE}")
        for (sealed_kind, subject), (number, digest, _) in vouched.items():
            if sealed_kind == kind and digest and subject not in present:
                yield Problem(kind, subject, f"It is gone, and row {number} of the record vouches for it: {RESTORE}")
