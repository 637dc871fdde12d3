"""The words of two sentences, held against each other."""

import pytest

from rag.checking.names import name_findings
from rag.checking.pairing import paired
from rag.checking.polarity import polarity_findings
from rag.checking.reading import read


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Give morphine 0.015 g daily.", "Give morphine 15 mg daily."),
        ("A distance of not more than 300 mm", "A distance of not more than 30 cm"),
        ("Flutamide 250 mg thrice daily orally", "Flutamide 250 mg three times daily orally"),
        ("成人常用剂量为0.3g，tid。", "成人常用剂量为0.3g，每天3次。"),
        ("肝右肋下35mm，质软。", "肝右肋下3.5cm，质软。"),
        ("差异明显(P小于0.01)。", "差异明显(P＜0.01)。"),
        ("Not >1 teaspoon of salt per day", "Not more than 1 teaspoon of salt per day"),
    ],
)
def test_quantities_are_no_words_to_differ_in(sentence: str, source: str) -> None:
    assert paired(sentence, source).gaps == ()
    for find in (name_findings, polarity_findings):
        assert find(sentence, (source,), source) == ()
        assert find(source, (sentence,), sentence) == ()


def test_a_drug_among_quantities_is_still_a_word() -> None:
    near = ("Morphine 15 mg every 8 hours daily", "Diclofenac potassium 50 mg every 12 hours")
    assert name_findings("Diclofenac 15 mg every 8 hours daily", near, "\n".join(near))


def test_numbers_inside_words_stay_words() -> None:
    assert [token.text for token in read("二甲双胍与HbA1c").tokens] == ["二甲双胍", "HbA1c"]
