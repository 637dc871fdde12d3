"""From a language model's text, as it streams, to sentences and the passages that each one cites.

A marker belongs to the sentence it stands in or behind; one that begins a line belongs to the sentence that follows on
that line. The list of references that models append is left out, since the citations say it better.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from rag.languages import HAN
from rag.markers import Unmarked, unmarked
from rag.sentences import sentence_spans

LONGEST_SENTENCE = 2000
"""Characters after which a text without an end is parted at white space."""
_MAY_END = re.compile("[.!?。！？…\n]")
_LATIN_END = re.compile(r"[.!?]+[\"'”’)\]]*$")
_NEXT_WORD = re.compile(r"\S[\w'’]*")
_WORD = re.compile(r"\w")
_MARKER_FIRST = r"\s*(?:[-*•]\s*)?(?:[\[［【(（]\^?\s*(?:[A-Za-z\u4e00-\u9fff]+\s*)?[0-9０-９]|[⁰¹²³⁴-⁹])"
_DECORATION = r"[\s#*_>]*(?:\d{1,2}[.)、]\s*)?[*_]*"
_REFERENCES = re.compile(
    rf"{_DECORATION}(?P<name>references?|reference list|bibliography|citations?|works cited|sources?"
    r"|sources? (?:used|cited)|cited sources|参考文献|参考资料|文献|引用|引用文献|引用来源|资料来源|来源|参考来源)"
    rf"[*_\s]*[:：]?[*_\s]*(?P<entry>{_MARKER_FIRST})?",
    re.IGNORECASE,
)
_ALWAYS_REFERENCES = re.compile("reference|bibliography|works cited|文献|参考", re.IGNORECASE)
_ENTRY = re.compile(rf"{_MARKER_FIRST}|\s*(?:[-*•]|\d{{1,3}}[.)、:]|{{HAN}})\s".replace("{HAN}", f"[{HAN}]"))


@dataclass(frozen=True, slots=True)
class CitedSentence:
    """``text`` has no markers and no white space around it; ``citations`` are ascending and distinct, each from 1 to
    the number of passages shown; ``lead`` is the white space before the sentence: none, a blank, one line break or
    two. The first has none."""

    text: str
    citations: tuple[int, ...]
    lead: str


@dataclass(frozen=True, slots=True)
class _Candidate:
    marked: str
    text: str
    citations: tuple[int, ...]
    lead: str


class CitedSentences:
    """Reads a stream: the same sentences come out however the text is cut into pieces, each as soon as no further
    text can change it. Holds no more of the text than a sentence."""

    def __init__(self, shown: int) -> None:
        self._shown = shown
        self._marked = ""
        self._lead = ""
        self._references = _References()
        self._is_first = True

    def feed(self, piece: str) -> list[CitedSentence]:
        """The sentences that are complete now."""
        sentences: list[CitedSentence] = []
        for character in piece:
            if character.isspace() and not self._marked:
                self._lead = _white_space(self._lead + character)
                continue
            self._marked += character
            if (character.isspace() or not character.isascii()) and _MAY_END.search(self._marked):
                sentences += self._kept(self._complete())
            if len(self._marked) > LONGEST_SENTENCE:
                sentences += self._kept(self._parted())
        return sentences

    @property
    def begun(self) -> str:
        """The text that belongs to no complete sentence yet, as it came."""
        return self._marked

    def end(self) -> list[CitedSentence]:
        """The rest."""
        return self._kept(self._read(unmarked(self._marked, self._shown, ended=True), ended=True))

    def _complete(self) -> Iterator[_Candidate]:
        return self._read(unmarked(self._marked, self._shown, ended=False), ended=False)

    def _parted(self) -> Iterator[_Candidate]:
        safe = unmarked(self._marked, self._shown, ended=False)
        end = min(safe.places[-1] + 1, LONGEST_SENTENCE) if safe.places else LONGEST_SENTENCE
        blank = max(self._marked.rfind(" ", LONGEST_SENTENCE // 2, end), self._marked.rfind("\n", 0, end))
        end = blank if blank > 0 else max(end, LONGEST_SENTENCE // 2)
        rest = self._marked[end:]
        self._marked = self._marked[:end]
        yield from self._read(unmarked(self._marked, self._shown, ended=True), ended=True)
        self._lead = "" if rest == rest.lstrip() else _white_space(rest[: len(rest) - len(rest.lstrip())])
        self._marked = rest.lstrip()

    def _read(self, clean: Unmarked, ended: bool) -> Iterator[_Candidate]:
        """The sentences of the text held, but for the last where more may follow; holds what is left."""
        marked = self._marked
        spans = sentence_spans(clean.text)
        begin, held, previous_end = 0, 0, 0
        for place, (start, end) in enumerate(spans):
            following = spans[place + 1][0] if place + 1 < len(spans) else None
            if not ended and (following is None or not _is_settled(clean.text, start, end, following)):
                break
            upto = len(clean.markers) if following is None else self._belonging(clean, end, following)
            numbers = {number for marker in clean.markers[begin:upto] for number in marker.numbers}
            if following is None:
                rest = len(marked)
            else:
                rest = clean.places[following]
                if upto < len(clean.markers):
                    rest = min(rest, clean.markers[upto].start)
            lead = _white_space(self._lead + clean.text[previous_end:start])
            self._lead = ""
            yield _Candidate(marked[held:rest], clean.text[start:end], tuple(sorted(numbers)), lead)
            begin, held, previous_end = upto, rest, end
        if held:
            gap = clean.text[previous_end : spans[place][0]] if held < len(marked) else ""
            self._lead = _white_space(gap)
        self._marked = "" if ended else marked[held:]

    def _belonging(self, clean: Unmarked, end: int, following: int) -> int:
        """How many of the markers stand in or behind the sentence that ends at ``end``, or before it."""
        count = 0
        for marker in clean.markers:
            if marker.at >= end:
                begins_line = "\n" in clean.text[end : marker.at] and "\n" not in clean.text[marker.at : following]
                if marker.at > following or begins_line or (marker.leads and marker.at == following):
                    break
            count += 1
        return count

    def _kept(self, candidates: Iterator[_Candidate]) -> list[CitedSentence]:
        kept = []
        for candidate in candidates:
            for one in self._references.without(candidate):
                if _WORD.search(one.text):
                    kept.append(CitedSentence(one.text, one.citations, "" if self._is_first else one.lead))
                    self._is_first = False
        return kept


class _References:
    """Leaves out a list of references: its heading and its entries, up to a line after a blank one that is no entry.
    "Sources" heads such a list only where an entry with a marker follows: an answer may be about sources of iron."""

    def __init__(self) -> None:
        self._heading: _Candidate | None = None
        self._inside = False
        self._entries = 0

    def without(self, candidate: _Candidate) -> list[_Candidate]:
        begins_line = "\n" in candidate.lead
        if self._heading is not None:
            heading, self._heading = self._heading, None
            if re.match(_MARKER_FIRST, candidate.marked):
                self._inside, self._entries = True, 1
                return []
            return [heading, *self.without(candidate)]
        if self._inside:
            is_entry = bool(_ENTRY.match(candidate.marked))
            if not (candidate.lead == "\n\n" and self._entries and not is_entry):
                self._entries += 1
                return []
            self._inside = False
        if (begins_line or not candidate.lead) and (named := _REFERENCES.match(candidate.marked)):
            if named["entry"]:
                self._inside, self._entries = True, 1
                return []
            if named.end() == len(candidate.marked):
                if _ALWAYS_REFERENCES.search(named["name"]):
                    self._inside, self._entries = True, 0
                else:
                    self._heading = candidate
                return []
        return [candidate]


def _is_settled(text: str, start: int, end: int, following: int) -> bool:
    """Whether what follows a sentence says enough to know that it ends there."""
    if not _WORD.search(text, following):
        return False
    if _LATIN_END.search(text[start:end]) and "\n" not in text[end:following]:
        word = _NEXT_WORD.match(text, following)
        return word is not None and word.end() < len(text)
    return True


def _white_space(gap: str) -> str:
    """What parts two sentences, in one of four ways."""
    return "\n\n" if gap.count("\n") > 1 else "\n" if "\n" in gap else " " if gap else ""
