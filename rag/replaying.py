"""Making a stored answer again from its record, and saying what comes out otherwise and why.

Retrieval is held to the record passage by passage, its scores to within ``SCORE_TOLERANCE``; the text is the same or
it is not. Answers do not change: what is made here is recorded nowhere but as a row of the audit record.
"""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rag import audit, record
from rag.answering import rehearsed
from rag.errors import TaiyiError
from rag.llm import run
from rag.system import System
from rag.types import Answer, Ask, Caller, Hit, Query

SCORE_TOLERANCE = 1e-4
"""How far a score may be off that was worked out from the same passages: numerics differ between machines."""


@dataclass(frozen=True, slots=True)
class Deviation:
    """``what`` differs: ``retrieval``, ``text``, ``status``, ``corpus``, ``model``, ``prompt``, ``settings``,
    ``source``, ``record`` or ``failure``. ``message`` says it all to a reader."""

    what: str
    message: str
    recorded: Any = None
    now: Any = None


@dataclass(frozen=True, slots=True)
class Replay:
    """``retrieval`` and ``text`` are ``same`` or ``different``, None where it could not be tried. ``identical`` is
    that both are the same; ``deviations`` name everything that differs, also where that changed nothing."""

    answer_id: str
    identical: bool
    retrieval: str | None
    text: str | None
    deviations: tuple[Deviation, ...]
    answer: Answer | None


def replay(answer_id: str, caller: Caller, system: System) -> Replay:
    """For a caller that is not asynchronous. Raises what ``replayed`` raises."""
    return run(replayed(answer_id, caller, system), system.llm)


async def replayed(answer_id: str, caller: Caller, system: System) -> Replay:
    """Asks again what a stored answer was asked, with its options, as of its day, its mode, sampling and seed. Raises
    NotFound for an answer that the caller may not see."""
    stored = await asyncio.to_thread(_load, answer_id, caller, system)
    on = datetime.fromisoformat(stored.created_at).astimezone().date()
    query = replace(stored.query or Query("", retrieval="hybrid"), text=stored.standalone_question or stored.question)
    deviations = [*_of_the_record(stored), *_of_settings(stored, system)]
    ask = Ask(query, stored.mode, stored.language, sampling=stored.sampling)
    made, retrieval, text = None, None, None
    try:
        made = await rehearsed(ask, caller, system, on)
    except TaiyiError as error:
        deviations.append(Deviation("failure", f"No answer could be made again: {error}"))
    if made is not None:
        text = "same" if made.text == stored.text else "different"
        found = [*_of_retrieval(stored, made)]
        retrieval = "different" if found else "same"
        deviations = [*found, *_of_answers(stored, made), *deviations]
    replayed = Replay(
        answer_id=answer_id,
        identical=(retrieval, text) == ("same", "same"),
        retrieval=retrieval,
        text=text,
        deviations=tuple(deviations),
        answer=made,
    )
    await asyncio.to_thread(_write_down, replayed, caller, system)
    return replayed


def _load(answer_id: str, caller: Caller, system: System) -> Answer:
    with system.database.reading() as session:
        return record.load(session, caller, answer_id)


def _write_down(replayed: Replay, caller: Caller, system: System) -> None:
    details = {
        "identical": replayed.identical,
        "retrieval": replayed.retrieval,
        "text": replayed.text,
        "differs": sorted({one.what for one in replayed.deviations}),
    }
    with system.database.writing() as session:
        audit.append(session, caller, "replay", replayed.answer_id, details)


def _of_retrieval(stored: Answer, made: Answer) -> Iterator[Deviation]:
    """Passages in another order are other passages. Behind what a language model was shown stand, where nothing of what
    it wrote held, the passages that are quoted instead: those say nothing of the search."""
    was, now = (_found(answer.passages) for answer in (stored, made))
    length = len(was) if stored.text == made.text else min(len(was), len(now))
    if was[:length] != now[:length] or (stored.text == made.text and len(was) != len(now)):
        lost, new = set(was) - set(now), set(now) - set(was)
        message = f"Of {len(was)} passages {len(lost)} are not found again, {len(new)} are found that were not"
        yield Deviation("retrieval", message, [one[0] for one in was], [one[0] for one in now])
        return
    off = [
        one.passage.passage_id
        for one, other in zip(stored.passages, made.passages, strict=False)
        if abs(one.score - other.score) > SCORE_TOLERANCE
    ]
    if off:
        yield Deviation("retrieval", f"The scores of {len(off)} passages are others", off)


def _found(hits: tuple[Hit, ...]) -> list[tuple[str, int, int]]:
    return [(hit.passage.passage_id, hit.passage.char_start, hit.passage.char_end) for hit in hits]


def _of_the_record(stored: Answer) -> Iterator[Deviation]:
    if stored.query is None:
        yield Deviation(
            "record", "The answer is from before the options of a search were kept: the defaults were taken"
        )
    if stored.status in ("partial", "failed"):
        yield Deviation("record", f"The answer was not made to its end: its status is {stored.status}")
    if any(not hit.passage.text for hit in stored.passages):
        yield Deviation("source", "Some of its passages have been erased since")
    superseded = [citation.marker for citation in stored.citations if citation.superseded]
    if superseded:
        yield Deviation("source", "Some of its sources no longer hold", superseded)


def _of_settings(stored: Answer, system: System) -> Iterator[Deviation]:
    now = system.deciding_settings()
    for name, value in stored.settings.items():
        if now.get(name) != value:
            yield Deviation("settings", f"The setting {name} is another", value, now.get(name))


def _of_answers(stored: Answer, made: Answer) -> Iterator[Deviation]:
    if stored.index_generation != made.index_generation:
        was, now = stored.index_generation, made.index_generation
        yield Deviation("corpus", f"The corpus has moved on from generation {was} to {now}", was, now)
    for what in ("model", "prompt", "status", "text"):
        was, now = getattr(stored, what), getattr(made, what)
        if was != now:
            yield Deviation(what, f"The {what} is another", was, now)
