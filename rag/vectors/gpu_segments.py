"""FAISS segments whose vectors are also on a GPU. The files, read on the CPU, stay the master.

A GPU filters poorly, so it gets only searches from which next to nothing of a segment is left out, asked for so many
more that enough are left; every other search goes to the CPU.
"""

import threading
from pathlib import Path
from typing import Any

import numpy as np

from rag.errors import Unavailable
from rag.permitted import Permitted
from rag.vectors.faiss_segments import FaissSegments, import_faiss
from rag.vectors.open_segment import Coded, OpenSegment
from rag.vectors.ranking import SPARE, Proposal, Ranked, closest
from rag.vectors.types import Vectors

DEEPEST = 2048
"""The most results that FAISS gives from a GPU."""


class GpuSegments(FaissSegments):
    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self._gpu: Any = None
        self._computing = threading.Lock()

    def about(self) -> str:
        self._resources()
        faiss = import_faiss()
        return f"FAISS {faiss.__version__}, {faiss.get_num_gpus()} GPU(s) visible, the first in use"

    def close(self) -> None:
        super().close()
        self._gpu = None

    def _resources(self) -> Any:
        faiss = import_faiss()
        if not hasattr(faiss, "StandardGpuResources"):
            raise Unavailable(
                "RAG_INDEX_URL=faiss+gpu: needs FAISS for GPUs: pip uninstall faiss-cpu, then pip install "
                "'taiyi-rag[gpu]'; or set RAG_INDEX_URL=faiss:"
            )
        if faiss.get_num_gpus() < 1:
            raise Unavailable("RAG_INDEX_URL=faiss+gpu: FAISS finds no GPU here; set RAG_INDEX_URL=faiss:")
        if self._gpu is None:
            self._gpu = faiss.StandardGpuResources()
        return self._gpu

    def _opened(self, index: Any, coded: Coded | None) -> OpenSegment:
        return _GpuSegment(import_faiss(), index, coded, self._resources(), self._computing)


class _GpuSegment(OpenSegment):
    """``computing`` is held while the GPU computes, since FAISS lends its memory to one search at a time."""

    def __init__(self, faiss: Any, index: Any, coded: Coded | None, resources: Any, computing: threading.Lock) -> None:
        super().__init__(faiss, index, coded)
        self._computing = computing
        with computing:
            self._clone = faiss.GpuIndexFlatIP(resources, self.dimension)
            self._clone.add(self.vectors())

    @property
    def kind(self) -> str:
        return "exact on the GPU" if super().kind == "exact" else f"exact on the GPU; on the CPU {super().kind}"

    def search(self, query: Vectors, k: int, permitted: Permitted) -> Ranked:
        held = self.held(permitted)
        left_out = len(self.ids) - held
        if k + SPARE + left_out > DEEPEST:
            return super().search(query, k, permitted)

        def propose(depth: int) -> Proposal:
            with self._computing:
                cosines, rows = self._clone.search(query[None, :], min(depth + left_out, DEEPEST))
            ids = self.ids[rows[0]]
            allowed = np.flatnonzero(permitted.contains(ids))[:depth]
            return ids[allowed], cosines[0][allowed], self.vectors_of(ids[allowed])

        return closest(query, k, held, propose)
