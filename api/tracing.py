"""Sending traces to a collector, by the protocol OTLP over HTTP, where OpenTelemetry's own variables name one."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from rag.errors import Unavailable

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
NAME = "taiyi-rag"


@contextmanager
def exported() -> Iterator[None]:
    """Sends this process's spans for as long as the block lasts; without an address it does nothing. Raises
    Unavailable where the exporter is not installed."""
    if not any(os.environ.get(name) for name in ENDPOINTS):
        yield
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import SERVICE_NAME, Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ModuleNotFoundError as error:
        raise Unavailable(
            f"{ENDPOINTS[0]} is set and traces need {error.name}: pip install 'taiyi-rag[otel]'"
        ) from None
    from opentelemetry import trace

    name = os.environ.get("OTEL_SERVICE_NAME") or NAME
    provider = TracerProvider(resource=Resource.create({SERVICE_NAME: name}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    trace.set_tracer_provider(provider)
    try:
        yield
    finally:
        provider.shutdown()
