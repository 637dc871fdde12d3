"""Tokens of an OpenID provider, and signing in through it, against a provider that answers over HTTP."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi.testclient import TestClient
from joserfc import jwk
from openid_provider import AUDIENCE, CLIENT, SECRET, OpenIdProvider
from pydantic import ValidationError
from sqlalchemy import select

from api import oidc
from api.oidc import caller_of
from api.server import create_app
from conftest import new_home
from rag import keys
from rag.errors import Forbidden
from rag.settings import Settings
from rag.tables import AuditRow, SessionRow
from rag.types import LOCAL_ADMIN, Role

BASE = "http://127.0.0.1:8000"
GROUPS = {
    "cardiology": {"role": "editor", "collections": ["heart"]},
    "trainees": {"role": "reader", "collections": ["heart", "school"]},
    "nurses": {"role": "editor", "collections": ["wards"]},
    "it": {"role": "admin"},
}


@pytest.fixture(scope="module")
def provider() -> Iterator[OpenIdProvider]:
    opened = OpenIdProvider()
    yield opened
    opened.close()


@pytest.fixture(scope="module")
def app(provider: OpenIdProvider, models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    settings = Settings(
        home=new_home(tmp_path_factory.mktemp("oidc") / "home", models),
        oidc_issuer=provider.issuer,
        oidc_audience=AUDIENCE,
        oidc_client_id=CLIENT,
        oidc_client_secret=SECRET,
        oidc_groups=json.dumps(GROUPS),
    )
    opened = create_app(settings, with_worker=False)
    with TestClient(opened, base_url=BASE):
        yield opened


@pytest.fixture
def client(app: Any, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    """A browser of its own; the provider as it was in the beginning."""
    monkeypatch.setattr(oidc, "FETCH_AGAIN_AFTER_S", 0.0)
    before = provider.keys, provider.person
    yield TestClient(app, base_url=BASE, raise_server_exceptions=False, follow_redirects=False)
    provider.keys, provider.person = before
    provider.changed, provider.stated_issuer = {}, None


def told(client: TestClient, token: str) -> httpx.Response:
    return client.get("/v1/session", headers={"authorization": f"Bearer {token}"})


def encoded(part: bytes) -> str:
    return base64.urlsafe_b64encode(part).rstrip(b"=").decode()


def come_back(client: TestClient) -> str:
    """Begins a sign-in and lets the provider send the browser back: to which path."""
    begun = client.get("/v1/session/oidc")
    assert begun.status_code == 303
    there = httpx.get(begun.headers["location"])
    back = urlsplit(there.headers["location"])
    assert f"{back.scheme}://{back.netloc}{back.path}" == f"{BASE}/v1/session/oidc/callback"
    return f"{back.path}?{back.query}"


def test_a_token_gives_the_role_and_collections_of_its_groups(client: TestClient, provider: OpenIdProvider) -> None:
    said = told(client, provider.token()).json()
    assert (said["via"], said["role"], said["collections"]) == ("oidc", "editor", ["heart"])
    assert told(client, provider.token(groups=["it", "trainees"])).json()["collections"] is None
    assert told(client, provider.token(aud=["other", AUDIENCE])).status_code == 200
    assert told(client, provider.token(exp=int(time.time()) - 5)).status_code == 200  # clocks differ


def test_without_a_token_nothing_is_open_though_there_are_no_keys(client: TestClient) -> None:
    assert client.get("/v1/collections").status_code == 401
    assert client.get("/v1/session").json()["sign_in"] == ["key", "oidc"]


def test_an_api_key_is_taken_beside_tokens(client: TestClient, app: Any) -> None:
    with app.state.system.database.writing() as session:
        _, secret = keys.create(session, LOCAL_ADMIN, "beside", Role.READER)
    assert told(client, secret).json()["via"] == "key"


def test_a_token_that_is_not_the_providers_or_not_for_here_is_refused(
    client: TestClient, provider: OpenIdProvider, app: Any
) -> None:
    now = int(time.time())
    good = provider.token()
    head, claims, signature = good.split(".")
    forged = encoded(b'{"alg": "none"}')
    admin = json.dumps({**json.loads(base64.urlsafe_b64decode(claims + "==")), "groups": ["it"]}).encode()
    shared = encoded(b'{"alg": "HS256", "kid": "first"}')
    mac = hmac.new(provider.keys[0].as_pem(private=False), f"{shared}.{claims}".encode(), hashlib.sha256).digest()
    refused = {
        "expired": provider.token(exp=now - 3600),
        "not yet valid": provider.token(nbf=now + 3600),
        "from the future": provider.token(iat=now + 3600),
        "without an end": provider.token(exp=None),
        "another issuer": provider.token(iss="https://elsewhere.example"),
        "no issuer": provider.token(iss=None),
        "for another service": provider.token(aud="other"),
        "for the sign-in only": provider.token(aud=CLIENT),
        "for nobody": provider.token(aud=None),
        "of nobody": provider.token(sub=None),
        "of a key that is not theirs": provider.token(key=provider.new_key("first")),
        "of a key that nobody knows": provider.token(key=provider.new_key("unknown")),
        "signed with the public key as a secret": f"{shared}.{claims}.{encoded(mac)}",
        "unsigned": f"{forged}.{claims}.",
        "altered": f"{head}.{encoded(admin)}.{signature}",
        "cut": good[:-8],
        "nonsense": "a.b.c",
        "no token": "hello",
    }
    for kind, token in refused.items():
        response = told(client, token)
        assert (response.status_code, response.headers.get("www-authenticate")) == (401, 'Bearer realm="taiyi-rag"'), (
            kind
        )
        assert client.get("/v1/collections", headers={"authorization": f"Bearer {token}"}).status_code == 401, kind
    with app.state.system.database.reading() as session:
        noted = session.scalars(select(AuditRow).where(AuditRow.action == "sign_in.failed")).all()
    assert noted
    assert all(row.details["by"] == "token" for row in noted)


def test_who_is_in_no_known_group_is_known_and_may_nothing(client: TestClient, provider: OpenIdProvider) -> None:
    for groups in ([], ["strangers"], None, 7, {"it": True}, [["it"]]):
        refused = client.get("/v1/collections", headers={"authorization": f"Bearer {provider.token(groups=groups)}"})
        assert refused.status_code == 403
        assert "group" in refused.json()["detail"]


@pytest.mark.parametrize(
    ("groups", "role", "collections"),
    [
        (["trainees"], Role.READER, {"heart", "school"}),
        (["cardiology", "trainees"], Role.EDITOR, {"heart"}),
        (["cardiology", "nurses", "trainees"], Role.EDITOR, {"heart", "wards"}),
        (["nurses", "it"], Role.ADMIN, None),
        ("it", Role.ADMIN, None),
    ],
)
def test_nobody_becomes_an_editor_of_what_another_group_lets_them_read(
    groups: Any, role: Role, collections: set[str] | None
) -> None:
    settings = Settings(oidc_groups=json.dumps(GROUPS))
    caller = caller_of({"iss": "https://i", "sub": "s", "groups": groups}, settings, None, None)
    assert (caller.role, caller.collections) == (role, collections)
    assert caller.id == "oidc:https://i:s"


def test_groups_may_stand_inside_another_claim() -> None:
    settings = Settings(oidc_groups=json.dumps(GROUPS), oidc_groups_claim="realm_access.roles")
    claims: dict[str, Any] = {"iss": "https://i", "sub": "s", "realm_access": {"roles": ["it"]}}
    assert caller_of(claims, settings, None, None).role is Role.ADMIN
    named = Settings(oidc_groups=json.dumps(GROUPS), oidc_groups_claim="https://x.example/groups")
    assert caller_of({**claims, "https://x.example/groups": ["it"]}, named, None, None).role is Role.ADMIN
    with pytest.raises(Forbidden, match="group"):
        caller_of({**claims, "realm_access": ["it"]}, settings, None, None)


def test_a_new_key_of_the_provider_is_fetched_when_a_token_names_it(
    client: TestClient, provider: OpenIdProvider
) -> None:
    assert told(client, provider.token()).status_code == 200
    second = provider.new_key("second")
    provider.keys = [second, *provider.keys]
    assert told(client, provider.token(key=second)).status_code == 200
    curve = jwk.ECKey.generate_key("P-256", {"kid": "curve", "use": "sig"}, private=True)
    provider.keys = [second, curve]  # type: ignore[list-item]
    assert told(client, provider.token(key=curve, alg="ES256")).status_code == 200


def test_tokens_of_unknown_keys_do_not_make_the_service_ask_the_provider_each_time(
    client: TestClient, provider: OpenIdProvider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(oidc, "FETCH_AGAIN_AFTER_S", 60.0)
    told(client, provider.token())
    before = provider.asked["/realm/keys"]
    stranger = provider.new_key("stranger")
    for _ in range(20):
        assert told(client, provider.token(key=stranger)).status_code == 401
    assert provider.asked["/realm/keys"] - before <= 1
    assert provider.asked["/realm/.well-known/openid-configuration"] <= 2


def test_a_provider_that_does_not_answer_or_calls_itself_otherwise_is_a_503(
    models: Path, tmp_path: Path, provider: OpenIdProvider, free_port: int
) -> None:
    for issuer in (f"http://127.0.0.1:{free_port}", provider.issuer):
        provider.stated_issuer = "https://elsewhere.example"
        home = new_home(tmp_path / str(len(issuer)), models)
        app = create_app(Settings(home=home, oidc_issuer=issuer, oidc_audience=AUDIENCE), with_worker=False)
        with TestClient(app, base_url=BASE, raise_server_exceptions=False) as opened:
            refused = opened.get("/v1/collections", headers={"authorization": f"Bearer {provider.token()}"})
            assert (refused.status_code, "OpenID" in refused.text or "calls itself" in refused.text) == (503, True)
            assert opened.get("/v1/session/oidc").status_code == 404
    provider.stated_issuer = None


def test_signing_in_through_the_provider_gives_a_session_of_the_same_person(
    client: TestClient, provider: OpenIdProvider, app: Any
) -> None:
    back = client.get(come_back(client))
    assert (back.status_code, back.headers["location"]) == (303, "../../../")
    assert client.cookies["taiyi"]
    assert "taiyi-sign-in" not in client.cookies
    said = client.get("/v1/session").json()
    assert (said["via"], said["role"], said["collections"]) == ("session", "editor", ["heart"])
    assert client.post("/v1/search", json={"query": "x"}).status_code == 403
    token = {"x-csrf-token": said["csrf_token"]}
    assert client.post("/v1/search", json={"query": "x"}, headers=token).status_code == 200
    with app.state.system.database.reading() as session:
        [row] = session.scalars(select(SessionRow).where(SessionRow.key_id.is_(None))).all()
        assert row.caller_id == f"oidc:{provider.issuer}:u1"
        assert row.digest != client.cookies["taiyi"]
    assert client.delete("/v1/session", headers=token).status_code == 204
    assert client.get("/v1/collections").status_code == 401


def test_a_sign_in_counts_once_and_in_the_browser_that_began_it(client: TestClient, app: Any) -> None:
    back = come_back(client)
    another = TestClient(app, base_url=BASE, raise_server_exceptions=False, follow_redirects=False)
    assert another.get(back).status_code == 401
    state = client.cookies["taiyi-sign-in"]
    assert client.get(back.replace(state, "x" * len(state))).status_code == 401
    assert client.get("/v1/session/oidc/callback?error=access_denied").status_code == 401
    assert client.get(back).status_code == 303
    client.cookies.set("taiyi-sign-in", state)
    assert client.get(back).status_code == 401


@pytest.mark.parametrize(
    "changed",
    [{"nonce": "another"}, {"nonce": None}, {"aud": AUDIENCE}, {"azp": "another"}, {"exp": 1}, {"iss": "https://e"}],
)
def test_an_id_token_that_is_not_of_this_sign_in_is_refused(
    client: TestClient, provider: OpenIdProvider, changed: dict[str, Any]
) -> None:
    back = come_back(client)
    provider.changed = changed
    assert client.get(back).status_code == 401
    assert "taiyi" not in client.cookies


def test_a_code_without_its_verifier_is_not_redeemed(client: TestClient, provider: OpenIdProvider) -> None:
    """Whoever steals the code in the browser cannot use it: the provider holds it against the challenge."""
    back = come_back(client)
    for code in provider.codes:
        provider.codes[code]["code_challenge"] = "A" * 43
    assert client.get(back).status_code == 401


def test_who_is_in_no_group_is_not_signed_in(client: TestClient, provider: OpenIdProvider) -> None:
    provider.person = {"sub": "u2", "groups": []}
    assert client.get(come_back(client)).status_code == 403
    assert "taiyi" not in client.cookies


@pytest.mark.parametrize(
    "wrong",
    [
        {"oidc_issuer": "http://provider.example"},
        {"oidc_issuer": "provider"},
        {"public_url": "http://taiyi.example"},
        {"oidc_groups": "{"},
        {"oidc_groups": '{"it": {"role": "root"}}'},
        {"oidc_groups": '{"it": {"role": "admin", "collection": ["a"]}}'},
        {"trusted_proxies": "everyone"},
    ],
)
def test_settings_that_cannot_be_meant_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Settings(**wrong)
