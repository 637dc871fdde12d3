"""From a question to a recorded answer, told step by step: retrieve, judge the evidence, write, check, record."""

import asyncio
import random
import time
import uuid
from collections.abc import AsyncGenerator, Iterator, Sequence
from contextlib import aclosing, contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from rag import record
from rag.citing import CitedSentence, CitedSentences
from rag.composing import Composition
from rag.conversation import TURNS_KEPT, standalone, translated
from rag.errors import ModelFailed, TaiyiError, Unavailable
from rag.extraction import Quote, choose, ranked_sentences
from rag.injection import neutralised, obeyed
from rag.interleaving import interleaved
from rag.languages import language_of
from rag.llm import LanguageModel, Piece, run
from rag.notices import notice
from rag.prompting import contexts_of, grounded_prompt
from rag.prompts import Prompt, prompt
from rag.quoting import citations
from rag.retrieval import search
from rag.sufficiency import judge, weigh
from rag.support import Support, judged
from rag.system import System
from rag.types import (
    Answer,
    AnswerMode,
    AnswerStatus,
    Ask,
    Caller,
    Hit,
    Issue,
    Language,
    Query,
    Sampling,
    SearchResult,
    Sentence,
    Turn,
)

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

KEPT_VERDICTS = ("supported", "partial")


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that the answer will rest on; for an abstention those that came closest."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A piece of text as the model writes it, not judged yet."""

    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A judged sentence; ``added`` is what it adds to the text, with its markers: nothing where it is withheld."""

    sentence: Sentence
    added: str

    @property
    def kept(self) -> bool:
        return bool(self.added)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer, recorded."""

    answer: Answer


Event = Found | Draft | Judged | Answered


def answer(ask: Ask, caller: Caller, system: System) -> Answer:
    """The recorded answer, for a caller that is not asynchronous. Raises what ``answering`` raises."""
    return run(answered(ask, caller, system), system.llm)


async def answered(ask: Ask, caller: Caller, system: System) -> Answer:
    """The recorded answer. Raises what ``answering`` raises."""
    async with aclosing(answering(ask, caller, system)) as events:
        async for event in events:
            if isinstance(event, Answered):
                return event.answer
    raise AssertionError("an answer comes last")


async def answering(ask: Ask, caller: Caller, system: System) -> AsyncGenerator[Event]:
    """An answer as it comes about: what was found, drafts and judged sentences in turn, and the recorded answer last.

    Raises what ``rag.retrieval.search`` raises, Unavailable for a mode that needs a language model where none answers,
    and ModelFailed for one that answers nonsense; what had been found by then is recorded as a failed answer, whose id
    the error has. Where the reader goes away, what was written by then is recorded as a partial one.
    """
    work = _Work(ask, caller, system)
    try:
        async with aclosing(_steps(work)) as events:
            async for event in events:
                yield event
    except (asyncio.CancelledError, GeneratorExit):
        if work.has_begun:
            work.notices.append(notice("cut_off", work.language))
            await asyncio.to_thread(_recorded, work, "partial")
        raise
    except TaiyiError as error:
        if work.has_begun:
            work.failure = str(error)
            error.answer_id = (await asyncio.to_thread(_recorded, work, "failed")).id
        raise
    yield Answered(await asyncio.to_thread(_recorded, work, work.status))


@dataclass(slots=True)
class _Work:
    """An answer in the making."""

    ask: Ask
    caller: Caller
    system: System
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    language: Language = "en"
    mode: AnswerMode = "extractive"
    query: Query = field(default_factory=lambda: Query(""))
    conversation_id: str = ""
    has_begun: bool = False
    status: AnswerStatus = "answered"
    composition: Composition = field(default_factory=Composition)
    hits: tuple[Hit, ...] = ()
    confidence: float | None = None
    generation: int = 0
    model: str = "extractive"
    prompt: str | None = None
    sampling: Sampling | None = None
    notices: list[str] = field(default_factory=list)
    failure: str | None = None
    usage: dict[str, int] = field(default_factory=lambda: {"prompt_tokens": 0, "completion_tokens": 0})
    timings: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def timed(self, stage: str) -> Iterator[None]:
        started = time.perf_counter()
        yield
        self.timings[stage] = _milliseconds_since(started)


async def _steps(work: _Work) -> AsyncGenerator[Event]:
    ask, system = work.ask, work.system
    work.language = ask.language or language_of(ask.query.text)
    work.mode = ask.mode or ("extractive" if system.llm is None else "grounded")
    if system.llm is None and work.mode != "extractive":
        error = Unavailable(
            f"Mode {work.mode!r} needs a language model and none is configured: set RAG_LLM_URL to a vLLM server "
            "(make llm starts a small one), or ask with mode 'extractive'"
        )
        if work.mode == "ungrounded" or ask.fallback is None:
            raise error
        _fall_back(work, error)
    llm = system.llm if work.mode != "extractive" else None
    with work.timed("understand"):
        history = await asyncio.to_thread(_history, work)
        question = await standalone(ask.query.text, history, system.llm)
        work.query = replace(ask.query, text=question)
    if llm is not None and work.mode == "ungrounded":
        async for event in _from_memory(work, llm):
            yield event
        return

    with work.timed("retrieve"):
        found = await asyncio.to_thread(search, await translated(work.query, system), work.caller, system)
    work.hits, work.generation, work.has_begun = found.hits, found.index_generation, True
    with work.timed("judge"):
        ranked = await asyncio.to_thread(_weighed, work, found)
    if not ranked:
        work.status = "abstained"
        work.composition.text = notice("abstained", work.language)
        yield Found(work.hits)
        return
    if llm is not None:
        try:
            async for event in _grounded(work, llm):
                yield event
        except (Unavailable, ModelFailed) as error:
            if ask.fallback is None:
                raise
            _fall_back(work, error)
            work.hits = found.hits
        else:
            if work.composition.sentences:
                return
            shown = {hit.passage.passage_id for hit in work.hits}
            work.hits += tuple(hit for hit in found.hits if hit.passage.passage_id not in shown)
            work.status, work.notices = "answered", [notice("quotes_instead", work.language)]
    if work.mode == "extractive":
        yield Found(work.hits)
    for quote in choose(ranked, work.language):
        span = (quote.hit, quote.start, quote.end)
        yield Judged(*work.composition.keep(quote.text, [span], "supported", lead="\n"))


def _fall_back(work: _Work, error: TaiyiError) -> None:
    """From the language model's words to quotes."""
    work.notices.append(f"{notice('model_unavailable', work.language)} ({error})")
    work.composition, work.mode, work.model = Composition(), "extractive", "extractive"


def _history(work: _Work) -> Sequence[Turn]:
    """The turns before the question: those of the conversation it names, else those that the caller states."""
    work.conversation_id = work.ask.conversation_id or work.id
    if work.ask.conversation_id is None:
        return work.ask.history[-TURNS_KEPT:]
    with work.system.database.reading() as session:
        return record.turns(session, work.caller, work.ask.conversation_id, TURNS_KEPT)


def _weighed(work: _Work, found: SearchResult) -> list[Quote]:
    """The sentences that may answer, most fitting first; none where the evidence does not suffice."""
    ranked = ranked_sentences(work.query.text, found.hits, work.system.embedder)
    judgement = judge(weigh(work.query.text, found.hits, ranked), work.system.embedder.fingerprint)
    work.confidence = judgement.confidence
    return ranked if judgement.sufficient else []


async def _grounded(work: _Work, llm: LanguageModel) -> AsyncGenerator[Event]:
    sampling = await _sampling(work, llm)
    with work.timed("prompt"):
        contexts = await asyncio.to_thread(contexts_of, work.hits, work.caller, work.system)
        written = await grounded_prompt(work.query.text, work.language, contexts, llm, sampling.max_tokens)
    work.hits, work.prompt = written.shown, written.version
    yield Found(work.hits)
    async for event in _written(work, llm, written.messages, prompt("grounded", work.language), sampling):
        yield event


async def _from_memory(work: _Work, llm: LanguageModel) -> AsyncGenerator[Event]:
    said, sampling = prompt("ungrounded", work.language), await _sampling(work, llm)
    work.prompt, work.has_begun = said.version, True
    work.notices.append(notice("ungrounded", work.language))
    yield Found(())
    async for event in _written(work, llm, said.messages(question=neutralised(work.query.text)), said, sampling):
        yield event


async def _written(
    work: _Work, llm: LanguageModel, messages: Sequence["BaseMessage"], said: Prompt, sampling: Sampling
) -> AsyncGenerator[Event]:
    """The model's reply: drafts as they come, and each sentence when it is judged, for which no draft waits."""
    work.model = (await llm.served()).model
    secrets = (said.system, said.user)
    complete: asyncio.Queue[CitedSentence | None] = asyncio.Queue()
    drafts = _drafts(work, llm.stream(messages, sampling), secrets, complete)
    with work.timed("generate"):
        async with aclosing(interleaved(drafts, _verdicts(work, secrets, complete))) as events:
            async for event in events:
                yield event


async def _drafts(
    work: _Work,
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
                work.timings.setdefault("first_token", _milliseconds_since(asked_at))
                hidden = hidden or obeyed(sentences.begun + piece.text, secrets) is not None
                if piece.text and not hidden:
                    yield Draft(piece.text)
                for cited in sentences.feed(piece.text) if piece.finish_reason is None else sentences.end():
                    hidden = False
                    complete.put_nowait(cited)
                if piece.finish_reason is not None:
                    work.usage = piece.usage
                if piece.finish_reason == "length":
                    work.status = "partial"
                    work.notices.append(notice("too_long", work.language))
    finally:
        complete.put_nowait(None)


async def _verdicts(
    work: _Work, secrets: Sequence[str], complete: "asyncio.Queue[CitedSentence | None]"
) -> AsyncGenerator[Event]:
    while (cited := await complete.get()) is not None:
        support = await asyncio.to_thread(judged, cited, work.hits, work.query.text)
        yield _composed(work, cited, support, obeyed(cited.text, secrets))


def _composed(work: _Work, cited: CitedSentence, support: Support, order: str | None) -> Judged:
    """The sentence, in the text where it is supported and follows no ``order``, else withheld from it."""
    composition, issues = work.composition, support.issues
    spans = [(work.hits[marker - 1], start, end) for marker, start, end in support.quotes]
    kept = work.mode == "ungrounded" or support.verdict in KEPT_VERDICTS
    if order is not None:
        message = f"{notice('instruction', work.language)} ({order})"
        issues, kept = (*issues, Issue("instruction", cited.text, message)), False
    if kept:
        return Judged(*composition.keep(cited.text, spans, support.verdict, issues, cited.lead))
    return Judged(composition.withhold(cited.text, spans, support.verdict, issues), added="")


async def _sampling(work: _Work, llm: LanguageModel) -> Sampling:
    if work.ask.sampling is not None:
        work.sampling = work.ask.sampling
    elif (await llm.served()).is_on_cpu:
        work.sampling = Sampling()
    else:
        work.sampling = Sampling(seed=random.randrange(2**31))  # noqa: S311 - no secret
    return work.sampling


def _recorded(work: _Work, status: AnswerStatus) -> Answer:
    withheld = work.composition.withheld()
    work.timings["total"] = _milliseconds_since(work.started)
    given = Answer(
        id=work.id,
        question=work.ask.query.text,
        language=work.language,
        mode=work.mode,
        status=status,
        text=work.composition.text,
        sentences=tuple(work.composition.sentences),
        withheld=withheld,
        conflicts=(),
        citations=citations(work.composition.spans, work.system),
        passages=work.hits,
        confidence=work.confidence,
        model=work.model,
        index_generation=work.generation,
        usage=work.usage,
        timings_ms=work.timings,
        created_at=datetime.now(UTC).isoformat(),
        conversation_id=work.conversation_id,
        standalone_question=None if work.query.text == work.ask.query.text else work.query.text,
        notices=tuple(work.notices),
        failure=work.failure,
        prompt=work.prompt,
        sampling=work.sampling,
    )
    with work.system.database.writing() as session:
        record.save(session, work.caller, given)
    return given


def _milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
