"""What the service says on stderr: a line for each request in JSON, and never what was asked or with which key."""

import json
import logging
from pathlib import Path
from typing import Any

import httpx
import pytest
from serving import LOG, served

from conftest import new_home
from rag import keys
from rag.logs import REQUEST_ID, JsonLines
from rag.settings import Settings
from rag.system import open_system
from rag.types import LOCAL_ADMIN, Role

QUESTION = "Is zebrafishine given to Mr Wintergreen, born 1 February 1961?"


@pytest.fixture(scope="module")
def said(models: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, dict[str, httpx.Response], str]:
    """The log of a service that was asked for all sorts of things, the responses, and the key they were asked with."""
    home = new_home(tmp_path_factory.mktemp("logged") / "home", models)
    with open_system(Settings(home=home)) as system, system.database.writing() as session:
        key, secret = keys.create(session, LOCAL_ADMIN, "a test's", Role.ADMIN)
    headers = {"authorization": f"Bearer {secret}"}
    with served(home, RAG_LOG_FORMAT="json", RAG_METRICS_KEY="s3cret-of-the-figures") as client:
        responses = {
            "search": client.post("/v1/search", json={"query": QUESTION}, headers=headers),
            "ask": client.post("/v1/ask", json={"question": QUESTION}, headers=headers),
            "stream": client.post("/v1/ask", json={"question": QUESTION, "stream": True}, headers=headers),
            "bad": client.post("/v1/ask", json={"question": QUESTION, "mode": QUESTION}, headers=headers),
            "unavailable": client.post("/v1/ask", json={"question": QUESTION, "mode": "grounded"}, headers=headers),
            "stranger": client.post(
                "/v1/search", json={"query": QUESTION}, headers={"authorization": "Bearer trag_no"}
            ),
            "host": client.get("/healthz", headers={"host": "elsewhere.example"}),
            "page": client.get("/app.js"),
            "figures": client.get("/metrics", headers={"authorization": "Bearer s3cret-of-the-figures"}),
        }
    return (home / LOG).read_text(), responses, f"{key.id} {secret}"


def lines(log: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.splitlines()]


def test_every_line_is_an_object_that_says_when_and_who_speaks(said: tuple[str, dict[str, Any], str]) -> None:
    for line in lines(said[0]):
        assert {"at", "level", "logger", "message"} <= line.keys()
        assert line["at"].endswith("+00:00")


def test_each_request_has_a_line(said: tuple[str, dict[str, httpx.Response], str]) -> None:
    log, responses, key = said
    by_id = {line["request_id"]: line for line in lines(log) if line["logger"] == "api.requests"}
    expected = {
        "search": ("POST", "/v1/search", 200),
        "ask": ("POST", "/v1/ask", 200),
        "stream": ("POST", "/v1/ask", 200),
        "bad": ("POST", "/v1/ask", 422),
        "unavailable": ("POST", "/v1/ask", 503),
        "stranger": ("POST", "other", 401),
        "host": ("GET", "other", 421),
        "page": ("GET", "other", 200),
        "figures": ("GET", "/metrics", 200),
    }
    for name, (method, route, status) in expected.items():
        line = by_id[responses[name].headers["x-request-id"]]
        assert (line["method"], line["route"], line["status"]) == (method, route, status), name
        assert responses[name].status_code == status
        assert 0 < line["ms"] < 600_000
        if name in ("search", "ask", "stream", "bad", "unavailable"):
            assert line["caller"] == f"key:{key.split()[0]}"
        else:
            assert "caller" not in line


def test_what_failed_is_told_with_the_id_of_its_request(said: tuple[str, dict[str, httpx.Response], str]) -> None:
    log, responses, _ = said
    ids = {line.get("request_id") for line in lines(log) if line["level"] == "warning"}
    assert {responses["unavailable"].headers["x-request-id"], responses["stranger"].headers["x-request-id"]} <= ids


def test_nothing_that_was_asked_and_no_secret_is_in_the_log(said: tuple[str, dict[str, httpx.Response], str]) -> None:
    log, _, key = said
    for word in ("zebrafishine", "Wintergreen", "1961", "February", key.split()[1], "trag_no", "s3cret"):
        assert word not in log


def test_a_line_keeps_its_fields_and_a_traceback() -> None:
    REQUEST_ID.set("r1")
    try:
        raise ValueError("wrong")
    except ValueError as error:
        record = logging.LogRecord("rag", logging.ERROR, "", 0, "it %s", ("broke",), (ValueError, error, None))
    record.fields = {"route": "/v1/检索"}
    line = json.loads(JsonLines().format(record))
    assert (line["message"], line["level"], line["route"], line["request_id"]) == (
        "it broke",
        "error",
        "/v1/检索",
        "r1",
    )
    assert "ValueError" in line["traceback"]
    assert "test_logs.py" in line["traceback"]
    REQUEST_ID.set(None)
