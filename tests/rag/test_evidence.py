import pytest

from ingestion.study_designs import _DESIGNS
from rag.evidence import MOST_LIFT, grade_level, lift, strength
from rag.types import EvidenceStrength, Passage

YEAR = 2024


def passage(design: str | None = None, *kinds: str, grade: str | None = None, published: str | None = None) -> Passage:
    none = (None,) * 3
    start = Passage("1", "d", "e", None, "default", "T", None, None, published, *none, None, None, "x", 0, 1, False)
    return Passage(
        **{name: getattr(start, name) for name in start.__slots__}
        | {"study_design": design, "publication_types": kinds, "evidence_grade": grade, "published": published}
    )


def lifted(design: str | None, published: str | None = "2014") -> float:
    return lift(strength(passage(design, published=published)), YEAR)


def test_stronger_kinds_come_before_weaker_ones() -> None:
    ordered = [
        ("Practice Guideline", "Systematic Review", "Meta-Analysis", "指南"),
        ("Randomized Controlled Trial", "randomised-controlled trial", "随机对照试验"),
        ("Clinical Trial, Phase II", "Cohort Studies", "cohort study"),
        ("Case-Control Studies", "Case Series"),
        ("Case Reports", "Editorial", "case-report"),
    ]
    lifts = [[lifted(name) for name in names] for names in ordered]
    assert all(len(set(level)) == 1 for level in lifts)
    assert [level[0] for level in lifts] == sorted({level[0] for level in lifts}, reverse=True)


@pytest.mark.parametrize("design", _DESIGNS)
def test_every_design_that_ingestion_knows_has_a_level_or_says_nothing(design: str) -> None:
    known = strength(passage(design))
    assert known is not None
    assert known.label == design
    assert (known.level is None) == (design in ("Clinical Trial Protocol", "Scoping Review", "Review"))


def test_a_reader_sees_why() -> None:
    assert strength(passage("Systematic Review", published="2021-03-01")) == EvidenceStrength(
        1, "Systematic Review", 2021, "Systematic Review, 2021 (level 1 of 5)"
    )
    assert strength(passage(published="1998")) == EvidenceStrength(None, None, 1998, "Kind of study not stated, 1998")
    assert strength(passage("Review")).reason == "Review"
    assert strength(passage()) is None


def test_the_strongest_kind_stated_counts_and_a_protocol_has_found_nothing_yet() -> None:
    known = strength(passage(None, "Journal Article", "Randomized Controlled Trial", "Meta-Analysis"))
    assert (known.level, known.label) == (1, "Meta-Analysis")
    assert strength(passage(None, "Review", "Case Reports")).label == "Case Reports"
    planned = strength(passage(None, "Randomized Controlled Trial", "Clinical Trial Protocol"))
    assert (planned.level, planned.label) == (None, "Clinical Trial Protocol")


@pytest.mark.parametrize(
    ("grade", "level"),
    [
        ("1a", 1),
        ("Level 1b", 2),
        ("LOE: III", 3),
        ("Evidence level 4", 4),
        ("GRADE: high", 1),
        ("very low certainty", 5),
        ("证据等级：高", 1),
        ("B级", 2),
        ("Class I", None),
        ("strong recommendation", None),
        ("", None),
    ],
)
def test_grades_of_known_schemes_give_a_level(grade: str, level: int | None) -> None:
    assert grade_level(grade) == level


def test_a_grade_counts_where_no_kind_is_stated() -> None:
    graded = strength(passage(grade="Level 1b", published="2020"))
    assert (graded.level, graded.reason) == (2, "Evidence grade: Level 1b, 2020 (level 2 of 5)")
    assert strength(passage("Case Reports", grade="Level 1b")).level == 5


def test_newer_comes_before_older_and_both_are_bounded() -> None:
    years = [lifted("Cohort Studies", str(year)) for year in (1850, 1990, 2004, 2010, 2020, 2024, 2030)]
    assert years == sorted(years)
    assert years[0] == years[1] == years[2] < 0 < years[-2] == years[-1]
    assert lifted("Systematic Review", "1990") > lifted("Randomized Controlled Trial", "1990")
    assert lifted("Practice Guideline", "2024") == pytest.approx(MOST_LIFT) == -lifted("Case Reports", "1980")


def test_what_is_not_known_is_neutral_not_last() -> None:
    assert lift(None, YEAR) == 0
    assert lifted(None, None) == lifted("Review", None) == 0
    assert lifted("Case Reports", None) < 0 < lifted("Randomized Controlled Trial", None)
