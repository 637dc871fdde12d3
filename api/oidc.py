"""Tokens of the institution's OpenID provider: verified with joserfc, and what their bearer may.

The provider is met when the first token comes: its description (OpenID Connect Discovery 1.0) and its keys are kept for
a while, and its keys fetched again when a token names one that is not among them, though not oftener than the provider
can bear. Only signatures by a private key count: ``none`` and those by a shared secret are not on the list.
"""

import asyncio
import time
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx

from rag.errors import Forbidden, Unauthenticated, Unavailable
from rag.sessions import SignIn
from rag.settings import Grant, Settings
from rag.types import Caller, Role

ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
LEEWAY_S = 60
"""How far the clocks of provider and service may be apart."""
DESCRIPTION_KEPT_S = 3600.0
KEYS_KEPT_S = 600.0
FETCH_AGAIN_AFTER_S = 5.0
TIMEOUT_S = 10.0
_RANK = {Role.READER: 0, Role.EDITOR: 1, Role.ADMIN: 2}
Claims = Mapping[str, Any]


class Provider:
    """The provider that RAG_OIDC_ISSUER names. Every function raises Unavailable where it does not answer."""

    def __init__(self, settings: Settings) -> None:
        try:
            import joserfc  # noqa: F401
        except ModuleNotFoundError:
            raise Unavailable("RAG_OIDC_ISSUER needs joserfc: pip install 'taiyi-rag[oidc]'") from None
        self._settings = settings
        self._lock = asyncio.Lock()
        self._description: tuple[float, dict[str, Any]] | None = None
        self._keys: tuple[float, Any] | None = None

    @property
    def signs_in(self) -> bool:
        """Whether people can sign in at the page."""
        return bool(self._settings.oidc_client_id)

    async def caller(self, token: str, address: str | None, request_id: str | None) -> Caller:
        """Who sends a bearer token. Raises Unauthenticated for one that is not accepted, Forbidden for somebody who is
        in no group that is known here."""
        audience = self._settings.oidc_audience
        if not audience:
            raise Unauthenticated("Bearer tokens are not accepted here: send an API key, or set RAG_OIDC_AUDIENCE")
        return caller_of(await self._verified(token, audience), self._settings, address, request_id)

    async def sign_in_address(self, begun: SignIn, back: str) -> str:
        """Where the browser is sent to sign in, and comes ``back`` from."""
        asked = {
            "response_type": "code",
            "client_id": self._settings.oidc_client_id,
            "redirect_uri": back,
            "scope": "openid profile",
            "state": begun.state,
            "nonce": begun.nonce,
            "code_challenge": begun.challenge,
            "code_challenge_method": "S256",
        }
        endpoint = await self._endpoint("authorization_endpoint")
        return f"{endpoint}{'&' if urlsplit(endpoint).query else '?'}{urlencode(asked)}"

    async def signed_in(
        self, code: str, begun: SignIn, back: str, address: str | None, request_id: str | None
    ) -> Caller:
        """Who has come back with ``code``. Raises Unauthenticated where the provider does not redeem it."""
        settings = self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": back,
            "client_id": settings.oidc_client_id,
            "code_verifier": begun.verifier,
        }
        secret = settings.oidc_client_secret.get_secret_value()
        basic = (quote(settings.oidc_client_id, safe=""), quote(secret, safe="")) if secret else None
        endpoint = await self._endpoint("token_endpoint")
        given = await _fetched("POST", endpoint, data=form, auth=basic, refusal="The provider does not redeem the code")
        claims = await self._verified(str(given.get("id_token", "")), settings.oidc_client_id)
        if claims.get("nonce") != begun.nonce or claims.get("azp", settings.oidc_client_id) != settings.oidc_client_id:
            raise Unauthenticated("The provider's token belongs to another sign-in: sign in again")
        return caller_of(claims, settings, address, request_id)

    async def _verified(self, token: str, audience: str) -> Claims:
        """The claims of a token that the provider signed for ``audience`` and that holds now."""
        from joserfc import errors, jwt

        claims = jwt.JWTClaimsRegistry(
            leeway=LEEWAY_S,
            iss={"essential": True, "value": self._settings.oidc_issuer},
            aud={"essential": True, "value": audience},
            sub={"essential": True},
            exp={"essential": True},
        )
        try:
            try:
                found = jwt.decode(token, await self._key_set(), algorithms=list(ALGORITHMS))
            except errors.InvalidKeyIdError:
                found = jwt.decode(token, await self._key_set(afresh=True), algorithms=list(ALGORITHMS))
            claims.validate(found.claims)
        except (errors.JoseError, ValueError, TypeError) as error:
            raise Unauthenticated(f"The token is not accepted ({error}): sign in at the provider again") from None
        return found.claims

    async def _endpoint(self, name: str) -> str:
        async with self._lock:
            described = await self._described()
        if not _is_safe(endpoint := str(described.get(name, ""))):
            raise Unavailable(f"The OpenID provider states no {name} that begins with https://")
        return endpoint

    async def _key_set(self, afresh: bool = False) -> Any:
        """The provider's keys; ``afresh`` is that one was missing among those that are kept."""
        from joserfc import errors, jwk

        async with self._lock:
            now = time.monotonic()
            if self._keys is not None:
                fetched_at, keys = self._keys
                if now - fetched_at < (FETCH_AGAIN_AFTER_S if afresh else KEYS_KEPT_S):
                    return keys
            address = str((await self._described()).get("jwks_uri", ""))
            if not _is_safe(address):
                raise Unavailable("The OpenID provider states no jwks_uri that begins with https://")
            try:
                keys = jwk.KeySet.import_key_set(await _fetched("GET", address))  # type: ignore[arg-type]
            except (errors.JoseError, ValueError, TypeError, KeyError) as error:
                raise Unavailable(f"The keys at {address} cannot be read: {error}") from None
            self._keys = now, keys
            return keys

    async def _described(self) -> dict[str, Any]:
        now = time.monotonic()
        if self._description is None or now - self._description[0] >= DESCRIPTION_KEPT_S:
            issuer = self._settings.oidc_issuer
            described = await _fetched("GET", f"{issuer.rstrip('/')}/.well-known/openid-configuration")
            if described.get("issuer") != issuer:
                raise Unavailable(
                    f"The provider calls itself {described.get('issuer')!r}: write exactly that into RAG_OIDC_ISSUER"
                )
            self._description = now, described
        return self._description[1]


def caller_of(claims: Claims, settings: Settings, address: str | None, request_id: str | None) -> Caller:
    """Who the verified claims speak of, and what they may.

    Of several groups the highest role counts, in the collections of the groups that give that role: nobody becomes an
    editor of what another group lets them read. Raises Forbidden for somebody in no group that RAG_OIDC_GROUPS names.
    """
    groups = _groups(claims, settings.oidc_groups_claim)
    granted = [grant for group, grant in settings.grants.items() if group in groups]
    if not granted:
        raise Forbidden("You are signed in, but in no group that may use this service: ask its administrator")
    role = max((grant.role for grant in granted), key=_RANK.__getitem__)
    collections = _together([grant for grant in granted if grant.role is role])
    return Caller(f"oidc:{claims['iss']}:{claims['sub']}", role, collections, True, address, request_id)


def _together(grants: list[Grant]) -> frozenset[str] | None:
    named: set[str] = set()
    for grant in grants:
        if grant.collections is None:
            return None
        named.update(grant.collections)
    return frozenset(named)


def _groups(claims: Claims, path: str) -> frozenset[str]:
    """The groups at ``path``: a claim of that name, or one inside others. A text alone is one group."""
    value: Any = claims.get(path)
    if value is None:
        value = claims
        for part in path.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
    if isinstance(value, str):
        return frozenset({value})
    return frozenset(one for one in value if isinstance(one, str)) if isinstance(value, list) else frozenset()


async def _fetched(
    method: str,
    address: str,
    data: dict[str, str] | None = None,
    auth: tuple[str, str] | None = None,
    refusal: str | None = None,
) -> dict[str, Any]:
    """The JSON object at an address. Raises Unavailable; Unauthenticated with ``refusal`` for a status of 400 on."""
    try:
        async with httpx.AsyncClient(timeout=TIMEOUT_S) as client:
            response = await client.request(method, address, data=data, auth=auth)
            if refusal and 400 <= response.status_code < 500:
                raise Unauthenticated(f"{refusal}: sign in again")
            response.raise_for_status()
            given = response.json()
    except (httpx.HTTPError, ValueError) as error:
        raise Unavailable(f"The OpenID provider at {address} does not answer as one: {error}") from None
    if not isinstance(given, dict):
        raise Unavailable(f"The OpenID provider at {address} does not answer with an object")
    return given


def _is_safe(address: str) -> bool:
    """Whether what is sent there can be read on the way by nobody: https, or this machine."""
    parts = urlsplit(address)
    return parts.scheme == "https" or (parts.scheme == "http" and parts.hostname in ("127.0.0.1", "::1", "localhost"))
