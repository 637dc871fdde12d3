"""API keys: what is kept of them, who may make them, and when they hold. On SQLite and on PostgreSQL."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import select

from rag import audit, keys, sessions
from rag.errors import Forbidden, InvalidRequest, NotFound
from rag.system import System
from rag.tables import KeyRow, SessionRow, SignInRow
from rag.types import LOCAL_ADMIN, Caller, Role

HEART = Caller("key:heart", Role.ADMIN, frozenset({"heart"}))


def made(system: System, caller: Caller = LOCAL_ADMIN, role: Role = Role.READER, *collections: str, **more):
    with system.database.writing() as session:
        return keys.create(session, caller, more.pop("name", "a key"), role, collections or None, **more)


def found(system: System, secret: str) -> keys.Key | None:
    with system.database.reading() as session:
        return keys.find(session, secret)


def test_a_secret_is_random_shown_once_and_kept_as_its_digest_only(system: System) -> None:
    secrets = {made(system)[1] for _ in range(20)}
    assert len(secrets) == 20
    assert all(re.fullmatch(r"trag_[A-Za-z0-9_-]{43}", secret) for secret in secrets)
    with system.database.reading() as session:
        rows = session.scalars(select(KeyRow)).all()
        everything = str([vars(row) for row in rows]) + str(audit.entries(session, LOCAL_ADMIN))
    assert not any(secret.removeprefix("trag_") in everything for secret in secrets)
    assert {row.digest for row in rows} == {keys.digest_of(secret) for secret in secrets}


def test_a_key_is_found_by_its_whole_secret_and_says_who_calls(system: System) -> None:
    key, secret = made(system, LOCAL_ADMIN, Role.EDITOR, "heart", "lung", recorded=False, requests_per_minute=7)
    assert found(system, secret) == key
    assert key.caller("10.0.0.1", "r1") == Caller(
        f"key:{key.id}", Role.EDITOR, frozenset({"heart", "lung"}), False, "10.0.0.1", "r1"
    )
    for wrong in (secret[:-1], secret + "x", secret.upper(), secret.removeprefix("trag_"), keys.digest_of(secret), ""):
        assert found(system, wrong) is None


def test_a_key_holds_until_it_expires_or_is_revoked(system: System) -> None:
    key, secret = made(system, expires_at=datetime.now(UTC) + timedelta(hours=1))
    assert found(system, secret) is not None
    with system.database.writing() as session:
        session.get_one(KeyRow, key.id).expires_at = datetime.now(UTC)
    assert found(system, secret) is None
    other, secret = made(system)
    with system.database.writing() as session:
        first = keys.revoke(session, LOCAL_ADMIN, other.id)
    with system.database.writing() as session:
        assert keys.revoke(session, LOCAL_ADMIN, other.id) == first
    assert found(system, secret) is None
    with system.database.reading() as session:
        assert {one.id: one.state for one in keys.listing(session, LOCAL_ADMIN)} == {
            key.id: "expired",
            other.id: "revoked",
        }
        assert keys.are_in_force(session)
        actions = [(entry.action, entry.subject) for entry in audit.entries(session, LOCAL_ADMIN)]
    assert actions.count(("key.revoke", other.id)) == 1
    assert {("key.create", key.id), ("key.create", other.id)} <= set(actions)


def test_only_administrators_have_a_say_in_keys_and_in_no_more_than_they_may_read(system: System) -> None:
    key, _ = made(system)
    for caller in (Caller("e", Role.EDITOR), Caller("r", Role.READER)):
        with pytest.raises(Forbidden, match="admin"):
            made(system, caller)
        with system.database.writing() as session, pytest.raises(Forbidden):
            keys.revoke(session, caller, key.id)
        with system.database.reading() as session, pytest.raises(Forbidden):
            keys.listing(session, caller)
    with pytest.raises(NotFound, match="lung"):
        made(system, HEART, Role.READER, "heart", "lung")
    with pytest.raises(Forbidden, match="collections"):
        made(system, HEART)
    theirs, _ = made(system, HEART, Role.ADMIN, "heart")
    with system.database.reading() as session:
        assert [one.id for one in keys.listing(session, HEART)] == [theirs.id]
    for unknown in (key.id, "never"):
        with system.database.writing() as session, pytest.raises(NotFound, match=unknown):
            keys.revoke(session, HEART, unknown)


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": ""},
        {"name": "a\nb"},
        {"name": "x" * 201},
        {"requests_per_minute": 0},
        {"expires_at": datetime(2020, 1, 1, tzinfo=UTC)},
    ],
)
def test_what_a_key_cannot_be_is_refused(lite_system: System, wrong: dict) -> None:
    with pytest.raises(InvalidRequest):
        made(lite_system, LOCAL_ADMIN, Role.READER, "heart", **wrong)
    with lite_system.database.writing() as session, pytest.raises(InvalidRequest, match="collection"):
        keys.create(session, LOCAL_ADMIN, "none", Role.READER, [])


def test_a_session_rests_on_its_key_and_on_its_time(system: System) -> None:
    key, _ = made(system, LOCAL_ADMIN, Role.READER, "heart")
    with system.database.writing() as session:
        token, ends = sessions.begin(session, key.caller(), key, timedelta(hours=1))
        short, _ = sessions.begin(session, key.caller(), key, timedelta(0))
    with system.database.reading() as session:
        signed_in = sessions.find(session, token, "10.0.0.1", "r1")
        assert sessions.find(session, short, None, None) is None
        assert sessions.find(session, token + "x", None, None) is None
        assert token not in str([vars(row) for row in session.scalars(select(SessionRow))])
    assert signed_in is not None
    assert (signed_in.caller, signed_in.expires_at) == (key.caller("10.0.0.1", "r1"), ends.isoformat())
    with system.database.writing() as session:
        session.get_one(KeyRow, key.id).collections = ["lung"]
    with system.database.reading() as session:
        again = sessions.find(session, token, None, None)
    assert again is not None
    assert again.caller.collections == {"lung"}
    with system.database.writing() as session:
        keys.revoke(session, LOCAL_ADMIN, key.id)
    with system.database.reading() as session:
        assert sessions.find(session, token, None, None) is None


def test_a_sign_in_is_redeemed_once_and_in_time(system: System) -> None:
    with system.database.writing() as session:
        begun, late = sessions.begin_sign_in(session), sessions.begin_sign_in(session)
        session.get_one(SignInRow, keys.digest_of(late.state)).expires_at = datetime.now(UTC)
    redeemed = []
    for state in (begun.state, begun.state, late.state, "never"):
        with system.database.writing() as session:
            redeemed.append(sessions.redeem_sign_in(session, state))
    assert redeemed == [begun, None, None, None]
    assert len(begun.challenge) == 43
    assert begun.verifier != late.verifier


def test_the_csrf_token_follows_from_the_cookie_and_does_not_give_it_away() -> None:
    assert sessions.csrf_token("one") == sessions.csrf_token("one") != sessions.csrf_token("other")
    assert "one" not in sessions.csrf_token("one")
