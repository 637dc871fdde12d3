"""How much may be asked for, how often, by how many at a time, and how slowly."""

import asyncio
import contextlib
import http.client
import json
import math
import random
import socket
import threading
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn
from fastapi.testclient import TestClient
from serving import served

from api.connections import patient_for
from api.guard import MAX_JSON_BYTES, RECORDING_S, Guard
from api.limits import MOST_BUCKETS, Bucket, Buckets, Turns, taken
from api.schemas import MAX_QUESTION
from api.server import create_app
from conftest import new_home
from rag import keys
from rag.errors import Busy, TooManyRequests
from rag.settings import Settings
from rag.types import LOCAL_ADMIN, Role

PATIENCE_S = 1.0
SLACK_S = 8.0
"""A busy machine may be as much later."""
QUESTION = "Below which eGFR is metformin contraindicated?"


def test_in_no_minute_are_more_let_through_than_twice_the_rate_and_a_patient_caller_always_gets_through() -> None:
    """Against the definition: a bucket of n tokens lets through at most n + n * t / 60 requests in any t seconds."""
    chance = random.Random(8)
    for per_minute in (1, 7, 60, 600):
        bucket: Bucket | None = None
        let_through: list[float] = []
        now = 0.0
        for _ in range(1500):
            now += chance.expovariate(per_minute / 30)
            bucket, wait = taken(bucket, per_minute, now)
            if not wait:
                let_through.append(now)
            else:
                assert taken(bucket, per_minute, now + wait + 1e-6)[1] == 0
                assert taken(bucket, per_minute, now + wait * 0.99)[1] > 0
        for first in range(0, len(let_through), 10):
            for last in range(first, len(let_through), 10):
                elapsed = let_through[last] - let_through[first]
                assert last - first + 1 <= per_minute + per_minute * elapsed / 60 + 1e-6


def test_buckets_are_forgotten_only_beyond_a_number_and_the_oldest_first() -> None:
    buckets = Buckets()
    for number in range(MOST_BUCKETS):
        buckets.take(f"caller {number}", 1)
    with pytest.raises(TooManyRequests):
        buckets.take("caller 0", 1)  # which makes it the last one seen
    buckets.take("one more", 1)
    buckets.take("caller 1", 1)  # was forgotten
    with pytest.raises(TooManyRequests):
        buckets.take("caller 0", 1)


@pytest.fixture(scope="module")
def limited(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[TestClient, dict[str, str]]]:
    """A service with keys of which some have a rate of their own."""
    home = new_home(tmp_path_factory.mktemp("limited") / "home", models)
    app = create_app(Settings(home=home, requests_per_minute=8), with_worker=False)
    with TestClient(app, base_url="http://127.0.0.1:8000") as client:
        secrets = {}
        with app.state.system.database.writing() as session:
            for name, rate in (("slow", 3), ("usual", None), ("free", 100_000), ("chat", 1)):
                secrets[name] = keys.create(session, LOCAL_ADMIN, name, Role.READER, None, requests_per_minute=rate)[1]
        yield client, {name: f"Bearer {secret}" for name, secret in secrets.items()}


def test_each_key_has_its_rate_and_is_told_when_to_come_again(limited: tuple[TestClient, dict[str, str]]) -> None:
    client, keys_of = limited

    def statuses(name: str, times: int) -> list[int]:
        headers = {"authorization": keys_of[name]}
        return [client.get("/v1/collections", headers=headers).status_code for _ in range(times)]

    assert statuses("slow", 4) == [200] * 3 + [429]
    refused = client.get("/v1/collections", headers={"authorization": keys_of["slow"]})
    assert refused.headers["content-type"] == "application/problem+json"
    assert refused.json()["status"] == 429
    assert "3 requests a minute" in refused.json()["detail"]
    assert 1 <= int(refused.headers["retry-after"]) <= math.ceil(60 / 3)
    assert statuses("usual", 9) == [200] * 8 + [429]
    assert statuses("free", 30) == [200] * 30
    assert client.get("/healthz").status_code == 200


def test_the_openai_protocol_says_it_in_its_own_words(limited: tuple[TestClient, dict[str, str]]) -> None:
    client, keys_of = limited
    for expected in (200, 429):
        response = client.get("/v1/models", headers={"authorization": keys_of["chat"]})
        assert response.status_code == expected
    assert response.json()["error"]["type"] == "invalid_request_error"
    assert int(response.headers["retry-after"]) >= 1


def test_who_tries_keys_at_the_page_is_slowed_down(limited: tuple[TestClient, dict[str, str]]) -> None:
    client, _ = limited
    tries = [client.post("/v1/session", json={"key": f"trag_{number:043}"}).status_code for number in range(10)]
    assert tries == [401] * 8 + [429] * 2


def test_so_many_searches_run_so_many_wait_and_the_next_is_told_to_come_again() -> None:
    async def scenario() -> tuple[Counter[str], int]:
        turns, ran, most = Turns(at_once=2, queue=3), Counter[str](), 0

        async def search() -> None:
            nonlocal most
            try:
                async with turns.turn():
                    most = max(most, turns.running)
                    await asyncio.sleep(0.01)
                    ran["ran"] += 1
            except Busy as error:
                ran[f"busy, come again in {error.retry_after_s} s"] += 1

        await asyncio.gather(*(search() for _ in range(12)))
        async with turns.turn():  # afterwards all is as before
            assert (turns.running, turns.waiting) == (1, 0)
        return ran, most

    assert asyncio.run(scenario()) == ({"ran": 5, "busy, come again in 30 s": 7}, 2)


@pytest.fixture(scope="module")
def home(models: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return new_home(tmp_path_factory.mktemp("served") / "home", models)


@pytest.fixture(scope="module")
def client(home: Path) -> Iterator[httpx.Client]:
    """A process with little patience, and little room."""
    settings = {
        "RAG_CLIENT_TIMEOUT_S": str(PATIENCE_S),
        "RAG_SEARCH_CONCURRENCY": "1",
        "RAG_SEARCH_QUEUE": "1",
        "RAG_ANSWER_CONCURRENCY": "2",
        "RAG_MAX_UPLOAD_MB": "1",
    }
    with served(home, **settings) as opened:
        yield opened


@pytest.mark.parametrize(("path", "body"), [("/v1/search", {"query": QUESTION}), ("/v1/ask", {"question": QUESTION})])
def test_overload_is_refused_rather_than_piled_up(client: httpx.Client, path: str, body: dict[str, str]) -> None:
    with ThreadPoolExecutor(16) as pool:
        responses = list(pool.map(lambda _: client.post(path, json=body), range(48)))
    assert {response.status_code for response in responses} == {200, 503}
    for response in responses:
        assert (response.status_code == 503) == ("retry-after" in response.headers)
    assert client.post(path, json=body).status_code == 200


def connection(client: httpx.Client) -> socket.socket:
    opened = socket.socket()
    opened.connect(("127.0.0.1", client.base_url.port))
    opened.settimeout(PATIENCE_S + SLACK_S)
    return opened


def until_cut(opened: socket.socket, drip: bytes = b"") -> bytes:
    """What comes until the other end closes; meanwhile a byte of ``drip`` is sent now and then. Raises TimeoutError
    where it does not close in time."""
    said, began = b"", time.monotonic()
    opened.settimeout(0.2)
    while True:
        if time.monotonic() - began > PATIENCE_S + SLACK_S:
            raise TimeoutError
        try:
            part = opened.recv(65536)
            if not part:
                return said
            said += part
        except TimeoutError:
            if drip:
                opened.sendall(drip[:1])
        except ConnectionError:
            return said


@pytest.mark.parametrize(
    ("sent", "drip"),
    [
        (b"", b""),
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ", b""),
        (b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\nX-A: ", b"a"),
    ],
    ids=["nothing", "half a head", "a byte of it now and then"],
)
def test_who_does_not_get_a_head_done_is_cut_off(client: httpx.Client, sent: bytes, drip: bytes) -> None:
    with connection(client) as opened:
        opened.sendall(sent)
        began = time.monotonic()
        assert until_cut(opened, drip) == b""
        assert time.monotonic() - began > PATIENCE_S * 0.5


def test_the_second_request_of_a_connection_has_to_get_done_too(client: httpx.Client) -> None:
    with connection(client) as opened:
        opened.sendall(b"GET /healthz HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        response = http.client.HTTPResponse(opened)
        response.begin()
        assert (response.status, response.read()) == (200, b'{"status":"ok"}')
        opened.sendall(b"GET /hea")
        assert until_cut(opened, b"l") == b""


@pytest.mark.parametrize("drip", [b"", b" "], ids=["nothing more", "a byte now and then"])
@pytest.mark.parametrize("path", ["/v1/search", "/v1/documents"])
def test_a_body_that_does_not_come_is_a_408_and_the_end_of_the_connection(
    client: httpx.Client, path: str, drip: bytes
) -> None:
    kind = "application/json" if path == "/v1/search" else "multipart/form-data; boundary=x"
    begun = (
        b'{"query": ' if path == "/v1/search" else b'--x\r\ncontent-disposition: form-data; name="file"; filename="a"'
    )
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\nContent-Length: 900\r\n\r\n".encode()
    with connection(client) as opened:
        opened.sendall(head + begun)
        said = until_cut(opened, drip)
    first, _, body = said.partition(b"\r\n\r\n")
    assert first.startswith(b"HTTP/1.1 408"), first
    assert b"connection: close" in first.lower()
    assert json.loads(body)["title"] == "Too slow"


def test_a_body_at_a_fair_pace_is_waited_for(client: httpx.Client) -> None:
    def body() -> Iterator[bytes]:
        yield b'{"query": "metformin"'
        for _ in range(3):
            time.sleep(PATIENCE_S * 0.6)
            yield b" " * 10_000
        yield b"}"

    assert client.post("/v1/search", content=body(), headers={"content-type": "application/json"}).status_code == 200


@contextlib.contextmanager
def streaming() -> Iterator[tuple[str, int]]:
    """Where the protocol of the service serves an application that has much to say."""

    async def much(scope: Any, receive: Any, send: Any) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        for _ in range(800):
            await send({"type": "http.response.body", "body": b"x" * 65536, "more_body": True})
        await send({"type": "http.response.body"})

    config = uvicorn.Config(much, port=0, http=patient_for(PATIENCE_S), log_config=None, lifespan="off")
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.should_exit = True
    thread.join()


def is_kept(ends: Sequence[tuple[str, int]]) -> bool:
    """Whether the first end of a connection is open, as the kernel has it (state 01, ESTABLISHED)."""
    lines = Path("/proc/net/tcp").read_text().splitlines()[1:]
    return [*(f"0100007F:{port:04X}" for _, port in ends), "01"] in [line.split()[1:4] for line in lines]


def test_who_does_not_read_what_was_asked_for_is_cut_off() -> None:
    with streaming() as server, socket.socket() as opened:
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        opened.connect(server)
        ends = (server, opened.getsockname())
        opened.sendall(b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n")
        began = time.monotonic()
        while time.monotonic() < began + PATIENCE_S + SLACK_S and is_kept(ends):
            time.sleep(0.05)
        assert not is_kept(ends)
        assert time.monotonic() - began > PATIENCE_S * 0.5


def test_who_reads_slowly_but_steadily_gets_everything(client: httpx.Client) -> None:
    """Twice as long as a client may stand still."""
    one = len(client.get("/app.js").content)
    times = 4_000_000 // one
    head = b"GET /app.js HTTP/1.1\r\nHost: 127.0.0.1\r\n"
    with connection(client) as opened:
        opened.sendall((head + b"\r\n") * (times - 1) + head + b"Connection: close\r\n\r\n")
        read, began = 0, time.monotonic()
        while part := opened.recv(65536):
            read += len(part)
            time.sleep(max(0.0, began + 2 * PATIENCE_S * read / (one * times) - time.monotonic()))
    assert read > one * times


def test_sizes(client: httpx.Client) -> None:
    too_long = "x" * (MAX_QUESTION + 1)
    chat = {"model": "taiyi-rag", "messages": [{"role": "user", "content": too_long}]}
    for path, body, status in (
        ("/v1/search", {"query": too_long}, 422),
        ("/v1/ask", {"question": too_long}, 422),
        ("/v1/chat/completions", chat, 400),
        ("/v1/search", {"query": "x", "filters": {"title": "x" * MAX_JSON_BYTES}}, 413),
    ):
        response = client.post(path, json=body)
        assert response.status_code == status, (path, response.text)
        assert "detail" in response.json() or "error" in response.json()

    def unstated() -> Iterator[bytes]:
        for _ in range(20):
            yield b" " * 100_000

    assert client.post("/v1/search", content=unstated()).status_code == 413
    assert client.post("/v1/documents", files={"file": ("a.txt", b"x" * 1_100_000)}).status_code == 413
    assert client.get("/healthz", headers={"x-long": "x" * 100_000}).status_code == 431


def test_an_answer_that_takes_too_long_is_given_up(home: Path) -> None:
    """The language model is a socket at which nobody speaks."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        settings = {"RAG_LLM_URL": f"http://127.0.0.1:{silent.getsockname()[1]}/v1", "RAG_REQUEST_TIMEOUT_S": "2"}
        with served(home, **settings) as client:
            for more in ({}, {"stream": True}):
                began = time.monotonic()
                response = client.post("/v1/ask", json={"question": QUESTION, "mode": "ungrounded", **more})
                assert time.monotonic() - began < 2 + SLACK_S
                assert response.status_code == 503
                assert "longer than 2 s" in response.json()["detail"]
            assert client.post("/v1/ask", json={"question": QUESTION, "mode": "extractive"}).status_code == 200


def test_whatever_else_takes_too_long_is_given_up_too() -> None:
    async def never(scope: Any, receive: Any, send: Any) -> None:
        await receive()
        await asyncio.sleep(60)

    guarded = Guard(never, frozenset({"testserver"}), 1000, client_timeout_s=1, request_timeout_s=0.1)
    began = time.monotonic()
    response = TestClient(guarded).get("/v1/search")
    assert 0.1 + RECORDING_S <= time.monotonic() - began < 60
    assert response.status_code == 503
    assert response.json()["request_id"] == response.headers["x-request-id"]
