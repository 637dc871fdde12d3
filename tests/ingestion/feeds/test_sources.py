"""Each kind of source against services that answer in the form of the real ones."""

import hashlib
import io
import json
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest
from literature_server import Site, corpus_at, pubmed_set, quick_client, serving, statuses

from ingestion.feeds.catalogue import Corpus
from ingestion.feeds.client import NoConnection
from ingestion.feeds.fetching import GaveUp, Outcome, Wanted, fetch
from ingestion.feeds.listing import listed_names
from ingestion.feeds.stated import a_date
from ingestion.loaders import load
from ingestion.manifest import read_manifest
from ingestion.types import Metadata
from rag.errors import InvalidRequest

ITEM, FILE = "0f5a1a52-6b6c-4b8e-9d64-000000000001", "0f5a1a52-6b6c-4b8e-9d64-0000000000f1"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


def apache_index(site: Site, *names: str) -> bytes:
    rows = "".join(f'<a href="{name}">{name}</a>   2026-01-12 11:02   19M\n' for name in names)
    head = '<a href="?C=N;O=D">Name</a> <a href="/pubmed/">Parent Directory</a>\n'
    return f"<html><head><title>Index of /b</title></head><body><pre>{head}<hr>{rows}</pre></body></html>".encode()


def baseline(site: Site, *numbers: int) -> Corpus:
    names = []
    for number in numbers:
        name = f"pubmed26n{number:04d}.xml.gz"
        site.publish(f"/b/{name}", pubmed_set(number))
        names += [name, f"{name}.md5"]
    site.files["/b/"] = apache_index(site, "README.txt", *names)
    return corpus_at(site, "listing", "/b/", pattern=r"pubmed\d{2}n\d{4}\.xml\.gz")


def test_the_newest_files_of_a_directory_are_fetched_and_checked(site: Site, tmp_path: Path) -> None:
    corpus = baseline(site, 1, 2, 3)
    wanted = Wanted(files=2)
    assert statuses(corpus, wanted, tmp_path) == {
        "pubmed26n0003.xml.gz": "fetched",
        "pubmed26n0002.xml.gz": "fetched",
    }
    assert set(statuses(corpus, wanted, tmp_path).values()) == {"unchanged"}
    stated = read_manifest(tmp_path)[tmp_path / "pubmed26n0003.xml.gz"]
    assert stated.metadata == Metadata(publisher="Test Institution", licence="CC-BY-4.0")


def test_a_file_that_was_revised_at_its_source_is_fetched_again(site: Site, tmp_path: Path) -> None:
    corpus = baseline(site, 1, 2)
    statuses(corpus, Wanted(), tmp_path)
    site.publish("/b/pubmed26n0001.xml.gz", pubmed_set(1, 11))
    assert statuses(corpus, Wanted(), tmp_path) == {
        "pubmed26n0002.xml.gz": "unchanged",
        "pubmed26n0001.xml.gz": "fetched",
    }


def test_a_file_with_a_wrong_or_no_md5_fails_alone(site: Site, tmp_path: Path) -> None:
    corpus = baseline(site, 1, 2, 3)
    site.files["/b/pubmed26n0003.xml.gz.md5"] = b"MD5(x)= " + b"0" * 32
    site.files["/b/pubmed26n0002.xml.gz.md5"] = b"<html>sign in</html>"
    outcomes = fetch(corpus, Wanted(), tmp_path, client=quick_client())
    assert [outcome.status for outcome in outcomes] == ["failed", "failed", "fetched"]
    assert "the source states 0000" in (outcomes[0].reason or "")
    assert "holds no MD5" in (outcomes[1].reason or "")
    assert {path.name for path in tmp_path.glob("*.gz")} == {"pubmed26n0001.xml.gz"}


def test_links_that_lead_elsewhere_are_no_files() -> None:
    page = b'<a href="../pubmed26n0001.xml.gz">x</a><a href="https://example.org/pubmed26n0001.xml.gz">x</a>'
    pattern = re.compile(r"pubmed\d{2}n\d{4}\.xml\.gz")
    assert listed_names(page, pattern) == []
    assert listed_names(b"", pattern) == []


def test_a_source_that_fails_file_after_file_is_given_up(site: Site, tmp_path: Path) -> None:
    corpus = baseline(site, 1, 2, 3, 4, 5)
    for number in range(2, 6):
        site.refusals[f"/b/pubmed26n000{number}.xml.gz"] = [(503, {})] * 6
    with pytest.raises(GaveUp, match="3 in a row failed"):
        fetch(corpus, Wanted(), tmp_path, client=quick_client())
    assert site.asked_for("/b/pubmed26n0002.xml.gz") == []


def test_without_a_connection_the_way_over_another_machine_is_named(tmp_path: Path) -> None:
    nowhere = Site(address="http://127.0.0.1:9")
    corpus = corpus_at(nowhere, "pubmed-query", "/e/")
    said = (
        r"no connection to 127\.0\.0\.1 .* taiyi-rag corpus fetch test --query 'gout AND 2024\[dp\]' --limit 5 "
        r"--to there - .*: taiyi-rag ingest there$"
    )
    with pytest.raises(NoConnection, match=said):
        fetch(corpus, Wanted("gout AND 2024[dp]", 5), tmp_path / "there", client=quick_client())


# Books, publications, questions


def test_a_book_is_fetched_where_and_under_what_its_record_says(site: Site, tmp_path: Path) -> None:
    site.files["/media/book.pdf"] = b"%PDF-1.7 book"
    record = {
        "title": "Anatomy",
        "license_name": "Creative Commons Attribution License",
        "license_version": "4.0",
        "license_url": "https://creativecommons.org/licenses/by/4.0/",
        "high_resolution_pdf_url": f"{site.address}/media/book.pdf",
        "last_updated_pdf": "2025-03-01T10:00:00Z",
    }
    books = {"anatomy": [record], "unlicensed": [{**record, "license_name": None}]}
    site.services["/cms/"] = lambda asked: json.dumps({"items": books.get(asked["slug"], [])}).encode()
    corpus = corpus_at(site, "openstax", "/cms/", books=["anatomy", "unlicensed", "missing"], language="en")
    found = statuses(corpus, Wanted(), tmp_path)
    assert found == {"openstax-anatomy.pdf": "fetched", "unlicensed": "left out", "missing": "failed"}
    metadata = read_manifest(tmp_path)[tmp_path / "openstax-anatomy.pdf"].metadata
    assert metadata.published == "2025-03-01"
    assert metadata.licence == ("Creative Commons Attribution License 4.0 https://creativecommons.org/licenses/by/4.0/")


def repository(site: Site, rights: str | None, host: str | None = None, pages: int = 1) -> Corpus:
    site.files["/files/guide"] = content = b"%PDF-1.7 guideline"
    fields = {"dc.date.issued": [{"value": "2021"}], "dc.language.iso": [{"value": "en"}]}
    if rights:
        fields["dc.rights"] = [{"value": rights}]
    item = {"uuid": ITEM, "name": "Guideline", "handle": "10665/1", "metadata": fields}
    file = {
        "uuid": FILE,
        "name": "9789240-eng.PDF",
        "checkSum": {"checkSumAlgorithm": "MD5", "value": hashlib.md5(content, usedforsecurity=False).hexdigest()},
        "_links": {"content": {"href": f"{host or site.address}/files/guide"}},
    }
    licence_file = {**file, "name": "license.pdf"}
    bundles = [
        {"name": "LICENSE", "_embedded": {"bitstreams": {"_embedded": {"bitstreams": [licence_file]}}}},
        {"name": "ORIGINAL", "_embedded": {"bitstreams": {"_embedded": {"bitstreams": [file]}}}},
    ]

    def search(asked: dict[str, str]) -> bytes:
        assert asked["dsoType"] == "item"
        objects = [{"_embedded": {"indexableObject": item}}]
        result = {"page": {"totalPages": pages}, "_embedded": {"objects": objects}}
        return json.dumps({"_embedded": {"searchResult": result}}).encode()

    site.services["/api/discover/search/objects"] = search
    site.services[f"/api/core/items/{ITEM}"] = lambda asked: json.dumps(
        {"_embedded": {"bundles": {"_embedded": {"bundles": bundles}}}}
    ).encode()
    return corpus_at(site, "dspace-query", "/api/")


def test_a_publication_with_an_open_licence_is_fetched_with_what_its_record_states(site: Site, tmp_path: Path) -> None:
    name = f"test-{FILE}.pdf"
    corpus = repository(site, "CC BY-NC-SA 3.0 IGO", pages=2)
    assert statuses(corpus, Wanted("guide", limit=1), tmp_path) == {name: "fetched"}
    assert read_manifest(tmp_path)[tmp_path / name].metadata == Metadata(
        external_id="10665/1",
        title="Guideline",
        publisher="Test Institution",
        published="2021",
        language="en",
        licence="CC BY-NC-SA 3.0 IGO",
    )
    assert len(site.asked_for("/api/discover/search/objects")) == 1
    statuses(corpus, Wanted("guide"), tmp_path)
    assert len(site.asked_for("/api/discover/search/objects")) == 3


@pytest.mark.parametrize("rights", [None, "All rights reserved"])
def test_a_publication_without_an_open_licence_is_left_out(site: Site, tmp_path: Path, rights: str | None) -> None:
    assert statuses(repository(site, rights), Wanted("guide"), tmp_path) == {"10665/1": "left out"}


def test_a_file_on_another_host_than_the_repository_is_refused(site: Site, tmp_path: Path) -> None:
    corpus = repository(site, "CC BY 4.0", host="https://example.org")
    assert statuses(corpus, Wanted("guide"), tmp_path) == {"10665/1": "failed"}


def test_questions_with_answers_become_documents(site: Site, tmp_path: Path) -> None:
    document = (
        '<?xml version="1.0"?><Document id="7" source="CDC" url="https://example.org/flu"><QAPairs>'
        '<QAPair pid="1"><Question qid="7-1">What is flu ?</Question><Answer>A\n   disease.</Answer></QAPair>'
        '<QAPair pid="2"><Question qid="7-2">Who gets it ?</Question><Answer/></QAPair></QAPairs></Document>'
    )
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("MedQuAD-master/readme.txt", "x")
        archive.writestr("MedQuAD-master/9_CDC_QA/0000007.xml", document)
        archive.writestr("../../9_CDC_QA/evil.xml", document)
    site.files["/m.zip"] = packed.getvalue()
    corpus = corpus_at(site, "medquad", "/m.zip")
    assert statuses(corpus, Wanted(), tmp_path) == {"medquad-9_CDC_QA.jsonl": "fetched"}
    (loaded,) = load(tmp_path / "medquad-9_CDC_QA.jsonl")
    assert [block.text for block in loaded.blocks] == ["What is flu ?", "A disease."]
    assert (loaded.metadata.external_id, loaded.metadata.publisher) == ("medquad-7-1", "CDC")
    assert statuses(corpus, Wanted(), tmp_path) == {"medquad-9_CDC_QA.jsonl": "unchanged"}
    assert {path.name for path in tmp_path.iterdir()} == {".fetch", "manifest.toml", "medquad-9_CDC_QA.jsonl"}


def test_fixed_files_state_what_the_list_says_of_them(site: Site, tmp_path: Path) -> None:
    site.files["/g.pdf"] = b"%PDF-1.7"
    file = {"name": "g.pdf", "url": f"{site.address}/g.pdf", "title": "Guide", "published": "2021-07-23"}
    assert statuses(corpus_at(site, "files", "/", file=[file]), Wanted(), tmp_path) == {"g.pdf": "fetched"}
    assert read_manifest(tmp_path)[tmp_path / "g.pdf"].metadata.title == "Guide"


@pytest.mark.parametrize(
    ("kind", "wanted", "reason"),
    [
        ("pubmed-query", Wanted(), "add --query"),
        ("pubmed-query", Wanted("gout", files=1), "use --limit"),
        ("listing", Wanted("gout"), "not fetched by a search"),
        ("medquad", Wanted(files=1), "whole"),
    ],
)
def test_what_does_not_suit_a_corpus_is_refused(tmp_path: Path, kind: str, wanted: Wanted, reason: str) -> None:
    with pytest.raises(InvalidRequest, match=reason):
        fetch(corpus_at(Site(), kind, ""), wanted, tmp_path / "to")
    assert not (tmp_path / "to").exists()


@pytest.mark.parametrize(
    ("stated", "date"),
    [("2021", "2021"), ("2021-05-02T10:00:00Z", "2021-05-02"), ("2021-13", None), ("May 2021", None), (None, None)],
)
def test_a_date_is_taken_where_it_is_one(stated: str | None, date: str | None) -> None:
    assert a_date(stated) == date


def test_each_outcome_is_told_as_it_comes(site: Site, tmp_path: Path) -> None:
    told: list[Outcome] = []
    corpus = baseline(site, 1, 2)
    assert fetch(corpus, Wanted(), tmp_path, on_outcome=told.append, client=quick_client()) == told
    assert len(told) == 2
