"""Study designs."""

import pytest

from ingestion.study_designs import study_design_of


@pytest.mark.parametrize(
    ("stated", "design"),
    [
        (["Journal Article", "Randomized Controlled Trial", "Multicenter Study"], "Randomized Controlled Trial"),
        (["Randomized Controlled Trial", "Meta-Analysis", "Systematic Review"], "Meta-Analysis"),
        (["Review", "Case Reports"], "Case Reports"),
        (["Observational Study", "Cohort Studies"], "Cohort Studies"),
        (["Randomized Controlled Trial", "Clinical Trial Protocol"], "Clinical Trial Protocol"),
        (["Randomized Controlled Trial", "Prospective Studies"], "Randomized Controlled Trial"),
        (["systematic-review"], "Systematic Review"),
        (["case-report"], "Case Reports"),
        (["RANDOMISED CONTROLLED TRIAL"], "Randomized Controlled Trial"),
        (["Randomized Controlled Trials as Topic"], None),
        (["research-article", "Comment"], None),
        ([], None),
    ],
)
def test_of_what_a_record_states_the_most_telling_design_is_taken(stated: list[str], design: str | None) -> None:
    assert study_design_of(stated) == design
