"""API keys: who may call the service, in which role, and which collections they may read.

A secret is ``trag_`` and 256 random bits; it is shown once and kept as its SHA-256 only. Being random, it needs no slow
hash and cannot be guessed by the time a comparison takes: what is looked up is the digest, in SQL, at every call, so
that a key takes force and loses it in every process at once.

Once a first key was made, nothing is open any more, also where every key was revoked since.
"""

import hashlib
import hmac
import re
import secrets
import uuid
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import delete, select

from rag import audit
from rag.database import ReadSession, WriteSession
from rag.errors import Forbidden, InvalidRequest, NotFound
from rag.sealing import Seal
from rag.tables import KeyRow, SessionRow
from rag.types import Caller, Role

PREFIX = "trag_"
LONGEST_NAME = 200
_SECRET = re.compile(re.escape(PREFIX) + r"[A-Za-z0-9_-]{43}")


@dataclass(frozen=True, slots=True)
class Key:
    """``collections`` names those that may be read with it, None: all. ``state`` is ``active``, ``revoked`` or
    ``expired``. ``requests_per_minute`` is None where only the service's own limit holds. Dates are ISO 8601."""

    id: str
    name: str
    role: Role
    collections: tuple[str, ...] | None
    recorded: bool
    requests_per_minute: int | None
    state: str
    created_at: str
    expires_at: str | None
    revoked_at: str | None

    def caller(self, address: str | None = None, request_id: str | None = None) -> Caller:
        """Who calls with this key."""
        collections = None if self.collections is None else frozenset(self.collections)
        return Caller(f"key:{self.id}", self.role, collections, self.recorded, address, request_id)


def digest_of(secret: str) -> str:
    """The form in which a random secret is kept: SHA-256, in hexadecimal."""
    return hashlib.sha256(secret.encode()).hexdigest()


def create(
    session: WriteSession,
    caller: Caller,
    name: str,
    role: Role,
    collections: Iterable[str] | None = None,
    *,
    recorded: bool = True,
    requests_per_minute: int | None = None,
    expires_at: datetime | None = None,
) -> tuple[Key, str]:
    """A key and its secret, which is not kept and cannot be shown again.

    Raises Forbidden for who is no administrator, NotFound for a collection the caller may not read, InvalidRequest for
    a bad name, rate, list of collections or date. A collection need not exist yet.
    """
    _check_administers(caller)
    named = None if collections is None else sorted(set(collections))
    _check_stated(caller, name, named, requests_per_minute, expires_at)
    secret = PREFIX + secrets.token_urlsafe(32)
    row = KeyRow(
        id=uuid.uuid4().hex,
        name=name.strip(),
        digest=digest_of(secret),
        role=role.value,
        collections=named,
        recorded=recorded,
        requests_per_minute=requests_per_minute,
        created_at=datetime.now(UTC),
        expires_at=expires_at,
    )
    session.add(row)
    key = _key(row)
    audit.append(session, caller, "key.create", key.id, _said(key), [Seal("key", key.id)])
    return key, secret


def listing(session: ReadSession, caller: Caller) -> list[Key]:
    """All keys, the newest first. Raises Forbidden for who is no administrator."""
    _check_administers(caller)
    rows = session.scalars(select(KeyRow).order_by(KeyRow.created_at.desc(), KeyRow.id))
    return [_key(row) for row in rows if _within(caller, row)]


def revoke(session: WriteSession, caller: Caller, key_id: str) -> Key:
    """Ends a key, and who signed in with it, from the next call on. One that was revoked stays as it is.

    Raises Forbidden for who is no administrator, NotFound.
    """
    _check_administers(caller)
    row = session.get(KeyRow, key_id, with_for_update=True)
    if row is None or not _within(caller, row):
        raise NotFound(f"There is no key {key_id!r}; taiyi-rag keys list shows them")
    session.execute(delete(SessionRow).where(SessionRow.key_id == key_id))
    if row.revoked_at is None:
        row.revoked_at = datetime.now(UTC)
        audit.append(session, caller, "key.revoke", key_id, {"name": row.name}, [Seal("key", key_id)])
    return _key(row)


def find(session: ReadSession | WriteSession, secret: str) -> Key | None:
    """The key with this secret, as long as it holds."""
    if not _SECRET.fullmatch(secret):
        return None
    digest = digest_of(secret)
    row = session.scalars(select(KeyRow).where(KeyRow.digest == digest)).one_or_none()
    if row is None or not hmac.compare_digest(row.digest, digest):
        return None
    return holding(row)


def holding(row: KeyRow | None) -> Key | None:
    """The key of a row, where it was not revoked and has not expired."""
    key = None if row is None else _key(row)
    return key if key and key.state == "active" else None


def are_in_force(session: ReadSession | WriteSession) -> bool:
    """Whether a key was ever made."""
    return session.scalars(select(KeyRow.id).limit(1)).first() is not None


def _said(key: Key) -> dict[str, Any]:
    """What the audit record says of a new key."""
    return {
        "name": key.name,
        "role": key.role,
        "collections": key.collections,
        "recorded": key.recorded,
        "requests_per_minute": key.requests_per_minute,
        "expires_at": key.expires_at,
    }


def _check_administers(caller: Caller) -> None:
    if caller.role is not Role.ADMIN:
        raise Forbidden("Keys need a key with the role admin")


def _check_stated(
    caller: Caller,
    name: str,
    collections: list[str] | None,
    requests_per_minute: int | None,
    expires_at: datetime | None,
) -> None:
    if not 1 <= len(name.strip()) <= LONGEST_NAME or not name.isprintable():
        raise InvalidRequest(f"A key's name has 1 to {LONGEST_NAME} printable characters")
    if requests_per_minute is not None and requests_per_minute < 1:
        raise InvalidRequest("A key may make at least 1 request a minute; revoke one that may make none")
    if expires_at is not None and expires_at <= datetime.now(UTC):
        raise InvalidRequest("A key expires in the future")
    if collections is None:
        if caller.collections is not None:
            raise Forbidden("Name the collections of the key: a key for all takes someone who may read all")
        return
    if not collections or any(not one.strip() or len(one) > 100 for one in collections):
        raise InvalidRequest("Name at least one collection, each of 1 to 100 characters, or none at all for every one")
    for one in collections:
        if not caller.may_read(one):
            raise NotFound(f"There is no collection {one!r}")


def _within(caller: Caller, row: KeyRow) -> bool:
    """Whether a key may read no more than the caller: an administrator of some collections has no say in others."""
    if caller.collections is None:
        return True
    return row.collections is not None and caller.collections.issuperset(row.collections)


def _key(row: KeyRow) -> Key:
    state = "revoked" if row.revoked_at else "active"
    if state == "active" and row.expires_at is not None and row.expires_at <= datetime.now(UTC):
        state = "expired"
    return Key(
        id=row.id,
        name=row.name,
        role=Role(row.role),
        collections=None if row.collections is None else tuple(row.collections),
        recorded=row.recorded,
        requests_per_minute=row.requests_per_minute,
        state=state,
        created_at=row.created_at.isoformat(),
        expires_at=row.expires_at.isoformat() if row.expires_at else None,
        revoked_at=row.revoked_at.isoformat() if row.revoked_at else None,
    )
