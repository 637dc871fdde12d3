"""Who may call the service, what each may do, and what does not exist for whom it is not meant."""

import itertools
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from fastapi.testclient import TestClient
from sqlalchemy import select

from api.access import NOBODY
from api.failures import AT_ONCE
from api.server import create_app
from conftest import new_home
from ingestion.pipeline import Reader, discover, ingest
from rag import keys
from rag.embedding import Embedder
from rag.settings import Settings
from rag.system import System, open_system
from rag.tables import AuditRow, KeyRow
from rag.types import LOCAL_ADMIN, Role

BASE = "http://127.0.0.1:8000"
TEXTS = {
    "open": "# Tazoline\n\nTazoline 20 mg once daily lowers blood pressure in adults.\n",
    "closed": "# Quoxin\n\nQuoxin 35 mg twice daily lowers blood pressure in secret.\n",
    "other": "# Vexol\n\nVexol 4 mg at night lowers blood pressure elsewhere.\n",
}
QUESTION = "Which drug lowers blood pressure?"
KEYS: dict[str, tuple[Role, tuple[str, ...] | None]] = {
    "admin": (Role.ADMIN, None),
    "reader": (Role.READER, ("open",)),
    "editor": (Role.EDITOR, ("open",)),
    "closed": (Role.EDITOR, ("closed",)),
    "both": (Role.READER, ("open", "closed")),
    "both too": (Role.READER, ("open", "closed")),
}


@dataclass(frozen=True, slots=True)
class Service:
    client: TestClient
    system: System
    secrets: dict[str, str]

    def call(self, who: str | None, method: str, address: str, **more: Any) -> httpx.Response:
        headers = {"authorization": f"Bearer {self.secrets[who]}"} if who else {}
        return self.client.request(method, address, headers={**headers, **more.pop("headers", {})}, **more)

    def new_key(self, role: Role, collections: tuple[str, ...] | None = None, **more: Any) -> tuple[str, str]:
        with self.system.database.writing() as session:
            key, secret = keys.create(session, LOCAL_ADMIN, "a test's", role, collections, **more)
        return key.id, secret

    def audited(self, action: str) -> list[AuditRow]:
        with self.system.database.reading() as session:
            return list(session.scalars(select(AuditRow).where(AuditRow.action == action).order_by(AuditRow.number)))


@pytest.fixture(scope="module")
def service(
    tmp_path_factory: pytest.TempPathFactory, models: Path, embedder: Embedder, reader: Reader
) -> Iterator[Service]:
    """A service over three collections, with a key of each kind."""
    folder = tmp_path_factory.mktemp("access")
    home = new_home(folder / "home", models)
    with open_system(Settings(home=home)) as opened:
        system = replace(opened, embedder=embedder)
        secrets = {}
        for name, text in TEXTS.items():
            (folder / f"{name}.md").write_text(text)
            ingest(discover([folder / f"{name}.md"]), name, system, reader=reader)
        for name, (role, collections) in KEYS.items():
            with system.database.writing() as session:
                _, secrets[name] = keys.create(session, LOCAL_ADMIN, name, role, collections)
        app = create_app(Settings(home=home, ingest_roots=str(folder)), with_worker=False)
        with TestClient(app, base_url=BASE, raise_server_exceptions=False) as client:
            yield Service(client, system, secrets)


@pytest.fixture(autouse=True)
def _no_cookies(request: pytest.FixtureRequest) -> Iterator[None]:
    yield
    if "service" in request.fixturenames:
        request.getfixturevalue("service").client.cookies.clear()


def routes(client: TestClient) -> list[tuple[str, str]]:
    """Every call that the service describes, with something in the place of each parameter."""
    described = client.get("/openapi.json").json()["paths"]
    return [
        (method.upper(), re.sub(r"\{\w+\}", "1", path))
        for path, methods in described.items()
        for method in methods
        if path.startswith("/v1/")
    ]


def test_every_call_wants_to_know_who_asks(service: Service) -> None:
    asked = routes(service.client)
    assert len(asked) > 25
    for method, path in asked:
        if path.startswith("/v1/session"):
            continue
        for headers in ({}, {"authorization": "Bearer trag_" + "x" * 43}, {"authorization": "Basic YTpi"}):
            refused = service.client.request(method, path, headers=headers, content=b"{")
            assert (refused.status_code, refused.headers["www-authenticate"][:6]) == (401, "Bearer"), (method, path)
    assert service.client.get("/v1/no-such-call").status_code == 401
    for open_to_all in ("/healthz", "/readyz", "/", "/openapi.json"):
        assert service.client.get(open_to_all).status_code == 200


def test_a_refusal_is_a_problem_and_under_the_openai_protocol_its_envelope(service: Service) -> None:
    refused = service.client.post("/v1/search", json={"query": "x"})
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["status"] == 401
    assert refused.json()["request_id"] == refused.headers["x-request-id"]
    enveloped = service.client.post("/v1/chat/completions", json={})
    assert enveloped.status_code == 401
    assert "taiyi-rag keys create" in enveloped.json()["error"]["message"]


def test_the_body_of_a_stranger_is_not_read(service: Service) -> None:
    def body() -> Iterator[bytes]:
        yield b"{"
        raise AssertionError("the body was read")

    assert service.client.post("/v1/ask", content=itertools.islice(body(), 1)).status_code == 401


def test_a_reader_searches_and_asks_and_changes_nothing(service: Service) -> None:
    assert service.call("reader", "POST", "/v1/search", json={"query": QUESTION}).status_code == 200
    answer = service.call("reader", "POST", "/v1/ask", json={"question": QUESTION}).json()
    assert service.call("reader", "GET", f"/v1/answers/{answer['id']}").json()["text"] == answer["text"]
    document = _document(service, "open")
    for method, address, more in (
        ("DELETE", f"/v1/documents/{document}", {}),
        ("DELETE", f"/v1/documents/{document}?purge=true", {}),
        ("POST", f"/v1/documents/{document}/retire", {"json": {}}),
        ("POST", "/v1/documents", {"files": {"file": ("a.md", b"# A")}, "data": {"collection": "open"}}),
        ("POST", "/v1/jobs", {"json": {"paths": ["/tmp"], "collection": "open"}}),
        ("GET", "/v1/proposals", {}),
        ("POST", f"/v1/proposals/{document}/{document}", {"json": {"accept": True}}),
    ):
        refused = service.call("reader", method, address, **more)
        assert (refused.status_code, "editor" in refused.text) == (403, True), (method, address, refused.text)


def test_an_editor_retires_and_loads_but_purges_nothing_and_reads_no_folder(service: Service) -> None:
    document = _document(service, "open")
    retired = service.call("editor", "POST", f"/v1/documents/{document}/retire", json={"on": "2099-01-01"})
    assert retired.status_code == 200
    assert service.call("editor", "POST", f"/v1/documents/{document}/retire", json={"undo": True}).status_code == 200
    assert service.call("editor", "DELETE", f"/v1/documents/{document}?purge=true").status_code == 403
    folders = service.call("editor", "POST", "/v1/jobs", json={"paths": ["/tmp"], "collection": "open"})
    assert folders.status_code == 403
    loaded = _uploaded(service, "editor", "open")
    assert service.call("editor", "GET", f"/v1/jobs/{loaded}").status_code == 200
    assert service.call("closed", "GET", f"/v1/jobs/{loaded}").status_code == 404
    assert service.call("admin", "GET", f"/v1/jobs/{loaded}").status_code == 200


def test_what_is_closed_to_a_key_answers_as_what_never_was(service: Service) -> None:
    """Each id of the closed collection, and one that nobody ever had, give the same answer but for the id."""
    document, passage = _document(service, "closed"), _passage(service, "closed")
    answer = service.call("closed", "POST", "/v1/ask", json={"question": QUESTION}).json()["id"]
    job = _uploaded(service, "closed", "closed")
    proposal = f"{document}/{_document(service, 'other')}"
    calls: list[tuple[str, str, str, dict[str, Any]]] = [
        ("GET", "/v1/documents/{}", document, {}),
        ("GET", "/v1/documents/{}/history", document, {}),
        ("GET", "/v1/documents/{}/flagged", document, {}),
        ("DELETE", "/v1/documents/{}", document, {}),
        ("DELETE", "/v1/documents/{}?purge=true", document, {}),
        ("POST", "/v1/documents/{}/retire", document, {"json": {}}),
        ("GET", "/v1/passages/{}", passage, {}),
        ("GET", "/v1/passages/{}/boxes", passage, {}),
        ("GET", "/v1/passages/{}/page.png", passage, {}),
        ("GET", "/v1/answers/{}", answer, {}),
        ("GET", "/v1/jobs/{}", job, {}),
        ("DELETE", "/v1/jobs/{}", job, {}),
        ("POST", "/v1/jobs/{}/retry", job, {}),
        ("GET", "/v1/jobs/{}/events", job, {}),
        ("POST", "/v1/proposals/{}", proposal, {"json": {"accept": True}}),
        ("GET", "/v1/documents?collection={}", "closed", {}),
    ]
    for method, address, known, more in calls:
        never = known.translate(str.maketrans("0123456789abcdef", "1032547698badcfe")) if len(known) > 9 else "97531"
        told = [
            _without_names(service.call("editor", method, address.format(one), **more), one) for one in (known, never)
        ]
        assert told[0] == told[1], address
        assert told[0][0] == 404, address
    for body, address in (({"query": QUESTION}, "/v1/search"), ({"question": QUESTION}, "/v1/ask")):
        told = [
            _without_names(service.call("editor", "POST", address, json={**body, "collections": ["open", one]}), one)
            for one in ("closed", "never")
        ]
        assert told[0] == told[1]
        assert told[0][0] == 404
    upload = {"files": {"file": ("a.md", b"# A")}}
    told = [
        _without_names(service.call("editor", "POST", "/v1/documents", data={"collection": one}, **upload), one)
        for one in ("closed", "never")
    ]
    assert told[0] == told[1]


def test_nothing_of_a_closed_collection_is_found_counted_or_listed(service: Service) -> None:
    document = _document(service, "closed")
    service.call("closed", "POST", "/v1/ask", json={"question": QUESTION})
    _uploaded(service, "closed", "closed")
    told = [
        service.call("editor", "POST", "/v1/search", json={"query": "Quoxin twice daily", "top_k": 100}),
        service.call("editor", "POST", "/v1/ask", json={"question": "How is Quoxin given?"}),
        service.call("editor", "GET", "/v1/collections"),
        service.call("editor", "GET", "/v1/documents"),
        service.call("editor", "GET", "/v1/removals"),
        service.call("editor", "GET", "/v1/proposals"),
        service.call("editor", "GET", "/v1/jobs"),
        service.call("editor", "GET", "/v1/answers"),
    ]
    for response in told:
        assert response.status_code == 200
        assert "35 mg" not in response.text
        assert "closed" not in response.text
        assert document not in response.text
    assert [one["name"] for one in told[2].json()["collections"]] == ["open"]
    assert told[3].json()["total"] == len(told[3].json()["documents"])


def test_a_merged_document_does_not_say_what_it_became(service: Service, reader: Reader, tmp_path: Path) -> None:
    """A former id leads to a document; to whom that is closed, the refusal names the former id."""
    from rag.identity import merge_documents

    for name in ("former", "later"):
        (tmp_path / f"{name}.md").write_text(f"# {name}\n\nThe {name} text of Narpine 3 mg.\n")
        ingest(discover([tmp_path / f"{name}.md"]), "merged", service.system, reader=reader)
    with service.system.database.writing() as session:
        ids = [row["id"] for row in service.call("admin", "GET", "/v1/documents?collection=merged").json()["documents"]]
        merge_documents(session, ids[0], ids[1])
    for method, path in (("GET", ""), ("DELETE", ""), ("POST", "/retire")):
        body = {"json": {}} if method == "POST" else {}
        refused = service.call("editor", method, f"/v1/documents/{ids[0]}{path}", **body)
        assert (refused.status_code, ids[1] in refused.text, ids[0] in refused.text) == (404, False, True)


def test_an_answer_is_seen_by_its_asker_and_administrators_only(service: Service) -> None:
    answer = service.call("both", "POST", "/v1/ask", json={"question": QUESTION}).json()["id"]
    assert service.call("both", "GET", f"/v1/answers/{answer}").status_code == 200
    assert service.call("admin", "GET", f"/v1/answers/{answer}").status_code == 200
    assert service.call("both too", "GET", f"/v1/answers/{answer}").status_code == 404
    listed = {who: service.call(who, "GET", "/v1/answers").text for who in ("both", "admin", "both too")}
    assert [answer in listed[who] for who in ("both", "admin", "both too")] == [True, True, False]


def test_an_answer_and_what_followed_it_end_with_the_right_to_what_they_drew_on(service: Service) -> None:
    """The same key, once it may read less: gone are the answer from the closed collection and the follow-up to it, also
    one that drew on the open collection alone; what came before stays."""
    key_id, secret = service.new_key(Role.READER, ("open", "closed"))
    headers = {"authorization": f"Bearer {secret}"}

    def ask(question: str, *collections: str, **more: str) -> str:
        body = {"question": question, "collections": list(collections), **more}
        return str(service.client.post("/v1/ask", json=body, headers=headers).raise_for_status().json()["id"])

    first = ask("How is Tazoline given?", "open")
    second = ask("And Quoxin?", "closed", conversation_id=first)
    third = ask("How is Tazoline given in adults?", "open", conversation_id=first)
    apart = ask("How is Tazoline given?", "open")

    def seen() -> list[int]:
        return [
            service.client.get(f"/v1/answers/{one}", headers=headers).status_code
            for one in (first, second, third, apart)
        ]

    assert seen() == [200, 200, 200, 200]
    with service.system.database.writing() as session:
        session.get_one(KeyRow, key_id).collections = ["open"]
    assert seen() == [200, 404, 404, 200]
    listed = service.client.get("/v1/answers", headers=headers).json()["answers"]
    assert {one["id"] for one in listed} == {first, apart}
    follow_up = {"question": "And at night?", "conversation_id": first}
    assert service.client.post("/v1/ask", json=follow_up, headers=headers).status_code == 404


def test_a_key_that_is_made_revoked_or_expires_is_so_at_the_next_call(service: Service) -> None:
    key_id, secret = service.new_key(Role.READER, expires_at=datetime.now(UTC) + timedelta(seconds=30))
    headers = {"authorization": f"Bearer {secret}"}
    assert service.client.get("/v1/collections", headers=headers).status_code == 200
    with service.system.database.writing() as session:
        session.get_one(KeyRow, key_id).expires_at = datetime.now(UTC)
    assert service.client.get("/v1/collections", headers=headers).status_code == 401
    key_id, secret = service.new_key(Role.READER)
    headers = {"authorization": f"Bearer {secret}"}
    assert service.client.get("/v1/collections", headers=headers).status_code == 200
    with service.system.database.writing() as session:
        keys.revoke(session, LOCAL_ADMIN, key_id)
    assert service.client.get("/v1/collections", headers=headers).status_code == 401


def test_a_revoked_key_ends_the_stream_that_was_begun_with_it(service: Service) -> None:
    key_id, secret = service.new_key(Role.ADMIN)
    job = _uploaded(service, "editor", "open")  # stays queued: nobody runs jobs here

    def revoke() -> None:
        time.sleep(1.5)
        with service.system.database.writing() as session:
            keys.revoke(session, LOCAL_ADMIN, key_id)

    with ThreadPoolExecutor(1) as threads:
        threads.submit(revoke)
        told = service.client.get(f"/v1/jobs/{job}/events", headers={"authorization": f"Bearer {secret}"})
    assert (told.status_code, told.text.count("event: progress"), told.text.count("event: error")) == (200, 1, 1)
    assert '"status": 401' in told.text


def test_what_a_key_does_is_recorded_as_its_doing(service: Service) -> None:
    with service.system.database.reading() as session:
        key = keys.find(session, service.secrets["editor"])
    assert key is not None
    document = _document(service, "open")
    retired = service.call("editor", "POST", f"/v1/documents/{document}/retire", json={"on": "2099-01-01"})
    assert service.call("editor", "POST", f"/v1/documents/{document}/retire", json={"undo": True}).status_code == 200
    [row] = [row for row in service.audited("retire") if row.request_id == retired.headers["x-request-id"]]
    assert (row.caller_id, row.address) == (f"key:{key.id}", "testclient")
    [created] = [row for row in service.audited("key.create") if row.subject == key.id]
    assert (created.caller_id, created.details["role"], created.details["collections"]) == ("local", "editor", ["open"])


# Sessions of the page


def _signed_in(service: Service, who: str) -> dict[str, Any]:
    response = service.client.post("/v1/session", json={"key": service.secrets[who]})
    assert response.status_code == 200, response.text
    body: dict[str, Any] = response.json()
    return body


def test_a_session_is_a_cookie_that_no_script_and_no_other_site_can_use(service: Service) -> None:
    response = service.client.post("/v1/session", json={"key": service.secrets["reader"]})
    cookie = response.headers["set-cookie"]
    assert cookie.startswith("taiyi=")
    assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
    assert "Secure" not in cookie
    assert service.secrets["reader"] not in response.text + cookie
    signed_in = service.client.get("/v1/session").json()
    assert (signed_in["via"], signed_in["role"], signed_in["collections"]) == ("session", "reader", ["open"])
    assert signed_in["csrf_token"] == response.json()["csrf_token"]
    assert service.client.get("/v1/collections").json()["collections"][0]["name"] == "open"


def test_over_https_the_cookie_is_secure_and_bound_to_its_host(service: Service) -> None:
    client = TestClient(service.client.app, base_url="https://127.0.0.1:8000")
    response = client.post("/v1/session", json={"key": service.secrets["reader"]})
    assert response.headers["set-cookie"].startswith("__Host-taiyi=")
    assert {"HttpOnly", "SameSite=strict", "Path=/", "Secure"} <= set(response.headers["set-cookie"].split("; "))
    assert client.get("/v1/collections").status_code == 200
    service.client.cookies.set("__Host-taiyi", client.cookies["__Host-taiyi"])
    assert service.client.get("/v1/collections").status_code == 401


def test_a_write_with_the_cookie_needs_the_csrf_token(service: Service) -> None:
    token = _signed_in(service, "reader")["csrf_token"]
    search = {"json": {"query": QUESTION}}
    for headers in ({}, {"x-csrf-token": ""}, {"x-csrf-token": "0" * 64}, {"x-csrf-token": "é".encode("latin-1")}):
        refused = service.client.post("/v1/search", headers=headers, **search)
        assert (refused.status_code, "X-CSRF-Token" in refused.text) == (403, True)
    assert service.client.post("/v1/search", headers={"x-csrf-token": token}, **search).status_code == 200
    assert service.client.delete("/v1/session").status_code == 403
    first = service.client.cookies["taiyi"]
    _signed_in(service, "reader")
    assert service.client.cookies["taiyi"] != first
    assert service.client.post("/v1/search", headers={"x-csrf-token": token}, **search).status_code == 403


def test_signing_out_ends_the_session_and_so_does_revoking_its_key(service: Service) -> None:
    token = _signed_in(service, "reader")["csrf_token"]
    cookie = service.client.cookies["taiyi"]
    assert service.client.delete("/v1/session", headers={"x-csrf-token": token}).status_code == 204
    service.client.cookies.set("taiyi", cookie)
    assert service.client.get("/v1/collections").status_code == 401
    assert service.client.get("/v1/session").json()["sign_in"] == ["key"]
    service.client.cookies.clear()
    key_id, secret = service.new_key(Role.READER)
    assert service.client.post("/v1/session", json={"key": secret}).status_code == 200
    assert service.client.get("/v1/collections").status_code == 200
    with service.system.database.writing() as session:
        keys.revoke(session, LOCAL_ADMIN, key_id)
    assert service.client.get("/v1/collections").status_code == 401


def test_a_session_ends_with_its_key_at_the_latest(service: Service) -> None:
    ends = datetime.now(UTC) + timedelta(minutes=5)
    _, secret = service.new_key(Role.READER, expires_at=ends)
    said = service.client.post("/v1/session", json={"key": secret}).json()
    assert datetime.fromisoformat(said["expires_at"]) == ends


def test_a_key_in_the_header_goes_before_the_cookie(service: Service) -> None:
    _signed_in(service, "reader")
    assert service.call("admin", "GET", "/v1/session").json()["role"] == "admin"
    wrong = {"authorization": "Bearer trag_" + "y" * 43}
    assert service.client.get("/v1/collections", headers=wrong).status_code == 401


def test_failed_sign_ins_are_recorded_without_what_was_sent_and_cannot_flood_the_record(service: Service) -> None:
    before = len(service.audited("sign_in.failed"))
    guessed = "trag_" + "g" * 43
    with ThreadPoolExecutor(4) as threads:
        said = list(
            threads.map(lambda _: service.client.post("/v1/session", json={"key": guessed}).status_code, range(60))
        )
    assert set(said) == {401}
    rows = service.audited("sign_in.failed")
    assert len(rows) - before <= AT_ONCE + 5
    assert all(row.caller_id == NOBODY.id and row.address == "testclient" and row.request_id for row in rows)
    assert guessed not in str([row.details for row in rows])
    assert rows
    signed_in = len(service.audited("sign_in"))
    _signed_in(service, "reader")
    assert len(service.audited("sign_in")) == signed_in + 1


# Where there are no keys


@pytest.fixture
def keyless(home: Path, embedder: Embedder) -> Iterator[tuple[TestClient, Any]]:
    app = create_app(Settings(home=home), with_worker=False)
    with TestClient(app, base_url=BASE) as client:
        yield client, app


def test_without_keys_this_machine_may_do_everything_and_no_other_anything(keyless: tuple[TestClient, Any]) -> None:
    here, app = keyless
    assert here.get("/v1/collections").status_code == 200
    assert here.get("/v1/session").json()["via"] == "open"
    assert here.get("/v1/collections", headers={"authorization": "Bearer anything"}).status_code == 200
    assert here.get("/v1/collections", headers={"x-forwarded-for": "127.0.0.1"}).status_code == 401
    for address, status in (("127.0.0.1", 200), ("::1", 200), ("10.1.2.3", 401), ("2001:db8::1", 401)):
        there = TestClient(app, base_url=BASE, client=(address, 1234))
        assert there.get("/v1/collections").status_code == status, address


def test_the_first_key_closes_the_service_at_once_and_revoking_it_does_not_open_it(
    keyless: tuple[TestClient, Any], home: Path
) -> None:
    client, _ = keyless
    assert client.get("/v1/collections").status_code == 200
    with open_system(Settings(home=home)) as elsewhere:
        with elsewhere.database.writing() as session:
            key, secret = keys.create(session, LOCAL_ADMIN, "first", Role.ADMIN)
        assert client.get("/v1/collections").status_code == 401
        headers = {"authorization": f"Bearer {secret}"}
        assert client.get("/v1/collections", headers=headers).status_code == 200
        with elsewhere.database.writing() as session:
            keys.revoke(session, LOCAL_ADMIN, key.id)
        assert client.get("/v1/collections", headers=headers).status_code == 401
        assert client.get("/v1/collections").status_code == 401


def _document(service: Service, collection: str) -> str:
    found = service.call("admin", "GET", f"/v1/documents?collection={collection}").json()["documents"]
    return str(found[0]["id"])


def _passage(service: Service, collection: str) -> str:
    body = {"query": "blood pressure", "collections": [collection]}
    return str(service.call("admin", "POST", "/v1/search", json=body).json()["hits"][0]["passage_id"])


def _uploaded(service: Service, who: str, collection: str) -> str:
    response = service.call(
        who, "POST", "/v1/documents", files={"file": ("a.md", b"# A")}, data={"collection": collection}
    )
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


def _without_names(response: httpx.Response, named: str) -> tuple[int, str]:
    """A refusal without its request's id and without the id that was asked for."""
    text = response.text.replace(response.headers["x-request-id"], "")
    for part in named.split("/"):
        text = text.replace(part, "")
    return response.status_code, text
