"""Many prompts put to the language model, as many at one time as it may write."""

import asyncio
import time
from collections.abc import Callable, Iterable, Mapping
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rag.errors import ModelFailed
from rag.exact_answers import answers_schema

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

    from rag.llm import LanguageModel
    from rag.types import Sampling

HOPELESS = 8
"""After so many refusals before the first reply the model is taken to refuse everything."""


@dataclass(frozen=True, slots=True)
class Chat:
    """What is asked. With ``choices`` the reply is one of them, with ``answers`` JSON of at most so many short answers
    (``rag.exact_answers``), both by constrained decoding."""

    user: str
    system: str = ""
    choices: tuple[str, ...] = ()
    answers: int = 0

    def messages(self) -> list["BaseMessage"]:
        from langchain_core.messages import HumanMessage, SystemMessage

        return [*([SystemMessage(self.system)] if self.system else []), HumanMessage(self.user)]


@dataclass(frozen=True, slots=True)
class Reply:
    """``error`` is why there is no text, for a prompt that the model refused, such as one longer than it can read.
    ``finish_reason`` is ``stop``, or ``length`` where the reply was cut."""

    text: str
    finish_reason: str = ""
    usage: Mapping[str, int] = field(default_factory=dict)
    seconds: float = 0.0
    error: str = ""


async def ask_many(
    prompts: Iterable[str | Chat],
    llm: "LanguageModel",
    sampling: "Sampling",
    at_once: int,
    on_reply: Callable[[int, Reply], object],
) -> None:
    """A text alone is a prompt too. ``on_reply`` hears of each prompt by its place, in the order in which they are
    answered. Raises Unavailable where the model is gone, and ModelFailed where it refuses all; what was answered by
    then has been heard of."""
    waiting = iter(enumerate(prompts))
    answered = refused = 0

    async def ask_in_turn() -> None:
        nonlocal answered, refused
        for place, prompt in waiting:
            try:
                reply = await _reply(prompt, llm, sampling)
                answered += 1
            except ModelFailed as error:
                refused += 1
                if not answered and refused >= HOPELESS:
                    raise
                reply = Reply("", error=str(error))
            on_reply(place, reply)

    try:
        async with asyncio.TaskGroup() as group:
            for _ in range(at_once):
                group.create_task(ask_in_turn())
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None


async def _reply(prompt: str | Chat, llm: "LanguageModel", sampling: "Sampling") -> Reply:
    chat = Chat(prompt) if isinstance(prompt, str) else prompt
    started = time.perf_counter()
    text = finish_reason = ""
    usage: Mapping[str, int] = {}
    if chat.choices:
        chosen = await llm.chosen(chat.messages(), chat.choices, sampling)
        return Reply(chosen.text, chosen.finish_reason or "", chosen.usage, time.perf_counter() - started)
    if chat.answers:
        written = await llm.written(chat.messages(), answers_schema(chat.answers), sampling)
        return Reply(written.text, written.finish_reason or "", written.usage, time.perf_counter() - started)
    async with aclosing(llm.stream(chat.messages(), sampling)) as pieces:
        async for piece in pieces:
            text += piece.text
            if piece.finish_reason:
                finish_reason, usage = piece.finish_reason, piece.usage
    return Reply(text, finish_reason, usage, time.perf_counter() - started)
