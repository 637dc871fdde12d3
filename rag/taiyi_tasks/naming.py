"""Where a reply names a label."""

import re
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache

from rag.taiyi_tasks.types import TaskSet
from rag.taiyi_tasks.wording import plain


@lru_cache(maxsize=64)
def _names(names: tuple[str, ...]) -> str:
    """The longest first, so that no name is taken for a part of another."""
    return "|".join(re.escape(name) for name in sorted(names, key=len, reverse=True))


def label_of(task: TaskSet) -> Mapping[str, str]:
    """The labels by each of their names, in canonical wording."""
    return {
        **{plain(alias).casefold(): label for alias, label in task.aliases.items()},
        **{plain(label).casefold(): label for label in task.labels},
    }


def names_pattern(names: Iterable[str]) -> str:
    """Any of the names as a word of its own; Chinese has no spaces between words."""
    return rf"(?<![a-z0-9])(?:{_names(tuple(names))})(?![a-z0-9])"


def parts_by_label(task: TaskSet, reply: str, before: str, after: str) -> Iterator[tuple[str, str]]:
    """What stands behind each label up to the next, by label. ``before`` and ``after`` are patterns of what belongs to
    the heading. Where no label is named and there is but one, all of the reply is about it."""
    of_name = label_of(task)
    heading = re.compile(rf"{before}({_names(tuple(of_name))}){after}\s*:", re.IGNORECASE)
    found = list(heading.finditer(reply))
    if not found and len(task.labels) == 1:
        yield task.labels[0], reply
    for number, one in enumerate(found):
        end = found[number + 1].start() if number + 1 < len(found) else len(reply)
        yield of_name[one[1].casefold()], reply[one.end() : end]
