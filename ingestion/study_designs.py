"""The design of a study, from the publication types that its record states; never from its prose."""

import re
from collections.abc import Iterable
from functools import lru_cache

_DESIGNS = (
    "Clinical Trial Protocol",
    "Network Meta-Analysis",
    "Meta-Analysis",
    "Systematic Review",
    "Scoping Review",
    "Practice Guideline",
    "Consensus Development Conference",
    "Guideline",
    "Randomized Controlled Trial",
    "Pragmatic Clinical Trial",
    "Equivalence Trial",
    "Adaptive Clinical Trial",
    "Controlled Clinical Trial",
    "Clinical Trial, Phase IV",
    "Clinical Trial, Phase III",
    "Clinical Trial, Phase II",
    "Clinical Trial, Phase I",
    "Clinical Trial",
    "Twin Study",
    "Case Reports",
    "Review",
    "Cohort Studies",
    "Case-Control Studies",
    "Cross-Sectional Studies",
    "Prospective Studies",
    "Retrospective Studies",
    "Longitudinal Studies",
    "Follow-Up Studies",
    "Observational Study",
)
"""Publication types of MeSH, and its headings for designs that are no publication type. Where a record states several,
the one that comes first here is the design: a meta-analysis of trials is a meta-analysis."""

_OTHER_NAMES = {
    "randomised controlled trial": "Randomized Controlled Trial",
    "randomized clinical trial": "Randomized Controlled Trial",
    "review article": "Review",
    "case report": "Case Reports",
    "case series": "Case Reports",
    "clinical practice guideline": "Practice Guideline",
    "cohort study": "Cohort Studies",
    "case control study": "Case-Control Studies",
    "cross sectional study": "Cross-Sectional Studies",
    "prospective study": "Prospective Studies",
    "retrospective study": "Retrospective Studies",
}


@lru_cache(maxsize=10_000)
def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


_KNOWN = {_plain(name): name for name in _DESIGNS} | _OTHER_NAMES


def study_design_of(stated: Iterable[str]) -> str | None:
    """The design, in the words of MeSH, among the publication types and headings that a record states, else None."""
    designs = {_KNOWN[name] for name in map(_plain, stated) if name in _KNOWN}
    return min(designs, key=_DESIGNS.index, default=None)
