"""Lines of an answer that say nothing, headings, and statements, which must never be taken for either."""

import pytest

from rag.remarks import is_about_the_sources, is_heading, is_item, plain, says_nothing


@pytest.mark.parametrize(
    "text",
    [
        "Here is what the sources say:",
        "In summary:",
        "Please consult your doctor.",
        "Consult a healthcare professional before making any decisions.",
        "I hope this helps!",
        "以下是根据所给资料的回答：",
        "请遵医嘱。",
        "请咨询专业医生的意见。",
        "仅供参考，不能代替医生的专业意见。",
    ],
)
def test_announcements_thanks_and_referrals_say_nothing(text: str) -> None:
    assert says_nothing(text)
    assert not is_about_the_sources(text)


@pytest.mark.parametrize(
    "text",
    [
        "It is safe.",
        "It is well tolerated.",
        "Do not use it.",
        "No.",
        "Not in children.",
        "Consult a nephrologist below 30 mL/min.",
        "Metformin is safe.",
        "The evidence does not support the use of colchicine.",
        "不建议使用。",
        "使用安全。",
        "患者应咨询医生。",
        "孕妇可以使用。",
    ],
)
def test_what_a_reader_could_act_on_says_something(text: str) -> None:
    assert not says_nothing(text)
    assert not is_about_the_sources(text)


@pytest.mark.parametrize(
    "text",
    [
        "The passages do not give a dose for children.",
        "The sources provided do not mention pregnancy.",
        "The dose in children is not stated in the passages.",
        "None of the passages mentions pregnancy.",
        "资料中没有提到儿童剂量。",
        "所给文献未说明孕妇能否使用。",
    ],
)
def test_what_the_sources_lack_is_about_the_sources(text: str) -> None:
    assert is_about_the_sources(text)


def test_headings_and_items_are_told_by_their_form() -> None:
    for heading in (
        "Contraindications:",
        "## Dose",
        "**Dose**",
        "**Dose:**",
        "Metformin is contraindicated in:",
        "禁忌证：",
    ):
        assert is_heading(heading)
    for sentence in ("Start with 5 mg.", "- eGFR below 30", "The **dose** is 5 mg.", "禁用二甲双胍。"):
        assert not is_heading(sentence)
    assert [is_item(text) for text in ("- eGFR below 30", "2. Acidosis", "2.5 mg daily", "Acidosis")] == [
        True,
        True,
        False,
        False,
    ]
    assert [plain(text) for text in ("## Dose", "**Dose:**", "- eGFR below 30", "1) Acidosis")] == [
        "Dose",
        "Dose:",
        "eGFR below 30",
        "Acidosis",
    ]
