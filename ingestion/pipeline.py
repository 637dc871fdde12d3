"""From files to searchable passages: discover, parse, store, publish.

Files are parsed in processes of their own, a few ahead of where the run is; what they hold is committed in batches and
embedded beside the reading. A file that cannot be read fails alone. A killed run is continued by the next one from
where it stopped.
"""

import hashlib
import json
import shutil
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Literal, Self

from sqlalchemy import select

from ingestion.archives import is_archive
from ingestion.discovery import FileToRead, discover, members_of
from ingestion.isolation import parsing_processes
from ingestion.loaders import RECORD_FORMATS
from ingestion.manifest import NAME as MANIFEST_NAME
from ingestion.types import ParsedDocument
from rag.database import WriteSession
from rag.errors import DatabaseUnavailable, InvalidRequest, TaiyiError, Unavailable, UnreadableFile
from rag.indexing import FinishedSource, publish, recover
from rag.languages import language_of
from rag.originals import keep_original, remove_unfinished, sha256_of
from rag.sentences import opening
from rag.system import System
from rag.tables import DocumentRow, EditionRow, SourceRow
from rag.types import LOCAL_ADMIN, Caller, Metadata
from rag.writing import Added, NewEdition, add_edition, ensure_collection, record_added, writing_turn

__all__ = ["FileResult", "FileToRead", "Listener", "Reader", "discover", "ingest", "known_metadata", "local_reader"]

PUBLISH_EVERY_PASSAGES = 2048
COMMIT_EVERY_DOCUMENTS = 64
COMMIT_EVERY_S = 2.0
FILES_AHEAD = 4
_OF_ONE_RECORD = ("external_id", "title", "authors", "edition", "doi", "pmid", "pmcid", "url")

FileStatus = Literal["added", "updated", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of a file. ``documents`` counts what it held; ``document_id`` is that of a file that held one;
    ``flagged`` counts the passages that screening found something in. A file of an archive is called
    ``archive.zip!/name``."""

    path: str
    status: FileStatus
    reason: str | None = None
    document_id: str | None = None
    documents: int = 0
    flagged: int = 0


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of progress: each file once it is done, each batch of passages as it is embedded (from another thread),
    a wait for a turn; and who may stop a run between files, which then ends with what it has read. ``record`` writes
    the results of files in the transaction that makes them true."""

    on_file: Callable[[FileResult], None] = lambda result: None
    on_embedded: Callable[[int], None] = lambda count: None
    on_waiting: Callable[[], None] = lambda: None
    should_stop: Callable[[], bool] = lambda: False
    record: Callable[[WriteSession, Sequence[FileResult]], None] = lambda session, results: None


@dataclass(frozen=True, slots=True)
class Reader:
    """Who parses files: ``start`` begins one, in order and ``ahead`` of the file that is taken from it, and gives its
    documents; ``unpack`` lays an archive's files into a folder. What was begun is finished when a run is stopped,
    unless ``drops`` says that it need not be."""

    start: Callable[[FileToRead], AbstractContextManager[Iterator[ParsedDocument]]]
    unpack: Callable[[Path, Path], object]
    ahead: int = FILES_AHEAD
    drops: bool = False


def ingest(
    files: Sequence[FileToRead],
    collection: str,
    system: System,
    listener: Listener | None = None,
    restore: bool = False,
    reader: Reader | None = None,
    caller: Caller = LOCAL_ADMIN,
) -> list[FileResult]:
    """Reads files into a collection; their passages are searchable when this returns.

    Waits for its turn where another process is writing. With ``restore``, documents that were deleted come back.
    ``reader`` stays open; by default this run has a ``local_reader`` of its own. ``caller`` is who the audit record
    says it was.
    """
    if not collection.strip() or len(collection) > 100:
        raise InvalidRequest("A collection's name has 1 to 100 characters")
    listener = listener or Listener()
    with writing_turn(system, listener.on_waiting):
        with system.database.writing() as session:
            collection_id = ensure_collection(session, collection).id
        recover(system, collection_id)
        remove_unfinished(system.home)
        shutil.rmtree(system.home / "unpacked", ignore_errors=True)
        with ExitStack() as opened:
            reader = reader or opened.enter_context(local_reader(system.home))
            publisher = opened.enter_context(_publishing(system, collection_id, listener, caller))
            run = opened.enter_context(_Run(system, collection_id, listener, restore, reader, publisher, caller))
            for reading in run.ahead(run.start(file) for file in run.files(files)):
                run.read(reading)
            run.commit()
            run.publish()
        return run.results


@contextmanager
def local_reader(home: Path) -> Iterator[Reader]:
    """Parses in processes of this machine. Starting them takes a second or two, so who runs often keeps one open."""
    with parsing_processes(home) as parsers:
        yield Reader(lambda file: parsers.start(file.path), parsers.unpack)


class _Publisher:
    """Publishes in a thread, one batch at a time, while the next is read."""

    def __init__(
        self, system: System, collection_id: int, listener: Listener, caller: Caller, thread: ThreadPoolExecutor
    ) -> None:
        self._system, self._collection_id, self._caller = system, collection_id, caller
        self._listener, self._thread = listener, thread
        self._under_way: Future[None] | None = None

    def publish(self, finished: Sequence[FinishedSource]) -> None:
        """Waits for the batch before, then begins this one. Raises what the one before raised."""
        self.wait()
        self._under_way = self._thread.submit(
            publish, self._system, self._collection_id, tuple(finished), self._listener.on_embedded, self._caller
        )

    def wait(self) -> None:
        if self._under_way is not None:
            self._under_way.result()


@contextmanager
def _publishing(system: System, collection_id: int, listener: Listener, caller: Caller) -> Iterator[_Publisher]:
    with ThreadPoolExecutor(1, "publishing") as thread:
        publisher = _Publisher(system, collection_id, listener, caller, thread)
        yield publisher
        publisher.wait()


@dataclass(slots=True)
class _Reading:
    """A file being read: what it is, the documents still to come from its parser, and what became of those that did.
    ``result`` is set where there was nothing to read, or once all is committed."""

    file: FileToRead
    source: FinishedSource
    parsed: AbstractContextManager[Iterator[ParsedDocument]] | None = None
    result: FileResult | None = None
    added: list[Added] = field(default_factory=list)
    fault: str | None = None
    flagged: int = 0


@dataclass(slots=True)
class _Archive:
    """An archive that is unpacked for now, and which of its files are still to be read."""

    source: FinishedSource
    folder: TemporaryDirectory[str]
    unread: set[str]
    locations: set[str] = field(default_factory=set)
    all_read: bool = True


class _Run:
    """One run over files: what was read but is not yet committed, what was committed but is not yet published."""

    def __init__(
        self,
        system: System,
        collection_id: int,
        listener: Listener,
        restore: bool,
        reader: Reader,
        publisher: _Publisher,
        caller: Caller,
    ) -> None:
        self._system, self._collection_id, self._caller = system, collection_id, caller
        self._listener, self._restore = listener, restore
        self._reader, self._publisher = reader, publisher
        self._uncommitted: list[tuple[_Reading, NewEdition]] = []
        self._read: list[_Reading] = []
        self._committed_at = time.monotonic()
        self._unpublished: list[FinishedSource] = []
        self._unpublished_passages = 0
        self._begun: set[str] = set()
        self._archives: dict[str, _Archive] = {}
        self.results: list[FileResult] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        for archive in self._archives.values():
            archive.folder.cleanup()

    def files(self, files: Iterable[FileToRead]) -> Iterator[FileToRead]:
        """The files in turn, those of archives one by one, until somebody says stop."""
        for file in files:
            if self._listener.should_stop():
                return
            if is_archive(file.path) and file.path.is_file():
                yield from self._members(file)
            else:
                yield file

    def start(self, file: FileToRead) -> _Reading:
        """Begins to parse a file in a process of its own, unless it is known and need not be read."""
        reading = _Reading(file, FinishedSource(file.location, "", ""))
        try:
            if file.fault:
                raise UnreadableFile(file.fault)
            sha256 = sha256_of(file.path)
            if file.stated.sha256 and file.stated.sha256 != sha256:
                raise UnreadableFile(
                    f"{file.path.name} is not the file that {MANIFEST_NAME} names: its sha256 is {sha256}"
                )
            reading.source = FinishedSource(file.location, sha256, _digest(file.stated.metadata))
            reading.result = self._known(reading.source)
            if reading.result is None and sha256 not in self._begun:
                self._begun.add(sha256)
                reading.parsed = self._reader.start(file)
        except DatabaseUnavailable:
            raise
        except (TaiyiError, OSError) as error:
            reading.result = FileResult(file.location, "failed", _said(file, error))
        return reading

    def ahead(self, readings: Iterable[_Reading]) -> Iterator[_Reading]:
        """The readings in their order, each begun ``Reader.ahead`` before it is taken."""
        begun: deque[_Reading] = deque()
        for reading in readings:
            begun.append(reading)
            if len(begun) > self._reader.ahead:
                yield begun.popleft()
        while begun and not (self._reader.drops and self._listener.should_stop()):
            yield begun.popleft()

    def read(self, reading: _Reading) -> None:
        """Takes a file's documents from its parser and commits them, by itself or with those of the next files."""
        if reading.result is None and reading.parsed is None:  # has the bytes of a file that was begun just before
            self.commit()
            reading.result = self._known(reading.source)
            if reading.result is None:
                reading.parsed = self._reader.start(reading.file)
        if reading.result is None and reading.parsed is not None:
            try:
                with reading.parsed as documents:
                    keep_original(self._system.home, reading.file.path, reading.source.sha256)
                    for number, document in enumerate(documents, start=1):
                        edition = _edition(document, reading.file, reading.source.sha256, number)
                        reading.flagged += sum(bool(passage.flags) for passage in edition.passages)
                        self._uncommitted.append((reading, edition))
                        if len(self._uncommitted) >= COMMIT_EVERY_DOCUMENTS:
                            self._commit_editions()
            except Unavailable:
                raise
            except (TaiyiError, OSError) as error:
                reading.fault = _said(reading.file, error)
        self._read.append(reading)
        if len(self._uncommitted) + len(self._read) >= COMMIT_EVERY_DOCUMENTS or self._is_late():
            self.commit()

    def commit(self) -> None:
        """Commits what was read, tells of each file that is done, and publishes what has come together."""
        results = self._commit_editions(self._read)
        for reading, result in zip(self._read, results, strict=True):
            if reading.result is None and reading.fault is None:
                documents = frozenset(added.document_id for added in reading.added)
                self._unpublished.append(replace(reading.source, document_ids=documents))
            self.results.append(result)
            self._listener.on_file(result)
            self._leave_archive(reading)
        self._read.clear()
        self._committed_at = time.monotonic()

    def publish(self) -> None:
        self._publisher.publish(self._unpublished)
        self._unpublished, self._unpublished_passages = [], 0

    def _commit_editions(self, done: Sequence[_Reading] = ()) -> list[FileResult]:
        """Commits what was read, with the results of the files that are ``done``."""
        results: list[FileResult] = []
        if self._uncommitted or done:
            written: list[Added] = []
            with self._system.database.writing() as session:
                for reading, edition in self._uncommitted:
                    added = add_edition(session, self._collection_id, edition, self._restore)
                    reading.added.append(added)
                    written.append(added)
                    self._unpublished_passages += added.passages
                results = [reading.result or _result(reading) for reading in done]
                self._listener.record(session, results)
                record_added(session, self._caller, self._collection_id, written)
            self._uncommitted.clear()
        if self._unpublished_passages >= PUBLISH_EVERY_PASSAGES:
            self.publish()
        return results

    def _is_late(self) -> bool:
        return time.monotonic() - self._committed_at > COMMIT_EVERY_S

    def _members(self, archive: FileToRead) -> Iterator[FileToRead]:
        """The files of an archive, which stays unpacked until the last of them was read."""
        try:
            source = FinishedSource(archive.location, sha256_of(archive.path), _digest(archive.stated.metadata))
            if archive.fault or self._known(source):
                yield archive
                return
            folder = TemporaryDirectory(dir=_unpacked(self._system.home), ignore_cleanup_errors=True)
            self._reader.unpack(archive.path, Path(folder.name))
            members = members_of(archive, Path(folder.name))
        except DatabaseUnavailable:
            raise
        except (TaiyiError, OSError) as error:
            yield replace(archive, fault=_said(archive, error))
            return
        opened = _Archive(source, folder, {member.location for member in members})
        for member in members:
            self._archives[member.location] = opened
            yield member

    def _leave_archive(self, member: _Reading) -> None:
        """Once all files of an archive were read and committed, the archive need not be read again."""
        archive = self._archives.pop(member.file.location, None)
        if archive is None:
            return
        archive.unread.discard(member.file.location)
        archive.all_read = archive.all_read and member.fault is None and not _failed(member.result)
        archive.locations.add(member.file.location)
        if not archive.unread:
            archive.folder.cleanup()
            if archive.all_read:
                self._unpublished.append(replace(archive.source, members=frozenset(archive.locations)))

    def _known(self, source: FinishedSource) -> FileResult | None:
        """The result for a file that needs no reading: read before, or the same bytes under another name."""
        if self._restore:
            return None
        with self._system.database.reading() as session:
            row = session.scalars(
                select(SourceRow).where(
                    SourceRow.collection_id == self._collection_id,
                    SourceRow.location == source.location,
                    SourceRow.sha256 == source.sha256,
                    SourceRow.metadata_sha256 == source.metadata_sha256,
                )
            ).one_or_none()
            if row is not None:
                return FileResult(source.location, "unchanged", None, row.document_id)
            twin = session.execute(
                select(EditionRow.source, EditionRow.document_id, EditionRow.state)
                .join(DocumentRow)
                .where(
                    DocumentRow.collection_id == self._collection_id,
                    EditionRow.source_sha256 == source.sha256,
                    EditionRow.source != source.location,
                    EditionRow.state != "replaced",
                )
                .limit(1)
            ).first()
        if twin is None:
            return None
        was_deleted = twin.state in ("removed", "purged")
        reason = "was deleted; ingest with --restore to bring it back" if was_deleted else None
        return FileResult(
            source.location,
            "unchanged",
            reason or f"has the same content as {Path(twin.source).name}",
            twin.document_id,
        )


def _edition(document: ParsedDocument, file: FileToRead, sha256: str, number: int) -> NewEdition:
    return NewEdition(
        place=f"file:{file.location}" if number == 1 else f"file:{file.location}#{number}",
        source=file.location,
        source_sha256=sha256,
        format=document.format,
        metadata=known_metadata(document, file),
        text=document.text,
        page_starts=document.page_starts,
        passages=document.passages,
    )


def known_metadata(document: ParsedDocument, file: FileToRead) -> Metadata:
    """What a document says and what is said of its file, together, with a title and a language at least.

    What is said of a file goes before its own statements, but not before those of one record among several, where it
    can speak for all of them only. An untitled record is called by its first words, an untitled file by its name."""
    known = document.metadata.updated_by(file.stated.metadata)
    if document.format in RECORD_FORMATS:
        of_all = replace(file.stated.metadata, **{name: getattr(Metadata(), name) for name in _OF_ONE_RECORD})
        known = of_all.updated_by(document.metadata)
    title = known.title or (opening(document.text) if document.format in RECORD_FORMATS else "") or file.path.stem
    return replace(known, title=title, language=known.language or language_of(document.text))


def _result(reading: _Reading) -> FileResult:
    document_ids = {added.document_id for added in reading.added}
    found = (next(iter(document_ids)) if len(document_ids) == 1 else None, len(reading.added), reading.flagged)
    if reading.fault is not None:
        return FileResult(reading.file.location, "failed", reading.fault, *found)
    deleted = sum(added.status == "deleted" for added in reading.added)
    reason = f"{deleted} deleted before; ingest with --restore to bring back" if deleted else None
    statuses = {added.status for added in reading.added}
    status: FileStatus = "updated" if "updated" in statuses else "added" if "added" in statuses else "unchanged"
    return FileResult(reading.file.location, status, reason, *found)


def _failed(result: FileResult | None) -> bool:
    return result is not None and result.status == "failed"


def _said(file: FileToRead, error: Exception) -> str:
    if isinstance(error, OSError):
        return f"{file.path.name} cannot be read: {error.strerror or error}"
    return str(error)


def _unpacked(home: Path) -> Path:
    folder = home / "unpacked"
    folder.mkdir(exist_ok=True)
    return folder


def _digest(metadata: Metadata) -> str:
    return hashlib.sha256(json.dumps(asdict(metadata), sort_keys=True).encode()).hexdigest()
