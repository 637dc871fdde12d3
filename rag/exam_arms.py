"""How a question of a test set is put to a language model: with which passages, in which order of its options.

The arms are ways of answering the same questions. They differ in what the model is shown:

- ``ungrounded``: nothing but the question.
- ``grounded``: the passages that a search for the question finds.
- ``oracle``: the evidence that the question set states for the question.
- ``wrong``: the passages found for another question that shares no document with this one.
- ``leave_one_out``: as grounded, without the best passage.
- ``extractive``: no model; the sentences of the library that the product quotes. Questions with a free answer only.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Literal, get_args

from rag.asking_many import Chat
from rag.context import Context
from rag.exact_answers import MOST_ANSWERS
from rag.exam_questions import ExamQuestion
from rag.injection import neutralised
from rag.prompting import CONTEXT_CHARACTERS, passage_block
from rag.prompts import Prompt, prompt
from rag.types import Hit

Arm = Literal["ungrounded", "grounded", "oracle", "wrong", "leave_one_out", "extractive"]
ARMS: tuple[Arm, ...] = get_args(Arm)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
MOST_OPTIONS_COMBINED = 6
"""Options of which any combination may be answered: 63 with six. Of more, one is chosen."""


@dataclass(frozen=True, slots=True)
class QuestionEvidence:
    """What the library has for a question. ``found`` are the hits of a search, best first; ``given`` is what the
    question set states as evidence; ``quoted`` are the sentences ``(place among found, text)`` that the product would
    quote; ``suffices`` is whether it would answer at all."""

    found: tuple[Hit, ...] = ()
    given: tuple[Hit, ...] = ()
    quoted: tuple[tuple[int, str], ...] = ()
    suffices: bool = True


@dataclass(frozen=True, slots=True)
class Trial:
    """One question in one arm. ``order[i]`` is the option that is shown under the i-th letter, empty where the options
    are not permuted. ``chat`` is None where no model is asked: the product quotes, or does not answer."""

    question: ExamQuestion
    arm: Arm
    passages: tuple[Hit, ...] = ()
    order: tuple[str, ...] = ()
    chat: Chat | None = None


def trials(
    questions: Sequence[ExamQuestion],
    evidence: Mapping[str, QuestionEvidence],
    arms: Sequence[Arm],
    passages: int,
    orders: int,
    seed: int,
) -> list[Trial]:
    """Each question in each arm that it allows, choice questions in ``orders`` different orders of their options. At
    most ``passages`` are shown."""
    strangers = _strangers(questions, evidence, passages, seed) if "wrong" in arms else {}
    found = []
    for question in questions:
        of_question = evidence.get(question.id, QuestionEvidence())
        for arm in arms:
            shown = _shown(arm, of_question, evidence, strangers.get(question.id), passages)
            if arm == "extractive":
                if question.kind == "free":
                    found.append(Trial(question, arm, of_question.found))
            elif _is_withheld(arm, question, of_question):
                found.append(Trial(question, arm, fitted(shown, question)))
            elif shown or arm == "ungrounded":
                fitting = fitted(shown, question)
                found += [Trial(question, arm, fitting, *one) for one in _asked(question, arm, fitting, orders, seed)]
    return found


def _is_withheld(arm: Arm, question: ExamQuestion, evidence: QuestionEvidence) -> bool:
    """Whether the product would not answer a question, since what was found does not suffice."""
    return question.kind == "free" and arm in ("grounded", "leave_one_out") and not evidence.suffices


def fitted(passages: Sequence[Hit], question: ExamQuestion) -> tuple[Hit, ...]:
    """The first of them, at least one where there is one, as long as their text together is no longer than what a
    grounded answer is shown."""
    left = CONTEXT_CHARACTERS[question.language]
    kept: list[Hit] = []
    for hit in passages:
        left -= len(hit.passage.text)
        if kept and left < 0:
            break
        kept.append(hit)
    return tuple(kept)


def orders_of(question: ExamQuestion, count: int, seed: int) -> list[tuple[str, ...]]:
    """A random order of the options, the same for the same question and seed, and its rotations: over as many as there
    are options, each option stands in each place once."""
    if question.kind != "choice":
        return [()]
    first = list(question.options)
    random.Random(f"{seed} {question.id}").shuffle(first)  # noqa: S311 - no secret
    return [tuple(first[turn:] + first[:turn]) for turn in range(min(count, len(first)))]


def chosen_of(question: ExamQuestion, order: Sequence[str], reply: str) -> str | None:
    """The option that a reply names, by its own letter or word; None where it names none."""
    text = reply.strip()
    if question.kind == "yes_no":
        return text if text in question.options else None
    of_letter = dict(zip(LETTERS, order, strict=False))
    if not text or any(letter not in of_letter for letter in text):
        return None
    return "".join(sorted(of_letter[letter] for letter in text))


def chat_of(question: ExamQuestion, passages: Sequence[Hit], order: Sequence[str]) -> Chat:
    """The prompt with the passages, none of them cut."""
    language = question.language
    blocks = [
        passage_block(number, Context(hit, hit.passage.text, hit.passage.char_start, hit.passage.char_end), language)
        for number, hit in enumerate(passages, start=1)
    ]
    asked, evidence = neutralised(question.question), "".join(f"{block}\n\n" for block in blocks)
    if question.kind == "free":
        if not passages:
            return _chat(prompt("ungrounded", language), {"question": asked})
        return _chat(prompt("grounded", language), {"passages": "\n\n".join(blocks), "question": asked})
    if question.kind == "factoid" or question.kind == "list":
        said = prompt(question.kind, language)
        return replace(_chat(said, {"evidence": evidence, "question": asked}), answers=MOST_ANSWERS[question.kind])
    if question.kind == "yes_no":
        words = tuple(question.options)
        joined = ("、" if language == "zh" else ", ").join(words)
        values = {"evidence": evidence, "question": asked, "words": joined}
        return _chat(prompt("yes_no_maybe", language), values, words)
    letters = LETTERS[: len(order)]
    options = "\n".join(
        f"{letter}. {neutralised(question.options[option])}" for letter, option in zip(letters, order, strict=True)
    )
    values = {"evidence": evidence, "question": asked, "options": options}
    if question.several and len(letters) <= MOST_OPTIONS_COMBINED:
        sets = ["".join(some) for size in range(1, len(letters) + 1) for some in combinations(letters, size)]
        return _chat(prompt("multiple_answers", language), values, tuple(sets))
    return _chat(prompt("multiple_choice", language), values, tuple(letters))


def _chat(said: Prompt, values: Mapping[str, str], choices: tuple[str, ...] = ()) -> Chat:
    system, user = said.messages(**values)
    return Chat(str(user.content), str(system.content), choices)


def _asked(
    question: ExamQuestion, arm: Arm, passages: Sequence[Hit], orders: int, seed: int
) -> Iterator[tuple[tuple[str, ...], Chat]]:
    for order in orders_of(question, orders, seed):
        yield order, chat_of(question, passages, order)


def _shown(
    arm: Arm,
    of_question: QuestionEvidence,
    evidence: Mapping[str, QuestionEvidence],
    stranger: str | None,
    passages: int,
) -> tuple[Hit, ...]:
    match arm:
        case "grounded":
            return of_question.found[:passages]
        case "oracle":
            return of_question.given[:passages]
        case "wrong":
            return evidence[stranger].found[:passages] if stranger is not None else ()
        case "leave_one_out":
            return of_question.found[1:passages]
        case _:
            return ()


def _strangers(
    questions: Sequence[ExamQuestion], evidence: Mapping[str, QuestionEvidence], passages: int, seed: int
) -> dict[str, str]:
    """For each question another one whose passages are of other documents than its own passages and evidence; none
    where every other shares one."""
    order = [one.id for one in questions if one.id in evidence and evidence[one.id].found]
    random.Random(seed).shuffle(order)  # noqa: S311 - no secret
    named = {one.id: set(one.evidence_ids) for one in questions}
    shown = {name: _documents(evidence[name].found[:passages]) for name in order}
    chosen = {}
    for at, name in enumerate(order):
        own = shown[name] | named[name] | _documents(evidence[name].given)
        stranger = next((other for other in (*order[at + 1 :], *order[:at]) if not own & shown[other]), None)
        if stranger is not None:
            chosen[name] = stranger
    return chosen


def _documents(hits: Sequence[Hit]) -> set[str]:
    return {hit.passage.external_id or hit.passage.document_id for hit in hits}
