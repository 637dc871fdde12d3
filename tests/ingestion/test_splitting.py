from collections.abc import Callable
from itertools import pairwise
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import Tokenizer

from ingestion.splitting import HARD_LIMIT_TOKENS, TARGET_TOKENS, lay_out, split, token_counter
from ingestion.types import Block, BlockKind, Box
from rag.packaged_embedder import load_tokenizer
from rag.pages import page_of

SENTENCES = st.sampled_from(
    [
        "Metformin is started first.",
        "The dose is 500 mg (FDA, 2016).",
        "首选吸入沙丁胺醇，每20分钟一次。",
        "eGFR < 30?",
        "x" * 900,
    ]
)


@pytest.fixture(scope="module")
def tokenizer(models: Path) -> Tokenizer:
    return load_tokenizer(models.parent)


def words(texts: list[str]) -> list[int]:
    """A count that needs no model: a token every four characters."""
    return [-(-len(text) // 4) for text in texts]


@st.composite
def blocks(draw: st.DrawFn) -> list[Block]:
    listed: list[Block] = []
    page = 1 if draw(st.booleans()) else None
    for _ in range(draw(st.integers(1, 25))):
        kind = draw(st.sampled_from(list(BlockKind)))
        text = " ".join(draw(st.lists(SENTENCES, min_size=1, max_size=12 if kind is BlockKind.PARAGRAPH else 2)))
        if page is not None:
            page += draw(st.integers(0, 2))
        follows = bool(listed) and kind is listed[-1].kind and kind in (BlockKind.LIST_ITEM, BlockKind.TABLE_ROW)
        level = draw(st.integers(1, 3)) if kind is BlockKind.HEADING else 0
        boxes = lines(text, page, draw(st.integers(5, 60)), draw(st.booleans())) if page is not None else ()
        hidden = draw(st.sampled_from([None, None, None, "white on white"]))
        listed.append(Block(kind, text, level, page, follows, boxes, hidden))
        page = boxes[-1].page if boxes else page
    return listed


def lines(text: str, page: int, length: int, goes_over: bool) -> tuple[Box, ...]:
    """A box for every ``length`` characters, the latter half of them on the next page where the block goes over."""
    starts = range(0, len(text), length)
    return tuple(
        Box(
            page + (goes_over and at > len(starts) / 2),
            72.04,
            100.06 + at,
            500,
            112 + at,
            start,
            min(start + length, len(text)),
        )
        for at, start in enumerate(starts)
    )


@given(blocks())
def test_passages_cover_the_text_in_order_and_nothing_twice(listed: list[Block]) -> None:
    laid_out = lay_out(listed)
    passages = split(listed, laid_out, words)
    covered = "".join(laid_out.text[p.char_start : p.char_end] for p in passages)
    assert "".join(covered.split()) == "".join(laid_out.text.split())
    assert all(earlier.char_end <= later.char_start for earlier, later in pairwise(passages))
    for passage in passages:
        text = laid_out.text[passage.char_start : passage.char_end]
        assert text == text.strip() != ""


@given(blocks())
def test_blocks_stand_in_the_text_where_their_spans_say(listed: list[Block]) -> None:
    laid_out = lay_out(listed)
    assert [laid_out.text[start:end] for start, end in laid_out.spans] == [block.text for block in listed]
    for block, (start, _) in zip(listed, laid_out.spans, strict=True):
        assert page_of(laid_out.page_starts, start) == block.page


@given(blocks())
def test_no_passage_crosses_a_section_or_cuts_a_row_that_would_fit(listed: list[Block]) -> None:
    laid_out = lay_out(listed)
    passages = split(listed, laid_out, words)
    cuts = {passage.char_start for passage in passages} | {passage.char_end for passage in passages}
    seen = [(block, span) for block, span in zip(listed, laid_out.spans, strict=True) if block.hidden is None]
    for at, (block, (start, _)) in enumerate(seen):
        before = [b.kind for b, _ in seen[:at]]
        begins_section = block.kind is BlockKind.HEADING and set(before) - {BlockKind.HEADING, BlockKind.TITLE}
        if begins_section and before[-1] not in (BlockKind.HEADING, BlockKind.TITLE):
            assert start in cuts
    for block, (start, end) in zip(listed, laid_out.spans, strict=True):
        if block.kind is not BlockKind.PARAGRAPH and words([block.text])[0] <= HARD_LIMIT_TOKENS:
            assert not any(start < cut < end for cut in cuts)


@given(blocks())
def test_what_is_hidden_is_in_flagged_passages_of_its_own(listed: list[Block]) -> None:
    laid_out = lay_out(listed)
    passages = split(listed, laid_out, words)
    for block, (start, end) in zip(listed, laid_out.spans, strict=True):
        touching = [passage for passage in passages if passage.char_start < end and start < passage.char_end]
        assert touching
        assert {"hidden" in passage.flags for passage in touching} == {block.hidden is not None}
    visible_headings = {block.text for block in listed if block.kind is BlockKind.HEADING and block.hidden is None}
    named = {name for passage in passages if passage.section for name in passage.section.split(" > ")}
    assert named <= visible_headings


@given(blocks())
def test_a_passage_has_the_boxes_of_its_lines_and_its_page_is_that_of_the_first(listed: list[Block]) -> None:
    laid_out = lay_out(listed)
    for passage in split(listed, laid_out, words):
        expected = []
        for block, (start, _) in zip(listed, laid_out.spans, strict=True):
            for box in block.boxes:
                inside = range(max(passage.char_start, start + box.start), min(passage.char_end, start + box.end))
                if inside:
                    expected.append((box.page, round(box.left, 1), round(box.top, 1), box.right, box.bottom))
        assert list(passage.boxes) == expected
        if expected:
            assert passage.page == expected[0][0]
        else:
            assert passage.page is None


@given(blocks())
def test_no_passage_is_longer_than_the_target_unless_one_unit_is(listed: list[Block]) -> None:
    laid_out = lay_out(listed)
    for passage in split(listed, laid_out, words):
        tokens = words([laid_out.text[passage.char_start : passage.char_end]])[0]
        assert tokens <= HARD_LIMIT_TOKENS + TARGET_TOKENS * 0.1


def paragraphs(*texts: str) -> list[Block]:
    return [Block(BlockKind.PARAGRAPH, text) for text in texts]


def test_the_heading_path_is_kept_with_each_passage() -> None:
    listed = [
        Block(BlockKind.TITLE, "Asthma"),
        Block(BlockKind.HEADING, "Treatment", 1),
        *paragraphs("General advice is given."),
        Block(BlockKind.HEADING, "Step 1", 2),
        *paragraphs("Reliever as needed."),
        Block(BlockKind.HEADING, "Referral", 1),
        *paragraphs("Refer early."),
    ]
    passages = split(listed, lay_out(listed), words)
    assert [passage.section for passage in passages] == ["Treatment", "Treatment > Step 1", "Referral"]


def test_a_long_section_is_cut_between_sentences_into_passages_of_200_to_350_tokens(tokenizer: Tokenizer) -> None:
    count = token_counter(tokenizer)
    english = "Metformin is started at 500 mg twice daily and raised slowly. "
    chinese = "二甲双胍起始剂量为500 mg，每日两次，逐渐加量。"
    for listed in (paragraphs(*[english * 12] * 9), paragraphs(*[chinese * 20] * 8)):
        laid_out = lay_out(listed)
        texts = [laid_out.text[p.char_start : p.char_end] for p in split(listed, laid_out, count)]
        assert len(texts) > 3
        assert all(200 <= tokens <= 350 for tokens in count(texts)[:-1])
        assert all(text.endswith((".", "。")) for text in texts)


@given(
    st.lists(
        st.text(max_size=30)
        | st.text("abc <s>/\u2581¨ａ㎎\u0308é剂量，1.5\u200b", max_size=30)
        | st.sampled_from(["a <s> b", "x ¨y", "剂量 mg ", "hydrochlorothiazide 12.5 mg"]),
        max_size=5,
    )
)
def test_tokens_counted_word_by_word_are_those_of_the_whole_text(tokenizer: Tokenizer, texts: list[str]) -> None:
    texts = [text.strip() for text in texts]
    whole = [len(one.ids) for one in tokenizer.encode_batch(texts, add_special_tokens=False)]
    count = token_counter(tokenizer)
    assert count(texts) == whole
    assert count(texts) == whole, "and again, from what was kept"


def test_pages_without_text_are_passed_over() -> None:
    listed = [Block(BlockKind.PARAGRAPH, "One.", page=1), Block(BlockKind.PARAGRAPH, "Four.", page=4)]
    laid_out = lay_out(listed)
    assert [page_of(laid_out.page_starts, offset) for offset in (0, laid_out.text.index("Four"))] == [1, 4]


@pytest.mark.parametrize("count", [lambda texts: [0 for _ in texts], words])
def test_no_blocks_give_no_passages(count: Callable[[list[str]], list[int]]) -> None:
    assert split([], lay_out([]), count) == []
