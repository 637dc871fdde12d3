"""Reading a question set: the format is told by what the file holds, or stated.

Files may be gzip-compressed. Every error names the file, the item and what is expected, and raises UnreadableFile. A
question without a stated answer is read; its ``answer`` is None.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ingestion.judged_collections import content_sha256
from ingestion.loaders.source import read_bytes
from ingestion.question_sets import documents, lines, tables
from rag.errors import InvalidRequest, UnreadableFile
from rag.exam_questions import ExamQuestion

Format = Literal[
    "jsonl", "mirage", "pubmedqa", "medqa", "medmcqa", "medmcqa-from-0", "medmcqa-from-1", "mmlu", "cmexam", "cmb",
    "bioasq", "kqa",
]  # fmt: skip
FORMATS: tuple[Format, ...] = get_args(Format)
COMPANIONS: dict[str, str] = {
    "pubmedqa": "test_ground_truth.json",
    "cmb": "CMB-test-choice-answer.json",
}
"""The file that holds the answers of a test set, by format. It is read where it lies beside the questions."""

_READERS: dict[str, Callable[[Path], list[ExamQuestion]]] = {
    **lines.READERS,
    "mirage": documents.mirage_questions,
    "bioasq": documents.bioasq_questions,
    "mmlu": tables.mmlu_questions,
    "cmexam": tables.cmexam_questions,
}
_WITH_ANSWERS: dict[str, Callable[[Path, Path | None], list[ExamQuestion]]] = {
    "pubmedqa": documents.pubmedqa_questions,
    "cmb": documents.cmb_questions,
}


@dataclass(frozen=True, slots=True)
class QuestionSet:
    """``questions`` in the order of the file, no id twice. ``answers_name`` is that of the file that its answers came
    from, empty where they stand with the questions."""

    name: str
    format: Format
    sha256: str
    questions: tuple[ExamQuestion, ...]
    answers_name: str = ""

    @property
    def without_answer(self) -> int:
        """How many questions of which an option or an exact answer is asked for have none stated."""
        return sum(one.answer is None and not one.exact_answers for one in self.questions if one.kind != "free")


def read_questions(path: Path, format: Format | None = None, answers: Path | None = None) -> QuestionSet:  # noqa: A002
    """The questions of ``path``. ``answers`` is the file of a test set's answers, for PubMedQA and CMB; where none is
    given, the one of the published name beside the questions."""
    told = format or _told(path)
    if told in _WITH_ANSWERS:
        beside = path.with_name(COMPANIONS[told])
        answers = answers or (beside if beside.is_file() and beside != path else None)
        questions = _WITH_ANSWERS[told](path, answers)
    elif answers is not None:
        raise InvalidRequest(f"The answers of {path.name} stand in it; a file of answers is for pubmedqa and cmb")
    else:
        questions = _READERS[told](path)
    if not questions:
        raise UnreadableFile(f"{path.name} has no question")
    seen: set[str] = set()
    for question in questions:
        if question.id in seen:
            raise UnreadableFile(f"{path.name}: the id {question.id!r} is there twice; give each question its own")
        seen.add(question.id)
    return QuestionSet(path.name, told, content_sha256(path), tuple(questions), answers.name if answers else "")


def _told(path: Path) -> Format:
    data = read_bytes(path).removeprefix(b"\xef\xbb\xbf").lstrip()
    told = _told_of_json(data) if data[:1] in (b"{", b"[") else _told_of_table(path)
    if told is None:
        raise UnreadableFile(
            f"{path.name} is of no format that is known by its content; state it by --format, one of "
            f"{', '.join(FORMATS)}"
        )
    return told


def _told_of_json(data: bytes) -> Format | None:
    """By the first line where that is an object of its own, else by the whole."""
    stated = _json(data.split(b"\n", 1)[0])
    if not isinstance(stated, dict) or not any(name in stated for name in ("question", "Question")):
        whole = _json(data)
        if whole is None:
            return "jsonl" if isinstance(stated, dict) else None
        return _told_of_document(whole)
    if "opa" in stated:
        return "medmcqa"
    if "Question" in stated:
        return "kqa"
    return "medqa" if "answer_idx" in stated or ("meta_info" in stated and "options" in stated) else "jsonl"


def _told_of_document(whole: Any) -> Format | None:
    if isinstance(whole, list):
        first = whole[0] if whole else None
        return "cmb" if isinstance(first, dict) and ("option" in first or "QA_pairs" in first) else None
    if isinstance(whole, dict) and isinstance(whole.get("questions"), list):
        return "bioasq"
    first = next(iter(whole.values()), None) if isinstance(whole, dict) else None
    if not isinstance(first, dict):
        return None
    if "QUESTION" in first:
        return "pubmedqa"
    inner = next(iter(first.values()), None)
    return "mirage" if isinstance(inner, dict) and "question" in inner else None


def _told_of_table(path: Path) -> Format | None:
    try:
        _, first = next(tables.rows(path), (0, []))
    except UnreadableFile:
        return None
    if {"Question", "Options", "Answer"} <= {cell.strip() for cell in first}:
        return "cmexam"
    return "mmlu" if len(first) == 6 and first[5].strip() in ("A", "B", "C", "D") else None


def _json(data: bytes) -> Any:
    try:
        return json.loads(data)
    except (ValueError, RecursionError):
        return None
