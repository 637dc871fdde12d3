"""What a library has for a question of a test set."""

from collections.abc import Sequence

from rag.exam_arms import QuestionEvidence
from rag.exam_questions import ExamQuestion
from rag.extraction import choose, ranked_sentences
from rag.retrieval import search
from rag.sufficiency import judge, weigh
from rag.system import System
from rag.types import Caller, Hit, Passage, Query

SEARCHED = 10
"""Passages that are searched for at least, as many as a question to the product gets."""


def evidence_for(
    question: ExamQuestion, caller: Caller, system: System, collections: Sequence[str], passages: int
) -> QuestionEvidence:
    """Found by the question alone, without its options. The evidence given with it are the texts that the set states,
    else the best ``passages`` of the documents that it names. Raises what ``rag.retrieval.search`` raises."""
    query = Query(question.question, tuple(collections), top_k=max(SEARCHED, passages))
    found = search(query, caller, system).hits
    given = tuple(_as_hit(question, number, text) for number, text in enumerate(question.evidence, start=1))
    if not given and question.evidence_ids:
        named: list[str | int | bool | None] = list(question.evidence_ids)
        stated = Query(question.question, tuple(collections), top_k=passages, filters={"external_id": named})
        given = search(stated, caller, system).hits
    if question.kind != "free":
        return QuestionEvidence(found, given)
    ranked = ranked_sentences(question.question, found, system.reader)
    evidence = weigh(question.question, found, ranked)
    judgement = judge(evidence, system.embedder.fingerprint, system.reader.fingerprint, system.settings.abstain_below)
    quoted = tuple((found.index(quote.hit), quote.text) for quote in choose(ranked, question.language))
    return QuestionEvidence(found, given, quoted, judgement.sufficient)


def _as_hit(question: ExamQuestion, number: int, text: str) -> Hit:
    """A text that came with the question, as if it had been found."""
    name = f"{question.id}#{number}"
    only = question.evidence_ids[0] if len(question.evidence_ids) == 1 else None
    passage = Passage(
        passage_id=name,
        document_id=name,
        edition_id=name,
        external_id=only or question.id,
        collection="",
        title="",
        publisher=None,
        edition=None,
        published=None,
        url=None,
        language=question.language,
        section=None,
        page=None,
        text=text,
        char_start=0,
        char_end=len(text),
        superseded=False,
    )
    return Hit(passage, 0.0, number)
