"""What readers say of answers, and what a librarian looks at: answers found bad, and questions nothing answered."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import and_, func, or_, select

from rag import audit, record
from rag.database import ReadSession
from rag.errors import NotFound
from rag.privacy import masked
from rag.system import System
from rag.tables import AnswerRow, FeedbackRow
from rag.types import Caller

Rating = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What one reader said of an answer; ``rating`` is None where nobody said anything and nothing was answered."""

    answer_id: str
    question: str
    status: str
    rating: str | None
    reason: str | None
    caller_id: str
    created_at: str


def give(system: System, caller: Caller, answer_id: str, rating: Rating, reason: str | None = None) -> Feedback:
    """Keeps what the caller says of an answer; said again, it replaces what was said before. Identifiers of persons are
    taken out of the reason. Raises NotFound for an answer that the caller may not see."""
    said = _without_identifiers(system, reason)
    with system.database.writing() as session:
        row = session.scalars(select(AnswerRow).where(AnswerRow.id == answer_id, *record.seen_by(caller))).one_or_none()
        if row is None:
            raise NotFound(f"There is no answer {answer_id!r}")
        given = session.merge(
            FeedbackRow(
                answer_id=answer_id,
                caller_id=caller.id,
                rating=rating,
                reason=said,
                created_at=datetime.now(UTC),
            )
        )
        audit.append(session, caller, "feedback", answer_id, {"rating": rating}, [audit.Seal("feedback", answer_id)])
        return _feedback(row.id, row.question, row.status, row.created_at, given)


def listing(
    session: ReadSession, caller: Caller, rating: Rating | None = None, limit: int = 50, offset: int = 0
) -> tuple[list[Feedback], int]:
    """What was found bad and what was not answered, newest first, and how much of it there is; with a ``rating`` what
    was rated so. The caller's own answers, an administrator's all."""
    wanted = FeedbackRow.rating == rating
    if rating is None:
        wanted = or_(
            FeedbackRow.rating == "down", and_(AnswerRow.status == "abstained", FeedbackRow.answer_id.is_(None))
        )
    base = (
        select(
            AnswerRow.id, AnswerRow.question, AnswerRow.status, AnswerRow.caller_id, AnswerRow.created_at, FeedbackRow
        )
        .outerjoin(FeedbackRow, FeedbackRow.answer_id == AnswerRow.id)
        .where(wanted, *record.seen_by(caller))
    )
    total = session.scalar(select(func.count()).select_from(base.subquery())) or 0
    newest = func.coalesce(FeedbackRow.created_at, AnswerRow.created_at)
    rows = session.execute(
        base.order_by(newest.desc(), AnswerRow.id, FeedbackRow.caller_id).limit(limit).offset(offset)
    )
    return [
        _feedback(row.id, row.question, row.status, row.created_at, row.FeedbackRow, row.caller_id) for row in rows
    ], total


def _without_identifiers(system: System, reason: str | None) -> str | None:
    said = (reason or "").strip()
    return (masked(said).text if system.settings.mask_identifiers else said) or None


def _feedback(
    answer_id: str, question: str, status: str, at: datetime, said: FeedbackRow | None, asker: str = ""
) -> Feedback:
    if said is None:
        return Feedback(answer_id, question, status, None, None, asker, at.isoformat())
    return Feedback(answer_id, question, status, said.rating, said.reason, said.caller_id, said.created_at.isoformat())
