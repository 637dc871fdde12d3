"""Drugs and diseases of a sentence are those of its source, under whatever name."""

import pytest

from rag.checking.names import name_findings
from rag.checking.types import Finding


def found(sentence: str, source: str, whole: str = "") -> tuple[Finding, ...]:
    return name_findings(sentence, [source], whole or source)


@pytest.mark.parametrize(
    ("sentence", "source", "own", "rival"),
    [
        ("Give amoxicillin for seven days.", "Give doxycycline for seven days.", "amoxicillin", "doxycycline"),
        ("Start sotorasib in these patients.", "Start imatinib in these patients.", "sotorasib", "imatinib"),
        ("Elacestrant was more effective.", "Danicopan was more effective.", "Elacestrant", "Danicopan"),
        ("Screen for gout every year.", "Screen for glaucoma every year.", "gout", "glaucoma"),
        (
            "It is active in indolent Hodgkin lymphoma.",
            "It is active in indolent non-Hodgkin lymphoma.",
            "Hodgkin lymphoma",
            "non-Hodgkin lymphoma",
        ),
        ("该药用于充血性痢疾。", "该药用于充血性心力衰竭。", "痢疾", "心力衰竭"),
        ("方中以麻黄为君药。", "方中以桂枝为君药。", "麻黄", "桂枝"),
        ("首选阿奇霉素治疗。", "首选青霉素治疗。", "阿奇霉素", "青霉素"),
        ("首选沃诺拉赞治疗该病。", "首选奥美拉唑治疗该病。", "沃诺拉赞", "奥美拉唑"),
        ("该药用于痛风患者。", "该药用于哮喘患者。", "痛风", "哮喘"),
    ],
)
def test_a_name_in_place_of_another_contradicts(sentence: str, source: str, own: str, rival: str) -> None:
    findings = found(sentence, source)
    assert [one.contradicts for one in findings] == [True]
    assert own in findings[0].issue.message
    assert rival in findings[0].issue.message


def test_a_swap_is_found_even_where_the_source_names_the_drug_elsewhere() -> None:
    near = "Metformin is the first choice in most patients."
    assert found("Insulin is the first choice in most patients.", near, near + " Insulin follows.")[0].contradicts


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Give acetaminophen for fever.", "Give paracetamol for fever."),
        ("Epinephrine is given at once.", "Adrenaline is given immediately."),
        ("High blood pressure is common.", "Hypertension is common."),
        ("Heart attack needs prompt treatment.", "Myocardial infarction needs prompt treatment."),
        ("发热时给予扑热息痛。", "发热时给予对乙酰氨基酚。"),
        ("心梗需要立即治疗。", "心肌梗死需立即治疗。"),
        ("Paracetamol relieves fever.", "对乙酰氨基酚可退热。"),
        ("COPD is treated with inhalers.", "Chronic obstructive pulmonary disease is treated with inhalers."),
        ("本病多见于肺部，大大降低了肺功能。", "本病常见于肺部，大大减少了肺功能。"),
        ("Trazodone is best taken at bedtime.", "Trazadone is best taken at bedtime."),
    ],
)
def test_another_name_of_the_same_thing_is_no_finding(sentence: str, source: str) -> None:
    assert found(sentence, source) == ()


@pytest.mark.parametrize(
    ("sentence", "source", "whole"),
    [
        ("Metformin lowers glucose.", "It lowers glucose.", "Metformin is a biguanide. It lowers glucose."),
        ("Metformin is taken with meals.", "The drug is taken with meals.", "METFORMIN\nThe drug is taken with meals."),
        (
            "Ringworm spreads by contact.",
            "The infection spreads by contact.",
            "Ringworm\nThe infection spreads by contact.",
        ),
        ("二甲双胍餐时服用。", "本品餐时服用。", "二甲双胍\n本品餐时服用。"),
    ],
)
def test_a_name_for_which_the_source_says_it_is_no_finding(sentence: str, source: str, whole: str) -> None:
    assert found(sentence, source, whole) == ()


def test_a_name_that_the_source_lacks_is_found_without_contradicting() -> None:
    findings = found("Clarithromycin may be added.", "Another treatment can be considered later on.")
    assert [one.contradicts for one in findings] == [False]
    assert findings[0].issue.message == "the source does not mention “Clarithromycin”"
    assert found("可加用克拉霉素。", "必要时调整方案。")[0].issue.message == "原文没有提到“克拉霉素”"
