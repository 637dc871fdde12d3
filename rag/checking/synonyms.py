"""Which words say the same, in English and Chinese, and which say the opposite.

Three sources, the earlier one going first: the groups of ``synonyms.txt``, the names of ``rag/glossary``, and the stem
of a word spelt in one way (British and American, with ligatures). What shares a key says the same or, where the signs
differ, the opposite.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache, lru_cache
from pathlib import Path
from typing import Literal

from rag import glossary
from rag.analysis import simplified, stem
from rag.languages import HAN

Kind = Literal["", "substance", "disease", "term"]
"""What a name names: a drug, as far as its ending tells, a disease, or another thing that the lists have. Other words:
""."""

LONGEST = 6
"""Words of the longest phrase that is looked up."""
NEGATION = "¬"
"""The key of every word that negates."""
_WORD = re.compile(rf"[{HAN}]+|[^\W_{HAN}]+(?:[-'’./][^\W_{HAN}]+)*")
_HAN = re.compile(f"[{HAN}]")
_SPELLINGS = tuple(
    (re.compile(british), american)
    for british, american in (
        ("ae|oe", "e"),
        (r"our(?=$|s$|ed$|ing$|al|ab|less|ful)", "or"),
        (r"is(?=e$|es$|ed$|ing$|ation|er$)", "iz"),
        (r"ys(?=e$|es$|ed$|ing$)", "yz"),
        ("ll(?=ed$|ing$|er$)", "l"),
        ("tre(?=$|s$)", "ter"),
        ("sulph", "sulf"),
    )
)
_KINDS: dict[str, Kind] = {"words": "", "symptoms": "term"}
_PLURAL = re.compile("(?<=[^sui])s$")
_INFLECTED = re.compile("(?<=[a-z]{3})(?:ing|ed)$|(?<=(?:ss|ch|sh))es$")
_ASKING = re.compile("什么|怎么|怎样|吗$|多久|哪里|哪些|哪个|如何|是否|为啥")
_DISEASE_ZH = re.compile(
    r"(?:病|症|炎|癌|瘤|综合征|感染|中毒|障碍|衰竭|梗死|梗塞|溃疡|结核|疟疾|贫血|哮喘|骨折|结石|出血|血栓|"
    r"卒中|中风|硬化|痨|疹|疱疹|麻疹|畸形|缺损|穿孔|梗阻|休克|疝|痔|痿|痹|癣|疮|疥|疖|痈)$"
)
_DISEASE_EN = re.compile(
    r"(?:itis|oma|osis|iasis|emia|pathy|plegia|penia|philia|ectasis|cele|rrhea|rrhagia|trophy|plasia|sclerosis|phobia"
    r"|malaria|cancer|disease|syndrome|infection|fever|asthma|stroke|diabetes|epilepsy|pox|measles|cholera|gout|rabies"
    r"|tetanus|psoriasis|leprosy|dementia|hypertension|hypotension|anemia|autism|glaucoma|cataract|migraine|influenza"
    r"|rubella|mumps|sepsis|scabies|eczema|goit(?:er|re)|hernia)s?$"
)
_NO_DISEASE = re.compile("^anti|(?:mit|mei|apopt|osm|cyt|symbi|diagn|progn|hypn|metamorph|ferropt|pyropt)osis$")
_SUBSTANCE_EN = re.compile(
    r"[a-z]{2,}(?:cillin|mycin|micin|cycline|floxacin|pril|sartan|olol|statin|azole|mab|tinib|gliptin|gliflozin|glutide"
    r"|parin|vir|prazole|dipine|zepam|zolam|triptan|setron|tidine|lukast|afil|oxetine|azepine|barbital|caine|cef\w+"
    r"|dronate|ciclib|rafenib|zomib|xaban|gatran|platin|rubicin|taxel|bicin|fibrate|glitazone|formin|thiazide|semide"
    r"|olone|onide|asone|sone|phylline|terol|tropium|curium|curonium|fentanil|nidazole|bendazole|quine|artemisinin"
    r"|antel|conazole|fungin|bactam|penem|oxacin|dopa|giline|peridol|apine|idone|zine|pramine|triptyline|stigmine"
    r"|lamide|feron|cept|kinra|poetin|grastim|sulfa\w+|nib|sertib|parib|denib|stat|mivir|asvir|buvir|previr|navir"
    r"|tegravir|virine|vudine|citabine|fovir)s?"
)
_SUBSTANCE_ZH = re.compile(
    r"(?:西林|霉素|普利|沙坦|洛尔|他汀|[唑]|单抗|替尼|列汀|列净|沙星|拉唑|地平|西泮|唑仑|曲坦|司琼|替丁|司特|那非|西汀|巴比妥|卡因"
    r"|膦酸钠?|西利|佐米|沙班|加群|铂|比星|紫杉醇|贝特|格列酮|双胍|噻嗪|塞米|松|茶碱|特罗|溴铵|芬太尼|硝唑|苯达唑|喹|青蒿素|芬净"
    r"|培南|环素|韦|夫定|他滨|肽|拉米|脲|奎宁|吡啶|酰胺|吗啡|可待因|丙嗪|氮平|哌酮)$"
)


@dataclass(frozen=True, slots=True)
class Meaning:
    """``sign`` is the pole of a pair of opposites, 1 or -1, and 0 for a word without an opposite. ``negated`` is that
    the word stands for a negation and what ``key`` says."""

    key: str
    sign: int = 0
    kind: Kind = ""
    negated: bool = False


@dataclass(slots=True)
class _Tables:
    groups: dict[str, Meaning] = field(default_factory=dict)
    function: set[str] = field(default_factory=set)
    harmless: set[str] = field(default_factory=set)


def canonical(term: str) -> str:
    """One key for all the ways to say ``term``, in either language; opposites have different ones."""
    known = meaning_of(term)
    if known is None:
        return folded(term)
    return f"{'!' if known.negated else ''}{known.key}{'-' if known.sign < 0 else ''}"


@lru_cache(maxsize=50_000)
def meaning_of(term: str) -> Meaning | None:
    """What the groups or the glossary know of a word or phrase; None where it is in neither. An abbreviation in
    capitals, such as AIDS, is known in capitals only."""
    for key in dict.fromkeys((_key(term), folded(term))):
        known = _tables().groups.get(key) or _names().get(key)
        if known and (known.key != NEGATION or term.lower().replace("’", "'") in negations()):
            return known
    return None


@lru_cache(maxsize=50_000)
def is_function_word(term: str) -> bool:
    """Whether a word says nothing by itself."""
    return folded(term) in _tables().function


def known_phrases() -> Iterator[str]:
    """The keys of all words and phrases that ``meaning_of`` knows."""
    yield from _tables().groups
    yield from _names()


@cache
def negations() -> frozenset[str]:
    """The words and phrases that negate, as they are written."""
    return frozenset(text for text, key in _negating() if key)


def harmless() -> frozenset[str]:
    """Words and phrases that hold a negation's letters and negate nothing, such as 非常."""
    return frozenset(_tables().harmless)


@lru_cache(maxsize=50_000)
def kind_of(term: str) -> Kind:
    """What a name that no list has seems to name, by its ending."""
    if _HAN.search(term):
        if _SUBSTANCE_ZH.search(term):
            return "substance"
        return "disease" if len(term) > 1 and _DISEASE_ZH.search(term) else ""
    word = spelling(term.lower())
    if _SUBSTANCE_EN.fullmatch(word):
        return "substance"
    return "disease" if len(word) > 5 and _names_disease(word) else ""


@lru_cache(maxsize=100_000)
def folded(term: str) -> str:
    """``term`` without case, width, inflection and the choice of spelling."""
    if _HAN.search(term):
        return simplified(term).replace(" ", "")
    return " ".join(_folded_word(word) for word in _WORD.findall(term.lower()))


@lru_cache(maxsize=50_000)
def stem_key(word: str) -> str:
    """The key of an English word that is in no list: its stem."""
    return stem(spelling(word.lower()))


@lru_cache(maxsize=100_000)
def spelling(word: str) -> str:
    """A lower-case English word in American spelling, as far as rules go: a key, not for a reader's eyes."""
    if len(word) > 4:
        for british, american in _SPELLINGS:
            word = british.sub(american, word)
    return word


def _folded_word(word: str) -> str:
    """A word without its inflection. Derived words stay apart: activity is no activation, the liver no hepatitis."""
    plain = spelling(word.replace("’", "'").removesuffix("'s"))
    if len(plain) < 4 or not plain.isalpha():
        return plain
    plain = _PLURAL.sub("", plain)
    if ending := _INFLECTED.search(plain):
        plain = plain[: ending.start()]
        if plain[-1] == plain[-2] and plain[-1] not in "ls":
            plain = plain[:-1]
    return f"{plain[:-1]}i" if plain.endswith("y") else plain.removesuffix("e")


def _key(term: str) -> str:
    """``folded``, except that an abbreviation in capitals is told from a word of the same letters."""
    shouted = term.isascii() and term.isupper() and 1 < len(term) <= 6 and term[0].isalpha()
    return f"^{term.lower()}" if shouted else folded(term)


@cache
def _sections() -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    lines = found.setdefault("", [])
    for line in (Path(__file__).parent / "synonyms.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("["):
            lines = found.setdefault(line.strip("[]"), [])
        elif line and not line.startswith("#"):
            lines.append(line)
    return found


def _members(text: str) -> list[str]:
    return [stripped for member in text.split(";") if (stripped := member.strip())]


def _negating() -> Iterator[tuple[str, str]]:
    for line in _sections()["negation"]:
        for member in _members(line):
            yield member, folded(member)


@cache
def _tables() -> _Tables:
    tables = _Tables()
    for member, key in _negating():
        tables.groups.setdefault(key, Meaning(NEGATION))
        tables.groups.setdefault(folded(member.replace("'", "’")), Meaning(NEGATION))
    for section in ("words", "symptoms", "names"):
        for line in _sections()[section]:
            poles = [_members(pole) for pole in line.split("|")]
            name = poles[0][0].lstrip("!")
            for members, sign in zip(poles, (1, -1) if len(poles) > 1 else (0,), strict=True):
                kind = _kind_of_group(members) if section == "names" else _KINDS[section]
                for member in members:
                    tables.groups.setdefault(_key(member), Meaning(f"={name}", sign, kind))
    for line in _sections()["negated"]:
        prefix, *words = _members(line.replace(" ", ";"))
        for word in words:
            known = tables.groups.get(folded(word)) or Meaning(stem_key(word))
            negated = Meaning(known.key, known.sign, known.kind, negated=True)
            tables.groups.setdefault(folded(prefix + word), negated)
    tables.function = {folded(member) for line in _sections()["function"] for member in _members(line)}
    tables.harmless = {member for line in _sections()["no negation"] for member in _members(line)}
    tables.harmless |= {name for name in tables.groups if _HAN.search(name) and tables.groups[name].key != NEGATION}
    return tables


def _names_disease(english: str) -> bool:
    name = spelling(english.lower())
    return bool(_DISEASE_EN.search(name)) and not _NO_DISEASE.search(name)


def _kind_of_group(members: list[str]) -> Kind:
    substances = _chinese_substances()
    if any(member in substances or kind_of(member) == "substance" for member in members):
        return "substance"
    return "disease"


@cache
def _chinese_substances() -> frozenset[str]:
    """The Chinese names of the glossary's part on substances."""
    lines = (Path(glossary.__file__).parent / "substances.tsv").read_text(encoding="utf-8").splitlines()
    return frozenset(line.split("\t")[0] for line in lines if line and not line.startswith("#"))


@cache
def _names() -> dict[str, Meaning]:
    """By the key of a name of the glossary, in either language, what it means. Names that share a line are one, and so
    are names that share such a name."""
    groups, substances = _tables().groups, _chinese_substances()
    above: dict[str, str] = {}

    def root(key: str) -> str:
        above.setdefault(key, key)
        while above[key] != key:
            above[key] = above[above[key]]
            key = above[key]
        return key

    lines: list[tuple[str, list[str], bool]] = []
    for chinese, english in glossary.entries().items():
        if not _ASKING.search(chinese):
            keys = [folded(chinese), *(_key(name) for name in english)]
            disease = bool(_DISEASE_ZH.search(chinese)) or any(_names_disease(name) for name in english)
            lines.append((chinese, [key for key in keys if key], disease))
            for key in keys[1:]:
                above[root(key)] = root(keys[0])
    kinds: dict[str, Kind] = {}
    known: dict[str, Meaning] = {}
    for chinese, keys, disease in lines:
        kind: Kind = "term"
        if chinese in substances:
            drug = any(kind_of(name) == "substance" for name in (chinese, *glossary.entries()[chinese]))
            kind = "substance" if drug else "term"
        elif disease:
            kind = "disease"
        top = root(keys[0])
        if kinds.get(top, "term") == "term":
            kinds[top] = kind
        for key in keys:
            if (grouped := groups.get(key)) and grouped.key != NEGATION and not grouped.negated:
                known.setdefault(top, grouped)
    found: dict[str, Meaning] = {}
    for _, keys, _ in lines:
        for key in keys:
            top = root(key)
            grouped = known.get(top)
            found[key] = grouped if grouped else Meaning(f"+{top}", 0, kinds[top])
    return found
