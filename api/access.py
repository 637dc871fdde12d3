"""Who sends a request, and what they may: an API key, a token of the OpenID provider, or the page's session cookie.

Whatever is under ``/v1`` is asked for it before its body is read, but for the ways to sign in. Keys and sessions are
looked up in SQL at every request, so that what is made or revoked in one process holds in all of them at once. Where no
key was ever made and no provider is set, the person at this machine may do everything, and nobody else anything.
"""

import hmac
import ipaddress
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import anyio
from fastapi import Depends, Request, Security
from fastapi.security import APIKeyCookie, HTTPBearer
from starlette.types import ASGIApp, Receive, Scope, Send

from api.failures import Failures
from api.oidc import Provider
from api.problems import request_id_of, response_to
from rag import keys, sessions
from rag.database import Database
from rag.errors import Forbidden, TaiyiError, Unauthenticated
from rag.types import LOCAL_ADMIN, Caller, Role

CSRF_HEADER = "x-csrf-token"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
OPEN = frozenset({"/v1/session", "/v1/session/oidc", "/v1/session/oidc/callback"})
"""Where people sign in; these calls look for themselves who is there."""
NOBODY = Caller("nobody", Role.READER, frozenset())
LOOKUPS = 16
"""Threads that look up who asks: their own, so that slow work elsewhere does not hold up the door."""
_SEND = "send Authorization: Bearer with an API key (taiyi-rag keys create), or sign in at the page"


@dataclass(frozen=True, slots=True)
class Identity:
    """``requests_per_minute`` is the key's own rate, None where it has none. ``token`` is the session's, where the
    caller came with its cookie, which ends at ``expires_at``."""

    caller: Caller
    via: Literal["open", "key", "oidc", "session"]
    requests_per_minute: int | None = None
    token: str | None = None
    expires_at: str | None = None


class Doors:
    """What an application needs to tell who asks."""

    def __init__(self, database: Database, provider: Provider | None) -> None:
        self.database, self.provider = database, provider
        self.failures = Failures(database)
        self.limiter = anyio.CapacityLimiter(LOOKUPS)


class Access:
    """ASGI middleware that refuses a request under ``/v1`` from nobody in particular before its body is read."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/v1/") and scope["path"] not in OPEN:
            request = Request(scope)
            try:
                await identified(request)
            except TaiyiError as error:
                await response_to(request, error)(scope, receive, send)
                return
        await self._app(scope, receive, send)


async def identified(request: Request) -> Identity:
    """Who sends a request. Raises Unauthenticated; Forbidden for a write with a cookie but without its CSRF token, and
    for somebody in no group that may use the service."""
    known: Identity | None = getattr(request.state, "identity", None)
    if known is None:
        known = await _looked_up(request)
        request.state.identity = known
    return known


async def identified_anew(request: Request) -> Caller:
    """The caller of a request that goes on for long, looked up again. Raises what ``identified`` raises once the key or
    session it came with has ended."""
    return (await _looked_up(request)).caller


async def _looked_up(request: Request) -> Identity:
    doors: Doors = request.app.state.doors
    address, request_id = address_of(request), request_id_of(request)
    credential, cookie = bearer(request), request.cookies.get(cookie_name(request))
    if credential and doors.provider is not None and not credential.startswith(keys.PREFIX):
        try:
            return Identity(await doors.provider.caller(credential, address, request_id), "oidc")
        except (Unauthenticated, Forbidden) as error:
            await doors.failures.note(_nobody(request), "token", str(error))
            raise
    is_open = doors.provider is None
    found = await anyio.to_thread.run_sync(
        _from_records, doors.database, credential, cookie, is_open, address, request_id, limiter=doors.limiter
    )
    if found is None:
        if credential is None:
            raise Unauthenticated(f"This service wants to know who asks: {_SEND}")
        await doors.failures.note(_nobody(request), "key", "unknown, expired or revoked")
        raise Unauthenticated(f"The key is unknown, expired or revoked: {_SEND}")
    if found.via == "open" and (_is_elsewhere(address) or _was_forwarded(request)):
        raise Unauthenticated(
            "This service has no keys yet and answers at its own machine only: make one with taiyi-rag keys create"
        )
    if found.token and request.method not in SAFE_METHODS:
        sent = request.headers.get(CSRF_HEADER, "")
        if not hmac.compare_digest(sent.encode(), sessions.csrf_token(found.token).encode()):
            raise Forbidden(
                "A write with the session cookie needs the header X-CSRF-Token, which GET /v1/session gives"
            )
    return found


def _from_records(
    database: Database, credential: str | None, cookie: str | None, is_open: bool, address: str | None, request_id: str
) -> Identity | None:
    with database.reading() as session:
        if credential is not None:
            key = keys.find(session, credential)
            if key is not None:
                return Identity(key.caller(address, request_id), "key", key.requests_per_minute)
        elif cookie is not None:
            signed_in = sessions.find(session, cookie, address, request_id)
            if signed_in is not None:
                rate = signed_in.key.requests_per_minute if signed_in.key else None
                return Identity(signed_in.caller, "session", rate, cookie, signed_in.expires_at)
        if is_open and not keys.are_in_force(session):
            here = LOCAL_ADMIN
            return Identity(Caller(here.id, here.role, here.collections, here.recorded, address, request_id), "open")
    return None


async def _caller(
    request: Request,
    _key: Annotated[Any, Security(HTTPBearer(auto_error=False, description="An API key, or a token of the provider"))],
    _session: Annotated[Any, Security(APIKeyCookie(name="taiyi", auto_error=False, description="The page's session"))],
) -> Caller:
    return (await identified(request)).caller


Asker = Annotated[Caller, Depends(_caller)]
"""The caller of a request, for a route to take."""


def administrator(caller: Caller) -> Caller:
    """Raises Forbidden for who is no administrator of all collections."""
    if not caller.administers_all:
        raise Forbidden("This takes a key with the role admin for all collections")
    return caller


def cookie_name(request: Request) -> str:
    """Over https the name binds the cookie to this host alone (RFC 6265bis, ``__Host-``)."""
    return "__Host-taiyi" if is_https(request) else "taiyi"


def is_https(request: Request) -> bool:
    return request.url.scheme == "https"


def address_of(request: Request) -> str | None:
    """From where a request comes: what the connection says, or a proxy that RAG_TRUSTED_PROXIES names."""
    return request.client.host if request.client else None


def _nobody(request: Request) -> Caller:
    return Caller(NOBODY.id, NOBODY.role, NOBODY.collections, True, address_of(request), request_id_of(request))


def bearer(request: Request) -> str | None:
    """What the Authorization header brings. Another scheme than Bearer is for a proxy in between."""
    scheme, _, credential = request.headers.get("authorization", "").partition(" ")
    return credential.strip() if scheme.lower() == "bearer" else None


def _is_elsewhere(address: str | None) -> bool:
    """Whether an address is that of another machine. What is no address comes from this process or a local socket."""
    try:
        return not ipaddress.ip_address(address or "").is_loopback
    except ValueError:
        return False


def _was_forwarded(request: Request) -> bool:
    return any(name in request.headers for name in ("x-forwarded-for", "forwarded", "x-real-ip"))
