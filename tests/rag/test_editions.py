from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.editions import first_day, in_force_from, in_force_spans
from rag.errors import InvalidRequest


@pytest.mark.parametrize(
    ("stated", "day"),
    [("2019", date(2019, 1, 1)), ("2019-07", date(2019, 7, 1)), ("2020-02-29", date(2020, 2, 29))],
)
def test_a_partial_date_means_its_first_day(stated: str, day: date) -> None:
    assert first_day(stated) == day


@pytest.mark.parametrize(
    "stated", ["", "19", "2019-13", "2019-02-29", "2019/05/01", "May 2019", "2019-1-1", "２０１９"]
)
def test_anything_else_is_refused_by_name(stated: str) -> None:
    with pytest.raises(InvalidRequest, match="is not a date") as refused:
        first_day(stated)
    assert repr(stated) in str(refused.value)


def test_the_effective_date_goes_before_the_published_one() -> None:
    assert in_force_from("2020-03", "2019-12-01") == date(2020, 3, 1)
    assert in_force_from(None, "2019") == date(2019, 1, 1)
    assert in_force_from(None, None) is None


def test_an_undated_edition_supersedes_nothing_and_nothing_supersedes_it() -> None:
    spans = in_force_spans([("old", date(2016, 1, 1)), ("undated", None), ("new", date(2018, 1, 1))])
    assert spans == {
        "old": (date(2016, 1, 1), date(2018, 1, 1)),
        "new": (date(2018, 1, 1), None),
        "undated": (None, None),
    }


def test_of_two_editions_of_one_day_the_later_ingested_holds() -> None:
    spans = in_force_spans([("first", date(2018, 1, 1)), ("second", date(2018, 1, 1))])
    assert spans["first"] == (date(2018, 1, 1), date(2018, 1, 1))
    assert spans["second"] == (date(2018, 1, 1), None)


@given(st.lists(st.dates(date(2000, 1, 1), date(2030, 1, 1)), min_size=1, max_size=8), st.dates(date(1999, 1, 1)))
def test_on_any_day_exactly_the_newest_edition_begun_is_in_force(days: list[date], on: date) -> None:
    spans = in_force_spans([(str(order), day) for order, day in enumerate(days)])
    holding = [key for key, (start, end) in spans.items() if start <= on and (end is None or on < end)]
    begun = [(day, order) for order, day in enumerate(days) if day <= on]
    assert holding == ([str(max(begun)[1])] if begun else [])
