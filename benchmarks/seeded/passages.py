"""Sentences of test collections, each with the passage it stands in: what errors are seeded into."""

import gzip
import hashlib
import json
import random
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from rag.sentences import sentence_spans

COLLECTIONS = {
    "en": ("nigeria_stg", "openstax", "medquad", "bioasq", "covidqa", "pubmedqa"),
    "zh": ("cmexam_zh", "csl_zh"),
}
HEALTH = re.compile("医学|药学|食品|生物学|公共卫生|兽医|水产|心理")
"""The disciplines of ``csl_zh`` that are taken; a collection without disciplines is taken whole."""
LONGEST = 4_000
"""Characters; a longer text is no passage that a service would cite."""

_OPTION = re.compile(r"[（(][^（）()]{0,12}?(?:(?:[A-E]{1,5}\s*[、，,]?\s*[对错])+[^（）()]{0,16}|为本题正确答案)[)）]")
_EXAM_TALK = re.compile(
    "本题|本题考查|知识点|正确答案|记忆|趣记|[A-E]{2,5}|[A-E](?:项|选项|错|对)|故选|错误的|正确的|说法|叙述|题干|考点|选项"
)
_MARKER = re.compile(
    r"^(?:[•・●■▪◆○*·>–—-]\s*|\(?(?:\d{1,2}|[a-z]|[ivx]{1,4})[.)]\s+|[（(][\d一二三四五六七八九十]{1,2}[)）]"
    r"|\d{1,3}(?:,\s?\d{1,3})*\s(?=[A-Z][a-z])|[①-⑳]|\d{1,2}[.．、](?!\d)\s*|[一二三四五六七八九十]、)+\s*"
)
_CONTINUES = re.compile(r"(?<![.:;!?。：；！？])[ \t]*\n[ \t]*(?=[a-z(\d])")
_NO_STATEMENT = re.compile(
    r"https?:|www\.|doi|bioRxiv|©|copyright|\(HPO\)|Approximate number|Signs and Symptoms|Medline|Dept\. of Health"
    r"|\[DOID|\bet al\b.*\bet al\b|\?|^(?:Click|See|Table|Fig)\b|_{2}|\|",
    re.IGNORECASE,
)
_HAN = re.compile("[\u4e00-\u9fff]")
_HAN_STOP = re.compile('(?<=[\u4e00-\u9fff）)”"])[.](?=[\u4e00-\u9fff（(“"])')


@dataclass(frozen=True, slots=True)
class Passage:
    id: str
    lang: str
    source: str
    text: str


@dataclass(frozen=True, slots=True)
class Sentence:
    """A statement and the passage that it stands in, word for word but for line breaks within it."""

    text: str
    passage: Passage


def passages(data: Path, lang: str, part: str, seed: int) -> list[Passage]:
    """The passages of the collections of ``lang`` that ``data`` holds, mixed so that each collection comes in turn.
    ``part`` is "dev", "held-out" or "all"; the hash of a passage's id says which half it belongs to."""
    shelves = [_collection(data, name, lang, part) for name in COLLECTIONS[lang] if (data / name).is_dir()]
    if not shelves:
        raise SystemExit(f"{data} has none of {', '.join(COLLECTIONS[lang])}.")
    for shelf in shelves:
        random.Random(f"{seed} {shelf[0].source}").shuffle(shelf)
    mixed: list[Passage] = []
    for place in range(max(len(shelf) for shelf in shelves)):
        mixed.extend(shelf[place] for shelf in shelves if place < len(shelf))
    return mixed


def part_of(passage_id: str) -> str:
    return "dev" if hashlib.sha256(passage_id.encode()).digest()[0] % 2 == 0 else "held-out"


def _collection(data: Path, name: str, lang: str, part: str) -> list[Passage]:
    held: list[Passage] = []
    with gzip.open(data / name / "corpus.jsonl.gz", "rt", encoding="utf-8") as lines:
        for line in lines:
            row = json.loads(line)
            if not HEALTH.search(row.get("discipline") or "医学") or part not in ("all", part_of(row["id"])):
                continue
            text = _OPTION.sub("", row["text"]).strip()
            if 20 <= len(text) <= LONGEST:
                held.append(Passage(row["id"], lang, name, text))
    return held


def statements(passage: Passage) -> Iterator[Sentence]:
    """The sentences of a passage that state something: of 5 to 60 words (10 to 150 characters of Chinese), whole, no
    question, no heading, no talk about an exam."""
    unwrapped = _CONTINUES.sub(" ", passage.text)
    # Abstracts end Chinese sentences with a half-width stop; the offsets stay the same.
    stopped = _HAN_STOP.sub("。", unwrapped) if passage.lang == "zh" else unwrapped
    for start, end in sentence_spans(stopped):
        text = _MARKER.sub("", unwrapped[start:end]).strip()
        if _states(text, passage.lang):
            yield Sentence(text, passage)


def _states(text: str, lang: str) -> bool:
    if "\n" in text or text.count("(") != text.count(")") or text.count("（") != text.count("）"):
        return False
    if _NO_STATEMENT.search(text) or text.count(" - ") > 2 or "…" in text or "..." in text:
        return False
    if lang == "zh":
        return (
            10 <= len(text) <= 150
            and len(_HAN.findall(text)) > 0.5 * len(text)
            and text[-1] in "。；！."
            and text.count("“") == text.count("”")
            and not re.match("[，。；、的]", text)
            and not _EXAM_TALK.search(text)
        )
    words = text.split()
    if not 5 <= len(words) <= 60 or not re.match(r"[\"“(]?[A-Z\d]", text):
        return False
    # A list item of a guideline ends without a stop; what is told by it is its dose.
    whole = text.endswith((".", ".)", ".”", '."')) or (
        bool(re.search(r"\d", text)) and not text.endswith((":", ",", "-"))
    )
    return whole and sum(not word[0].isalnum() for word in words) < 0.3 * len(words)


def overlaps(altered: str, others: Sequence[str], lang: str) -> bool:
    """Whether another sentence of the passage says about what ``altered`` says: then it may be true after all."""
    told = _words(altered, lang)
    return any(len(told & _words(other, lang)) >= 0.8 * len(told) for other in others)


def _words(text: str, lang: str) -> set[str]:
    if lang == "zh":
        return set(re.findall(r"[a-z0-9.]+|[\u4e00-\u9fff]", text.lower()))
    return set(re.findall(r"[a-z]+|\d+(?:\.\d+)?", text.lower()))
