"""The HTTP service: the application, what it opens at start, and the way to run it."""

import asyncio
import gc
import ipaddress
import logging
import threading
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, asynccontextmanager
from pathlib import Path
from types import FrameType
from typing import TYPE_CHECKING

import uvicorn
from fastapi import FastAPI
from fastapi.staticfiles import StaticFiles

from api.access import Access, Doors
from api.answer_routes import router as answer_router
from api.connections import patient_for
from api.drawing import Drawing
from api.following import stop_answering
from api.guard import Guard
from api.health_routes import kept_history
from api.health_routes import router as health_router
from api.history import History
from api.job_routes import router as job_router
from api.key_routes import router as key_router
from api.limits import Rates, Turns
from api.metrics import Metrics
from api.observing import Observed
from api.oidc import Provider
from api.openai_protocol import router as openai_router
from api.openapi import describe
from api.page_routes import router as page_router
from api.probes import probes
from api.problems import install_handlers
from api.record_routes import router as record_router
from api.routes import router
from api.run_routes import router as run_router
from api.session_routes import router as session_router
from api.tracing import exported
from ingestion.pages import Pages
from ingestion.worker import kept_running
from rag import keys
from rag.database import open_database
from rag.errors import InvalidRequest, TaiyiError, Unavailable
from rag.llm import LanguageModel
from rag.logs import configure
from rag.prompts import prompt
from rag.settings import Settings, read_settings
from rag.system import open_system
from rag.translation import translate

if TYPE_CHECKING:
    from fastapi.telemetry import TelemetryConfig  # older versions have none, and need none

NO_TELEMETRY: "TelemetryConfig" = {
    "tracing": False,
    "metrics": False,
    "logs": False,
    "operation_spans": False,
    "auto_configure": False,
}
"""What newer FastAPI sends has paths with ids in it, and what was wrong with a body in the words of the body."""
WEB = Path(__file__).parent / "web"
MEET_WITHIN_S = 5.0
KEEP_ALIVE_S = 75
"""Longer than proxies and clients keep a connection that nobody uses (nginx 60 s, httpx 5 s): who closes first must be
they, or a request now and then goes into a connection that is just being closed."""
log = logging.getLogger(__name__)


def create_app(settings: Settings, with_worker: bool = True) -> FastAPI:
    """The application. It opens the system and loads the embedder when it starts, and closes them when it stops; with
    a worker, it keeps a process beside it that runs queued jobs."""

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        with ExitStack() as stack:
            stack.enter_context(exported())
            system = stack.enter_context(open_system(settings))
            system.embedder.embed_query("ready")
            stack.enter_context(ThreadPoolExecutor(1, "dictionaries")).submit(_read_what_stays)
            app.state.system = system
            app.state.doors = Doors(system.database, Provider(settings) if settings.oidc_issuer else None)
            app.state.answering = set()
            app.state.checking = None
            app.state.turns = Turns(settings.search_concurrency, settings.search_queue)
            app.state.metrics.watch(system, app.state.turns)
            app.state.history = History(app.state.metrics.totals)
            app.state.drawing = Drawing(stack.enter_context(Pages(system.home, settings.page_cache_mb * 1_000_000)))
            app.state.worker = stack.enter_context(kept_running(settings)) if with_worker else None
            if system.llm is not None:
                await _meet(system.llm)
            async with kept_history(app.state.history):
                yield
            await stop_answering(app.state.answering)
            if system.llm is not None:
                await system.llm.aclose()

    app = FastAPI(
        title="Taiyi RAG",
        summary="Medical questions answered in the words of your own documents. No medical advice.",
        docs_url=None,
        redoc_url=None,
        lifespan=lifespan,
        telemetry=NO_TELEMETRY,
    )
    app.state.stopping = threading.Event()
    app.state.verifying = threading.Lock()
    app.state.metrics = Metrics()
    install_handlers(app)
    for part in (
        probes,
        router,
        session_router,
        answer_router,
        record_router,
        key_router,
        health_router,
        job_router,
        run_router,
        openai_router,
        page_router,
    ):
        app.include_router(part)
    describe(app)
    app.mount("/", StaticFiles(directory=WEB, html=True))
    app.add_middleware(Rates, per_minute=settings.requests_per_minute)
    app.add_middleware(Access)
    app.add_middleware(
        Guard,
        hosts=settings.hosts,
        max_upload_bytes=settings.max_upload_mb * 1_000_000,
        client_timeout_s=settings.client_timeout_s,
        request_timeout_s=settings.request_timeout_s,
    )
    app.add_middleware(Observed, metrics=app.state.metrics)
    return app


async def _meet(llm: LanguageModel) -> None:
    """So that the first question does not wait for the client's libraries. A model that is not there yet may come."""
    greeting = prompt("grounded", "en").messages(passages="", question="")
    try:
        async with asyncio.timeout(MEET_WITHIN_S):
            served = await llm.warmed_up()
            await llm.count_tokens(greeting)
        log.info("language model %s at %s", served.model, llm.url)
    except TaiyiError as error:
        log.warning("%s", error)
    except TimeoutError:
        log.warning("The language model at %s says nothing: look at its log, and start it again if it hangs", llm.url)


def _read_what_stays() -> None:
    """The dictionaries, so that the first question across languages does not wait for them. Where the process was
    started without a search for garbage, that begins after it, among what comes from then on."""
    try:
        for question in ("就绪", "ready"):
            translate(question)
    finally:
        if not gc.isenabled():
            gc.freeze()
            gc.enable()


def run(host: str, port: int, with_worker: bool = True) -> None:
    """Serves until Ctrl-C. Raises InvalidRequest for an address that others can reach, where nobody is asked for a
    key."""
    settings = read_settings()
    if not _is_loopback(host) and not _asks_who_calls(settings):
        raise InvalidRequest(
            f"Refusing to listen on {host}: without API keys the service answers on loopback only. Make one with "
            "taiyi-rag keys create --role admin, or set RAG_OIDC_ISSUER"
        )
    configure(settings.log_format, verbose=logging.getLogger().isEnabledFor(logging.INFO))
    app = create_app(settings, with_worker)
    config = uvicorn.Config(
        app,
        host=host,
        port=port,
        http=patient_for(settings.client_timeout_s),
        log_config=None,
        log_level="warning",
        access_log=False,
        server_header=False,
        timeout_keep_alive=KEEP_ALIVE_S,
        timeout_graceful_shutdown=10,
        proxy_headers=bool(settings.proxies),
        forwarded_allow_ips=list(settings.proxies),
    )
    server = _Server(config, app.state.stopping)
    server.run()
    if not server.started:
        raise Unavailable(f"Could not listen on {host} port {port}; the log above says why")


def _asks_who_calls(settings: Settings) -> bool:
    if settings.oidc_issuer:
        return True
    settings.home.mkdir(parents=True, exist_ok=True)
    with open_database(settings.sql_url, audit_key=settings.audit_key) as database, database.reading() as session:
        return keys.are_in_force(session)


class _Server(uvicorn.Server):
    """Lets streams know that they are to end, so that they do not hold up the server's end."""

    def __init__(self, config: uvicorn.Config, stopping: threading.Event) -> None:
        super().__init__(config)
        self._stopping = stopping

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        self._stopping.set()
        super().handle_exit(sig, frame)


def _is_loopback(host: str) -> bool:
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False
