"""Turning text into unit vectors with a sentence-transformers model."""

import hashlib
import logging
import threading
from collections.abc import Sequence
from functools import cached_property, lru_cache
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.errors import Unavailable
from rag.packaged_embedder import ensure_packaged_embedder
from rag.settings import PACKAGED_EMBEDDER, Settings

QUERIES_KEPT = 256
Vectors = NDArray[np.float32]
log = logging.getLogger(__name__)


class Embedder(Protocol):
    """Gives float32 rows of length 1, so that an inner product is a cosine similarity."""

    @property
    def fingerprint(self) -> str:
        """Changes with whatever changes the vectors: weights, pooling, prompts."""

    def embed_query(self, text: str) -> Vectors:
        """(dimension,)"""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, dimension), in the order of ``texts``."""


class SentenceTransformerEmbedder:
    """Any sentence-transformers model; loaded at first use, then shared by all threads.

    A text longer than the model reads is cut at its end, as the model does.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loading = threading.Lock()
        self._computing = threading.Lock()
        self._embed_query = lru_cache(maxsize=QUERIES_KEPT)(self._embed_query_anew)

    @property
    def fingerprint(self) -> str:
        if self._settings.embedder == PACKAGED_EMBEDDER:
            return (ensure_packaged_embedder(self._settings.home) / "fingerprint").read_text(encoding="ascii")
        return self._weights_fingerprint

    @cached_property
    def _weights_fingerprint(self) -> str:
        digest = hashlib.sha256(repr((self._model.prompts, [repr(part) for part in self._model])).encode())
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().float().numpy().tobytes())
        return digest.hexdigest()

    def embed_query(self, text: str) -> Vectors:
        return self._embed_query(text)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(list(texts), "passage")

    def _embed_query_anew(self, text: str) -> Vectors:
        vector: Vectors = self._encode([text], "query")[0]
        vector.setflags(write=False)
        return vector

    def _encode(self, texts: list[str], prompt: str) -> Vectors:
        if not texts:
            return np.zeros((0, self._model.get_embedding_dimension()), np.float32)
        model = self._model
        with self._computing:
            vectors: Vectors = model.encode(
                texts,
                prompt_name=prompt if prompt in model.prompts else None,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return vectors.astype(np.float32, copy=False)

    @property
    def _model(self) -> Any:
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> Any:
        import torch
        from sentence_transformers import SentenceTransformer
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        if self._settings.threads:
            torch.set_num_threads(self._settings.threads)
        name = self._settings.embedder
        if name == PACKAGED_EMBEDDER:
            name = str(ensure_packaged_embedder(self._settings.home))
        elif name.startswith("packaged:"):
            raise Unavailable(f"RAG_EMBEDDER={name}: the only packaged embedder is {PACKAGED_EMBEDDER}")
        try:
            return SentenceTransformer(name, device="cuda" if torch.cuda.is_available() else "cpu")
        except (OSError, ValueError) as error:
            raise Unavailable(f"RAG_EMBEDDER={name} cannot be loaded: {_first_line(error)}") from error


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
