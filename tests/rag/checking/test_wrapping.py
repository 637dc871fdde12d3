"""Sentences over the line breaks of a printed page."""

import pytest

from rag.checking.wrapping import unwrapped, unwrapped_spans


def sentences(text: str) -> list[str]:
    return [unwrapped(text[start:end]) for start, end in unwrapped_spans(text)]


@pytest.mark.parametrize(
    ("text", "whole"),
    [
        ("- Diclofenac 500\nmg twice daily", "- Diclofenac 500 mg twice daily"),
        ("It is not given to children under\n12 years", "It is not given to children under 12 years"),
        (
            "Apply 1 drop at least every 2 hours,\nand then reduce the frequency as infection is\ncontrolled.",
            "Apply 1 drop at least every 2 hours, and then reduce the frequency as infection is controlled.",
        ),
        (
            "成人口服阿莫西林，每日三次，每次五百\n毫克，连用七天。",
            "成人口服阿莫西林，每日三次，每次五百毫克，连用七天。",
        ),
    ],
)
def test_a_wrapped_sentence_is_one(text: str, whole: str) -> None:
    assert sentences(text) == [whole]


@pytest.mark.parametrize(
    "text",
    [
        "aspirin\nmetformin\ninsulin",
        "3-7 years: 100 mg every 12 hours for 5 days or for as long\n7-10 years: 100 mg every 8 hours",
        "Drug Treatment\n10 mg daily",
        "TREATMENT OF KERATITIS\n• drops\n• ointment",
        "It heals in two weeks.\nthe next line",
        "Give 5 mg to all adults with severe disease and pain\n2. Give 10 mg",
        "Give 5 mg\n\nmg tablets",
        "用法用量\n口服，每日两次",
        "适应症：\n用于高血压",
    ],
)
def test_headings_items_and_rows_stay_apart(text: str) -> None:
    assert len(sentences(text)) == len([line for line in text.split("\n") if line])


def test_offsets_are_those_of_the_text() -> None:
    text = "Give 500\nmg. Then 5 mg."
    assert [text[start:end] for start, end in unwrapped_spans(text)] == ["Give 500\nmg.", "Then 5 mg."]
