"""Question sets that are one JSON document: MIRAGE, PubMedQA, BioASQ and CMB.

- MIRAGE (Xiong et al. 2024, github.com/Teddy-XiongGZ/MIRAGE): ``benchmark.json``, by set, by id: ``{"question",
  "options", "answer"}``. Options that are yes, no and maybe make a yes/no question of it.
- PubMedQA (Jin et al. 2019, github.com/pubmedqa/pubmedqa): ``ori_pqal.json`` or ``test_set.json``, by PMID:
  ``{"QUESTION", "CONTEXTS", "LONG_ANSWER", "final_decision"}``. ``test_ground_truth.json``, by PMID the answer, names
  the 500 of the test set.
- BioASQ task B (Tsatsaronis et al. 2015, bioasq.org): ``{"questions": [{"id", "body", "type", "exact_answer",
  "ideal_answer", "snippets", "documents"}]}``.
- CMB (Wang et al. 2023, github.com/FreedomIntelligence/CMB): a list of ``{"question", "option", "answer",
  "question_type"}``; the answers of the test set are in a file of their own, by ``id``. CMB-Clin has cases with
  ``description`` and ``QA_pairs``.
"""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from ingestion.json_lines import id_of
from ingestion.question_sets.items import Item, choice, exact, free, id_or_number, json_document, json_objects, yes_no
from rag.errors import UnreadableFile
from rag.exam_questions import YES_NO, YES_NO_MAYBE, ExamQuestion

MIRAGE = '{"medqa": {"0000": {"question": "...", "options": {"A": "...", "B": "..."}, "answer": "A"}}}'
PUBMEDQA = '{"1571683": {"QUESTION": "...", "CONTEXTS": ["..."], "LONG_ANSWER": "...", "final_decision": "yes"}}'
BIOASQ = '{"questions": [{"id": "1", "body": "...", "type": "yesno", "exact_answer": "yes", "ideal_answer": ["..."]}]}'
CMB = '[{"question": "...", "option": {"A": "...", "B": "..."}, "answer": "A", "question_type": "单项选择题"}]'


def mirage_questions(path: Path) -> list[ExamQuestion]:
    return [
        _mirage(Item(f"{path.name}, {subset} question {identifier!r}", stated, MIRAGE), subset, identifier)
        for subset, by_id in _by_name(path, json_document(path), MIRAGE)
        for identifier, stated in _by_name(path, by_id, MIRAGE)
    ]


def _mirage(item: Item, subset: str, identifier: str) -> ExamQuestion:
    question, options = item.text("question"), item.options("options")
    answer = item.letters("answer", options)
    of_letter = {letter: text.casefold() for letter, text in options.items()}
    named = f"{subset}-{identifier}"
    if set(of_letter.values()) <= YES_NO_MAYBE.keys():
        words = {word: word for word in of_letter.values()}
        return yes_no(named, question, words, answer=of_letter[answer] if answer else None, subset=subset)
    return choice(named, question, options, answer=answer, subset=subset)


def pubmedqa_questions(path: Path, answers: Path | None = None) -> list[ExamQuestion]:
    """``answers`` is ``test_ground_truth.json``: those questions alone, in its order."""
    by_id = dict(_by_name(path, json_document(path), PUBMEDQA))
    right = dict.fromkeys(by_id)
    if answers is not None:
        right = dict(_named(answers, json_document(answers), '{"1571683": "yes"}'))
        if unknown := next((identifier for identifier in right if identifier not in by_id), None):
            raise UnreadableFile(f"{answers.name} has an answer to {unknown!r}, which is no question of {path.name}")
    return [
        _pubmedqa(Item(f"{path.name}, question {identifier!r}", by_id[identifier], PUBMEDQA), identifier, stated)
        for identifier, stated in right.items()
    ]


def _pubmedqa(item: Item, identifier: str, right: Any) -> ExamQuestion:
    if right is not None:
        item = Item(item.where, {**item.fields, "final_decision": right}, item.example)
    return yes_no(
        identifier,
        item.text("QUESTION"),
        YES_NO_MAYBE,
        answer=item.word("final_decision"),
        evidence=item.texts("CONTEXTS"),
        references=item.texts("LONG_ANSWER"),
    )


def bioasq_questions(path: Path) -> list[ExamQuestion]:
    """A factoid or list question is two, as BioASQ asks for both: one to be answered in sentences and, with ``-exact``
    behind its id, one of which the exact answers are asked for."""
    stated = json_document(path)
    questions = stated.get("questions") if isinstance(stated, dict) else None
    return [question for item in json_objects(path, questions, BIOASQ) for question in _bioasq(item)]


def _bioasq(item: Item) -> Iterator[ExamQuestion]:
    identifier, question, kind = id_of(dict(item.fields), item.where), item.text("body"), item.text("type")
    snippets = item.fields.get("snippets") or []
    if not isinstance(snippets, list) or not all(isinstance(one, dict) for one in snippets):
        raise item.wrong("snippets", "is no list of objects")
    further: dict[str, Any] = {
        "evidence": tuple(Item(item.where, one, item.example).text("text") for one in snippets),
        "evidence_ids": tuple(dict.fromkeys(one.rstrip("/").rsplit("/", 1)[-1] for one in item.texts("documents"))),
        "references": item.texts("ideal_answer"),
        "subset": kind,
    }
    match kind:
        case "yesno":
            yield yes_no(identifier, question, YES_NO, answer=item.word("exact_answer", YES_NO), **further)
        case "factoid" | "list":
            yield free(identifier, question, **further)
            yield exact(f"{identifier}-exact", question, kind, exact_answers=_exact(item, kind), **further)
        case "summary":
            yield free(identifier, question, **further)
        case _:
            raise item.wrong("type", f"is {kind!r} and not yesno, factoid, list or summary")


def _exact(item: Item, kind: str) -> tuple[tuple[str, ...], ...]:
    """A list's entries, each with its synonyms; of a factoid the one entry, whose synonyms may stand in one list."""
    stated = item.fields.get("exact_answer") or []
    listed = stated if isinstance(stated, list) else [stated]
    entries = [Item(item.where, {"exact_answer": one}, item.example).texts("exact_answer") for one in listed]
    if kind == "factoid" and entries:
        return (tuple(dict.fromkeys(wording for entry in entries for wording in entry)),)
    return tuple(entry for entry in entries if entry)


def cmb_questions(path: Path, answers: Path | None = None) -> list[ExamQuestion]:
    """``answers`` is the test set's file of answers by ``id``."""
    right: dict[str, Item] = {}
    if answers is not None:
        for item in json_objects(answers, json_document(answers), '[{"id": 1, "answer": "A"}]', "answer"):
            right[id_of(dict(item.fields), item.where)] = item
    questions: list[ExamQuestion] = []
    for number, item in enumerate(json_objects(path, json_document(path), CMB)):
        identifier = id_or_number(item, number)
        if "QA_pairs" in item.fields:
            questions += _cases(item, identifier)
        else:
            questions.append(_cmb(item, identifier, right.get(identifier, item)))
    return questions


def _cmb(item: Item, identifier: str, right: Item) -> ExamQuestion:
    options = item.options("option")
    answer = right.letters("answer", options)
    several = item.optional_text("question_type").startswith("多") or len(answer or "") > 1
    return choice(
        identifier,
        item.text("question"),
        options,
        answer=answer,
        several=several,
        references=item.texts("explanation"),
        subset=item.optional_text("exam_type"),
    )


def _cases(item: Item, identifier: str) -> Iterator[ExamQuestion]:
    described, pairs = item.optional_text("description"), item.fields["QA_pairs"]
    if not isinstance(pairs, list) or not all(isinstance(pair, dict) for pair in pairs):
        raise item.wrong("QA_pairs", "is no list of objects")
    for number, stated in enumerate(pairs):
        pair = Item(f"{item.where}, pair {number + 1}", stated, '{"question": "...", "solution": "..."}')
        question = "\n\n".join(part for part in (described, pair.text("question")) if part)
        yield free(f"{identifier}-{number}", question, references=pair.texts("solution"))


def _by_name(path: Path, stated: Any, example: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    for name, one in _named(path, stated, example):
        if not isinstance(one, dict):
            raise UnreadableFile(f"{path.name}, {name!r} is not an object; the file should be like {example}")
        yield name, one


def _named(path: Path, stated: Any, example: str) -> Iterator[tuple[str, Any]]:
    if not isinstance(stated, dict):
        raise UnreadableFile(f"{path.name} is not an object such as {example}")
    yield from stated.items()
