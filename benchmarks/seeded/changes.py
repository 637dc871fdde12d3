"""What a seeding gives."""

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from seeded.names import Names
from seeded.passages import Sentence


@dataclass(frozen=True, slots=True)
class Change:
    """The changed sentence, and what was changed into what."""

    text: str
    was: str
    now: str


Seeding = Callable[[Sentence, Names, random.Random], Iterator[Change]]
