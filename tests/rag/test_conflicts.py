"""Where sources disagree: what other documents say against what is cited, and what only looks like it."""

from typing import Any

import pytest

from rag.checking.entailment import Entailment
from rag.composing import Composition, Said
from rag.conflicts import conflicts
from rag.types import Conflict, Hit, Language, Passage

OLD: dict[str, Any] = {"title": "Gout in adults", "publisher": "Society A", "edition": "1st", "published": "2016-05"}
NEW: dict[str, Any] = {"title": "Management of gout", "publisher": "Society B", "edition": "2nd", "published": "2023"}


def hit(document: str, text: str, title: str = "A guideline", **known: Any) -> Hit:
    described: dict[str, Any] = dict.fromkeys(
        ("external_id", "publisher", "edition", "published", "url", "language", "section", "page")
    )
    passage = Passage(
        passage_id=document,
        document_id=document,
        edition_id=document,
        collection="default",
        title=title,
        text=text,
        char_start=0,
        char_end=len(text),
        superseded=False,
        **(described | known),
    )
    return Hit(passage, 1.0, 1)


def composed(own: Hit, sentence: str) -> Composition:
    start = own.passage.text.index(sentence)
    composition = Composition()
    composition.keep(Said(sentence, ((own, start, start + len(sentence)),), "supported"))
    return composition


def found(
    own: Hit, sentence: str, others: list[Hit], entailment: Entailment, language: Language = "en"
) -> tuple[tuple[Conflict, ...], dict[int, str]]:
    """The conflicts, and by marker what is quoted."""
    composition = composed(own, sentence)
    given = conflicts(composition, [own, *others], entailment, language)
    return given, {marker: one.passage.text[start:end] for marker, (one, start, end) in composition.spans}


def told(one: str, other: str, entailment: Entailment) -> tuple[Conflict, ...]:
    return found(hit("1", one), one, [hit("2", other)], entailment)[0]


def test_another_dose_is_shown_with_edition_and_date_of_both(entailment: Entailment) -> None:
    one = "In adults with gout, start zelvaprost at 10 mg once daily."
    other = "Zelvaprost is started at 20 mg once daily in adults with gout."
    given, quoted = found(hit("1", one, **OLD), one, [hit("2", f"Rest helps. {other}", **NEW)], entailment)
    [conflict] = given
    assert (conflict.kind, conflict.citations, conflict.newer) == ("number", (1, 2), 2)
    assert quoted == {1: one, 2: other}
    for said in ("10 mg", "20 mg", "Gout in adults, Society A, 1st, 2016-05", "Society B, 2nd, 2023, the newer one"):
        assert said in conflict.message
    assert "[1]" in conflict.message
    assert "[2]" in conflict.message


@pytest.mark.parametrize(
    ("one", "other", "kind"),
    [
        (
            "Metformin is contraindicated when the eGFR is below 30 mL/min.",
            "Metformin is contraindicated when the eGFR is below 45 mL/min.",
            "number",
        ),
        (
            "Aspirin is recommended for primary prevention in adults.",
            "Aspirin is not recommended for primary prevention in adults.",
            "polarity",
        ),
        (
            "Colchicine is recommended in patients with gout flares.",
            "Colchicine is contraindicated in patients with gout flares.",
            "polarity",
        ),
        (
            "The target blood pressure is below 140/90 mmHg.",
            "The target blood pressure is below 130/80 mmHg.",
            "number",
        ),
        (
            "Give amoxicillin 500 mg three times daily for 7 days.",
            "Give amoxicillin 500 mg three times daily for 5 days.",
            "number",
        ),
        ("痛风患者血尿酸的控制目标为低于360 μmol/L。", "痛风患者血尿酸的控制目标为低于300 μmol/L。", "number"),
        ("推荐孕妇使用二甲双胍控制血糖。", "不推荐孕妇使用二甲双胍控制血糖。", "polarity"),
        (
            "Metformin: the starting dose is 500 mg twice daily in type 2 diabetes.",
            "二甲双胍治疗2型糖尿病的起始剂量为850 mg，每日两次。",
            "number",
        ),
        ("Start allopurinol at 100 mg once daily in gout.", "痛风患者别嘌醇起始剂量为50 mg，每日一次。", "number"),
        (
            "Metformin is contraindicated when the eGFR is below 30 mL/min.",
            "eGFR低于45 mL/min时禁用二甲双胍。",
            "number",
        ),
        ("Aspirin is recommended in pregnancy.", "妊娠期不推荐使用阿司匹林。", "polarity"),
    ],
)
def test_statements_that_cannot_both_be_followed_are_a_conflict(
    one: str, other: str, kind: str, entailment: Entailment
) -> None:
    assert [conflict.kind for conflict in told(one, other, entailment)] == [kind]
    assert [conflict.kind for conflict in told(other, one, entailment)] == [kind]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        # the same in other words, or in other units
        ("Start zelvaprost at 0.5 g once daily in gout.", "In gout, zelvaprost is started at 500 mg once daily."),
        ("Start zelvaprost at 10 mg once daily in gout.", "Start zelvaprost at 10 mg once daily in gout."),
        # another drug, disease, population or matter
        ("Start zelvaprost at 10 mg once daily in gout.", "Start quoxidine at 20 mg once daily in gout."),
        ("Start prednisolone at 30 mg daily in gout.", "Start prednisolone at 60 mg daily in giant cell arteritis."),
        ("Give paracetamol 1 g every 6 hours to adults.", "Give paracetamol 250 mg every 6 hours to children."),
        (
            "The target blood pressure is below 140/90 mmHg.",
            "In patients with diabetes the target blood pressure is below 130/80 mmHg.",
        ),
        ("Start allopurinol at 100 mg daily.", "The maximum dose of allopurinol is 900 mg daily."),
        ("推荐成人服用二甲双胍每次500 mg。", "推荐儿童服用二甲双胍每次250 mg。"),
        ("痛风患者的血尿酸目标为低于360 μmol/L。", "高血压患者的血压目标为低于140 mmHg。"),
        ("Start allopurinol at 100 mg once daily in gout.", "痛风患者别嘌醇起始剂量为0.1 g，每日一次。"),
        ("Increase the dose of zelvaprost slowly in gout.", "Decrease the dose of zelvaprost slowly in gout."),
        # results of studies
        (
            "Zelvaprost was associated with a lower risk of gout flares (p = 0.01).",
            "Zelvaprost was not associated with a lower risk of gout flares (p = 0.4).",
        ),
        ("In our study zelvaprost reduced urate by 12%.", "In our study zelvaprost reduced urate by 30%."),
        ("本研究中二甲双胍组血糖应答率为60%。", "本研究中二甲双胍组血糖应答率为40%。"),
    ],
)
def test_what_only_looks_like_it_is_none(one: str, other: str, entailment: Entailment) -> None:
    assert told(one, other, entailment) == ()
    assert told(other, one, entailment) == ()


def test_a_source_that_says_both_elsewhere_does_not_disagree(entailment: Entailment) -> None:
    one = "Start zelvaprost at 10 mg once daily in gout."
    both = "Start zelvaprost at 20 mg once daily in gout. In gout start zelvaprost at 10 mg once daily."
    assert found(hit("1", one), one, [hit("2", both)], entailment)[0] == ()


def test_titles_say_of_which_people_and_diseases_a_sentence_speaks(entailment: Entailment) -> None:
    one, other = "Start at 10 mg once daily.", "Start at 20 mg once daily."
    own = hit("1", one, title="Zelvaprost in gout")
    titles = ["Gout: use of zelvaprost", "Zelvaprost in heart failure", "Zelvaprost in children with gout"]
    numbers = [len(found(own, one, [hit("2", other, title=title)], entailment)[0]) for title in titles]
    assert numbers == [1, 0, 0]


def test_editions_of_one_document_are_no_two_sources(entailment: Entailment) -> None:
    one, other = "Start zelvaprost at 10 mg daily in gout.", "Start zelvaprost at 20 mg daily in gout."
    own, later = hit("1", one), hit("1", other)
    assert found(own, one, [later], entailment)[0] == ()


def test_messages_are_in_the_language_of_the_answer_and_undated_sources_are_neither_newer(
    entailment: Entailment,
) -> None:
    one, other = "Start zelvaprost at 10 mg daily in gout.", "Start zelvaprost at 20 mg daily in gout."
    own, against = hit("1", one, published="2016"), hit("2", other)
    [conflict] = found(own, one, [against], entailment, "zh")[0]
    assert conflict.message.startswith("各出处的数值不一致（10 mg")
    assert conflict.newer is None
    assert "较新" not in conflict.message


def test_a_pair_of_documents_is_named_once_and_never_more_than_four(entailment: Entailment) -> None:
    one = "Start zelvaprost at 10 mg daily in gout."
    others = [hit(str(n), f"Start zelvaprost at {n}0 mg daily in gout.") for n in range(2, 9)]
    given, quoted = found(hit("1", one), one, others, entailment)
    assert len(given) == 4
    assert len({conflict.citations for conflict in given}) == 4
    assert sorted(quoted) == [1, 2, 3, 4, 5]
