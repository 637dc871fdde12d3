"""Where nothing is answered, the reader hears what was looked for, what no passage has, and what came nearest."""

from typing import Any

import pytest

from rag.abstention import LONGEST_SHOWN, MOST_NEAREST, abstention, missing, told
from rag.extraction import Quote
from rag.notices import notice
from rag.types import Abstention, Hit, Nearest, Passage

GOUT = "Colchicine is given in acute gout. Allopurinol lowers urate."


def hit(document: str, text: str, **known: Any) -> Hit:
    described: dict[str, Any] = dict.fromkeys(
        ("external_id", "publisher", "edition", "published", "url", "language", "section", "page")
    )
    passage = Passage(
        passage_id=document,
        document_id=document,
        edition_id=f"e{document}",
        collection="default",
        title=known.pop("title", "Gout"),
        text=text,
        char_start=0,
        char_end=len(text),
        superseded=False,
        **(described | known),
    )
    return Hit(passage, 1.0, 1)


def quote(of: Hit, sentence: str) -> Quote:
    start = of.passage.text.index(sentence)
    return Quote(of, start, start + len(sentence), 0.5, 0.5, 0.5)


@pytest.mark.parametrize(
    ("question", "absent"),
    [
        ("What is the dose of febuxostat in gout?", ("dose", "febuxostat")),
        ("Is colchicine administered?", ()),
        ("Which vaccines prevent COVID-19?", ("vaccines", "prevent", "COVID-19")),
        ("华法林治疗痛风的剂量是多少？", ("华法林", "治疗", "剂量")),
        ("秋水仙碱用于痛风吗？", ()),
    ],
)
def test_the_words_that_no_passage_has_under_any_name_are_named(question: str, absent: tuple[str, ...]) -> None:
    assert missing(question, [hit("1", GOUT)]) == absent


def test_in_passages_of_the_other_language_a_word_that_no_dictionary_knows_may_be_there() -> None:
    chinese = hit("1", "秋水仙碱用于痛风急性发作。")
    assert missing("Is zelvaprost given in gout?", [chinese]) == ()
    assert missing("Is zelvaprost given in gout?", [hit("2", GOUT)]) == ("zelvaprost",)
    assert missing("Is warfarin given in gout?", [chinese]) == ("warfarin",)


def test_the_nearest_sentences_are_exact_and_of_different_documents() -> None:
    first, second = hit("1", GOUT, published="2021-03"), hit("2", "Rest the joint.", title="Joints")
    ranked = [quote(first, "Allopurinol lowers urate."), quote(first, GOUT[:34]), quote(second, "Rest the joint.")]
    found = abstention("What is febuxostat?", [first, second], ranked)
    assert found.nearest == (
        Nearest("1", "1", "e1", "Gout", "2021-03", "Allopurinol lowers urate."),
        Nearest("2", "2", "e2", "Joints", None, "Rest the joint."),
    )
    many = [hit(str(number), GOUT) for number in range(9)]
    assert len(abstention("x", many, [quote(one, GOUT) for one in many]).nearest) == MOST_NEAREST


def test_the_text_says_all_of_it_in_the_language_of_the_question() -> None:
    what = Abstention(
        "非布司他的剂量？",
        ("非布司他",),
        (Nearest("1", "1", "e", "痛风", "2021", "别嘌醇降低尿酸。"),),
    )
    assert told(what, "zh").split("\n") == [
        notice("abstained", "zh"),
        "检索的问题：非布司他的剂量？",
        "没有段落提到：非布司他",
        "最接近但不能作答的内容：“别嘌醇降低尿酸。”（痛风, 2021）",
    ]
    long = Nearest("1", "1", "e", "Gout", None, "word " * 200)
    said = told(Abstention("What?", (), (long,)), "en")
    assert said.startswith(notice("abstained", "en"))
    assert "No passage mentions" not in said
    assert LONGEST_SHOWN < len(said.split("\n")[-1]) < LONGEST_SHOWN + 60


def test_where_nothing_was_found_nothing_is_called_missing() -> None:
    assert abstention("What is gout?", [], []) == Abstention("What is gout?", (), ())
