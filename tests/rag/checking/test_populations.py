"""For whom a sentence holds is for whom its source says so."""

import pytest

from rag.checking.populations import population_findings
from rag.checking.types import Finding


def found(sentence: str, source: str, whole: str = "") -> tuple[Finding, ...]:
    return population_findings(sentence, [source], whole or source)


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Give 5 mg to children with asthma.", "Give 5 mg to adults with asthma."),
        ("Elderly patients should be monitored closely.", "Pregnant women should be monitored closely."),
        ("The disease is commoner in men than before.", "The disease is commoner in women than before."),
        ("小儿用量为每日两次。", "成人用量为每日两次。"),
        ("孕妇慎用本品。", "老年人慎用本品。"),
        ("本病多见于男性。", "本病多见于女性。"),
        ("新生儿应监测血糖。", "孕妇应监测血糖。"),
    ],
)
def test_another_population_in_the_same_place_contradicts(sentence: str, source: str) -> None:
    findings = found(sentence, source)
    assert findings
    assert findings[0].contradicts
    assert findings[0].issue.kind == "population"


def test_another_population_is_found_even_where_the_source_names_it_elsewhere() -> None:
    near = "Adults receive 500 mg twice daily."
    assert found("Children receive 500 mg twice daily.", near, near + " Children receive 250 mg.")[0].contradicts


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Give it to children.", "Give it to paediatric patients."),
        ("Kids may be given syrup.", "小儿可用糖浆。"),
        ("Older adults need less.", "老年患者用量减少。"),
        ("妊娠期妇女禁用。", "孕妇禁用。"),
        ("Pregnant women should avoid it.", "It should be avoided in pregnancy."),
        ("Renal insufficiency calls for a lower dose.", "肾功能不全者应减量。"),
        ("Cirrhosis is graded by the Child-Pugh score.", "The Child-Pugh score grades cirrhosis."),
    ],
)
def test_another_name_of_the_same_population_is_no_finding(sentence: str, source: str) -> None:
    assert found(sentence, source) == ()


def test_a_population_of_the_heading_is_no_finding() -> None:
    assert found("Children receive 5 mg/kg.", "5 mg/kg twice daily.", "Dose in children\n5 mg/kg twice daily.") == ()


def test_a_population_that_the_source_does_not_name_is_found_without_contradicting() -> None:
    findings = found("Ibuprofen relieves pain in children.", "Ibuprofen relieves pain.")
    assert [one.contradicts for one in findings] == [False]
    assert findings[0].issue.message == "the source does not mention children"
