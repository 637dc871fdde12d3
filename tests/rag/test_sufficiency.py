from dataclasses import replace
from math import exp, log

import pytest

from rag.checking.entailment import PackagedReader
from rag.extraction import Quote
from rag.settings import Settings
from rag.sufficiency import Calibration, Evidence, Judgement, judge, packaged_calibration, weigh
from rag.types import Hit, Passage

STRONG = Evidence(
    by_both=True,
    cosine=0.93,
    background=0.84,
    match=0.8,
    answers=4.0,
    coverage=0.9,
    chinese=False,
    other_language=False,
)
WEAK = Evidence(
    by_both=True,
    cosine=0.80,
    background=0.78,
    match=0.15,
    answers=-4.0,
    coverage=0.1,
    chinese=False,
    other_language=False,
)


def hit(text: str, cosine: float | None, rank: int = 1, match: float | None = 0.5) -> Hit:
    passage = Passage(
        passage_id=str(rank),
        document_id="d",
        edition_id="e",
        external_id=None,
        collection="c",
        title="Title",
        publisher=None,
        edition=None,
        published=None,
        url=None,
        language=None,
        section=None,
        page=None,
        text=text,
        char_start=0,
        char_end=len(text),
        superseded=False,
    )
    return Hit(passage, 1 / rank, rank, cosine=cosine, match=match)


def quote(of: Hit, answers: float, coverage: float = 0.5) -> Quote:
    return Quote(of, 0, len(of.passage.text), answers, coverage, 0.0)


def models() -> tuple[str, str]:
    return packaged_calibration().embedder, packaged_calibration().reader


def test_the_probability_is_logistic_in_the_features_that_have_a_weight() -> None:
    calibration = Calibration("e", "r", intercept=-1.0, weights={"cosine": 2.0, "coverage": 1.0}, threshold=0.5)
    assert calibration.probability(STRONG) == pytest.approx(1 / (1 + exp(-(-1 + 2 * 0.93 + 0.9))))


def test_strong_evidence_suffices_and_weak_does_not() -> None:
    strong, weak = judge(STRONG, *models()), judge(WEAK, *models())
    assert (strong.sufficient, weak.sufficient) == (True, False)
    assert strong.confidence is not None
    assert weak.confidence is not None
    assert weak.confidence < 0.1 < 0.9 < strong.confidence


def test_a_threshold_of_ones_own_decides_and_leaves_the_probability_as_it_is() -> None:
    strict, packaged = judge(STRONG, *models(), below=1.0), judge(STRONG, *models())
    assert (strict.sufficient, packaged.sufficient) == (False, True)
    assert strict.confidence == packaged.confidence
    assert judge(WEAK, *models(), below=0.0).sufficient


def test_the_packaged_calibration_is_for_the_packaged_models(embedder) -> None:
    assert packaged_calibration().embedder == embedder.fingerprint
    assert packaged_calibration().reader == PackagedReader(Settings()).fingerprint


@pytest.mark.parametrize("changed", [("another", models()[1]), (models()[0], "another")])
def test_with_another_model_there_is_no_confidence_and_the_rule_is_conservative(changed: tuple[str, str]) -> None:
    assert judge(STRONG, *changed).confidence is None
    assert judge(STRONG, *changed).sufficient
    assert not judge(replace(STRONG, coverage=0.4), *changed).sufficient
    assert not judge(replace(STRONG, answers=-0.1), *changed).sufficient


def test_a_search_by_words_or_vectors_alone_has_no_confidence() -> None:
    for found in (hit("Gout is a disease.", None), hit("Gout is a disease.", 0.9, match=None)):
        evidence = weigh("What is gout?", [found], [quote(found, 0.9, coverage=1.0)])
        assert judge(evidence, *models()) == Judgement(True, None)


def test_no_evidence_never_suffices() -> None:
    assert weigh("What is gout?", [hit("Gout.", 0.9)], []) is None
    assert judge(None, *models(), below=0.0).sufficient is False


def test_the_closest_passage_and_the_tenth_are_weighed_whatever_their_order() -> None:
    hits = [hit("Gout is a disease.", cosine, rank) for rank, cosine in enumerate((0.8, 0.9, 0.7, 0.85), start=1)]
    evidence = weigh("What is gout?", hits, [quote(hits[0], 0.5)])
    assert evidence is not None
    assert evidence.cosine == 0.9
    assert evidence.background == 0.7


def test_the_sentence_that_the_reader_finds_best_counts_and_the_one_that_holds_most_of_the_question() -> None:
    hits = [hit("Gout is a disease.", 0.9)]
    evidence = weigh("What is gout?", hits, [quote(hits[0], 0.5, coverage=1.0), quote(hits[0], 0.9, coverage=0.2)])
    assert evidence is not None
    assert (evidence.answers, evidence.coverage) == (pytest.approx(log(9)), 1.0)


def test_a_match_of_chinese_words_is_on_a_scale_of_its_own() -> None:
    assert STRONG.features["chinese_match"] == 0.0
    assert replace(STRONG, chinese=True).features["chinese_match"] == STRONG.match


def test_cosines_to_the_translated_question_count_only_where_there_are_no_others() -> None:
    chinese, english = hit("痛风是一种代谢性疾病。", 0.86, 1), hit("Gout is a metabolic disease.", 0.95, 2)
    both = weigh("什么是痛风？", [english, chinese], [quote(english, 0.9)])
    assert both is not None
    assert (both.cosine, both.chinese, both.other_language) == (0.86, True, True)
    only = weigh("什么是痛风？", [english], [quote(english, 0.9)])
    assert only is not None
    assert only.cosine == 0.95
