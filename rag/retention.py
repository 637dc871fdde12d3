"""Retention by age: old answers and the old rows of the record go, and a checkpoint vouches for what went.

The record then begins behind the row that the checkpoint names with its digest. What the removed rows vouched for and
is still there, such as the editions, is sealed again first.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import cast

from sqlalchemy import delete, func, select

from rag import audit
from rag.audit import key_of
from rag.audit_checking import check_record, read_as_bytes
from rag.audit_key import fingerprint
from rag.database import Database, WriteSession
from rag.errors import Forbidden, Inconsistent
from rag.sealing import Kind, Seal, batched
from rag.tables import AnswerPassageRow, AnswerRow, AuditRow, FeedbackRow, HandledRow, SealRow
from rag.types import Caller

_OF_ANSWERS = ("answer", "feedback", "handled")


@dataclass(frozen=True, slots=True)
class Retained:
    """What retention removed: ``answers``, and ``rows`` of the record, up to the row ``through`` (0: none)."""

    before: str
    answers: int
    rows: int
    through: int


def retain(database: Database, caller: Caller, before: datetime) -> Retained:
    """Removes the answers and the rows of the record from before a moment. Raises Forbidden for all but administrators,
    and Inconsistent where the record is not whole: what was altered is not to be vouched for anew."""
    if not caller.administers_all:
        raise Forbidden("Retention needs a key with the role admin for all collections")
    with database.reading() as reading, read_as_bytes(reading):
        if problems := check_record(reading):
            raise Inconsistent(
                f"Nothing was removed, since the record is not whole ({problems[0].what} {problems[0].where}): run "
                "taiyi-rag verify"
            )
    with database.writing() as session:
        last = session.execute(
            select(AuditRow.number, AuditRow.digest)
            .where(AuditRow.at < before, AuditRow.number < select(func.max(AuditRow.number)).scalar_subquery())
            .order_by(AuditRow.number.desc())
            .limit(1)
        ).first()
        answers = list(session.scalars(select(AnswerRow.id).where(AnswerRow.created_at < before)))
        through = last.number if last else 0
        if not answers and not through:
            return Retained(before.isoformat(), 0, 0, 0)
        gone = _without_answers(session, answers, through)
        first = session.scalar(select(func.min(AuditRow.number))) or 1
        rows = max(0, through - first + 1)
        for some in batched(_carried(session, through)):
            audit.append(session, caller, "seal", None, {"reason": "carried over by retention"}, some)
        details = {
            "key": fingerprint(key_of(session).read()),
            "before": before,
            "through": through,
            "digest": last.digest if last else "",
            "answers": len(answers),
            "rows": rows,
        }
        audit.append(session, caller, "retention", None, details, gone)
        session.execute(delete(SealRow).where(SealRow.number <= through))
        session.execute(delete(AuditRow).where(AuditRow.number <= through))
    database.forget_freed_pages()
    return Retained(before.isoformat(), len(answers), rows, through)


def _without_answers(session: WriteSession, answers: Sequence[str], through: int) -> list[Seal]:
    """Removes answers with what was said of them; erased seals for those that a row after ``through`` vouches for."""
    gone: list[Seal] = []
    for some in batched(answers):
        rows = session.scalars(select(SealRow).where(SealRow.kind.in_(_OF_ANSWERS), SealRow.subject.in_(some))).all()
        gone += [_seal(row, erased=True) for row in rows if row.number > through]
        for row in rows:
            session.delete(row)
        for table in (FeedbackRow, HandledRow, AnswerPassageRow):
            session.execute(delete(table).where(table.answer_id.in_(some)))
        session.execute(delete(AnswerRow).where(AnswerRow.id.in_(some)))
    return gone


def _carried(session: WriteSession, through: int) -> list[Seal]:
    """What the rows up to ``through`` vouch for and is still to be vouched for."""
    rows = session.scalars(
        select(SealRow).where(SealRow.number <= through, SealRow.digest != "").order_by(SealRow.kind, SealRow.subject)
    )
    return [_seal(row, row.erased) for row in rows]


def _seal(row: SealRow, erased: bool) -> Seal:
    return Seal(cast(Kind, row.kind), row.subject, erased)
