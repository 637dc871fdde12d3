"""The steps of the work on a request, as spans of OpenTelemetry. Without an exporter they cost a few microseconds.

Spans carry counts and names of steps, never the words of a question, of an answer or of a document.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

if TYPE_CHECKING:
    import httpx

_TRACER = trace.get_tracer("taiyi-rag")
_TRACE_CONTEXT = TraceContextTextMapPropagator()


@contextmanager
def stage(name: str, **counts: int | str) -> Iterator[None]:
    """A step, which ends with the block; steps begun inside it lie within it. An error is named by its kind alone,
    since its message may quote what was asked."""
    with _TRACER.start_as_current_span(name, attributes=counts, record_exception=False, set_status_on_exception=False):
        try:
            yield
        except Exception as error:
            trace.get_current_span().set_status(trace.Status(trace.StatusCode.ERROR, type(error).__name__))
            raise


async def pass_on(request: "httpx.Request") -> None:
    """Tells a server, in ``traceparent`` (W3C Trace Context), of which trace its work is a part."""
    _TRACE_CONTEXT.inject(request.headers)
