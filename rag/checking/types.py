"""What the check of a sentence takes and gives."""

from dataclasses import dataclass

from rag.types import Issue, Verdict


@dataclass(frozen=True, slots=True)
class Evidence:
    """A cited passage. ``context`` is its title and headings: what a reader knows of it besides its text."""

    text: str
    context: str = ""


@dataclass(frozen=True, slots=True)
class Finding:
    """What an exact check found wrong with a sentence. ``contradicts`` is that the source says otherwise: another
    value in the same role, the opposite, another drug in its place; else it merely does not say it."""

    issue: Issue
    contradicts: bool


@dataclass(frozen=True, slots=True)
class Checked:
    """``probability`` is the calibrated probability, 0 to 1, that the evidence supports the sentence. ``quotes`` are
    ``(position in the evidence, start, end)``: of each passage that holds some of the sentence, the sentence that fits
    best, as offsets into its text."""

    verdict: Verdict
    probability: float
    issues: tuple[Issue, ...]
    quotes: tuple[tuple[int, int, int], ...]
