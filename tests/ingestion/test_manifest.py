from pathlib import Path

import pytest

from ingestion.manifest import is_sidecar, metadata_from, read_manifest, read_sidecar
from ingestion.types import Metadata
from rag.errors import InvalidRequest


def test_a_manifest_states_metadata_by_file(tmp_path: Path) -> None:
    (tmp_path / "manifest.toml").write_text(
        '[[document]]\nfile = "a.md"\ntitle = "A"\npublished = 2018-05-15\nauthors = ["B. C"]\nsha256 = "00"\n'
    )
    stated = read_manifest(tmp_path)[tmp_path / "a.md"]
    assert stated.metadata == Metadata(title="A", published="2018-05-15", authors=("B. C",))
    assert stated.sha256 == "00"


def test_a_folder_without_manifest_states_nothing(tmp_path: Path) -> None:
    assert read_manifest(tmp_path) == {}


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[document", "manifest.toml"),
        ('[[document]]\ntitle = "A"', "document 1 has no 'file'"),
        ('[[document]]\nfile = "a"\ncolour = "red"', "unknown field 'colour'"),
        ('[[document]]\nfile = "a"\npublished = "May 2018"', "is not a date"),
        ('[[document]]\nfile = "a"\ntitle = 3', "'title' is a text"),
        ('[[document]]\nfile = "a"\nauthors = "B"', "list of texts"),
    ],
)
def test_a_wrong_manifest_says_where(tmp_path: Path, text: str, reason: str) -> None:
    (tmp_path / "manifest.toml").write_text(text)
    with pytest.raises(InvalidRequest) as refused:
        read_manifest(tmp_path)
    assert reason in str(refused.value)
    assert "manifest.toml" in str(refused.value)


def test_what_is_stated_outside_goes_before_what_the_file_states() -> None:
    known = Metadata(title="In the file", publisher="P").updated_by(metadata_from({"title": "Stated"}))
    assert (known.title, known.publisher) == ("Stated", "P")


@pytest.mark.parametrize("name", ["guide.pdf.meta.toml", "guide.meta.toml", "guide.pdf.meta.json", "guide.meta.json"])
def test_a_sidecar_states_metadata_of_the_file_beside_it(tmp_path: Path, name: str) -> None:
    sidecar = tmp_path / name
    text = 'evidence_grade = "A"\nreview_by = 2026-01-01\n'
    text = '{"evidence_grade": "A", "review_by": "2026-01-01"}' if name.endswith("json") else text
    sidecar.write_text("\ufeff" + text, encoding="utf-8")

    assert read_sidecar(tmp_path / "guide.pdf") == Metadata(evidence_grade="A", review_by="2026-01-01")
    assert read_sidecar(tmp_path / "other.pdf") is None
    assert is_sidecar(sidecar)
    assert not is_sidecar(tmp_path / "guide.pdf")


def test_two_sidecars_of_one_file_are_one_too_many(tmp_path: Path) -> None:
    for name in ("guide.pdf.meta.toml", "guide.meta.json"):
        (tmp_path / name).write_text("")

    with pytest.raises(InvalidRequest, match=r"guide\.pdf\.meta\.toml and guide\.meta\.json both describe guide\.pdf"):
        read_sidecar(tmp_path / "guide.pdf")


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("guide.pdf.meta.toml", b"title = ", "Invalid value"),
        ("guide.pdf.meta.toml", b'colour = "red"', "unknown field 'colour'"),
        ("guide.pdf.meta.json", b'{"published": "May"}', "is not a date"),
        ("guide.pdf.meta.json", b"[]", "is not an object"),
        ("guide.pdf.meta.json", b"{", "Expecting property name"),
        ("guide.pdf.meta.toml", b'title = "\xff"', "utf-8"),
    ],
)
def test_a_wrong_sidecar_is_named_with_the_reason(tmp_path: Path, name: str, data: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(data)

    with pytest.raises(InvalidRequest) as refused:
        read_sidecar(tmp_path / "guide.pdf")

    assert name in str(refused.value)
    assert reason in str(refused.value)
