"""Where sources disagree with each other: another dose or limit, the opposite recommendation, older against newer.

What an answer cites is held against the sentences of other documents among the passages found. Only statements of what
to do are compared, never results of studies; they must speak of the same drugs and diseases, in each other's words,
and of the same people. Precision goes first: a reader who is told of disagreements that are none stops reading them.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rag.checking.entailment import Entailment
from rag.checking.numbers import number_findings
from rag.checking.pairing import paired
from rag.checking.polarity import polarity_findings
from rag.checking.populations import population_findings
from rag.checking.reading import Token, plain, read
from rag.composing import Composition
from rag.languages import language_of
from rag.quantities import quantities
from rag.quoting import Span
from rag.sentences import sentence_spans
from rag.types import Conflict, ConflictKind, Hit, Language, Passage

ALIKE = 0.6
"""The part of the words of each of two sentences that the other, with its title and heading, must have."""
ALIKE_IN_PLACE = 0.75
"""The same for numbers that measure the same in the same order to be in each other's place, in whatever words."""
ALIKE_WITHOUT_FINDING = 0.75
"""The same where nothing but the entailment model says that they disagree."""
SHARED_WORDS = 2
LONGEST_INITIALS = 6
SELF_CONTAINED = 2
"""Names that two sentences must share for titles and headings that differ not to count."""
CONTRADICTS = 0.9
"""The entailment model's P(contradicts) from which on, both ways, two statements disagree."""
MOST_WEIGHED = 6
"""Pairs that the entailment model reads."""
MOST = 4
_NAMED = ("substance", "disease")
_DIRECTS = re.compile(
    r"\b(?:recommend\w*|should|must|targets?|goals?|aim\w*|start\w*|initial\w*|initiat\w*|maxim\w+|minim\w+|dos(?:e|es|age"
    r"|ing)|contraindicat\w*|avoid\w*|first[- ](?:line|choice)|second[- ]line|indicated|prefer\w+|suggest\w*|advis\w+"
    r"|giv(?:e|en)|used?|stop\w*|discontinu\w*|withh(?:old|eld)|restrict\w*|limit\w*|thresholds?|defined|diagnos\w+"
    r"|screen\w*|repeat\w*|monitor\w*|safe\w*|continu\w+|treat\w*)\b"
    r"|推荐|建议|应|宜|须|禁用|慎用|禁忌|忌用|首选|目标|剂量|起始|最大|最小|每日|每次|每天|一日|口服|给予|停用|停药|避免|定义|诊断"
    r"|筛查|监测|可用|不用|使用|安全|治疗",
    re.IGNORECASE,
)
_REPORTS = re.compile(
    r"\bp\s?[<=>≤]|\b95\s?% ?(?:CI|confidence)|\bconfidence interval|\b(?:odds|hazard|risk|rate) ratios?\b|\bn\s?=\s?\d"
    r"|\b(?:we|our)\b|\b(?:this|our|present|the) (?:study|trial|analysis|cohort|series|review)\b"
    r"|\b(?:patients|participants|subjects|women|men|children|mice|rats)(?: \w+){0,3} (?:received|were|had|underwent)\b"
    r"|\b(?:was|were) (?:\w+ly )?(?:associated|randomi[sz]ed|observed|found|lower|higher|reduced|increased|assigned"
    r"|compared|seen|reported|enrolled|included|treated|given|measured)\b"
    r"|本研究|本组|结果显示|结果表明|对照组|观察组|治疗组|实验组|试验组|随机分|例患者|差异有|差异无|[PＰ]\s?[<>=＜＞＝]",
    re.IGNORECASE,
)
_ENDED_OR_NUMBERED = re.compile(r"[.。;；!！|)）]\s*$|\d")
_PEOPLE = re.compile(
    r"(?:adult|child|infant|elderly|wom[ae]n|m[ae]n|patient|people|person)\w*|成人|儿童|老年人?|患者|男性|女性",
    re.IGNORECASE,
)
_SAYING_LITTLE = frozenset(("=use", "=patient", "=treat"))
_RECOMMENDING = frozenset(("=recommend", "=use", "=caution", "=safe"))
_ROLES = {
    name: re.compile(pattern, re.IGNORECASE)
    for name, pattern in {
        "first": r"\b(?:start|begin|beginning|initia|loading|first dose)|起始|初始|开始|首剂|首次|负荷",
        "highest": r"\b(?:maxim|not exceed|exceed|up to|at most|highest)|最大|最高|不超过|不得超过|极量|不宜超过",
        "kept": r"\b(?:maint|continu|usual)|维持|常用",
        "changed": r"\b(?:increas|rais|titrat|escalat|reduc|lower|decreas|taper)|加量|增加|增至|递增|减量|减至",
    }.items()
}
_DOSING = re.compile(
    r"(?:[mkµμun]?g|m?c?g|[mdµμu]?l|[mµμun]?mol|i?u|units?|mmhg|%|\W|\d)+"
    r"|.*\b(?:dos(?:e|es|age|ing)|daily|weekly|monthly|hourly|once|twice|times|tablets?|capsules?|injections?|oral\w*)\b.*"
    r"|.*(?:剂|每[日天周月次晚早]|[一二两三四]次|毫?微?纳?克|毫?微?升|单位|片|粒|口服|注射|静脉|肌内|皮下).*",
    re.IGNORECASE,
)
"""Units, doses and forms, which the glossary lists among substances: no two drugs are told apart by them."""
_SAID: dict[Language, dict[str, str]] = {
    "en": {
        "number": "The sources disagree on a number ({own} or {other})",
        "polarity": "The sources disagree on what is recommended ({own} or {other})",
        "statement": "The sources disagree",
        "side": "“{quote}” ({source})",
        "newer": "{source}, the newer one",
        "join": "{what}: {own} {marker}; {other} {other_marker}.",
    },
    "zh": {
        "number": "各出处的数值不一致（{own}与{other}）",
        "polarity": "各出处的建议不一致（{own}与{other}）",
        "statement": "各出处说法不一",
        "side": "“{quote}”（{source}）",
        "newer": "{source}，较新",
        "join": "{what}：{own}{marker}；{other}{other_marker}。",
    },
}


@dataclass(frozen=True, slots=True)
class _Statement:
    """A sentence of a passage. ``names`` are the keys of its drugs and diseases and of words that no list has,
    ``terms`` those and the other things that the glossary has; ``around`` are those of title and heading. ``subject``
    are the terms, or of a sentence that has none the drugs of its title: a disease there does not say which drug a
    line of a list is about. ``measures`` are what the numbers measure, in order."""

    span: Span
    text: str
    context: str
    keys: frozenset[str]
    words: frozenset[str]
    names: frozenset[str]
    terms: frozenset[str]
    words_around: frozenset[str]
    names_around: frozenset[str]
    subject: frozenset[str]
    measures: tuple[tuple[str, str], ...]

    @property
    def passage(self) -> Passage:
        return self.span[0].passage


@dataclass(frozen=True, slots=True)
class _Disagreement:
    kind: ConflictKind
    own: _Statement
    other: _Statement
    own_value: str = ""
    other_value: str = ""


def conflicts(
    composition: Composition, hits: Sequence[Hit], entailment: Entailment, language: Language
) -> tuple[Conflict, ...]:
    """What other documents among ``hits`` say against what the text of the answer cites, at most MOST; their sentences
    get markers of the composition. Messages are in ``language``."""
    cited = {marker for sentence in composition.sentences for marker in sentence.citations}
    own = [_statement(*span) for marker, span in composition.spans if marker in cited]
    own = [one for one in own if _directs(one.text)]
    others = [one for hit in hits for one in _statements(hit)] if own else []
    found: dict[frozenset[str], _Disagreement] = {}
    for one in (*_by_findings(own, others), *_by_entailment(own, others, entailment)):
        pair = frozenset((one.own.passage.document_id, one.other.passage.document_id))
        if len(found) < MOST:
            found.setdefault(pair, one)
    return tuple(_conflict(one, composition, language) for one in found.values())


def _by_findings(own: Sequence[_Statement], others: Sequence[_Statement]) -> Iterator[_Disagreement]:
    """What the exact checks find both ways, unless the other passage says elsewhere what is cited, or the cited one
    what the other says."""
    for one in own:
        for other in _alike(one, others, ALIKE):
            there, here = _telling(one, other), _telling(other, one)
            if "number" in there and "number" in here and _role(one) == _role(other):
                if not _says(one, _of(other.passage, others)) and not _says(other, _statements(one.span[0])):
                    yield _Disagreement("number", one, other, there["number"], here["number"])
            elif "polarity" in there and "polarity" in here:
                yield _Disagreement("polarity", one, other, there["polarity"], here["polarity"])


def _says(one: _Statement, passage: Sequence[_Statement]) -> bool:
    """Whether a sentence of a passage that speaks of the same matter has the numbers of ``one``."""
    return any(
        _shared(one, other) >= ALIKE and not number_findings(one.text, (other.text,), other.text) for other in passage
    )


def _role(one: _Statement) -> frozenset[str]:
    """What a dose is: one to start with is not compared with the highest."""
    return frozenset(name for name, pattern in _ROLES.items() if pattern.search(one.text))


def _by_entailment(
    own: Sequence[_Statement], others: Sequence[_Statement], entailment: Entailment
) -> Iterator[_Disagreement]:
    pairs = [(one, other) for one in own for other in _alike(one, others, ALIKE_WITHOUT_FINDING)][:MOST_WEIGHED]
    if not pairs:
        return
    read_there = entailment.judge([(f"{other.context}\n{other.text}", one.text) for one, other in pairs])
    read_here = entailment.judge([(f"{one.context}\n{one.text}", other.text) for one, other in pairs])
    for (one, other), there, here in zip(pairs, read_there, read_here, strict=True):
        if min(float(there[1]), float(here[1])) >= CONTRADICTS:
            yield _Disagreement("statement", one, other)


def _telling(one: _Statement, other: _Statement) -> dict[str, str]:
    """By kind, what ``one`` says that ``other`` says otherwise; nothing where that is a name, as of a gene: then they
    speak of two things."""
    whole = f"{other.context}\n{other.text}"
    alike = _shared(one, other) >= ALIKE_IN_PLACE and one.measures == other.measures
    said: dict[str, str] = {}
    for finding in number_findings(one.text, (other.text,), whole):
        if any(quantity.kind == "name" for quantity in quantities(finding.issue.value)):
            return {}
        if finding.contradicts or alike:
            said.setdefault("number", finding.issue.value)
    for finding in polarity_findings(one.text, (other.text,), whole):
        if finding.contradicts and _recommends(finding.issue.value):
            said.setdefault("polarity", finding.issue.value)
    return said


def _recommends(words: str) -> bool:
    """Whether words say that something should or should not be done; an increase and a decrease may both be right."""
    return any(token.negates or token.key in _RECOMMENDING for token in read(words).tokens)


def _alike(one: _Statement, others: Sequence[_Statement], least: float) -> list[_Statement]:
    """Those of ``others``, most alike first, that speak of the same matter as ``one`` in another document and not in
    the same words."""
    found = [
        (share, other)
        for other in others
        if other.passage.document_id != one.passage.document_id
        and (share := _shared(one, other)) >= least
        and plain(one.text) != plain(other.text)
        and not _replaces(one.text, other.text)
        and _same_people(one, other)
    ]
    return [other for _, other in sorted(found, key=lambda pair: -pair[0])]


def _replaces(one: str, other: str) -> bool:
    """Whether another word stands in the place of one, such as the name of another drug; told in one language."""
    if language_of(one) != language_of(other):
        return False
    return any(
        _words(gap.words) - _dosing(gap.words) and _words(gap.others) - _dosing(gap.others)
        for gap in paired(one, other).gaps
    )


def _dosing(tokens: Sequence[Token]) -> frozenset[str]:
    return frozenset(token.key for token in tokens if _DOSING.fullmatch(token.text))


def _of(passage: Passage, statements: Sequence[_Statement]) -> list[_Statement]:
    return [one for one in statements if one.passage.passage_id == passage.passage_id]


def _shared(one: _Statement, other: _Statement) -> float:
    """The smaller part of the words of one of them that the other has, 0 where they speak of other drugs or diseases,
    or share no name at all."""
    if len(one.words & other.words) < SHARED_WORDS and not (one.measures and one.measures == other.measures):
        return 0.0
    if not (_named(one, other) and _named(other, one)):
        return 0.0
    if not one.subject & (other.subject | other.words_around) or not other.subject & (one.subject | one.words_around):
        return 0.0
    placed_apart = (one.names_around - other.keys) ^ (other.names_around - one.keys)
    if placed_apart and len(one.terms & other.terms) < SELF_CONTAINED:
        return 0.0
    return min(_part(one.words, other.words | other.words_around), _part(other.words, one.words | one.words_around))


def _part(words: frozenset[str], known: frozenset[str]) -> float:
    """The part of the words that is known; all of none."""
    return len(words & known) / len(words) if words else 1.0


def _named(one: _Statement, other: _Statement) -> bool:
    """Whether ``other`` with its title has every name of ``one``, be it in several words on one side: 2型糖尿病 is
    "type", "2" and "diabetes"."""
    known = other.keys | other.names_around
    return all(
        name in known
        or _in_words(name, other.keys)
        or any(name.lstrip("=") in longer.lstrip("=").split() and _in_words(longer, one.keys) for longer in other.names)
        for name in one.names
    )


def _in_words(name: str, keys: frozenset[str]) -> bool:
    """Whether all the words of a name of several are there."""
    parts = name.lstrip("=").split()
    return len(parts) > 1 and all(f"={part}" in keys or part in keys for part in parts)


def _same_people(one: _Statement, other: _Statement) -> bool:
    """Whether neither speaks of people, such as children, that the other and its title do not speak of."""
    return not any(
        population_findings(said, (heard.text,), f"{heard.context}\n{heard.text}")
        for this, heard in ((one, other), (other, one))
        for said in (this.text, this.context)
    )


def _statements(hit: Hit) -> list[_Statement]:
    text = hit.passage.text
    return [_statement(hit, *span) for span in sentence_spans(text) if _directs(text[span[0] : span[1]])]


def _statement(hit: Hit, start: int, end: int) -> _Statement:
    passage = hit.passage
    text, context = passage.text[start:end], "\n".join(filter(None, (passage.title, passage.section)))
    said, around = read(text).tokens, read(_in_lower_case(context)).tokens
    terms = frozenset(token.key for token in said if _is_a_name(token) or _is_a_term(token))
    return _Statement(
        span=(hit, start, end),
        text=text,
        context=context,
        keys=frozenset(token.key for token in said),
        words=_words(said) | frozenset(token.measured for token in said if token.measured),
        names=frozenset(token.key for token in said if _is_a_name(token)),
        terms=terms,
        words_around=_words(around),
        subject=terms or frozenset(token.key for token in around if _is_a_name(token) and token.kind != "disease"),
        measures=tuple((quantity.kind, quantity.unit) for quantity in quantities(text) if quantity.firm),
        names_around=frozenset(token.key for token in around if token.kind and _is_a_name(token)),
    )


def _in_lower_case(context: str) -> str:
    """Titles and headings in capitals as others are written: a word in capitals is read as an abbreviation."""
    lines = context.replace("_", " ").split("\n")
    return "\n".join(line.lower() if line.isupper() and len(line) > LONGEST_INITIALS else line for line in lines)


def _words(tokens: Sequence[Token]) -> frozenset[str]:
    """What sentences have to share: numbers, negations and words that have an opposite are what they may differ in.
    Names of several words count as these."""
    return frozenset(
        f"={part}" if token.key.startswith("=") else token.key
        for token in tokens
        if not (token.negates or token.sign or token.measured or token.text[:1].isdigit())
        and token.key not in _SAYING_LITTLE
        for part in token.key.lstrip("=").split()
        if not part.isdigit()
    )


def _is_a_name(token: Token) -> bool:
    """Whether a word names a drug or a disease, or is in no list, as a new drug is; the initials of a publisher are no
    such name, and neither are units and forms."""
    if _DOSING.fullmatch(token.text):
        return False
    return token.kind in _NAMED or (token.unknown and not token.text.isupper())


def _is_a_term(token: Token) -> bool:
    return token.kind == "term" and not _DOSING.fullmatch(token.text) and not _PEOPLE.fullmatch(token.text)


def _directs(text: str) -> bool:
    """Whether a sentence says what to do, and not what was found in a study; a line without a number and without an
    end is a heading."""
    return bool(_DIRECTS.search(text) and _ENDED_OR_NUMBERED.search(text)) and not _REPORTS.search(text)


def _conflict(found: _Disagreement, composition: Composition, language: Language) -> Conflict:
    own, other = composition.marker(found.own.span), composition.marker(found.other.span)
    dates = [one.passage.published or "" for one in (found.own, found.other)]
    comparable = min(map(len, dates))
    newer = None
    if comparable and dates[0][:comparable] != dates[1][:comparable]:
        newer = own if dates[0] > dates[1] else other
    said = _SAID[language]
    message = said["join"].format(
        what=said[found.kind].format(own=found.own_value, other=found.other_value),
        own=_side(found.own, newer == own, said),
        marker=f"[{own}]",
        other=_side(found.other, newer == other, said),
        other_marker=f"[{other}]",
    )
    return Conflict(found.kind, message, (own, other), newer)


def _side(one: _Statement, is_newer: bool, said: dict[str, str]) -> str:
    passage = one.passage
    source = ", ".join(filter(None, (passage.title, passage.publisher, passage.edition, passage.published)))
    quote = " ".join(one.text.split()).rstrip("。.")
    return said["side"].format(quote=quote, source=said["newer"].format(source=source) if is_newer else source)
