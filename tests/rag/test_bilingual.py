"""The two parts of the dictionary, one behind the other, in both directions."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag import bilingual, glossary
from rag.analysis import terms
from rag.bilingual import FUNCTION_WORDS, MOST_MEANINGS, chinese_of, english_of, synonyms
from rag.languages import HAN

CEDICT_ONLY = ["苹果", "银行", "桌子", "下雨", "红色"]


def test_what_the_glossary_says_is_all_that_is_said() -> None:
    assert english_of("二甲双胍") == glossary.entries()["二甲双胍"][:MOST_MEANINGS]
    assert english_of("痛风")[0] == "gout"
    assert english_of("禁用")[0] == "contraindicated"  # CC-CEDICT: to withstand heavy use


@pytest.mark.parametrize("word", CEDICT_ONLY)
def test_a_general_word_is_found_behind_it(word: str) -> None:
    assert word not in glossary.entries()
    assert english_of(word)


@pytest.mark.parametrize(
    ("said", "written"),
    [
        ("房颤", "心房颤动"),
        ("心梗", "心肌梗死"),
        ("甲亢", "甲状腺功能亢进"),
        ("慢阻肺", "慢性阻塞性肺疾病"),
        ("中风", "卒中"),
        ("发烧", "发热"),
        ("扑热息痛", "对乙酰氨基酚"),
    ],
)
def test_what_is_said_has_its_written_name_and_that_what_is_said(said: str, written: str) -> None:
    assert written in synonyms(said)
    assert said in synonyms(written)


def test_a_name_is_no_other_name_of_its_own_and_each_is_a_term_that_an_index_can_hold() -> None:
    for name in glossary.entries():
        others = synonyms(name)
        assert name not in others
        assert all(other in terms(other) for other in others)
    assert synonyms("苹果") == synonyms("") == ()


def test_what_neither_knows_means_nothing() -> None:
    assert english_of("阿巴阿巴丁醇酯") == ()
    assert chinese_of("xyloquinostatin") == ()
    assert english_of("") == chinese_of("") == ()


@pytest.mark.parametrize("word", [*CEDICT_ONLY, "个", "公斤", "李", "中国", "量词", "意思", "东西", "先生", "有意思"])
def test_a_meaning_is_a_term_to_search_for(word: str) -> None:
    for meaning in english_of(word):
        assert not re.search(rf"[{HAN}()\[\];/]", meaning)
        assert meaning == meaning.strip(" ,.:?")
        assert 1 <= len(meaning.split()) <= 5
        assert not meaning.startswith(("to ", "a ", "an ", "the ", "CL:", "variant of", "surname", "abbr."))


@pytest.mark.parametrize(
    ("senses", "expected"),
    [
        ("to run; to jog/running (as a sport)/CL:個|个[ge4]", ["run", "jog", "running"]),
        ("surname Li/plum", ["plum"]),
        ("variant of 台[tai2]/old variant of 臺/platform", ["platform"]),
        ("(dialect) (coll.) to be ill", ["ill"]),
        ("one who has been here for a long time", []),
        ("see 糖尿病[tang2 niao4 bing4]", []),
        ("sugar substitute (糖)", ["sugar substitute"]),
    ],
)
def test_remarks_classifiers_and_explanations_are_cleaned_away(senses: str, expected: list[str]) -> None:
    assert list(bilingual._meanings(senses)) == expected


@pytest.mark.parametrize(
    ("english", "expected"),
    [
        ("gout", "痛风"),
        ("metformin", "二甲双胍"),
        ("COPD", "慢阻肺"),
        ("chronic kidney disease", "慢性肾病"),
        ("hypertension", "高血压"),
        ("type 2 diabetes", "2型糖尿病"),
        ("apple", "苹果"),
        ("rain", "下雨"),
        ("drug", "药物"),
    ],
)
def test_english_has_its_chinese(english: str, expected: str) -> None:
    assert expected in chinese_of(english)


@pytest.mark.parametrize(
    ("form", "same"),
    [
        ("Gout", "gout"),
        ("diuretics", "diuretic"),
        ("the lung", "lung"),
        ("shortness of breath", "shortness breath"),
        ("beta blockers", "beta blocker"),
    ],
)
def test_case_endings_and_function_words_make_no_difference(form: str, same: str) -> None:
    assert chinese_of(form) == chinese_of(same) != ()


@pytest.mark.parametrize(
    ("whole", "part"),
    [("hepatitis A", "hepatitis"), ("vitamin A", "vitamin"), ("T cell", "cell"), ("factor V", "factor")],
)
def test_the_letter_of_a_name_is_no_function_word(whole: str, part: str) -> None:
    assert not set(chinese_of(whole)) & set(chinese_of(part))


@pytest.mark.parametrize("word", ["what", "the", "should", "of the", "is a"])
def test_function_words_have_no_chinese(word: str) -> None:
    assert chinese_of(word) == ()


@given(st.sampled_from(["can", "about", "these", "very", "which", "other", "more", "red", "blood", "eat"]))
def test_no_chinese_function_word_is_given(word: str) -> None:
    assert not set(chinese_of(word)) & FUNCTION_WORDS


def test_every_name_of_the_glossary_is_found_from_its_english_among_the_best_or_behind_shorter_ones() -> None:
    for chinese, meanings in list(glossary.entries().items())[::50]:
        for meaning in meanings[:1]:
            found = chinese_of(meaning)
            assert chinese in found or len(found) == MOST_MEANINGS, (chinese, meaning, found)
