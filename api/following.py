"""Following an answer in the making from a connection that may go away: the answer is made in a task of its own, which
is told to stop when nobody follows it any more, and then still records what was written."""

import asyncio
import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import TypeVar

from fastapi import Request

from api.events import HEARTBEAT_S
from api.metrics import Metrics
from rag.comparing import Comparison
from rag.errors import Busy, TaiyiError, Unavailable
from rag.making import Answered
from rag.settings import Settings

Item = TypeVar("Item")
LOOK_EVERY_S = 0.25


async def followed(request: Request, events: AsyncGenerator[Item]) -> AsyncGenerator[Item | None]:
    """The events; None in between when nothing has happened for a while. Ends early when the client is gone or the
    service stops. Raises what the events raise, Busy where too many answers are in the making, and Unavailable for one
    that takes too long."""
    settings: Settings = request.app.state.system.settings
    if len(request.app.state.answering) >= settings.answer_concurrency:
        raise Busy(f"{settings.answer_concurrency} answers are in the making: ask again in a moment")
    told: asyncio.Queue[Item | Exception | None] = asyncio.Queue()
    task = asyncio.create_task(_run(events, told, request.app.state.metrics))
    request.app.state.answering.add(task)
    task.add_done_callback(request.app.state.answering.discard)
    began_at = spoke_at = looked_at = time.monotonic()
    try:
        while True:
            if time.monotonic() - looked_at >= LOOK_EVERY_S:
                if request.app.state.stopping.is_set() or await request.is_disconnected():
                    return
                looked_at = time.monotonic()
                if looked_at - began_at > (allowed := settings.request_timeout_s):
                    raise Unavailable(f"This took longer than {allowed:g} s and was given up: ask for less")
            try:
                one = await asyncio.wait_for(told.get(), LOOK_EVERY_S)
            except TimeoutError:
                if time.monotonic() - spoke_at > HEARTBEAT_S:
                    spoke_at = time.monotonic()
                    yield None
                continue
            if one is None:
                return
            if isinstance(one, Exception):
                raise one
            spoke_at = time.monotonic()
            yield one
    finally:
        task.cancel()


async def stop_answering(tasks: set[asyncio.Task[None]]) -> None:
    """Ends all answers in the making, once each has recorded what it has."""
    running = list(tasks)
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)


async def _run(events: AsyncGenerator[Item], told: "asyncio.Queue[Item | Exception | None]", metrics: Metrics) -> None:
    try:
        async with aclosing(events):
            async for one in events:
                _count(one, metrics)
                told.put_nowait(one)
    except Exception as error:  # handed on to the one who follows
        if isinstance(error, TaiyiError) and error.answer_id:
            metrics.failed()
        told.put_nowait(error)
    else:
        told.put_nowait(None)


def _count(one: object, metrics: Metrics) -> None:
    match one:
        case Answered(answer):
            metrics.answered(answer)
        case Comparison():
            metrics.answered(one.grounded)
            metrics.answered(one.ungrounded)
