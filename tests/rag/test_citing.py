"""Sentences and citations out of what a language model writes, whatever it writes and however it arrives."""

import time
from itertools import pairwise

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from rag.citing import LONGEST_SENTENCE, CitedSentence, CitedSentences

SHOWN = 5


def read(*pieces: str, shown: int = SHOWN) -> list[CitedSentence]:
    reader = CitedSentences(shown)
    return [sentence for piece in pieces for sentence in reader.feed(piece)] + reader.end()


def cited(text: str, shown: int = SHOWN) -> list[tuple[str, tuple[int, ...]]]:
    return [(sentence.text, sentence.citations) for sentence in read(text, shown=shown)]


@pytest.mark.parametrize(
    ("marker", "numbers"),
    [
        ("[1]", (1,)),
        ("[1,2]", (1, 2)),
        ("[1, 2]", (1, 2)),
        ("[2; 1]", (1, 2)),
        ("[1 and 2]", (1, 2)),
        ("[1-3]", (1, 2, 3)),
        ("[1–3, 5]", (1, 2, 3, 5)),
        ("[1][2]", (1, 2)),
        ("[1], [2]", (1, 2)),
        ("[1] and [2]", (1, 2)),
        ("[[1]]", (1,)),
        ("[[1], [2]]", (1, 2)),
        ("［1］", (1,)),
        ("［１，２］", (1, 2)),
        ("【1】", (1,)),
        ("【1†source】", (1,)),
        ("【4:0†source】", ()),
        ("[1†L3-L5]", (1,)),
        ("[Source 1]", (1,)),
        ("[Passage 2]", (2,)),
        ("[passages 1-2]", (1, 2)),
        ("[Doc 1, 2]", (1, 2)),
        ("[Source 1, Source 3]", (1, 3)),
        ("[Document #2]", (2,)),
        ("[Source: 1]", (1,)),
        ("[来源1]", (1,)),
        ("[来源1、来源2]", (1, 2)),
        ("【文献1，2】", (1, 2)),
        ("[第2段]", (2,)),
        ("[^1]", (1,)),
        ("[^1^]", (1,)),
        ("[1, p. 23]", (1,)),
        ("[1，第23页]", (1,)),
        ("[Passage 1: Asthma in adults, p. 3]", (1,)),
        ("[2](#ref2)", (2,)),
        ("[2](https://example.org/a)", (2,)),
        ("(1)", (1,)),
        ("（1）", (1,)),
        ("(1, 2)", (1, 2)),
        ("(1)(2)", (1, 2)),
        ("(Source 1)", (1,)),
        ("（来源1）", (1,)),
        ("(see [2])", (2,)),
        ("¹", (1,)),
        ("¹,³", (1, 3)),
        ("[7]", ()),
        ("[0]", ()),
        ("[2, 7]", (2,)),
        ("[2019]", ()),
        ("[1-999999999]", (1, 2, 3, 4, 5)),
        ("[n]", ()),
    ],
)
def test_every_form_of_a_marker_is_read_before_and_after_the_full_stop(marker: str, numbers: tuple[int, ...]) -> None:
    attached = "" if marker[0] in "¹" else " "
    assert cited(f"Give metformin{attached}{marker}. Then stop.") == [("Give metformin.", numbers), ("Then stop.", ())]
    assert cited(f"首选二甲双胍{marker}。随后复查。") == [("首选二甲双胍。", numbers), ("随后复查。", ())]
    if marker[0] not in "(（":  # behind a full stop, (1) begins an item
        assert cited(f"Give metformin.{attached}{marker} Then stop.") == [
            ("Give metformin.", numbers),
            ("Then stop.", ()),
        ]
    assert cited(f"Give metformin.{attached}{marker}") == [("Give metformin.", numbers)]


@pytest.mark.parametrize(
    "text",
    [
        "Na is written [Na+] here.",
        "Uptake of [18F]FDG was high.",
        "It is [2-(dimethylamino)ethyl] acetate.",
        "Imidazo[1,2]pyridine was used.",
        "It is 2-[1]benzothiophene.",
        "CHADS2 counts age (1 point) and stroke (2 points).",
        "The odds were doubled, 95% CI [1, 3].",
        "Cancer of stage (2), or grade (3).",
        "One should (1) rest, (2) cool.",
        "A protein that binds H(2).",
        "Give vitamin B (1).",
        "It was published in (2019).",
        "Platelets were 10⁹/L in 2 m² and χ² fell.",
        "治疗包括：（1）休息，（2）药物。",
        "见表（1）。",
        "血小板10⁹/L，面积2 m²。",
        "The array [a, b] and [see below] stay.",
        "An open [1 bracket.",
        "An odd ]1[ one.",
    ],
)
def test_what_looks_like_a_marker_and_is_content_stays(text: str) -> None:
    assert cited(text) == [(text, ())]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("According to [1], metformin is first.", [("Metformin is first.", (1,))]),
        (
            "It is so. According to passage 2, insulin is second.",
            [("It is so.", ()), ("Insulin is second.", (2,))],
        ),
        ("是这样。根据[1]，二甲双胍为首选。", [("是这样。", ()), ("二甲双胍为首选。", (1,))]),
        ("根据来源2，二甲双胍为首选。", [("二甲双胍为首选。", (2,))]),
    ],
)
def test_a_marker_that_is_part_of_a_phrase_takes_the_phrase_along(
    text: str, expected: list[tuple[str, tuple[int, ...]]]
) -> None:
    assert cited(text) == expected


def test_markers_in_the_midst_of_a_sentence_belong_to_it() -> None:
    assert cited("Metformin [2] lowers, and insulin[1] too, glucose.") == [
        ("Metformin lowers, and insulin too, glucose.", (1, 2))
    ]
    assert cited('He wrote "stop." [1] Then he left.') == [('He wrote "stop."', (1,)), ("Then he left.", ())]
    assert cited("指南写道：“停药。”[1]随后复查。") == [("指南写道：“停药。”", (1,)), ("随后复查。", ())]


def test_list_items_are_sentences_with_the_white_space_before_them() -> None:
    text = "Options:\n- metformin [1]\n- insulin [2]\n\n1. Stop smoking. [3] Walk.\n二甲双胍。胰岛素。"
    assert read(text) == [
        CitedSentence("Options:", (), ""),
        CitedSentence("- metformin", (1,), "\n"),
        CitedSentence("- insulin", (2,), "\n"),
        CitedSentence("1. Stop smoking.", (3,), "\n\n"),
        CitedSentence("Walk.", (), " "),
        CitedSentence("二甲双胍。", (), "\n"),
        CitedSentence("胰岛素。", (), ""),
    ]


def test_a_marker_on_a_line_of_its_own_belongs_to_what_is_above_and_one_before_a_text_to_the_text() -> None:
    assert cited("It is so.\n[1]\n\n[2] Next it is thus.") == [("It is so.", (1,)), ("Next it is thus.", (2,))]


@pytest.mark.parametrize(
    "references",
    [
        "References:\n[1] Smith J. Asthma. 2019; 4: 5.\n[2] Jones A.",
        "**References**\n\n1. Smith J. Asthma.\n2. Jones A.",
        "## Sources\n- [1] Smith J.\n- [2] Jones A.",
        "Sources: [1], [2]",
        "Sources:\n[1]\n[2]",
        "参考文献：\n[1] 某某. 哮喘.\n[2] 某某.",
        "来源：[1] 指南",
    ],
)
def test_a_list_of_references_is_left_out(references: str) -> None:
    assert cited(f"Give metformin [1].\n\n{references}") == [("Give metformin.", (1,))]
    assert [text for text, _ in cited(f"Give metformin [1].\n\n{references}\n\nDrink water too.")] == [
        "Give metformin.",
        "Drink water too.",
    ]


def test_sources_of_something_are_no_references() -> None:
    assert [text for text, _ in cited("Iron is needed.\nSources:\n- meat [1]\n- beans")] == [
        "Iron is needed.",
        "Sources:",
        "- meat",
        "- beans",
    ]


def test_a_sentence_comes_as_soon_as_the_next_one_has_begun() -> None:
    reader = CitedSentences(SHOWN)
    assert reader.feed("Give metformin. ") == []
    assert reader.feed("[") == []
    assert reader.feed("1") == []
    assert reader.feed("] ") == []
    assert reader.feed("Then ") == [CitedSentence("Give metformin.", (1,), "")]
    assert reader.end() == [CitedSentence("Then", (), " ")]
    reader = CitedSentences(SHOWN)
    assert reader.feed("首选二甲双胍。[1]随") == [CitedSentence("首选二甲双胍。", (1,), "")]


MARKERS = [
    "[1]",
    "[2, 3]",
    "[1-3]",
    "［9］",
    "【2†source】",
    "[Source 1]",
    "[来源2]",
    "[^4]",
    "[1][2]",
    "[0-99999999999]",
]
WORDS = [
    "Give",
    "metformin",
    "e.g.",
    "E.",
    "coli",
    "mg.",
    "Then.",
    "References:\n",
    "According to",
    "见",
    "首选。",
    "药",
    "?",
]
LETTERS = "aB .!?。！？“”\n()[]（）［］【】1２³,，-–†^#*:：;见来源Source"
MIXED = st.lists(
    st.sampled_from([*MARKERS, *WORDS, " ", "\n", "\n\n"]) | st.text(LETTERS, max_size=4) | st.text(max_size=3),
    max_size=30,
).map("".join)


@given(MIXED, st.lists(st.integers(0, 200), max_size=12), st.integers(0, 12))
@example("Give 5 mg. [1] According to [2], it is. References:\n[1] a\n\nb", [3, 11, 12, 13], 3)
def test_any_text_cut_in_any_way_gives_the_same_sentences_and_cites_only_what_was_shown(
    text: str, cuts: list[int], shown: int
) -> None:
    edges = [0, *sorted(min(cut, len(text)) for cut in cuts), len(text)]
    pieces = [text[start:end] for start, end in pairwise(edges)]
    whole = read(text, shown=shown)
    assert read(*pieces, shown=shown) == whole == read(*text, shown=shown)
    for place, sentence in enumerate(whole):
        assert sentence.text == sentence.text.strip() != ""
        assert set(sentence.citations) <= set(range(1, shown + 1))
        assert list(sentence.citations) == sorted(set(sentence.citations))
        assert sentence.lead in {"", " ", "\n", "\n\n"}
        assert place or not sentence.lead


@given(st.lists(st.tuples(st.text("abcXYZ .,!?。患者、“\n-", max_size=15), st.sampled_from(MARKERS)), max_size=12))
def test_nothing_but_the_markers_is_lost(parts: list[tuple[str, str]]) -> None:
    text = "".join(words + marker for words, marker in parts)
    kept = "".join(sentence.text for sentence in read(text))
    assert letters(kept) == letters("".join(words for words, _ in parts))


def letters(text: str) -> str:
    return "".join(letter for letter in text if letter.isalpha())


def test_a_text_without_an_end_is_parted_and_nothing_of_it_is_lost() -> None:
    text = "many words of it " * 1000 + "字" * 5000 + "[x" * 1500 + " " * 5000 + "end"
    sentences = read(text)
    assert max(len(sentence.text) for sentence in sentences) <= LONGEST_SENTENCE
    assert "".join("".join(sentence.text for sentence in sentences).split()) == "".join(text.split())


@pytest.mark.parametrize(
    "text", ["[1" * 10_000, "(((" * 10_000, "e.g. " * 5_000, "[1]" * 8_000, "[ " * 10_000, "¹" * 9_000]
)
def test_hostile_text_is_read_in_time(text: str) -> None:
    started = time.process_time()
    read(text)
    assert time.process_time() - started < 20
