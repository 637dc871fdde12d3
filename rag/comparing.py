"""The same question answered with evidence and without it, and what the evidence changed."""

import asyncio
import uuid
from dataclasses import dataclass, replace

from rag.answering import answered, drawn_sampling
from rag.differences import Difference, difference
from rag.llm import run
from rag.system import System
from rag.types import Answer, AnswerMode, Ask, Caller


@dataclass(frozen=True, slots=True)
class Comparison:
    id: str
    question: str
    grounded: Answer
    ungrounded: Answer
    difference: Difference


def compare(ask: Ask, caller: Caller, system: System) -> Comparison:
    """The comparison, for a caller that is not asynchronous. Raises what ``compared`` raises."""
    return run(compared(ask, caller, system), system.llm)


async def compared(ask: Ask, caller: Caller, system: System) -> Comparison:
    """Both answers, asked for at the same time of the same model with the same sampling and seed, whatever mode and
    fallback ``ask`` states; each is recorded like any other answer. Raises what ``rag.answering.answering`` raises;
    where one fails, the other is given up."""
    if ask.sampling is None and system.llm is not None:
        ask = replace(ask, sampling=await drawn_sampling(system.llm))
    modes: tuple[AnswerMode, AnswerMode] = ("grounded", "ungrounded")
    try:
        async with asyncio.TaskGroup() as group:
            grounded, ungrounded = (
                group.create_task(answered(replace(ask, mode=mode, fallback=None), caller, system)) for mode in modes
            )
    except ExceptionGroup as failed:
        raise failed.exceptions[0] from None
    found = await asyncio.to_thread(difference, grounded.result(), ungrounded.result(), system.entailment)
    given = grounded.result()
    return Comparison(uuid.uuid4().hex, given.question, given, ungrounded.result(), found)
