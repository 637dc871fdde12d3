"""One file, fetched to the end: continued where an earlier attempt stopped, checked while it streams, then renamed.

What is continued must be the same file: the server is asked for the rest only ``If-Range`` its ETag (or date) is that
of the beginning, and the whole is held against the checksum that the source publishes.
"""

import hashlib
import json
import re
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path

import httpx

from ingestion.feeds.client import PoliteClient, Refused
from ingestion.feeds.folder import CorpusFolder, Kept
from ingestion.types import Metadata
from rag.errors import TooLarge

_CONTENT_RANGE = re.compile(r"bytes (\d+)-\d+/(\d+|\*)")


@dataclass(frozen=True, slots=True)
class Remote:
    """A file to fetch. ``checksum`` is ``md5:...`` or ``sha256:...`` as the source publishes it."""

    name: str
    url: str
    max_bytes: int
    checksum: str | None = None
    metadata: Metadata = field(default_factory=Metadata)


@dataclass(frozen=True, slots=True)
class _Beginning:
    """What the server said of the file whose beginning is in the part."""

    url: str = ""
    etag: str | None = None
    modified: str | None = None

    @property
    def validator(self) -> str | None:
        """For ``If-Range``: a strong ETag, else the date."""
        return self.etag if self.etag and not self.etag.startswith("W/") else self.modified


class _Damaged(Exception):
    """What was fetched is not the file that the source means."""


class _Digests:
    """The digests of the bytes that went by."""

    def __init__(self) -> None:
        self.sha256 = hashlib.sha256()
        self._md5 = hashlib.md5(usedforsecurity=False)

    def update(self, content: bytes) -> None:
        self.sha256.update(content)
        self._md5.update(content)

    def read(self, path: Path) -> None:
        with path.open("rb") as file:
            while content := file.read(2**20):
                self.update(content)

    def check(self, checksum: str | None) -> None:
        """Raises _Damaged where these are not the bytes that the source states."""
        algorithm, _, expected = (checksum or "").partition(":")
        found = {"sha256": self.sha256, "md5": self._md5}[algorithm].hexdigest() if checksum else ""
        if found != expected.lower():
            raise _Damaged(f"its {algorithm} is {found}, the source states {expected}")


def download(remote: Remote, folder: CorpusFolder, client: PoliteClient) -> tuple[Kept, bool]:
    """The finished file, and whether anything was fetched for it.

    A file that is there, intact, and that the source has not changed is left alone. One that does not have the stated
    checksum is fetched a second time from its start, then refused. Raises NoConnection, Unavailable, Refused, TooLarge.
    """
    kept = folder.intact(remote.name)
    if kept is not None and client.persist(lambda: _is_current(kept, remote, client)):
        folder.restate(replace(kept, metadata=remote.metadata))
        return kept, False
    try:
        return client.persist(lambda: _attempt(remote, folder, client)), True
    except _Damaged:
        _forget(folder.part(remote.name))
    try:
        return client.persist(lambda: _attempt(remote, folder, client)), True
    except _Damaged as error:
        _forget(folder.part(remote.name))
        raise Refused(
            f"{remote.name} came damaged twice: {error}; nothing of it was kept, fetch it again later"
        ) from None


def _is_current(kept: Kept, remote: Remote, client: PoliteClient) -> bool:
    """Whether the source still has this file: by its checksum, or else by what its server says."""
    if kept.url != remote.url or kept.checksum != remote.checksum:
        return False
    if remote.checksum:
        return True
    if not (kept.etag or kept.modified):
        return False
    headers = {"If-None-Match": kept.etag} if kept.etag else {"If-Modified-Since": kept.modified or ""}
    with client.stream(kept.url, headers) as response:
        return response.status_code == 304


def _attempt(remote: Remote, folder: CorpusFolder, client: PoliteClient) -> Kept:
    part = folder.part(remote.name)
    beginning = _read_beginning(part, remote)
    start = part.stat().st_size if part.is_file() else 0
    if beginning.validator is None and remote.checksum is None:
        start = 0
    headers = {"Range": f"bytes={start}-"} if start else {}
    if start and beginning.validator:
        headers["If-Range"] = beginning.validator
    digests = _Digests()
    with client.stream(remote.url, headers) as response:
        if response.status_code == 416:
            if response.headers.get("Content-Range") != f"bytes */{start}":
                raise _Damaged("it is shorter at its source than what was fetched of it")
            digests.read(part)
        else:
            start, total = _continuation(response, start, beginning)
            if start:
                digests.read(part)
            else:
                beginning = _begin(part, response, remote)
            _write(response, part, start, total, digests, remote, folder)
    digests.check(remote.checksum)
    stat = part.stat()
    kept = folder.keep(
        Kept(
            name=remote.name,
            url=remote.url,
            sha256=digests.sha256.hexdigest(),
            size=stat.st_size,
            mtime_ns=stat.st_mtime_ns,
            checksum=remote.checksum,
            etag=beginning.etag,
            modified=beginning.modified,
            metadata=remote.metadata,
        )
    )
    _notes(part).unlink(missing_ok=True)
    return kept


def _continuation(response: httpx.Response, start: int, beginning: _Beginning) -> tuple[int, int | None]:
    """From which byte on the answer goes, and how long the whole is. Raises _Damaged where it does not fit."""
    if response.status_code == 200:
        length = response.headers.get("Content-Length", "")
        return 0, int(length) if length.isdecimal() else None
    stated = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    same = beginning.etag is None or response.headers.get("ETag", beginning.etag) == beginning.etag
    if response.status_code != 206 or stated is None or int(stated[1]) != start or not same:
        raise _Damaged("the server goes on with something else than it was asked for")
    return start, int(stated[2]) if stated[2] != "*" else None


def _write(
    response: httpx.Response,
    part: Path,
    start: int,
    total: int | None,
    digests: _Digests,
    remote: Remote,
    folder: CorpusFolder,
) -> None:
    if total is not None:
        _refuse_over(total, remote)
        folder.make_room(total - start)
    size = start
    with part.open("r+b" if start else "wb") as file:
        file.seek(start)
        for chunk in response.iter_raw():
            size += len(chunk)
            _refuse_over(size, remote)
            file.write(chunk)
            file.flush()
            digests.update(chunk)
    if total is not None and size != total:
        raise _Damaged(f"it has {size} bytes and the server stated {total}")


def _refuse_over(size: int, remote: Remote) -> None:
    if size > remote.max_bytes:
        raise TooLarge(f"{remote.name} is larger than the {remote.max_bytes // 2**20} MB that such a file may have")


def _begin(part: Path, response: httpx.Response, remote: Remote) -> _Beginning:
    """Notes what is being fetched before its first byte is written."""
    beginning = _Beginning(remote.url, response.headers.get("ETag"), response.headers.get("Last-Modified"))
    part.unlink(missing_ok=True)
    _notes(part).write_text(json.dumps(asdict(beginning)), encoding="utf-8")
    return beginning


def _read_beginning(part: Path, remote: Remote) -> _Beginning:
    """What is noted of the part; a part without a note, or of another address, is forgotten."""
    try:
        noted = _Beginning(**json.loads(_notes(part).read_text(encoding="utf-8")))
    except (OSError, ValueError, TypeError):
        noted = _Beginning()
    if noted.url != remote.url:
        _forget(part)
        return _Beginning()
    return noted


def _notes(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _forget(part: Path) -> None:
    part.unlink(missing_ok=True)
    _notes(part).unlink(missing_ok=True)
