"""The HTTP calls that ask and that read what was answered."""

import asyncio
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse

from api import wire
from api.events import HEARTBEAT, event, event_stream
from api.following import followed
from api.limits import Turns
from api.problems import problem_of, request_id_of
from api.routes import Asker, OpenSystem
from api.schemas import MAX_QUESTION, AskBody
from rag import catalog, feedback, record
from rag.answering import answering
from rag.comparing import Comparison, compared, stored
from rag.errors import InvalidRequest, Unavailable
from rag.making import Answered, Draft, Event, Found, Judged
from rag.references import ris, vancouver
from rag.system import System
from rag.types import AnswerMode, AnswerStatus, Caller

STOPPING = "The service is stopping: ask again when it is back"
MAX_REFERENCES = 100
router = APIRouter(prefix="/v1")


@router.post("/ask")
async def ask(body: AskBody, request: Request, system: OpenSystem, caller: Asker) -> Response:
    """An answer whose every sentence points to its source, or an abstention; with ``stream``, as it comes about:
    ``passages``, then ``token`` (a draft) and ``sentence`` in turn, ``answer``, ``done``, or ``error``."""
    events = followed(request, answering(body.to_ask(), caller, system))
    if not body.stream:
        return JSONResponse(wire.answer_json((await last_of(events)).answer))
    first = await anext(events, None)  # what is wrong from the start has a status of its own
    return event_stream(_told(first, events, request_id_of(request)))


@router.post("/compare")
async def compare(body: AskBody, request: Request, system: OpenSystem, caller: Asker) -> wire.Json:
    """The same question with evidence and without it, and what the evidence changed. Both modes are asked, whatever
    ``mode`` states."""
    if body.stream:
        raise InvalidRequest("stream: a comparison is given whole; leave it out")
    async with aclosing(followed(request, _comparing(body, caller, system))) as events:
        async for one in events:
            if one is not None:
                return wire.comparison_json(one)
    raise Unavailable(STOPPING)


async def _comparing(body: AskBody, caller: Caller, system: System) -> AsyncGenerator[Comparison]:
    yield await compared(body.to_ask(), caller, system)


@router.get("/compare/{comparison_id}")
async def show_comparison(comparison_id: str, request: Request, system: OpenSystem, caller: Asker) -> wire.Json:
    """A comparison again, from its two recorded answers; what has been superseded since is marked."""
    turns: Turns = request.app.state.turns
    async with turns.turn():
        return wire.comparison_json(await asyncio.to_thread(stored, comparison_id, caller, system))


async def last_of(events: AsyncGenerator[Event | None]) -> Answered:
    """The recorded answer. Raises what the events raise."""
    async with aclosing(events):
        async for one in events:
            if isinstance(one, Answered):
                return one
    raise Unavailable(STOPPING)


async def _told(first: Event | None, events: AsyncGenerator[Event | None], request_id: str) -> AsyncGenerator[str]:
    yield _said(first)
    async with aclosing(events):
        try:
            async for one in events:
                yield _said(one)
        except Exception as error:  # the status has been sent: the stream has to say it
            yield event("error", problem_of(error, request_id))


def _said(one: Event | None) -> str:
    match one:
        case None:
            return HEARTBEAT
        case Found(hits):
            return event("passages", {"hits": [wire.hit_json(hit) for hit in hits]})
        case Draft(text):
            return event("token", {"text": text})
        case Judged(sentence):
            return event("sentence", {**asdict(sentence), "kept": one.kept})
        case Answered(answer):
            return event("answer", wire.answer_json(answer)) + event("done", {"id": answer.id})


@router.get("/answers")
def list_answers(
    system: OpenSystem,
    caller: Asker,
    limit: Annotated[int, Query(ge=1, le=1000)] = 50,
    offset: Annotated[int, Query(ge=0, lt=2**31)] = 0,
    text: Annotated[str | None, Query(max_length=MAX_QUESTION)] = None,
    mode: AnswerMode | None = None,
    status: AnswerStatus | None = None,
    collection: Annotated[str | None, Query(max_length=100)] = None,
    model: Annotated[str | None, Query(max_length=200)] = None,
    caller_id: Annotated[str | None, Query(max_length=200)] = None,
    since: datetime | None = None,
    until: datetime | None = None,
    conversation_id: Annotated[str | None, Query(max_length=64)] = None,
) -> wire.Json:
    """The caller's answers, an administrator's all, newest first, and how many there are: those with ``text`` in the
    question, those that drew on a ``collection``, those that one ``model`` wrote or one caller asked for, the turns of
    one conversation."""
    sought = record.Sought(text, mode, status, collection, model, caller_id, since, until, conversation_id)
    with system.database.reading() as session:
        found = record.latest(session, caller, limit, offset, sought)
        total = record.count(session, caller, sought)
        askers = record.askers(session, found)
    return {"answers": [wire.answer_summary_json(one, askers[one.id]) for one in found], "total": total}


@router.get("/answers/{answer_id}")
def show_answer(answer_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    """A stored answer; ``own``: the caller asked for it, ``feedback``: what the caller has said of it."""
    with system.database.reading() as session:
        found = record.load(session, caller, answer_id)
        asker = record.askers(session, [found])[answer_id]
        said = feedback.given_by(session, caller, answer_id)
    given = said and {"rating": said[0], "reason": said[1]}
    return {**wire.answer_json(found), "own": asker == caller.id, "feedback": given}


@router.get("/references")
def list_references(
    system: OpenSystem, caller: Asker, edition_id: Annotated[list[str], Query(min_length=1, max_length=MAX_REFERENCES)]
) -> wire.Json:
    """Editions as references, in the order asked for: a line in Vancouver style and a record in RIS. Those that are
    gone, or that the caller may not read, are left out."""
    with system.database.reading() as session:
        found = catalog.editions_by_id(session, caller, edition_id)
    wanted = [found[one] for one in dict.fromkeys(edition_id) if one in found]
    references = [{"edition_id": one.id, "vancouver": vancouver(one), "ris": ris(one)} for one in wanted]
    return {"references": references}
