"""Question sets in the formats that they are published in, with made-up content, and what is wrong with a file."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ingestion.question_sets.reading import QuestionSet, read_questions
from rag.errors import InvalidRequest, UnreadableFile
from rag.exam_questions import ExamQuestion

OPTIONS = {"A": "Blue", "B": "Green", "C": "Red", "D": "White"}


def lines(*objects: dict[str, Any]) -> str:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)


def written(folder: Path, name: str, content: Any) -> Path:
    path = folder / name
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), "utf-8")
    return path


def read(folder: Path, name: str, content: Any, **stated: Any) -> QuestionSet:
    return read_questions(written(folder, name, content), **stated)


def only(found: QuestionSet) -> ExamQuestion:
    [question] = found.questions
    return question


def test_our_own_lines_are_choices_yes_no_or_free(tmp_path: Path) -> None:
    content = lines(
        {"id": "1", "question": "Which colour?", "options": OPTIONS, "answer": "C", "evidence_ids": ["d1", "d2"]},
        {"id": 2, "question": "Is the sky blue?", "answer": "Yes", "ideal_answer": "It is."},
        {"id": "3", "question": "Is grass blue?"},
    )
    found = read(tmp_path, "own.jsonl", content)
    colour, sky, grass = found.questions
    assert found.format == "jsonl"
    assert (colour.kind, colour.options, colour.answer, colour.evidence_ids) == ("choice", OPTIONS, "C", ("d1", "d2"))
    assert (sky.id, sky.kind, tuple(sky.options), sky.answer) == ("2", "yes_no", ("yes", "no"), "yes")
    assert sky.references == ("It is.",)
    assert (grass.kind, grass.answer) == ("yes_no", None)
    assert found.without_answer == 1


def test_maybe_may_be_answered_where_the_file_knows_it(tmp_path: Path) -> None:
    content = lines(
        {"id": "1", "question": "Is it?", "answer": "no"}, {"id": "2", "question": "Is it?", "answer": "maybe"}
    )
    assert tuple(read(tmp_path, "own.jsonl", content).questions[0].options) == ("yes", "no", "maybe")


def test_an_answer_in_words_is_a_reference_of_a_free_question(tmp_path: Path) -> None:
    stated = {
        "id": "k",
        "question": "What is it?",
        "answer": "A cold.",
        "must_have": ["It is a cold"],
        "nice_to_have": [],
    }
    question = only(read(tmp_path, "own.jsonl.gz", lines(stated)))
    assert (question.kind, question.answer, question.references) == ("free", None, ("A cold.",))
    assert question.must_have == ("It is a cold",)


def test_a_compressed_file_is_read_as_any_other(tmp_path: Path) -> None:
    path = tmp_path / "own.jsonl.gz"
    path.write_bytes(
        gzip.compress(lines({"id": "1", "question": "该选哪个？", "options": OPTIONS, "answer": "AC"}).encode())
    )
    question = only(read_questions(path))
    assert (question.answer, question.several, question.language) == ("AC", True, "zh")


def test_mirage_is_read_by_set(tmp_path: Path) -> None:
    stated = {
        "medqa": {"0000": {"question": "Which colour?", "options": OPTIONS, "answer": "B"}},
        "pubmedqa": {"77": {"question": "Is it?", "options": {"A": "yes", "B": "no", "C": "maybe"}, "answer": "C"}},
        "bioasq": {"5e": {"question": "Was it?", "options": {"A": "yes", "B": "no"}, "answer": "A"}},
    }
    found = read(tmp_path, "benchmark.json", stated)
    assert found.format == "mirage"
    assert [(one.id, one.subset, one.kind, one.answer) for one in found.questions] == [
        ("medqa-0000", "medqa", "choice", "B"),
        ("pubmedqa-77", "pubmedqa", "yes_no", "maybe"),
        ("bioasq-5e", "bioasq", "yes_no", "yes"),
    ]
    assert tuple(found.questions[2].options) == ("yes", "no")


PQAL = {
    "11": {
        "QUESTION": "Does it work?",
        "CONTEXTS": ["We gave it.", "It did."],
        "LONG_ANSWER": "Yes, it does.",
        "final_decision": "yes",
        "YEAR": "2001",
    },
    "12": {
        "QUESTION": "Does that?",
        "CONTEXTS": ["We gave that."],
        "LONG_ANSWER": "Unclear.",
        "final_decision": "maybe",
    },
    "13": {"QUESTION": "Do these?", "CONTEXTS": [], "LONG_ANSWER": "", "final_decision": "no"},
}


def test_pubmedqa_has_its_abstracts_as_evidence(tmp_path: Path) -> None:
    found = read(tmp_path, "ori_pqal.json", PQAL)
    assert [(one.id, one.answer) for one in found.questions] == [("11", "yes"), ("12", "maybe"), ("13", "no")]
    assert found.questions[0].evidence == ("We gave it.", "It did.")
    assert found.questions[0].references == ("Yes, it does.",)


def test_pubmedqas_file_of_answers_names_the_test_set(tmp_path: Path) -> None:
    written(tmp_path, "test_ground_truth.json", {"13": "no", "11": "yes"})
    found = read(tmp_path, "ori_pqal.json", PQAL)
    assert ([one.id for one in found.questions], found.answers_name) == (["13", "11"], "test_ground_truth.json")


def test_an_answer_to_no_question_is_refused(tmp_path: Path) -> None:
    answers = written(tmp_path, "truth.json", {"99": "no"})
    with pytest.raises(UnreadableFile, match=r"truth\.json has an answer to '99', which is no question of ori"):
        read(tmp_path, "ori_pqal.json", PQAL, answers=answers)


def test_medqa_states_its_options_by_letter_or_as_a_list(tmp_path: Path) -> None:
    listed = [{"key": letter, "value": text} for letter, text in OPTIONS.items()]
    content = lines(
        {"question": "Which?", "answer": "Red", "options": OPTIONS, "meta_info": "step1", "answer_idx": "C"},
        {"question": "哪一个是对的？", "answer": "Green", "options": listed, "meta_info": "step2&3"},
        {"question": "And here?", "options": list(OPTIONS.values()), "answer_idx": "D"},
    )
    found = read(tmp_path, "test.jsonl", content)
    assert found.format == "medqa"
    assert [(one.id, one.answer, one.options) for one in found.questions] == [
        ("0000", "C", OPTIONS),
        ("0001", "B", OPTIONS),
        ("0002", "D", OPTIONS),
    ]


def medmcqa(cop: int | None, identifier: str) -> dict[str, Any]:
    return {
        "id": identifier,
        "question": "Which?",
        "opa": "Blue",
        "opb": "Green",
        "opc": "Red",
        "opd": "White",
        "cop": cop,
        "exp": None,
        "subject_name": "Optics",
        "choice_type": "multi",
    }


@pytest.mark.parametrize(
    ("cops", "answers"),
    [
        ((1, 4, 2), ["A", "D", "B"]),
        ((0, 3, 1), ["A", "D", "B"]),
        ((4, 3, None), ["D", "C", None]),
        ((-1, -1, -1), [None] * 3),
    ],
)
def test_medmcqa_counts_its_options_from_one_or_from_zero(
    tmp_path: Path, cops: tuple[int | None, ...], answers: list[str | None]
) -> None:
    content = lines(*(medmcqa(cop, str(number)) for number, cop in enumerate(cops)))
    found = read(tmp_path, "dev.json", content)
    assert found.format == "medmcqa"
    assert [one.answer for one in found.questions] == answers
    assert found.questions[0].subset == "Optics"


def test_where_medmcqa_does_not_show_how_it_counts_it_must_be_said(tmp_path: Path) -> None:
    content = lines(medmcqa(1, "a"), medmcqa(3, "b"))
    with pytest.raises(UnreadableFile, match="--format medmcqa-from-0"):
        read(tmp_path, "dev.json", content)
    assert [one.answer for one in read(tmp_path, "dev.json", content, format="medmcqa-from-1").questions] == ["A", "C"]
    assert [one.answer for one in read(tmp_path, "dev.json", content, format="medmcqa-from-0").questions] == ["B", "D"]


def test_mmlu_is_a_table_without_a_header(tmp_path: Path) -> None:
    content = '"Which, of these,\nis a colour?",Blue,12,Loud,None,A\nAnd this?,Wet,Dry,Red,"a ""b""",C\n'
    found = read(tmp_path, "college_painting_test.csv", content)
    assert found.format == "mmlu"
    first, second = found.questions
    assert (first.id, first.subset) == ("college_painting_test-000", "college_painting")
    assert (first.options["B"], first.options["D"], first.answer) == ("12", "None", "A")
    assert (second.options["D"], second.answer) == ('a "b"', "C")


def test_cmexam_keeps_its_options_in_one_cell(tmp_path: Path) -> None:
    content = (
        "\ufeffQuestion,Options,Answer,Explanation,Disease Group\n"
        '下列哪种颜色最暖,"A 蓝色\nB 红色\nC 绿色",B,红色最暖。,I\n'
        '下列属于冷色的有,"A.蓝色\nB. 红色\nC、绿色",CA,,II\n'
        '无答案的题目,"A 甲\nB 乙",,,\n'
    )
    found = read(tmp_path, "test.csv", content)
    assert found.format == "cmexam"
    assert [(one.answer, one.several) for one in found.questions] == [("B", False), ("AC", True), (None, False)]
    assert found.questions[1].options == {"A": "蓝色", "B": "红色", "C": "绿色"}
    assert found.questions[0].references == ("红色最暖。",)
    assert {one.language for one in found.questions} == {"zh"}
    assert found.without_answer == 1


def test_cmbs_answers_may_be_in_a_file_of_their_own(tmp_path: Path) -> None:
    stated = [
        {
            "id": 1,
            "exam_type": "画家考试",
            "question": "暖色是",
            "question_type": "单项选择题",
            "option": {"A": "蓝", "B": "红", "C": ""},
        },
        {
            "id": 2,
            "exam_type": "画家考试",
            "question": "冷色有",
            "question_type": "多项选择题",
            "option": {"A": "蓝", "B": "绿"},
        },
    ]
    path = written(tmp_path, "CMB-test-choice-question-merge.json", stated)
    assert read_questions(path).without_answer == 2
    written(tmp_path, "CMB-test-choice-answer.json", [{"id": 1, "answer": "B"}, {"id": 2, "answer": "AB"}])
    found = read_questions(path)
    assert (found.format, found.answers_name) == ("cmb", "CMB-test-choice-answer.json")
    assert [(one.answer, one.several, dict(one.options)) for one in found.questions] == [
        ("B", False, {"A": "蓝", "B": "红"}),
        ("AB", True, {"A": "蓝", "B": "绿"}),
    ]


def test_a_case_of_cmb_gives_a_question_a_pair(tmp_path: Path) -> None:
    pairs = [{"question": "诊断？", "solution": "感冒。"}, {"question": "治疗？", "solution": "休息。"}]
    found = read(
        tmp_path, "CMB-Clin-qa.json", [{"id": 0, "title": "感冒", "description": "流涕一天。", "QA_pairs": pairs}]
    )
    assert [(one.id, one.question, one.references) for one in found.questions] == [
        ("0-0", "流涕一天。\n\n诊断？", ("感冒。",)),
        ("0-1", "流涕一天。\n\n治疗？", ("休息。",)),
    ]


def bioasq(kind: str, **further: Any) -> dict[str, Any]:
    snippet = {"text": "It is red.", "document": "http://www.ncbi.nlm.nih.gov/pubmed/31", "beginSection": "abstract"}
    return {
        "id": f"5e{kind}",
        "body": "What is it?",
        "type": kind,
        "snippets": [snippet],
        "documents": ["http://www.ncbi.nlm.nih.gov/pubmed/31"],
        "ideal_answer": ["Red."],
        **further,
    }


def test_bioasq_has_four_kinds_of_questions(tmp_path: Path) -> None:
    stated = [
        bioasq("yesno", exact_answer="yes"),
        bioasq("factoid", exact_answer=[["red", "scarlet"], ["crimson"]]),
        bioasq("list", exact_answer=[["red"], ["blue", "azure"]]),
        bioasq("summary", snippets=[]),
    ]
    found = read(tmp_path, "11B1_golden.json", {"questions": stated})
    yes, factoid, exact, listed, list_exact, summary = found.questions
    assert found.format == "bioasq"
    assert (yes.kind, yes.answer, tuple(yes.options)) == ("yes_no", "yes", ("yes", "no"))
    assert (yes.evidence, yes.evidence_ids, yes.references) == (("It is red.",), ("31",), ("Red.",))
    assert (factoid.id, factoid.kind, exact.id, exact.kind) == ("5efactoid", "free", "5efactoid-exact", "factoid")
    assert exact.exact_answers == (("red", "scarlet", "crimson"),)
    assert (listed.kind, list_exact.kind, list_exact.subset) == ("free", "list", "list")
    assert list_exact.exact_answers == (("red",), ("blue", "azure"))
    assert (summary.kind, summary.evidence, summary.subset) == ("free", (), "summary")


def test_kqa_has_what_an_answer_must_say(tmp_path: Path) -> None:
    stated = {
        "Question": "What helps?",
        "Free_form_answer": "Rest.",
        "Must_have": ["Rest helps"],
        "Nice_to_have": ["Tea too"],
    }
    found = read(tmp_path, "questions_w_answers.jsonl", lines(stated))
    question = only(found)
    assert (found.format, question.kind, question.references) == ("kqa", "free", ("Rest.",))
    assert (question.must_have, question.nice_to_have) == (("Rest helps",), ("Tea too",))


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("q.jsonl", lines({"id": "1", "question": "Q?"}, {"id": "2"}), r'q\.jsonl, line 2: "question" is missing'),
        ("q.jsonl", '{"id": "1", "question": "Q?"}\n{"id": "2", "quest', r"q\.jsonl, line 2 is not JSON"),
        (
            "q.jsonl",
            lines({"id": "1", "question": "Q?", "options": OPTIONS, "answer": "E"}),
            r'line 1: "answer" is \'E\'',
        ),
        ("q.jsonl", lines({"id": "1", "question": "Q?", "options": {"A": "x"}}), "fewer than two options"),
        (
            "q.jsonl",
            lines({"id": "1", "question": "Q?", "options": {"Blue": "x", "B": "y"}}),
            "'Blue' that is no letter",
        ),
        ("q.jsonl", lines(*[{"id": "1", "question": "Q?"}] * 2), "the id '1' is there twice"),
        ("q.jsonl", lines(medmcqa(1, "a"), {**medmcqa(9, "b")}), r'line 2: "cop" is 9 and not the number of an option'),
        ("q.jsonl", lines(medmcqa(0, "a"), medmcqa(4, "b")), "from 0 in some lines and from 1 in others"),
        (
            "b.json",
            {"medqa": {"0": {"question": "Q?", "options": OPTIONS, "answer": "F"}}},
            "medqa question '0': \"answer\"",
        ),
        (
            "p.json",
            {"1": {"QUESTION": "Q?", "CONTEXTS": [], "final_decision": "perhaps"}},
            "\"final_decision\" is 'perhaps'",
        ),
        ("g.json", {"questions": [bioasq("essay")]}, "question 1: \"type\" is 'essay'"),
        ("m.csv", "Q?,a,b,c,d,A\nQ?,a,b,c,A\n", r"m\.csv, line 2 has 5 cells instead of 6"),
        ("c.csv", "Question,Options,Answer\nQ?,no letters here,A\n", r'line 2: "Options" has a line without a letter'),
        ("c.csv", 'Question,Options,Answer\n"Q?,A x', "is no row of a table"),
        ("n.txt", "Nothing of the kind.\n", "state it by --format, one of jsonl, mirage"),
        ("l.json", [{"text": "x"}], "state it by --format"),
        ("d.json", '{"medqa": {', r"d\.json.* state it by --format"),
    ],
)
def test_what_is_wrong_with_a_file_is_said_with_its_place(tmp_path: Path, name: str, content: Any, says: str) -> None:
    with pytest.raises(UnreadableFile, match=says):
        read(tmp_path, name, content)


def test_a_stated_format_is_held_to(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match="holds no list of objects"):
        read(tmp_path, "b.json", {"medqa": {}}, format="bioasq")
    with pytest.raises(InvalidRequest, match="a file of answers is for pubmedqa and cmb"):
        read(tmp_path, "q.jsonl", lines({"id": "1", "question": "Q?"}), answers=tmp_path / "a.json")
