"""The HTTP calls about the record: making an answer again, what readers say of answers, the audit record."""

from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field

from api import wire
from api.routes import Asker, OpenSystem
from rag import audit, feedback
from rag.replaying import replayed

router = APIRouter(prefix="/v1")
MAX_REASON = 2000


class FeedbackBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rating: Literal["up", "down"]
    reason: str | None = Field(default=None, max_length=MAX_REASON)


@router.post("/answers/{answer_id}/replay")
async def replay_answer(answer_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    """Asks again what a stored answer was asked, as of its day, and says what comes out otherwise and why."""
    return wire.replay_json(await replayed(answer_id, caller, system))


@router.post("/answers/{answer_id}/feedback")
def give_feedback(answer_id: str, body: FeedbackBody, system: OpenSystem, caller: Asker) -> wire.Json:
    """What the caller says of an answer; said again, it replaces what was said before."""
    return wire.feedback_json(feedback.give(system, caller, answer_id, body.rating, body.reason))


@router.get("/feedback")
def list_feedback(
    system: OpenSystem,
    caller: Asker,
    rating: Literal["up", "down"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0)] = 0,
) -> wire.Json:
    """Answers that were found bad and questions that nothing answered, newest first; with ``rating``, what was rated
    so. The caller's own, an administrator's all."""
    with system.database.reading() as session:
        found, total = feedback.listing(session, caller, rating, limit, offset)
    return {"feedback": [wire.feedback_json(one) for one in found], "total": total}


@router.get("/audit")
def list_audit(
    system: OpenSystem,
    caller: Asker,
    action: Annotated[str | None, Query(max_length=40)] = None,
    caller_id: Annotated[str | None, Query(max_length=200)] = None,
    subject: Annotated[str | None, Query(max_length=200)] = None,
    since: datetime | None = None,
    until: datetime | None = None,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> wire.Json:
    """Rows of the audit record, newest first, for administrators; ``before`` is the number of the last row seen, to go
    on from there. ``head`` is the last row, to be kept elsewhere."""
    with system.database.reading() as session:
        found = audit.entries(
            session,
            caller,
            limit=limit,
            before=before,
            action=action,
            caller_id=caller_id,
            subject=subject,
            since=since,
            until=until,
        )
        head = audit.head(session)
    return {"entries": [wire.entry_json(one) for one in found], "head": str(head) if head else None}
