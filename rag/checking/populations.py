"""Whether a sentence is about the people its source is about: children, adults, pregnant women, the elderly."""

import re
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache

from rag.checking.pairing import Pairing, pairings
from rag.checking.reading import normal, plain
from rag.checking.types import Finding
from rag.languages import language_of
from rag.types import Issue

_PATTERNS = {
    "neonate": r"neonat(?:e|es|al)\b|newborns?\b|新生儿|新生婴儿",
    "infant": r"infants?\b|infancy\b|bab(?:y|ies)\b|toddlers?\b|婴幼儿|婴儿|乳儿",
    "child": r"child(?:ren|hood)?\b(?!-?(?:pugh|bearing|birth))|paediatrics?\b|pediatrics?\b|kids?\b|boys?\b|girls?\b"
    r"|儿童|小儿|患儿|小孩|幼儿|儿科|孩子",
    "adolescent": r"adolescen(?:t|ts|ce)\b|teen(?:ager|age)?s?\b|youths?\b|青少年|青春期",
    "adult": r"(?<!old )(?<!older )(?<!elderly )adult(?:s|hood)?\b|grown-?ups?\b|成年人|成人|成年",
    "elderly": r"elderly\b|(?:older|aged|old|senior) (?:adults?|people|persons?|patients?|individuals?|men|women|age)\b"
    r"|geriatrics?\b|seniors?\b|老年|老人|高龄|年老",
    "pregnant": r"pregnan(?:t|cy|cies)\b|gestation(?:al)?\b|gravid\b|expect(?:ant|ing) mothers?\b"
    r"|孕妇|妊娠|怀孕|孕期|受孕|孕",
    "lactating": r"lactat(?:ing|ion)\b|breast-?\s?fe(?:ed|eding|d)\b|nursing (?:mothers?|women)\b|哺乳|授乳|乳母",
    "male": r"(?<!wo)m[ae]n\b|males?\b|boys?\b|男性|男子|男士|男孩|男",
    "female": r"wom[ae]n\b|females?\b|girls?\b|女性|妇女|女子|女士|女孩|女",
    "renal": r"(?:renal|kidney) (?:impairment|insufficiency|failure|disease|dysfunction)\b"
    r"|impaired (?:renal|kidney) function\b"
    r"|dialysis\b|肾功能不全|肾功能损害|肾功能减退|肾功能不良|肾损害|肾衰竭|肾衰|透析",
    "hepatic": r"(?:hepatic|liver) (?:impairment|insufficiency|failure|disease|dysfunction)\b"
    r"|impaired (?:hepatic|liver) function\b|肝功能不全|肝功能损害|肝功能减退|肝功能不良|肝损害|肝衰竭",
    "diabetic": r"diabet(?:es|ics?)\b|糖尿病",
    "smoker": r"(?<!non-)(?<!non)smokers?\b|吸烟者",
    "immunocompromised": r"immunocompromised\b|immunosuppressed\b|immunodeficient\b|免疫功能低下|免疫缺陷|免疫抑制者",
}
_POPULATION = re.compile(
    "|".join(rf"(?P<{name}>{pattern})" for name, pattern in _PATTERNS.items() if name not in {"male", "female"}),
    re.IGNORECASE,
)
_SEX = re.compile("|".join(rf"(?P<{name}>{_PATTERNS[name]})" for name in ("male", "female")), re.IGNORECASE)
_NAMES = {
    "neonate": ("newborns", "新生儿"),
    "infant": ("infants", "婴幼儿"),
    "child": ("children", "儿童"),
    "adolescent": ("adolescents", "青少年"),
    "adult": ("adults", "成人"),
    "elderly": ("older people", "老年人"),
    "pregnant": ("pregnancy", "孕妇"),
    "lactating": ("breastfeeding", "哺乳期"),
    "male": ("men", "男性"),
    "female": ("women", "女性"),
    "renal": ("renal impairment", "肾功能不全"),
    "hepatic": ("hepatic impairment", "肝功能不全"),
    "diabetic": ("diabetes", "糖尿病"),
    "smoker": ("smokers", "吸烟者"),
    "immunocompromised": ("immunocompromised", "免疫功能低下"),
}
_WITHIN = {
    "neonate": {"infant", "child"},
    "infant": {"child"},
    "adolescent": {"child"},
    "pregnant": {"female"},
    "lactating": {"female"},
    "elderly": {"adult"},
}
"""By population, those that it is part of."""
_RESTRICTING = frozenset(_PATTERNS) - {"diabetic", "smoker", "male", "female"}
"""Populations that a sentence cannot name in passing without saying for whom it holds."""


def population_findings(sentence: str, near: Sequence[str], whole: str) -> tuple[Finding, ...]:
    """The populations that ``sentence`` names and the source does not: in place of another one, or at all."""
    said = populations(sentence)
    if not said or any(plain(sentence) == plain(text) for text in near):
        return ()
    fewest: tuple[Finding, ...] | None = None
    for pairing in pairings(sentence, near):
        found = _swapped(pairing, said)
        if not found:
            fewest = ()
            break
        if fewest is None or len(found) < len(fewest):
            fewest = found
    return fewest or _unnamed(sentence, said, near, whole)


@lru_cache(maxsize=2048)
def populations(text: str) -> Counter[str]:
    """How often ``text`` names each population. The result is shared: not to be changed."""
    text = normal(text)
    found: Counter[str] = Counter()
    for pattern in (_POPULATION, _SEX):
        for match in pattern.finditer(text):
            if not _inside_word(text, match.start()):
                found[match.lastgroup or ""] += 1
    return found


def _inside_word(text: str, start: int) -> bool:
    return text[start].isascii() and start > 0 and text[start - 1].isascii() and text[start - 1].isalpha()


def _swapped(pairing: Pairing, said: Counter[str]) -> tuple[Finding, ...]:
    """Populations that stand where a sentence in almost the same words names another."""
    if not pairing.alike:
        return ()
    there = populations(pairing.other.text)
    more, fewer = said - there, there - said
    found = []
    for name in more:
        rival = next((other for other in fewer if other not in _WITHIN.get(name, ()) or name not in there), None)
        if rival is not None:
            found.append(_finding(pairing.one.text, name, rival))
    return tuple(found)


def _unnamed(sentence: str, said: Counter[str], near: Sequence[str], whole: str) -> tuple[Finding, ...]:
    """Populations that the source names nowhere; it says otherwise where its closest sentences name others of the
    same kind."""
    everywhere = populations(whole)
    close = populations("\n".join(near[:2]))
    found = []
    for name in said:
        if name in everywhere or _WITHIN.get(name, set()) & set(everywhere) or name not in _RESTRICTING:
            continue
        if any(name in _WITHIN.get(other, ()) for other in everywhere):
            continue
        rival = next((other for other in close if other not in said and other in _RESTRICTING), None)
        found.append(_finding(sentence, name, rival))
    return tuple(found)


def _finding(sentence: str, name: str, rival: str | None) -> Finding:
    language = 1 if language_of(sentence) == "zh" else 0
    own = _NAMES[name][language]
    if rival is None:
        message = f"原文没有提到{own}" if language else f"the source does not mention {own}"
    else:
        other = _NAMES[rival][language]
        message = f"答案写“{own}”，原文写“{other}”" if language else f"answer says “{own}”, source says “{other}”"
    return Finding(Issue("population", own, message), contradicts=rival is not None)
