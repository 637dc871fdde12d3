"""The whole path: the service as a process, a real vLLM behind it, and real clients before it.

SmolLM2 hardly ever cites, so what is kept of its answers is little or nothing: these tests look at how an answer comes
about, is cut off and recorded, never at how good it is.
"""

import asyncio
import json
import os
import random
import shutil
import statistics
import subprocess
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from langchain_core.messages import HumanMessage
from vllm_server import VllmServer

from conftest import EXECUTABLE, find_free_port
from rag.llm import LanguageModel
from rag.settings import Settings
from rag.types import GREEDY

pytest_plugins = ["vllm_fixtures"]

METFORMIN = "Below which eGFR is metformin contraindicated?"
READY_WITHIN_S = 120
HANGS_AFTER_S = 3
STREAMS = 8


@contextmanager
def service(home: Path, llm: str, **settings: str) -> Iterator[httpx.Client]:
    """``taiyi-rag serve`` as a process of its own, alive though the language model may not be, and a client of it."""
    port = find_free_port()
    environment = {name: value for name, value in os.environ.items() if not name.startswith("RAG_")}
    with (home / "serve.log").open("ab") as log:
        process = subprocess.Popen(
            [EXECUTABLE, "serve", "--port", str(port), "--no-worker"],
            env={**environment, "RAG_HOME": str(home), "RAG_LLM_URL": llm, **settings},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", timeout=120) as client:
            deadline = time.monotonic() + READY_WITHIN_S
            while not is_alive(client):
                assert time.monotonic() < deadline, (home / "serve.log").read_text()[-2000:]
                time.sleep(0.1)
            yield client
    finally:
        process.terminate()
        process.wait(30)


def is_alive(client: httpx.Client) -> bool:
    try:
        return client.get("/healthz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.fixture(scope="module")
def home(sample_home: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return Path(shutil.copytree(sample_home, tmp_path_factory.mktemp("whole") / "home", symlinks=True))


@pytest.fixture(scope="module")
def client(home: Path, vllm: VllmServer) -> Iterator[httpx.Client]:
    with service(home, vllm.url) as opened:
        yield opened


@pytest.fixture(scope="module")
def impatient(home: Path, vllm: VllmServer) -> Iterator[httpx.Client]:
    """A service that soon takes a silent model for a hanging one."""
    with service(home, vllm.url, RAG_LLM_TIMEOUT_S=str(HANGS_AFTER_S)) as opened:
        yield opened


def chat(client: httpx.Client, mode: str = "grounded", question: str = METFORMIN, **options: Any) -> dict[str, Any]:
    """The recorded answer to a question that was asked by the OpenAI protocol, where its length can be bounded."""
    body = {"model": f"taiyi-rag-{mode}", "messages": [{"role": "user", "content": question}], "top_k": 1, "seed": 5}
    response = client.post("/v1/chat/completions", json={**body, "max_tokens": 40, **options})
    assert response.status_code == 200, response.text
    return recorded(client, response.json()["answer"]["id"])


def recorded(client: httpx.Client, answer_id: str) -> dict[str, Any]:
    answer: dict[str, Any] = client.get(f"/v1/answers/{answer_id}").json()
    return answer


def asked(client: httpx.Client, **options: Any) -> httpx.Response:
    return client.post("/v1/ask", json={"question": METFORMIN, "top_k": 1, "seed": 5, **options})


@contextmanager
def streamed(client: httpx.Client, **options: Any) -> Iterator[Iterator[tuple[str, dict[str, Any], float]]]:
    """The events of an answer as they come: name, data and when."""
    body = {"question": METFORMIN, "top_k": 1, "seed": 5, "stream": True, **options}
    with client.stream("POST", "/v1/ask", json=body) as response:
        assert response.status_code == 200
        yield events(response)


def events(response: httpx.Response) -> Iterator[tuple[str, dict[str, Any], float]]:
    name = ""
    for line in response.iter_lines():
        if line.startswith("event: "):
            name = line.removeprefix("event: ")
        elif line.startswith("data: "):
            yield name, json.loads(line.removeprefix("data: ")), time.monotonic()


def latest(client: httpx.Client, status: str, within_s: float = 5) -> dict[str, Any]:
    """The newest answer, once it has that status."""
    deadline = time.monotonic() + within_s
    while True:
        [summary] = client.get("/v1/answers", params={"limit": 1}).json()["answers"]
        if summary["status"] == status:
            return recorded(client, summary["id"])
        assert time.monotonic() < deadline, summary
        time.sleep(0.05)


def wait_until_idle(vllm: VllmServer, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while running := vllm.metric("vllm:num_requests_running"):
        assert time.monotonic() < deadline, f"{running:.0f} requests still run"
        time.sleep(0.02)


def written(answer: dict[str, Any]) -> list[str]:
    """Everything the model was found to have said."""
    return [sentence["text"] for sentence in answer["withheld"] + answer["sentences"]]


def assert_exact(client: httpx.Client, answer: dict[str, Any]) -> None:
    """Sentences and citations stand where they say."""
    for sentence in answer["sentences"]:
        assert answer["text"][sentence["start"] : sentence["end"]] == sentence["text"]
        assert set(sentence["citations"]) <= {citation["marker"] for citation in answer["citations"]}
    shown = {passage["passage_id"] for passage in answer["passages"]}
    for citation in answer["citations"]:
        source = {"edition_id": citation["edition_id"]}
        document = client.get(f"/v1/documents/{citation['document_id']}", params=source).json()
        assert document["text"][citation["char_start"] : citation["char_end"]] == citation["quote"]
        assert citation["passage_id"] in shown


def test_a_grounded_answer_is_cited_and_recorded_with_what_it_came_from(client: httpx.Client) -> None:
    answer = chat(client)
    assert (answer["mode"], answer["model"], answer["language"]) == ("grounded", "smollm2", "en")
    assert answer["prompt"].startswith("grounded.en@")
    taiyi2 = {"temperature": 0.3, "top_p": 0.7, "top_k": 20, "repetition_penalty": 1.05}
    assert answer["sampling"] == {**taiyi2, "max_tokens": 40, "seed": 5}
    assert answer["usage"]["prompt_tokens"] > 100
    assert 0 < answer["usage"]["completion_tokens"] <= 40
    assert written(answer)
    assert answer["citations"]  # of what was kept, or of what is quoted instead
    assert answer["passages"]
    assert {"retrieve", "judge", "prompt", "first_token", "generate", "total"} <= answer["timings_ms"].keys()
    assert_exact(client, answer)


def test_a_prompt_seen_before_comes_from_the_cache_and_a_seed_repeats_its_answer(client: httpx.Client) -> None:
    chat(client)
    first, second = chat(client), chat(client)
    assert first["usage"]["cached_tokens"] > 100
    assert first["usage"] == second["usage"]
    assert written(first) == written(second) != []
    replayed = client.post(f"/v1/answers/{second['id']}/replay").json()
    assert (replayed["identical"], replayed["retrieval"], replayed["text"]) == (True, "same", "same")
    assert written(replayed["answer"]) == written(second)


def test_an_answer_from_memory_cites_nothing_and_says_so(client: httpx.Client) -> None:
    answer = chat(client, "ungrounded", "What is metformin?")
    assert (answer["mode"], answer["citations"], answer["passages"]) == ("ungrounded", [], [])
    assert "without any source" in " ".join(answer["notices"])
    assert answer["text"]


def test_a_stream_tells_an_answer_as_it_comes_about(client: httpx.Client) -> None:
    with streamed(client) as told:
        came = list(told)
    names = [name for name, _, _ in came]
    tokens = [(data["text"], at) for name, data, at in came if name == "token"]
    [answer] = [data for name, data, _ in came if name == "answer"]
    assert (names[0], names[-2:]) == ("passages", ["answer", "done"])
    assert set(names[1:-2]) == {"token", "sentence"}
    assert len(tokens) > 0.8 * answer["usage"]["completion_tokens"]  # one by one, not in lumps
    assert sum(later - earlier > 0.005 for (_, earlier), (_, later) in pairwise(tokens)) > 0.5 * len(tokens)
    judged = [data for name, data, _ in came if name == "sentence"]
    assert [one["text"] for one in judged if one["kept"]] == [one["text"] for one in answer["sentences"]]
    assert [one["text"] for one in judged if not one["kept"]] == [one["text"] for one in answer["withheld"]]
    assert came[-1][1] == {"id": answer["id"]}
    assert recorded(client, answer["id"]) == {**answer, "own": True, "feedback": None}
    assert_exact(client, answer)


def test_a_reader_who_closes_the_stream_ends_the_writing(client: httpx.Client, vllm: VllmServer) -> None:
    with streamed(client) as told:
        drafts = (name for name, _, _ in told if name == "token")
        for _ in range(5):
            next(drafts)
        assert vllm.metric("vllm:num_requests_running") == 1
    wait_until_idle(vllm, within_s=1)
    answer = latest(client, "partial")
    assert "The connection was closed" in answer["notices"][-1]
    assert answer["prompt"].startswith("grounded.en@")


def test_a_reader_who_gives_up_on_an_answer_ends_the_writing(client: httpx.Client, vllm: VllmServer) -> None:
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/ask", json={"question": METFORMIN, "top_k": 1, "seed": 6}, timeout=3)
    wait_until_idle(vllm, within_s=1)
    assert latest(client, "partial")["sampling"]["seed"] == 6


def test_the_model_chooses_one_of_the_choices(vllm: VllmServer) -> None:
    async def chosen() -> str:
        model = LanguageModel(Settings(llm_url=vllm.url))
        try:
            messages = [HumanMessage("Does aspirin reduce fever? Answer in one long sentence.")]
            return await model.choose(messages, ("yes", "no", "maybe"), GREEDY)
        finally:
            await model.aclose()

    assert asyncio.run(chosen()) in ("yes", "no", "maybe")


def test_eight_streams_end_well_and_searches_go_on_beside_them(client: httpx.Client) -> None:
    search(client)
    alone = [search(client) for _ in range(20)]
    begun = [threading.Event() for _ in range(STREAMS)]
    with ThreadPoolExecutor(STREAMS) as threads:
        streams = [threads.submit(stream_a_chat, client, seed, begun[seed]) for seed in range(STREAMS)]
        assert all(one.wait(60) for one in begun)
        beside = []
        while not all(stream.done() for stream in streams):
            beside.append(search(client))
        last_chunks = [stream.result() for stream in streams]
    answers = [recorded(client, chunk["answer"]["id"]) for chunk in last_chunks]
    assert [answer["sampling"]["seed"] for answer in answers] == list(range(STREAMS))
    assert all(answer["usage"]["completion_tokens"] > 0 for answer in answers)
    # other tests run at the same time, and not in both halves alike
    assert statistics.median(beside) < max(3 * statistics.median(alone), 0.5), (alone, beside)
    assert sorted(beside)[int(0.95 * len(beside))] < 1.5, beside


def search(client: httpx.Client) -> float:
    """The seconds that a search takes whose question was not asked before."""
    started = time.monotonic()
    response = client.post("/v1/search", json={"query": f"{random.random()} kidney function and metformin"})
    assert response.status_code == 200
    return time.monotonic() - started


def stream_a_chat(client: httpx.Client, seed: int, begun: threading.Event) -> dict[str, Any]:
    """The last chunk; ``begun`` is set when the model was asked."""
    body = {"model": "taiyi-rag", "messages": [{"role": "user", "content": METFORMIN}], "top_k": 1, "stream": True}
    data = ""
    with client.stream(
        "POST", "/v1/chat/completions", json={**body, "seed": seed, "temperature": 1, "max_tokens": 100}
    ) as response:
        assert response.status_code == 200
        for line in response.iter_lines():
            if line.startswith("data: "):
                begun.set()
                before, data = data, line.removeprefix("data: ")
    assert data == "[DONE]"
    last: dict[str, Any] = json.loads(before)
    return last


def test_the_official_client_asks_and_reads_a_stream(client: httpx.Client) -> None:
    with openai.OpenAI(base_url=f"{client.base_url}/v1", api_key="none", max_retries=0) as official:
        assert "taiyi-rag-grounded" in [model.id for model in official.models.list()]
        options: dict[str, Any] = {
            "model": "taiyi-rag",
            "messages": [{"role": "user", "content": METFORMIN}],
            "max_tokens": 30,
            "seed": 5,
            "extra_body": {"top_k": 1},
        }
        whole = official.chat.completions.create(**options)
        chunks = list(official.chat.completions.create(**options, stream=True, stream_options={"include_usage": True}))
    text = "".join(chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices)
    assert whole.choices[0].message.content == text != ""
    assert whole.usage is not None
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.completion_tokens == whole.usage.completion_tokens > 0
    assert whole.model_dump()["citations"] == chunks[-1].model_dump()["citations"] != []


def test_a_model_that_hangs_is_told_in_time_and_works_when_it_goes_on(
    impatient: httpx.Client, vllm: VllmServer
) -> None:
    with streamed(impatient, seed=1) as told:
        assert "token" in [name for name, _, _ in (next(told) for _ in range(2))]
    vllm.pause()
    try:
        started = time.monotonic()
        response = asked(impatient)
        assert response.status_code == 503
        assert "said nothing for 3 s" in response.json()["detail"]
        assert time.monotonic() - started < HANGS_AFTER_S + 5
        assert recorded(impatient, response.json()["answer_id"])["status"] == "failed"
        checks = impatient.get("/readyz")
        assert checks.status_code == 503
        assert "said nothing" in checks.json()["checks"]["language model"]
    finally:
        vllm.resume()
    assert chat(impatient)["usage"]["completion_tokens"] > 0


def test_a_model_that_is_killed_and_comes_back(client: httpx.Client, vllm: VllmServer) -> None:
    try:
        with streamed(client) as told:
            for name, _, _ in told:
                if name == "token":
                    break
            vllm.kill()
            name, problem, _ = list(told)[-1]
        assert (name, problem["status"]) == ("error", 503)
        assert "language model" in problem["detail"]
        failed = recorded(client, problem["answer_id"])
        assert (failed["status"], failed["failure"]) == ("failed", problem["detail"])
        assert failed["passages"]

        response = asked(client)
        assert response.status_code == 503
        assert "make llm" in response.json()["detail"]
        checks = client.get("/readyz")
        assert checks.status_code == 503
        assert "make llm" in checks.json()["checks"]["language model"]
        assert client.get("/healthz").status_code == 200

        quoted = asked(client, fallback="extractive").json()
        assert (quoted["mode"], quoted["status"]) == ("extractive", "answered")
        assert quoted["citations"]
        assert "The language model could not answer" in quoted["notices"][0]
        assert_exact(client, quoted)
    finally:
        vllm.kill()
        vllm.start()
    assert client.get("/readyz").status_code == 200
    assert chat(client)["usage"]["completion_tokens"] > 0


def test_a_service_starts_without_its_model_and_finds_it_later(home: Path, vllm: VllmServer) -> None:
    vllm.pause()
    try:
        with service(home, vllm.url, RAG_LLM_TIMEOUT_S=str(HANGS_AFTER_S)) as started:
            assert asked(started, mode="extractive").json()["citations"]
            vllm.resume()
            assert chat(started)["usage"]["completion_tokens"] > 0
    finally:
        vllm.resume()
