"""The HTTP calls about API keys, for administrators. A secret is in the reply to the call that makes it, and nowhere
else."""

from datetime import datetime
from typing import Annotated

from fastapi import APIRouter
from pydantic import BaseModel, ConfigDict, Field

from api import wire
from api.routes import Asker, OpenSystem
from rag import keys
from rag.audit import in_utc
from rag.errors import InvalidRequest
from rag.types import LOCAL_ADMIN, Role

router = APIRouter(prefix="/v1")


class KeyBody(BaseModel):
    """``collections`` left out: all. ``expires_at`` is in UTC where it names no time zone."""

    model_config = ConfigDict(extra="forbid")

    name: Annotated[str, Field(min_length=1, max_length=keys.LONGEST_NAME)]
    role: Role = Role.READER
    collections: list[str] | None = None
    recorded: bool = True
    requests_per_minute: Annotated[int, Field(ge=1, lt=2**31)] | None = None
    expires_at: datetime | None = None


@router.get("/keys")
def list_keys(system: OpenSystem, caller: Asker) -> wire.Json:
    """The keys without their secrets, newest first; of an administrator of some collections those that reach no
    further."""
    with system.database.reading() as session:
        return {"keys": [wire.key_json(key) for key in keys.listing(session, caller)]}


@router.post("/keys", status_code=201)
def create_key(body: KeyBody, system: OpenSystem, caller: Asker) -> wire.Json:
    """Makes a key; ``key`` is its secret, which is not kept and cannot be shown again. The first one has to be an
    administrator's for all collections: from then on nobody is let in without one."""
    if caller.id == LOCAL_ADMIN.id and (body.role is not Role.ADMIN or body.collections is not None):
        raise InvalidRequest(
            "Make an administrator's key for all collections first: from the first key on nobody is let in without one"
        )
    with system.database.writing() as session:
        key, secret = keys.create(
            session,
            caller,
            body.name,
            body.role,
            body.collections,
            recorded=body.recorded,
            requests_per_minute=body.requests_per_minute,
            expires_at=in_utc(body.expires_at) if body.expires_at else None,
        )
    return {**wire.key_json(key), "key": secret}


@router.delete("/keys/{key_id}")
def revoke_key(key_id: str, system: OpenSystem, caller: Asker) -> wire.Json:
    """Ends a key, and who signed in with it, from the next call on in every process."""
    with system.database.writing() as session:
        return wire.key_json(keys.revoke(session, caller, key_id))
