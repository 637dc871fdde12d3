"""Question sets of a JSON object a line: our own, MedQA, MedMCQA and K-QA.

- Our own: ``{"id", "question", "options"?, "answer"?, "evidence_ids"?}``, where ``answer`` is an option letter, or
  ``yes``, ``no`` or ``maybe``, or a text that people wrote. ``maybe`` may be answered where the file knows it.
- MedQA (Jin et al. 2020, github.com/jind11/MedQA): ``{"question", "options", "answer", "answer_idx"}``, the options
  by letter or as a list, of the United States, the Mainland or Taiwan.
- MedMCQA (Pal et al. 2022, github.com/medmcqa/medmcqa): ``{"id", "question", "opa".."opd", "cop"}``. ``cop`` counts
  the options from 1 in the authors' files and from 0 in those of Hugging Face (-1: held back). Which it is shows in
  the file's lowest and highest; where it does not, the reader must be told.
- K-QA (Manes et al. 2024, github.com/Itaymanes/K-QA): ``{"Question", "Free_form_answer", "Must_have",
  "Nice_to_have"}``.
"""

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from ingestion.json_lines import objects_of_file
from ingestion.question_sets.items import Item, choice, free, id_or_number, yes_no
from rag.errors import UnreadableFile
from rag.exam_questions import YES_NO, YES_NO_MAYBE, ExamQuestion

OWN = '{"id": "1", "question": "...", "options": {"A": "...", "B": "..."}, "answer": "A"}'
MEDQA = '{"question": "...", "options": {"A": "...", "B": "..."}, "answer_idx": "A"}'
MEDMCQA = '{"id": "1", "question": "...", "opa": "...", "opb": "...", "opc": "...", "opd": "...", "cop": 1}'
KQA = '{"Question": "...", "Free_form_answer": "...", "Must_have": ["..."], "Nice_to_have": ["..."]}'


def own_questions(path: Path) -> list[ExamQuestion]:
    items = list(_items(path, OWN))
    without_options = [item for item in items if not item.fields.get("options")]
    answers = {answer.casefold().rstrip(".") for item in without_options for answer in item.texts("answer")[:1]}
    is_yes_no = bool(answers) and answers <= YES_NO_MAYBE.keys()
    words = YES_NO_MAYBE if "maybe" in answers else YES_NO
    return [_own(item, number, words if is_yes_no else None) for number, item in enumerate(items)]


def _own(item: Item, number: int, words: Mapping[str, str] | None) -> ExamQuestion:
    identifier, question = id_or_number(item, number), item.text("question")
    further = {
        "evidence": item.texts("evidence"),
        "evidence_ids": item.texts("evidence_ids"),
        "references": item.texts("references") or item.texts("ideal_answer") or item.texts("long_answer"),
        "must_have": item.texts("must_have"),
        "nice_to_have": item.texts("nice_to_have"),
        "subset": item.optional_text("dataset"),
    }
    if item.fields.get("options"):
        options = item.options("options")
        answer = item.letters("answer", options)
        return choice(identifier, question, options, answer=answer, several=len(answer or "") > 1, **further)
    if words is not None:
        return yes_no(identifier, question, words, answer=item.word("answer", words), **further)
    return free(identifier, question, **{**further, "references": further["references"] or item.texts("answer")})


def medqa_questions(path: Path) -> list[ExamQuestion]:
    return [_medqa(item, number) for number, item in enumerate(_items(path, MEDQA))]


def _medqa(item: Item, number: int) -> ExamQuestion:
    options = item.options("options")
    answer = item.letters("answer_idx", options)
    if answer is None and (stated := item.optional_text("answer")):
        answer = next((letter for letter, text in options.items() if text == stated), None)
        if answer is None:
            raise item.wrong("answer", f"is {stated!r}, which is none of the options")
    several = len(answer or "") > 1
    subset = item.optional_text("meta_info")
    return choice(
        id_or_number(item, number), item.text("question"), options, answer=answer, several=several, subset=subset
    )


def medmcqa_questions(path: Path, first: int | None = None) -> list[ExamQuestion]:
    """``first`` is the number of the first option, 0 or 1; None where the file is to show it."""
    items = list(_items(path, MEDMCQA))
    numbers = [_cop(item) for item in items]
    stated = {number for number in numbers if number is not None}
    if first is None and stated:
        first = _first_option(path, stated)
    return [
        _medmcqa(item, number, None if cop is None or first is None else cop - first)
        for number, (item, cop) in enumerate(zip(items, numbers, strict=True))
    ]


def _cop(item: Item) -> int | None:
    stated = item.fields.get("cop")
    if stated is None or stated == "" or stated == -1:
        return None
    if isinstance(stated, bool) or str(stated).strip() not in ("0", "1", "2", "3", "4"):
        raise item.wrong("cop", f"is {stated!r} and not the number of an option")
    return int(stated)


def _first_option(path: Path, stated: set[int]) -> int:
    if 0 in stated and 4 in stated:
        raise UnreadableFile(f'{path.name}: "cop" counts options from 0 in some lines and from 1 in others')
    if not stated & {0, 4}:
        raise UnreadableFile(
            f'{path.name}: "cop" is never 0 and never 4, so that it may count options from 0 or from 1; say which by '
            "--format medmcqa-from-0 (Hugging Face) or --format medmcqa-from-1 (the authors' files)"
        )
    return 0 if 0 in stated else 1


def _medmcqa(item: Item, number: int, right: int | None) -> ExamQuestion:
    names = ("opa", "opb", "opc", "opd")
    options = item.lettered("opa", [(name[-1], item.fields.get(name)) for name in names])
    if right is not None and (not 0 <= right < 4 or "ABCD"[right] not in options):
        raise item.wrong("cop", f"is {item.fields['cop']} and there is no such option")
    return choice(
        id_or_number(item, number),
        item.text("question"),
        options,
        answer=None if right is None else "ABCD"[right],
        references=item.texts("exp"),
        subset=item.optional_text("subject_name"),
    )


def kqa_questions(path: Path) -> list[ExamQuestion]:
    return [
        free(
            id_or_number(item, number),
            item.text("Question"),
            references=item.texts("Free_form_answer"),
            must_have=item.texts("Must_have"),
            nice_to_have=item.texts("Nice_to_have"),
        )
        for number, item in enumerate(_items(path, KQA))
    ]


def _items(path: Path, example: str) -> Iterator[Item]:
    for _, where, stated in objects_of_file(path, example):
        yield Item(where, stated, example)


READERS: dict[str, Callable[[Path], list[ExamQuestion]]] = {
    "jsonl": own_questions,
    "medqa": medqa_questions,
    "medmcqa": medmcqa_questions,
    "medmcqa-from-0": lambda path: medmcqa_questions(path, 0),
    "medmcqa-from-1": lambda path: medmcqa_questions(path, 1),
    "kqa": kqa_questions,
}
