"""How much later a reader sees the first word through the service than the language model writes it.

    python benchmarks/first_token.py --home H --llm http://127.0.0.1:8001/v1 -n 20

``H`` holds the sample documents; the service is started on it, on the last core where there are several, and vLLM is
best bound to another. Every question is asked through the service and, with the very same prompt, of vLLM itself, in
turn, the prompt in vLLM's prefix cache both times. From what the service takes longer, its retrieval and its judgement
of the evidence are subtracted, as the answer's own ``timings_ms`` state them. Then eight streams run at once, through
the service and straight from vLLM, while somebody searches. Times are milliseconds.
"""

import argparse
import asyncio
import json
import os
import random
import statistics
import subprocess
import sys
import time
from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing, contextmanager
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
from langchain_core.messages import convert_to_openai_messages
from latency import TOPICS

from rag.languages import language_of
from rag.llm import LanguageModel
from rag.prompting import contexts_of, grounded_prompt
from rag.retrieval import search
from rag.settings import Settings
from rag.system import open_system
from rag.types import LOCAL_ADMIN, Query, Sampling

SERVICE_TARGET, JUDGEMENT_TARGET = 30, 150
STREAMS = 8
LISTENED_S = 15
SAMPLING = Sampling(seed=1)
READY_WITHIN_S = 60


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with the body of the request that asks vLLM for the same words."""

    question: str
    body: dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("--llm", required=True, help="address of vLLM, ending in /v1")
    parser.add_argument("--top-k", type=int, default=2, help="passages in a prompt: a CPU reads few in good time")
    parser.add_argument("-n", type=int, default=20, help="questions asked one after another")
    arguments = parser.parse_args()
    questions = [f"What do the documents say about {TOPICS[n % len(TOPICS)]}?" for n in range(arguments.n)]
    asyncio.run(_measure(questions, arguments.home, arguments.llm, arguments.top_k))


async def _measure(questions: list[str], home: Path, llm: str, top_k: int) -> None:
    asked = await _prompts(questions, home, llm, top_k)
    with _service(home, llm) as url:
        async with httpx.AsyncClient(timeout=120, trust_env=False) as client:
            await _one_after_another(client, asked, url, llm, top_k)
            await _all_at_once(client, asked, url, llm, top_k)


async def _prompts(questions: list[str], home: Path, llm: str, top_k: int) -> list[Asked]:
    """What the service will send to vLLM for these questions."""
    settings = Settings(home=home, llm_url=llm)
    model, asked = LanguageModel(settings), []
    with open_system(settings) as system:
        for question in questions:
            hits = search(Query(question, top_k=top_k), LOCAL_ADMIN, system).hits
            contexts = contexts_of(hits, LOCAL_ADMIN, system)
            said = await grounded_prompt(question, language_of(question), contexts, model, SAMPLING.max_tokens)
            sampling = {name: getattr(SAMPLING, name) for name in SAMPLING.__slots__}
            messages = convert_to_openai_messages(list(said.messages))
            body = {"model": (await model.served()).model, "messages": messages, "stream": True, **sampling}
            asked.append(Asked(question, body))
    await model.aclose()
    return asked


@contextmanager
def _service(home: Path, llm: str) -> Iterator[str]:
    port = 18_000 + random.randrange(2000)
    url, cores = f"http://127.0.0.1:{port}", os.sched_getaffinity(0)
    command = [Path(sys.executable).with_name("taiyi-rag"), "serve", "--port", str(port), "--no-worker"]
    environment = {**os.environ, "RAG_HOME": str(home), "RAG_LLM_URL": llm}
    service = subprocess.Popen(["taskset", "-c", str(max(cores)), *map(str, command)], env=environment)
    try:
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and service.poll() is None:
            try:
                if httpx.get(f"{url}/readyz", timeout=5, trust_env=False).status_code == 200:
                    break
            except httpx.TransportError:
                time.sleep(0.2)
        yield url
    finally:
        service.terminate()
        service.wait()


async def _one_after_another(client: httpx.AsyncClient, asked: list[Asked], url: str, llm: str, top_k: int) -> None:
    rows: list[tuple[float, float, dict[str, float]]] = []
    for one in asked:
        await _first(_vllm_drafts(client, llm, one))  # into the prefix cache
        through = await _first(_service_drafts(client, url, one.question, top_k))
        own = await _first(_vllm_drafts(client, llm, one))
        timings = await _timings(client, url, one.question)
        if timings:
            rows.append((through, own, timings))
    print(f"{len(rows)} of {len(asked)} questions answered, one after another, top_k {top_k}")
    _print("first draft through the service", [through for through, _, _ in rows])
    _print("first token of vLLM itself", [own for _, own, _ in rows])
    for stage in ("understand", "retrieve", "judge", "prompt", "first_token"):
        _print(f"  {stage} (timings_ms)", [timings[stage] for _, _, timings in rows])
    _print(
        f"above vLLM, retrieval and judgement (target {SERVICE_TARGET})",
        [through - own - timings["retrieve"] - timings["judge"] for through, own, timings in rows],
    )
    _print(f"judgement of the evidence (target {JUDGEMENT_TARGET})", [timings["judge"] for _, _, timings in rows])


async def _all_at_once(client: httpx.AsyncClient, asked: list[Asked], url: str, llm: str, top_k: int) -> None:
    chosen = asked[:STREAMS]
    alone = await _searches(client, url, asyncio.sleep(LISTENED_S / 2))
    own = asyncio.gather(*(_gaps(_vllm_drafts(client, llm, one)) for one in chosen))
    beside_vllm = await _searches(client, url, own)
    through = asyncio.gather(*(_gaps(_service_drafts(client, url, one.question, top_k)) for one in chosen))
    beside_service = await _searches(client, url, through)
    print(f"{STREAMS} streams at once, {LISTENED_S} s of each from its first draft on")
    for name, streams in (("vLLM itself", own.result()), ("through the service", through.result())):
        spoken = [gaps for gaps in streams if gaps]
        _print(f"{name}: mean gap of a stream", [statistics.mean(gaps) for gaps in spoken])
        _print(f"{name}: worst gap of a stream", [max(gaps) for gaps in spoken])
    _print("/v1/search alone", alone)
    _print("/v1/search beside 8 streams of vLLM itself", beside_vllm)
    _print("/v1/search beside 8 streams through the service", beside_service)


async def _service_drafts(client: httpx.AsyncClient, url: str, question: str, top_k: int) -> AsyncGenerator[float]:
    body = {"question": question, "top_k": top_k, "seed": SAMPLING.seed, "stream": True}
    async with client.stream("POST", f"{url}/v1/ask", json=body) as response:
        async for line in response.aiter_lines():
            if line == "event: token":
                yield time.perf_counter()


async def _vllm_drafts(client: httpx.AsyncClient, llm: str, asked: Asked) -> AsyncGenerator[float]:
    async with client.stream("POST", f"{llm}/chat/completions", json=asked.body) as response:
        async for line in response.aiter_lines():
            if line.startswith("data: {"):
                choices = json.loads(line.removeprefix("data: "))["choices"]
                if choices and choices[0]["delta"].get("content"):
                    yield time.perf_counter()


async def _first(drafts: AsyncGenerator[float]) -> float:
    """Milliseconds to the first draft; the stream is closed then."""
    started = time.perf_counter()
    async with aclosing(drafts):
        async for at in drafts:
            return (at - started) * 1000
    return float("nan")


async def _gaps(drafts: AsyncGenerator[float]) -> list[float]:
    """Milliseconds between drafts, as long as they are listened to."""
    times: list[float] = []
    async with aclosing(drafts):
        async for at in drafts:
            times.append(at)
            if at - times[0] > LISTENED_S:
                break
    return [(later - earlier) * 1000 for earlier, later in pairwise(times)]


async def _searches(client: httpx.AsyncClient, url: str, until: Any) -> list[float]:
    """Milliseconds of searches, two a second, until something else is done."""
    task, times = asyncio.ensure_future(until), []
    while not task.done():
        started = time.perf_counter()
        query = f"{random.random()} {random.choice(TOPICS)}"
        (await client.post(f"{url}/v1/search", json={"query": query})).raise_for_status()
        times.append((time.perf_counter() - started) * 1000)
        await asyncio.sleep(0.5)
    return times


async def _timings(client: httpx.AsyncClient, url: str, question: str) -> dict[str, float]:
    """Those of the answer that was recorded when its stream was closed; none for an abstention."""
    for _ in range(50):
        latest = (await client.get(f"{url}/v1/answers", params={"limit": 1})).json()["answers"]
        if latest and latest[0]["question"] == question:
            answer = (await client.get(f"{url}/v1/answers/{latest[0]['id']}")).json()
            timings: dict[str, float] = answer["timings_ms"]
            return timings if "first_token" in timings else {}
        await asyncio.sleep(0.1)
    raise AssertionError(f"no answer was recorded for {question!r}")


def _print(name: str, times: list[float]) -> None:
    ranked = sorted(times)
    print(
        f"{name:<58} median {statistics.median(ranked):6.0f}   "
        f"p10 {ranked[len(ranked) // 10]:6.0f}   p90 {ranked[int(0.9 * len(ranked))]:6.0f}   max {ranked[-1]:6.0f}"
    )


if __name__ == "__main__":
    main()
