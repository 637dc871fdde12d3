"""The form of every glossary file: ``中文<TAB>English[; other English]``, sorted, simplified, each headword once."""

import re
import unicodedata
from itertools import pairwise
from pathlib import Path

import pytest

import rag
from rag.languages import HAN

_FILES = sorted((Path(rag.__file__).parent / "glossary").glob("*.tsv"))
_HAN = re.compile(f"[{HAN}]")
# Standard in simplified pharmaceutical names (磺胺甲噁唑), though general converters write 恶 for it.
_PHARMACEUTICAL = "噁"


def _faults(text: str) -> list[str]:
    """What is wrong with a glossary file of this text, a line for each fault; nothing where it is well formed."""
    lines = text.splitlines()
    faults = [] if text.endswith("\n") else ["the last line has no line end"]
    faults += [] if lines and lines[0].startswith("# ") else ["the first line is not a comment that says what this is"]
    entries = [(number, line) for number, line in enumerate(lines, 1) if number > 1]
    for number, line in entries:
        if line.count("\t") != 1:
            faults.append(f"line {number} has not exactly one tab")
            continue
        chinese, english = line.split("\t")
        names = english.split("; ")
        if not _HAN.search(chinese):
            faults.append(f"line {number} has no Chinese before its tab")
        if _HAN.search(english):
            faults.append(f"line {number} has Chinese after its tab")
        if any(name != name.strip() or not name or ";" in name for name in [chinese, *names]):
            faults.append(f"line {number} has an empty name, a name with space around it or a stray semicolon")
        if len({name.casefold() for name in names}) < len(names):
            faults.append(f"line {number} gives an English name twice")
        if unicodedata.normalize("NFKC", line) != line:
            faults.append(f"line {number} is not NFKC-normalised")
    headwords = [line.split("\t")[0] for _, line in entries]
    faults += [f"{a} and {b} are out of order or the same" for a, b in pairwise(headwords) if a >= b]
    return faults


def _headwords(path: Path) -> list[str]:
    return [line.split("\t")[0] for line in path.read_text("utf-8").splitlines()[1:]]


def test_there_is_a_glossary() -> None:
    assert _FILES


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_a_file_is_well_formed(path: Path) -> None:
    assert _faults(path.read_bytes().decode("utf-8")) == []


@pytest.mark.parametrize("path", _FILES, ids=lambda path: path.name)
def test_headwords_are_in_simplified_characters(path: Path) -> None:
    simplified = pytest.importorskip("opencc").OpenCC("t2s").convert
    words = [word for word in _headwords(path) if not set(word) & set(_PHARMACEUTICAL)]
    assert [word for word in words if simplified(word) != word] == []


def test_no_headword_is_in_two_files() -> None:
    owners: dict[str, list[str]] = {}
    for path in _FILES:
        for word in _headwords(path):
            owners.setdefault(word, []).append(path.name)
    assert {word: names for word, names in owners.items() if len(names) > 1} == {}


def test_well_known_pairs_are_there() -> None:
    pairs = dict(line.split("\t") for path in _FILES for line in path.read_text("utf-8").splitlines()[1:])
    for chinese, english in {
        "阿司匹林": "aspirin",
        "二甲双胍": "metformin",
        "对乙酰氨基酚": "acetaminophen",
        "血红蛋白": "haemoglobin",
        "糖化血红蛋白": "HbA1c",
        "大肠埃希菌": "escherichia coli",
        "血管紧张素转换酶抑制剂": "ACE inhibitor",
        "口服": "oral",
    }.items():
        assert english in pairs[chinese].split("; ")


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("铁剂\tiron supplement\n", "not a comment"),
        ("# x\n铁剂\tiron supplement", "no line end"),
        ("# x\n铁剂 iron supplement\n", "exactly one tab"),
        ("# x\n铁剂\tiron\tsupplement\n", "exactly one tab"),
        ("# x\n\n铁剂\tiron supplement\n", "exactly one tab"),
        ("# x\niron\tiron supplement\n", "no Chinese before"),
        ("# x\n铁剂\t铁 supplement\n", "Chinese after"),
        ("# x\n铁剂\t\n", "empty name"),
        ("# x\n铁剂 \tiron\n", "space around"),
        ("# x\n铁剂\tiron;supplement\n", "stray semicolon"),
        ("# x\n铁剂\tiron; Iron\n", "twice"),
        ("# x\n维生素Ｄ\tvitamin D\n", "NFKC"),
        ("# x\n铁剂\tiron\n茶碱\ttheophylline\n白蛋白\talbumin\n", "out of order"),
        ("# x\n铁剂\tiron\n铁剂\tiron supplement\n", "the same"),
    ],
)
def test_a_fault_is_found(text: str, fault: str) -> None:
    assert any(fault in found for found in _faults(text))


def test_a_faultless_text_has_no_faults() -> None:
    assert _faults("# x\n茶碱\ttheophylline\n铁剂\tiron preparation; iron supplement\n") == []
