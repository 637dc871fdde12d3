"""Numbers with their units, however they are written."""

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.quantities import normal, quantities, told
from rag.single_quantities import Quantity


def read(text: str) -> list[tuple[tuple[Fraction, ...], str, str, str]]:
    return [(one.values, one.unit, one.comparator, one.name) for one in quantities(text)]


def measured(text: str) -> list[tuple[tuple[Fraction, ...], str]]:
    return [(one.values, one.unit) for one in quantities(text)]


def firm(text: str) -> list[Quantity]:
    return [one for one in quantities(text) if one.firm]


@pytest.mark.parametrize(
    "same",
    [
        ("500 mg", "500mg", "５００ mg", "500-mg", "500 毫克", "0.5 g", "500.0 mg", "500 milligrams", "500,000 µg"),
        ("5 µg", "5 mcg", "5ug", "5 微克", "0.005 mg"),
        ("1000 units", "1,000 IU", "1 000 units", "1000单位"),
        ("0.5 L", "500 mL", "５００毫升", "5 dL"),
        ("5-10 mg", "5 to 10 mg", "between 5 and 10 mg", "5～10mg", "5至10毫克", "5 mg to 10 mg", "0.005–0.01 g"),
        ("at least 18 years", "≥18 years", "18岁及以上", "aged 18 or older", "18 years and above", "不低于18岁"),
        ("under 5 years", "<5 years", "younger than 5 years", "小于5岁", "不足5岁"),
        ("no more than 4 g", "≤4 g", "at most 4 g", "不超过4克", "至多4 g", "up to 4000 mg"),
        ("more than 3 days", ">72 hours", "超过3天"),
        ("5 or more days", "≥5 days", "at least 5 days"),
        ("pH2.2", "ph2.2"),
        ("twice daily", "bid", "b.i.d.", "every 12 hours", "q12h", "每日两次", "一日2次", "2次/日", "two times a day"),
        ("tid", "three times daily", "thrice daily", "every 8 hours", "8 hourly", "每8小时一次", "每天三次"),
        ("every other day", "qod", "隔日", "隔天一次", "alternate days"),
        ("once weekly", "1 time per week", "每周一次", "每周1次"),
        ("6 months", "half a year", "半年", "6个月", "six months", "六个月"),
        ("two weeks", "14 days", "2-week", "两周", "2 wk"),
        ("24 h", "1 day", "24小时", "one day"),
        ("1 year", "12 months", "1年", "twelve months"),
        ("two and a half years", "30 months", "两年半", "2.5 years"),
        ("50%", "half", "一半", "百分之五十", "50 percent", "1/2"),
        ("one third", "1/3", "三分之一"),
        ("30%", "三成", "30 per cent"),
        ("half a tablet", "1/2 tablet", "½ tablet", "0.5 tablet", "半片"),
        ("1½ tablets", "1.5 tablets", "one and a half tablets"),
        ("2-fold", "两倍", "2倍", "two fold"),
        ("May 2019", "2019-05", "2019年5月"),
        ("12 May 2019", "May 12, 2019", "2019年5月12日", "2019-05-12"),
        ("stage III", "stage 3", "III期", "Ⅲ期", "3期"),
        ("type 2", "2型", "II型", "type-2", "Type II"),
        ("twenty-five", "25", "二十五"),
        ("two hundred and fifty", "250"),
        ("a dozen", "12", "twelve"),
        ("1.5 million", "1,500,000", "150万"),
        ("10 × 10⁹/L", "10*10^9/L", "10000 x 10^6/L"),
        ("1 g/L", "100 mg/dL", "1 mg/mL"),
        ("80 bpm", "80 beats per minute", "80次/分"),
        ("37.5 °C", "37.5℃", "37.5 摄氏度"),
        ("IL-6", "IL6"),
    ],
)
def test_one_quantity_is_written_in_many_ways(same: tuple[str, ...]) -> None:
    for text in same:
        assert read(text) == read(same[0]), text
        assert len(read(text)) == 1, text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("5 mg", "5 g"),
        ("5 mg", "5 mL"),
        ("5 mmol/L", "5 mg/dL"),
        ("5%", "5‰"),
        ("5 mM", "5 mm"),
        ("4 weeks", "1 month"),
        ("≥18", ">18"),
        ("at least 5", "at most 5"),
        ("5-10 mg", "5 mg"),
        ("10⁹/L", "10⁶/L"),
        ("3×10⁹/L", "3×10⁶/L"),
        ("daily", "weekly"),
        ("5 °C", "5 °F"),
        ("250 mg/5 mL", "250 mg/50 mL"),
        ("type 1", "type 2"),
        ("type 2", "stage 2"),
        ("IL-6", "IL-8"),
        ("pH2.2", "pH2.6"),
    ],
)
def test_what_differs_stays_apart(one: str, other: str) -> None:
    assert read(one) != read(other)


MG, SECOND = "mass", "time"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("10, 20, or 40 mg", [((10,), MG), ((20,), MG), ((40,), MG)]),
        ("10 mg/day", [((10,), MG), ((1,), "day")]),
        ("10 mg daily", [((10,), MG), ((1,), "day")]),
        ("120/80 mmHg", [((120,), "mmhg"), ((80,), "mmhg")]),
        ("one of three patients", [((1,), ""), ((3,), "")]),
        ("p<0.05; n=20", [((Fraction(1, 20),), ""), ((20,), "")]),
        ("每日0.5克，2～3次/日，连用7天", [((1,), "day"), ((500,), MG), ((2, 3), "day"), ((7 * 86400,), SECOND)]),
        ("62℃30分钟", [((62,), "celsius"), ((1800,), SECOND)]),
        ("1. Give 5 mg", [((5,), MG)]),
        ("(2) Give 5 mg", [((5,), MG)]),
        ("2、给予5mg", [((5,), MG)]),
        ("in the 1990s", [((1990,), "")]),
        ("<500 mL/24 hours", [((500,), "volume"), ((1,), "day")]),
        ("day 3", [((3 * 86400,), SECOND)]),
        ("aged 65", [((780,), "month")]),
        ("at age 13 or 14", [((156,), "month"), ((168,), "month")]),
        ("give 500\nmg at 18\nyears", [((500,), MG), ((216,), "month")]),
        ("确定水解条件.六种蛋白酶", [((6,), "")]),
        ("below 50% and below 75%", [((Fraction(1, 2),), "part"), ((Fraction(3, 4),), "part")]),
        ("a change of -5 mg", [((-5,), MG)]),
    ],
)
def test_numbers_take_the_unit_that_is_theirs(text: str, expected: list[tuple[tuple[Fraction, ...], str]]) -> None:
    assert measured(text) == expected


@pytest.mark.parametrize(
    "text", ["二甲双胍和四环素", "十二指肠", "one of them", "activities of daily living", "first-line [12]"]
)
def test_numbers_in_names_and_idioms_are_not_firm(text: str) -> None:
    assert firm(text) == []


def test_what_is_stated_stands_in_the_text() -> None:
    text = normal("成人≥18岁，每次5～10 mg/kg，每日两次（not more than 4 g/day）。")
    stated = [one.stated for one in quantities(text)]
    assert stated == ["≥18岁", "5~10 mg/kg", "每日两次", "not more than 4 g", "day"]
    assert all(text[one.start : one.end] == one.stated for one in quantities(text))


def test_where_a_text_tells_how_much_and_how_often_is_no_word_of_it() -> None:
    text = "Not more than 5 mg of HbA1c drug twice daily since May 2019; one of them in 二甲双胍"
    assert [text[one.start : one.end] for one in told(text)] == ["Not more than 5 mg", "twice daily", "May 2019"]


_PIECES = (
    "0 1 12 . , - ~ / % ^ ² ⁹ mg µ L k hour day week s two half 次 日 天 片 克 和 至 二 十 半 每 隔 第 q h bid "
    "< ≥ 以上 about"
).split()


@given(st.text(max_size=60) | st.lists(st.sampled_from([*_PIECES, " "]), max_size=25).map("".join))
def test_any_text_is_read(text: str) -> None:
    end = 0
    for one in quantities(text):
        assert one.start >= end
        assert one.stated
        assert one.value
        end = one.end
