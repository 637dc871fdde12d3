"""Where a language model's text cites a passage, in every form that models write.

``[1]``, ``[1,2]``, ``[1-3]``, ``［1］``, ``【1】``, ``【1†source】``, ``[[1]]``, ``[^1]``, ``[Source 1, p. 5]``,
``[来源1]``, ``[1](#ref)``, ``(Passage 2)``, ``(1)``, ``¹``, "According to [1], ..." and "(see [1])". In square brackets
a number that no passage has is a citation all the same, of nothing. Elsewhere it is content, and so is what chemistry,
statistics and lists write in brackets: ``[18F]FDG``, ``2-[1]benzothiophene``, ``95% CI [1, 3]``, ``stage (2)``,
``(1) rest, (2) ice``, ``H(2)``, ``10⁹/L``, ``m²``. A bare ``(1)`` cites only where a clause ends behind it.
"""

import re
import unicodedata
from dataclasses import dataclass, replace

LONGEST = 200
"""Characters of the longest marker."""
_OPENING, _CLOSING = "[［【", "]］】"
_HIGH = "⁰¹²³⁴⁵⁶⁷⁸⁹"
_BARE = r"[(（]\s*[0-9０-９]{1,3}(?:\s*[,，、;；–-]\s*[0-9０-９]{1,3}){0,20}\s*[)）]"
_CANDIDATE = re.compile(
    rf"""
      [\[［【]{{2}} (?P<doubled> [^\n]{{1,{LONGEST}}}? ) [\]］】]{{2}}
    | [\[［【] (?P<inside> [^\[\]［］【】\n]{{1,{LONGEST}}} ) [\]］】]
      (?: \( (?:https?:|\#|/) [^()\s]{{0,{LONGEST}}} \) )?
    | (?P<bare> {_BARE} (?: [ \t]* {_BARE} )* )
    | [(（] (?P<labelled> [^()（）\[\]［］【】\n]{{3,{LONGEST}}} ) [)）]
    | (?P<high> [{_HIGH}]+ (?: [,⁻˒-] [{_HIGH}]+ )* )
    """,
    re.VERBOSE,
)

# What stands inside the brackets, compared in NFKC, lower case and with single spaces.
_NOUN = (
    r"(?:sources?|src|passages?|documents?|docs?|references?|refs?|citations?|cites?|excerpts?|texts?|contexts?|evidence"
    r"|articles?|papers?|snippets?|chunks?|来源|资料|文献|段落|文档|片段|参考文献|参考资料|参考|引用|证据|文章|摘录|段)"
)
_LABEL = rf"(?:{_NOUN}\.? ?(?:no\.? ?|number |id |编号)?[:.#]? ?(?:第 ?)?|第 ?|# ?|\^)"
_NUMBER = r"[0-9]{1,9}"
_DASH = r"(?:[-–—−~‐‑〜]|to\b|至|到)"
_ONE = rf"{_LABEL}?{_NUMBER}\^? ?[段条篇]?(?: ?{_DASH} ?{_LABEL}?{_NUMBER} ?[段条篇]?)?"
_LIST = rf"(?P<list>{_ONE}(?: ?(?:[,、;&+/|]|and\b|和|及|与)? ?{_ONE}){{0,63}}),?"
_PLACE = r" ?[,;:]? ?(?:pp?\b|pgs?\b|pages?\b|sect|chap|table|§|第|页|章|节|line|l\d)[^\n]*"
_INSIDE = re.compile(rf"{_LIST}(?: ?[†‡][^\n]*|{_PLACE})?")
_LABELLED = re.compile(rf"(?={_NOUN}|第){_LIST}(?:{_PLACE}| ?[:,;(–-][^\n]*)?")
_NOTHING = re.compile(r"n|[0-9]+:[0-9]+ ?†[^\n]*")
_RANGE = re.compile(rf"({_NUMBER})(?:[^0-9,、;&+/|]*?{_DASH}[^0-9,]*?({_NUMBER}))?")

# What stands before, and makes content of a number in brackets.
_INTERVAL = re.compile(r"(?:\b(?:CI|CrI|IQR|[Rr]ange|[Ii]nterval)|区间|范围|间距)\s*[,:=：，]?\s*$")
_NAMED = re.compile(
    r"(?:\b(?:stages?|grades?|types?|class(?:es)?|phases?|levels?|steps?|scores?|groups?|categor(?:y|ies)|tiers?|cycles?"
    r"|days?|weeks?|months?|years?|tables?|fig(?:ure)?s?\.?|sections?|chapters?|parts?|cases?|boxes|box|items?|options?"
    r"|numbers?|no\.?|[A-Z]|equals?|and|or)|[期级型类表图步第相章节项组]|\d|[,;:，；：、=<>≤≥(（])\s*$",
    re.IGNORECASE,
)
_ATTACHED = re.compile(r"[A-Za-z0-9]$")
_CLAUSE_ENDS = ".,;:!?。，；：！？、\n)）]］】"
_HIGH_FOLLOWS = re.compile(r"(?:[.,;:!?。，；：！？、)）\]”’\"%]|(?<![A-Za-z])[A-Za-z]*[a-z]{4}|[\u4e00-\u9fff])$")
_MEASURES = re.compile(r"(?:met(?:er|re)s?|inch(?:es)?|feet|米|方)$", re.IGNORECASE)
_BY_NAME = (
    r"\b(?:according to|as (?:stated|described|noted|shown|reported|mentioned|recommended) (?:in|by)|based on)\s+"
    r"(?:the\s+)?|(?:根据|依据|按照|参见|详见)\s*"
)
_SAYING = re.compile(
    rf"(?:{_BY_NAME}|(?:^|(?<=[(（,，;；\n]))\s*(?:see|cf\.?|见)\s*(?:also\s+)?)(?:{_NOUN}\s*)?$", re.IGNORECASE
)
_SPOKEN = re.compile(rf"(?:{_BY_NAME})(?P<spoken>{_NOUN}\s*[0-9０-９]{{1,3}})(?![0-9０-９A-Za-z])", re.IGNORECASE)
_BETWEEN = re.compile(r"[ \t]*(?:[,，、;；&]|and\b|和|及)?[ \t]*")
_BLANKS = " \t\u3000\xa0"


@dataclass(frozen=True, slots=True)
class Marker:
    """``at`` is where it stood in the text without markers, ``start`` where it begins in the text with them, with its
    "According to"; ``numbers`` are those of passages that were shown. One that ``leads`` is about what follows."""

    at: int
    start: int
    numbers: tuple[int, ...]
    leads: bool = False


@dataclass(frozen=True, slots=True)
class Unmarked:
    """A text without its markers. ``places[i]`` is where ``text[i]`` stands in the text with them."""

    text: str
    places: tuple[int, ...]
    markers: tuple[Marker, ...]


def unmarked(marked: str, shown: int, ended: bool) -> Unmarked:
    """``marked`` without its markers, of which each cites passages from 1 to ``shown``. Where more may follow (not
    ``ended``), the text stops before whatever may become a marker yet."""
    safe = len(marked) if ended else _open_from(marked)
    found = _Writing(marked[:safe])
    at = 0
    candidates = [*_CANDIDATE.finditer(marked, 0, safe), *_SPOKEN.finditer(marked, 0, safe)]
    for candidate in sorted(candidates, key=_start):
        start = _start(candidate)
        if start < at:
            continue
        if not ended and _undecided(candidate, marked, safe):
            return found.until(at, start)
        numbers = _numbers(candidate, marked, at, shown)
        if numbers is not None:
            found.copy(at, start)
            at = found.drop(start, candidate.end(), numbers)
    return found.until(at, safe)


def _start(candidate: re.Match[str]) -> int:
    return candidate.start("spoken") if candidate.lastgroup == "spoken" else candidate.start()


class _Writing:
    """The text without markers, as it grows."""

    def __init__(self, marked: str) -> None:
        self.marked = marked
        self.text = ""
        self.places: list[int] = []
        self.markers: list[Marker] = []
        self.dropped_until = -1
        self.capital = False

    def copy(self, start: int, end: int) -> None:
        piece = self.marked[start:end]
        if start == self.dropped_until and self.markers and _BETWEEN.fullmatch(piece) and end < len(self.marked):
            return  # between two markers
        if self.capital and piece:
            piece = piece[0].upper() + piece[1:] if len(piece[0].upper()) == 1 else piece
            self.capital = False
        self.text += piece
        self.places += range(start, end)

    def drop(self, start: int, end: int, numbers: tuple[int, ...]) -> int:
        """Leaves out ``marked[start:end]`` and what is left of a phrase around it; gives where the text goes on."""
        following = self.marked[end : end + 1]
        leads = False
        if saying := _SAYING.search(self.text, max(0, len(self.text) - 60)):
            self.capital = self.text[saying.start() : saying.end()].strip()[:1].isupper()
            start = self.places[saying.start()]
            self._shorten(saying.start())
            leads = self.text[-1:] not in {"(", "（"}
            if following and following in ",，:：":
                end += 1
            while self.marked[end : end + 1] and self.marked[end] in _BLANKS:
                end += 1
            following = self.marked[end : end + 1]
            if self.text[-1:] in {"(", "（"} and following in {")", "）"}:
                self._shorten(len(self.text) - 1)
                end += 1
                following = self.marked[end : end + 1]
        elif following in {".", "。"} and self.text.rstrip()[-1:] == following:
            end += 1
            following = self.marked[end : end + 1]
        if not following or following.isspace() or following in _CLAUSE_ENDS:
            self._shorten(len(self.text.rstrip(_BLANKS)))
        elif self.text and _would_join(self.text[-1], following):
            self.text += " "
            self.places.append(end)
        self.markers.append(Marker(len(self.text), start, numbers, leads))
        self.dropped_until = end
        return end

    def until(self, start: int, end: int) -> Unmarked:
        if start < end:
            self.copy(start, end)
        return Unmarked(self.text, tuple(self.places), tuple(self.markers))

    def _shorten(self, length: int) -> None:
        self.text = self.text[:length]
        del self.places[length:]
        self.markers = [replace(one, at=min(one.at, length)) for one in self.markers]


def _would_join(before: str, after: str) -> bool:
    return (after.isalnum() and after < "\u2e80") and (before in ".!?" or (before.isalnum() and before < "\u2e80"))


def _open_from(marked: str) -> int:
    """Where a bracket opens that may yet be closed; the length of ``marked`` where none is."""
    line = marked.rfind("\n") + 1
    reach = max(line, len(marked) - 2 * LONGEST)
    opened = len(marked)
    square = max(marked.rfind(bracket, reach) for bracket in _OPENING)
    if square >= 0 and not any(bracket in marked[square:] for bracket in _CLOSING):
        opened = square
    round_ = max(marked.rfind("(", reach), marked.rfind("（", reach))
    if round_ >= 0 and not any(bracket in marked[round_:] for bracket in ")）"):
        opened = min(opened, round_)
        if marked[round_ - 1 : round_] in {"]", "］", "】"}:
            link = max(marked.rfind(bracket, reach, round_) for bracket in _OPENING)
            opened = min(opened, link) if link >= 0 else opened
    return opened


def _undecided(candidate: re.Match[str], marked: str, safe: int) -> bool:
    """Whether what follows decides about the candidate, and has not come yet."""
    if candidate.lastgroup == "spoken":
        return candidate.end() == safe
    return candidate.lastgroup in {"bare", "high"} and not marked[candidate.end() :].strip(_BLANKS)


def _numbers(candidate: re.Match[str], marked: str, begin: int, shown: int) -> tuple[int, ...] | None:
    """The passages that a candidate cites, perhaps none; None where it is content."""
    start, end = candidate.span()
    before = marked[max(begin, start - 40) : start]
    kind = candidate.lastgroup
    if kind == "spoken":
        return _cited(_normal(candidate["spoken"]), shown)
    if kind in {"inside", "doubled"}:
        inside = _normal(_NESTED.sub(" ", candidate[kind]))
        listed = _INSIDE.fullmatch(inside) or _LABELLED.fullmatch(inside)
        if _is_name_of_chemistry(before, candidate[0], marked[end : end + 1]) or _INTERVAL.search(before):
            return None
        return _cited(listed["list"], shown) if listed else () if _NOTHING.fullmatch(inside) else None
    if kind == "labelled":
        listed = _LABELLED.fullmatch(_normal(candidate[kind]))
        return _cited(listed["list"], shown) if listed else None
    text = candidate[0]
    if kind == "bare":
        cited = _all_shown(_normal(text).translate(_NO_BRACKETS), shown)
        return cited if cited and _cites_in_passing(marked, start, end) else None
    if not _HIGH_FOLLOWS.search(before) or _MEASURES.search(before) or marked[end : end + 1] in _NO_CITATION_BEFORE:
        return None
    plain = _normal(text.replace("⁻", "-"))
    return _all_shown(plain, shown) or (_all_shown(",".join(plain), shown) if plain.isdigit() else None)


_PLAIN = re.compile(r"\[[\d,' ]+\]")
_NESTED = re.compile(r"[\[\]［］【】]")
_NO_BRACKETS = str.maketrans("()", ",,")
_NO_CITATION_BEFORE = frozenset("⁺⁻/+") | frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")


def _cites_in_passing(marked: str, start: int, end: int) -> bool:
    """Whether a clause ends behind a number in round brackets, and it neither begins a line nor names anything."""
    line = marked[marked.rfind("\n", 0, start) + 1 : start][-40:]
    if not line.strip() or _NAMED.search(line) or _ATTACHED.search(line):
        return False
    following = marked[end:].lstrip(_BLANKS)[:1]
    return not following or following in _CLAUSE_ENDS


def _is_name_of_chemistry(before: str, marker: str, after: str) -> bool:
    """``imidazo[1,2]pyridine``, ``2-[1]benzothiophene``: a letter or hyphen goes before, a small letter follows."""
    return "a" <= after <= "z" and bool(_PLAIN.fullmatch(marker) and re.search("[A-Za-z-]$", before))


def _normal(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).lower().split())


def _cited(listed: str, shown: int) -> tuple[int, ...]:
    numbers: set[int] = set()
    for first, last in _RANGE.findall(listed):
        low, high = sorted((int(first), int(last or first)))
        numbers.update(range(max(1, low), min(shown, high) + 1))
    return tuple(sorted(numbers))


def _all_shown(listed: str, shown: int) -> tuple[int, ...] | None:
    """The same, or None where a number is none of a passage that was shown."""
    named = [int(number) for number in re.findall(_NUMBER, listed)]
    return _cited(listed, shown) if named and all(1 <= number <= shown for number in named) else None
