"""Server-sent events."""

import json
from collections.abc import AsyncIterator

from fastapi.responses import StreamingResponse

from api.wire import Json

HEARTBEAT = ": nothing new\n\n"
"""A comment: it keeps proxies from closing a connection on which nothing happens."""
HEARTBEAT_S = 10.0


def event(name: str, data: Json) -> str:
    return f"event: {name}\n{data_line(data)}"


def data_line(data: Json) -> str:
    return f"data: {json.dumps(data, ensure_ascii=False)}\n\n"


def event_stream(lines: AsyncIterator[str]) -> StreamingResponse:
    return StreamingResponse(lines, media_type="text/event-stream", headers={"x-accel-buffering": "no"})
