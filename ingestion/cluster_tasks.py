"""What runs on the machines of a cluster: a file's bytes are read, parsed, embedded. ``ingestion.cluster`` orders it.

Each step takes and gives Arrow tables with a row for each piece of work. It may be repeated on another machine, since
it keeps nothing but the parsers and the model of its process. A piece belongs to the file ``number``. It brings
``documents`` that are whole (ParsedDocument in msgpack) and up to 64 of their passages, first as ``texts``, then as
``vectors`` (float32, one after another) under the texts' ``keys``. A document comes with or after its last passage. A
file's last piece is ``last``, with the ``error`` that ended the file if there was one.
"""

import os
import socket
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, cached_property
from hashlib import blake2b
from importlib.metadata import version
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import msgspec
import pyarrow as pa

from ingestion.discovery import FileToRead
from ingestion.isolation import Parsers, parsing_processes
from ingestion.manifest import Stated
from ingestion.pipeline import known_metadata
from ingestion.types import ParsedDocument
from rag.embedding import Embedder, open_embedder
from rag.errors import TaiyiError, Unavailable
from rag.indexing import indexed_text
from rag.settings import Settings
from rag.types import Metadata

PIECE_PASSAGES = 64
_FILE = [("number", pa.int64()), ("path", pa.large_binary()), ("title", pa.large_binary())]
_PIECE = [
    ("number", pa.int64()),
    ("documents", pa.large_list(pa.large_binary())),
    ("last", pa.bool_()),
    ("error", pa.large_string()),
]
FILES = pa.schema(_FILE)
_READ = pa.schema([*_FILE, ("data", pa.large_binary()), ("error", pa.large_string())])
_PARSED = pa.schema([*_PIECE, ("texts", pa.large_list(pa.large_string()))])
_EMBEDDED = pa.schema([*_PIECE, ("keys", pa.large_list(pa.large_binary())), ("vectors", pa.large_binary())])


@dataclass(frozen=True, slots=True)
class Agreed:
    """What a machine must have in common with the one that writes, so that its results are the same."""

    version: str
    embedder: str
    fingerprint: str
    threads: int


def installed_version() -> str:
    return version("taiyi-rag")


def file_row(number: int, file: FileToRead) -> dict[str, Any]:
    """A file as a row of ``FILES``. What is stated of it matters to its passages only by the title."""
    title = file.stated.metadata.title
    stated = None if title is None else title.encode("utf-8", "surrogatepass")
    return {"number": number, "path": os.fsencode(file.path), "title": stated}


def text_key(text: str) -> bytes:
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).digest()


def read(files: pa.Table) -> Iterator[pa.Table]:
    """The files' bytes. For the machine that they lie on."""
    for file in files.to_pylist():
        path, data, error = _path(file), None, None
        try:
            data = path.read_bytes()
        except OSError as fault:
            error = _said(path, fault)
        yield pa.Table.from_pylist([{**file, "data": data, "error": error}], _READ)


def parse(files: pa.Table, agreed: Agreed) -> Iterator[pa.Table]:
    """The pieces of files, each file parsed in a process of its own and under its own name."""
    parsers = _parsers(agreed)
    for row in range(len(files)):
        [file] = files.slice(row, 1).to_pylist()
        for piece in _pieces(file, parsers):
            yield pa.Table.from_pylist([piece], _PARSED)


class Embed:
    """Holds the model, on one processor core where RAG_THREADS does not say more."""

    def __init__(self, agreed: Agreed) -> None:
        self._agreed = agreed

    @cached_property
    def _embedder(self) -> Embedder:
        embedder = open_embedder(_settings(self._agreed))
        if embedder.fingerprint != self._agreed.fingerprint:
            raise Unavailable(
                f"{socket.gethostname()} has another model under the name {self._agreed.embedder} than the machine "
                "that writes; install the same on every machine of the cluster"
            )
        return embedder

    def __call__(self, pieces: pa.Table) -> pa.Table:
        rows = pieces.to_pylist()
        every = [text for row in rows for text in row["texts"]]
        vectors = iter(self._embedder.embed_passages(every) if every else ())
        for row in rows:
            texts = row.pop("texts")
            row["keys"] = [text_key(text) for text in texts]
            row["vectors"] = b"".join(next(vectors).tobytes() for _ in texts)
        return pa.Table.from_pylist(rows, _EMBEDDED)


def _pieces(file: dict[str, Any], parsers: Parsers) -> Iterator[dict[str, Any]]:
    path, error = _path(file), file["error"]
    documents: list[bytes] = []
    texts: list[str] = []

    def piece(last: bool = False) -> dict[str, Any]:
        taken = {"number": file["number"], "documents": documents[:], "texts": texts[:], "last": last, "error": error}
        documents.clear()
        texts.clear()
        return taken

    try:
        for document in _documents(file, path.name, parsers) if error is None else ():
            for text in _texts(document, file):
                texts.append(text)
                if len(texts) == PIECE_PASSAGES:
                    yield piece()
            documents.append(msgspec.msgpack.encode(document))
            if len(documents) == PIECE_PASSAGES:
                yield piece()
    except TaiyiError as fault:
        error = str(fault)
    except OSError as fault:
        error = _said(path, fault)
    yield piece(last=True)


def _documents(file: dict[str, Any], name: str, parsers: Parsers) -> Iterator[ParsedDocument]:
    with TemporaryDirectory(prefix="taiyi-rag-") as folder:
        path = Path(folder) / name
        path.write_bytes(file["data"])
        yield from parsers.parse(path)


def _texts(document: ParsedDocument, file: dict[str, Any]) -> Iterator[str]:
    stated = Metadata(title=None if file["title"] is None else file["title"].decode("utf-8", "surrogatepass"))
    title = known_metadata(document, FileToRead(_path(file), "", Stated(stated))).title
    for passage in document.passages:
        yield indexed_text(title, passage.section, document.text[passage.char_start : passage.char_end])


def _path(file: dict[str, Any]) -> Path:
    return Path(os.fsdecode(file["path"]))


def _said(path: Path, fault: OSError) -> str:
    return f"{path.name} cannot be read: {fault.strerror or fault}"


@cache
def _parsers(agreed: Agreed) -> Parsers:
    return parsing_processes(_settings(agreed).home)


@cache
def _settings(agreed: Agreed) -> Settings:
    """This machine's settings: those of the machine that writes, with models under a folder of this one."""
    if (here := installed_version()) != agreed.version:
        raise Unavailable(
            f"{socket.gethostname()} has taiyi-rag {here}, the machine that writes {agreed.version}; "
            "install the same version on every machine of the cluster"
        )
    cached = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "taiyi-rag"
    home = Path(os.environ.get("RAG_HOME") or cached)
    home.mkdir(parents=True, exist_ok=True)
    return Settings(home=home, embedder=agreed.embedder, threads=agreed.threads or 1)
