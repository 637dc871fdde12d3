"""Putting found passages in a better order by a model that reads each of them together with the question.

This is far slower than a search, so it is for the few dozen best passages, and off unless RAG_RERANKER names a model.
"""

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.embedding import TurnTaking
from rag.errors import Unavailable
from rag.settings import Settings

PACKAGED_RERANKER = "packaged:late-interaction"
BATCH_PAIRS = {"cpu": 8, "cuda": 64}
Scores = NDArray[np.float32]


class Reranker(Protocol):
    """Says how well each passage answers a question: higher is better, on a scale of the model's own, so that only
    scores of one call compare. Equal texts score equal, and the order of the passages moves no score.

    ``added`` is the factor by which a score is added to that of the search; None where it replaces it."""

    added: float | None

    def rerank(self, question: str, passages: Sequence[str]) -> Scores:
        """(n,) finite numbers, in the order of ``passages``; none for none. Raises Unavailable."""


def open_reranker(settings: Settings) -> Reranker | None:
    """The reranker that RAG_RERANKER names, None where it is empty; its model is loaded at first use, then shared by
    all threads."""
    match settings.reranker.partition(":"):
        case ("", _, _):
            return None
        case ("packaged", ":", "late-interaction"):
            from rag.late_interaction import LateInteractionReranker

            return LateInteractionReranker(settings)
        case ("packaged", ":", _):
            raise Unavailable(
                f"RAG_RERANKER={settings.reranker}: what is packaged is {PACKAGED_RERANKER}; leave it empty, or name a "
                "cross-encoder"
            )
        case _:
            return CrossEncoderReranker(settings)


def weighed(reranker: Reranker, question: str, passages: Sequence[str], searched: Sequence[float]) -> Scores:
    """The scores by which the reranker orders ``passages``, higher is better: its own, added to what the search scored
    where it is a reranker that adds."""
    scores = reranker.rerank(question, passages)
    if reranker.added is not None:
        scores = np.array(searched, np.float32) + np.float32(reranker.added) * scores
    return scores


def best_first(scores: Scores) -> list[int]:
    """The positions of ``scores``, highest first; of equal scores the one that came first."""
    order: list[int] = np.argsort(-scores, kind="stable").tolist()
    return order


class CrossEncoderReranker:
    """Any sentence-transformers cross-encoder, on the GPU at 16 bit where torch finds one.

    A question and a passage that are together longer than the model reads are cut at the end of the longer one, as
    the model does. Calls from several threads take turns, a batch at a time.
    """

    added: float | None = None

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loading = threading.Lock()
        self._computing = TurnTaking()

    def rerank(self, question: str, passages: Sequence[str]) -> Scores:
        if not passages:
            return np.empty(0, np.float32)
        model = self._model
        distinct = sorted(set(passages), key=lambda text: (-len(text), text))
        size = BATCH_PAIRS[model.device.type]
        scores: dict[str, np.float32] = {}
        for at in range(0, len(distinct), size):
            batch = distinct[at : at + size]
            with self._computing.turn():
                scores.update(zip(batch, _predicted(model, question, batch), strict=True))
        found = np.array([scores[text] for text in passages], np.float32)
        if not np.isfinite(found).all():
            raise Unavailable(
                f"RAG_RERANKER={self._settings.reranker} computes no finite score on this {model.device.type}: "
                "leave it empty, or name another model"
            )
        return found

    @property
    def _model(self) -> Any:
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> Any:
        import torch
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        if self._settings.threads:
            torch.set_num_threads(self._settings.threads)
        name = self._settings.reranker
        try:
            model = CrossEncoder(name, device="cuda" if torch.cuda.is_available() else "cpu").eval()
        except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
            raise Unavailable(
                f"RAG_RERANKER={name} cannot be loaded: {_first_line(error).rstrip('.')}. It is the folder of a model, "
                "or its name on Hugging Face, from where it is fetched when first used"
            ) from error
        if (wrong := _not_a_reranker(model)) is not None:
            raise Unavailable(f"RAG_RERANKER={name} is no reranker: {wrong}; one is BAAI/bge-reranker-v2-m3")
        return model


def _not_a_reranker(model: Any) -> str | None:
    """Why a cross-encoder scores no relevance; sentence-transformers loads any model, and makes up what it lacks."""
    trained = tuple(getattr(model.config, "architectures", None) or ())
    task = getattr(model[0], "transformer_task", None)
    if task == "sequence-classification" and not any(one.endswith("ForSequenceClassification") for one in trained):
        return f"it holds a {', '.join(trained) or 'model'} without weights to score by"
    if model.num_labels != 1:
        return f"it gives {model.num_labels} numbers for a passage, not one"
    return None


def _predicted(model: Any, question: str, passages: list[str]) -> Scores:
    import torch

    device = model.device.type
    with torch.autocast(device, torch.float16, enabled=device == "cuda"):
        scores: Scores = model.predict(
            [(question, text) for text in passages], batch_size=len(passages), show_progress_bar=False
        )
    return scores


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
