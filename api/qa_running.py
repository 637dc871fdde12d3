"""Putting a question set to the library and the language model: search, ask, judge. It gives an item for each trial."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path

from api.kept_replies import KeptReplies, fingerprint_of, write_line
from rag.asking_many import Chat, Reply, ask_many
from rag.errors import Unavailable
from rag.exact_answers import answers_of
from rag.exam_arms import Arm, QuestionEvidence, Trial, chosen_of, trials
from rag.exam_evidence import evidence_for
from rag.exam_items import FreeJudgement, Item, ShownPassage
from rag.exam_judging import FreeAnswer, judged
from rag.exam_questions import ExamQuestion
from rag.llm import LanguageModel, Served, run
from rag.system import System
from rag.types import GREEDY, LOCAL_ADMIN, Hit

SAMPLING = GREEDY
JUDGED_TOGETHER = 8
PATIENCE_S = 600.0
"""How long a language model that went away in the middle is waited for."""
LOOK_EVERY_S = 3.0
MOST_IN_VAIN = 3
"""How often a model may come back and go away again before its first reply."""

Bar = Callable[[int, str, str], AbstractContextManager[Callable[[int], object]]]
"""Of a total, a unit and what is done: hears of how many more are done."""


@dataclass(frozen=True, slots=True)
class QaPlan:
    """What is run: ``passages`` shown at most, ``orders`` of the options, ``collections`` searched, all for none."""

    questions: tuple[ExamQuestion, ...]
    arms: tuple[Arm, ...]
    passages: int
    orders: int
    seed: int
    collections: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class QaOutcome:
    """``asked`` counts the prompts that were put to the model now, the others were kept from before. ``served`` is
    None where no model was needed; ``others`` are replies kept in the folder that this run has no use for."""

    items: tuple[Item, ...]
    served: Served | None
    asked: int
    seconds: float
    others: tuple[Mapping[str, object], ...]


def quiet(total: int, unit: str, what: str) -> AbstractContextManager[Callable[[int], object]]:
    return nullcontext(lambda count: None)


def run_qa(plan: QaPlan, system: System, items_file: Path, bar: Bar = quiet) -> QaOutcome:
    """Each reply is written to ``items_file`` as soon as it is there; what it has a reply to already is not asked.
    Raises Unavailable where the model is gone and stays away, ModelFailed where it refuses everything."""
    evidence = _evidence(plan, system, bar)
    found = trials(plan.questions, evidence, plan.arms, plan.passages, plan.orders, plan.seed)
    kept, replies, served = KeptReplies(items_file), dict[str, Reply](), None
    fingerprints: list[str] = [""] * len(found)
    asked, started = 0, time.perf_counter()
    if system.llm is not None and any(one.chat for one in found):
        served = run(system.llm.warmed_up(), system.llm)
        fingerprints = [_fingerprint(one.chat, served.model) for one in found]
        waiting = {
            fingerprint: one.chat
            for fingerprint, one in zip(fingerprints, found, strict=True)
            if one.chat is not None and kept.reply(fingerprint) is None
        }
        asked, started = len(waiting), time.perf_counter()
        with bar(asked, "prompt", "Asking") as on_reply:
            at_once = system.settings.llm_concurrency
            run(_ask_all(waiting, system.llm, at_once, kept, replies, on_reply), system.llm)
    seconds = time.perf_counter() - started
    given = [replies.get(name) or kept.reply(name) if name else None for name in fingerprints]
    judgements = _judgements(found, given, evidence, system, bar)
    items = tuple(
        _item(one, reply or Reply(_quoted(one, evidence)), fingerprint, judgement)
        for one, reply, fingerprint, judgement in zip(found, given, fingerprints, judgements, strict=True)
    )
    used = {*fingerprints, ""}
    others = tuple(item for fingerprint, item in kept.items.items() if fingerprint not in used)
    return QaOutcome(items, served, asked, seconds, others)


def _evidence(plan: QaPlan, system: System, bar: Bar) -> dict[str, QuestionEvidence]:
    """Nothing is searched for where nothing but choices from memory is asked for."""
    if plan.arms == ("ungrounded",) and all(one.kind != "free" for one in plan.questions):
        return {}
    found = {}
    with bar(len(plan.questions), "question", "Searching") as on_searched:
        for question in plan.questions:
            found[question.id] = evidence_for(question, LOCAL_ADMIN, system, plan.collections, plan.passages)
            on_searched(1)
    return found


def _fingerprint(chat: Chat | None, model: str) -> str:
    if chat is None:
        return ""
    stated = {name: value for name, value in asdict(chat).items() if name != "answers" or value}
    return fingerprint_of(json.dumps(stated, ensure_ascii=False), model, SAMPLING)


async def _ask_all(
    waiting: Mapping[str, Chat],
    llm: LanguageModel,
    at_once: int,
    kept: KeptReplies,
    replies: dict[str, Reply],
    on_reply: Callable[[int], object],
) -> None:
    """Goes on where a model that went away in the middle has come back; not for ever where it goes away again without
    a reply."""
    in_vain = 0
    with kept.opened() as stream:
        while left := [name for name in waiting if name not in replies]:
            in_vain += 1

            def write(place: int, reply: Reply, left: Sequence[str] = left) -> None:
                nonlocal in_vain
                in_vain = 0
                replies[left[place]] = reply
                write_line(stream, {"fingerprint": left[place], **_prompt_json(waiting[left[place]]), **_said(reply)})
                on_reply(1)

            try:
                await ask_many((waiting[name] for name in left), llm, SAMPLING, at_once, write)
            except Unavailable:
                if not replies or in_vain >= MOST_IN_VAIN or not await _is_back(llm):
                    raise


async def _is_back(llm: LanguageModel) -> bool:
    """Whether the model answers again within the time that it is waited for."""
    deadline = time.monotonic() + PATIENCE_S
    while time.monotonic() < deadline:
        try:
            await llm.reached()
        except Unavailable:
            await asyncio.sleep(LOOK_EVERY_S)
        else:
            return True
    return False


def _prompt_json(chat: Chat) -> dict[str, object]:
    return {"system": chat.system, "prompt": chat.user, "choices": list(chat.choices)}


def _said(reply: Reply) -> dict[str, object]:
    return {
        "reply": reply.text,
        "error": reply.error,
        "finish_reason": reply.finish_reason,
        "usage": dict(reply.usage),
        "seconds": round(reply.seconds, 4),
    }


def _judgements(
    found: Sequence[Trial],
    given: Sequence[Reply | None],
    evidence: Mapping[str, QuestionEvidence],
    system: System,
    bar: Bar,
) -> list[FreeJudgement | None]:
    """Of the free answers; a refused one is none."""
    places = [
        place
        for place, (one, reply) in enumerate(zip(found, given, strict=True))
        if one.question.kind == "free" and not (reply and reply.error)
    ]
    judgements: list[FreeJudgement | None] = [None] * len(found)
    if not places:
        return judgements
    with bar(len(places), "answer", "Judging") as on_judged:
        for start in range(0, len(places), JUDGED_TOGETHER):
            batch = places[start : start + JUDGED_TOGETHER]
            answers = [_free_answer(found[place], given[place], evidence) for place in batch]
            for place, judgement in zip(batch, judged(answers, system.entailment), strict=True):
                judgements[place] = judgement
            on_judged(len(batch))
    return judgements


def _free_answer(trial: Trial, reply: Reply | None, evidence: Mapping[str, QuestionEvidence]) -> FreeAnswer:
    of_question = evidence.get(trial.question.id, QuestionEvidence())
    text = reply.text if reply else _quoted(trial, evidence)
    return FreeAnswer(
        text,
        trial.passages,
        (*of_question.given, *of_question.found),
        trial.question.must_have,
        trial.question.references,
        abstained=reply is None and not text,
    )


def _quoted(trial: Trial, evidence: Mapping[str, QuestionEvidence]) -> str:
    """What the product says without a model, each sentence with the number of its passage; nothing of other arms."""
    of_question = evidence.get(trial.question.id, QuestionEvidence())
    if trial.arm != "extractive" or not of_question.suffices:
        return ""
    return "\n".join(f"{' '.join(text.split())} [{place + 1}]" for place, text in of_question.quoted)


def _item(trial: Trial, reply: Reply, fingerprint: str, judgement: FreeJudgement | None) -> Item:
    question, chat = trial.question, trial.chat or Chat("")
    return Item(
        id=question.id,
        arm=trial.arm,
        kind=question.kind,
        language=question.language,
        subset=question.subset,
        question=question.question,
        options=dict(question.options),
        order=trial.order,
        gold=question.answer,
        references=question.references,
        system=chat.system,
        prompt=chat.user,
        choices=chat.choices,
        fingerprint=fingerprint,
        reply=reply.text,
        error=reply.error,
        finish_reason=reply.finish_reason,
        usage=dict(reply.usage),
        seconds=round(reply.seconds, 4),
        chosen=chosen_of(question, trial.order, reply.text) if question.options else None,
        passages=tuple(map(_passage, trial.passages)),
        evidence_shown=_evidence_shown(trial),
        judgement=judgement,
        exact_answers=question.exact_answers,
        answers=answers_of(reply.text, chat.answers),
    )


def _passage(hit: Hit) -> ShownPassage:
    passage = hit.passage
    return ShownPassage(passage.passage_id, passage.external_id or "", passage.title, passage.text)


def _evidence_shown(trial: Trial) -> bool | None:
    if trial.arm == "oracle":
        return True
    named = set(trial.question.evidence_ids)
    if not named or not trial.passages:
        return None
    return any(hit.passage.external_id in named for hit in trial.passages)
