import re
from pathlib import Path

import pytest

from ingestion.feeds.catalogue import QUERY_KINDS, corpus_named, read_catalogue
from ingestion.feeds.folder import checked_name
from ingestion.feeds.stated import a_date
from rag.errors import InvalidRequest, NotFound

CORPORA = read_catalogue()


@pytest.mark.parametrize("corpus", CORPORA, ids=lambda corpus: corpus.name)
def test_every_corpus_says_under_which_terms_and_how_it_is_fetched(corpus) -> None:  # type: ignore[no-untyped-def]
    assert re.fullmatch(r"[a-z0-9-]+", corpus.name)
    assert corpus.licence
    for address in (corpus.licence_url, corpus.homepage, *(file.url for file in corpus.files)):
        assert address.startswith("https://")
    assert corpus.address.startswith("https://") or corpus.kind == "files"
    assert (corpus.kind in QUERY_KINDS) == bool(corpus.example_query)
    assert (corpus.kind == "listing") == bool(corpus.pattern)
    assert (corpus.kind == "pmc-query") == bool(corpus.files_address and corpus.search_filter)
    assert (corpus.kind == "openstax") == bool(corpus.books)
    assert (corpus.kind == "files") == bool(corpus.files)
    for file in corpus.files:
        assert checked_name(file.name) == file.name
        assert a_date(file.published) == file.published


def test_names_are_given_once() -> None:
    assert len({corpus.name for corpus in CORPORA}) == len(CORPORA)


def test_an_unknown_name_is_answered_with_those_there_are() -> None:
    with pytest.raises(NotFound, match=r"no corpus 'uptodate'; there are pubmed-baseline, "):
        corpus_named("uptodate", CORPORA)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("[[corpus", "list.toml"),
        ('[[corpus]]\nname = "x"', "list.toml, corpus 1: title: Field required"),
        ('[[corpus]]\naddress = "ftp://x"', "is not an https address"),
    ],
)
def test_a_wrong_list_is_named(tmp_path: Path, text: str, reason: str) -> None:
    path = tmp_path / "list.toml"
    path.write_text(text)
    with pytest.raises(InvalidRequest, match=reason):
        read_catalogue(path)


def test_a_missing_list_says_what_to_do(tmp_path: Path) -> None:
    with pytest.raises(InvalidRequest, match="install taiyi-rag again"):
        read_catalogue(tmp_path / "none.toml")
