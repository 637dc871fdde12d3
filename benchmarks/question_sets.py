"""Questions asked of a library that answers them, of the same without the documents that do, and of another one.

What the judgement of the evidence is fitted on and measured by. Everything runs through the product: ingestion, search,
the reading of sentences. Of each set only the questions are taken that the packaged reader was not trained on.
"""

import json
import random
import tempfile
from collections.abc import Callable, Hashable, Iterator, Mapping, Sequence, Set
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from benchmarks.entailment_pairs import is_held_out, lines
from ingestion.corpus_homes import COLLECTION, corpus_home
from rag.extraction import Reader, choose, ranked_sentences
from rag.languages import language_of
from rag.permitted import Permitted, PermittedKept
from rag.retrieval import search
from rag.settings import Settings
from rag.sufficiency import Evidence, weigh
from rag.system import System
from rag.tables import EditionRow, PassageRow
from rag.types import LOCAL_ADMIN, Hit, Language, Query

SEED = 20
Arm = Literal["present", "removed", "foreign"]


@dataclass(frozen=True)
class QuestionSet:
    """Questions, the collection that answers them and one that does not; ``answering`` is None where none does."""

    name: str
    questions: str
    answering: str | None
    foreign: str


BIOASQ = QuestionSet("bioasq", "bioasq/queries.jsonl.gz", "bioasq", "nigeria_stg")
SETS = (
    BIOASQ,
    QuestionSet("covidqa", "covidqa/qa.jsonl", "covidqa", "nigeria_stg"),
    QuestionSet("cmexam_zh", "cmexam_zh/qa.jsonl.gz", "cmexam_zh", "csl_zh"),
    QuestionSet("xlingeval_en", "xlingeval/queries_en.jsonl", "xlingeval", "covidqa"),
    QuestionSet("xlingeval_zh", "xlingeval/queries_zh.jsonl", "xlingeval", "covidqa"),
    QuestionSet("kqa", "kqa/qa.jsonl", None, "covidqa"),
    QuestionSet("cmexam_at_en", "cmexam_zh/qa.jsonl.gz", None, "covidqa"),
)


@dataclass(frozen=True)
class Question:
    """``gold`` are the documents that answer it: all that its gold articles have in the collection."""

    id: str
    text: str
    gold: frozenset[str]


@dataclass(frozen=True)
class Case:
    """A question asked once. ``found`` is whether one of its gold documents is among the passages found. Of the
    ``quotes`` that an extractive answer would have, ``from_gold`` are from one of them, ``exact`` stand so in the
    corpus, but for white space, which loading makes ordinary."""

    set: str
    question: str
    arm: Arm
    evidence: Evidence | None
    found: bool
    quotes: int
    from_gold: int
    exact: int

    @property
    def answerable(self) -> bool:
        return self.arm == "present"


class Library:
    """A corpus, open to be asked, whole or without some of its documents."""

    def __init__(self, system: System, texts: Mapping[str, str]) -> None:
        self.reader = _Remembering(system.reader)
        self._system, self._texts = system, texts
        self._passages: dict[str, list[int]] = {}
        with system.database.reading() as session:
            rows = select(EditionRow.external_id, PassageRow.id).join(
                PassageRow, PassageRow.edition_id == EditionRow.id
            )
            for document, passage in session.execute(rows):
                self._passages.setdefault(document, []).append(passage)

    @property
    def embedder(self) -> str:
        return self._system.embedder.fingerprint

    def found(self, question: Question, without: Set[str] = frozenset()) -> tuple[Hit, ...]:
        """What a search for the question finds in the library without the documents ``without``."""
        left_out = [passage for document in without for passage in self._passages.get(document, ())]
        system = replace(self._system, permitted=_Without(self._system.permitted, left_out))
        return search(Query(question.text, (COLLECTION,)), LOCAL_ADMIN, system).hits

    def ask(self, name: str, question: Question, arm: Arm, without: Set[str] = frozenset()) -> Case:
        """The question of set ``name``, asked of the library without the documents ``without``."""
        hits = self.found(question, without)
        ranked = ranked_sentences(question.text, hits, self.reader)
        chosen = choose(ranked, language_of(question.text))
        return Case(
            set=name,
            question=question.id,
            arm=arm,
            evidence=weigh(question.text, hits, ranked),
            found=any(hit.passage.external_id in question.gold for hit in hits),
            quotes=len(chosen),
            from_gold=sum(quote.hit.passage.external_id in question.gold for quote in chosen),
            exact=sum(_spaced(quote.text) in self._texts[quote.hit.passage.external_id or ""] for quote in chosen),
        )


class _Remembering:
    """A reader that reads each pair once."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self._known: dict[tuple[str, str], float] = {}
        self.fingerprint = reader.fingerprint

    def answers(self, pairs: Sequence[tuple[str, str]]) -> NDArray[np.float32]:
        new = list(dict.fromkeys(pair for pair in pairs if pair not in self._known))
        self._known |= zip(new, self._reader.answers(new).tolist(), strict=True)
        return np.array([self._known[pair] for pair in pairs], np.float32)


class _Without(PermittedKept):
    """What searches might return, without some passages: as if these had never been read in, but for the statistics of
    words."""

    def __init__(self, kept: PermittedKept, left_out: Sequence[int]) -> None:
        self._whole, self._left_out = kept, np.array(left_out, np.int64)

    def get(
        self, key: Hashable, generation: int, read: Callable[[], Mapping[Language, Permitted]]
    ) -> Mapping[Language, Permitted]:
        found = self._whole.get(key, generation, read)
        if not len(self._left_out):
            return found
        rest = {language: np.setdiff1d(one.ids, self._left_out) for language, one in found.items()}
        return {language: Permitted(ids) for language, ids in rest.items() if len(ids)}


@contextmanager
def library(
    data: Path, name: str, settings: Settings, needed: Set[str] = frozenset(), most: int = 0
) -> Iterator[Library]:
    """The library of a corpus under RAG_HOME, made at first asking: of the whole corpus, or of the documents ``needed``
    and others drawn by chance, ``most`` in all."""
    file = next((data / name).glob("corpus.jsonl*"))
    documents = lines(file)
    with tempfile.TemporaryDirectory() as folder:
        if most and len(documents) > most:
            documents = _sample(documents, needed, most)
            file = Path(folder) / f"{name}.jsonl"
            file.write_text("\n".join(json.dumps(one, ensure_ascii=False) for one in documents), encoding="utf-8")
        with corpus_home(file, settings) as home:
            yield Library(
                home.system, {one["id"]: _spaced(f"{one.get('title', '')} {one['text']}") for one in documents}
            )


def _spaced(text: str) -> str:
    return " ".join(text.split())


def _sample(documents: Sequence[dict[str, Any]], needed: Set[str], most: int) -> list[dict[str, Any]]:
    kept = [one for one in documents if one["id"] in needed]
    others = [one for one in documents if one["id"] not in needed]
    return kept + random.Random(SEED).sample(others, max(0, most - len(kept)))


def questions(data: Path, one: QuestionSet, count: int, held_out: bool = True) -> list[Question]:
    """Questions of the set that the packaged reader was not trained on, or else those that it may be trained on;
    ``count`` of them drawn by chance, or all for 0."""
    gold = _gold(data, one.answering) if one.answering else {}
    known = [
        Question(asked["id"], asked.get("text") or asked["question"], gold.get(asked["id"], frozenset()))
        for asked in lines(data / one.questions)
        if is_held_out(asked["id"]) is held_out and (one.answering is None or asked["id"] in gold)
    ]
    return random.Random(SEED).sample(known, min(count or len(known), len(known)))


def _gold(data: Path, collection: str) -> dict[str, frozenset[str]]:
    """By question all documents of the articles that are judged to answer it."""
    of_article: dict[str, set[str]] = {}
    article_of: dict[str, str] = {}
    for document in lines(next((data / collection).glob("corpus.jsonl*"))):
        of_article.setdefault(_article(document), set()).add(document["id"])
        article_of[document["id"]] = _article(document)
    gold: dict[str, set[str]] = {}
    for line in (data / collection / "qrels.tsv").read_text(encoding="utf-8").splitlines():
        question, document_id, grade = line.split("\t")
        if float(grade) > 0:
            gold.setdefault(question, set()).update(of_article[article_of[document_id]])
    return {question: frozenset(documents) for question, documents in gold.items()}


def _article(document: dict[str, Any]) -> str:
    """What its passages have in common in these corpora: the title; one without is an article of its own."""
    title: str = document.get("title") or document["id"]
    return title
