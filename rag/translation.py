"""A question in the words of the other language, by dictionary: no sentence, but the terms to search for."""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from rag import bilingual, glossary
from rag.analysis import simplified, words
from rag.bilingual import FUNCTION_WORDS
from rag.languages import HAN, language_of
from rag.types import Language

_HAN_RUN = re.compile(f"[{HAN}]+")
_LATIN_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9'’\-+./]*(?: +[A-Za-z0-9][A-Za-z0-9'’\-+./]*)*")
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LONGEST_PHRASE = 6


@dataclass(frozen=True, slots=True)
class Concept:
    """A word of the question and what it may be called in the other language, the usual name first."""

    word: str
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Translation:
    """``language`` is the one translated into."""

    language: Language
    concepts: tuple[Concept, ...]

    @property
    def gloss(self) -> str:
        """The usual names one after another: what is embedded."""
        return ", ".join(concept.names[0] for concept in self.concepts)


def translate(question: str) -> Translation:
    """An English question into Chinese terms, a Chinese one into English terms. What no dictionary knows is left out.
    Latin names and numbers in a Chinese question stay; so do names such as HbA1c in an English one, beside what Chinese
    calls them."""
    normal = unicodedata.normalize("NFKC", question)
    if language_of(normal) == "zh":
        return Translation("en", tuple(_into_english(simplified(normal))))
    return Translation("zh", tuple(_into_chinese(normal)))


def _into_english(question: str) -> Iterator[Concept]:
    for name in names_of_mixed_letters().findall(question):
        yield Concept(name, bilingual.english_of(name))
    question = names_of_mixed_letters().sub(" ", question)
    for latin in _LATIN_RUN.findall(question):
        yield Concept(latin, (latin,))
    for run in _HAN_RUN.findall(question):
        for word in words(run):
            if word not in FUNCTION_WORDS:
                yield from _parts_in_english(word)


@cache
def names_of_mixed_letters() -> re.Pattern[str]:
    """The glossary's names that are not Han characters alone, such as 2型糖尿病 or β受体阻滞剂."""
    names = [re.escape(name) for name in glossary.entries() if not _HAN_RUN.fullmatch(name)]
    return re.compile(rf"(?<![A-Za-z0-9])(?:{'|'.join(sorted(names, key=len, reverse=True))})(?![A-Za-z0-9])")


def _parts_in_english(word: str) -> Iterator[Concept]:
    """A word, or the longest parts of two or more characters that a dictionary knows."""
    if names := bilingual.english_of(word):
        yield Concept(word, names)
        return
    start = 0
    while start < len(word) - 1:
        for end in range(len(word), start + 1, -1):
            part = word[start:end]
            names = bilingual.english_of(part)
            if names and part not in FUNCTION_WORDS:
                yield Concept(part, names)
                start = end
                break
        else:
            start += 1


def _into_chinese(question: str) -> Iterator[Concept]:
    spoken = _WORD.findall(question)
    start = 0
    while start < len(spoken):
        for end in range(min(len(spoken), start + _LONGEST_PHRASE), start, -1):
            phrase = " ".join(spoken[start:end])
            if names := bilingual.chinese_of(phrase):
                yield Concept(phrase, (*names, *filter(_is_kept, spoken[start:end])))
                start = end
                break
        else:
            if _is_kept(spoken[start]):
                yield Concept(spoken[start], (spoken[start],))
            start += 1


def _is_kept(word: str) -> bool:
    """Whether a word of an English question is a name that Chinese texts write as it is, such as HbA1c."""
    return any(letter.isupper() or letter.isdigit() for letter in word[1:])
