import pytest

from rag.sufficiency import UNCALIBRATED_COVERAGE, Calibration, Evidence, judge, packaged_calibration

STRONG = Evidence(
    passage_cosine=0.93, lead=0.04, sentence_cosine=0.94, coverage=0.8, chinese=False, other_language=False
)
WEAK = Evidence(
    passage_cosine=0.74, lead=0.004, sentence_cosine=0.75, coverage=0.0, chinese=False, other_language=False
)


def test_the_probability_is_logistic_in_the_features() -> None:
    calibration = Calibration("e", intercept=-1.0, weights=(2.0, 0.0, 0.0, 1.0, 0.0, 0.0), threshold=0.5)
    assert calibration.probability(STRONG) == pytest.approx(1 / (1 + 2.718281828 ** -(-1 + 2 * 0.93 + 0.8)))


def test_strong_evidence_suffices_and_weak_does_not() -> None:
    embedder = packaged_calibration().embedder
    strong, weak = judge(STRONG, embedder), judge(WEAK, embedder)
    assert (strong.sufficient, weak.sufficient) == (True, False)
    assert weak.confidence < 0.1 < 0.9 < strong.confidence


def test_the_packaged_calibration_is_for_the_packaged_embedder(embedder) -> None:
    assert packaged_calibration().embedder == embedder.fingerprint


def test_with_another_embedder_there_is_no_confidence_and_the_rule_is_conservative() -> None:
    judgement = judge(STRONG, "another")
    assert (judgement.sufficient, judgement.confidence) == (True, None)
    assert STRONG.coverage >= UNCALIBRATED_COVERAGE
    assert not judge(WEAK, "another").sufficient


def test_no_evidence_never_suffices() -> None:
    assert judge(None, packaged_calibration().embedder).sufficient is False
