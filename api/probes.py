"""What a machine asks to know how the service is: whether it lives, whether it can answer, and its figures."""

import asyncio
import hmac
import logging
from collections.abc import Callable

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from prometheus_client import CONTENT_TYPE_LATEST
from starlette.concurrency import run_in_threadpool

from api.access import administrator, bearer, identified
from api.metrics import Metrics
from api.routes import OpenSystem
from ingestion.worker import Kept
from rag.checking.check import checked
from rag.checking.types import Evidence
from rag.disk import check_room
from rag.errors import TaiyiError
from rag.retrieval import search
from rag.system import System
from rag.types import LOCAL_ADMIN, Query

MODEL_ANSWERS_WITHIN_S = 2.0

log = logging.getLogger(__name__)
probes = APIRouter(tags=["probes"])


@probes.get("/healthz")
async def healthz() -> dict[str, str]:
    """The process is alive."""
    return {"status": "ok"}


@probes.get("/readyz")
async def readyz(system: OpenSystem, request: Request) -> JSONResponse:
    """Everything that is configured works; 503 names what does not. Who asks while another is being told is told the
    same, so that impatient probes do not pile up."""
    states = await checks_of(request, system)
    ready = all(one.startswith("ok") for one in states.values())
    return JSONResponse({"status": "ok" if ready else "not ready", "checks": states}, 200 if ready else 503)


async def checks_of(request: Request, system: System) -> dict[str, str]:
    """What is configured, by name: ``ok`` and what more there is to say, or what is wrong and what to do about it."""
    state = request.app.state
    if state.checking is None or state.checking.done():
        state.checking = asyncio.create_task(_checked(system, state.worker))
    states: dict[str, str] = await asyncio.shield(state.checking)
    return states


async def _checked(system: System, worker: Kept | None) -> dict[str, str]:
    states = await run_in_threadpool(_states, system, worker)
    if system.llm is not None:
        try:
            states["language model"] = f"ok: {(await system.llm.reached()).model}"
        except TaiyiError as error:
            states["language model"] = str(error)
    return states


@probes.get("/metrics", response_class=Response, responses={200: {"content": {"text/plain": {}}}})
async def show_metrics(system: OpenSystem, request: Request) -> Response:
    """Figures of this process, of database and index, in the text format of Prometheus. For administrators, and for who
    sends RAG_METRICS_KEY as a bearer token; without keys, for this machine."""
    key, sent = system.settings.metrics_key.get_secret_value(), bearer(request) or ""
    if not (key and hmac.compare_digest(sent.encode(), key.encode())):
        administrator((await identified(request)).caller)
    metrics: Metrics = request.app.state.metrics
    metrics.language_model_up(await _answers(system))
    return Response(await run_in_threadpool(metrics.text), media_type=CONTENT_TYPE_LATEST)


async def _answers(system: System) -> bool | None:
    """Whether the language model answers; None where none is configured."""
    if system.llm is None:
        return None
    try:
        async with asyncio.timeout(MODEL_ANSWERS_WITHIN_S):
            await system.llm.reached()
    except (TaiyiError, TimeoutError):
        return False
    return True


def _states(system: System, worker: Kept | None) -> dict[str, str]:
    checks: dict[str, Callable[[], object]] = {
        "database": system.database.ping,
        "embedder": lambda: system.embedder.embed_query("ready"),
        "entailment": lambda: checked([("Metformin is given.", [Evidence("二甲双胍可用。")])], system.entailment),
        "index": lambda: search(Query("ready", top_k=1), LOCAL_ADMIN, system),
        "disk": lambda: check_room(system.home),
    }
    if worker is not None:
        checks["worker"] = worker.check
    states: dict[str, str] = {}
    for name, check in checks.items():
        try:
            check()
            states[name] = "ok"
        except TaiyiError as error:
            states[name] = str(error)
        except Exception as error:  # a file that cannot be read is told of by whatever library reads it
            states[name] = f"{type(error).__name__}: the service's log has the details"
            log.exception("readyz: %s", name)
    return states
