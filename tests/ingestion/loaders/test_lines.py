"""What loaders tell about a line."""

import pytest

from ingestion.loaders.lines import language_code, one_line, raised


@pytest.mark.parametrize(
    ("stated", "code"),
    [
        ("chi", "zh"), ("zho", "zh"), ("cmn", "zh"), ("eng", "en"), ("ENG", "en"), ("fre", "fr"), ("ger", "de"),
        ("per", "fa"), ("hrv", "hr"), ("nor", "no"), ("zh-CN", "zh"), ("zh_Hans", "zh"), (" en-GB ", "en"),
        ("gre", "el"), ("und", None), ("mul", None), ("xx", None), ("English", None), ("", None), (None, None),
    ],
)  # fmt: skip
def test_a_language_has_its_two_letter_code_however_it_is_stated(stated: str | None, code: str | None) -> None:
    assert language_code(stated) == code


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("  Two \n  words ", "Two words"),
        ("a\x00b\x1fc", "abc"),
        ("e\u0301t\u00e9\u00a0!", "\u00e9t\u00e9 !"),
        ("高血压\n是常见病，\nCommon", "高血压是常见病，Common"),
        ("a\u2028b\r\nc\x0bd", "a b c d"),
        ("\n", ""),
    ],
)
def test_text_over_several_lines_becomes_one(text: str, line: str) -> None:
    assert one_line(text) == line


@pytest.mark.parametrize(
    ("text", "before", "written"),
    [
        ("5", "10", "⁵"),
        ("-3", "1.2 × 10", "⁻³"),
        ("−12", "10", "⁻¹²"),
        ("2", "m", "2"),
        ("th", "5", "th"),
        ("1,2", "5", "1,2"),
    ],
)
def test_a_power_is_never_written_as_more_digits_of_its_base(text: str, before: str, written: str) -> None:
    assert raised(text, before) == written
