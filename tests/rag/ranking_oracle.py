"""What a search over some permitted passages finds, worked out from the formulas over everything that is indexed.

Cosines are of all permitted vectors; BM25 and coverage are written from ``rag.lexical``'s description, with the length
of a passage in the 256 steps in which tantivy keeps it. An index adds up in 32 bits, so that scores are compared within
TOLERANCE, and what lies so close to the depth at which an arm ends may be found or not.
"""

import math
from collections import Counter
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.asking import Asked
from rag.fusion import Candidate, Findings, fused
from rag.lexical import BM25_SHARE, Concepts
from rag.types import Language, RetrievalMode

TOLERANCE = 2e-5
_K1, _B = 1.2, 0.75
Scores = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Expected:
    """By passage id, the score of what a search has to find, deep enough, and of what it may find besides."""

    sure: Mapping[int, float]
    maybe: Mapping[int, float]

    def score(self, identifier: int) -> float | None:
        return self.sure.get(identifier, self.maybe.get(identifier))


class IndexedCollection:
    """All that is indexed of a collection: ids, vectors (n, dimension) in their order, and the terms of each."""

    def __init__(self, ids: Sequence[int], vectors: NDArray[np.float32], terms: Sequence[Sequence[str]]) -> None:
        self.ids, self._vectors = np.array(ids, np.int64), vectors.astype(np.float64)
        lengths = np.array([_kept_length(len(one)) for one in terms])
        self._norm = _K1 * (1 - _B + _B * lengths * len(terms) / sum(map(len, terms)))
        self._counts: dict[str, Scores] = {}
        for at, one in enumerate(terms):
            for term, times in Counter(one).items():
                self._counts.setdefault(term, np.zeros(len(terms)))[at] = times

    def candidates(
        self, asked: Asked, language: Language, permitted: Collection[int], mode: RetrievalMode, depth: int
    ) -> tuple[list[Candidate], list[Candidate]]:
        """What the arms have to find among permitted passages in a language, and what they may find besides."""
        allowed = np.isin(self.ids, list(permitted))
        cosines = self._vectors @ asked.vector(language).astype(np.float64)
        bm25, matches = self._words(asked.concepts(language))
        sure, maybe = np.zeros(len(self.ids), bool), np.zeros(len(self.ids), bool)
        arms = [(cosines, allowed)] if mode != "lexical" else []
        arms += [(bm25, allowed & (bm25 > 0))] if mode != "dense" else []
        for scores, within in arms:
            if within.sum() <= depth:
                sure |= within
                continue
            end = np.sort(scores[within])[-depth]
            margin = TOLERANCE * max(1.0, end)
            sure |= within & (scores > end + margin)
            maybe |= within & (scores >= end - margin)

        def of(chosen: NDArray[np.bool_]) -> list[Candidate]:
            return [
                Candidate(
                    int(self.ids[at]),
                    None if mode == "lexical" else float(cosines[at]),
                    0.0 if mode == "dense" else float(matches[at]),
                    language != asked.language,
                )
                for at in np.flatnonzero(chosen)
            ]

        return of(sure), of(maybe & ~sure)

    def _words(self, asked: Concepts) -> tuple[Scores, Scores]:
        """BM25 and the match, 0 to 1, of every passage."""
        bm25, match, best = np.zeros(len(self.ids)), np.zeros(len(self.ids)), 0.0
        for names in asked:
            found = [[self._term(term) for term in name] for name in names]
            weights = [sum(weight for _, weight, _ in name) for name in found]
            covered = [sum(rarity * present for rarity, _, present in name) for name in found]
            best += max(sum(rarity for rarity, _, _ in name) for name in found)
            bm25 += np.max(weights, axis=0)
            parts = zip(weights, covered, strict=True)
            match += np.max([BM25_SHARE * w / (_K1 + 1) + (1 - BM25_SHARE) * c for w, c in parts], axis=0)
        return bm25, match / best if best else match

    def _term(self, term: str) -> tuple[float, Scores, Scores]:
        """A term's inverse document frequency, its BM25 in every passage, and whether that has it."""
        times = self._counts.get(term, np.zeros(len(self.ids)))
        having = np.count_nonzero(times)
        rarity = math.log(1 + (len(self.ids) - having + 0.5) / (having + 0.5))
        return rarity, rarity * (_K1 + 1) * times / (times + self._norm), (times > 0).astype(float)


def expected(
    sure: Sequence[Candidate], maybe: Sequence[Candidate], asked: Asked, mode: RetrievalMode, embedder: str
) -> Expected:
    """Both with the scores that ``rag.fusion`` gives them."""
    findings = Findings(
        candidates=[*sure, *maybe],
        language=asked.language,
        question_terms=len(asked.concepts(asked.language)),
        embedder=embedder,
    )
    scores = dict(fused(findings, mode))
    unsure = {one.id for one in maybe}
    return Expected(
        {identifier: score for identifier, score in scores.items() if identifier not in unsure},
        {identifier: score for identifier, score in scores.items() if identifier in unsure},
    )


def faults(
    found: Sequence[tuple[int, float]],
    told: Expected,
    top_k: int,
    copies: Callable[[int], Collection[int]] = lambda identifier: (),
) -> list[str]:
    """In which ways ``found``, best first, is not the best ``top_k`` of what is expected. ``copies`` are those that
    stand with a passage and take no place of their own."""
    wrong = []
    for identifier, score in found:
        right = told.score(identifier)
        if right is None:
            wrong.append(f"{identifier} is not to be found")
        elif abs(right - score) > TOLERANCE:
            wrong.append(f"{identifier} scores {score}, not {right}")
    if [score for _, score in found] != sorted((score for _, score in found), reverse=True):
        wrong.append("not in the order of the scores")
    shown = [one for identifier, _ in found for one in (identifier, *copies(identifier))]
    if len(set(shown)) < len(shown) or len(found) > top_k:
        wrong.append("too many, or one twice")
    last = found[-1][1] + TOLERANCE if len(found) == top_k else -math.inf
    missing = [identifier for identifier, score in told.sure.items() if score > last and identifier not in set(shown)]
    return [*wrong, *(f"{identifier}, which scores {told.sure[identifier]}, is missing" for identifier in missing)]


def _kept_length(length: int) -> int:
    """Up to 40 as it is, beyond that rounded down: of what exceeds 24, the four highest bits are kept."""
    excess = max(0, length - 24)
    return length - excess % (1 << max(0, excess.bit_length() - 4))
