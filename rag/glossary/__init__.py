"""Chinese names of medical things and their English equivalents, written for this project.

The files beside this one hold a line for each Chinese term, in simplified characters: the term, a tab, and its English
equivalents, parted by semicolons.
They serve cross-language search and keep names whole in Chinese
segmentation; they are no source of medical knowledge.
"""

from functools import cache
from pathlib import Path


@cache
def entries() -> dict[str, tuple[str, ...]]:
    """By Chinese term, its English equivalents, the usual one first."""
    found: dict[str, tuple[str, ...]] = {}
    for file in sorted(Path(__file__).parent.glob("*.tsv")):
        for line in file.read_text(encoding="utf-8").splitlines():
            if line and not line.startswith("#"):
                chinese, english = line.split("\t")
                found[chinese] = tuple(one.strip() for one in english.split(";"))
    return found
