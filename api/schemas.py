"""The JSON bodies that the HTTP API takes. An unknown field is refused, so that a misspelt one is not ignored."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from rag.editions import first_day
from rag.types import AnswerMode, Ask, Fallback, Language, Query, RetrievalMode, Sampling, Turn

MAX_QUESTION = 4000
MAX_ANSWER = 20_000
MAX_TURNS = 20

Question = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=MAX_QUESTION)]


class Retrieval(BaseModel):
    model_config = ConfigDict(extra="forbid")

    collections: list[str] = []
    retrieval: RetrievalMode = "hybrid"
    top_k: int = Field(default=10, ge=1, le=100)
    filters: dict[str, Any] = {}
    as_of: str | None = None
    diversity: float = Field(default=0.0, ge=0, le=1)
    prefer_evidence: bool = False
    collapse: bool = True

    def query_of(self, text: str) -> Query:
        return Query(
            text=text,
            collections=tuple(self.collections),
            retrieval=self.retrieval,
            top_k=self.top_k,
            filters=self.filters,
            as_of=first_day(self.as_of) if self.as_of else None,
            diversity=self.diversity,
            prefer_evidence=self.prefer_evidence,
            collapse=self.collapse,
        )


class SearchBody(Retrieval):
    query: Question

    def to_query(self) -> Query:
        return self.query_of(self.query)


class FoldersBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    paths: list[Annotated[str, StringConstraints(min_length=1, max_length=4096)]] = Field(min_length=1, max_length=100)
    collection: str = Field(default="default", min_length=1, max_length=100)
    restore: bool = False


class TurnBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    question: Question
    answer: Annotated[str, StringConstraints(max_length=MAX_ANSWER)] = ""


class AskBody(Retrieval):
    """``history`` is the conversation before the question, oldest first, where no ``conversation_id`` names it."""

    question: Question
    mode: AnswerMode | None = None
    language: Language | None = None
    fallback: Fallback | None = None
    conversation_id: str | None = Field(default=None, max_length=64)
    history: list[TurnBody] = Field(default=[], max_length=MAX_TURNS)
    seed: int | None = Field(default=None, ge=0, lt=2**31)
    stream: bool = False

    def to_ask(self) -> Ask:
        return Ask(
            self.query_of(self.question),
            self.mode,
            self.language,
            self.fallback,
            self.conversation_id,
            tuple(Turn(turn.question, turn.answer) for turn in self.history),
            sampling=None if self.seed is None else Sampling(seed=self.seed),
        )


class RetireBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    on: str | None = None
    undo: bool = False


class DecisionBody(BaseModel):
    model_config = ConfigDict(extra="forbid")

    accept: bool
