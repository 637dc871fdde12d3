"""The service held against its own OpenAPI document by Schemathesis: no 5xx, no status or form that is not declared."""

import shutil
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import schemathesis
import uvicorn
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from requests import Session
from schemathesis import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api import openapi
from api.reference import REFERENCE, page
from api.server import create_app
from conftest import find_free_port
from rag import keys
from rag.database import open_database
from rag.settings import Settings
from rag.types import LOCAL_ADMIN, Role

CHECKS = (
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
SCHEMA = schemathesis.openapi.from_dict(create_app(Settings()).openapi())
CALLS = {call.label: call for call in (result.ok() for result in SCHEMA.get_all_operations())}
STREAMS_ON = "GET /v1/jobs/{job_id}/events"
"""It goes on as long as its job waits, which here is for ever; ids that exist are kept from it."""
CLOSES = "POST /v1/keys"
"""From the first key on, nobody is let in without one."""


class Service:
    """The service at ``url`` with the sample documents, an answer and a job; ``secrets`` of keys by who has them."""

    def __init__(self, url: str, session: Session, secrets: dict[str, str]) -> None:
        self._url, self._session, self._secrets = url, session, secrets
        question = {"question": "Below which eGFR is metformin contraindicated?"}
        answer = session.post(f"{url}/v1/ask", json=question, headers=self.headers("admin")).json()
        uploaded = {"file": ("a.txt", b"Metformin is given.")}
        job = session.post(f"{url}/v1/documents", files=uploaded, headers=self.headers("admin")).json()
        cited = answer["citations"][0]
        self.known = {
            "answer_id": answer["id"],
            "job_id": job["job_id"],
            **{name: cited[name] for name in ("document_id", "passage_id", "edition_id")},
            "like_id": cited["document_id"],
            "name": "taiyi-rag",
        }

    def headers(self, who: str) -> dict[str, str]:
        secret = self._secrets.get(who)
        return {"authorization": f"Bearer {secret}"} if secret else {}

    def hold(self, case: schemathesis.Case, who: str) -> None:
        case.call_and_validate(
            session=self._session, base_url=self._url, checks=CHECKS, headers=self.headers(who), timeout=60
        )


@contextmanager
def opened(sample_home: Path, folder: Path, *callers: tuple[str, Role, list[str] | None]) -> Iterator[Service]:
    home = Path(shutil.copytree(sample_home, folder / "home", symlinks=True))
    settings = Settings(home=home, requests_per_minute=0)
    secrets = {}
    if callers:
        with open_database(settings.sql_url, audit_key=settings.audit_key) as database, database.writing() as session:
            for who, role, may in callers:
                secrets[who] = keys.create(session, LOCAL_ADMIN, who, role, may)[1]
    port = find_free_port()
    server = uvicorn.Server(uvicorn.Config(create_app(settings, with_worker=False), port=port, log_level="warning"))
    running = threading.Thread(target=server.run)
    running.start()
    try:
        while not server.started:
            assert running.is_alive(), "the server did not start"
            time.sleep(0.05)
        with Session() as session:
            yield Service(f"http://127.0.0.1:{port}", session, secrets)
    finally:
        server.should_exit = True
        running.join()


@pytest.fixture(scope="module")
def open_service(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """Without keys."""
    with opened(sample_home, tmp_path_factory.mktemp("open")) as service:
        yield service


@pytest.fixture(scope="module")
def service(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Service]:
    """With keys."""
    callers = (
        ("admin", Role.ADMIN, None),
        ("reader", Role.READER, ["default"]),
        ("editor", Role.EDITOR, ["elsewhere"]),
    )
    with opened(sample_home, tmp_path_factory.mktemp("keys"), *callers) as service:
        yield service


@pytest.mark.parametrize("operation", sorted(set(CALLS) - {CLOSES}))
def test_nothing_undeclared_comes_of_any_call_without_keys(open_service: Service, operation: str) -> None:
    hold(open_service, operation, "nobody", 3)


@pytest.mark.parametrize("operation", sorted(CALLS))
def test_nothing_undeclared_comes_of_any_call_with_keys(service: Service, operation: str) -> None:
    for who in ("nobody", "admin", "reader", "editor"):
        hold(service, operation, who, 2)


@pytest.mark.full
@pytest.mark.parametrize("who", ["nobody", "admin", "reader", "editor"])
@pytest.mark.parametrize("operation", sorted(CALLS))
def test_nothing_undeclared_comes_of_many_calls(service: Service, operation: str, who: str) -> None:
    hold(service, operation, who, 100)


def hold(service: Service, operation: str, who: str, examples: int) -> None:
    """Calls ``operation`` with values that fit its description and values that do not; in half of the calls the ids
    are those of what exists."""
    described = CALLS[operation]
    both = st.one_of(*(described.as_strategy(generation_mode=mode) for mode in GenerationMode))

    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(both, st.booleans())
    def holds(case: schemathesis.Case, with_known: bool) -> None:
        if with_known and operation != STREAMS_ON:
            for named in (case.path_parameters, case.query):
                for name in set(named or ()) & set(service.known):
                    named[name] = service.known[name]
        service.hold(case, who)

    holds()


def test_every_call_says_the_form_of_what_it_gives() -> None:
    for path, operations in SCHEMA.raw_schema["paths"].items():
        for method, said in operations.items():
            content = next(said["responses"][status] for status in said["responses"] if status < "4").get("content", {})
            if "application/json" in content and path != "/healthz":
                assert "$ref" in content["application/json"]["schema"], f"add {method} {path} to api.openapi.GIVES"
    listed = {(method, path) for path, operations in SCHEMA.raw_schema["paths"].items() for method in operations}
    assert set(openapi.GIVES) <= listed
    assert listed >= openapi.STREAMED


def test_the_written_reference_is_current() -> None:
    assert REFERENCE.read_text(encoding="utf-8") == page(SCHEMA.raw_schema), "run: python -m api.reference"
