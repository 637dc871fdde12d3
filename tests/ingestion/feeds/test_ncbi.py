"""PubMed and PubMed Central against services that answer in the form of theirs."""

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from literature_server import Site, corpus_at, pubmed_set, serving, statuses
from pydantic import SecretStr

from ingestion.feeds.catalogue import Corpus
from ingestion.feeds.entrez import NcbiAccess
from ingestion.feeds.fetching import Wanted
from ingestion.loaders import load
from ingestion.manifest import read_manifest
from ingestion.types import Metadata
from rag.errors import InvalidRequest

BUCKET = "http://s3.amazonaws.com/doc/2006-03-01/"


@pytest.fixture
def site() -> Iterator[Site]:
    with serving() as opened:
        yield opened


class Ncbi:
    """esearch, epost and efetch over some records, newest first; ``gone`` are found and never given."""

    def __init__(self, site: Site, records: list[int]) -> None:
        self.records, self.gone = records, set[int]()
        self._sets: list[list[int]] = []
        site.services |= {"/e/esearch.fcgi": self.search, "/e/epost.fcgi": self.post, "/e/efetch.fcgi": self.fetch}

    def search(self, fields: dict[str, str]) -> bytes:
        assert fields["usehistory"] == "y"
        ids = "".join(f"<Id>{number}</Id>" for number in self.records[: int(fields["retmax"])])
        return (
            '<?xml version="1.0"?><!DOCTYPE eSearchResult PUBLIC "-//NLM//DTD esearch//EN" "https://example.org/e.dtd">'
            f"<eSearchResult><Count>{len(self.records)}</Count><RetStart>0</RetStart>{self._kept(self.records)}"
            f"<IdList>{ids}</IdList></eSearchResult>"
        ).encode()

    def post(self, fields: dict[str, str]) -> bytes:
        numbers = [int(number) for number in fields["id"].split(",")]
        return f"<ePostResult>{self._kept(numbers)}</ePostResult>".encode()

    def fetch(self, fields: dict[str, str]) -> bytes:
        start, count = int(fields["retstart"]), int(fields["retmax"])
        numbers = self._sets[int(fields["WebEnv"])][start : start + count]
        return pubmed_set(*(number for number in numbers if number not in self.gone))

    def _kept(self, numbers: list[int]) -> str:
        self._sets.append(numbers)
        return f"<QueryKey>1</QueryKey><WebEnv>{len(self._sets) - 1}</WebEnv>"


def records_in(folder: Path) -> list[str | None]:
    return sorted(one.metadata.pmid for path in folder.glob("pubmed-*.xml") for one in load(path) if one.metadata.pmid)


# PubMed


def test_a_search_is_fetched_by_pages_of_the_set_on_the_server(site: Site, tmp_path: Path) -> None:
    Ncbi(site, list(range(1450, 1000, -1)))
    access = NcbiAccess(email="library@example.org", api_key=SecretStr("k3y"))
    corpus = corpus_at(site, "pubmed-query", "/e/")
    assert list(statuses(corpus, Wanted("gout"), tmp_path, access).values()) == ["fetched"] * 3
    assert records_in(tmp_path) == [str(number) for number in range(1001, 1451)]
    pages = [(asked.fields["retstart"], asked.fields["retmax"]) for asked in site.asked_for("/e/efetch.fcgi")]
    assert pages == [("0", "200"), ("200", "200"), ("400", "50")]
    for asked in site.asked:
        assert (asked.method, asked.fields["db"], asked.fields["tool"]) == ("POST", "pubmed", "taiyi-rag")
        assert (asked.fields["email"], asked.fields["api_key"]) == ("library@example.org", "k3y")


def test_a_later_search_fetches_only_the_records_that_are_new(site: Site, tmp_path: Path) -> None:
    ncbi = Ncbi(site, [5, 4, 3])
    corpus = corpus_at(site, "pubmed-query", "/e/")
    statuses(corpus, Wanted("gout"), tmp_path)
    ncbi.records = [7, 6, 5, 4, 3]
    site.asked.clear()
    assert list(statuses(corpus, Wanted("gout"), tmp_path).values()) == ["fetched"]
    assert site.asked_for("/e/epost.fcgi")[0].fields["id"] == "7,6"
    assert records_in(tmp_path) == ["3", "4", "5", "6", "7"]
    site.asked.clear()
    assert statuses(corpus, Wanted("gout"), tmp_path) == {}
    assert site.asked_for("/e/efetch.fcgi") == []


def test_limit_takes_the_first_records(site: Site, tmp_path: Path) -> None:
    Ncbi(site, [5, 4, 3, 2, 1])
    statuses(corpus_at(site, "pubmed-query", "/e/"), Wanted("gout", limit=2), tmp_path)
    assert records_in(tmp_path) == ["4", "5"]


def test_a_record_that_is_found_and_not_given_is_named(site: Site, tmp_path: Path) -> None:
    Ncbi(site, [5, 4, 3]).gone = {4}
    found = statuses(corpus_at(site, "pubmed-query", "/e/"), Wanted("gout"), tmp_path)
    assert found.pop("PMID 4") == "left out"
    assert list(found.values()) == ["fetched"]


def test_a_search_too_large_for_the_service_is_refused_with_a_way_out(site: Site, tmp_path: Path) -> None:
    Ncbi(site, list(range(10_000)))
    with pytest.raises(InvalidRequest, match=r"finds 10000 records and NCBI gives the first 9999 .* 2024\[dp\]"):
        statuses(corpus_at(site, "pubmed-query", "/e/"), Wanted("gout"), tmp_path)


def test_an_error_within_a_good_answer_is_an_error(site: Site, tmp_path: Path) -> None:
    site.files["/e/esearch.fcgi"] = b"<eSearchResult><ERROR>Search Backend failed</ERROR></eSearchResult>"
    with pytest.raises(Exception, match=r"NCBI esearch\.fcgi answers: Search Backend failed"):
        statuses(corpus_at(site, "pubmed-query", "/e/"), Wanted("gout"), tmp_path)


def test_an_expired_set_is_no_file(site: Site, tmp_path: Path) -> None:
    Ncbi(site, [3, 2])
    site.services["/e/efetch.fcgi"] = lambda fields: (
        b"<eFetchResult><ERROR>Unable to obtain query</ERROR></eFetchResult>"
    )
    assert statuses(corpus_at(site, "pubmed-query", "/e/"), Wanted("gout"), tmp_path) == {"records 1 to 2": "failed"}
    assert records_in(tmp_path) == []


# PubMed Central


def publish_article(site: Site, number: int, version: int = 1, **fields: Any) -> None:
    key = f"PMC{number}.{version}"
    content = f"<article><front/><body><p>Text {key}</p></body></article>".encode()
    site.files[f"/{key}/{key}.xml"] = content
    md5 = hashlib.md5(content, usedforsecurity=False).hexdigest()
    record = {
        "pmcid": f"PMC{number}",
        "version": version,
        "is_pmc_openaccess": True,
        "is_manuscript": False,
        "is_retracted": False,
        "license_code": "CC BY",
        "xml_url": f"s3://pmc-oa-opendata/{key}/{key}.xml?md5={md5}",
        **fields,
    }
    site.files[f"/metadata/{key}.json"] = json.dumps(record).encode()


def pmc(site: Site, *numbers: int, **fields: Any) -> Corpus:
    ncbi = Ncbi(site, list(numbers))
    assert ncbi.records

    def listed(asked: dict[str, str]) -> bytes:
        keys = sorted({path.split("/")[1] for path in site.files if path.startswith(f"/{asked['prefix']}")})
        prefixes = "".join(f"<CommonPrefixes><Prefix>{key}/</Prefix></CommonPrefixes>" for key in keys)
        return f'<ListBucketResult xmlns="{BUCKET}">{prefixes}</ListBucketResult>'.encode()

    site.services["/"] = listed
    search_filter = "open_access[filter]"
    return corpus_at(site, "pmc-query", "/e/", files_address=f"{site.address}/", search_filter=search_filter, **fields)


def test_an_article_is_fetched_with_its_own_licence(site: Site, tmp_path: Path) -> None:
    publish_article(site, 11, license_code="CC BY-NC")
    corpus = pmc(site, 11)
    assert statuses(corpus, Wanted("gout OR urate"), tmp_path) == {"PMC11.1.xml": "fetched"}
    assert site.asked_for("/e/esearch.fcgi")[0].fields["term"] == "(gout OR urate) AND open_access[filter]"
    assert read_manifest(tmp_path)[tmp_path / "PMC11.1.xml"].metadata == Metadata(
        url="https://pmc.ncbi.nlm.nih.gov/articles/PMC11/", pmcid="PMC11", licence="CC BY-NC"
    )
    assert statuses(corpus, Wanted("gout OR urate"), tmp_path) == {"PMC11.1.xml": "unchanged"}


def test_a_retraction_is_stated_also_of_an_article_that_is_there(site: Site, tmp_path: Path) -> None:
    publish_article(site, 11)
    corpus = pmc(site, 11)
    statuses(corpus, Wanted("gout"), tmp_path)
    publish_article(site, 11, is_retracted=True)
    assert statuses(corpus, Wanted("gout"), tmp_path) == {"PMC11.1.xml": "unchanged"}
    assert "Retracted" in (read_manifest(tmp_path)[tmp_path / "PMC11.1.xml"].metadata.retraction or "")


def test_the_last_published_version_goes_before_a_manuscript(site: Site, tmp_path: Path) -> None:
    publish_article(site, 11, 2)
    publish_article(site, 11, 10)
    publish_article(site, 11, 12, is_manuscript=True)
    publish_article(site, 111, 99)
    assert list(statuses(pmc(site, 11), Wanted("gout"), tmp_path)) == ["PMC11.10.xml"]


@pytest.mark.parametrize(
    "fields",
    [
        {"is_pmc_openaccess": False},
        {"license_code": None},
        {"license_code": "CC BY-NC"},
        {"xml_url": None},
        {"xml_url": "s3://pmc-oa-opendata/../../etc/passwd"},
    ],
)
def test_what_the_corpus_may_not_hold_is_left_out(site: Site, tmp_path: Path, fields: dict[str, Any]) -> None:
    publish_article(site, 11, **fields)
    publish_article(site, 12)
    found = statuses(pmc(site, 11, 12, licences=["CC BY"]), Wanted("gout"), tmp_path)
    assert found == {"PMC11": "left out", "PMC12.1.xml": "fetched"}
