"""Questions in the words of the other language."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.translation import Concept, Translation, translate


def names(question: str) -> set[str]:
    return {name for concept in translate(question).concepts for name in concept.names}


def test_a_chinese_question_becomes_english_terms_and_an_english_one_chinese_terms() -> None:
    assert translate("痛风的治疗是什么？") == Translation(
        "en", (Concept("痛风", ("gout",)), Concept("治疗", ("treatment", "therapy")))
    )
    translated = translate("Which diuretic is given in gout?")
    assert translated.language == "zh"
    assert {"利尿剂", "痛风"} <= names("Which diuretic is given in gout?")


def test_the_gloss_is_the_usual_names() -> None:
    concepts = (Concept("痛风", ("gout", "podagra")), Concept("治疗", ("treatment", "therapy")))
    assert Translation("en", concepts).gloss == "gout, treatment"


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("二甲双胍的禁忌证有哪些？", {"metformin", "contraindication"}),
        ("慢性阻塞性肺疾病急性加重怎么办", {"chronic obstructive pulmonary disease", "acute exacerbation"}),
        ("静脉注射头孢曲松钠", {"ceftriaxone", "sodium"}),
        ("2型糖尿病的一线药物", {"type 2 diabetes mellitus", "first-line", "drug"}),
        ("β受体阻滞剂禁用于哪些患者", {"beta blocker", "contraindicated", "patient"}),
        ("维生素B12缺乏", {"vitamin B12 deficiency"}),
    ],
)
def test_medical_names_are_translated_whole(question: str, expected: set[str]) -> None:
    assert expected <= names(question)


@pytest.mark.parametrize(
    ("traditional", "simple"),
    [("高血壓", "高血压"), ("糖尿病腎病變的藥物治療", "糖尿病肾病变的药物治疗"), ("維生素B12缺乏", "维生素B12缺乏")],
)
def test_traditional_characters_are_read_as_simplified_ones(traditional: str, simple: str) -> None:
    assert translate(traditional).concepts == translate(simple).concepts != ()


def test_latin_names_and_numbers_of_a_chinese_question_stay() -> None:
    assert {"eGFR", "30", "metformin"} <= names("eGFR低于30时二甲双胍要停用吗")
    assert "SGLT2 inhibitor" in names("SGLT2 inhibitor 用于心衰吗")


def test_full_width_letters_are_ordinary_ones() -> None:
    assert translate("ＨｂＡ１ｃ目标值").concepts == translate("HbA1c目标值").concepts
    assert "HbA1c" in names("ＨｂＡ１ｃ目标值")


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What is the HbA1c target?", {"HbA1c", "糖化血红蛋白", "目标"}),
        ("Is COPD treated with salbutamol?", {"COPD", "慢阻肺", "沙丁胺醇"}),
        ("Does dapagliflozin help when NT-proBNP is high?", {"达格列净", "NT-proBNP"}),
    ],
)
def test_names_that_chinese_texts_write_as_they_are_stay_in_an_english_question(
    question: str, expected: set[str]
) -> None:
    assert expected <= names(question)


def test_the_longest_phrase_that_is_known_counts_as_one() -> None:
    words = [concept.names[0] for concept in translate("chronic kidney disease and heart failure").concepts]
    assert words == ["慢性肾病", "心衰"]


def test_a_word_that_is_not_known_is_translated_by_its_parts() -> None:
    assert {"heart failure", "classification"} <= names("心衰分类表")


@pytest.mark.parametrize("question", ["怎么样？", "怎么办", "它是什么", "What is it?", "", "???", "   "])
def test_a_question_without_content_has_no_terms(question: str) -> None:
    assert translate(question).concepts == ()
    assert translate(question).gloss == ""


@given(st.text(alphabet=st.sampled_from("痛风高血压的是 aB2c.-/β，？ＨＡ(\n血糖"), max_size=40))
def test_any_question_is_translated_into_names_that_say_something(question: str) -> None:
    for concept in translate(question).concepts:
        assert concept.word.strip()
        assert concept.names
        assert all(name.strip() for name in concept.names)
