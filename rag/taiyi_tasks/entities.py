"""Entities as a model lists them: ``chemical: a; b``, a kind a line, ``疾病：甲；乙``."""

import re
from collections.abc import Iterator

from rag.taiyi_tasks.naming import parts_by_label
from rag.taiyi_tasks.types import Fact, TaskSet
from rag.taiyi_tasks.wording import canonical, plain
from rag.types import Language

_BEFORE = r"(?:^|(?<=[\n;.。,]))[\s\-*#•\"'\d.)(]*(?:the )?"
_AFTER = r"(?:e?s)?\s*(?:entit(?:y|ies)|mentions?|names?|类?实体)?\s*[\"'*]*\s*(?:如下|包括|are|is|include)?"
_NUMBERED = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)](?=\s))\s*")
_LEAD = re.compile(r"^[^:]{0,40}:\s+|^[^:]{0,12}:\s*$")
_NOTHING = frozenset("none,no,n/a,nil,无,没有,暂无,不存在,no entities,not found,not mentioned,none found".split(","))


def entities(task: TaskSet, text: str, reply: str) -> frozenset[Fact]:
    """Kind and mention of each. Where no semicolons part the mentions, commas do, but for those that a name has."""
    inside = canonical(text)
    return frozenset(
        (label, mention)
        for label, part in parts_by_label(task, plain(reply), _BEFORE, _AFTER)
        for mention in _mentions(part, inside, task.language)
    )


def _mentions(part: str, inside: str, language: Language) -> Iterator[str]:
    keeps_commas = ";" in part or language == "zh"
    for line in part.split("\n"):
        for piece in _NUMBERED.sub("", line).split(";"):
            named = _LEAD.sub("", piece) if ":" in piece and canonical(piece) not in inside else piece
            if keeps_commas and canonical(named) in inside:
                found = [canonical(named)]
            elif language == "zh":
                found = list(_longest_in(named, inside))
            else:
                found = [canonical(one) for one in re.split(r",\s+", named)]
            yield from (one for one in found if one and one not in _NOTHING)


def _longest_in(listed: str, inside: str) -> Iterator[str]:
    """Parted at commas, from the left always as much as the text has as it stands: names have commas too."""
    parts = [(found.start(), found.end()) for found in re.finditer(r"[^,、]+", listed)]

    def named(begin: int, end: int) -> str:
        return canonical(listed[parts[begin][0] : parts[end - 1][1]])

    begin = 0
    while begin < len(parts):
        end = next((end for end in range(len(parts), begin + 1, -1) if named(begin, end) in inside), begin + 1)
        yield named(begin, end)
        begin = end
