"""What is asked of passages in the question's language and of those in the other."""

from collections.abc import Sequence

import numpy as np
import pytest
from numpy.typing import NDArray

from rag.analysis import terms
from rag.asking import GLOSS_SHARE, Asked
from rag.embedding import Embedder
from rag.lexical import concepts
from rag.translation import translate


class NotedEmbedder:
    """Embeds with another's model and notes the questions."""

    def __init__(self, embedder: Embedder) -> None:
        self._embedder = embedder
        self.fingerprint = embedder.fingerprint
        self.asked: list[str] = []

    def embed_query(self, text: str) -> NDArray[np.float32]:
        self.asked.append(text)
        return self._embedder.embed_query(text)

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return self._embedder.embed_passages(texts)


@pytest.fixture
def noted(embedder: Embedder) -> NotedEmbedder:
    return NotedEmbedder(embedder)


@pytest.mark.parametrize(("question", "language"), [("Is gout treated?", "en"), ("痛风应当如何？", "zh")])
def test_of_its_own_language_the_question_asks_its_terms_and_its_vector(
    question: str, language: str, noted: NotedEmbedder
) -> None:
    asked = Asked(question, noted)
    assert asked.language == language
    assert asked.concepts(language) == concepts(terms(question))
    np.testing.assert_array_equal(asked.vector(language), noted.embed_query(question))


def test_a_chinese_word_is_asked_for_by_its_other_names_too(noted: NotedEmbedder) -> None:
    asked = Asked("房颤可以跑步吗", noted)
    [names] = [concept for concept in asked.concepts("zh") if concept[0] == ("房颤",)]
    assert ("心房颤动",) in names
    assert asked.wording("zh")["心房颤动"] == "房颤"
    assert Asked("房颤就是心房颤动吗", noted).wording("zh")["心房颤动"] == "心房颤动"
    assert [concept for concept in asked.concepts("zh") if concept[0] == ("可以",)] == [(("可以",),)]


def test_in_its_own_language_alone_nothing_is_translated_and_all_is_worked_out_once(noted: NotedEmbedder) -> None:
    asked = Asked("Is gout treated?", noted)
    assert noted.asked == []
    for _ in range(3):
        asked.concepts("en")
        asked.vector("en")
    assert noted.asked == ["Is gout treated?"]
    for _ in range(3):
        asked.concepts("zh")
        asked.vector("zh")
    assert noted.asked == ["Is gout treated?", translate("Is gout treated?").gloss]


def test_of_the_other_language_it_asks_for_each_name_of_each_concept(noted: NotedEmbedder) -> None:
    found = Asked("慢性阻塞性肺疾病用二甲双胍吗", noted).concepts("en")
    assert (tuple(terms("chronic obstructive pulmonary disease")), ("copd",)) in found
    assert (("metformin",),) in found


def test_the_vector_for_the_other_language_is_between_the_question_and_its_gloss(noted: NotedEmbedder) -> None:
    question = "痛风急性发作时用秋水仙碱吗？"
    vector = Asked(question, noted).vector("en")
    own, gloss = noted.embed_query(question), noted.embed_query(translate(question).gloss)
    assert (vector.dtype, vector.shape) == (np.float32, own.shape)
    assert np.linalg.norm(vector) == pytest.approx(1, abs=1e-5)
    mixed = (1 - GLOSS_SHARE) * own + GLOSS_SHARE * gloss
    assert vector @ mixed / np.linalg.norm(mixed) == pytest.approx(1, abs=1e-5)
    passage = noted.embed_passages(["Colchicine is given for acute attacks of gout."])[0]
    assert vector @ passage > own @ passage


def test_names_whose_terms_are_the_same_count_once_and_concepts_too(noted: NotedEmbedder) -> None:
    found = Asked("患者、病人、患者", noted).concepts("en")  # patient; patients: one stem
    assert found.count((("patient",),)) == 1
    assert len(found) == len(set(found))
    assert all(len(set(names)) == len(names) and all(names) for names in found)


@pytest.mark.parametrize("question", ["Xyloquinostatine?", "怎么样？"])
def test_what_no_dictionary_knows_is_asked_as_it_is(question: str, noted: NotedEmbedder) -> None:
    asked = Asked(question, noted)
    other = "zh" if asked.language == "en" else "en"
    assert list(asked.concepts(other)) == []
    np.testing.assert_array_equal(asked.vector(other), asked.vector(asked.language))
    assert noted.asked == [question]
