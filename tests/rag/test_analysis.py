import pytest

from rag.analysis import simplified, stem, terms, words
from rag.languages import language_of


@pytest.mark.parametrize("word", ["hba1c", "il-6", "covid-19", "5-ht2a", "p53", "mg/kg", "140/90", "7.0", "β2"])
def test_a_biomedical_token_survives_whole(word: str) -> None:
    assert word in terms(f"given {word.upper()} twice")


def test_the_parts_of_a_compound_are_found_too() -> None:
    assert {"il-6", "il", "6"} <= set(terms("IL-6"))


def test_chinese_runs_become_bigrams_and_a_lone_character_itself() -> None:
    assert terms("高血压") == ["高血", "血压", "高血压"]
    assert terms("血压") == ["血压"]
    assert terms("A 肝 B") == ["肝", "b"]


@pytest.mark.parametrize(
    ("run", "longer"),
    [
        ("服用盐酸二甲双胍片", {"二甲双胍"}),
        ("慢性阻塞性肺疾病患者", {"慢性阻塞性肺疾病"}),
        ("静脉注射头孢曲松钠", {"头孢曲松"}),
        ("他今天很好", set()),
    ],
)
def test_names_of_three_characters_or_more_are_terms_beside_the_bigrams(run: str, longer: set[str]) -> None:
    found = terms(run)
    bigrams = [run[i : i + 2] for i in range(len(run) - 1)]
    assert found[: len(bigrams)] == bigrams
    assert longer <= set(found[len(bigrams) :])
    assert all(len(term) > 2 and term in run for term in found[len(bigrams) :])


def test_the_words_of_a_run_cover_it_without_overlaps() -> None:
    assert words("慢性阻塞性肺疾病急性加重") == ["慢性阻塞性肺疾病", "急性加重"]


def test_traditional_characters_are_those_of_simplified_text() -> None:
    assert terms("高血壓患者的藥物治療") == terms("高血压患者的药物治疗")
    assert simplified("糖尿病腎病變 HbA1c") == "糖尿病肾病变 HbA1c"


def test_what_is_no_traditional_character_stays_as_it_is() -> None:
    for text in ("IL-6 ≥ 3 µg/mL", "β-blocker", "naïve", "カルシウム"):
        assert simplified(text) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [("diuretic", "diuretics"), ("treated", "treating"), ("infection", "infections"), ("doses", "dose")],
)
def test_the_forms_of_an_english_word_are_one_term(one: str, other: str) -> None:
    assert terms(one) == terms(other)
    assert len(terms(one)) == 1


@pytest.mark.parametrize("name", ["p53s", "sglt2s", "cd4s", "gps", "αβs", "5s"])
def test_short_names_and_names_with_digits_or_other_letters_are_not_stemmed(name: str) -> None:
    assert stem(name) == name


def test_full_width_and_half_width_are_the_same() -> None:
    assert terms("ＨｂＡ１ｃ　６．５％") == terms("HbA1c 6.5%")


def test_latin_inside_chinese_is_a_term_of_its_own() -> None:
    assert "egfr" in terms("当eGFR低于30时停用")


def test_function_words_give_nothing_but_negation_stays() -> None:
    assert terms("What is the dose") == ["dose"]
    assert "not" in terms("is not given")


def test_no_term_contains_white_space() -> None:
    assert all(not any(c.isspace() for c in term) for term in terms("a b\u3000c\td\nβ-blocker 用药"))


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("What is the target?", "en"),
        ("痛风患者血尿酸应控制在多少以下？", "zh"),
        ("SGLT2 inhibitor（恩格列净）用于eGFR≥20的患者", "zh"),
        ("The term 痛风 means gout in Chinese", "en"),
        ("", "en"),
        ("120/80?", "en"),
    ],
)
def test_the_language_is_told_by_the_letters(text: str, language: str) -> None:
    assert language_of(text) == language
