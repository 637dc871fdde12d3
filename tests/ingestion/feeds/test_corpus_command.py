import json
from pathlib import Path

import pytest
import tomli_w
from click.testing import CliRunner
from literature_server import corpus_at, serving

from api.commands.corpus import corpus
from ingestion.feeds import catalogue
from ingestion.feeds.catalogue import read_catalogue
from ingestion.pipeline import discover
from rag.errors import NotFound


def test_list_names_every_corpus_with_its_licence() -> None:
    shown = CliRunner().invoke(corpus, ["list"]).output
    listed = [json.loads(line) for line in CliRunner().invoke(corpus, ["list", "--json"]).output.splitlines()]
    assert [one["name"] for one in listed] == [one.name for one in read_catalogue()]
    for one in listed:
        assert f"taiyi-rag corpus fetch {one['name']}" in shown
        assert one["licence"] in shown


def test_fetch_leaves_a_folder_that_ingest_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with serving() as site:
        site.files["/g.html"] = b"<html><body><p>Text</p></body></html>"
        file = {"name": "g.html", "url": f"{site.address}/g.html", "title": "Guide"}
        chosen = corpus_at(site, "files", "/", file=[file, {**file, "name": "h.html", "url": f"{site.address}/h"}])
        listed = tmp_path / "list.toml"
        listed.write_text(tomli_w.dumps({"corpus": [chosen.model_dump(by_alias=True, exclude_defaults=True)]}))
        monkeypatch.setattr(catalogue, "_PACKAGED", listed)
        monkeypatch.setenv("RAG_HOME", str(tmp_path / "home"))
        result = CliRunner().invoke(corpus, ["fetch", "test", "--json"])
    folder = tmp_path / "home" / "corpora" / "test"
    told = json.loads(result.stdout)
    assert (told["corpus"], told["folder"]) == ("test", str(folder))
    assert [(one["file"], one["status"]) for one in told["files"]] == [("g.html", "fetched"), ("h.html", "failed")]
    assert result.exit_code == 1
    assert "CC-BY-4.0 (https://example.org/terms)" in result.stderr
    (found,) = discover([folder])
    assert found.path == folder / "g.html"
    assert found.stated.metadata.title == "Guide"
    assert found.stated.sha256 == told["files"][0]["sha256"]


def test_an_unknown_corpus_is_answered_with_the_known_ones() -> None:
    assert isinstance(CliRunner().invoke(corpus, ["fetch", "uptodate"]).exception, NotFound)
