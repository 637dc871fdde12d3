"""Bytes to text."""

import codecs
import os
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingestion.encoding import decode
from rag.errors import UnreadableFile

CHINESE = "高血压是最常见的慢性病之一，也是心脑血管病最主要的危险因素。"
TRADITIONAL = "高血壓是最常見的慢性病之一，也是心腦血管疾病最主要的危險因子。"
FRENCH = "L'hypertension artérielle est une maladie fréquente. Le malade doit être traité à l'hôpital."


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-32", "utf-16-le", "utf-16-be", "utf-8", "gb18030"])
def test_chinese_text_comes_out_right_in_every_usual_encoding(encoding: str) -> None:
    assert decode(CHINESE.encode(encoding)) == CHINESE


@pytest.mark.parametrize(
    ("mark", "encoding"),
    [(codecs.BOM_UTF16_BE, "utf-16-be"), (codecs.BOM_UTF32_LE, "utf-32-le"), (codecs.BOM_UTF32_BE, "utf-32-be")],
)
def test_a_byte_order_mark_decides_and_is_removed(mark: bytes, encoding: str) -> None:
    assert decode(mark + CHINESE.encode(encoding)) == CHINESE


@pytest.mark.parametrize(
    "short",
    ["高血压", "糖尿病诊断标准", "概述", "血压≥140/90 mmHg", "体温 38℃，脉搏 80 次", "以H2C2O4·2H2O", "10月11—1"],
)
def test_a_few_chinese_words_in_gb18030_are_enough(short: str) -> None:
    assert decode(short.encode("gb18030")) == short


def test_traditional_chinese_in_big5_is_not_taken_for_gb18030() -> None:
    assert decode(TRADITIONAL.encode("big5")) == TRADITIONAL


@pytest.mark.parametrize(
    "text", ["café", "naïve", FRENCH, "Ménière’s disease – “vertigo”", "Müller, 5 µg/kg, 37 °C", "Señor Peña", "Straße"]
)
def test_a_few_accents_in_cp1252_are_not_taken_for_chinese(text: str) -> None:
    assert decode(text.encode("cp1252")) == text


def test_english_in_utf16_without_a_mark_is_told_by_its_nuls() -> None:
    assert decode("Give oxygen.\nCall for help.".encode("utf-16-le")) == "Give oxygen.\nCall for help."


@pytest.mark.parametrize("newline", ["\r\n", "\r", "\x0b", "\x0c", "\x85", "\u2028", "\u2029"])
def test_every_newline_becomes_the_same_one(newline: str) -> None:
    assert decode(f"one{newline}two".encode()) == "one\ntwo"


def test_control_characters_are_removed_but_tabs_stay() -> None:
    assert decode(b"dose\x00\t5 mg\x1b and more text follows here\x07 to be read") == (
        "dose\t5 mg and more text follows here to be read"
    )


def test_an_accent_that_follows_its_letter_is_left_for_the_loader_to_compose() -> None:
    assert decode("e\u0301".encode()) == "e\u0301"


@pytest.mark.parametrize(
    "junk",
    [
        bytes(range(256)) * 8,
        random.Random(1).randbytes(5000),
        b"\x00\x01\x02\x03" * 100,
        b"\x89PNG\r\n\x1a\n" + b"\0" * 99,
    ],
    ids=["every byte", "random bytes", "small numbers", "a picture"],
)
def test_binary_junk_is_refused_with_a_reason(junk: bytes) -> None:
    with pytest.raises(UnreadableFile, match=r"^(is not text|starts as)"):
        decode(junk)


def test_utf8_with_a_broken_byte_is_refused_rather_than_read_as_something_else() -> None:
    broken = (CHINESE * 4 + "\n" + CHINESE * 4).encode().replace("危险".encode(), "危险".encode()[:-1], 1)

    with pytest.raises(UnreadableFile, match=r"UTF-8 text with 1 broken bytes, the first in line 1"):
        decode(broken)


def test_a_marked_file_that_breaks_its_promise_is_refused() -> None:
    with pytest.raises(UnreadableFile, match="starts as UTF-16-LE text, but byte 2 is broken"):
        decode(codecs.BOM_UTF16_LE + b"\x00\xd8\x41\x00")


def test_nothing_is_no_text_and_no_error() -> None:
    assert decode(b"") == ""


@given(st.text(st.characters(exclude_categories=["Cs", "Cc", "Zl", "Zp"], exclude_characters="\ufeff"), max_size=300))
def test_any_text_survives_utf8(text: str) -> None:
    assert decode(text.encode()) == text


@given(st.binary(max_size=400))
def test_any_bytes_give_clean_text_or_a_reason(data: bytes) -> None:
    try:
        text = decode(data)
    except UnreadableFile:
        text = ""

    assert not set(text) & {chr(code) for code in range(32) if chr(code) not in "\n\t"}


def test_decoding_is_fast_enough_for_a_book() -> None:
    book = (CHINESE + os.linesep).encode("gb18030") * 20_000

    assert decode(book).count(CHINESE) == 20_000
