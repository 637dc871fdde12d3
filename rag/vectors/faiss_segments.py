"""Segments as FAISS files in one folder. Opened, a file is mapped into memory: it costs the pages that are read. A
large segment has three (``rag.vectors.codes``)."""

import os
import threading
import uuid
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import Inconsistent, Unavailable
from rag.permitted import Permitted
from rag.vectors.codes import build_codes, build_exact, build_halves, is_coded
from rag.vectors.open_segment import Coded, OpenSegment
from rag.vectors.ranking import merged
from rag.vectors.rows import Rows, write_rows
from rag.vectors.types import Ids, SegmentGoneError, SegmentShape, Vectors

SUFFIX, ROWS_SUFFIX, CODES_SUFFIX = ".faiss", ".rows", ".codes"
"""The first is written last, and removed first: a segment is there where it is."""


def import_faiss() -> Any:
    try:
        import faiss
    except ModuleNotFoundError:
        raise Unavailable("No FAISS is installed: pip install 'taiyi-rag[cpu]' (or [gpu])") from None
    return faiss


class FaissSegments:
    """See ``VectorSegments``. A segment that was compacted away stays with those who have it open."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._open: dict[str, OpenSegment] = {}
        self._lock = threading.Lock()

    def write(self, ids: Ids, vectors: Vectors) -> str:
        faiss = import_faiss()
        self._folder.mkdir(parents=True, exist_ok=True)
        faiss.omp_set_num_threads(os.cpu_count() or 1)
        ids, vectors = np.ascontiguousarray(ids, np.int64), np.ascontiguousarray(vectors, np.float32)
        name = uuid.uuid4().hex
        if not is_coded(len(ids)):
            self._store(build_exact(faiss, ids, vectors), name, SUFFIX)
            return name
        if (ids[1:] < ids[:-1]).any():
            order = np.argsort(ids)
            ids, vectors = ids[order], vectors[order]
        write_rows(self._path(name, ROWS_SUFFIX), vectors)
        _to_disk(self._path(name, ROWS_SUFFIX))
        if (codes := build_codes(faiss, ids, vectors)) is not None:
            self._store(codes, name, CODES_SUFFIX)
        self._store(build_halves(faiss, ids, vectors), name, SUFFIX)
        return name

    def _store(self, index: Any, name: str, suffix: str) -> None:
        unfinished = self._folder / (name + ".unfinished")
        import_faiss().write_index(index, str(unfinished))
        _to_disk(unfinished)
        unfinished.rename(self._path(name, suffix))
        _to_disk(self._folder)

    def search(self, segments: Sequence[str], query: Vectors, k: int, permitted: Permitted) -> list[tuple[int, float]]:
        import_faiss().omp_set_num_threads(1)  # of this thread: a search is too short to wait for others to join in
        query = np.ascontiguousarray(query, np.float32)
        found = []
        for name in segments:
            segment = self._segment(name)
            if segment.dimension != len(query):
                raise Inconsistent(
                    f"The index has {segment.dimension} dimensions, the embedder {len(query)}: run taiyi-rag reindex"
                )
            if len(permitted):
                found.append(segment.search(query, k, permitted))
        return merged(found, k)

    def ids(self, name: str) -> Ids:
        return self._segment(name).ids

    def vectors(self, name: str) -> Vectors:
        return self._segment(name).vectors()

    def vectors_of(self, segments: Sequence[str], ids: Ids) -> tuple[NDArray[np.bool_], Any]:
        held = np.zeros(len(ids), bool)
        found: Vectors | None = None
        for name in segments:
            segment = self._segment(name)
            new = np.isin(ids, segment.ids) & ~held
            if not new.any():
                continue
            if found is None:
                found = np.zeros((len(ids), segment.dimension), np.float32)
            found[new] = segment.vectors_of(ids[new])
            held |= new
        return held, None if found is None else found[held]

    def exists(self, name: str) -> bool:
        return self._path(name).exists()

    def keep_only(self, names: set[str]) -> None:
        with self._lock:
            self._open = {name: segment for name, segment in self._open.items() if name in names}
        for path in sorted(self._folder.glob("*"), key=lambda path: path.suffix != SUFFIX):
            if path.stem not in names or path.suffix not in (SUFFIX, ROWS_SUFFIX, CODES_SUFFIX):
                path.unlink(missing_ok=True)

    def shape(self, name: str) -> SegmentShape:
        segment = self._segment(name)
        files = segment_files(self._folder, name)
        return SegmentShape(segment.kind, len(segment.ids), sum(path.stat().st_size for path in files))

    def about(self) -> str:
        return f"FAISS {import_faiss().__version__} on the CPU"

    def close(self) -> None:
        with self._lock:
            self._open = {}

    def _opened(self, index: Any, coded: Coded | None) -> OpenSegment:
        return OpenSegment(import_faiss(), index, coded)

    def _path(self, name: str, suffix: str = SUFFIX) -> Path:
        return self._folder / (name + suffix)

    def _segment(self, name: str) -> OpenSegment:
        with self._lock:
            if name not in self._open:
                self._open = {held: segment for held, segment in self._open.items() if self.exists(held)}
                self._open[name] = self._opened(*self._read(name))
            return self._open[name]

    def _read(self, name: str) -> tuple[Any, Coded | None]:
        faiss = import_faiss()
        try:
            index = faiss.read_index(str(self._path(name)), faiss.IO_FLAG_MMAP_IFC)
            if type(index) is not faiss.IndexIDMap:
                return index, None
            coded = self._read_coded(name, index.d)
        except (RuntimeError, FileNotFoundError) as error:
            if self.exists(name):
                raise Inconsistent(f"{self._path(name)} cannot be read: run taiyi-rag reindex ({error})") from error
            raise SegmentGoneError(name) from error
        if len(coded.rows) != index.ntotal:
            raise Inconsistent(f"{self._path(name, ROWS_SUFFIX)} is not whole: run taiyi-rag reindex")
        return index, coded

    def _read_coded(self, name: str, dimension: int) -> Coded:
        faiss, path = import_faiss(), self._path(name, CODES_SUFFIX)
        rows = Rows(self._path(name, ROWS_SUFFIX), dimension)
        return Coded(rows, faiss.read_index(str(path)) if path.exists() else None)  # mapped, they would be copied too


def segment_files(folder: Path, name: str) -> list[Path]:
    """The files of a segment in ``folder``, that of its index first, whether or not it is there."""
    beside = [folder / (name + suffix) for suffix in (ROWS_SUFFIX, CODES_SUFFIX)]
    return [folder / (name + SUFFIX), *(path for path in beside if path.exists())]


def _to_disk(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
