"""What the harness of ``evaluate qa`` adds to the wall time of its prompts: the same prompts, at the same concurrency,
by the product's client and straight to vLLM, in turns.

    RAG_LLM_URL=http://127.0.0.1:8001/v1 python benchmarks/harness.py --items DIR/items.jsonl

Each turn begins every prompt with a word of its own, so that none is read from the server's prefix cache.
"""

import argparse
import asyncio
import json
import statistics
import time
import uuid
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from pathlib import Path

import httpx

from rag.asking_many import Chat, ask_many
from rag.llm import LanguageModel, open_language_model, run
from rag.settings import read_settings
from rag.types import GREEDY


def prompts(items: Path, count: int) -> list[Chat]:
    """The first prompts of a run that are answered by a choice."""
    with items.open(encoding="utf-8") as file:
        lines = [json.loads(line) for line in file]
    chats = [Chat(one["prompt"], one["system"], tuple(one["choices"])) for one in lines if one.get("choices")]
    return chats[:count]


async def straight(chats: Sequence[Chat], llm: LanguageModel, at_once: int) -> None:
    """Nothing but the requests."""
    model, turns = (await llm.served()).model, asyncio.Semaphore(at_once)
    async with httpx.AsyncClient(timeout=600) as client:

        async def ask(chat: Chat) -> None:
            body = {
                "model": model,
                "messages": [{"role": "system", "content": chat.system}, {"role": "user", "content": chat.user}],
                "temperature": GREEDY.temperature,
                "max_tokens": GREEDY.max_tokens,
                "structured_outputs": {"choice": list(chat.choices)},
            }
            async with turns:
                (await client.post(f"{llm.url}/chat/completions", json=body)).raise_for_status()

        await asyncio.gather(*map(ask, chats))


async def by_the_harness(chats: Sequence[Chat], llm: LanguageModel, at_once: int) -> None:
    await ask_many(chats, llm, GREEDY, at_once, lambda place, reply: None)


async def measured(chats: Sequence[Chat], llm: LanguageModel, at_once: int, turns: int) -> list[float]:
    """Of each turn the seconds by the harness over those straight."""
    await llm.warmed_up()
    ratios = []
    for turn in range(turns):
        seconds = {}
        ways: list[Callable[[Sequence[Chat], LanguageModel, int], Awaitable[None]]] = [straight, by_the_harness]
        for way in ways if turn % 2 == 0 else reversed(ways):
            fresh = [replace(one, system=f"{uuid.uuid4().hex[:8]} {one.system}") for one in chats]
            started = time.perf_counter()
            await way(fresh, llm, at_once)
            seconds[way] = time.perf_counter() - started
        ratios.append(seconds[by_the_harness] / seconds[straight])
        print(f"straight {seconds[straight]:.1f} s, by the harness {seconds[by_the_harness]:.1f} s: {ratios[-1]:.3f}")
    return ratios


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--items", type=Path, required=True, help="items.jsonl of a run of evaluate qa")
    parser.add_argument("--prompts", type=int, default=60)
    parser.add_argument("--turns", type=int, default=4)
    stated = parser.parse_args()
    settings = read_settings()
    llm = open_language_model(settings)
    if llm is None:
        parser.error("set RAG_LLM_URL to a vLLM server, such as that of make llm")
    chats = prompts(stated.items, stated.prompts)
    ratios = run(measured(chats, llm, settings.llm_concurrency, stated.turns), llm)
    print(f"{len(chats)} prompts, {settings.llm_concurrency} at once: median ratio {statistics.median(ratios):.3f}")


if __name__ == "__main__":
    main()
