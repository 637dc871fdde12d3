"""Each request is counted, timed, told of in the log and made a span of a trace, under its route's template: never
under its path, which may hold an id, and never with its question."""

import logging
import time
from collections.abc import Mapping

from opentelemetry import trace
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from starlette.datastructures import Headers
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.metrics import Metrics
from rag.logs import REQUESTS

GONE = 499
"""The status under which a request stands whose client went away before its response began (as nginx has it)."""
NO_ROUTE = "other"
_TRACER = trace.get_tracer("taiyi-rag")
_TRACE_CONTEXT = TraceContextTextMapPropagator()
log = logging.getLogger(REQUESTS)


class Observed:
    """ASGI middleware, outside all others."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app, self._metrics = app, metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        status, began = GONE, time.perf_counter()

        async def noted(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        parent = _TRACE_CONTEXT.extract(_traceparent(scope))
        with (
            self._metrics.in_flight.track_inprogress(),
            _TRACER.start_as_current_span(
                scope["method"],
                parent,
                trace.SpanKind.SERVER,
                record_exception=False,  # its message may quote what was asked
                set_status_on_exception=False,
            ) as span,
        ):
            try:
                await self._app(scope, receive, noted)
            except Exception:
                status = 500
                raise
            finally:
                self._tell(scope, status, time.perf_counter() - began, span)

    def _tell(self, scope: Scope, status: int, seconds: float, span: trace.Span) -> None:
        method, route = scope["method"], route_of(scope)
        state = scope.get("state", {})
        self._metrics.served(method, route, status, seconds)
        fields: dict[str, str | int | float] = {"method": method, "route": route, "status": status}
        if span.is_recording():
            span.update_name(f"{method} {route}")
            span.set_attributes(
                {
                    "http.request.method": method,
                    "http.route": route,
                    "http.response.status_code": status,
                    "taiyi.request_id": state.get("request_id", ""),
                }
            )
            if status >= 500:
                span.set_status(trace.StatusCode.ERROR)
            fields["trace_id"] = trace.format_trace_id(span.get_span_context().trace_id)
        fields["ms"] = round(seconds * 1000, 1)
        if (identity := state.get("identity")) is not None:
            fields["caller"] = identity.caller.id
        log.info("%s %s %d %.1f ms", method, route, status, fields["ms"], extra={"fields": fields})


def route_of(scope: Scope) -> str:
    """The template of the route that a request took, such as ``/v1/answers/{answer_id}``; ``other`` for the page's
    files and for what took none."""
    return str(getattr(scope.get("route"), "path", None) or NO_ROUTE)


def _traceparent(scope: Scope) -> Mapping[str, str]:
    headers = Headers(scope=scope)
    return {name: headers[name] for name in ("traceparent", "tracestate") if name in headers}
