"""What the lexical index sees of a text: terms, the same for passages and for questions.

Text is NFKC-normalised (full-width digits and letters become ordinary ones), lower-cased, and its traditional Chinese
characters are folded into simplified ones. A Latin word is one term, stemmed where it is plain English letters; a
compound such as ``il-6``, ``mg/kg`` or ``covid-19`` is one term as a whole and one for each of its parts. A run of Han
characters gives its overlapping bigrams, a single Han character itself, and the words of three or more characters that
a segmenter finds in it, which knows the names of drugs and diseases. The commonest English function words give nothing.
"""

import re
import unicodedata
from functools import cache, lru_cache
from typing import Any

from rag import glossary
from rag.languages import HAN

VERSION = "2"
"""Changes with whatever changes the terms of a text. An index made by another version is not searched."""

_TOKEN = re.compile(rf"(?P<han>[{HAN}]+)|(?P<latin>[^\W_{HAN}]+(?:[-./'’·+][^\W_{HAN}]+)*)")
_PARTS = re.compile(r"[-/'’·+]|(?<=\D)\.|\.(?=\D)")
_PLAIN = re.compile(r"[a-z]{4,}")
STOP_WORDS = frozenset(
    """
    a an and are as at be been but by can could did do does for from had has have how if in into is it its may more most
    of on or s should so such t than that the their them then there these they this to was were what where which while
    who why will with would
    """.split()
)


def terms(text: str) -> list[str]:
    """The terms of ``text``, in order, with repetitions. None contains white space."""
    found: list[str] = []
    for match in _TOKEN.finditer(simplified(unicodedata.normalize("NFKC", text).lower())):
        if run := match["han"]:
            found += [run[i : i + 2] for i in range(len(run) - 1)] if len(run) > 1 else [run]
            if len(run) > 2:
                found += [word for word in _segmenter().cut_for_search(run) if len(word) > 2]
        else:
            word = match["latin"]
            parts = [part for part in _PARTS.split(word) if part]
            if len(parts) > 1:
                found.append(word)
            found += [stem(part) for part in parts if part not in STOP_WORDS]
    return found


def surfaces(text: str) -> dict[str, str]:
    """The terms of ``text``, each with the word it comes from as it stands there first; a Han term is its own word."""
    found: dict[str, str] = {}
    for match in _TOKEN.finditer(unicodedata.normalize("NFKC", text)):
        for term in terms(match.group()):
            found.setdefault(term, match.group() if match["latin"] else term)
    return found


def words(han: str) -> list[str]:
    """The words of a run of simplified Han characters, in order, without overlaps."""
    found: list[str] = _segmenter().cut(han)
    return found


def tagged(han: str) -> list[tuple[str, str]]:
    """The words of a run of simplified Han characters with jieba's sign for the part of speech: ``nr`` is a person."""
    found: list[tuple[str, str]] = _segmenter().tag(han)
    return found


def is_word(han: str) -> bool:
    """Whether simplified Han characters are a word of the dictionary, or a name of the glossary."""
    return bool(_segmenter().has_word(han))


def frequency(word: str) -> int:
    """How often a word of simplified Han characters is used, in units of jieba's dictionary; about what its parts
    would give where it is not in it."""
    return int(_segmenter().suggest_freq(word))


def simplified(text: str) -> str:
    """``text`` with its traditional characters folded into simplified ones, by OpenCC; no other characters change."""
    folded: str = text if text.isascii() else _opencc().convert(text)
    return folded


@lru_cache(maxsize=200_000)
def stem(word: str) -> str:
    """A plain English word without its endings, by Porter's second algorithm; names with digits stay as they are."""
    return str(_stemmer().stemWord(word)) if _PLAIN.fullmatch(word) else word


@cache
def _stemmer() -> Any:
    import snowballstemmer

    return snowballstemmer.stemmer("english")


@cache
def _opencc() -> Any:
    import opencc

    return opencc.OpenCC("t2s")


@cache
def _segmenter() -> Any:
    """jieba, with the names of the glossary as words of their own."""
    import rjieba

    segmenter = rjieba.Jieba()
    for name in glossary.entries():
        segmenter.add_word(name, None, None)
    return segmenter
