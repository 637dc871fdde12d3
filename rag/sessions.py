"""Who is signed in at the page, and sign-ins on their way through an OpenID provider.

What the browser holds is random and kept here as its SHA-256 only. Who signed in with a key may, at every call, what
the key then may, and nothing once it was revoked; who came from a provider may what its token said, until the session
ends.
"""

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import delete

from rag.database import ReadSession, WriteSession
from rag.keys import Key, digest_of, holding
from rag.tables import KeyRow, SessionRow, SignInRow
from rag.types import Caller, Role

SIGN_IN_WITHIN = timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """``key`` is the key somebody signed in with, None for who came from a provider."""

    caller: Caller
    key: Key | None
    expires_at: str


@dataclass(frozen=True, slots=True)
class SignIn:
    """What a sign-in through a provider is bound to. ``state`` comes back in the browser, ``nonce`` in the token, and
    with ``verifier`` the code is redeemed (PKCE, RFC 7636)."""

    state: str
    nonce: str
    verifier: str

    @property
    def challenge(self) -> str:
        """The verifier's SHA-256, as the provider is told it."""
        hashed = hashlib.sha256(self.verifier.encode()).digest()
        return base64.urlsafe_b64encode(hashed).rstrip(b"=").decode()


def csrf_token(token: str) -> str:
    """What a write has to bring along that comes with a session's cookie. It follows from the cookie, which no script
    can read, and does not give it away."""
    return hmac.new(token.encode(), b"csrf", hashlib.sha256).hexdigest()


def begin(session: WriteSession, caller: Caller, key: Key | None, lasts: timedelta) -> tuple[str, datetime]:
    """Signs somebody in: the token for their browser, and when it ends, which is with its key at the latest."""
    now = datetime.now(UTC)
    ends = now + lasts
    if key is not None and key.expires_at is not None:
        ends = min(ends, datetime.fromisoformat(key.expires_at))
    session.execute(delete(SessionRow).where(SessionRow.expires_at <= now))
    token = secrets.token_urlsafe(32)
    session.add(
        SessionRow(
            digest=digest_of(token),
            key_id=key.id if key else None,
            caller_id=caller.id,
            role=caller.role.value,
            collections=None if caller.collections is None else sorted(caller.collections),
            created_at=now,
            expires_at=ends,
        )
    )
    session.flush()
    return token, ends


def find(session: ReadSession, token: str, address: str | None, request_id: str | None) -> SignedIn | None:
    """Who is signed in with this token; None where the session, or the key it rests on, no longer holds."""
    row = session.get(SessionRow, digest_of(token))
    if row is None or row.expires_at <= datetime.now(UTC):
        return None
    ends = row.expires_at.isoformat()
    if row.key_id is not None:
        key = holding(session.get(KeyRow, row.key_id))
        return SignedIn(key.caller(address, request_id), key, ends) if key else None
    collections = None if row.collections is None else frozenset(row.collections)
    caller = Caller(row.caller_id, Role(row.role), collections, True, address, request_id)
    return SignedIn(caller, None, ends)


def end(session: WriteSession, token: str) -> None:
    """Signs out. A session that has ended stays so."""
    session.execute(delete(SessionRow).where(SessionRow.digest == digest_of(token)))


def begin_sign_in(session: WriteSession) -> SignIn:
    """Begins a sign-in through a provider, which is to come back within ten minutes."""
    now = datetime.now(UTC)
    session.execute(delete(SignInRow).where(SignInRow.expires_at <= now))
    begun = SignIn(secrets.token_urlsafe(32), secrets.token_urlsafe(32), secrets.token_urlsafe(64))
    session.add(
        SignInRow(
            digest=digest_of(begun.state),
            verifier=begun.verifier,
            nonce=begun.nonce,
            expires_at=now + SIGN_IN_WITHIN,
        )
    )
    return begun


def redeem_sign_in(session: WriteSession, state: str) -> SignIn | None:
    """The sign-in that was begun with ``state``, which can be redeemed once; None where it never was, or too long
    ago."""
    row = session.get(SignInRow, digest_of(state), with_for_update=True)
    if row is None:
        return None
    session.delete(row)
    return SignIn(state, row.nonce, row.verifier) if row.expires_at > datetime.now(UTC) else None
