"""Relations as a model lists them: ``relation: [a, b]; [c, d]``, ``具有预防关系的实体对如下：[甲，乙]``."""

import re
from collections.abc import Iterator, Mapping
from itertools import product

from rag.taiyi_tasks.naming import parts_by_label
from rag.taiyi_tasks.types import Fact, Instance, TaskSet
from rag.taiyi_tasks.wording import canonical, plain

_BEFORE = r"(?:^|(?<=[\n;.。,\]]))[\s\-*#•\"'\d.)]*(?:the |具有|存在)?"
_AFTER = r"[\"'*]*\s*(?:relations?|关系)?\s*(?:pairs?|的?实体对)?\s*(?:如下|包括|为|是|are|is)?"
_PAIR = re.compile(r"[\[【]([^\[\]【】]*)[\]】]")
_PAIR_IN_PARENTHESES = re.compile(r"\(([^()]*)\)")
_BETWEEN = re.compile(r"\s*(?:,|;|、|\||->|→)\s*")


def relations(task: TaskSet, instance: Instance, reply: str) -> frozenset[Fact]:
    """Subject, relation and object of each, or where concepts are related, the two. A pair that is not whole is left
    out."""
    inside = canonical(instance.text)
    found: set[Fact] = set()
    for label, part in parts_by_label(task, plain(reply), _BEFORE, _AFTER):
        pairs = _PAIR.findall(part) or _PAIR_IN_PARENTHESES.findall(part)
        for subject, object_ in (pair for stated in pairs for pair in _pair(stated, inside)):
            if instance.concepts is None:
                found.add((subject, label, object_))
            else:
                found |= related_concepts(subject, object_, instance.concepts)
    return frozenset(found)


def related_concepts(one: str, other: str, concepts: Mapping[str, frozenset[str]]) -> frozenset[Fact]:
    """The pairs of concepts that two mentions name, in either order the same. What names no concept stands for itself,
    which nothing marked can equal."""
    unknown = (frozenset({f"? {mention}"}) for mention in (one, other))
    named = (concepts.get(mention, itself) for mention, itself in zip((one, other), unknown, strict=True))
    return frozenset(tuple(sorted(pair)) for pair in product(*named))


def _pair(stated: str, inside: str) -> Iterator[tuple[str, str]]:
    """Parted where both sides are in the text; a name may hold a comma of its own."""
    splits = [
        (first, second)
        for found in _BETWEEN.finditer(stated)
        if (first := canonical(stated[: found.start()])) and (second := canonical(stated[found.end() :]))
    ]
    if splits:
        yield next((pair for pair in splits if pair[0] in inside and pair[1] in inside), splits[0])
