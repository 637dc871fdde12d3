"""A question in the words of the other language, by dictionary: no sentence, but the terms to search for."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag import bilingual
from rag.analysis import simplified, words
from rag.languages import HAN, language_of
from rag.types import Language

_HAN_RUN = re.compile(f"[{HAN}]+")
_LATIN_RUN = re.compile(r"[A-Za-z0-9][A-Za-z0-9'’\-+./]*(?: +[A-Za-z0-9][A-Za-z0-9'’\-+./]*)*")
_WORD = re.compile(r"[^\W_]+(?:-[^\W_]+)*")
_LONGEST_PHRASE = 6
_FUNCTION_WORDS = frozenset(
    """
    的 了 是 在 我 我们 你 你们 您 他 她 它 他们 有 和 与 或 或者 不 也 都 就 这 那 这个 那个 这种 一个 一种 一些 吗
    呢 吧 啊 什么 什么样 怎么 怎样 如何 为什么 哪些 哪里 哪个 多少 几 请 请问 谢谢 您好 你好 他的 她的 我的 可以 能
    能够 会 要 想 想要 想知道 知道 应该 应当 可能 没有 因为 所以 但是 如果 以及 及 等 对 对于 关于 从 到 被 把 给 让
    使 向 用 以 于 之 而 其 其他 其它 很 非常 更 最 还 再 又 只 已 已经 正在 过 着 得 地 上 下 中 里 后 前 时 时候 个
    种 些 有些 任何 每 各 某 告诉 寻找 进行 除了 之外 是否 属于 下列 以下 有关 主要 通常 一般 需要 患有 提供 推荐
    """.split()
)


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
    """An English question into Chinese terms, a Chinese one into English terms. What no dictionary knows is left out;
    Latin names and numbers in a Chinese question stay."""
    if language_of(question) == "zh":
        return Translation("en", tuple(_into_english(simplified(question))))
    return Translation("zh", tuple(_into_chinese(question)))


def _into_english(question: str) -> Iterator[Concept]:
    for latin in _LATIN_RUN.findall(question):
        yield Concept(latin, (latin,))
    for run in _HAN_RUN.findall(question):
        for word in words(run):
            if word not in _FUNCTION_WORDS:
                yield from _parts_in_english(word)


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
            if names and part not in _FUNCTION_WORDS:
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
                yield Concept(phrase, names)
                start = end
                break
        else:
            if any(letter.isupper() or letter.isdigit() for letter in spoken[start][1:]):
                yield Concept(spoken[start], (spoken[start],))
            start += 1
