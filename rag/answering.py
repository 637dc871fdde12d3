"""From a question to a recorded answer, told step by step: mask, retrieve, judge the evidence, write, check, record."""

import asyncio
import random
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, date, datetime
from functools import partial

from rag import audit, catalog, record
from rag.abstention import abstention, told
from rag.composing import Composition, Said
from rag.confidence import weighed_up
from rag.conflicts import conflicts
from rag.conversation import TURNS_KEPT, standalone, translated
from rag.drafting import written
from rag.errors import ModelFailed, TaiyiError, Unavailable
from rag.extraction import Quote, choose, ranked_sentences
from rag.injection import neutralised
from rag.languages import language_of
from rag.llm import LanguageModel, run
from rag.making import Answered, Event, Found, Judged, Work, milliseconds_since
from rag.notices import masked_notice, notice
from rag.placeholders import without_placeholders
from rag.privacy import masked_ask
from rag.prompting import contexts_of, grounded_prompt
from rag.prompts import prompt
from rag.quoting import citations
from rag.retrieval import search
from rag.sufficiency import judge, packaged_calibration, weigh
from rag.system import System
from rag.types import Answer, AnswerStatus, Ask, Caller, Query, Sampling, SearchResult, Turn

HOLDING = ("supported", "partial")
"""The verdicts of which an answer needs at least one sentence: else the passages are quoted."""


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
    the error has. Where the reader goes away, what was written by then is recorded as a partial one. What identifies
    persons is taken out first of all, and of a caller that is not recorded nothing is.
    """
    ask, kinds = await asyncio.to_thread(masked_ask, ask, system.settings)
    work = Work(ask, caller, system, kinds)
    try:
        async with aclosing(_steps(work)) as events:
            async for event in events:
                yield event
        with work.timed("conclude"):
            await asyncio.to_thread(_concluded, work)
    except (asyncio.CancelledError, GeneratorExit):
        if work.has_begun:
            work.notices.append(notice("cut_off", work.language))
            await asyncio.to_thread(_recorded, work, "partial")
        raise
    except TaiyiError as error:
        if work.has_begun:
            work.failure = str(error)
            failed = await asyncio.to_thread(_recorded, work, "failed")
            error.answer_id = failed.id if failed.recorded else None
        raise
    yield Answered(await asyncio.to_thread(_recorded, work, work.status))


async def rehearsed(ask: Ask, caller: Caller, system: System, on: date) -> Answer:
    """The answer as it would be made of a question that was asked on the day ``on``, recorded nowhere. Raises what
    ``answering`` raises."""
    work = Work(ask, caller, system, on=on)
    async with aclosing(_steps(work)) as events:
        async for _ in events:
            continue
    await asyncio.to_thread(_concluded, work)
    return await asyncio.to_thread(_given, work, work.status)


async def _steps(work: Work) -> AsyncGenerator[Event]:
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
        work.query = await asyncio.to_thread(_located, await translated(work.query, system), work)
        found = await asyncio.to_thread(search, work.query, work.caller, system, work.on)
    work.hits, work.generation, work.has_begun = found.hits, found.index_generation, True
    with work.timed("judge"):
        ranked = await asyncio.to_thread(_weighed, work, found)
    if work.abstention is not None:
        work.status, work.composition.text = "abstained", told(work.abstention, work.language)
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
            if any(sentence.verdict in HOLDING for sentence in work.composition.sentences):
                return
            shown = {hit.passage.passage_id for hit in work.hits}
            work.hits += tuple(hit for hit in found.hits if hit.passage.passage_id not in shown)
            work.status, work.notices = "answered", [notice("quotes_instead", work.language)]
    if work.mode == "extractive":
        yield Found(work.hits)
    for quote in choose(ranked, work.language):
        span = (quote.hit, quote.start, quote.end)
        yield Judged(*work.composition.keep(Said(quote.text, (span,), "supported", (), 1.0, lead="\n")))


def _fall_back(work: Work, error: TaiyiError) -> None:
    """From the language model's words to quotes."""
    work.notices.append(f"{notice('model_unavailable', work.language)} ({error})")
    work.composition, work.mode, work.model = Composition(), "extractive", "extractive"


def _history(work: Work) -> Sequence[Turn]:
    """The turns before the question: those of the conversation it names, else those that the caller states."""
    work.conversation_id = work.ask.conversation_id or work.id
    if work.ask.conversation_id is None:
        return work.ask.history[-TURNS_KEPT:]
    with work.system.database.reading() as session:
        return record.turns(session, work.caller, work.ask.conversation_id, TURNS_KEPT)


def _located(query: Query, work: Work) -> Query:
    """The query with the collections by name that it searches. Raises NotFound for one the caller may not read."""
    with work.system.database.reading() as session:
        searched = catalog.collections(session, work.caller, query.collections)
    return replace(query, collections=tuple(collection.name for collection in searched))


def _weighed(work: Work, found: SearchResult) -> list[Quote]:
    """The sentences that may answer, most fitting first; where the evidence does not suffice, why nothing is answered
    is noted."""
    system, question = work.system, without_placeholders(work.query.text)
    ranked = ranked_sentences(question, found.hits, system.reader)
    evidence = weigh(question, found.hits, ranked)
    judgement = judge(evidence, system.embedder.fingerprint, system.reader.fingerprint, _abstains_below(work))
    work.evidence = judgement.confidence
    if not judgement.sufficient:
        work.abstention = abstention(question, found.hits, ranked)
    return ranked


def _abstains_below(work: Work) -> float | None:
    """The strictest of the thresholds that are stated for what was searched; None where the packaged one holds."""
    stated = work.system.settings.abstain_below
    with work.system.database.reading() as session:
        searched = catalog.collections(session, work.caller, work.query.collections)
    own = [stated if one.abstain_below is None else one.abstain_below for one in searched]
    if all(threshold is None for threshold in own):
        return None
    packaged = packaged_calibration().threshold
    return max(packaged if threshold is None else threshold for threshold in own)


async def _grounded(work: Work, llm: LanguageModel) -> AsyncGenerator[Event]:
    sampling = await _sampling(work, llm)
    with work.timed("prompt"):
        contexts = await asyncio.to_thread(contexts_of, work.hits, work.caller, work.system)
        rendered = await grounded_prompt(work.query.text, work.language, contexts, llm, sampling.max_tokens)
    work.hits, work.prompt = rendered.shown, rendered.version
    yield Found(work.hits)
    async for event in written(work, llm, rendered.messages, prompt("grounded", work.language), sampling):
        yield event


async def _from_memory(work: Work, llm: LanguageModel) -> AsyncGenerator[Event]:
    said, sampling = prompt("ungrounded", work.language), await _sampling(work, llm)
    work.prompt, work.has_begun = said.version, True
    work.notices.append(notice("ungrounded", work.language))
    yield Found(())
    async for event in written(work, llm, said.messages(question=neutralised(work.query.text)), said, sampling):
        yield event


async def _sampling(work: Work, llm: LanguageModel) -> Sampling:
    work.sampling = work.ask.sampling or await drawn_sampling(llm)
    return work.sampling


async def drawn_sampling(llm: LanguageModel) -> Sampling:
    """The defaults, with a seed drawn by chance where it is safe."""
    if (await llm.served()).is_on_cpu:
        return Sampling()
    return Sampling(seed=random.randrange(2**31))  # noqa: S311 - no secret


def _concluded(work: Work) -> None:
    """What the finished answer has to say of itself: where its sources disagree, and how far it can be relied on."""
    if work.mode == "ungrounded":
        return
    work.documents_searched = _documents_searched(work)
    if work.abstention is None:
        work.conflicts = conflicts(work.composition, work.hits, work.system.entailment, work.language)
    work.confidence, work.confidence_reasons = weighed_up(
        work.evidence, work.composition, work.conflicts, work.language, catalog.today()
    )


def _documents_searched(work: Work) -> int:
    query, kept = work.query, work.system.document_counts
    on, undated = query.as_of or work.on or catalog.today(), query.as_of is None
    searched = 0
    with work.system.database.reading() as session:
        for one in catalog.collections(session, work.caller, query.collections):
            key = (one.id, repr(sorted(query.filters.items())), on, undated)
            read = partial(catalog.searchable_documents, session, one, query.filters, on, undated)
            searched += kept.get(key, one.generation, read)
    return searched


def _recorded(work: Work, status: AnswerStatus) -> Answer:
    """Stores the answer, and writes into the audit record that it was given; of a caller whose questions are kept out
    of the record that alone, without a word of question and answer."""
    given = _given(work, status)
    with work.system.database.writing() as session:
        if given.recorded:
            record.save(session, work.caller, given)
        seals = [audit.Seal("answer", given.id)] if given.recorded else []
        audit.append(session, work.caller, "answer", given.id, record.told_of(given), seals)
    return given


def _given(work: Work, status: AnswerStatus) -> Answer:
    is_recorded = work.caller.recorded
    withheld = work.composition.withheld()
    work.timings["total"] = milliseconds_since(work.started)
    return Answer(
        id=work.id,
        question=work.ask.query.text,
        language=work.language,
        mode=work.mode,
        status=status,
        text=work.composition.text,
        sentences=tuple(work.composition.sentences),
        withheld=withheld,
        conflicts=work.conflicts,
        citations=citations(work.composition.spans, work.system),
        passages=work.hits,
        confidence=work.confidence,
        model=work.model,
        index_generation=work.generation,
        usage=work.usage,
        timings_ms=work.timings,
        created_at=datetime.now(UTC).isoformat(),
        conversation_id=work.conversation_id if is_recorded else None,
        standalone_question=None if work.query.text == work.ask.query.text else work.query.text,
        notices=_notices(work),
        failure=work.failure,
        prompt=work.prompt,
        sampling=work.sampling,
        confidence_reasons=work.confidence_reasons,
        evidence=work.evidence,
        abstention=work.abstention,
        query=replace(work.query, text=""),
        settings=work.system.deciding_settings(),
        recorded=is_recorded,
        documents_searched=work.documents_searched,
    )


def _notices(work: Work) -> tuple[str, ...]:
    """What the answer says of itself, behind what became of the question."""
    unrecorded = () if work.caller.recorded else (notice("unrecorded", work.language),)
    return (*masked_notice(work.masked, work.language), *unrecorded, *work.notices)
