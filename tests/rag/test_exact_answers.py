"""Exact answers as BioASQ measures them, against what was reckoned by hand."""

import json
from dataclasses import replace

import pytest

from rag.exact_answers import LONGEST_ANSWER, answers_of, answers_schema, exact_measures
from rag.exam_arms import chat_of
from rag.exam_items import Item
from rag.exam_measures import run_figures
from rag.exam_questions import ExamQuestion

FACTOID = (("transforming growth factor beta", "TGF-β", "TGFB1"),)
LIST = (("aspirin", "acetylsalicylic acid"), ("warfarin",), ("heparin",), ("clopidogrel",))
ITEM = Item(
    id="1-exact",
    arm="ungrounded",
    kind="factoid",
    language="en",
    subset="factoid",
    question="Which growth factor?",
    options={},
    order=(),
    gold=None,
    references=(),
    system="",
    prompt="",
    choices=(),
    fingerprint="x",
    reply="",
    error="",
    finish_reason="stop",
    usage={},
    seconds=0.5,
    chosen=None,
    passages=(),
    evidence_shown=None,
    exact_answers=FACTOID,
)


@pytest.mark.parametrize(
    ("answers", "strict", "lenient", "rank"),
    [
        (["TGF-β"], 1, 1, 1),
        (["tgfb1.", "VEGF"], 1, 1, 1),
        (["VEGF", "EGF", "  transforming  growth factor BETA "], 0, 1, 1 / 3),
        (["VEGF", "EGF"], 0, 0, 0),
        (["TGF"], 0, 0, 0),
        ([], 0, 0, 0),
    ],
)
def test_a_factoid_is_measured_by_the_place_of_the_right_answer(
    answers: list[str], strict: float, lenient: float, rank: float
) -> None:
    expected = {"strict_accuracy": strict, "lenient_accuracy": lenient, "reciprocal_rank": pytest.approx(rank)}
    assert exact_measures("factoid", answers, FACTOID) == expected


@pytest.mark.parametrize(
    ("answers", "precision", "recall", "f1"),
    [
        (["aspirin", "warfarin", "heparin", "clopidogrel"], 1, 1, 1),
        (["Warfarin", "heparin", "paracetamol"], 2 / 3, 2 / 4, 4 / 7),
        (["acetylsalicylic acid", "aspirin"], 1 / 2, 1 / 4, 1 / 3),
        (["paracetamol"], 0, 0, 0),
        ([], 0, 0, 0),
    ],
)
def test_a_list_is_measured_by_its_entries_each_once(
    answers: list[str], precision: float, recall: float, f1: float
) -> None:
    found = exact_measures("list", answers, LIST)
    assert found == pytest.approx({"list_precision": precision, "list_recall": recall, "list_f1": f1})


@pytest.mark.parametrize(
    ("reply", "answers"),
    [
        ('{"answers": ["TGF-β", "VEGF"]}', ("TGF-β", "VEGF")),
        ('{"answers": ["a", " A ", "b", "", 7, null]}', ("a", "b")),
        ('{"answers": ["one", "two \\"2\\"", "thr', ("one", 'two "2"')),
        ('{"answers": ["\\x", "two', ()),
        ('{"answers": "TGF-β"}', ()),
        ('["TGF-β"]', ()),
        ("TGF-β", ()),
        ('{"other": ["a"', ()),
        ("[" * 100_000, ()),
        ("", ()),
    ],
)
def test_what_a_reply_answers_is_read_whatever_it_is(reply: str, answers: tuple[str, ...]) -> None:
    assert answers_of(reply, 5) == answers


def test_no_more_answers_are_taken_than_were_asked_for() -> None:
    reply = json.dumps({"answers": [str(one) for one in range(9)]})
    assert answers_of(reply, 5) == ("0", "1", "2", "3", "4")
    answers = answers_schema(5)["properties"]["answers"]
    assert (answers["maxItems"], answers["items"]["maxLength"]) == (5, LONGEST_ANSWER)


@pytest.mark.parametrize(("language", "asked"), [("en", "Which drugs thin blood?"), ("zh", "哪些药物抗凝？")])
def test_exact_answers_are_asked_for_as_json(language: str, asked: str) -> None:
    question = ExamQuestion("q", asked, "list", language, exact_answers=LIST)  # type: ignore[arg-type]
    chat = chat_of(question, (), ())
    assert (chat.answers, chat.choices) == (50, ())
    assert '"answers"' in chat.system
    assert asked in chat.user
    assert chat_of(replace(question, kind="factoid"), (), ()).answers == 5


def test_a_run_averages_over_questions_and_counts_those_without_an_answer() -> None:
    """From memory: right at once, right third, wrong; strict 1/3, lenient 2/3, MRR (1 + 1/3 + 0) / 3. Grounded: right
    at once on all three; so ahead by 2/3 in strict accuracy."""
    said = (("TGFB1",), ("EGF", "VEGF", "TGF-β"), ("EGF",))
    memory = [replace(ITEM, id=f"{at}-exact", answers=answers) for at, answers in enumerate(said)]
    grounded = [replace(one, arm="grounded", answers=("TGFB1",)) for one in memory]
    unstated = replace(ITEM, id="9-exact", exact_answers=(), answers=("EGF",))
    found = run_figures([*memory, *grounded, unstated])
    first, second = found.whole.arms
    values = {name: one.value for name, one in first.free.items()}
    assert values == pytest.approx({"strict_accuracy": 1 / 3, "lenient_accuracy": 2 / 3, "reciprocal_rank": 4 / 9})
    assert (first.free["strict_accuracy"].low, first.free["strict_accuracy"].high) == pytest.approx(
        (0.0615, 0.7923), abs=1e-4
    )
    assert (first.questions, first.scored, first.without_answer) == (4, 3, 1)
    assert second.free["reciprocal_rank"].value == 1
    gaps = {one.measure: one for one in found.comparisons}
    assert gaps["strict_accuracy"].difference.value == pytest.approx(2 / 3)
    assert gaps["strict_accuracy"].questions == 3
