"""How the service is, for the page to show: what ``GET /readyz`` says, the models, and, for administrators of all
collections, what is of the whole service and the last hour of its figures."""

import asyncio
import importlib.metadata
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import asdict
from datetime import UTC, datetime

from fastapi import APIRouter, Request
from starlette.concurrency import run_in_threadpool

from api import wire
from api.health import models_of, whole_of
from api.history import EVERY_S, History
from api.probes import checks_of
from api.routes import Asker, OpenSystem
from rag import catalog
from rag.errors import TaiyiError
from rag.llm import Served
from rag.system import System
from rag.types import Caller

SERVED_WITHIN_S = 2.0
VERSION = importlib.metadata.version("taiyi-rag")
router = APIRouter(prefix="/v1")


@router.get("/health")
async def show_health(request: Request, system: OpenSystem, caller: Asker) -> wire.Json:
    """What works and what does not, which models are in use, and the index generation over the collections that the
    caller may read. ``whole``, ``points`` and ``stages``, of this process' last hour, are for administrators of all
    collections; for others null."""
    state = request.app.state
    checks = await checks_of(request, system)
    served = await _served(system)
    history: History = state.history
    works = all(said.startswith("ok") for said in checks.values())
    told = await run_in_threadpool(_told, system, caller, served)
    is_for_all = caller.administers_all and checks["database"] == "ok"
    whole = await run_in_threadpool(whole_of, system, state.turns) if is_for_all else None
    return {
        "status": "ok" if works else "not ready",
        "checks": checks,
        "version": VERSION,
        "now": datetime.now(UTC).isoformat(timespec="seconds"),
        "started_at": history.began,
        **told,
        "whole": asdict(whole) if whole else None,
        "points": [asdict(one) for one in history.points()] if caller.administers_all else None,
        "stages": [asdict(one) for one in history.stages()] if caller.administers_all else None,
    }


def _told(system: System, caller: Caller, served: Served | None) -> wire.Json:
    generation: int | None
    try:
        with system.database.reading() as session:
            generation = sum(one.generation for one in catalog.collections(session, caller))
    except TaiyiError:
        generation = None  # what the check of the database says of it is in the same reply
    return {"models": [asdict(one) for one in models_of(system, served)], "index_generation": generation}


async def _served(system: System) -> Served | None:
    if system.llm is None:
        return None
    with suppress(TaiyiError, TimeoutError):
        async with asyncio.timeout(SERVED_WITHIN_S):
            return await system.llm.served()
    return None


@asynccontextmanager
async def kept_history(history: History) -> AsyncIterator[None]:
    """Notes every so often what was counted, as long as the block lasts."""

    async def keep() -> None:
        while True:
            await asyncio.sleep(EVERY_S)
            history.note()

    keeping = asyncio.create_task(keep())
    try:
        yield
    finally:
        keeping.cancel()
