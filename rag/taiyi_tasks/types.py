"""The values of Taiyi's tasks."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

from rag.exam_questions import ExamQuestion
from rag.types import Language

TaskKind = Literal["entities", "relations", "labels", "choice"]

Fact = tuple[str, ...]
"""A statement that is right or wrong as a whole, in canonical wording: kind and mention of an entity; subject, relation
and object, or the two concepts that are related; a label; what was chosen."""


@dataclass(frozen=True, slots=True)
class Published:
    """Figures in percent, as the authors of Taiyi print them."""

    taiyi1: float
    taiyi2: float
    gpt35: float
    deepseek14b: float
    sota: float
    sota_model: str


@dataclass(frozen=True, slots=True)
class TaskSet:
    """``labels`` are the kinds of entities or relations, the classes, or the words to choose from; ``aliases`` are
    other names of them. ``several`` labels may fit a text, or, where ``none`` has a name, none. ``files`` are
    alternatives of patterns, ``ask`` is the prompt with places for what is asked about."""

    key: str
    name: str
    kind: TaskKind
    language: Language
    published: Published
    ask: str
    files: tuple[tuple[str, ...], ...]
    source: str
    terms: str
    labels: tuple[str, ...] = ()
    aliases: Mapping[str, str] = field(default_factory=dict)
    several: bool = False
    none: str = ""


@dataclass(frozen=True, slots=True)
class Instance:
    """What is asked about, and what people marked in it: ``gold``, None where nothing is stated.

    Instances of one ``document`` are scored together. Where relations are between concepts, ``concepts`` has those that
    each mention names, by its canonical wording. ``question`` is that of an exam; its text is empty.
    """

    id: str
    text: str
    gold: frozenset[Fact] | None
    document: str
    concepts: Mapping[str, frozenset[str]] | None = None
    question: ExamQuestion | None = None
