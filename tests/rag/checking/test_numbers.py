"""Each number of a sentence against the cited text: the same value, of the same thing."""

import pytest

from rag.checking.numbers import number_findings
from rag.checking.types import Finding

FAITHFUL = [
    ("Give 0.5 g twice daily.", "Give 500 mg bid."),
    ("Take 1000 mg every 12 hours.", "Take 1 g twice daily."),
    ("成人每次0.5 g，每日两次。", "成人每次500mg，bid。"),
    ("疗程半年。", "疗程6个月。"),
    ("The course is half a year.", "The course is 6 months."),
    ("The course is 6 months.", "疗程半年。"),
    ("Children aged 18 or older are eligible.", "Children aged at least 18 years are eligible."),
    ("Adults at least 18 years old were enrolled.", "Adults aged ≥18 years were enrolled."),
    ("Patients aged 18 years and above were enrolled.", "纳入18岁及以上患者。"),
    ("from 5 to 10 mg daily", "5-10 mg daily"),
    ("between 5 and 10 mg once daily", "5–10 mg every day"),
    ("Give 10 mg for adults and 5 mg for children.", "Give 5 mg for children and 10 mg for adults."),
    ("children 5 mg, adults 10 mg", "adults 10 mg, children 5 mg"),
    ("Doses of 20, 10 and 5 mg were tested.", "Doses of 5, 10 and 20 mg were tested."),
    ("Three patients died.", "3 patients died."),
    ("Twenty-five patients were treated for two weeks.", "25 patients were treated for 14 days."),
    ("一半患者好转。", "50%的患者好转。"),
    ("约三分之一患者复发。", "约1/3患者复发。"),
    ("One third of patients relapsed.", "三分之一的患者复发。"),
    ("Infuse 500 mL over 1 day.", "Infuse 0.5 L over 24 h."),
    ("血红蛋白低于 90 g/L", "Hemoglobin below 9 g/dL"),
    ("每8小时口服一次，每次250 mg", "250 mg orally every 8 hours"),
    ("250 mg 每日三次", "250 mg tid"),
    ("The trial began in May 2019.", "试验于2019年5月开始。"),
    ("Sensitivity was 95% and specificity 80%.", "Specificity was 80% and sensitivity 95%."),
    ("The specificity and sensitivity were 80% and 95%.", "The sensitivity and specificity were 95% and 80%."),
    ("Type 2 diabetes is common.", "2型糖尿病常见。"),
    ("Stage III disease", "III期疾病"),
    ("Stage 3 disease", "stage III disease"),
    ("10 mg/kg/day in three divided doses", "10 mg per kg per day divided into 3 doses"),
    ("10 mg/kg daily in three doses", "10 mg/kg/day in 3 doses"),
    ("No more than 4 g a day", "at most 4 g per day"),
    ("每日不超过4克", "Maximum 4 g daily"),
    ("24小时内不超过4g", "no more than 4 g in 24 hours"),
    ("A total of 1200 patients", "a total of 1,200 patients"),
    ("血小板计数低于 100×10^9/L", "platelet count < 100 × 10⁹/L"),
    ("twice as many", "two times as many"),
    ("Treat on the third day.", "Treat on day 3."),
    ("At 6-month follow-up", "At follow-up of six months"),
    ("BP below 140/90 mmHg", "blood pressure <140/90 mm Hg"),
    ("一周两次", "twice weekly"),
    ("1周2次", "twice a week"),
    ("65岁以上老人", "people older than 65 years"),
    ("65岁以上老人", "people aged 65 and over"),
    ("5岁以下儿童", "children under 5 years"),
    ("Children under the age of 5", "children younger than 5 years"),
    ("The risk doubled (2-fold)", "风险增加两倍"),
    ("Mortality was 12 percent", "mortality was 12%"),
    ("About 30 million people", "约3000万人"),
    ("Take one tablet once daily", "Take 1 tablet daily"),
    ("Take half a tablet daily", "每日半片"),
    ("COVID-19 patients with IL-6 above 7 pg/mL", "patients with COVID-19 whose IL-6 was >7 pg/ml"),
    ("In 2 of 10 patients (20%)", "in two of ten patients (20%)"),
    ("q6h dosing at 5 mg", "5 mg every six hours"),
    ("within 2 days", "within 48 hours"),
    ("more than 3 days", ">72 hours"),
    ("给药间隔为8小时", "dosing interval of 8 h"),
    ("Repeat once after 15 min", "15分钟后重复1次"),
    ("5 ml (250 mg) four times daily", "250 mg (5 mL) qid"),
    ("p < 0.001", "P<.001"),
    ("95% CI 1.2 to 3.4", "95% CI: 1.2–3.4"),
    ("heart rate of 80 beats per minute", "心率80次/分"),
    ("body mass index over 30 kg/m2", "BMI>30 kg/m²"),
    ("The trial began in 2019.", "The trial began in May 2019."),
    ("Puberty starts at age 14 or 13.", "Puberty starts at age 13 or 14."),
    ("50 mg 3 or 2 times a day", "50 mg 2 or 3 times a day"),
    ("equal doses every 12 or 8 hours", "equal doses every 8 or 12 hours"),
    ("by as many as two weeks.1", "by as many as 14 days.1"),
    ("zinc <50% and below 75%", "zinc <50% and <75%"),
    ("除非低于2.5mmol/L，不能诊断。", "除非＜2.5mmol/L，不能诊断。"),
]
WRONG = [
    (
        "Give metformin 80 mg twice daily and gliclazide 500 mg once daily.",
        "Give metformin 500 mg twice daily and gliclazide 80 mg once daily.",
    ),
    (
        "Give metformin 500 mg once daily and gliclazide 80 mg twice daily.",
        "Give metformin 500 mg twice daily and gliclazide 80 mg once daily.",
    ),
    ("Sensitivity was 95% and specificity 80%.", "Sensitivity was 80% and specificity 95%."),
    ("The sensitivity and specificity were 95% and 80%.", "The sensitivity and specificity were 80% and 95%."),
    ("Give 500 mg.", "Give 50 mg."),
    ("Adults over 18", "Adults at least 18"),
    ("成人每日三次。", "成人每日两次。"),
    ("IL-8 rose.", "IL-6 rose."),
    ("Stage IV disease", "Stage III disease"),
    ("type 1 diabetes", "type 2 diabetes"),
    ("1型糖尿病", "type 2 diabetes"),
    ("glucose of 5 mg/dL", "glucose of 5 mmol/L"),
    ("三个月", "四个月"),
    ("二甲双胍每日1.5 g", "metformin 500 mg daily"),
    ("Adults need 5 mg, children 10 mg.", "children 5 mg, adults 10 mg"),
    ("p > 0.05", "p < 0.05"),
    ("at most 5 days", "at least 5 days"),
    ("every 6 hours", "every 8 hours"),
    ("in the next five years and up to age 90", "in the next five years and at least age 90"),
    ("daily for 4 weeks", "daily for 4 months"),
    ("5 g of paracetamol", "5 mg of paracetamol"),
]


def findings(sentence: str, *near: str, whole: str = "") -> tuple[Finding, ...]:
    return number_findings(sentence, near, whole or "\n".join(near))


@pytest.mark.parametrize(("sentence", "source"), FAITHFUL)
def test_what_is_said_in_other_words_is_stated(sentence: str, source: str) -> None:
    assert findings(sentence, source) == ()


@pytest.mark.parametrize(("source", "sentence"), [pair for pair in FAITHFUL if "2019" not in pair[0]])
def test_and_the_other_way_round(source: str, sentence: str) -> None:
    assert findings(sentence, source) == ()


@pytest.mark.parametrize(("sentence", "source"), WRONG)
def test_another_value_in_the_same_role_is_found(sentence: str, source: str) -> None:
    assert findings(sentence, source)
    assert findings(source, sentence)


@pytest.mark.parametrize(
    ("sentence", "near", "message"),
    [
        ("Give amoxicillin 500 mg.", "Give amoxicillin 50 mg.", "the answer says 500 mg, the source says 50 mg"),
        ("口服阿莫西林500 mg。", "口服阿莫西林50 mg。", "答案写的是“500 mg”，原文是“50 mg”"),
        ("It is given twice daily.", "It is given tid.", "the answer says twice daily, the source says tid"),
        (
            "At least 18 years.",
            "At most 18 years.",
            "the answer says At least 18 years, the source says At most 18 years",
        ),
    ],
)
def test_a_contradiction_is_named_with_what_the_source_says(sentence: str, near: str, message: str) -> None:
    (finding,) = findings(sentence, near)
    assert finding.contradicts
    assert (finding.issue.kind, finding.issue.message) == ("number", message)


def test_a_number_that_the_source_does_not_have_is_merely_not_said() -> None:
    (finding,) = findings("Take 500 mg with food.", "The drug is taken with food.")
    assert not finding.contradicts
    assert finding.issue.message == "the cited text does not say 500 mg"


def test_a_number_that_stands_far_from_the_matter_is_not_said_of_it() -> None:
    (finding,) = findings("服药时加水500 mL。", "服药时加水。", whole="服药时加水。每天输液500 mL。")
    assert not finding.contradicts
    assert finding.issue.message == "所引原文只在讲别的内容时提到“500 mL”"


def test_a_number_that_stands_in_another_role_nearby_is_found() -> None:
    near = ("Adults take 500 mg every 8 hours.", "Children take 250 mg every 12 hours.")
    assert findings("Adults take 500 mg every 8 hours for pain.", *near) == ()
    assert findings("Adults take 250 mg every 8 hours for pain.", *near)
    assert findings("Adults take 500 mg every 12 hours for pain.", *near)


def test_either_of_two_sources_that_disagree_states_its_number() -> None:
    near = ("Give aspirin 75 mg daily.", "Give aspirin 100 mg daily.")
    assert findings("Give aspirin 100 mg daily.", *near) == ()
    assert findings("Aspirin 75 mg is given daily.", *near) == ()


def test_a_row_of_a_table_is_not_mixed_with_another() -> None:
    near = ("7-10 years: 100 mg every 8 hours for 5 days", "3-7 years: 100 mg every 12 hours for 5 days")
    assert findings("7-10 years: 100 mg every 8 hours for 5 days", *near) == ()
    (finding,) = findings("7-10 years: 100 mg every 12 hours for 5 days", *near)
    assert finding.issue.message == "the answer says every 12 hours, the source says every 8 hours"


@pytest.mark.parametrize(
    ("sentence", "near"),
    [
        ("三级预防包括早期诊断和早期治疗。", ("二级预防包括早期诊断和早期治疗。", "三级预防防止并发症。")),
        ("Grade 1 (worse prognosis)", ("Grade 2 (worse prognosis)", "Grade 1 (better prognosis)")),
        ("age below 1 year: 200,000 IU", ("age above 1 year: 200,000 IU", "age below 1 year: 100,000 IU")),
        ("It takes 20 days in 30% of patients.", ("It takes 10 days in 30% of patients.", "It recurs after 20 days.")),
    ],
)
def test_a_number_of_the_neighbouring_sentence_does_not_stand_in(sentence: str, near: tuple[str, ...]) -> None:
    assert findings(sentence, *near)


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("About 76% of the cases received no treatment.", "76.3% of serious cases received no treatment."),
        ("CCL19 is a ligand for CCR7.", "CCL21 resembles the second CCR7 ligand, CCL19."),
        ("BRCA 1 mutation carriers are at risk.", "Mutation carriers of BRCA1 or BRCA2 are at risk."),
        ("②6个月内体重减轻10%以上", "B组症状：②6个月内体重减轻10%以上"),
        ("described as g-H2AX, a marker of breaks", "described as γ-H2AX, a marker of breaks"),
        ("二甲双胍是双胍类药物。", "Metformin is a biguanide."),
        ("Doxycycline 100 mg orally", "Doxycycline100 mg orally"),
        ("Give it 2 hours before surgery, not more than 3 hours.", "Give it 2 hours before surgery, not >3 hours."),
    ],
)
def test_what_only_looks_like_another_number_is_none(sentence: str, source: str) -> None:
    assert findings(sentence, source) == ()


def test_a_sentence_without_numbers_has_nothing_wrong_with_them() -> None:
    assert findings("Metformin is the first choice.", "Give 5 mg.") == ()


def test_a_name_that_only_the_heading_has_is_no_number_to_find() -> None:
    assert findings("Type 2 diabetes is common.", "It is common.", whole="Type 2 diabetes\nIt is common.") == ()
    assert findings("Vitamin B12 is absorbed in the ileum.", "It is absorbed in the ileum.") == ()


def test_part_of_a_longer_number_is_not_the_number() -> None:
    assert findings("5 mg daily", "Give 15 mg daily.")
    assert findings("Give 1", "Give 1.5 mg.")
