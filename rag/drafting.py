"""A language model's reply as it comes: drafts at once, each sentence once it is judged, for which no draft waits."""

import asyncio
import re
import time
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from typing import TYPE_CHECKING

from rag.citing import CitedSentence, CitedSentences
from rag.injection import obeyed
from rag.interleaving import interleaved
from rag.judging import Judging, Ruling, unsourced
from rag.llm import LanguageModel, Piece
from rag.making import Draft, Event, Judged, Work, milliseconds_since
from rag.notices import notice
from rag.prompts import Prompt
from rag.types import Sampling

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

_ENDED = re.compile(r"[.!?。！？…:：;；][\"'”’)\]）」』]*$")
JUDGED_TOGETHER = 8
"""Sentences that are judged in one batch, at most, where a model writes faster than they are judged."""


async def written(
    work: Work, llm: LanguageModel, messages: Sequence["BaseMessage"], said: Prompt, sampling: Sampling
) -> AsyncGenerator[Event]:
    """The model's reply to ``messages``, which are those of the prompt ``said``."""
    work.model = (await llm.served()).model
    secrets = (said.system, said.user)
    complete: asyncio.Queue[CitedSentence | None] = asyncio.Queue()
    drafts = _drafts(work, llm.stream(messages, sampling), secrets, complete)
    with work.timed("generate"):
        async with aclosing(interleaved(drafts, _verdicts(work, secrets, complete))) as events:
            async for event in events:
                yield event


async def _drafts(
    work: Work,
    stream: AsyncGenerator[Piece],
    secrets: Sequence[str],
    complete: "asyncio.Queue[CitedSentence | None]",
) -> AsyncGenerator[Event]:
    """The drafts, but for the rest of a sentence in which the model obeys a document. Every sentence goes into
    ``complete``, and None behind the last."""
    sentences, hidden = CitedSentences(len(work.hits)), False
    asked_at = time.perf_counter()
    try:
        async with aclosing(stream) as pieces:
            async for piece in pieces:
                work.timings.setdefault("first_token", milliseconds_since(asked_at))
                hidden = hidden or obeyed(sentences.begun + piece.text, secrets) is not None
                if piece.text and not hidden:
                    yield Draft(piece.text)
                for cited in _completed(sentences, piece):
                    hidden = False
                    complete.put_nowait(cited)
                if piece.finish_reason is not None:
                    work.usage = piece.usage
                if piece.finish_reason == "length":
                    work.status = "partial"
                    work.notices.append(notice("too_long", work.language))
    finally:
        complete.put_nowait(None)


def _completed(sentences: CitedSentences, piece: Piece) -> list[CitedSentence]:
    """The sentences that are complete with a piece; of a reply that reached the length limit without the one that was
    cut off, whose end may have said the opposite."""
    if piece.finish_reason is None:
        return sentences.feed(piece.text)
    rest = sentences.end()
    if piece.finish_reason == "length" and rest and not _ENDED.search(rest[-1].text):
        rest.pop()
    return rest


async def _verdicts(
    work: Work, secrets: Sequence[str], complete: "asyncio.Queue[CitedSentence | None]"
) -> AsyncGenerator[Event]:
    """Each sentence when it is judged; those that are complete at the same time are judged together."""
    settings = work.system.settings
    judging = Judging(work.hits, work.system.entailment, work.language, settings.unsupported, secrets)
    ended = False
    while not ended:
        batch, ended = await _waiting(complete)
        if work.mode == "ungrounded":
            rulings = [unsourced(sentence, work.language, secrets) for sentence in batch]
        else:
            rulings = await asyncio.to_thread(judging.rulings, batch, ended)
        for ruling in rulings:
            yield _composed(work, ruling)


async def _waiting(complete: "asyncio.Queue[CitedSentence | None]") -> tuple[list[CitedSentence], bool]:
    """The next sentence with those that wait behind it, and whether they are the last."""
    batch: list[CitedSentence] = []
    while not batch or (len(batch) < JUDGED_TOGETHER and not complete.empty()):
        sentence = await complete.get()
        if sentence is None:
            return batch, True
        batch.append(sentence)
    return batch, False


def _composed(work: Work, ruling: Ruling) -> Judged:
    if ruling.is_kept:
        return Judged(*work.composition.keep(ruling.said))
    return Judged(work.composition.withhold(ruling.said), added="")
