"""A server on this machine that behaves, and misbehaves, as those that publish literature."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from ingestion.feeds.catalogue import Corpus
from ingestion.feeds.client import PoliteClient
from ingestion.feeds.entrez import NcbiAccess
from ingestion.feeds.fetching import Wanted, fetch


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    fields: dict[str, str]
    headers: Message


@dataclass
class Site:
    """What is published: ``files`` by path, ``services`` by path that answer to the fields asked.

    ``cut_at`` ends an answer after so many bytes of the body, once for each number in the list; ``refusals`` are
    answered first, status and headers, one a request; ``byte_pause_s`` slows the body down.
    """

    address: str = ""
    files: dict[str, bytes] = field(default_factory=dict)
    services: dict[str, Callable[[dict[str, str]], bytes]] = field(default_factory=dict)
    cut_at: dict[str, list[int]] = field(default_factory=lambda: defaultdict(list))
    refusals: dict[str, list[tuple[int, dict[str, str]]]] = field(default_factory=lambda: defaultdict(list))
    redirects: dict[str, str] = field(default_factory=dict)
    etags: bool = True
    ranges: bool = True
    chunk_pause_s: float = 0
    asked: list[Asked] = field(default_factory=list)

    def publish(self, path: str, content: bytes) -> str:
        """A file with its MD5 beside it, in NCBI's form; the address of the file."""
        self.files[path] = content
        name = path.rpartition("/")[2]
        self.files[f"{path}.md5"] = f"MD5({name})= {hashlib.md5(content, usedforsecurity=False).hexdigest()}\n".encode()
        return f"{self.address}{path}"

    def asked_for(self, path: str) -> list[Asked]:
        return [one for one in self.asked if one.path == path]


@contextmanager
def serving() -> Iterator[Site]:
    site = Site()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            self._answer({})

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            self._answer(dict(parse_qsl(body)))

        def _answer(self, form: dict[str, str]) -> None:
            parts = urlsplit(self.path)
            fields = {**dict(parse_qsl(parts.query)), **form}
            site.asked.append(Asked(self.command, parts.path, fields, self.headers))
            if site.refusals[parts.path]:
                self._send(*site.refusals[parts.path].pop(0), b"not now")
            elif parts.path in site.redirects:
                self._send(302, {"Location": site.redirects[parts.path]}, b"")
            elif parts.path in site.services:
                self._send(200, {}, site.services[parts.path](fields))
            elif parts.path in site.files:
                self._file(site.files[parts.path], parts.path)
            else:
                self._send(404, {}, b"")

        def _file(self, content: bytes, path: str) -> None:
            etag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
            headers = {"ETag": etag} if site.etags else {}
            if self.headers.get("If-None-Match") == etag:
                self._send(304, headers, b"")
                return
            asked = self.headers.get("Range", "")
            same = self.headers.get("If-Range", etag) == etag
            if not (site.ranges and asked and same):
                self._send(200, headers, content, path)
                return
            start = int(asked.removeprefix("bytes=").rstrip("-"))
            if start >= len(content):
                self._send(416, {"Content-Range": f"bytes */{len(content)}"}, b"")
                return
            whole = f"bytes {start}-{len(content) - 1}/{len(content)}"
            self._send(206, {**headers, "Content-Range": whole}, content[start:], path)

        def _send(self, status: int, headers: dict[str, str], body: bytes, path: str = "") -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            until = site.cut_at[path].pop(0) if site.cut_at[path] else None
            for at in range(0, len(body[:until]), 65536):
                self.wfile.write(body[:until][at : at + 65536])
                time.sleep(site.chunk_pause_s)
            if until is not None:
                self.close_connection = True

        def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except ConnectionError:
                self.close_connection = True

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    site.address = f"http://127.0.0.1:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield site
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@cache
def quick_client() -> PoliteClient:
    """One for all tests, without the pauses that a real host is owed; it stays open to the end."""
    return PoliteClient(pause_s=0, backoff_s=0.01)


def corpus_at(site: Site, kind: str, path: str, **fields: Any) -> Corpus:
    return Corpus.model_validate(
        {
            "name": "test",
            "title": "Test",
            "description": "Test",
            "publisher": "Test Institution",
            "licence": "CC-BY-4.0",
            "licence_url": "https://example.org/terms",
            "homepage": "https://example.org/",
            "address": f"{site.address}{path}",
            "kind": kind,
            "format": "pubmed",
            "max_file_mb": 16,
            **fields,
        }
    )


def statuses(corpus: Corpus, wanted: Wanted, to: Path, access: NcbiAccess | None = None) -> dict[str, str]:
    outcomes = fetch(corpus, wanted, to, access or NcbiAccess(), client=quick_client())
    return {outcome.name: outcome.status for outcome in outcomes}


def pubmed_set(*numbers: int) -> bytes:
    records = "".join(
        f"<PubmedArticle><MedlineCitation><PMID>{number}</PMID><Article><ArticleTitle>Study {number}</ArticleTitle>"
        f"</Article></MedlineCitation></PubmedArticle>"
        for number in numbers
    )
    return f'<?xml version="1.0"?><PubmedArticleSet>{records}</PubmedArticleSet>'.encode()
