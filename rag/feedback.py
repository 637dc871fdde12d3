"""What readers say of answers, and what a librarian looks at: answers found bad, and questions nothing answered."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

from sqlalchemy import and_, func, or_, select

from rag import audit, record
from rag.database import Database, ReadSession, WriteSession
from rag.errors import Forbidden, NotFound
from rag.privacy import masked
from rag.system import System
from rag.tables import AnswerPassageRow, AnswerRow, FeedbackRow, HandledRow
from rag.types import Caller, Role

Rating = Literal["up", "down"]


@dataclass(frozen=True, slots=True)
class Feedback:
    """What one reader said of an answer; ``rating`` is None where nobody said anything and nothing was answered.
    ``collections`` are those that were asked, or, where the question was put to all, those that what was found is from.
    ``missing`` are the words of a question without an answer that no passage has."""

    answer_id: str
    question: str
    status: str
    rating: str | None
    reason: str | None
    caller_id: str
    created_at: str
    collections: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()


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
        return _feedback(row, given, *_about(session, caller, [row])[row.id])


def given_by(session: ReadSession, caller: Caller, answer_id: str) -> tuple[str, str | None] | None:
    """The rating and the reason that the caller gave an answer; None where they gave none."""
    row = session.get(FeedbackRow, (answer_id, caller.id))
    return (row.rating, row.reason) if row else None


def handle(database: Database, caller: Caller, answer_id: str) -> datetime:
    """Takes an answer off the list of what is to be acted on, until more is said of it; gives since when it is off.
    Raises Forbidden for all but administrators, NotFound for an answer that the caller may not see."""
    if caller.role is not Role.ADMIN:
        raise Forbidden("This takes a key with the role admin")
    with database.writing() as session:
        seen = select(AnswerRow.id).where(AnswerRow.id == answer_id, *record.seen_by(caller))
        if session.scalars(seen).one_or_none() is None:
            raise NotFound(f"There is no answer {answer_id!r}")
        row = session.merge(HandledRow(answer_id=answer_id, caller_id=caller.id, handled_at=datetime.now(UTC)))
        audit.append(session, caller, "handled", answer_id, {}, [audit.Seal("handled", answer_id)])
        return row.handled_at


def listing(
    session: ReadSession, caller: Caller, rating: Rating | None = None, limit: int = 50, offset: int = 0
) -> tuple[list[Feedback], int]:
    """What was found bad and what was not answered, but for what has been dealt with, newest first, and how much of it
    there is; with a ``rating`` all that was rated so. The caller's own answers, an administrator's all."""
    wanted = FeedbackRow.rating == rating
    if rating is None:
        wanted = or_(
            FeedbackRow.rating == "down", and_(AnswerRow.status == "abstained", FeedbackRow.answer_id.is_(None))
        )
        handled = select(HandledRow.answer_id).where(
            HandledRow.answer_id == AnswerRow.id,
            func.coalesce(FeedbackRow.created_at, AnswerRow.created_at) <= HandledRow.handled_at,
        )
        wanted = and_(wanted, ~handled.correlate(AnswerRow, FeedbackRow).exists())
    base = (
        select(AnswerRow, FeedbackRow)
        .outerjoin(FeedbackRow, FeedbackRow.answer_id == AnswerRow.id)
        .where(wanted, *record.seen_by(caller))
    )
    total = session.scalar(select(func.count()).select_from(base.with_only_columns(AnswerRow.id).subquery())) or 0
    newest = func.coalesce(FeedbackRow.created_at, AnswerRow.created_at)
    rows = session.execute(
        base.order_by(newest.desc(), AnswerRow.id, FeedbackRow.caller_id).limit(limit).offset(offset)
    ).all()
    about = _about(session, caller, [answer for answer, _ in rows])
    return [_feedback(answer, said, *about[answer.id]) for answer, said in rows], total


def _without_identifiers(system: System, reason: str | None) -> str | None:
    said = (reason or "").strip()
    return (masked(said).text if system.settings.mask_identifiers else said) or None


def _about(
    session: ReadSession | WriteSession, caller: Caller, answers: Sequence[AnswerRow]
) -> dict[str, tuple[tuple[str, ...], tuple[str, ...]]]:
    """By answer, the collections that it is about, of those that the caller may read, and the words that were
    missing."""
    drew_on: dict[str, set[str]] = {answer.id: set() for answer in answers}
    rows = select(AnswerPassageRow.answer_id, AnswerPassageRow.collection).distinct()
    for answer_id, collection in session.execute(rows.where(AnswerPassageRow.answer_id.in_(drew_on))):
        drew_on[answer_id].add(collection)
    found = {}
    for answer in answers:
        asked = (answer.body.get("query") or {}).get("collections") or sorted(drew_on[answer.id])
        missing = (answer.body.get("abstention") or {}).get("missing") or ()
        found[answer.id] = (tuple(name for name in asked if caller.may_read(name)), tuple(missing))
    return found


def _feedback(
    answer: AnswerRow, said: FeedbackRow | None, collections: tuple[str, ...], missing: tuple[str, ...]
) -> Feedback:
    return Feedback(
        answer_id=answer.id,
        question=answer.question,
        status=answer.status,
        rating=said.rating if said else None,
        reason=said.reason if said else None,
        caller_id=said.caller_id if said else answer.caller_id,
        created_at=(said or answer).created_at.isoformat(),
        collections=collections,
        missing=missing,
    )
