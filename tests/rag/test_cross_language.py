"""Searches across English and Chinese, end to end: over an English collection and over one in both languages."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from conftest import Library, new_home
from rag.embedding import Embedder
from rag.retrieval import search
from rag.settings import Settings
from rag.system import System, open_system
from rag.types import LOCAL_ADMIN, Hit, Query

ENGLISH = {
    "gout": "Colchicine is given at the onset of an acute attack of gout, at 0.5 mg twice a day.",
    "metformin": "Metformin is stopped when the eGFR falls below 30 mL/min because of lactic acidosis.",
    "hba1c": "An HbA1c below 7% is aimed at in most adults with type 2 diabetes.",
    "oxygen": "Long-term oxygen is offered in chronic obstructive pulmonary disease when hypoxaemia is severe.",
    "warfarin": "Warfarin needs an INR between 2 and 3 in atrial fibrillation.",
    "thyroid": "Levothyroxine is taken in the morning, half an hour before breakfast.",
    "appendix": "Appendicitis is treated by laparoscopic appendectomy within a day.",
    "migraine": "Sumatriptan relieves migraine when it is taken early in the attack.",
}
CHINESE = {
    "贫血": "缺铁性贫血患者口服硫酸亚铁，血红蛋白恢复正常后继续服用三个月。",
    "结核": "肺结核的初治方案包括异烟肼、利福平、吡嗪酰胺和乙胺丁醇。",
    "肾病": "慢性肾脏病患者当eGFR低于45时应减少二甲双胍的剂量。",
    "糖化": "多数成人糖尿病患者的HbA1c控制目标为小于7%。",
    "血压": "高血压患者首选钙通道阻滞剂或利尿剂治疗。",
    "抑郁": "抑郁症首选舍曲林，起始剂量为每日50毫克。",
    "骨质": "骨质疏松症患者每周口服一次阿仑膦酸钠。",
    "哮喘": "支气管哮喘急性发作时吸入沙丁胺醇。",
}
BOTH = {**ENGLISH, **CHINESE}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory, models, embedder: Embedder, reader) -> Iterator[Library]:
    """The collections ``english`` and ``mixed``, to read from."""
    folder = tmp_path_factory.mktemp("languages")
    with open_system(Settings(home=new_home(folder / "home", models))) as opened:
        for collection, texts in {"english": ENGLISH, "mixed": BOTH}.items():
            made = Library(folder / collection, replace(opened, embedder=embedder), reader)
            for name, text in texts.items():
                made.write(f"{name}.txt", text, title=f"{name} {collection}")
            assert {result.status for result in made.ingest(collection=collection).values()} == {"added"}
        yield made


def best(library: Library, question: str, collection: str = "mixed", **query: object) -> str:
    """What the first hit says."""
    return library.found(question, collections=(collection,), **query)[0]


CHINESE_QUESTIONS = {
    "痛风急性发作用什么药？": "gout",
    "秋水仙碱怎么用？": "gout",
    "慢性阻塞性肺疾病什么时候需要长期吸氧？": "oxygen",
    "华法林的目标INR是多少？": "warfarin",
    "阑尾炎怎么治疗？": "appendix",
    "左甲状腺素什么时候服用？": "thyroid",
    "偏头痛发作时吃什么药？": "migraine",
}
ENGLISH_QUESTIONS = {
    "How is iron deficiency anaemia treated?": "贫血",
    "Which drugs are given first in pulmonary tuberculosis?": "结核",
    "What is the starting dose of sertraline in depression?": "抑郁",
    "Which drug is given weekly in osteoporosis?": "骨质",
    "What is first-line treatment of hypertension?": "血压",
    "Is salbutamol inhaled in an asthma attack?": "哮喘",
}


@pytest.mark.parametrize("collection", ["english", "mixed"])
@pytest.mark.parametrize(("question", "expected"), CHINESE_QUESTIONS.items())
def test_a_chinese_question_finds_the_english_passage(
    library: Library, question: str, expected: str, collection: str
) -> None:
    assert best(library, question, collection) == ENGLISH[expected]


@pytest.mark.parametrize("filters", [{}, {"language": "zh"}])
@pytest.mark.parametrize(("question", "expected"), ENGLISH_QUESTIONS.items())
def test_an_english_question_finds_the_chinese_passage(
    library: Library, question: str, expected: str, filters: dict
) -> None:
    assert best(library, question, filters=filters) == CHINESE[expected]


@pytest.mark.parametrize(("question", "expected"), {**CHINESE_QUESTIONS, **ENGLISH_QUESTIONS}.items())
@pytest.mark.parametrize("retrieval", ["lexical", "dense"])
def test_either_arm_alone_finds_it_among_the_first_three(
    library: Library, question: str, expected: str, retrieval: str
) -> None:
    filters = {"language": "en" if expected in ENGLISH else "zh"}
    found = library.found(question, collections=("mixed",), filters=filters, retrieval=retrieval, top_k=3)
    assert BOTH[expected] in found


@pytest.mark.parametrize(
    ("said", "key"), [("缺铁贫血吃什么", "贫血"), ("血压高吃什么药", "血压"), ("气喘突然加重怎么办", "哮喘")]
)
def test_a_chinese_question_finds_what_is_written_by_another_name(library: Library, said: str, key: str) -> None:
    found = search(Query(said, collections=("mixed",), retrieval="lexical"), LOCAL_ADMIN, library.system)
    assert found.hits[0].passage.text == CHINESE[key]


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("高血壓的首選治療", "血压"),
        ("骨質疏鬆症患者服用什麼藥", "骨质"),
        ("慢性腎臟病二甲雙胍的劑量", "肾病"),
    ],
)
@pytest.mark.parametrize("retrieval", ["hybrid", "lexical"])
def test_traditional_characters_find_simplified_ones(
    library: Library, question: str, expected: str, retrieval: str
) -> None:
    assert best(library, question, retrieval=retrieval) == CHINESE[expected]


def test_traditional_characters_find_english_passages_too(library: Library) -> None:
    assert best(library, "闌尾炎的治療", "english") == ENGLISH["appendix"]


@pytest.mark.parametrize("retrieval", ["hybrid", "lexical"])
def test_full_width_letters_are_found_as_ordinary_ones_in_both_languages(library: Library, retrieval: str) -> None:
    question = "ＨｂＡ１ｃ的控制目标是多少？"
    assert best(library, question, retrieval=retrieval) == CHINESE["糖化"]
    assert best(library, question, "english", retrieval=retrieval) == ENGLISH["hba1c"]


@pytest.mark.parametrize("retrieval", ["hybrid", "lexical"])
def test_a_latin_name_inside_chinese_text_is_found_in_either_language(library: Library, retrieval: str) -> None:
    chinese, english = {"filters": {"language": "zh"}}, {"filters": {"language": "en"}}
    for question in ("eGFR低于多少时要减少二甲双胍？", "At which eGFR is the dose of metformin lowered?"):
        assert best(library, question, retrieval=retrieval, **chinese) == CHINESE["肾病"]
        assert best(library, question, retrieval=retrieval, **english) == ENGLISH["metformin"]


def test_a_latin_name_in_an_english_question_is_found_in_chinese_text(library: Library) -> None:
    assert best(library, "HbA1c target", filters={"language": "zh"}) == CHINESE["糖化"]


@pytest.mark.parametrize(
    ("drug", "expected"),
    [("秋水仙碱", "gout"), ("华法林", "warfarin"), ("舒马普坦", "migraine")],
)
def test_the_words_of_a_drug_in_chinese_match_its_english_name_alone(
    library: Library, drug: str, expected: str
) -> None:
    assert library.found(drug, collections=("english",), retrieval="lexical") == [ENGLISH[expected]]


@pytest.mark.parametrize("question", ["高血压的治疗", "treatment of hypertension"])
@pytest.mark.parametrize(("language", "texts"), [("en", ENGLISH), ("zh", CHINESE)])
def test_a_filter_on_the_language_holds_for_both(library: Library, question: str, language: str, texts: dict) -> None:
    found = library.found(question, collections=("mixed",), filters={"language": language}, top_k=20)
    assert found
    assert set(found) <= set(texts.values())


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("When is levothyroxine taken?", "thyroid"),
        ("What relieves migraine?", "migraine"),
        ("支气管哮喘急性发作吸入什么？", "哮喘"),
        ("抑郁症首选什么药？", "抑郁"),
    ],
)
def test_passages_in_the_other_language_do_not_displace_the_answer_in_the_question_s_own(
    library: Library, question: str, expected: str
) -> None:
    assert best(library, question) == BOTH[expected]


def test_lexical_search_finds_nothing_where_no_word_means_the_same(library: Library) -> None:
    assert library.found("白内障", collections=("english",), retrieval="lexical") == []
    assert library.found("cataract", collections=("mixed",), retrieval="lexical") == []


def hits(system: System, question: str, **query: object) -> list[Hit]:
    return list(search(Query(question, **query), LOCAL_ADMIN, system).hits)


def test_ranks_and_scores_of_both_languages_are_of_one_order(library: Library) -> None:
    found = hits(library.system, "How is gout treated?", collections=("mixed",), top_k=16)
    assert {hit.passage.language for hit in found} == {"en", "zh"}
    assert [hit.score for hit in found] == sorted((hit.score for hit in found), reverse=True)
    for ranks in ([hit.dense_rank for hit in found], [hit.lexical_rank for hit in found]):
        stated = [rank for rank in ranks if rank is not None]
        assert len(set(stated)) == len(stated)
    assert all(hit.cosine is not None for hit in found)


SAMPLE_QUESTIONS = {
    "二甲双胍在eGFR低于多少时禁用？": ("en", "contraindicated when the eGFR is below 30"),
    "幽门螺杆菌根除治疗后多久复查？": ("en", "at least 4 weeks after the end of treatment"),
    "How long is home oxygen inhaled each day in COPD?": ("zh", "每日吸氧时间应超过15小时"),
    "What is the starting dose of spironolactone in heart failure?": ("zh", "10～20 mg，每日1次"),
}


@pytest.mark.parametrize(("question", "expected"), SAMPLE_QUESTIONS.items())
def test_the_sample_answers_in_the_other_language_are_among_the_first_of_it(
    sample: System, question: str, expected: tuple[str, str]
) -> None:
    language, words = expected
    found = hits(sample, question, filters={"language": language}, top_k=3)
    assert any(words in hit.passage.text for hit in found)
