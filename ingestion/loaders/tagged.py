"""Records of tagged lines, ``TI  - A title`` and then lines without a tag that continue it, as in MEDLINE and RIS."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace

from ingestion.loaders.lines import one_line


@dataclass(frozen=True, slots=True)
class Record:
    """A record's values by tag, in order, each one line that is not blank.

    ``line`` is where it begins, 1 for the file's first line; ``ended`` whether its end tag was met.
    """

    line: int
    values: dict[str, list[str]] = field(default_factory=dict)
    ended: bool = False

    def all(self, *tags: str) -> list[str]:
        """The values of the first of ``tags`` that has any."""
        return next((self.values[tag] for tag in tags if tag in self.values), [])

    def first(self, *tags: str) -> str:
        """The first value of the first of ``tags`` that has any, "" without one."""
        return next(iter(self.all(*tags)), "")


def records(lines: Iterable[str], tagged: re.Pattern[str], start: str, end: str | None = None) -> Iterator[Record]:
    """Each record, from a line with the tag ``start`` to the next one or to ``end``; lines outside are passed over.

    ``tagged`` matches a line that has a tag, with the tag and the value as its groups.
    """
    record: Record | None = None
    tag, value = "", ""
    for number, line in enumerate(lines, start=1):
        match = tagged.match(line)
        if match is None:
            value += line.lstrip(" ") if record else ""
            continue
        if record:
            _add(record, tag, value)
        tag, value = match[1], match[2]
        if record and tag in (start, end):
            yield replace(record, ended=tag == end)
            record = None
        if tag == start:
            record = Record(number)
    if record:
        _add(record, tag, value)
        yield record


def _add(record: Record, tag: str, value: str) -> None:
    if line := one_line(value):
        record.values.setdefault(tag, []).append(line)
