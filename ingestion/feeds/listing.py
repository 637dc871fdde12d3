"""Files of a web directory with an MD5 beside each, as NCBI publishes PubMed, and files at fixed addresses."""

import re
from functools import partial
from urllib.parse import urljoin

from lxml import etree, html

from ingestion.feeds.client import Refused
from ingestion.feeds.download import Remote
from ingestion.feeds.fetching import Run
from ingestion.types import Metadata

_MD5 = re.compile(rb"\b([0-9a-fA-F]{32})\b")


def fetch_listing(run: Run) -> None:
    """The files whose name matches the corpus's pattern, newest (last by name) first, each held against its MD5."""
    corpus = run.corpus
    pattern = re.compile(corpus.pattern or "")
    names = listed_names(run.client.get(corpus.address), pattern)
    if not names:
        raise Refused(f"{corpus.address} lists no file like {pattern.pattern}; see {corpus.homepage}")
    metadata = Metadata(publisher=corpus.publisher, licence=corpus.licence, language=corpus.language)
    for name in names[: run.wanted.files]:
        run.attempt(name, partial(_file, run, name, metadata))


def listed_names(page: bytes, pattern: re.Pattern[str]) -> list[str]:
    """The file names that a directory's page links to and that match, last by name first."""
    try:
        links = [link.strip() for link in html.fromstring(page).xpath("//a/@href")]
    except etree.ParserError:
        return []
    return sorted({link for link in links if pattern.fullmatch(link)}, reverse=True)


def fetch_files(run: Run) -> None:
    """The files of the corpus's list."""
    for file in run.corpus.files[: run.wanted.files]:
        metadata = Metadata(
            title=file.title,
            publisher=run.corpus.publisher,
            published=file.published,
            licence=run.corpus.licence,
            language=run.corpus.language,
            url=file.url,
        )
        checksum = f"sha256:{file.sha256}" if file.sha256 else None
        run.download(Remote(file.name, file.url, run.corpus.max_bytes, checksum, metadata))


def _file(run: Run, name: str, metadata: Metadata) -> None:
    url = urljoin(run.corpus.address, name)
    stated = _MD5.search(run.client.get(f"{url}.md5", max_bytes=4096))
    if stated is None:
        raise Refused(f"{name}.md5 holds no MD5; {name} was not fetched, since it could not be checked")
    run.download(Remote(name, url, run.corpus.max_bytes, f"md5:{stated[1].decode().lower()}", metadata))
