"""The packaged reranker: the packaged embedder's vectors of single tokens, compared question by passage.

A passage's score is the mean, over the question's tokens, of the cosine to the closest of the passage's tokens: the
late interaction of Khattab and Zaharia, "ColBERT", SIGIR 2020, with a model that was not trained for it. It sees a
detail that the one vector of a long passage has lost; it has to read the passages at the time of the question, which on
a CPU takes some tenths of a second for each thousand words.
"""

import threading
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.embedding import BATCH_TOKENS, TurnTaking, token_batches
from rag.packaged_embedder import MAX_TOKENS, PASSAGE_PROMPT, QUERY_PROMPT, load_tokenizer
from rag.settings import Settings

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer

    from rag.packaged_encoder import PackagedEncoder

Vectors = NDArray[np.float32]


class LateInteractionReranker:
    """See ``rag.reranking.Reranker``; scores are cosines, -1 to 1."""

    added: float | None = 2.0

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loading = threading.Lock()
        self._computing = TurnTaking()

    def rerank(self, question: str, passages: Sequence[str]) -> NDArray[np.float32]:
        if not passages:
            return np.empty(0, np.float32)
        asked = self._tokens([question], QUERY_PROMPT)[question]
        distinct = list(dict.fromkeys(passages))
        read = self._tokens(distinct, PASSAGE_PROMPT)
        scores = {text: _score(asked, read[text]) for text in distinct}
        return np.array([scores[text] for text in passages], np.float32)

    def _tokens(self, texts: Sequence[str], prompt: str) -> dict[str, Vectors]:
        """By text, the vectors of its tokens (tokens, dimension), without those of the prompt."""
        tokenizer, encoder = self._model
        encodings: list[Encoding] = tokenizer.encode_batch([prompt + text for text in texts])
        found = {}
        for batch in token_batches([len(encoding.ids) for encoding in encodings], BATCH_TOKENS):
            with self._computing.turn():
                vectors = encoder.encode([encodings[number].ids for number in batch])
            for row, number in enumerate(batch):
                own = [at for at, (start, end) in enumerate(encodings[number].offsets) if end > start >= len(prompt)]
                found[texts[number]] = vectors[row, own]
        return found

    @property
    def _model(self) -> "tuple[Tokenizer, PackagedEncoder]":
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> "tuple[Any, PackagedEncoder]":
        from rag.packaged_encoder import PackagedEncoder

        tokenizer = load_tokenizer(self._settings.home)
        tokenizer.enable_truncation(MAX_TOKENS)
        return tokenizer, PackagedEncoder(self._settings.threads, "tokens")


def _score(asked: Vectors, read: Vectors) -> float:
    if not len(asked) or not len(read):
        return -1.0
    return float((asked @ read.T).max(axis=1).mean())
