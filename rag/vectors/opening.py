"""Where vectors live, by the address in RAG_INDEX_URL."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.vectors.types import VectorSegments


@contextmanager
def open_vectors(url: str, folder: Path) -> Iterator[VectorSegments]:
    """The segments at ``url``, or in ``folder`` where it names none. Nothing is loaded or called before they are used.

    ``faiss:``, ``faiss+gpu:``, or ``milvus:`` with a file of Milvus Lite or the address of a server behind it.
    """
    kind, _, address = url.partition(":")
    match kind:
        case "faiss":
            from rag.vectors.faiss_segments import FaissSegments

            segments: VectorSegments = FaissSegments(folder)
        case "faiss+gpu":
            from rag.vectors.gpu_segments import GpuSegments

            segments = GpuSegments(folder)
        case "milvus":
            from rag.vectors.milvus_segments import MilvusSegments

            segments = MilvusSegments(address)
        case _:
            raise ValueError(f"no vectors can live at {url!r}")
    try:
        yield segments
    finally:
        segments.close()
