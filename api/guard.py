"""What every request passes first: an id, the host and origin it claims, the size of its body, and how long it takes.

A service on loopback without keys is open to any web page that the user visits, were it not for two checks: the Host
header must be on the allow-list (which defeats DNS rebinding), and a write must not come from a foreign Origin.
"""

import asyncio
import re
import time
import uuid
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from api.problems import problem, response_to
from rag.errors import TooLarge, TooSlow, Unavailable
from rag.logs import REQUEST_ID

MAX_JSON_BYTES = 1_000_000
MAX_HEAD_BYTES = 64_000
"""Address and headers together."""
SLOWEST_BYTES_A_SECOND = 10_000
"""A body may take as long as it takes at this speed, and ``client_timeout_s`` more."""
RECORDING_S = 5.0
"""What an answer that is given up may take to be recorded, beyond the time that a request has."""
_SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{1,64}")
_HEADERS = {
    "content-security-policy": "default-src 'self'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "base-uri 'none'; form-action 'self'; frame-ancestors 'none'; object-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


class Guard:
    """ASGI middleware. ``hosts`` are lower-case names without port. A response has to begin within
    ``request_timeout_s`` once the request has come whole."""

    def __init__(
        self,
        app: ASGIApp,
        hosts: frozenset[str],
        max_upload_bytes: int,
        client_timeout_s: float,
        request_timeout_s: float,
    ) -> None:
        self._app, self._hosts, self._max_upload_bytes = app, hosts, max_upload_bytes
        self._client_timeout_s, self._request_timeout_s = client_timeout_s, request_timeout_s

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        sent = headers.get("x-request-id", "")
        request_id = sent if _REQUEST_ID.fullmatch(sent) else uuid.uuid4().hex
        scope.setdefault("state", {})["request_id"] = request_id
        REQUEST_ID.set(request_id)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                response = MutableHeaders(scope=message)
                response["x-request-id"] = request_id
                response.setdefault("cache-control", "no-store" if scope["path"].startswith("/v1/") else "no-cache")
                for name, value in _HEADERS.items():
                    response.setdefault(name, value)
            await send(message)

        limit = self._max_upload_bytes if scope["path"] == "/v1/documents" else MAX_JSON_BYTES
        refusal = _too_long(scope) or self._refusal(scope["method"], headers, limit)
        if refusal is not None:
            await problem(Request(scope), *refusal)(scope, receive, send_with_headers)
            return
        await self._within_time(scope, _counted(receive, limit, self._client_timeout_s), send_with_headers)

    async def _within_time(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Runs the application; where its response has not begun in time, that is said instead."""
        allowed = self._request_timeout_s + RECORDING_S
        clock = asyncio.get_running_loop()

        async def received() -> Message:
            message = await receive()
            if message["type"] == "http.request" and deadline.when() is not None:
                deadline.reschedule(clock.time() + allowed)
            return message

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                deadline.reschedule(None)
            await send(message)

        try:
            async with asyncio.timeout(allowed) as deadline:
                await self._app(scope, received, sent)
        except TimeoutError:
            if not deadline.expired():
                raise
            error = Unavailable(f"This took longer than {self._request_timeout_s:g} s and was given up: ask for less")
            await response_to(Request(scope), error)(scope, receive, send)

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


def _too_long(scope: Scope) -> tuple[int, str, str] | None:
    address = len(scope.get("raw_path") or b"") + len(scope.get("query_string") or b"")
    if address + sum(len(name) + len(value) for name, value in scope["headers"]) > MAX_HEAD_BYTES:
        return 431, TooLarge.title, f"Address and headers are longer than {MAX_HEAD_BYTES / 1000:g} kB"
    return None


def _counted(receive: Receive, limit: int, patience_s: float) -> Receive:
    """``receive``, which raises TooLarge once a body of unstated length has grown past ``limit`` bytes, and TooSlow for
    one that does not come at SLOWEST_BYTES_A_SECOND and ``patience_s`` more."""
    seen, is_whole, began = 0, False, 0.0

    async def counted() -> Message:
        nonlocal seen, is_whole, began
        if is_whole:
            return await receive()  # which waits for the client to go away
        began = began or time.monotonic()
        try:
            async with asyncio.timeout(began + patience_s + seen / SLOWEST_BYTES_A_SECOND - time.monotonic()):
                message = await receive()
        except TimeoutError:
            raise TooSlow(
                f"Of the request {seen} bytes came in {time.monotonic() - began:.0f} s: send faster"
            ) from None
        is_whole = not message.get("more_body", False)
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
