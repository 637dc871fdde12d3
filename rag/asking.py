"""What is asked of the passages of each language: a vector to be close to, and words to match."""

from collections.abc import Collection
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from rag import bilingual
from rag.analysis import simplified, surfaces, terms, words
from rag.embedding import Embedder, EmbedsTogether
from rag.languages import language_of
from rag.lexical import Concepts, concepts
from rag.stages import stage
from rag.translation import Translation, translate
from rag.types import Language

GLOSS_SHARE = 0.5
"""How much of the vector for the other language comes from the translated terms; the rest is the question's own."""

Vector = NDArray[np.float32]


class Asked:
    """A question, as it is put to the passages of one language and of the other. Each is worked out when it is first
    needed: a collection in the question's own language costs no translation. ``translation`` is the question in the
    other language; without it a dictionary has to do."""

    def __init__(self, question: str, embedder: Embedder, translation: str | None = None) -> None:
        self.question = question
        self._said = translation
        self.language = language_of(question)
        self._embedder = embedder

    def embed(self, languages: Collection[Language]) -> None:
        """Has the vectors for the passages in ``languages`` computed in one batch, where the embedder can."""
        if isinstance(self._embedder, EmbedsTogether) and set(languages) - {self.language}:
            said = self._said or self._translation.gloss
            with stage("embed"):
                self._embedder.embed_queries([self.question, said] if said else [self.question])

    def concepts(self, language: Language) -> Concepts:
        """What the words of passages in ``language`` are to match."""
        if language == self.language:
            return self._own_concepts
        return concepts(terms(self._said)) if self._said else _translated_concepts(self._translation)

    def wording(self, language: Language) -> dict[str, str]:
        """The terms that ``concepts`` are made of, each with the word it comes from."""
        if language == self.language:
            return {name: word for word, names in self._synonyms.items() for name in names} | surfaces(self.question)
        if self._said:
            return surfaces(self._said)
        return surfaces(" ".join(name for concept in self._translation.concepts for name in concept.names))

    def vector(self, language: Language) -> Vector:
        """(dimension,), of length 1: what the vectors of passages in ``language`` are to be close to."""
        return self._own_vector if language == self.language else self._translated_vector

    @cached_property
    def _own_concepts(self) -> Concepts:
        return [
            ((term,), *((name,) for name in self._synonyms.get(term, ())))
            for term in dict.fromkeys(terms(self.question))
        ]

    @cached_property
    def _synonyms(self) -> dict[str, tuple[str, ...]]:
        """By Chinese word of the question, what else it is called."""
        if self.language != "zh":
            return {}
        return {word: bilingual.synonyms(word) for word in words(simplified(self.question))}

    @cached_property
    def _own_vector(self) -> Vector:
        with stage("embed"):
            return self._embedder.embed_query(self.question)

    @cached_property
    def _translation(self) -> Translation:
        return translate(self.question)

    @cached_property
    def _translated_vector(self) -> Vector:
        said = self._said or self._translation.gloss
        if not said:
            return self._own_vector
        gloss = self._embedder.embed_query(said)
        mixed = (1 - GLOSS_SHARE) * self._own_vector + GLOSS_SHARE * gloss
        vector: Vector = (mixed / np.linalg.norm(mixed)).astype(np.float32)
        return vector


def _translated_concepts(translation: Translation) -> Concepts:
    """Each concept with the terms of each of its names; one whose names have no terms is left out."""
    found = []
    for concept in translation.concepts:
        names = tuple(dict.fromkeys(name for name in (tuple(dict.fromkeys(terms(n))) for n in concept.names) if name))
        if names:
            found.append(names)
    return list(dict.fromkeys(found))
