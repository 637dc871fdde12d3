"""What ``GET /metrics`` tells Prometheus: of this process what it counted, of database and index what they are now.

Each process counts for itself, and Prometheus adds up. No figure has the name of a collection, a caller or a path in
its labels, so that who may see the figures learns nothing of what only others may see.
"""

import shutil
from collections.abc import Iterable

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.metrics import MetricWrapperBase
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from sqlalchemy import func, select

from api.history import Timing, Totals
from api.limits import Turns
from rag.errors import TaiyiError
from rag.system import System
from rag.tables import EditionRow, JobRow, SegmentRow
from rag.types import Answer

REQUEST_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 120)
STAGE_S = (0.001, 0.0025, *REQUEST_S)
JOB_STATES = ("queued", "running", "succeeded", "partial", "failed", "cancelled")
HEALTH = "/v1/health"
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class Metrics:
    """The counts of one process."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, which nobody asks for
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Histogram(
            "taiyi_http_request_seconds",
            "From a request's head to the end of its response, by the route's template.",
            ("method", "route", "status"),
            buckets=REQUEST_S,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "taiyi_http_requests_in_flight", "Requests that are being answered.", registry=self.registry
        )
        self._stages = Histogram(
            "taiyi_answer_stage_seconds",
            "What the stages of an answer take, first_token from the prompt on, total from the question on.",
            ("stage",),
            buckets=STAGE_S,
            registry=self.registry,
        )
        self._answers = Counter(
            "taiyi_answers",
            "Answers by mode and status; an abstention is the status abstained.",
            ("mode", "status"),
            registry=self.registry,
        )
        self._sentences = Counter(
            "taiyi_sentences",
            "Sentences of answers by verdict, and whether they stand in the text or were withheld.",
            ("verdict", "place"),
            registry=self.registry,
        )
        self._tokens = Counter(
            "taiyi_language_model_tokens",
            "Tokens of prompts (of which cached come from the server's cache) and completions.",
            ("kind",),
            registry=self.registry,
        )

        self._model_up = Gauge(
            "taiyi_language_model_up",
            "Whether the language model answers, -1: none is configured.",
            registry=self.registry,
        )

    def language_model_up(self, answers: bool | None) -> None:
        """Says whether the language model answers; None where none is configured."""
        self._model_up.set(-1 if answers is None else answers)

    def watch(self, system: System, turns: Turns) -> None:
        """Tells of a system too."""
        self.registry.register(_SystemFigures(system, turns))

    def text(self) -> bytes:
        """In the format of Prometheus. Asks the database."""
        return generate_latest(self.registry)

    def totals(self) -> Totals:
        """What was counted so far, for people to look at: of requests those under ``/v1``, but for looking itself."""
        requests = _added(
            (one.labels["status"][0], one.value)
            for one in _samples(self._requests, "_count")
            if one.labels["route"].startswith("/v1/") and one.labels["route"] != HEALTH
        )
        answers = _added((one.labels["status"], one.value) for one in _samples(self._answers, "_total"))
        sentences = _added(
            ("withheld" if one.labels["place"] == "withheld" else one.labels["verdict"], one.value)
            for one in _samples(self._sentences, "_total")
        )
        return Totals(requests, answers, sentences, _timings(self._stages))

    def served(self, method: str, route: str, status: int, seconds: float) -> None:
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).observe(seconds)

    def answered(self, answer: Answer) -> None:
        self._answers.labels(answer.mode, answer.status).inc()
        for name, milliseconds in answer.timings_ms.items():
            self._stages.labels(name).observe(milliseconds / 1000)
        for place, sentences in (("text", answer.sentences), ("withheld", answer.withheld)):
            for sentence in sentences:
                self._sentences.labels(sentence.verdict, place).inc()
        for name, tokens in answer.usage.items():
            self._tokens.labels(name.removesuffix("_tokens")).inc(tokens)

    def failed(self) -> None:
        """Counts an answer that ended in an error and was recorded so."""
        self._answers.labels("unknown", "failed").inc()


def _samples(metric: MetricWrapperBase, suffix: str) -> list[Sample]:
    return [one for family in metric.collect() for one in family.samples if one.name.endswith(suffix)]


def _added(pairs: Iterable[tuple[str, float]]) -> dict[str, float]:
    added: dict[str, float] = {}
    for name, value in pairs:
        added[name] = added.get(name, 0) + value
    return added


def _timings(stages: Histogram) -> dict[str, Timing]:
    seconds = {one.labels["stage"]: one.value for one in _samples(stages, "_sum")}
    buckets: dict[str, list[tuple[float, float]]] = {}
    for one in _samples(stages, "_bucket"):
        buckets.setdefault(one.labels["stage"], []).append((float(one.labels["le"]), one.value))
    return {
        one.labels["stage"]: Timing(one.value, seconds[one.labels["stage"]], tuple(buckets[one.labels["stage"]]))
        for one in _samples(stages, "_count")
    }


class _SystemFigures(Collector):
    """Read when they are asked for."""

    def __init__(self, system: System, turns: Turns) -> None:
        self._system, self._turns = system, turns

    def describe(self) -> Iterable[Metric]:
        return ()  # so that registering does not ask the database

    def collect(self) -> Iterable[Metric]:
        yield from self._of_database()
        yield from self._of_models()
        free = shutil.disk_usage(self._system.home).free
        yield GaugeMetricFamily("taiyi_home_free_bytes", "Room on the disk of RAG_HOME.", free)
        waits = GaugeMetricFamily("taiyi_searches", "Searches that run, and that wait for a turn.", labels=["state"])
        waits.add_metric(["running"], self._turns.running)
        waits.add_metric(["waiting"], self._turns.waiting)
        yield waits

    def _of_database(self) -> Iterable[Metric]:
        up = GaugeMetricFamily("taiyi_database_up", "Whether the database answers.")
        try:
            with self._system.database.reading() as session:
                states = {row.state: row.jobs for row in session.execute(_JOBS)}
                documents, vectors = session.scalar(_DOCUMENTS) or 0, session.scalar(_VECTORS) or 0
        except TaiyiError:
            up.add_metric([], 0)
            yield up
            return
        up.add_metric([], 1)
        yield up
        jobs = GaugeMetricFamily("taiyi_jobs", "Ingestion jobs by state.", labels=["state"])
        for state in JOB_STATES:
            jobs.add_metric([state], states.get(state, 0))
        yield jobs
        yield GaugeMetricFamily("taiyi_documents", "Documents that can be found.", documents)
        yield GaugeMetricFamily("taiyi_index_vectors", "Vectors in the index, removed ones until compaction.", vectors)

    def _of_models(self) -> Iterable[Metric]:
        lookups = CounterMetricFamily(
            "taiyi_cache_lookups", "Look-ups in the caches of this process.", labels=["cache", "result"]
        )
        embedder, permitted = self._system.embedder.counts, self._system.permitted
        for cache, hits, misses in (
            ("query_vectors", embedder.query_hits, embedder.query_misses),
            ("permitted_passages", permitted.hits, permitted.misses),
        ):
            lookups.add_metric([cache, "hit"], hits)
            lookups.add_metric([cache, "miss"], misses)
        yield lookups
        yield CounterMetricFamily("taiyi_embedder_batches", "Batches that the embedder computed.", embedder.batches)
        yield CounterMetricFamily("taiyi_embedder_texts", "Texts that the embedder computed.", embedder.texts)
        if (llm := self._system.llm) is not None:
            state = GaugeMetricFamily(
                "taiyi_language_model_requests", "Texts being written, and requests that wait.", labels=["state"]
            )
            state.add_metric(["running"], llm.running)
            state.add_metric(["waiting"], llm.waiting)
            yield state


_JOBS = select(JobRow.state, func.count().label("jobs")).group_by(JobRow.state)
_DOCUMENTS = select(func.count(EditionRow.document_id.distinct())).where(EditionRow.state == "live")
_VECTORS = select(func.sum(SegmentRow.passages))
