"""A search with what each of its steps did: what the dense and the lexical arm found alone, how they were fused, what a
reranker made of it, and which words of the question a passage holds."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from rag import catalog
from rag.analysis import surfaces
from rag.asking import Asked
from rag.catalog import Collection
from rag.database import ReadSession
from rag.fusion import Findings, cosines, fused
from rag.indexing import indexed_text
from rag.languages import language_of
from rag.retrieval import checked, depth_of, reranked, selected_result, with_findings
from rag.stages import stage
from rag.system import System
from rag.types import Caller, Language, Passage, Query, SearchResult

ArmName = Literal["dense", "lexical", "fused", "reranker"]
Scored = Sequence[tuple[int, float]]


@dataclass(frozen=True, slots=True)
class ArmHit:
    """A passage where an arm has it. ``score`` compares within the arm only, higher is better. ``matched`` are words of
    the passage, its title and its headings in which the question's terms are found, ``missing`` the terms that are not;
    both empty where the question has no words in the passage's language."""

    passage: Passage
    rank: int
    score: float
    matched: tuple[str, ...]
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Arm:
    """One step of a search, best passages first. The score is the cosine to the question (``dense``) or how well the
    words match, 0 to 1 (``lexical``), both less what passages in the other language than the question's are set back
    by; what both come to (``fused``), or what the ``reranker`` says. ``found`` counts all that the arm found; as many
    hits are given as the search was to give."""

    name: ArmName
    found: int
    hits: tuple[ArmHit, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The result of a search as it is given without an explanation, and the arms that were asked, in their order."""

    result: SearchResult
    arms: tuple[Arm, ...]


def explained(query: Query, caller: Caller, system: System) -> Explanation:
    """What ``rag.retrieval.search`` finds, and why. Raises what that raises."""
    query = checked(query)

    def explanation(session: ReadSession, searched: Sequence[Collection], found: Findings) -> Explanation:
        ranked, own = reranked(query, caller, system, session, found)
        result = selected_result(query, caller, system, session, searched, found, ranked)
        return Explanation(result, _arms(query, caller, system, session, found, own))

    with stage("search"):
        return with_findings(query, caller, system, depth_of(query), explanation)


def _arms(
    query: Query,
    caller: Caller,
    system: System,
    session: ReadSession,
    found: Findings,
    reranker_scores: dict[int, float],
) -> tuple[Arm, ...]:
    scored: dict[ArmName, Scored] = {}
    if query.retrieval != "lexical":
        scored["dense"] = cosines(found)
    if query.retrieval != "dense":
        scored["lexical"] = fused(found, "lexical")
    if query.retrieval == "hybrid":
        scored["fused"] = fused(found, "hybrid")
    if reranker_scores:
        scored["reranker"] = sorted(reranker_scores.items(), key=lambda row: -row[1])
    shown = {one for ranking in scored.values() for one, _ in ranking[: query.top_k]}
    passages = catalog.passages(session, caller, shown)
    words = _Words(Asked(query.text.strip(), system.embedder, query.translation))
    why = {one: words.of(passage) for one, passage in passages.items()}
    return tuple(
        Arm(
            name,
            len(ranking),
            tuple(
                ArmHit(passages[one], rank, round(score, 6), *why[one])
                for rank, (one, score) in enumerate(ranking[: query.top_k], start=1)
                if one in passages
            ),
        )
        for name, ranking in scored.items()
    )


class _Words:
    """Tells which terms of a question a passage has, by the words in which each of the two has them."""

    def __init__(self, asked: Asked) -> None:
        self._asked = asked
        self._wording: dict[Language, dict[str, str]] = {}

    def of(self, passage: Passage) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """Those that match, and those that are missing."""
        language = language_of(passage.text)
        if language not in self._wording:
            self._wording[language] = self._asked.wording(language)
        said = self._wording[language]
        held = surfaces(indexed_text(passage.title, passage.section, passage.text))
        matched, missing = [], []
        for names in self._asked.concepts(language):
            hit = next((name for name in names if all(term in held for term in name)), None)
            if hit is None:
                missing.append(" ".join(said.get(term, term) for term in names[0]))
            else:
                matched.append(" ".join(held[term] for term in hit))
        return tuple(dict.fromkeys(matched)), tuple(dict.fromkeys(missing))
