"""What every request passes first: an id, the host and origin it claims, and the size of its body.

A service on loopback without keys is open to any web page that the user visits, were it not for two checks: the Host
header must be on the allow-list (which defeats DNS rebinding), and a write must not come from a foreign Origin.
"""

import re
import uuid
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem
from rag.errors import TooLarge

MAX_JSON_BYTES = 1_000_000
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'; object-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class Guard:
    """ASGI middleware. ``hosts`` are lower-case names without port."""

    def __init__(self, app: ASGIApp, hosts: frozenset[str], max_upload_bytes: int) -> None:
        self._app, self._hosts, self._max_upload_bytes = app, hosts, max_upload_bytes

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        sent = headers.get("x-request-id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                response = MutableHeaders(scope=message)
                response["x-request-id"] = request_id
                response.setdefault("cache-control", "no-store" if scope["path"].startswith("/v1/") else "no-cache")
                for name, value in _HEADERS.items():
                    response.setdefault(name, value)
            await send(message)

        limit = self._max_upload_bytes if scope["path"] == "/v1/documents" else MAX_JSON_BYTES
        refusal = self._refusal(scope["method"], headers, limit)
        if refusal is not None:
            await problem(Request(scope), *refusal)(scope, receive, send_with_headers)
            return
        await self._app(scope, _counted(receive, limit), send_with_headers)

    def _refusal(self, method: str, headers: Headers, limit: int) -> tuple[int, str, str] | None:
        host = headers.get("host", "")
        if _name_of(host) not in self._hosts:
            return 421, "Unknown host", "This service does not answer under that host name; see RAG_ALLOWED_HOSTS"
        origin = headers.get("origin")
        if method not in _SAFE_METHODS and origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return 403, "Foreign origin", "Writes are accepted from this service's own pages only"
        length = headers.get("content-length", "0")
        if length.isdecimal() and int(length) > limit:
            return 413, TooLarge.title, _over(limit)
        return None


def _counted(receive: Receive, limit: int) -> Receive:
    """``receive``, which raises TooLarge once a body of unstated length has grown past ``limit`` bytes."""
    seen = 0

    async def counted() -> Message:
        nonlocal seen
        message = await receive()
        seen += len(message.get("body", b""))
        if seen > limit:
            raise TooLarge(_over(limit))
        return message

    return counted


def _over(limit: int) -> str:
    return f"The request is larger than {limit / 1e6:g} MB"


def _name_of(host: str) -> str:
    try:
        name = urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return ""
    return f"[{name}]" if ":" in name else name
