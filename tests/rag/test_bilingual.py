import pytest

from rag.analysis import frequency
from rag.bilingual import FUNCTION_WORDS, MOST_MEANINGS, chinese_of, english_of


@pytest.mark.parametrize(
    ("english", "chinese"), [("change", "变化"), ("white", "白色"), ("middle", "中间"), ("hours", "小时")]
)
def test_an_english_word_of_everyday_language_becomes_the_usual_chinese_word(english: str, chinese: str) -> None:
    assert chinese_of(english)[0] == chinese


def test_words_come_by_how_often_they_are_used() -> None:
    found = chinese_of("happy")
    assert len(found) == MOST_MEANINGS
    assert [frequency(word) for word in found] == sorted(map(frequency, found), reverse=True)


@pytest.mark.parametrize("english", ["pain", "treatment", "vomiting"])
def test_a_medical_word_has_its_names_in_the_glossary_of_which_single_characters_are_last(english: str) -> None:
    found = chinese_of(english)
    assert len(found[0]) > 1
    assert sorted(found, key=lambda name: len(name) == 1) == list(found)


def test_case_endings_and_articles_do_not_matter() -> None:
    assert chinese_of("the Score") == chinese_of("scores") != ()


@pytest.mark.parametrize("english", ["can", "should", "because", "already", "what", "if", "very", "possibly", "need"])
def test_a_chinese_function_word_translates_nothing(english: str) -> None:
    assert not FUNCTION_WORDS.intersection(chinese_of(english))


def test_a_chinese_word_of_everyday_language_has_its_english_without_remarks() -> None:
    assert english_of("高兴")[0] == "happy"
    assert not any("(" in meaning or meaning.startswith("to ") for meaning in english_of("打"))


def test_what_neither_part_knows_has_no_translation() -> None:
    assert english_of("囗囗囗") == ()
    assert chinese_of("qwxzv") == ()
