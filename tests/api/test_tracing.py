"""Traces, as a collector gets them: from the request through retrieval to the language model."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span
from serving import LOG, served

from api.tracing import exported
from conftest import new_home

QUESTION = "Below which eGFR is zebrafishine contraindicated?"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"


class Collector:
    """An OTLP receiver over HTTP, which also is a language model's server that has nothing to offer."""

    def __init__(self) -> None:
        self.spans: list[Span] = []
        self.services: set[str] = set()
        self.traceparents: list[str] = []
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    @contextmanager
    def running(self) -> Iterator[None]:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        yield
        self._server.shutdown()
        self._server.server_close()

    def take(self, body: bytes) -> None:
        request = ExportTraceServiceRequest.FromString(body)
        for resource in request.resource_spans:
            self.services |= {
                one.value.string_value for one in resource.resource.attributes if one.key == "service.name"
            }
            self.spans += [span for scope in resource.scope_spans for span in scope.spans]


def _handler(collector: Collector) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            collector.take(self.rfile.read(int(self.headers["content-length"])))
            self.send_response(200)
            self.end_headers()

        def do_GET(self) -> None:
            if (traceparent := self.headers.get("traceparent")) is not None:
                collector.traceparents.append(traceparent)
            self.send_error(404)

        def log_message(self, *_: object) -> None:
            return

    return Handler


@pytest.fixture(scope="module")
def told(models: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Collector, str]:
    """What a collector was told of a search, a question of which a client has a trace, and one without a model; and
    what the service's log said."""
    home, collector = new_home(tmp_path_factory.mktemp("traced") / "home", models), Collector()
    (home / "note.md").write_text("# Zebrafishine\n\nZebrafishine is contraindicated below an eGFR of 30.\n")
    settings = {"OTEL_EXPORTER_OTLP_ENDPOINT": collector.url, "RAG_LLM_URL": f"{collector.url}/v1"}
    with collector.running(), served(home, **settings) as client:
        headers = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
        assert client.post("/v1/search", json={"query": QUESTION}).status_code == 200
        asked = {"question": QUESTION, "mode": "extractive"}
        assert client.post("/v1/ask", json=asked, headers=headers).status_code == 200
        assert client.post("/v1/ask", json={"question": QUESTION, "mode": "ungrounded"}).status_code == 502
        assert client.get("/v1/answers/5eb0").status_code == 404
    return collector, (home / LOG).read_text()


def children(spans: list[Span], parent: bytes) -> dict[str, Span]:
    return {span.name: span for span in spans if span.parent_span_id == parent}


def test_a_question_is_one_trace_that_goes_on_from_the_clients(told: tuple[Collector, str]) -> None:
    collector, _ = told
    assert collector.services == {"taiyi-rag"}
    spans = [span for span in collector.spans if span.trace_id.hex() == TRACE]
    (root,) = children(spans, bytes.fromhex(PARENT)).values()
    assert (root.name, root.kind) == ("POST /v1/ask", Span.SPAN_KIND_SERVER)
    stages = children(spans, root.span_id)
    assert {"understand", "retrieve", "judge"} <= stages.keys()
    retrieval = children(spans, stages["retrieve"].span_id)
    assert retrieval.keys() == {"search"}
    assert "select" in children(spans, retrieval["search"].span_id)
    for name, span in stages.items():
        assert root.start_time_unix_nano <= span.start_time_unix_nano <= span.end_time_unix_nano, name
        assert span.end_time_unix_nano <= root.end_time_unix_nano, name


def test_the_language_model_is_told_of_which_trace_its_work_is_part(told: tuple[Collector, str]) -> None:
    collector, _ = told
    asked = [span for span in collector.spans if span.name == "POST /v1/ask" and span.trace_id.hex() != TRACE]
    assert len(asked) == 1
    assert asked[0].status.code == 2  # an error: nothing could be asked
    known = {(span.trace_id.hex(), span.span_id.hex()) for span in collector.spans}
    assert collector.traceparents
    for traceparent in collector.traceparents:
        version, trace, span, flags = traceparent.split("-")
        assert version == "00"
        assert int(flags, 16) & 1  # sampled
        assert (trace, span) in known
    assert asked[0].trace_id.hex() in {traceparent.split("-")[1] for traceparent in collector.traceparents}


def test_a_trace_names_routes_and_quotes_nothing(told: tuple[Collector, str]) -> None:
    collector, _ = told
    names = {span.name for span in collector.spans}
    assert "GET /v1/answers/{answer_id}" in names
    everything = b"".join(span.SerializeToString() for span in collector.spans)
    for word in (b"zebrafishine", b"Zebrafishine", b"5eb0", b"eGFR"):
        assert word not in everything


def test_without_an_address_nothing_is_sent_nor_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    from opentelemetry import trace

    monkeypatch.delenv("OTEL_EXPORTER_OTLP_ENDPOINT", raising=False)
    monkeypatch.delenv("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", raising=False)
    with exported():
        assert not trace.get_tracer("any").start_span("any").is_recording()
