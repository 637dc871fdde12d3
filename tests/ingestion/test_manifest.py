from pathlib import Path

import pytest

from ingestion.manifest import metadata_from, read_manifest
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
