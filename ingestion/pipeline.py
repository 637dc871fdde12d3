"""From files to searchable passages: discover, load, split, store, publish.

A file that cannot be read fails alone. Everything is committed as it goes, so that a killed run is continued by the
next one from where it stopped.
"""

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Literal

from sqlalchemy import select

from ingestion.loaders import format_of, load
from ingestion.manifest import NAME as MANIFEST_NAME
from ingestion.manifest import Stated, read_manifest
from ingestion.originals import keep_original, sha256_of
from ingestion.splitting import CountTokens, lay_out, split
from ingestion.types import Block, Metadata
from rag.errors import InvalidRequest, TaiyiError, UnreadableFile
from rag.indexing import FinishedSource, publish, recover
from rag.languages import language_of
from rag.packaged_embedder import load_tokenizer
from rag.system import System
from rag.tables import DocumentRow, EditionRow, SourceRow
from rag.writing import Added, NewEdition, add_edition, ensure_collection, writing_turn

PUBLISH_EVERY_PASSAGES = 2048
COMMIT_EVERY_DOCUMENTS = 64
_OF_ONE_RECORD = ("external_id", "title", "authors", "edition", "doi", "pmid", "pmcid", "url")
_SEVERAL_RECORDS = ("jsonl", "pubmed")

FileStatus = Literal["added", "updated", "unchanged", "failed"]


@dataclass(frozen=True, slots=True)
class FileToRead:
    """``location`` is what the file is recognised by on the next run."""

    path: Path
    location: str
    stated: Stated = field(default_factory=Stated)


@dataclass(frozen=True, slots=True)
class FileResult:
    """What became of a file. ``documents`` counts what it held; ``document_id`` is that of a file that held one."""

    path: str
    status: FileStatus
    reason: str | None = None
    document_id: str | None = None
    documents: int = 0


@dataclass(frozen=True, slots=True)
class Listener:
    """Who hears of progress: each file as it is done, each batch of passages as it is embedded, a wait for a turn."""

    on_file: Callable[[FileResult], None] = lambda result: None
    on_embedded: Callable[[int], None] = lambda count: None
    on_waiting: Callable[[], None] = lambda: None


def discover(paths: Sequence[Path]) -> list[FileToRead]:
    """The files at ``paths``, folders walked in order of name, with what their folders' manifests state.

    Hidden files and the manifests themselves are passed over. A path that does not exist is kept, to fail by name.
    """
    manifests: dict[Path, dict[Path, Stated]] = {}
    found: dict[Path, FileToRead] = {}
    for path in paths:
        for file in _walk(path.absolute()):
            file = Path(os.path.normpath(file))
            for folder in (file.parent, *([path.absolute()] if path.is_dir() else [])):
                if folder not in manifests:
                    manifests[folder] = read_manifest(folder)
            stated = manifests.get(path.absolute(), {}).get(file) or manifests[file.parent].get(file, Stated())
            found.setdefault(file, FileToRead(file, str(file), stated))
    return list(found.values())


def _walk(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name != MANIFEST_NAME:
                yield Path(folder) / name


def ingest(
    files: Sequence[FileToRead],
    collection: str,
    system: System,
    listener: Listener | None = None,
    restore: bool = False,
) -> list[FileResult]:
    """Reads files into a collection; their passages are searchable when this returns.

    Waits for its turn where another process is writing. With ``restore``, documents that were deleted come back.
    """
    if not collection.strip() or len(collection) > 100:
        raise InvalidRequest("A collection's name has 1 to 100 characters")
    listener = listener or Listener()
    with writing_turn(system, listener.on_waiting):
        with system.database.writing() as session:
            collection_id = ensure_collection(session, collection).id
        recover(system, collection_id)
        run = _Run(system, collection_id, listener, restore)
        results = []
        for file in files:
            result = run.read(file)
            results.append(result)
            listener.on_file(result)
        run.publish()
    return results


class _Run:
    """One run over files: what was read but is not yet published."""

    def __init__(self, system: System, collection_id: int, listener: Listener, restore: bool) -> None:
        self._system, self._collection_id = system, collection_id
        self._listener, self._restore = listener, restore
        self._tokenizer = load_tokenizer(system.home)
        self._pending_passages = 0
        self._finished: list[FinishedSource] = []

    def read(self, file: FileToRead) -> FileResult:
        try:
            return self._read(file)
        except TaiyiError as error:
            return FileResult(str(file.path), "failed", str(error))
        except OSError as error:
            return FileResult(str(file.path), "failed", f"{file.path.name} cannot be read: {error.strerror or error}")

    def publish(self) -> None:
        publish(self._system, self._collection_id, self._finished, self._listener.on_embedded)
        self._pending_passages, self._finished = 0, []

    def _read(self, file: FileToRead) -> FileResult:
        sha256 = sha256_of(file.path)
        if file.stated.sha256 and file.stated.sha256 != sha256:
            raise UnreadableFile(f"{file.path.name} is not the file that {MANIFEST_NAME} names: its sha256 is {sha256}")
        source = FinishedSource(file.location, sha256, _digest(file.stated.metadata), None)
        known = self._known(source)
        if known is not None:
            return known
        format_name = format_of(file.path)
        keep_original(self._system.home, file.path, sha256)
        added: list[Added] = []
        for editions in _batched(self._editions(file, sha256, format_name), COMMIT_EVERY_DOCUMENTS):
            with self._system.database.writing() as session:
                added += [add_edition(session, self._collection_id, new, self._restore) for new in editions]
            self._pending_passages += sum(len(new.passages) for new in editions)
            if self._pending_passages >= PUBLISH_EVERY_PASSAGES:
                self.publish()
        document_id = added[0].document_id if len(added) == 1 else None
        self._finished.append(replace(source, document_id=document_id))
        return FileResult(str(file.path), *_outcome(added), document_id, len(added))

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
        reason = "was deleted; ingest with --restore to bring it back" if twin.state == "removed" else None
        return FileResult(
            source.location,
            "unchanged",
            reason or f"has the same content as {Path(twin.source).name}",
            twin.document_id,
        )

    def _editions(self, file: FileToRead, sha256: str, format_name: str) -> Iterator[NewEdition]:
        for number, loaded in enumerate(load(file.path), start=1):
            known = _known_metadata(loaded.metadata, file.stated.metadata, format_name)
            yield _edition(loaded.blocks, known, file, sha256, format_name, number, self._count_tokens)

    def _count_tokens(self, texts: list[str]) -> list[int]:
        encoded = self._tokenizer.encode_batch_fast(texts, add_special_tokens=False)
        return [len(encoding.ids) for encoding in encoded]


def _known_metadata(own: Metadata, stated: Metadata, format_name: str) -> Metadata:
    """What a document and its manifest say together. The manifest goes before a file's own statements, but not before
    those of one record among several, where it can speak for all of them only."""
    if format_name not in _SEVERAL_RECORDS:
        return own.updated_by(stated)
    return replace(stated, **{name: getattr(Metadata(), name) for name in _OF_ONE_RECORD}).updated_by(own)


def _edition(
    blocks: Sequence[Block],
    known: Metadata,
    file: FileToRead,
    sha256: str,
    format_name: str,
    number: int,
    count_tokens: CountTokens,
) -> NewEdition:
    laid_out = lay_out(blocks)
    where = file.location if number == 1 else f"{file.location}#{number}"
    return NewEdition(
        key=f"id:{known.external_id}" if known.external_id else f"doi:{known.doi}" if known.doi else f"file:{where}",
        source=file.location,
        source_sha256=sha256,
        format=format_name,
        text=laid_out.text,
        page_starts=laid_out.page_starts,
        passages=tuple(split(blocks, laid_out, count_tokens)),
        **asdict(
            replace(
                known,
                title=known.title or file.path.stem,
                language=known.language or language_of(laid_out.text),
            )
        ),
    )


def _outcome(added: Sequence[Added]) -> tuple[FileStatus, str | None]:
    statuses = {one.status for one in added}
    deleted = sum(one.status == "deleted" for one in added)
    reason = f"{deleted} deleted before; ingest with --restore to bring back" if deleted else None
    if "updated" in statuses:
        return "updated", reason
    return ("added" if "added" in statuses else "unchanged"), reason


def _batched(editions: Iterator[NewEdition], size: int) -> Iterator[list[NewEdition]]:
    """Lists of up to ``size``; what was read before an error is still handed on, then the error."""
    batch: list[NewEdition] = []
    try:
        for edition in editions:
            batch.append(edition)
            if len(batch) == size:
                yield batch
                batch = []
    except TaiyiError:
        if batch:
            yield batch
        raise
    if batch:
        yield batch


def _digest(metadata: Metadata) -> str:
    return hashlib.sha256(json.dumps(asdict(metadata), sort_keys=True).encode()).hexdigest()
