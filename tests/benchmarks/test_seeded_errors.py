"""Seeded errors change what is claimed, faithful rewordings do not, and both are the same for a seed."""

import gzip
import json
import random
from pathlib import Path

import pytest
from seeded.names import names_of
from seeded.pairs import ERRORS, FAITHFUL, pairs
from seeded.passages import Passage, Sentence, part_of, statements
from seeded_errors import wilson

ENGLISH = (
    "Adults with pneumonia are given amoxicillin 500 mg orally twice daily for 2 weeks. Doxycycline is "
    "the alternative. It is not recommended in children under 5 years. Give 10, 20 or 40 mg of prednisolone "
    "for 5-10 days, at least 3 hours before meals. The vaccine increases immunity in older adults with hypertension."
)
CHINESE = (
    "成人口服阿莫西林500mg，每日两次，疗程6个月。孕妇禁用。肺炎患者血压升高，血钾＜3.5mmol/L，应立即给予治疗。"
    "疗程5～10天，共分为三个阶段，该药属于抗生素，可见于儿童患者。"
)


def changed(kind: str, text: str, lang: str = "en") -> list[tuple[str, str]]:
    passage = Passage("p", lang, "tests", text)
    seeding = {**ERRORS, **FAITHFUL}[kind]
    found = seeding(Sentence(text, passage), names_of([]), random.Random(1))
    return [(one.was, one.now) for one in found]


@pytest.mark.parametrize(
    ("kind", "sentence", "expected"),
    [
        ("dose_x10", "Give 500 mg of it.", ("500 mg", "5000 mg")),
        ("dose_x10", "Give 500 mg of it.", ("500 mg", "50 mg")),
        ("unit_swapped", "Give 500 mg of it.", ("500 mg", "500 g")),
        ("unit_swapped", "Give it for 7 days.", ("7 days", "7 weeks")),
        ("comparator_flipped", "It is for patients ≥ 18 years.", ("≥", "≤")),
        ("comparator_flipped", "It took more than 3 days.", ("more than", "less than")),
        ("negation_dropped", "It is not recommended in pregnancy.", ("is not", "is")),
        ("negation_dropped", "It is contraindicated in pregnancy.", ("contraindicated", "indicated")),
        ("negation_added", "The drug is recommended in pregnancy.", ("is", "is not")),
        ("population_swapped", "It is safe in children with asthma.", ("children", "adults")),
        ("frequency_changed", "Take 5 mg twice daily.", ("twice daily", "three times daily")),
        ("direction_flipped", "It increases the blood pressure.", ("increases", "decreases")),
    ],
)
def test_an_english_error_says_something_else(kind: str, sentence: str, expected: tuple[str, str]) -> None:
    assert expected in changed(kind, sentence)


@pytest.mark.parametrize(
    ("kind", "sentence", "expected"),
    [
        ("dose_x10", "口服500mg，疗程两周。", ("500 mg", "5000 mg")),
        ("unit_swapped", "疗程为7天，然后停药。", ("7 天", "7 周")),
        ("comparator_flipped", "血钾＜3.5mmol/L时补钾。", ("＜", "＞")),
        ("comparator_flipped", "每次不超过200ml。", ("不超过", "不少于")),
        ("negation_dropped", "孕妇禁用该药。", ("禁用该药。", "可用该药。")),
        ("negation_added", "该药属于抗生素类。", ("属于", "不属于")),
        ("population_swapped", "该药用于儿童哮喘。", ("儿童", "成人")),
        ("frequency_changed", "口服该药，每日两次。", ("每日两次", "每日三次")),
        ("direction_flipped", "患者血压升高明显。", ("升高", "降低")),
    ],
)
def test_a_chinese_error_says_something_else(kind: str, sentence: str, expected: tuple[str, str]) -> None:
    assert expected in changed(kind, sentence, "zh")


@pytest.mark.parametrize(
    ("kind", "sentence", "lang", "expected"),
    [
        ("unit_converted", "Give 500 mg of it.", "en", ("500 mg", "0.5 g")),
        ("unit_converted", "口服500mg，疗程两周。", "zh", ("500mg", "0.5g")),
        ("numbers_reordered", "Give 10, 20 or 40 mg of it.", "en", ("10, 20 or 40", "40, 20 or 10")),
        ("frequency_worded", "Take 5 mg bid.", "en", ("bid", "twice daily")),
        ("frequency_worded", "口服500mg，每日两次。", "zh", ("每日两次", "bid")),
        ("duration_worded", "Treat for 2 weeks.", "en", ("2 weeks", "14 days")),
        ("duration_worded", "疗程为6个月。", "zh", ("6个月", "半年")),
        ("numerals_worded", "Treat for 3 weeks.", "en", ("3", "three")),
        ("numerals_worded", "分为三个阶段。", "zh", ("三个", "3个")),
        ("range_worded", "Treat for 5-10 days.", "en", ("5-10", "5 to 10")),
        ("range_worded", "疗程5～10天。", "zh", ("5～10", "5至10")),
        ("comparator_worded", "It is for patients ≥ 18 years.", "en", (" ≥ ", "at least ")),
        ("comparator_worded", "血钾＜3.5mmol/L时补钾。", "zh", ("＜", "小于")),
        ("synonym", "It is contraindicated in hypertension.", "en", ("hypertension", "high blood pressure")),
    ],
)
def test_a_faithful_rewording_keeps_the_value(kind: str, sentence: str, lang: str, expected: tuple[str, str]) -> None:
    assert expected in changed(kind, sentence, lang)


@pytest.mark.parametrize(
    ("kind", "sentence"),
    [
        ("number_changed", "It was seen before [12, 13] and in Figure 2 (Smith, 2017)."),
        ("number_changed", "COVID-19 and IL-6 are no quantities, nor is type 2 diabetes."),
        ("negation_dropped", "It is not only safe but cheap."),
        ("negation_added", "Some people are cured by it, and it is not harmful."),
        ("unit_converted", "Give 5 mg/kg, or 10-20 mg."),
        ("numbers_reordered", "Groups took 10 and 20 mg, respectively."),
        ("comparator_worded", "The value was 5."),
    ],
)
def test_what_would_be_no_error_or_not_faithful_is_left_alone(kind: str, sentence: str) -> None:
    assert changed(kind, sentence) == []


def test_a_drug_is_never_swapped_for_its_own_synonym() -> None:
    swapped = {now for seed in range(60) for _, now in _swaps("Give paracetamol to adults with fever.", seed)}
    assert len(swapped) > 10
    assert not swapped & {"paracetamol", "acetaminophen"}


def _swaps(text: str, seed: int) -> list[tuple[str, str]]:
    one = Sentence(text, Passage("p", "en", "tests", text + " Acetaminophen is the same."))
    return [(change.was, change.now) for change in ERRORS["drug_swapped"](one, names_of([]), random.Random(seed))]


def test_what_is_more_than_a_number_is_only_raised() -> None:
    text = "It was seen in more than 300 patients."
    one = Sentence(text, Passage("p", "en", "tests", text))
    for seed in range(30):
        for change in ERRORS["number_changed"](one, names_of([]), random.Random(seed)):
            assert int(change.now.split()[0]) > 300


def test_exam_marks_are_no_evidence(tmp_path: Path) -> None:
    data = _collections(tmp_path, zh="肺结核由结核分枝杆菌引起（A对）。该病可经飞沫传播（B错，为本题正确答案）。" * 2)
    assert all("对）" not in one.evidence and "本题" not in one.evidence for one in pairs(data, 20, "all", 1))


def test_statements_are_whole_sentences_without_their_list_marks() -> None:
    text = "Treatment\n• Give oxygen by mask to\nevery patient.\n• Why is that so?\n1. Give 500 mg of it twice daily"
    found = [one.text for one in statements(Passage("p", "en", "tests", text))]
    assert found == ["Give oxygen by mask to every patient.", "Give 500 mg of it twice daily"]


def test_pairs_are_the_same_for_a_seed_and_no_altered_sentence_stands_in_its_passage(tmp_path: Path) -> None:
    data = _collections(tmp_path, en=ENGLISH, zh=CHINESE)
    made = pairs(data, 60, "all", 3)
    assert made == pairs(data, 60, "all", 3)
    assert {one.kind for one in made} >= {
        "dose_x10",
        "negation_dropped",
        "drug_swapped",
        "unaltered",
        "duration_worded",
    }
    assert {one.lang for one in made} == {"en", "zh"}
    for one in made:
        assert (one.sentence in one.evidence) == (one.kind == "unaltered")


def test_the_halves_share_no_passage(tmp_path: Path) -> None:
    data = _collections(tmp_path, en=ENGLISH, zh=CHINESE, copies=8)
    halves = [{one.id.split("/")[0] for one in pairs(data, 40, part, 3)} for part in ("dev", "held-out")]
    assert halves[0]
    assert halves[1]
    assert not halves[0] & halves[1]
    assert {part_of(each) for each in halves[0]} == {"dev"}


def test_the_interval_of_a_rate_is_wilsons() -> None:
    low, high = wilson(98, 100)
    assert (round(low, 4), round(high, 4)) == (0.93, 0.9945)


def _collections(folder: Path, en: str = ENGLISH, zh: str = CHINESE, copies: int = 1) -> Path:
    for name, lang, text in (("medquad", "en", en), ("cmexam_zh", "zh", zh)):
        (folder / name).mkdir()
        with gzip.open(folder / name / "corpus.jsonl.gz", "wt", encoding="utf-8") as lines:
            for number in range(copies):
                row = {"id": f"{name}-{number}", "title": "", "text": text, "lang": lang, "source": name}
                lines.write(json.dumps(row, ensure_ascii=False) + "\n")
    return folder
