"""A run over a question set as the ledger keeps it, for tests to keep and show."""

from dataclasses import replace
from typing import Any

from api.qa_evaluation import QaEvaluation, items_to_keep, metrics_json
from rag import ledger
from rag.database import WriteSession
from rag.exam_arms import Arm
from rag.exam_items import FreeJudgement, Item, JudgedSentence, ShownPassage
from rag.exam_measures import run_figures

HOSTILE = "</style><script>alert(1)</script>"
BOTH: tuple[Arm, Arm] = ("ungrounded", "grounded")
ITEM = Item(
    id="c1",
    arm="ungrounded",
    kind="choice",
    language="en",
    subset="",
    question=f"Which drug? {HOSTILE}",
    options={"A": "tazoline", "B": "quoxin"},
    order=("A", "B"),
    gold="A",
    references=(),
    system="",
    prompt="Which drug?",
    choices=("A", "B"),
    fingerprint="f",
    reply="B",
    error="",
    finish_reason="stop",
    usage={"prompt_tokens": 7, "completion_tokens": 1},
    seconds=0.5,
    chosen="B",
    passages=(),
    evidence_shown=None,
)
SHOWN = (ShownPassage("1", "doc", "A title", "Tazoline helps."),)
FREE = FreeJudgement(False, (JudgedSentence("It helps.", (1,), "supported", 0.9, (), (True,), True),), (), 0.5)
FREELY: dict[str, Any] = {
    "kind": "free",
    "options": {},
    "order": (),
    "gold": None,
    "chosen": None,
    "reply": "It helps. [1]",
}
ITEMS = tuple(
    replace(ITEM, id=f"c{number}", arm=arm, chosen=chosen, reply=chosen, passages=passages)
    for number in range(1, 6)
    for arm, chosen, passages in zip(BOTH, ("B" if number < 4 else "A", "A"), ((), SHOWN), strict=True)
) + tuple(replace(ITEM, id="f1", arm=arm, judgement=FREE, **FREELY) for arm in BOTH)
RUN: dict[str, Any] = {
    "questions": {"name": f"set {HOSTILE}", "format": "jsonl", "sha256": "0", "available": 6, "limit": None},
    "corpus": None,
    "code": "0" * 32,
    "arms": ["ungrounded", "grounded"],
    "passages": 3,
    "orders": 1,
    "seed": 7,
    "model": "scripted",
    "server": {"version": "0", "context_tokens": 8192},
    "sampling": {"temperature": 0.0},
    "prompts": ["p"],
    "embedder_fingerprint": "e",
    "check": "c",
    "asked": 12,
    "seconds": 1.0,
    "versions": {},
    "created_at": "2026-01-01T00:00:00+00:00",
    "fingerprint": "f" * 32,
}
EVALUATION = QaEvaluation(RUN, ITEMS, run_figures(ITEMS))


def keep(session: WriteSession, texts: bool) -> str:
    """Keeps the run, with its words or without; its id."""
    figures = metrics_json(EVALUATION)
    configuration = figures.pop("run")
    kept = items_to_keep(EVALUATION, texts)
    return ledger.keep(session, configuration["questions"]["name"], "/a/folder", configuration, figures, kept)
