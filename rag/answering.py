"""From a question to a recorded answer."""

import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

from rag import catalog, record
from rag.errors import Unavailable
from rag.extraction import Quote, choose, ranked_sentences
from rag.languages import language_of
from rag.pages import page_of
from rag.retrieval import search
from rag.sufficiency import judge, weigh
from rag.system import System
from rag.types import Answer, Ask, Caller, Citation, Language, Sentence

ABSTENTION: dict[Language, str] = {
    "en": "The documents that were searched do not answer this question, so no answer is given.",
    "zh": "所检索的文献中没有能够回答这个问题的内容，因此不作回答。",
}


def answer(ask: Ask, caller: Caller, system: System) -> Answer:
    """Retrieves, judges whether the evidence suffices, quotes or abstains, and records.

    Raises what ``rag.retrieval.search`` raises, and Unavailable for a mode that needs a language model.
    """
    if ask.mode != "extractive":
        raise Unavailable(
            f"Mode {ask.mode!r} needs a language model and none is connected: set RAG_LLM_URL to a vLLM server, "
            "or ask with mode 'extractive'"
        )
    timings: dict[str, float] = {}
    language = ask.language or language_of(ask.query.text)
    with _timed(timings, "total"):
        with _timed(timings, "retrieve"):
            found = search(ask.query, caller, system)
        with _timed(timings, "judge"):
            ranked = ranked_sentences(ask.query.text, found.hits, system.embedder)
            judgement = judge(weigh(ask.query.text, found.hits, ranked), system.embedder.fingerprint)
        quotes = choose(ranked, language) if judgement.sufficient else []
        text, sentences = _written(quotes) if quotes else (ABSTENTION[language], ())
        citations = _citations(quotes, system)
    given = Answer(
        id=uuid.uuid4().hex,
        question=ask.query.text,
        language=language,
        mode=ask.mode,
        status="answered" if quotes else "abstained",
        text=text,
        sentences=sentences,
        withheld=(),
        conflicts=(),
        citations=citations,
        passages=found.hits,
        confidence=judgement.confidence,
        model="extractive",
        index_generation=found.index_generation,
        usage={"prompt_tokens": 0, "completion_tokens": 0},
        timings_ms=timings,
        created_at=datetime.now(UTC).isoformat(),
    )
    with system.database.writing() as session:
        record.save(session, caller, given)
    return given


def _written(quotes: Sequence[Quote]) -> tuple[str, tuple[Sentence, ...]]:
    """The answer's text, a quote and its marker a line, and its sentences."""
    text = ""
    sentences = []
    for index, quote in enumerate(quotes):
        text += "\n" if text else ""
        start = len(text)
        text += quote.text
        sentences.append(Sentence(index, quote.text, start, len(text), (index + 1,), "supported"))
        text += f" [{index + 1}]"
    return text, tuple(sentences)


def _citations(quotes: Sequence[Quote], system: System) -> tuple[Citation, ...]:
    if not quotes:
        return ()
    with system.database.reading() as session:
        pages = {
            quote.hit.passage.edition_id: catalog.page_starts(session, quote.hit.passage.edition_id) for quote in quotes
        }
    return tuple(_citation(marker, quote, pages) for marker, quote in enumerate(quotes, start=1))


def _citation(marker: int, quote: Quote, pages: dict[str, tuple[int, ...]]) -> Citation:
    passage = quote.hit.passage
    start = passage.char_start + quote.start
    return Citation(
        marker=marker,
        passage_id=passage.passage_id,
        document_id=passage.document_id,
        edition_id=passage.edition_id,
        external_id=passage.external_id,
        title=passage.title,
        publisher=passage.publisher,
        edition=passage.edition,
        published=passage.published,
        url=passage.url,
        language=passage.language,
        section=passage.section,
        page=page_of(pages[passage.edition_id], start),
        quote=quote.text,
        char_start=start,
        char_end=passage.char_start + quote.end,
        superseded=passage.superseded,
    )


@contextmanager
def _timed(timings: dict[str, float], stage: str) -> Iterator[None]:
    started = time.perf_counter()
    yield
    timings[stage] = round((time.perf_counter() - started) * 1000, 2)
