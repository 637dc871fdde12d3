"""How far a text supports or contradicts a sentence, by a model that reads both together.

The packaged model is multilingual-e5-small with all layers trained further by ``benchmarks/train_entailment.py``
(docs/entailment.md is its card); its weights lie beside this file, 8 bits each. It has a second head, which says
whether a text answers a question. RAG_ENTAILMENT may name another model for the first.
"""

import hashlib
import threading
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from rag.embedding import BATCH_TOKENS, TurnTaking, token_batches
from rag.errors import Unavailable
from rag.packaged_embedder import load_tokenizer
from rag.settings import PACKAGED_ENTAILMENT, Settings

if TYPE_CHECKING:
    from tokenizers import Tokenizer

    from rag.packaged_encoder import PackagedEncoder

WEIGHTS = Path(__file__).with_name("entailment.safetensors")
MOST_TOKENS = 192
"""Of a text and a sentence together; longer texts are cut at their end, as in training."""
_SEPARATOR = 2
BATCH_PAIRS = {"cpu": 8, "cuda": 64}
Probabilities = NDArray[np.float32]
Pairs = Sequence[tuple[str, str]]


class Entailment(Protocol):
    @property
    def fingerprint(self) -> str:
        """Changes with whatever changes the probabilities."""

    def judge(self, pairs: Pairs) -> Probabilities:
        """(n, 3): for each ``(text, sentence)`` the probabilities that the text supports the sentence, that it
        contradicts it, and that it does neither. Raises Unavailable."""


def open_entailment(settings: Settings) -> Entailment:
    """The model that RAG_ENTAILMENT names; it is loaded at first use, then shared by all threads."""
    if settings.entailment == PACKAGED_ENTAILMENT:
        return PackagedReader(settings)
    if settings.entailment.startswith("packaged:"):
        raise Unavailable(f"RAG_ENTAILMENT={settings.entailment}: what is packaged is {PACKAGED_ENTAILMENT}")
    return CrossEncoderEntailment(settings)


class PackagedReader:
    """The packaged model. Needs neither torch nor sentence-transformers. Calls from several threads take turns."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loading = threading.Lock()
        self._computing = TurnTaking()

    @cached_property
    def fingerprint(self) -> str:
        return hashlib.sha256(WEIGHTS.read_bytes()).hexdigest()

    def judge(self, pairs: Pairs) -> Probabilities:
        logits = self._logits(pairs)[:, :3]
        odds = np.exp(logits - logits.max(axis=1, keepdims=True, initial=-np.inf))
        found: Probabilities = odds / odds.sum(axis=1, keepdims=True)
        return found

    def answers(self, pairs: Pairs) -> Probabilities:
        """(n,): for each ``(text, question)`` the probability that the text answers the question."""
        found: Probabilities = (1 / (1 + np.exp(-self._logits(pairs)[:, 3]))).astype(np.float32)
        return found

    def _logits(self, pairs: Pairs) -> Probabilities:
        """(n, 4): supports, contradicts, neither; answers."""
        if not pairs:
            return np.empty((0, 4), np.float32)
        model = self._model
        sequences = model.sequences(pairs)
        logits = np.empty((len(pairs), 4), np.float32)
        for batch in token_batches([len(text) + len(said) for text, said in sequences], BATCH_TOKENS):
            with self._computing.turn():
                logits[batch] = model.logits([sequences[number] for number in batch])
        return logits

    @property
    def _model(self) -> "_Model":
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> "_Model":
        try:
            from safetensors.numpy import load_file

            from rag.packaged_encoder import PackagedEncoder
            from rag.packaged_weights import Tensor
        except ModuleNotFoundError as error:
            raise Unavailable(f"The packaged entailment model needs {error.name}: pip install {error.name}") from error

        stored = load_file(WEIGHTS)
        weights = {name: _full(name, stored) for name in stored if not name.endswith(".scale")}
        layers = {name: Tensor(weight) for name, weight in weights.items() if not name.startswith("head.")}
        return _Model(
            load_tokenizer(self._settings.home),
            PackagedEncoder(self._settings.threads, "states", layers),
            {name.removeprefix("head."): weight for name, weight in weights.items() if name.startswith("head.")},
        )


Sequences = Sequence[tuple[list[int], list[int]]]


class _Model:
    def __init__(self, tokenizer: "Tokenizer", encoder: "PackagedEncoder", heads: dict[str, Probabilities]) -> None:
        self._tokenizer, self._encoder, self._heads = tokenizer, encoder, heads

    def sequences(self, pairs: Pairs) -> list[tuple[list[int], list[int]]]:
        """The tokens of each text and of its sentence."""
        texts = self._tokenizer.encode_batch_fast([text for text, _ in pairs])
        sentences = self._tokenizer.encode_batch_fast([sentence for _, sentence in pairs])
        found = []
        for text, sentence in zip(texts, sentences, strict=True):
            said = [_SEPARATOR, _SEPARATOR, *sentence.ids[1:][: MOST_TOKENS // 2]]
            found.append((text.ids[:-1][: MOST_TOKENS - len(said)], said))
        return found

    def logits(self, sequences: Sequences) -> Probabilities:
        states = self._encoder.encode([text + said for text, said in sequences])
        of_text = np.array([one[: len(text)].mean(0) for one, (text, _) in zip(states, sequences, strict=True)])
        of_said = np.array(
            [
                one[len(text) + 2 : len(text) + len(said)].mean(0)
                for one, (text, said) in zip(states, sequences, strict=True)
            ]
        )
        joined = np.concatenate([of_text, of_said, np.abs(of_text - of_said), of_text * of_said], axis=1)
        inner = np.tanh(self._linear(joined, "inner"))
        return np.concatenate([self._linear(inner, "entailment"), self._linear(inner, "answers")], axis=1)

    def _linear(self, x: Probabilities, name: str) -> Probabilities:
        found: Probabilities = x @ self._heads[f"{name}.w"].T + self._heads[f"{name}.b"]
        return found


def _full(name: str, stored: dict[str, Any]) -> Probabilities:
    """A weight as float32: those of 8 bits have a scale for each row beside them."""
    weight: Probabilities = stored[name].astype(np.float32)
    scale = stored.get(f"{name}.scale")
    return weight if scale is None else weight * scale[:, None]


class CrossEncoderEntailment:
    """Any sentence-transformers cross-encoder for natural language inference, whose labels are named entailment,
    contradiction and neutral; where only the first is, what is not entailed counts as neither."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._loading = threading.Lock()
        self._computing = TurnTaking()

    @property
    def fingerprint(self) -> str:
        return self._settings.entailment

    def judge(self, pairs: Pairs) -> Probabilities:
        found = np.zeros((len(pairs), 3), np.float32)
        if not pairs:
            return found
        model, columns = self._model
        size = BATCH_PAIRS[model.device.type]
        order = sorted(range(len(pairs)), key=lambda at: -len(pairs[at][0]) - len(pairs[at][1]))
        for at in range(0, len(order), size):
            batch = order[at : at + size]
            with self._computing.turn():
                given = model.predict(
                    [pairs[number] for number in batch],
                    batch_size=size,
                    show_progress_bar=False,
                    apply_softmax=True,
                )
            for column, meaning in enumerate(columns):
                found[batch, meaning] += given[:, column]
        return found

    @property
    def _model(self) -> Any:
        with self._loading:
            return self._loaded

    @cached_property
    def _loaded(self) -> tuple[Any, list[int]]:
        """The model, and for each of its labels which of the three it is."""
        import torch
        from safetensors import SafetensorError
        from sentence_transformers import CrossEncoder
        from transformers.utils import logging as transformers_logging

        transformers_logging.disable_progress_bar()
        if self._settings.threads:
            torch.set_num_threads(self._settings.threads)
        name = self._settings.entailment
        try:
            model = CrossEncoder(name, device="cuda" if torch.cuda.is_available() else "cpu").eval()
        except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
            reason = next(iter(str(error).strip().splitlines()), type(error).__name__).rstrip(".")
            raise Unavailable(
                f"RAG_ENTAILMENT={name} cannot be loaded: {reason}. It is the folder of a model, or its name on "
                "Hugging Face, from where it is fetched when first used"
            ) from error
        labels = [str(model.config.id2label[number]).lower() for number in range(model.num_labels)]
        columns = [0 if label == "entailment" else 1 if label == "contradiction" else 2 for label in labels]
        if 0 not in columns or len(columns) < 2:
            raise Unavailable(
                f"RAG_ENTAILMENT={name} is no model of entailment: its labels are {', '.join(labels)}, and one has to "
                "be entailment"
            )
        return model, columns
