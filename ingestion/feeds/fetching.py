"""Fetching a corpus: what was asked for, what became of each file, and the run that the kinds of source share."""

import hashlib
import shlex
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

from ingestion.feeds.catalogue import Corpus
from ingestion.feeds.client import NoConnection, PoliteClient, Refused
from ingestion.feeds.download import Remote, download
from ingestion.feeds.entrez import NcbiAccess
from ingestion.feeds.folder import CorpusFolder, Kept, checked_name, open_folder
from ingestion.types import Metadata
from rag.errors import InvalidRequest, TooLarge, Unavailable

GIVE_UP_AFTER = 3
FileStatus = Literal["fetched", "unchanged", "left out", "failed"]


class GaveUp(Unavailable):
    """The source answers, but no longer with files."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to fetch of a corpus: a search and how many records at most, or how many files at most."""

    query: str | None = None
    limit: int | None = None
    files: int | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a file. ``left out`` is what the source lists and may not or cannot give."""

    name: str
    status: FileStatus
    reason: str | None = None
    url: str | None = None
    sha256: str | None = None
    size: int | None = None


@dataclass(slots=True)
class Run:
    """One fetch: where to, over which client, and the outcomes so far."""

    corpus: Corpus
    wanted: Wanted
    folder: CorpusFolder
    client: PoliteClient
    ncbi: NcbiAccess
    on_outcome: Callable[[Outcome], None] = lambda outcome: None
    outcomes: list[Outcome] = field(default_factory=list)
    _unavailable_in_a_row: int = 0

    def download(self, remote: Remote) -> None:
        """Fetches a file; one that fails alone is noted and the run goes on. Raises as ``attempt`` does."""
        self.attempt(remote.name, partial(self._download, remote))

    def attempt(self, name: str, step: Callable[[], None]) -> None:
        """Takes a step for a file, noting its failure. Raises NoConnection, or GaveUp after three in a row."""
        try:
            step()
        except (NoConnection, GaveUp):
            raise
        except (Refused, TooLarge, InvalidRequest) as error:
            self.note(Outcome(name, "failed", str(error)))
        except Unavailable as error:
            in_a_row = self._unavailable_in_a_row + 1
            self.note(Outcome(name, "failed", str(error)))
            self._unavailable_in_a_row = in_a_row
            if in_a_row >= GIVE_UP_AFTER:
                raise GaveUp(f"{error}; {in_a_row} in a row failed, run the same command again later") from None

    def write(self, name: str, content: bytes, url: str, metadata: Metadata, covers: tuple[str, ...] = ()) -> None:
        """A finished file made of what was fetched."""
        sha256 = hashlib.sha256(content).hexdigest()
        kept = self.folder.intact(name)
        if kept is not None and kept.sha256 == sha256 and kept.metadata == metadata:
            self.note(Outcome(name, "unchanged", None, url, sha256, kept.size))
            return
        self.folder.make_room(len(content))
        part = self.folder.part(name)
        part.write_bytes(content)
        stat = part.stat()
        made = Kept(name, url, sha256, stat.st_size, stat.st_mtime_ns, covers=covers, metadata=metadata)
        self.folder.keep(made)
        self.note(Outcome(name, "fetched", None, url, sha256, made.size))

    def leave_out(self, name: str, reason: str) -> None:
        self.note(Outcome(name, "left out", reason))

    def note(self, outcome: Outcome) -> None:
        self._unavailable_in_a_row = 0
        self.outcomes.append(outcome)
        self.on_outcome(outcome)

    def _download(self, remote: Remote) -> None:
        checked_name(remote.name)
        kept, fetched = download(remote, self.folder, self.client)
        status: FileStatus = "fetched" if fetched else "unchanged"
        self.note(Outcome(remote.name, status, None, remote.url, kept.sha256, kept.size))


def fetch(
    corpus: Corpus,
    wanted: Wanted,
    to: Path,
    ncbi: NcbiAccess | None = None,
    on_outcome: Callable[[Outcome], None] = lambda outcome: None,
    client: PoliteClient | None = None,
) -> list[Outcome]:
    """Fetches a corpus into the folder ``to``, going on where an earlier run stopped.

    Uses ``client``, which stays open, or one of its own that keeps the pace of the corpus. Raises InvalidRequest
    where ``wanted`` does not suit the corpus, Unavailable where the source does not answer; what
    was finished by then stays.
    """
    _check(corpus, wanted)
    ncbi = ncbi or NcbiAccess()
    pause_s = ncbi.pause_s if corpus.kind in ("pubmed-query", "pmc-query") else 1 / corpus.requests_per_second
    opening = nullcontext(client) if client else PoliteClient(pause_s, contact=ncbi.email)
    with open_folder(to) as folder, opening as opened:
        run = Run(corpus, wanted, folder, opened, ncbi, on_outcome)
        try:
            _fetch_kind(run)
        except NoConnection as error:
            raise NoConnection(f"{error}; {_from_elsewhere(corpus, wanted, to)}") from error
    return run.outcomes


def _fetch_kind(run: Run) -> None:
    match run.corpus.kind:
        case "listing":
            from ingestion.feeds.listing import fetch_listing

            fetch_listing(run)
        case "files":
            from ingestion.feeds.listing import fetch_files

            fetch_files(run)
        case "pubmed-query":
            from ingestion.feeds.pubmed import fetch_pubmed

            fetch_pubmed(run)
        case "pmc-query":
            from ingestion.feeds.pmc import fetch_pmc

            fetch_pmc(run)
        case "openstax":
            from ingestion.feeds.openstax import fetch_openstax

            fetch_openstax(run)
        case "dspace-query":
            from ingestion.feeds.dspace import fetch_dspace

            fetch_dspace(run)
        case "medquad":
            from ingestion.feeds.medquad import fetch_medquad

            fetch_medquad(run)


def _check(corpus: Corpus, wanted: Wanted) -> None:
    if corpus.is_query and not (wanted.query or "").strip():
        raise InvalidRequest(f"{corpus.name} is fetched by a search: add --query {corpus.example_query!r}")
    if not corpus.is_query and (wanted.query or wanted.limit):
        raise InvalidRequest(f"{corpus.name} is not fetched by a search; --query and --limit are for searches")
    if wanted.files and corpus.kind not in ("listing", "files", "openstax"):
        instead = "by a search; use --limit instead of --files" if corpus.is_query else "whole, without --files"
        raise InvalidRequest(f"{corpus.name} is fetched {instead}")


def _from_elsewhere(corpus: Corpus, wanted: Wanted, to: Path) -> str:
    options = {"query": wanted.query, "limit": wanted.limit, "files": wanted.files}
    stated = "".join(f" --{name} {shlex.quote(str(value))}" for name, value in options.items() if value)
    return (
        f"on a machine with internet run: taiyi-rag corpus fetch {corpus.name}{stated} --to {to.name} - "
        f"then copy that folder here and run: taiyi-rag ingest {to.name}"
    )
