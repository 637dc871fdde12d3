"""From ranked passages to the hits of a search: stronger evidence first where that was asked for, copies made one,
unlike passages preferred where that was asked for, and the rest cut off."""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from sqlalchemy import select

from rag import catalog
from rag.database import ReadSession
from rag.diversity import diverse
from rag.duplicates import Copies, collapsed
from rag.evidence import lift, strength
from rag.system import System
from rag.tables import CollectionRow, SegmentRow
from rag.types import Caller, EvidenceStrength, OtherSource, Passage, Query

REORDERED = 50
"""How many of the best passages evidence and diversity may put in another order, or more where more are asked for."""
FULL_DEPTH = 100
"""From so many ranked passages on, the lowest of them scores what a passage scores that has nothing to do with the
question; of fewer, that is the less to be relied on the fewer they are."""

Ranked = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class Chosen:
    """A passage that a search gives back; ``also`` are its copies."""

    passage: Passage
    score: float
    evidence: EvidenceStrength | None
    also: tuple[OtherSource, ...] = ()


@dataclass(frozen=True, slots=True)
class _Scale:
    """Turns the scores of one ranking into relevances: 1 is the best passage, 0 one that has nothing to do with the
    question."""

    floor: float
    span: float

    def relevance(self, score: float) -> float:
        return max(0.0, (score - self.floor) / self.span) if self.span > 0 else 1.0


def depth_for(query: Query) -> int:
    """How many ranked passages are read at first: they leave ``top_k`` when copies and what the caller may not read
    are taken away, as a rule, and copies are looked for among them."""
    return max(2 * query.top_k + 20, REORDERED if query.diversity or query.prefer_evidence else 0)


def selected(ranked: Ranked, query: Query, caller: Caller, system: System, session: ReadSession) -> list[Chosen]:
    """The best ``top_k`` of a ranking of ``(passage id, score)``, best first. More of the ranking is read where fewer
    than ``top_k`` are left of its beginning. Raises SegmentGoneError as a search does."""
    scale = _scale(ranked)
    candidates: list[Chosen] = []
    chosen: list[Chosen] = []
    read, depth = 0, depth_for(query)
    while read < len(ranked) and len(chosen) < query.top_k:
        candidates += _read(ranked[read:depth], caller, session)
        read, depth = depth, 2 * depth
        chosen = _preferred(candidates, scale, _year(query)) if query.prefer_evidence else candidates
        if query.collapse:
            chosen = _collapsed(chosen, query.text)
    if query.diversity:
        chosen = _diversified(chosen, query, scale, system, session)
    return chosen[: query.top_k]


def _read(ranked: Ranked, caller: Caller, session: ReadSession) -> list[Chosen]:
    """Those of the ranked passages that exist for the caller."""
    found = catalog.passages(session, caller, [identifier for identifier, _ in ranked])
    return [
        Chosen(found[identifier], score, strength(found[identifier]))
        for identifier, score in ranked
        if identifier in found
    ]


def _scale(ranked: Ranked) -> _Scale:
    scores = [score for _, score in ranked] or [0.0]
    lowest = min(scores)
    floor = min(lowest, lowest * min(1.0, len(ranked) / FULL_DEPTH))
    return _Scale(floor, max(scores) - floor)


def _year(query: Query) -> int:
    return (query.as_of or catalog.today()).year


def _preferred(candidates: Sequence[Chosen], scale: _Scale, year: int) -> list[Chosen]:
    """In the order of their scores, to which their evidence adds or from which it takes."""
    weighed = [replace(one, score=one.score + scale.span * lift(one.evidence, year)) for one in candidates]
    return sorted(weighed, key=lambda one: -one.score)


def _collapsed(candidates: Sequence[Chosen], question: str) -> list[Chosen]:
    chosen = {one.passage.passage_id: one for one in candidates}
    groups = collapsed((one.passage for one in candidates), question)
    return [replace(chosen[group.best.passage_id], also=_also(group)) for group in groups]


def _also(group: Copies) -> tuple[OtherSource, ...]:
    return tuple(_other_source(copy.passage, copy.whole) for copy in group.others)


def _other_source(passage: Passage, whole: bool) -> OtherSource:
    return OtherSource(
        passage_id=passage.passage_id,
        document_id=passage.document_id,
        edition_id=passage.edition_id,
        external_id=passage.external_id,
        collection=passage.collection,
        title=passage.title,
        section=passage.section,
        page=passage.page,
        whole=whole,
    )


def _diversified(
    candidates: Sequence[Chosen], query: Query, scale: _Scale, system: System, session: ReadSession
) -> list[Chosen]:
    pool = candidates[: max(REORDERED, query.top_k)]
    if not pool:
        return []
    relevance = np.array([scale.relevance(one.score) for one in pool])
    vectors = _vectors([one.passage for one in pool], system, session)
    order = diverse(relevance, vectors @ vectors.T, query.diversity, query.top_k)
    return [pool[place] for place in order]


def _vectors(passages: Sequence[Passage], system: System, session: ReadSession) -> NDArray[np.float32]:
    """The vectors of passages, (n, dimension); zeros for one that the embedder in use has none of, as after a change
    of the model, so that it is like no other."""
    segments = session.scalars(
        select(SegmentRow.name)
        .join(CollectionRow, SegmentRow.collection_id == CollectionRow.id)
        .where(
            CollectionRow.name.in_({passage.collection for passage in passages}),
            SegmentRow.embedder == system.embedder.fingerprint,
        )
    ).all()
    ids = np.array([int(passage.passage_id) for passage in passages], np.int64)
    held, found = system.vectors.vectors_of(segments, ids)
    vectors = np.zeros((len(ids), found.shape[1] if found is not None else 1), np.float32)
    if found is not None:
        vectors[held] = found
    return vectors
