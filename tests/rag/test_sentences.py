from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.sentences import ELLIPSIS, opening, sentence_spans, split_sentences


@pytest.mark.parametrize(
    ("text", "sentences"),
    [
        ("Metformin is given (e.g. twice daily). Dr. Smith et al. agree.", 2),
        ("It rose from 3.5 mmol/L to 7.0 mmol/L. It fell again.", 2),
        ("It is not given when the eGFR is below 30 mL/min/1.73 m2. See Fig. 2. Stop then.", 3),
        ("E. coli was found. P. aeruginosa grew.", 2),
        ("Give vitamin D. Then test for hepatitis C. It is common.", 3),
        ("Use 1.5 mg/kg i.v. every 6 h. Stop at 48 h.", 2),
        ("Is it safe? Yes! It is.", 3),
        ("Written by J. Smith and A. B. Jones in 2019. It was revised.", 2),
        ("It works.[1,2] So does this.", 2),
    ],
)
def test_english_sentences_end_where_a_reader_would_say(text: str, sentences: int) -> None:
    assert len(split_sentences(text)) == sentences


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "急性发作时首选沙丁胺醇，每20分钟一次。血压应低于140/90 mmHg；注意复查！",
            ["急性发作时首选沙丁胺醇，每20分钟一次。", "血压应低于140/90 mmHg；注意复查！"],
        ),
        ("患者问：“能停药吗？”不能停药。", ["患者问：“能停药吗？”", "不能停药。"]),
        ("剂量为1.5 mg/kg。见图1.2。", ["剂量为1.5 mg/kg。", "见图1.2。"]),
        ("（见第3节。）随后复查。", ["（见第3节。）", "随后复查。"]),
    ],
)
def test_chinese_sentences_keep_their_closing_quotes(text: str, expected: list[str]) -> None:
    assert split_sentences(text) == expected


def test_a_line_break_ends_a_sentence_and_a_list_number_does_not() -> None:
    assert split_sentences("1. Stop metformin\n2. Check the eGFR. Then restart.") == [
        "1. Stop metformin",
        "2. Check the eGFR.",
        "Then restart.",
    ]


@given(st.text(alphabet=st.sampled_from("aB3 .!?。！？“”\n()[]1,…éβ"), max_size=120))
def test_sentences_cover_everything_but_white_space(text: str) -> None:
    spans = sentence_spans(text)
    assert "".join(text[a:b] for a, b in spans).replace(" ", "").replace("\n", "") == "".join(text.split())
    assert all(text[a:b] == text[a:b].strip() != "" for a, b in spans)
    assert all(earlier[1] <= later[0] for earlier, later in pairwise(spans))


@given(st.text(max_size=40), st.text(max_size=40), st.text(max_size=40))
def test_a_window_of_a_text_gives_offsets_into_the_whole(before: str, inside: str, after: str) -> None:
    whole = before + "\n" + inside + "\n" + after
    start = len(before) + 1
    spans = sentence_spans(whole, start, start + len(inside))
    assert [whole[a:b] for a, b in spans] == split_sentences(inside)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Urate is lowered. Then it is measured.", "Urate is lowered."),
        ("Urate in gout\nIt is lowered.", "Urate in gout"),
        ("痛风患者应降低尿酸。随后复查。", "痛风患者应降低尿酸。"),
        ("  \n ", ""),
        ("", ""),
    ],
)
def test_a_text_opens_with_its_first_sentence(text: str, expected: str) -> None:
    assert opening(text) == expected


@pytest.mark.parametrize("text", ["many words of it " * 20, "尿酸" * 100, "x" * 50 + " " + "y" * 200])
def test_of_a_long_sentence_it_gives_whole_first_words_with_an_ellipsis(text: str) -> None:
    given = opening(text)
    kept = given.removesuffix(ELLIPSIS)
    assert given != kept
    assert len(kept) <= 80
    assert text.startswith(kept)
    assert " " not in text or text[len(kept)] == " "
