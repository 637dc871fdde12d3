"""Labels as a model gives them: ``Result: a, b``, ``上述文本被分类为：甲``."""

import re

from rag.taiyi_tasks.naming import label_of, names_pattern
from rag.taiyi_tasks.types import Fact, TaskSet
from rag.taiyi_tasks.wording import plain

_CUE = re.compile(
    r"(?:\b(?:results?|labels?|answer|topics?|category|class)\b|分类为|归类为|类别|结果|标签)\s*(?:is|are|是|为)?\s*:?"
)


def labels(task: TaskSet, reply: str) -> frozenset[Fact]:
    """Those that stand behind a word such as Result, where any does, else those anywhere. Of a set that allows but one
    label it is the first."""
    said = plain(reply).casefold()
    of_name = label_of(task)
    pattern = re.compile(names_pattern(of_name))
    cue = _CUE.search(said)
    found = pattern.findall(said[cue.end() :].lstrip().split("\n", 1)[0]) if cue else []
    named = [of_name[name] for name in found or pattern.findall(said)]
    return frozenset((label,) for label in (named if task.several else named[:1]))
