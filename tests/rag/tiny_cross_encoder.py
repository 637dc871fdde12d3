"""A cross-encoder that is a real one, but for its size and that its weights are random."""

from collections.abc import Iterable
from pathlib import Path

MOST_TOKENS = 64


def save_model(folder: Path, texts: Iterable[str], labels: int = 1, bias: float = 0.0) -> Path:
    """Two layers, with the characters of ``texts`` as vocabulary."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    characters = sorted({character for text in texts for character in text.lower()} - {" "})
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *characters, *("##" + one for one in characters)]
    tokenizer = BertTokenizerFast(vocab={word: number for number, word in enumerate(words)})
    torch.manual_seed(7)
    model = BertForSequenceClassification(
        BertConfig(
            vocab_size=len(words),
            hidden_size=32,
            num_hidden_layers=2,
            num_attention_heads=2,
            intermediate_size=64,
            max_position_embeddings=MOST_TOKENS,
            initializer_range=0.5,
            num_labels=labels,
        )
    )
    model.classifier.bias.data.fill_(bias)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
