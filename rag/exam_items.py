"""What is kept of each trial of a question: what was asked, what was said, how it was judged. Everything that a figure
is reckoned from stands here, so that the figures can be reckoned again from the items alone."""

from dataclasses import dataclass

from rag.exam_arms import Arm
from rag.exam_questions import QuestionKind
from rag.types import Issue, Language, Verdict


@dataclass(frozen=True, slots=True)
class ShownPassage:
    """A passage of the prompt. ``document`` is the external id of its document, where it has one."""

    passage_id: str
    document: str
    title: str
    text: str


@dataclass(frozen=True, slots=True)
class JudgedSentence:
    """A sentence of a reply. ``citations`` count the passages shown from 1; ``verdict`` and ``issues`` are those of the
    check against what it cites, ``probability`` is that of support. ``precise`` says of each citation whether it is
    needed and fitting. ``is_held`` is whether the evidence for the question supports the sentence, whatever it
    cites; None where there is no evidence."""

    text: str
    citations: tuple[int, ...]
    verdict: Verdict
    probability: float
    issues: tuple[Issue, ...]
    precise: tuple[bool, ...]
    is_held: bool | None


@dataclass(frozen=True, slots=True)
class JudgedStatement:
    """A statement that a good answer makes, and what the answer makes of it."""

    text: str
    verdict: Verdict


@dataclass(frozen=True, slots=True)
class FreeJudgement:
    """A free answer, judged. ``abstained`` is that it answers nothing. ``overlap`` is that with the reference it is
    closest to, None where there is none."""

    abstained: bool
    sentences: tuple[JudgedSentence, ...]
    must_have: tuple[JudgedStatement, ...]
    overlap: float | None


@dataclass(frozen=True, slots=True)
class Item:
    """A trial. ``chosen`` and ``gold`` are an option's letter or a word, or several letters; ``order`` are the options
    in the order in which they were shown. ``evidence_shown`` is whether a document that holds the answer was among the
    passages, None where none is stated. ``reply`` is empty and ``error`` says why where the model refused.
    ``answers`` are those read from the reply to a factoid or list question, ``exact_answers`` the right ones, in every
    wording."""

    id: str
    arm: Arm
    kind: QuestionKind
    language: Language
    subset: str
    question: str
    options: dict[str, str]
    order: tuple[str, ...]
    gold: str | None
    references: tuple[str, ...]
    system: str
    prompt: str
    choices: tuple[str, ...]
    fingerprint: str
    reply: str
    error: str
    finish_reason: str
    usage: dict[str, int]
    seconds: float
    chosen: str | None
    passages: tuple[ShownPassage, ...]
    evidence_shown: bool | None
    judgement: FreeJudgement | None = None
    exact_answers: tuple[tuple[str, ...], ...] = ()
    answers: tuple[str, ...] = ()

    @property
    def is_asked(self) -> bool:
        """Whether a model was asked."""
        return bool(self.fingerprint)
