"""Libraries that hold a test corpus each, so that measuring on it again only searches.

Such a home lies under ``RAG_HOME/evaluation``, is named by everything that decides its vectors, and is made by
``ingest``: what is measured is the library as anybody has it. Its word index is written anew from SQL whenever the
code of the core is another than before. It may be deleted at any time.
"""

import hashlib
import json
import os
import time
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from importlib.resources import files
from importlib.resources.abc import Traversable
from pathlib import Path

from filelock import FileLock

from ingestion.judged_collections import content_sha256, copy_corpus
from ingestion.pipeline import Listener, Reader, discover, ingest
from rag.catalog import collections
from rag.database import HEAD
from rag.embedding import Embedder, open_embedder
from rag.errors import UnreadableFile
from rag.indexing import compact, indexed_text
from rag.settings import Settings
from rag.system import System, open_system
from rag.types import LOCAL_ADMIN
from rag.writing import writing_turn

COLLECTION = "corpus"
_MAKE_PASSAGES = ("parsing.py", "splitting.py", "screening.py", "loaders/jsonl.py", "loaders/assemble.py")


@dataclass(frozen=True, slots=True)
class CorpusHome:
    """An open library of a test corpus. ``name`` is that of its file and folder. ``seconds`` is what reading and
    indexing took, now or, where the library was ``cached``, then; ``renewed`` is that its word index was written anew
    since. ``empty`` counts documents of the corpus that have no words and were left out."""

    system: System
    name: str
    sha256: str
    documents: int
    empty: int
    cached: bool
    renewed: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class _Made:
    """What is written down beside a library once it is complete; ``code`` is the core's that made its word index."""

    documents: int
    empty: int
    seconds: float
    code: str = ""


@contextmanager
def corpus_home(
    corpus: Path, settings: Settings, listener: Listener | None = None, reader: Reader | None = None
) -> Iterator[CorpusHome]:
    """Opens the library of a corpus, made first where there is none yet; one that was left half-made is finished.

    Raises UnreadableFile naming the line of the corpus that is wrong.
    """
    code, embedder = core_digest(), open_embedder(settings)
    sha256 = content_sha256(corpus)
    home = settings.home.absolute() / "evaluation" / _key(sha256, embedder, settings)
    home.mkdir(parents=True, exist_ok=True)
    _share_models(home, settings)
    own = settings.model_copy(update={"home": home, "database_url": ""})
    with open_system(own) as opened:
        system = replace(opened, embedder=embedder)
        with FileLock(home.with_suffix(".lock")):
            made = _read_made(home)
            cached, renewed = made is not None, made is not None and made.code != code
            if made is None:
                made = _make(corpus, system, listener, reader)
            elif renewed:
                _write_words_anew(system)
            _write_made(home, replace(made, code=code))
        name = "/".join(corpus.absolute().parts[-2:])
        yield CorpusHome(system, name, sha256, made.documents, made.empty, cached, renewed, made.seconds)


def _key(sha256: str, embedder: Embedder, settings: Settings) -> str:
    code = _digest(files("ingestion").joinpath(name) for name in _MAKE_PASSAGES)
    embedded = indexed_text("title", "section", "text")
    decisive = [sha256, embedder.fingerprint, HEAD, settings.index_url, code, embedded]
    return hashlib.sha256(json.dumps(decisive).encode()).hexdigest()[:32]


def _make(corpus: Path, system: System, listener: Listener | None, reader: Reader | None) -> _Made:
    started = time.monotonic()
    copy, unfinished = system.home / "corpus.jsonl", system.home / "corpus.unfinished"
    copied = copy_corpus(corpus, unfinished)
    os.replace(unfinished, copy)
    for result in ingest(discover([copy]), COLLECTION, system, listener, reader=reader):
        if result.status == "failed":
            raise UnreadableFile((result.reason or "").replace(copy.name, corpus.name))
    copy.unlink()
    return _Made(copied.documents, copied.empty, round(time.monotonic() - started, 1))


def _write_words_anew(system: System) -> None:
    with writing_turn(system):
        with system.database.reading() as session:
            [collection] = collections(session, LOCAL_ADMIN, [COLLECTION])
        compact(system, collection.id)


def _share_models(home: Path, settings: Settings) -> None:
    """Makes the models of the outer home those of this one, also after the whole folder was moved."""
    (settings.home / "models").mkdir(parents=True, exist_ok=True)
    link, target = home / "models", Path("..", "..", "models")
    if not link.is_symlink():
        link.symlink_to(target, target_is_directory=True)


def core_digest() -> str:
    """A digest of the core's code and data."""
    return _digest(_files(files("rag")))


def _files(folder: Traversable) -> Iterator[Traversable]:
    for entry in sorted(folder.iterdir(), key=lambda entry: entry.name):
        if entry.is_dir() and entry.name != "__pycache__":
            yield from _files(entry)
        elif entry.is_file():
            yield entry


def _digest(sources: Iterable[Traversable]) -> str:
    digest = hashlib.sha256()
    for source in sources:
        digest.update(f"{source.name}\0{hashlib.sha256(source.read_bytes()).hexdigest()}\0".encode())
    return digest.hexdigest()


def _read_made(home: Path) -> _Made | None:
    path = home / "complete.json"
    return _Made(**json.loads(path.read_text(encoding="utf-8"))) if path.exists() else None


def _write_made(home: Path, made: _Made) -> None:
    unfinished = home / "complete.unfinished"
    unfinished.write_text(json.dumps(asdict(made)), encoding="utf-8")
    os.replace(unfinished, home / "complete.json")
