"""The HTTP calls that sign people in at the page and out again.

What stays in the browser is a cookie that no script can read and that no other site's page makes the browser send. A
sign-in through the provider is the authorization code flow with PKCE (RFC 7636), ``state`` and ``nonce``; ``state`` is
in a cookie too, so that nobody can be signed in by somebody else's link.
"""

import hmac
from datetime import timedelta
from typing import Annotated, TypeVar

from fastapi import APIRouter, Query, Request, Response
from fastapi.responses import JSONResponse, RedirectResponse
from pydantic import BaseModel, ConfigDict, StringConstraints
from starlette.concurrency import run_in_threadpool

from api.access import NOBODY, Doors, Identity, address_of, cookie_name, identified, is_https
from api.oidc import Provider
from api.problems import CHALLENGE, problem_of, request_id_of
from api.routes import OpenSystem
from api.wire import Json
from rag import audit, keys, sessions
from rag.database import Database
from rag.errors import Forbidden, NotFound, Unauthenticated
from rag.keys import Key
from rag.types import Caller

STATE_COOKIE = "taiyi-sign-in"
CALLBACK = "/v1/session/oidc/callback"
PAGE_FROM_CALLBACK = "../../../"
Answering = TypeVar("Answering", bound=Response)
router = APIRouter(prefix="/v1/session")


class SignInBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    key: Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


@router.get("", responses={401: {"description": "Nobody is signed in; `sign_in` says how to"}})
async def show_session(request: Request) -> JSONResponse:
    """Who asks, as the service knows them; ``csrf_token`` goes into the header X-CSRF-Token of every write that comes
    with the cookie."""
    doors = _doors(request)
    ways = ["key", *(["oidc"] if doors.provider is not None and doors.provider.signs_in else [])]
    try:
        identity = await identified(request)
    except Unauthenticated as error:
        said = {**problem_of(error, request_id_of(request)), "sign_in": ways}
        return JSONResponse(said, 401, {"www-authenticate": CHALLENGE}, "application/problem+json")
    return JSONResponse({**_session_json(identity), "sign_in": ways})


@router.post("", responses={401: {"description": "The key is unknown, expired or revoked"}})
async def sign_in(body: SignInBody, request: Request, system: OpenSystem) -> JSONResponse:
    """Signs in at the page with an API key."""
    doors, former = _doors(request), request.cookies.get(cookie_name(request))
    lasts = timedelta(hours=system.settings.session_hours)
    asker = _nobody(request)
    begun = await run_in_threadpool(_begun_with_key, doors.database, body.key, asker, lasts, former)
    if begun is None:
        await doors.failures.note(asker, "key", "unknown, expired or revoked")
        raise Unauthenticated("The key is unknown, expired or revoked: ask its administrator for another")
    return _with_cookie(request, JSONResponse(_session_json(begun)), begun, lasts)


@router.delete("", status_code=204)
async def sign_out(request: Request) -> Response:
    """Signs out; the cookie holds nowhere any more."""
    identity = await identified(request)
    if identity.token is not None:
        await run_in_threadpool(_ended, _doors(request).database, identity)
    response = Response(status_code=204)
    response.delete_cookie(cookie_name(request), secure=is_https(request), httponly=True, samesite="strict")
    return response


@router.get("/oidc", status_code=303, response_class=RedirectResponse)
async def begin_oidc(request: Request) -> Response:
    """Sends the browser to the OpenID provider."""
    provider, database = _provider(request), _doors(request).database
    begun = await run_in_threadpool(_begun_sign_in, database)
    response = RedirectResponse(await provider.sign_in_address(begun, _callback(request)), 303)
    # Lax: the provider's page sends the browser back, and a Strict cookie would stay behind.
    response.set_cookie(
        STATE_COOKIE,
        begun.state,
        max_age=int(sessions.SIGN_IN_WITHIN.total_seconds()),
        secure=is_https(request),
        httponly=True,
        samesite="lax",
    )
    return response


@router.get("/oidc/callback", status_code=303, response_class=RedirectResponse)
async def end_oidc(
    request: Request,
    system: OpenSystem,
    code: Annotated[str, Query(max_length=4096)] = "",
    state: Annotated[str, Query(max_length=200)] = "",
) -> Response:
    """Where the provider sends the browser back to: signs in and shows the page."""
    provider, doors = _provider(request), _doors(request)
    lasts = timedelta(hours=system.settings.session_hours)
    former = request.cookies.get(cookie_name(request))
    try:
        begun = await _come_back(request, doors.database, state)
        if not code:
            raise Unauthenticated("The provider did not sign you in: try again, or ask its administrator")
        caller = await provider.signed_in(code, begun, _callback(request), address_of(request), request_id_of(request))
    except (Unauthenticated, Forbidden) as error:
        await doors.failures.note(_nobody(request), "oidc", str(error))
        raise
    identity = await run_in_threadpool(_begun, doors.database, caller, None, lasts, former)
    response = _with_cookie(request, RedirectResponse(PAGE_FROM_CALLBACK, 303), identity, lasts)
    response.delete_cookie(STATE_COOKIE, secure=is_https(request), httponly=True, samesite="lax")
    return response


async def _come_back(request: Request, database: Database, state: str) -> sessions.SignIn:
    """The sign-in that this browser began with ``state``."""
    own = request.cookies.get(STATE_COOKIE, "")
    begun = None
    if state and hmac.compare_digest(own.encode(), state.encode()):
        begun = await run_in_threadpool(_redeemed, database, state)
    if begun is None:
        raise Unauthenticated("This sign-in was not begun in this browser, or more than ten minutes ago: sign in again")
    return begun


def _begun_with_key(
    database: Database, secret: str, asker: Caller, lasts: timedelta, former: str | None
) -> Identity | None:
    with database.reading() as session:
        key = keys.find(session, secret)
    if key is None:
        return None
    return _begun(database, key.caller(asker.address, asker.request_id), key, lasts, former)


def _begun(database: Database, caller: Caller, key: Key | None, lasts: timedelta, former: str | None) -> Identity:
    """A new session, in the place of the one that the browser may have had."""
    with database.writing() as session:
        if former:
            sessions.end(session, former)
        token, ends = sessions.begin(session, caller, key, lasts)
        audit.append(session, caller, "sign_in", None, {"by": "key" if key else "oidc"})
    return Identity(caller, "session", key.requests_per_minute if key else None, token, ends.isoformat())


def _ended(database: Database, identity: Identity) -> None:
    with database.writing() as session:
        sessions.end(session, identity.token or "")
        audit.append(session, identity.caller, "sign_out", None, {})


def _begun_sign_in(database: Database) -> sessions.SignIn:
    with database.writing() as session:
        return sessions.begin_sign_in(session)


def _redeemed(database: Database, state: str) -> sessions.SignIn | None:
    with database.writing() as session:
        return sessions.redeem_sign_in(session, state)


def _with_cookie(request: Request, response: Answering, identity: Identity, lasts: timedelta) -> Answering:
    response.set_cookie(
        cookie_name(request),
        identity.token or "",
        max_age=int(lasts.total_seconds()),
        secure=is_https(request),
        httponly=True,
        samesite="strict",
    )
    return response


def _session_json(identity: Identity) -> Json:
    """``collections`` is null where all may be read."""
    may = identity.caller.collections
    return {
        "via": identity.via,
        "caller_id": identity.caller.id,
        "role": identity.caller.role,
        "collections": None if may is None else sorted(may),
        "recorded": identity.caller.recorded,
        "csrf_token": sessions.csrf_token(identity.token) if identity.token else None,
        "expires_at": identity.expires_at,
    }


def _callback(request: Request) -> str:
    stated: str = request.app.state.system.settings.public_url
    return (stated or str(request.base_url)).rstrip("/") + CALLBACK


def _doors(request: Request) -> Doors:
    doors: Doors = request.app.state.doors
    return doors


def _provider(request: Request) -> Provider:
    provider = _doors(request).provider
    if provider is None or not provider.signs_in:
        raise NotFound("Nobody signs in through a provider here: RAG_OIDC_ISSUER and RAG_OIDC_CLIENT_ID are not set")
    return provider


def _nobody(request: Request) -> Caller:
    return Caller(NOBODY.id, NOBODY.role, NOBODY.collections, True, address_of(request), request_id_of(request))
