"""A question of a test set with what people hold to be its answer."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rag.types import Language

QuestionKind = Literal["choice", "yes_no", "free", "factoid", "list"]
"""Of ``factoid`` and ``list`` questions only the exact answers are asked for: one, and all of several."""


@dataclass(frozen=True, slots=True)
class ExamQuestion:
    """``options`` are what may be answered: texts by letter for ``choice``, ``yes``, ``no`` and, where the set knows
    it, ``maybe`` for ``yes_no``, none for the others.

    ``answer`` is a key of ``options``, or several letters in the order of the alphabet where ``several`` options may
    be right; None where none is stated. ``evidence`` are texts that came with the question, ``evidence_ids`` name
    documents. ``references`` are answers that people wrote, ``exact_answers`` the short ones of ``factoid`` and
    ``list``, each in every wording that is right. A good answer states ``must_have``, and may state ``nice_to_have``.
    ``subset`` is the part of the set.
    """

    id: str
    question: str
    kind: QuestionKind
    language: Language
    options: Mapping[str, str] = field(default_factory=dict)
    answer: str | None = None
    several: bool = False
    evidence: tuple[str, ...] = ()
    evidence_ids: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    exact_answers: tuple[tuple[str, ...], ...] = ()
    must_have: tuple[str, ...] = ()
    nice_to_have: tuple[str, ...] = ()
    subset: str = ""


YES_NO: Mapping[str, str] = {"yes": "yes", "no": "no"}
YES_NO_MAYBE: Mapping[str, str] = {**YES_NO, "maybe": "maybe"}
