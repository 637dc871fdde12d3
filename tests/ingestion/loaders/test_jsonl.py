"""JSON Lines."""

import gzip
import json
from pathlib import Path

import pytest

from ingestion.loaders.jsonl import load
from ingestion.types import Block, BlockKind
from rag.errors import UnreadableFile


def written(tmp_path: Path, *lines: object) -> Path:
    path = tmp_path / "corpus.jsonl"
    text = "\n".join(line if isinstance(line, str) else json.dumps(line, ensure_ascii=False) for line in lines)
    path.write_text(text, encoding="utf-8")
    return path


def test_each_line_is_a_document_and_blank_lines_part_paragraphs(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        {"id": "a", "title": "Asthma", "text": "One\nline.\n \nTwo.", "lang": "en-GB", "unknown": [1]},
        "",
        {"id": 7, "title": "", "text": "高血压\n是常见病。", "lang": "zh"},
    )

    first, second = load(path)

    assert first.blocks == (
        Block(BlockKind.TITLE, "Asthma"),
        Block(BlockKind.PARAGRAPH, "One line."),
        Block(BlockKind.PARAGRAPH, "Two."),
    )
    assert (first.metadata.external_id, first.metadata.title, first.metadata.language) == ("a", "Asthma", "en")
    assert second.blocks == (Block(BlockKind.PARAGRAPH, "高血压是常见病。"),)
    assert (second.metadata.external_id, second.metadata.language) == ("7", "zh")


def test_every_metadata_field_is_taken(tmp_path: Path) -> None:
    stated = {
        "publisher": "WHO", "journal": "J", "edition": "2", "published": "2020-01", "effective": "2021", "url": "http://x",
        "doi": "10.1/x", "pmid": "12", "pmcid": "PMC1", "licence": "CC BY", "title": "T",
    }  # fmt: skip
    (document,) = load(written(tmp_path, {"id": "1", "text": "x", "authors": ["A", "B"], **stated}))

    assert {name: getattr(document.metadata, name) for name in stated} == stated
    assert document.metadata.authors == ("A", "B")


def test_what_is_stated_of_studies_and_lapse_is_taken(tmp_path: Path) -> None:
    stated = {
        "evidence_grade": "1A", "retraction": "Retracted 2020", "withdrawn": "2021-05-01", "review_by": "2024",
        "supersedes": "g1",
    }  # fmt: skip
    line = {"id": "1", "text": "x", "publication_types": ["Journal Article", "Meta-Analysis"], **stated}
    (document,) = load(written(tmp_path, line))

    assert {name: getattr(document.metadata, name) for name in stated} == stated
    assert document.metadata.publication_types == ("Journal Article", "Meta-Analysis")
    assert document.metadata.study_design == "Meta-Analysis"


def test_gzip_is_read_as_it_is(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id": "1", "text": "x"}\n'))

    assert [document.metadata.external_id for document in load(path)] == ["1"]


def test_documents_come_one_by_one_before_a_later_bad_line_is_met(tmp_path: Path) -> None:
    documents = load(written(tmp_path, {"id": "1", "text": "x"}, "{not json"))

    assert next(documents).metadata.external_id == "1"
    with pytest.raises(UnreadableFile, match=r"^corpus\.jsonl, line 2 is not JSON"):
        next(documents)


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ({"text": "x"}, '"id" is missing'),
        ({"id": "1"}, '"text" is missing'),
        ({"id": "1", "text": " ", "title": ""}, '"text" is empty, and so is "title"'),
        ({"id": "1", "text": ["x"]}, '"text" must be a string'),
        ({"id": "1", "text": "x", "authors": [1]}, '"authors" must be a list of strings'),
        ({"id": "1", "text": "x", "publication_types": 3}, '"publication_types" must be a list of strings'),
        ({"id": "1", "text": "x", "withdrawn": "May 2021"}, "\"withdrawn\": 'May 2021' is not a date"),
        ("[1]", "is not an object"),
        ("[" * 100_000, "is not JSON"),
    ],
)
def test_a_bad_line_is_named_with_what_is_missing(tmp_path: Path, line: object, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=rf"^corpus\.jsonl, line 1:? {reason}"):
        list(load(written(tmp_path, line)))


def test_a_line_that_is_not_utf8_is_named(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_bytes('{"id": "1", "text": "高血压"}'.encode("gb18030"))

    with pytest.raises(UnreadableFile, match=r"^corpus\.jsonl, line 1 is not UTF-8"):
        list(load(path))


@pytest.mark.parametrize("data", [b"", b"\n \n"])
def test_an_empty_file_is_refused(tmp_path: Path, data: bytes) -> None:
    path = tmp_path / "corpus.jsonl"
    path.write_bytes(data)

    with pytest.raises(UnreadableFile, match="is empty"):
        list(load(path))


def test_gzip_that_is_cut_short_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "corpus.jsonl.gz"
    path.write_bytes(gzip.compress(b'{"id": "1", "text": "' + bytes(range(97, 123)) * 50 + b'"}\n')[:-12])

    with pytest.raises(UnreadableFile, match=r"^corpus\.jsonl\.gz is damaged or cut short"):
        list(load(path))
