"""What two systems that hold the same are asked, and how their results are held against each other."""

from datetime import date
from typing import Any

import pytest

from rag.answering import answer
from rag.retrieval import search
from rag.system import System
from rag.types import LOCAL_ADMIN, Answer, Ask, Hit, Query

VARIANTS: tuple[dict[str, Any], ...] = (
    {},
    {"retrieval": "dense", "top_k": 100, "collapse": False},
    {"retrieval": "dense", "filters": {"language": "zh"}},
    {"filters": {"language": "en", "published": {"gte": "2016", "lte": "2021"}}, "top_k": 30},
    {"retrieval": "dense", "as_of": date(2017, 1, 1)},
    {"retrieval": "lexical", "diversity": 0.5},
)
"""Both arms and each alone; a filter that few pass, one that most pass, a day in the past; more than there is."""


def assert_same_results(
    one: System, other: System, questions: tuple[str, ...], answered: int = 0, rounded: bool = False
) -> int:
    """The same hits in the same order, each with its ranks and scores, for each question in each way of searching; of
    the first ``answered`` questions the same answer by quoting. Returns how many hits there were.

    ``rounded`` says that the vectors were made in other batches and differ in their last digits: passages whose cosines
    are the same but for those may then stand in another order, or one of them beyond the end of the list.
    """
    compared = 0
    for question in questions:
        for variant in VARIANTS:
            queries = Query(question, **variant)
            hits, others = (search(queries, LOCAL_ADMIN, system).hits for system in (one, other))
            if rounded and variant:
                if variant.get("retrieval") == "dense":
                    _assert_alike(hits, others)
                    compared += len(hits)
                continue
            assert [_identity(hit) for hit in others] == [_identity(hit) for hit in hits], (question, variant)
            for hit, like in zip(hits, others, strict=True):
                assert _scores(like) == pytest.approx(_scores(hit), abs=1e-5), (question, variant)
            compared += len(hits)
    for question in questions[:answered]:
        ask = Ask(Query(question), mode="extractive")
        answers = [_told(answer(ask, LOCAL_ADMIN, system)) for system in (one, other)]
        compared_parts = 4 if rounded else None
        assert answers[1][:compared_parts] == answers[0][:compared_parts], question
    return compared


def _assert_alike(hits: tuple[Hit, ...], others: tuple[Hit, ...]) -> None:
    """The same cosines by place, and of each passage; one that the other list lacks is as far as that list's last."""
    cosines, like = ([hit.cosine or 0.0 for hit in found] for found in (hits, others))
    assert like == pytest.approx(cosines, abs=1e-5)
    of_one, of_other = ({repr(hit.passage): hit.cosine for hit in found} for found in (hits, others))
    for passage in of_one.keys() | of_other.keys():
        last = min(cosines)
        assert of_one.get(passage, last) == pytest.approx(of_other.get(passage, last), abs=1e-5)


def _identity(hit: Hit) -> tuple[Any, ...]:
    """Everything but the scores; an edition's and a document's ids follow from what they hold."""
    return repr(hit.passage), hit.rank, hit.dense_rank, hit.lexical_rank, repr(hit.also)


def _scores(hit: Hit) -> list[float]:
    return [-2.0 if score is None else score for score in (hit.score, hit.cosine, hit.match)]


def _told(found: Answer) -> tuple[Any, ...]:
    confidence = None if found.confidence is None else round(found.confidence, 3)
    sentences = [(sentence.text, sentence.citations, sentence.verdict) for sentence in found.sentences]
    quotes = [
        (citation.marker, citation.quote, citation.edition_id, citation.char_start) for citation in found.citations
    ]
    return found.status, found.text, sentences, quotes, confidence, [_identity(hit) for hit in found.passages]
