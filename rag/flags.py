"""The flags of passages as SQL keeps them: words with a space around each, so that one can be looked for."""

from collections.abc import Iterable

HIDDEN = "hidden"
INSTRUCTION = "instruction"
INVISIBLE = "invisible_characters"
ALL = (HIDDEN, INSTRUCTION, INVISIBLE)


def spaced(flags: Iterable[str]) -> str:
    listed = " ".join(flags)
    return f" {listed} " if listed else ""
