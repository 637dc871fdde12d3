"""Numbers with their units, however they are written."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.quantities import quantities


def read(text: str) -> list[tuple[str, str]]:
    return [(one.value, one.unit) for one in quantities(text)]


@pytest.mark.parametrize(
    "text", ["500 mg", "500mg", "５００ mg", "500-mg", "500 毫克", "0.5 g", "500.0 mg", "500 milligrams"]
)
def test_one_dose_is_one_quantity(text: str) -> None:
    assert read(f"Give {text} daily.") == [("500", "mg")]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1,000 units or 1000", [("1000", "unit"), ("1000", "")]),
        ("5 µg, 5 mcg, 5ug", [("0.005", "mg")] * 3),
        ("5-10 mg", [("5", "mg"), ("10", "mg")]),
        ("10, 20, or 40 mg/kg/day", [("10", "mg/kg/day"), ("20", "mg/kg/day"), ("40", "mg/kg/day")]),
        ("5 mg per kg", [("5", "mg/kg")]),
        ("120/80 mmHg", [("120", "mmhg"), ("80", "mmhg")]),
        ("two weeks, a 2-week course", [("2", "week"), ("2", "week")]),
        ("one of three patients", []),
        ("HbA1c, IL-6, COVID-19 and B12", [("hba1c", "name"), ("il6", "name"), ("covid19", "name"), ("b12", "name")]),
        ("1.73 m² and 10⁹/L", [("1.73", "m2"), ("10^9", "")]),
        ("每日0.5克，2～3次/日，连用7天", [("500", "mg"), ("2", "time/day"), ("3", "time/day"), ("7", "day")]),
        ("p<0.05; n=20; 37.5℃", [("0.05", ""), ("20", ""), ("37.5", "c")]),
        ("1. Give 5 mg", [("5", "mg")]),
        ("(2) Give 5 mg", [("5", "mg")]),
        ("2、给予5mg", [("5", "mg")]),
        ("1.5 mg", [("1.5", "mg")]),
    ],
)
def test_numbers_take_the_unit_that_is_theirs(text: str, expected: list[tuple[str, str]]) -> None:
    assert read(text) == expected


@given(st.text(max_size=60) | st.text("0123456789.,-–~/%^²⁹ mgµLkhdayweekstwo次日片克和至b", max_size=60))
def test_any_text_is_read(text: str) -> None:
    for one in quantities(text):
        assert one.stated
        assert one.value
