"""How strong the evidence of a text is by the kind of study that it reports, and what that adds to its relevance.

Levels follow the Oxford Centre for Evidence-Based Medicine's 2011 Levels of Evidence for questions of treatment, with
guidelines beside systematic reviews at level 1 and reports of single cases beside opinions at level 5. A level is that
of a kind of text, never of how well one was made. What states no kind, or one that says nothing of its evidence (a
narrative review, a protocol), has no level and counts as neither strong nor weak.
"""

import re
from collections.abc import Iterable
from functools import lru_cache

from rag.types import EvidenceStrength, Passage

WEAKEST = 5
NEUTRAL_LEVEL = 3
MOST_LIFT = 0.05
"""The most that strength and age may add to or take from a relevance between 0 and 1: the best evidence passes the
weakest where it is less than a tenth of the best passage's relevance behind."""
AGE_SHARE = 0.25
NEUTRAL_AGE = 10
"""Years: a younger text gains, an older one loses, nothing more beyond twice this age."""

_KINDS: dict[int | None, str] = {
    1: """
        Practice Guideline; Guideline; Clinical Practice Guideline; Medical Guideline; Consensus Development Conference
        Consensus Development Conference, NIH; Consensus Statement; Systematic Review; Meta-Analysis
        Network Meta-Analysis; 指南; 临床指南; 诊疗指南; 临床实践指南; 共识; 专家共识; 系统评价; 系统综述
        Meta分析; 荟萃分析
        """,
    2: """
        Randomized Controlled Trial; Randomised Controlled Trial; Randomized Clinical Trial; Pragmatic Clinical Trial
        Equivalence Trial; Adaptive Clinical Trial; 随机对照试验; 随机对照研究
        """,
    3: """
        Controlled Clinical Trial; Clinical Trial, Phase IV; Clinical Trial, Phase III; Clinical Trial, Phase II
        Clinical Trial, Phase I; Clinical Trial; Clinical Study; Cohort Studies; Cohort Study; Prospective Studies
        Prospective Study; Longitudinal Studies; Longitudinal Study; Follow-Up Studies; Observational Study; Twin Study
        临床试验; 队列研究; 前瞻性研究; 观察性研究
        """,
    4: """
        Case-Control Studies; Case-Control Study; Retrospective Studies; Retrospective Study; Cross-Sectional Studies
        Cross-Sectional Study; Case Series; 病例对照研究; 回顾性研究; 横断面研究; 病例系列
        """,
    5: """
        Case Reports; Case Report; Editorial; Comment; Letter; Personal Narrative; Interview; Lecture; News
        Expert Opinion; 病例报告; 个案报道; 述评; 评论; 专家意见
        """,
    None: "Review; Review Article; Scoping Review; Narrative Review; 综述",
}
_PROTOCOLS = frozenset({"clinical trial protocol", "study protocol", "protocol"})
"""What is yet to be found out, whatever kind of study it plans."""
_GRADES = {
    **dict.fromkeys("1 i 1a ia a high 高".split(), 1),
    **dict.fromkeys("2 ii 1b ib b moderate 中 中等".split(), 2),
    **dict.fromkeys("3 iii 2a iia 2b iib".split(), 3),
    **dict.fromkeys("4 iv 3a iiia 3b iiib c low 低".split(), 4),
    **dict.fromkeys(("5", "v", "d", "very low", "极低"), 5),
}
"""Grades as GRADE and Oxford (2009 and 2011) write them; other schemes give no level."""
_GRADE_WORDS = re.compile(
    r"\b(?:level|grade|loe|of|evidence|quality|certainty|oxford|ocebm)\b|证据|等级|质量|[级:：()（）]"
)
_YEAR = re.compile(r"(?:1[89]|20)\d\d")


def strength(passage: Passage) -> EvidenceStrength | None:
    """How strong the evidence of a passage's text is; None where neither kind nor grade nor year is known.

    The kind is the strongest of those that the source states; its grade counts where it states no kind of a level.
    """
    level, label = _kind_of((passage.study_design or "", *passage.publication_types))
    if level is None and passage.evidence_grade and (graded := grade_level(passage.evidence_grade)):
        level, label = graded, f"Evidence grade: {passage.evidence_grade.strip()}"
    stated = _YEAR.match(passage.published or "")
    year = int(stated[0]) if stated else None
    if label is None and year is None:
        return None
    described = ", ".join(part for part in (label or "Kind of study not stated", str(year or "")) if part)
    return EvidenceStrength(level, label, year, described + (f" (level {level} of {WEAKEST})" if level else ""))


def lift(evidence: EvidenceStrength | None, this_year: int) -> float:
    """What evidence adds to a relevance between 0 and 1: from -MOST_LIFT to MOST_LIFT, 0 where nothing is known."""
    if evidence is None:
        return 0.0
    by_level = (NEUTRAL_LEVEL - evidence.level) / (WEAKEST - NEUTRAL_LEVEL) if evidence.level else 0.0
    by_age = 0.0
    if evidence.year is not None:
        by_age = max(-1.0, min(1.0, (NEUTRAL_AGE - (this_year - evidence.year)) / NEUTRAL_AGE))
    return MOST_LIFT * ((1 - AGE_SHARE) * by_level + AGE_SHARE * by_age)


@lru_cache(maxsize=1000)
def grade_level(grade: str) -> int | None:
    """The level that a stated grade of evidence stands for; None for a scheme that is not known."""
    return _GRADES.get(" ".join(_GRADE_WORDS.sub(" ", grade.casefold()).split()))


def _kind_of(stated: Iterable[str]) -> tuple[int | None, str | None]:
    kinds = {_plain(name): name for name in stated if name}
    if protocol := next((name for plain, name in kinds.items() if plain in _PROTOCOLS), None):
        return None, protocol
    known = [(_LEVELS[plain], name) for plain, name in kinds.items() if plain in _LEVELS]
    return min(known, key=lambda kind: kind[0] or WEAKEST + 1, default=(None, None))


@lru_cache(maxsize=10_000)
def _plain(name: str) -> str:
    return re.sub(r"[\s_-]+", " ", name).strip().casefold()


_LEVELS = {_plain(name): level for level, names in _KINDS.items() for name in re.split(r"[;\n]", names) if name.strip()}
