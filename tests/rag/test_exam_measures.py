"""The figures of a run over a question set, against what was reckoned by hand."""

from dataclasses import replace

import pytest

from rag.exam_arms import LETTERS, QuestionEvidence, chat_of, chosen_of, orders_of, trials
from rag.exam_items import FreeJudgement, Item, JudgedSentence, JudgedStatement
from rag.exam_judging import overlap, stating
from rag.exam_measures import measures_of, run_figures
from rag.exam_questions import YES_NO_MAYBE, ExamQuestion
from rag.types import Hit, Passage

CHOICE = ExamQuestion("q", "Which is red?", "choice", "en", {"A": "sky", "B": "blood", "C": "grass"}, "B")
FREE = ExamQuestion("f", "What is metformin for?", "free", "en")
ITEM = Item(
    id="q",
    arm="ungrounded",
    kind="choice",
    language="en",
    subset="",
    question="Which is red?",
    options={"A": "sky", "B": "blood"},
    order=("A", "B"),
    gold="B",
    references=(),
    system="",
    prompt="",
    choices=("A", "B"),
    fingerprint="x",
    reply="B",
    error="",
    finish_reason="stop",
    usage={"prompt_tokens": 10, "completion_tokens": 2},
    seconds=0.5,
    chosen="B",
    passages=(),
    evidence_shown=None,
)


def hit(document: str, rank: int = 1, text: str = "Some text.") -> Hit:
    where = {"document_id": document, "edition_id": document, "external_id": document, "collection": "c"}
    nothing = dict.fromkeys(("publisher", "edition", "published", "url", "language", "section", "page"))
    passage = Passage(
        passage_id=f"{document}-{rank}", title="", text=text, char_start=0, char_end=len(text), superseded=False,
        **where, **nothing,
    )  # type: ignore[arg-type]  # fmt: skip
    return Hit(passage, 1.0, rank)


def items(arm: str, right: str, **fields: object) -> list[Item]:
    """A choice question for each letter of ``right``: r for right, w for wrong, - without an answer, x refused."""
    return [
        replace(
            ITEM,
            id=str(number),
            arm=arm,
            chosen={"r": "B", "w": "A", "-": "A", "x": None}[how],
            gold=None if how == "-" else "B",
            error="too long" if how == "x" else "",
            **fields,
        )
        for number, how in enumerate(right)
    ]


def test_accuracy_has_wilsons_interval_and_leaves_out_what_has_no_answer() -> None:
    [arm] = run_figures(items("grounded", "rrrw-x")).whole.arms
    assert arm.accuracy is not None
    assert arm.accuracy.value == pytest.approx(3 / 5)
    assert (arm.accuracy.low, arm.accuracy.high) == pytest.approx((0.2307, 0.8824), abs=1e-4)
    assert (arm.questions, arm.scored, arm.without_answer, arm.refused) == (6, 5, 1, 1)


def test_arms_are_compared_question_by_question_with_holms_correction() -> None:
    """Grounded is right alone on 6, from memory on 0: p = 2 / 2**6. Wrong evidence: 1 against 1, p = 1."""
    run = [*items("ungrounded", "wwwwwwrr"), *items("grounded", "rrrrrrrr"), *items("wrong", "wwwwwrrw")]
    grounded, wrong = run_figures(run).comparisons
    assert (grounded.arm, grounded.against, grounded.questions) == ("grounded", "ungrounded", 8)
    assert grounded.difference.value == pytest.approx(6 / 8)
    assert grounded.test is not None
    assert (grounded.test.only_first, grounded.test.only_second) == (6, 0)
    assert grounded.test.p == pytest.approx(2 / 2**6)
    assert grounded.p_holm == pytest.approx(2 * 2 / 2**6)
    assert wrong.difference.value == 0
    assert (wrong.test and wrong.test.p, wrong.p_holm) == (1.0, 1.0)


def test_of_several_orders_the_option_chosen_most_often_counts_of_equals_that_of_the_first() -> None:
    def asked(*chosen: str | None) -> list[Item]:
        return [replace(ITEM, id="".join(str(one) for one in chosen), chosen=one) for one in chosen]

    [arm] = run_figures([*asked("A", "B", "B"), *asked("A", "B"), *asked(None, "B"), *asked("B", "A")]).whole.arms
    assert arm.questions == 4
    assert arm.accuracy is not None
    assert arm.accuracy.value == 3 / 4


def test_parts_of_a_set_have_figures_of_their_own_and_one_correction_over_all() -> None:
    run = [
        *items("ungrounded", "www", subset="one"),
        *items("grounded", "rrr", subset="one"),
        *(replace(item, id=f"two {item.id}") for item in items("ungrounded", "rr", subset="two")),
        *(replace(item, id=f"two {item.id}") for item in items("grounded", "rr", subset="two")),
    ]
    figures = run_figures(run)
    assert [subset.name for subset in figures.subsets] == ["", "one", "two"]
    assert [[arm.accuracy.value for arm in subset.arms if arm.accuracy] for subset in figures.subsets] == [
        [2 / 5, 1.0],
        [0.0, 1.0],
        [1.0, 1.0],
    ]
    assert [one.p_holm for one in figures.comparisons] == pytest.approx([0.75, 0.75, 1.0])


def test_yes_and_no_have_the_mean_f1_of_the_words_too() -> None:
    """Of yes, yes, no, maybe the replies are yes, no, no, no: F1 of yes 2/3, of no 1/2, of maybe 0."""
    pairs = zip(("yes", "yes", "no", "maybe"), ("yes", "no", "no", "no"), strict=True)
    run = [
        replace(ITEM, id=str(number), kind="yes_no", options=dict(YES_NO_MAYBE), order=(), gold=gold, chosen=given)
        for number, (gold, given) in enumerate(pairs)
    ]
    [arm] = run_figures(run).whole.arms
    assert arm.macro_f1 is not None
    assert arm.macro_f1.value == pytest.approx((2 / 3 + 1 / 2 + 0) / 3)


def sentence(verdict: str, precise: tuple[bool, ...], is_held: bool | None) -> JudgedSentence:
    citations = tuple(range(1, len(precise) + 1))
    return JudgedSentence("x", citations, verdict, 0.9, (), precise, is_held)  # type: ignore[arg-type]


def test_a_free_answer_is_measured_by_its_sentences_and_by_what_it_must_state() -> None:
    judgement = FreeJudgement(
        False,
        (
            sentence("supported", (True, False), True),
            sentence("unsupported", (False,), False),
            sentence("uncited", (), True),
            sentence("supported", (True,), True),
        ),
        (JudgedStatement("a", "supported"), JudgedStatement("b", "contradicted"), JudgedStatement("c", "unsupported")),
        0.25,
    )
    assert measures_of(judgement) == pytest.approx(
        {
            "supported_sentences": 3 / 4,
            "citation_recall": 2 / 4,
            "citation_precision": 2 / 4,
            "completeness": 1 / 3,
            "contradicted": 1 / 3,
            "overlap": 0.25,
        }
    )


def test_an_answer_from_memory_has_no_citation_figures_and_an_abstention_no_sentences() -> None:
    said = FreeJudgement(False, (sentence("uncited", (), True),), (JudgedStatement("a", "supported"),), None)
    silent = FreeJudgement(True, (), (JudgedStatement("a", "unsupported"),), None)
    free = replace(ITEM, kind="free", options={}, order=(), gold=None, chosen=None)
    run = [
        replace(free, id="1", judgement=said),
        replace(free, id="2", judgement=silent),
        replace(free, id="1", arm="grounded", judgement=silent, evidence_shown=True),
        replace(free, id="2", arm="grounded", judgement=silent, evidence_shown=False),
    ]
    memory, grounded = run_figures(run).whole.arms
    assert {name: one.value for name, one in memory.free.items()} == {
        "supported_sentences": 1.0,
        "completeness": 0.5,
        "contradicted": 0.0,
    }
    assert (memory.counts["supported_sentences"], memory.counts["completeness"]) == (1, 2)
    assert memory.abstention is not None
    assert memory.abstention.value == 0.5
    assert memory.abstained_rightly is None
    assert grounded.abstained_rightly is not None
    assert grounded.abstained_rightly.value == 0.5


def test_each_option_stands_in_each_place_once_over_as_many_orders_as_there_are_options() -> None:
    orders = orders_of(CHOICE, 9, seed=1)
    assert len(orders) == 3
    assert [set(order) for order in zip(*orders, strict=True)] == [{"A", "B", "C"}] * 3
    assert orders == orders_of(CHOICE, 9, seed=1)
    assert len({orders_of(replace(CHOICE, id=str(number)), 1, seed=1)[0] for number in range(40)}) > 3


def test_a_reply_names_the_option_that_was_shown_under_its_letter() -> None:
    order = ("C", "A", "B")
    shown = chat_of(CHOICE, (), order).user
    assert "A. grass\nB. sky\nC. blood" in shown
    assert [chosen_of(CHOICE, order, letter) for letter in ("A", "C", "D", "")] == ["C", "B", None, None]
    several = replace(CHOICE, answer="AB", several=True)
    assert chosen_of(several, order, "BC") == "AB"
    assert set(chat_of(several, (), order).choices) == {"A", "B", "C", "AB", "AC", "BC", "ABC"}
    assert chat_of(CHOICE, (), order).choices == tuple(LETTERS[:3])


def test_what_is_shown_is_what_the_arm_is_named_for() -> None:
    found = (hit("own", 1), hit("other", 2), hit("third", 3), hit("fourth", 4))
    evidence = {
        "q": QuestionEvidence(found, (hit("given"),)),
        "alike": QuestionEvidence((hit("third"),)),
        "f": QuestionEvidence((hit("far"),)),
    }
    questions = (CHOICE, replace(CHOICE, id="alike"), FREE)
    arms = ("ungrounded", "grounded", "oracle", "wrong", "leave_one_out", "extractive")
    run = [one for one in trials(questions, evidence, arms, passages=3, orders=1, seed=1) if one.question is CHOICE]
    documents = {one.arm: [shown.passage.document_id for shown in one.passages] for one in run}
    assert documents == {
        "ungrounded": [],
        "grounded": ["own", "other", "third"],
        "oracle": ["given"],
        "wrong": ["far"],
        "leave_one_out": ["other", "third"],
    }
    assert all('<passage n="1">' in one.chat.user for one in run if one.chat and one.passages)


def test_where_the_evidence_does_not_suffice_no_model_is_asked_for_a_free_answer() -> None:
    evidence = {"f": QuestionEvidence((hit("far"),), suffices=False)}
    run = trials((FREE,), evidence, ("ungrounded", "grounded", "extractive"), passages=3, orders=1, seed=1)
    assert [(one.arm, one.chat is None) for one in run] == [
        ("ungrounded", False),
        ("grounded", True),
        ("extractive", True),
    ]


def test_only_sentences_that_state_something_count() -> None:
    text = "Here is the answer:\nMetformin lowers glucose [1]. The passages do not mention doses. Hope this helps!"
    assert [(one.text, one.citations) for one in stating(text, 2)] == [("Metformin lowers glucose.", (1,))]


def test_the_overlap_is_the_f1_of_the_words() -> None:
    assert overlap("Metformin lowers glucose", "metformin lowers glucose") == 1.0
    assert overlap("Metformin lowers glucose", "aspirin") == 0.0
    assert overlap("metformin lowers glucose", "metformin lowers pressure quickly") == pytest.approx(2 * 2 / 7)
