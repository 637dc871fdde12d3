"""The HTTP calls about the record: making an answer again, what readers say of answers, the audit record."""

import json
import threading
import time
from datetime import datetime
from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, ConfigDict, Field

from api import wire
from api.access import administrator
from api.routes import Asker, OpenSystem
from rag import audit, feedback
from rag.audit_key import head_from
from rag.errors import Busy, InvalidRequest
from rag.replaying import replayed
from rag.verification import verify_record

router = APIRouter(prefix="/v1")
MAX_REASON = 2000
LINES = "application/x-ndjson"
MOST_PROBLEMS = 100
"""That a reply names; there may be one for each row."""


class FeedbackBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    rating: Literal["up", "down"]
    reason: str | None = Field(default=None, max_length=MAX_REASON)


class VerifyBody(BaseModel):
    """``head`` is one that was kept elsewhere: the record has to have that row still."""

    model_config = ConfigDict(extra="forbid")

    head: str | None = Field(default=None, max_length=200)


@router.post("/answers/{answer_id}/replay")
async def replay_answer(answer_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    """Asks again what a stored answer was asked, as of its day, and says what comes out otherwise and why."""
    return wire.replay_json(await replayed(answer_id, caller, system))


@router.post("/answers/{answer_id}/feedback")
def give_feedback(answer_id: str, body: FeedbackBody, system: OpenSystem, caller: Asker) -> wire.Json:
    """What the caller says of an answer; said again, it replaces what was said before."""
    return wire.feedback_json(feedback.give(system, caller, answer_id, body.rating, body.reason))


@router.post("/answers/{answer_id}/handled")
def handle_answer(answer_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    """Takes an answer off the list of ``GET /v1/feedback``, until more is said of it; for administrators."""
    handled_at = feedback.handle(system.database, caller, answer_id)
    return {"answer_id": answer_id, "handled_at": handled_at.isoformat()}


@router.get("/feedback")
def list_feedback(
    system: OpenSystem,
    caller: Asker,
    rating: Literal["up", "down"] | None = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
) -> wire.Json:
    """Answers that were found bad and questions that nothing answered, but for what has been dealt with, newest first;
    with ``rating``, all that was rated so. The caller's own, an administrator's all."""
    with system.database.reading() as session:
        found, total = feedback.listing(session, caller, rating, limit, offset)
    return {"feedback": [wire.feedback_json(one) for one in found], "total": total}


def _picked(
    action: Annotated[str | None, Query(max_length=40)] = None,
    caller_id: Annotated[str | None, Query(max_length=200)] = None,
    subject: Annotated[str | None, Query(max_length=200)] = None,
    since: datetime | None = None,
    until: datetime | None = None,
) -> audit.Picked:
    return audit.Picked(action, caller_id, subject, since, until)


Picked = Annotated[audit.Picked, Depends(_picked)]


@router.get("/audit")
def list_audit(
    system: OpenSystem,
    caller: Asker,
    picked: Picked,
    before: Annotated[int | None, Query(ge=1, lt=2**63)] = None,
    limit: Annotated[int, Query(ge=1, le=1000)] = 100,
) -> wire.Json:
    """Rows of the audit record, newest first, for administrators; ``before`` is the number of the last row seen, to go
    on from there. ``head`` is the last row, to be kept elsewhere."""
    with system.database.reading() as session:
        found = audit.entries(session, caller, picked, limit=limit, before=before)
        head = audit.head(session)
    return {"entries": [wire.entry_json(one) for one in found], "head": str(head) if head else None}


@router.get("/audit/export", response_class=StreamingResponse, responses={200: {"content": {LINES: {}}}})
def export_audit(system: OpenSystem, caller: Asker, picked: Picked) -> StreamingResponse:
    """All rows that are picked, as JSON lines, oldest first, for administrators."""
    rows = audit.oldest_first(system.database, caller, picked)
    lines = (json.dumps(wire.entry_json(row), ensure_ascii=False) + "\n" for row in rows)
    named = {"content-disposition": 'attachment; filename="audit.jsonl"'}
    return StreamingResponse(lines, media_type=LINES, headers=named)


@router.post("/audit/verify")
def verify_audit(body: VerifyBody, request: Request, system: OpenSystem, caller: Asker) -> wire.Json:
    """Reads the whole audit record and what it vouches for, and says whether both are whole, for administrators. It
    takes as long as there is to read, so that one at a time is let do it."""
    administrator(caller)
    known = head_from(body.head) if body.head else None
    if body.head and known is None:
        raise InvalidRequest("head: it is none: NUMBER:DIGEST, as GET /v1/audit gives it")
    is_one_at_it: threading.Lock = request.app.state.verifying
    if not is_one_at_it.acquire(blocking=False):
        raise Busy("The record is being read through for somebody else: ask again in a moment")
    began = time.monotonic()
    try:
        with system.database.reading() as session:
            head = audit.head(session)
        problems = verify_record(system, [known] if known else [])
    finally:
        is_one_at_it.release()
    return {
        **wire.verification_json(problems[:MOST_PROBLEMS]),
        "total": len(problems),
        "head": str(head) if head else None,
        "seconds": round(time.monotonic() - began, 3),
    }
