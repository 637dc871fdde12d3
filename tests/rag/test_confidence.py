"""How far an answer can be relied on: what raises the number, what lowers it, and the reasons in plain words."""

from dataclasses import replace
from datetime import date
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rag.composing import Composition, Said
from rag.confidence import packaged_calibration, weighed_up
from rag.types import Conflict, Hit, Passage

TODAY = date(2026, 6, 1)
TEXT = "Start with 5 mg."


def hit(document: str, **known: Any) -> Hit:
    described: dict[str, Any] = dict.fromkeys(
        ("external_id", "publisher", "edition", "published", "url", "language", "section", "page")
    )
    fixed: dict[str, Any] = {"collection": "default", "title": "Gout", "text": TEXT, "char_start": 0, "char_end": 16}
    described |= {"published": "2024", "superseded": False, **known}
    return Hit(Passage(passage_id=document, document_id=document, edition_id=document, **fixed, **described), 1.0, 1)


def composed(*sentences: tuple[float, Hit]) -> Composition:
    composition = Composition()
    for probability, source in sentences:
        verdict = "supported" if probability >= 0.5 else "partial"
        composition.keep(Said(TEXT, ((source, 0, 16),), verdict, (), probability))
    return composition


def number(composition: Composition, evidence: float = 0.9, conflicts: tuple[Conflict, ...] = ()) -> float:
    confidence, _ = weighed_up(evidence, composition, conflicts, "en", TODAY)
    assert confidence is not None
    return confidence


def test_each_doubt_lowers_the_number_and_is_a_reason() -> None:
    sure = composed((1.0, hit("1")), (1.0, hit("2")))
    best, reasons = weighed_up(0.9, sure, (), "en", TODAY)
    assert best == number(sure)
    assert reasons == (
        "The passages found fit the question closely.",
        "Every sentence is an exact quote.",
        "It rests on 2 documents.",
    )
    conflict = Conflict("number", "10 mg or 20 mg", (1, 2))
    doubts = {
        "The passages found fit the question only loosely.": (0.4, sure, ()),
        "1 of 2 sentences are not fully supported by what they cite.": (
            0.9,
            composed((1.0, hit("1")), (0.3, hit("2"))),
            (),
        ),
        "The sources disagree.": (0.9, sure, (conflict,)),
        "A source that is cited no longer holds.": (
            0.9,
            composed((1.0, hit("1", superseded=True)), (1.0, hit("2"))),
            (),
        ),
        "The newest source is from 2011.": (
            0.9,
            composed((1.0, hit("1", published="2011-05")), (1.0, hit("2", published="2009"))),
            (),
        ),
    }
    for reason, (evidence, composition, conflicts) in doubts.items():
        lower, reasons = weighed_up(evidence, composition, conflicts, "en", TODAY)
        assert reason in reasons
        assert lower is not None
        assert lower < best, reason


def test_what_was_withheld_is_a_reason_and_an_undated_source_too() -> None:
    composition = composed((0.9, hit("1", published=None)))
    composition.withhold(Said("Not so.", (), "unsupported"))
    _, reasons = weighed_up(0.6, composition, (), "zh", TODAY)
    assert reasons == (
        "检索到的段落与问题较为相符。",
        "每一句都得到所引原文支持。",
        "有1句因出处不支持而未采用。",
        "仅依据一篇文献。",
        "所有出处均未注明日期。",
    )


def test_where_no_calibration_applies_there_are_reasons_and_no_number() -> None:
    confidence, reasons = weighed_up(None, composed((1.0, hit("1"))), (), "en", TODAY)
    assert confidence is None
    assert reasons == ("Every sentence is an exact quote.", "It rests on a single document.")


def test_an_answer_of_no_sentences_has_that_of_the_evidence() -> None:
    assert weighed_up(0.1, Composition(), (), "en", TODAY) == (
        0.1,
        ("The passages found fit the question only loosely.",),
    )


@given(st.floats(0, 1), st.floats(0, 1), st.booleans(), st.booleans())
def test_it_is_a_probability_that_rises_with_the_evidence(evidence: float, other: float, old: bool, one: bool) -> None:
    first = hit("1", published="1999" if old else "2024")
    composition = composed((1.0, first), (0.7, first if one else replace(first, passage=hit("2").passage)))
    low, high = sorted((evidence, other))
    assert 0 <= number(composition, low) <= number(composition, high) <= 1


def test_the_packaged_calibration_trusts_better_evidence_more() -> None:
    assert packaged_calibration().evidence > 0
