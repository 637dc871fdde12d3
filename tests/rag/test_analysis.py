import pytest

from rag.analysis import terms
from rag.languages import language_of


@pytest.mark.parametrize("word", ["hba1c", "il-6", "covid-19", "5-ht2a", "p53", "mg/kg", "140/90", "7.0", "β2"])
def test_a_biomedical_token_survives_whole(word: str) -> None:
    assert word in terms(f"given {word.upper()} twice")


def test_the_parts_of_a_compound_are_found_too() -> None:
    assert {"il-6", "il", "6"} <= set(terms("IL-6"))


def test_chinese_runs_become_bigrams_and_a_lone_character_itself() -> None:
    assert terms("血糖高") == ["血糖", "糖高"]
    assert terms("A 肝 B") == ["肝", "b"]


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
