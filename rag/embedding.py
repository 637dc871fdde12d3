"""Turning text into unit vectors: the packaged model on the CPU, or any sentence-transformers model."""

import hashlib
import logging
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from rag.errors import Unavailable
from rag.gathering import Gathering
from rag.packaged_embedder import (
    MAX_TOKENS,
    PASSAGE_PROMPT,
    QUERY_PROMPT,
    ensure_packaged_embedder,
    ensure_sentence_transformers_folder,
    load_tokenizer,
)
from rag.settings import PACKAGED_EMBEDDER, Settings

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from rag.packaged_encoder import PackagedEncoder

PACKAGED_ON_GPU = f"{PACKAGED_EMBEDDER}@cuda"
"""The packaged model, by torch on the GPU: the same vectors but for rounding, so the same fingerprint."""
QUERIES_KEPT = 256
BATCH_TOKENS = 1024
"""More would not fit the processor's cache and be slower; fewer would leave its multipliers idle."""
FEW_TOKENS, FEW_BATCH_TOKENS = 2048, 256
"""So few tokens together go in smaller batches: less padding, which counts for more there, and shorter waits."""
BATCH_TEXTS = {"cpu": 8, "cuda": 256}
Vectors = NDArray[np.float32]
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class EmbedderCounts:
    """Since the embedder was opened: queries whose vector was still known or not, and what was computed."""

    query_hits: int
    query_misses: int
    batches: int
    texts: int


class Embedder(Protocol):
    """Gives float32 rows of length 1, so that an inner product is a cosine similarity."""

    @property
    def counts(self) -> EmbedderCounts:
        """What this process had it do."""

    @property
    def fingerprint(self) -> str:
        """Changes with whatever changes the vectors: weights, pooling, prompts."""

    def embed_query(self, text: str) -> Vectors:
        """(dimension,)"""

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """(n, dimension), in the order of ``texts``."""


@runtime_checkable
class EmbedsTogether(Protocol):
    """An embedder that takes several queries in one batch."""

    def embed_queries(self, texts: Sequence[str]) -> list[Vectors]:
        """As ``embed_query`` gives them, in the order of ``texts``."""


def open_embedder(settings: Settings) -> Embedder:
    """The embedder that RAG_EMBEDDER names; its model is loaded at first use, then shared by all threads."""
    if settings.embedder == PACKAGED_EMBEDDER:
        return PackagedEmbedder(settings)
    return SentenceTransformerEmbedder(settings)


class KnownQueries:
    """The vectors of queries: those asked last are kept, and those that several threads ask for at one time are
    computed in one batch. Safe for use by several threads. ``hits`` and ``misses`` count the queries."""

    def __init__(self, embed: Callable[[list[str]], Vectors]) -> None:
        self._embed = embed
        self._kept: OrderedDict[str, Vectors] = OrderedDict()
        self._lock = threading.Lock()
        self._gathering: Gathering[list[str], dict[str, Vectors]] = Gathering()
        self.hits = self.misses = 0

    def vectors(self, texts: Sequence[str]) -> list[Vectors]:
        """In the order of ``texts``, each (dimension,) and not to be written to."""
        known = self._known(texts)
        missing = [text for text in dict.fromkeys(texts) if text not in known]
        with self._lock:
            self.hits, self.misses = self.hits + len(texts) - len(missing), self.misses + len(missing)
        if missing:
            known |= self._gathering.done(missing, self._embedded)
        return [known[text] for text in texts]

    def _known(self, texts: Sequence[str]) -> dict[str, Vectors]:
        with self._lock:
            found = {text: self._kept[text] for text in texts if text in self._kept}
            for text in found:
                self._kept.move_to_end(text)
            return found

    def _embedded(self, calls: Sequence[list[str]]) -> list[dict[str, Vectors]]:
        wanted = list(dict.fromkeys(text for call in calls for text in call))
        found = self._known(wanted)  # one that came a moment later than the same query of another
        if new := [text for text in wanted if text not in found]:
            rows = self._embed(new)
            rows.setflags(write=False)
            found |= dict(zip(new, rows, strict=True))
        with self._lock:
            self._kept |= found
            while len(self._kept) > QUERIES_KEPT:
                self._kept.popitem(last=False)
        return [{text: found[text] for text in call} for call in calls]


class PackagedEmbedder:
    """The packaged model on the CPU. Needs neither torch nor sentence-transformers.

    A text longer than the model reads is cut at its end. A query waits for the batch that is being computed, a
    fraction of a second, however many passages another thread still has to embed.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loading = threading.Lock()
        self._computing = TurnTaking()
        self._batches = self._texts = 0
        self._queries = KnownQueries(self._embed_new_queries)

    @property
    def counts(self) -> EmbedderCounts:
        return EmbedderCounts(self._queries.hits, self._queries.misses, self._batches, self._texts)

    @cached_property
    def fingerprint(self) -> str:
        return (ensure_packaged_embedder(self._settings.home) / "fingerprint").read_text(encoding="ascii")

    def embed_query(self, text: str) -> Vectors:
        return self._queries.vectors([text])[0]

    def embed_queries(self, texts: Sequence[str]) -> list[Vectors]:
        return self._queries.vectors(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._embed([PASSAGE_PROMPT + text for text in texts])

    def _embed_new_queries(self, texts: list[str]) -> Vectors:
        return self._embed([QUERY_PROMPT + text for text in texts], hurried=True)

    def _embed(self, texts: list[str], hurried: bool = False) -> Vectors:
        tokenizer, encoder = self._model
        tokens = [encoding.ids for encoding in tokenizer.encode_batch_fast(texts)]
        vectors = np.empty((len(texts), encoder.dimension), np.float32)
        lengths = [len(ids) for ids in tokens]
        most = FEW_BATCH_TOKENS if sum(lengths) < FEW_TOKENS else BATCH_TOKENS
        for batch in token_batches(lengths, most):
            with self._computing.turn(hurried):
                vectors[batch] = encoder.encode([tokens[number] for number in batch])
                self._batches, self._texts = self._batches + 1, self._texts + len(batch)
        return vectors

    @property
    def _model(self) -> "tuple[Tokenizer, PackagedEncoder]":
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> "tuple[Tokenizer, PackagedEncoder]":
        try:
            from rag.packaged_encoder import PackagedEncoder
        except ModuleNotFoundError as error:
            raise Unavailable("The packaged embedder needs OpenVINO: pip install openvino") from error

        tokenizer = load_tokenizer(self._settings.home)
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer, PackagedEncoder(self._settings.threads)


class SentenceTransformerEmbedder:
    """Any sentence-transformers model, on the GPU at 16 bit where torch finds one.

    A text longer than the model reads is cut at its end, as the model does.
    """

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loading = threading.Lock()
        self._tokenizing = threading.Lock()
        self._computing = TurnTaking()
        self._batches = self._texts = 0
        self._queries = KnownQueries(self._embed_new_queries)

    @property
    def counts(self) -> EmbedderCounts:
        return EmbedderCounts(self._queries.hits, self._queries.misses, self._batches, self._texts)

    @property
    def fingerprint(self) -> str:
        if self._settings.embedder == PACKAGED_ON_GPU:
            return PackagedEmbedder(self._settings).fingerprint
        return self._weights_fingerprint

    @cached_property
    def _weights_fingerprint(self) -> str:
        digest = hashlib.sha256(repr((self._model.prompts, [repr(part) for part in self._model])).encode())
        for name, tensor in sorted(self._model.state_dict().items()):
            digest.update(name.encode())
            digest.update(tensor.cpu().float().numpy().tobytes())
        return digest.hexdigest()

    def embed_query(self, text: str) -> Vectors:
        return self._queries.vectors([text])[0]

    def embed_queries(self, texts: Sequence[str]) -> list[Vectors]:
        return self._queries.vectors(texts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        return self._encode(list(texts), "passage")

    def _embed_new_queries(self, texts: list[str]) -> Vectors:
        return self._encode(texts, "query")

    def _encode(self, texts: list[str], prompt_name: str) -> Vectors:
        model = self._model
        prompt, size = model.prompts.get(prompt_name), BATCH_TEXTS[model.device.type]
        by_length = sorted(range(len(texts)), key=lambda number: -len(texts[number]))
        batches = [by_length[at : at + size] for at in range(0, len(texts), size)]

        def tokenized(batch: list[int]) -> Any:
            with self._tokenizing:
                return model.preprocess([texts[number] for number in batch], prompt=prompt)

        vectors = np.empty((len(texts), model.get_embedding_dimension()), np.float32)
        with ThreadPoolExecutor(1, "tokenizing") as ahead:
            for batch, features in zip(batches, ahead.map(tokenized, batches), strict=True):
                with self._computing.turn():
                    vectors[batch] = _forward(model, features)
                    self._batches, self._texts = self._batches + 1, self._texts + len(batch)
        return vectors

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
        if name == PACKAGED_ON_GPU:
            if not torch.cuda.is_available():
                raise Unavailable(f"RAG_EMBEDDER={name}: torch finds no GPU here; use {PACKAGED_EMBEDDER}")
            name = str(ensure_sentence_transformers_folder(self._settings.home))
        elif name.startswith("packaged:"):
            raise Unavailable(f"RAG_EMBEDDER={name}: what is packaged is {PACKAGED_EMBEDDER} and {PACKAGED_ON_GPU}")
        try:
            return SentenceTransformer(name, device="cuda" if torch.cuda.is_available() else "cpu").eval()
        except (OSError, ValueError) as error:
            raise Unavailable(f"RAG_EMBEDDER={name} cannot be loaded: {_first_line(error)}") from error


class TurnTaking:
    """A lock that goes to who waits longest; those in a hurry go before all others."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._waiting: dict[bool, deque[object]] = {True: deque(), False: deque()}
        self._is_held = False

    @contextmanager
    def turn(self, hurried: bool = False) -> Iterator[None]:
        ticket, line = object(), self._waiting[hurried]
        with self._changed:
            line.append(ticket)
            try:
                self._changed.wait_for(lambda: not self._is_held and self._next() is ticket)
                self._is_held = True
            finally:
                line.remove(ticket)
        try:
            yield
        finally:
            with self._changed:
                self._is_held = False
                self._changed.notify_all()

    def _next(self) -> object:
        return (self._waiting[True] or self._waiting[False])[0]


def token_batches(lengths: Sequence[int], most: int) -> Iterator[list[int]]:
    """The positions of ``lengths``, longest first, in batches of at most ``most`` tokens once padded, or of one."""
    by_length = sorted(range(len(lengths)), key=lambda number: -lengths[number])
    at = 0
    while at < len(by_length):
        size = max(1, most // lengths[by_length[at]])
        yield by_length[at : at + size]
        at += size


def _forward(model: Any, features: Any) -> Vectors:
    """Unit vectors of what the model's ``preprocess`` gave."""
    import torch
    from sentence_transformers.util import batch_to_device

    device = model.device.type
    with torch.inference_mode(), torch.autocast(device, torch.float16, enabled=device == "cuda"):
        vectors = model(batch_to_device(features, model.device))["sentence_embedding"].float()
        vectors = torch.nn.functional.normalize(vectors[:, : model.truncate_dim], dim=1)
    found: Vectors = vectors.cpu().numpy()
    return found


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)
