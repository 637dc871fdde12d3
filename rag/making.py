"""An answer in the making: what a reader hears of it as it comes about, and what it consists of so far."""

import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date

from rag.composing import Composition
from rag.placeholders import Kind
from rag.stages import stage
from rag.system import System
from rag.types import (
    Abstention,
    Answer,
    AnswerMode,
    AnswerStatus,
    Ask,
    Caller,
    Conflict,
    Hit,
    Language,
    Query,
    Sampling,
    Sentence,
)


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that the answer will rest on; for an abstention those that came closest."""

    hits: tuple[Hit, ...]


@dataclass(frozen=True, slots=True)
class Draft:
    """A piece of text as the model writes it, not judged yet."""

    text: str


@dataclass(frozen=True, slots=True)
class Judged:
    """A judged sentence; ``added`` is what it adds to the text, with its markers: nothing where it is withheld."""

    sentence: Sentence
    added: str

    @property
    def kept(self) -> bool:
        return bool(self.added)


@dataclass(frozen=True, slots=True)
class Answered:
    """The answer, recorded."""

    answer: Answer


Event = Found | Draft | Judged | Answered


@dataclass(slots=True)
class Work:
    """``evidence`` is the probability that what was found answers the question, None where no calibration applies;
    ``masked`` are the kinds of identifiers that were taken out of what was asked. ``on`` is the day that is taken for
    today, None: today."""

    ask: Ask
    caller: Caller
    system: System
    masked: tuple[Kind, ...] = ()
    id: str = field(default_factory=lambda: uuid.uuid4().hex)
    language: Language = "en"
    mode: AnswerMode = "extractive"
    query: Query = field(default_factory=lambda: Query(""))
    on: date | None = None
    conversation_id: str = ""
    has_begun: bool = False
    status: AnswerStatus = "answered"
    composition: Composition = field(default_factory=Composition)
    hits: tuple[Hit, ...] = ()
    evidence: float | None = None
    confidence: float | None = None
    confidence_reasons: tuple[str, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    abstention: Abstention | None = None
    documents_searched: int | None = None
    generation: int = 0
    model: str = "extractive"
    prompt: str | None = None
    sampling: Sampling | None = None
    notices: list[str] = field(default_factory=list)
    failure: str | None = None
    usage: dict[str, int] = field(default_factory=lambda: {"prompt_tokens": 0, "completion_tokens": 0})
    timings: dict[str, float] = field(default_factory=dict)
    started: float = field(default_factory=time.perf_counter)

    @contextmanager
    def timed(self, name: str) -> Iterator[None]:
        """A stage of the answer, which ends with the block."""
        started = time.perf_counter()
        with stage(name):
            yield
        self.timings[name] = milliseconds_since(started)


def milliseconds_since(started: float) -> float:
    return round((time.perf_counter() - started) * 1000, 2)
