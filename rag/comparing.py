"""The same question answered with evidence and without it, and what the evidence changed.

A comparison is not stored: its two answers are, and its id names them. Read again, it is held together anew from what
their record says by then, under the same access as they.
"""

import asyncio
from dataclasses import dataclass, replace

from rag import record
from rag.answering import answered, drawn_sampling
from rag.differences import Difference, difference
from rag.errors import NotFound
from rag.llm import run
from rag.system import System
from rag.types import Answer, AnswerMode, Ask, Caller

_BETWEEN = "-"


@dataclass(frozen=True, slots=True)
class Comparison:
    """``id`` is made of the ids of both answers; a stored comparison is found by it."""

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
    return await asyncio.to_thread(_held_together, grounded.result(), ungrounded.result(), system)


def stored(comparison_id: str, caller: Caller, system: System) -> Comparison:
    """A comparison whose answers were recorded, held together anew. Raises NotFound where the caller may not see both
    answers, or where they are no pair: one question, without evidence the second, of one sampling where both wrote."""
    first, _, second = comparison_id.partition(_BETWEEN)
    with system.database.reading() as session:
        try:
            grounded, ungrounded = (record.load(session, caller, one) for one in (first, second))
        except NotFound:
            raise NotFound(f"There is no comparison {comparison_id!r}") from None
    sampled = {one.sampling for one in (grounded, ungrounded) if one.sampling is not None}
    is_pair = (grounded.mode, ungrounded.mode) == ("grounded", "ungrounded") and len(sampled) <= 1
    if not is_pair or grounded.question != ungrounded.question:
        raise NotFound(f"There is no comparison {comparison_id!r}")
    return _held_together(grounded, ungrounded, system)


def _held_together(grounded: Answer, ungrounded: Answer, system: System) -> Comparison:
    found = difference(grounded, ungrounded, system.entailment)
    return Comparison(f"{grounded.id}{_BETWEEN}{ungrounded.id}", grounded.question, grounded, ungrounded, found)
