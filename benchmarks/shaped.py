"""Vectors of realistic shape, as many as wanted: embeddings of real passages, enlarged by noise of their own shape.

    python benchmarks/shaped.py --corpora A.jsonl.gz B.jsonl.gz --questions Q.jsonl.gz --into shaped.npz

Reads, splits and embeds passages as the product does, drawn by chance, and questions as questions, into a file that the
other benchmarks take. ``enlarged`` then makes as many more as wanted: each is one of the real vectors, of whose
deviation from the mean of all a part is kept and a part is replaced by the difference of two others drawn by chance,
``SPREAD`` of the whole, so that mean and covariance stay those of the data; at length 1. Noise that is alike in all
directions would leave the cone in which embeddings lie, and an index would be measured on vectors that no model makes.
``describe`` holds the result against the real vectors: how close a question's nearest, 10th and 100th passage are among
as many real and as many made ones, and how much of an index has to be looked into to find the 10 closest.
"""

import argparse
import gzip
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import faiss
import numpy as np
from numpy.typing import NDArray

from ingestion.loaders import load
from ingestion.parsing import parsed
from ingestion.splitting import token_counter
from rag.embedding import open_embedder
from rag.indexing import indexed_text
from rag.packaged_embedder import ensure_packaged_embedder, load_tokenizer
from rag.settings import Settings

SPREAD = 0.5
"""Two made of the same vector then have a cosine of about .95; an index finds a little less among them than among real
ones (``describe``)."""
_AT_ONCE = 50_000
_SAVED_EVERY = 250
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Shaped:
    """Unit vectors: of real passages, and of questions asked of them."""

    passages: Vectors
    questions: Vectors


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--corpora", type=Path, nargs="+", required=True, help="JSON Lines, plain or gzip")
    parser.add_argument("--questions", type=Path, nargs="+", required=True)
    parser.add_argument("--passages", type=int, default=20_000)
    parser.add_argument("--asked", type=int, default=1_000)
    parser.add_argument("--home", type=Path, default=Path("data"), help="where the packaged model is prepared")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--into", type=Path, required=True)
    arguments = parser.parse_args()
    ensure_packaged_embedder(arguments.home)
    embedder = open_embedder(Settings(home=arguments.home, threads=arguments.threads))
    asked = questions_of(arguments.questions, arguments.asked)
    questions = np.stack([embedder.embed_query(text) for text in asked])
    texts = _passages(arguments.corpora, arguments.home, arguments.passages)
    print(f"{len(asked)} questions embedded; {len(texts)} passages to embed", flush=True)
    started, parts = time.perf_counter(), []
    for at in range(0, len(texts), _SAVED_EVERY):
        parts.append(embedder.embed_passages(texts[at : at + _SAVED_EVERY]))
        np.savez(arguments.into, passages=np.concatenate(parts), questions=questions)
        done = sum(map(len, parts))
        print(f"  {done} passages, {done / (time.perf_counter() - started):.0f} a second", flush=True)


def read(path: Path) -> Shaped:
    with np.load(path) as stored:
        return Shaped(stored["passages"], stored["questions"])


def made_up(passages: int, questions: int, dimension: int = 384) -> Shaped:
    """Vectors in a cone as embeddings lie in, from no text, for a test run without a model; figures from these say
    nothing."""
    chance = np.random.default_rng(0)
    centres = chance.normal(size=(64, dimension)) + 2 * chance.normal(size=dimension)
    rows = centres[chance.integers(0, 64, passages + questions)] + chance.normal(size=(passages + questions, dimension))
    unit = (rows / np.linalg.norm(rows, axis=1, keepdims=True)).astype(np.float32)
    return Shaped(unit[:passages], unit[passages:])


def enlarged(real: Vectors, size: int, into: Path | None = None) -> Vectors:
    """(size, dimension): the real vectors, as far as they are wanted, then made ones; in a file where one is named."""
    chance = np.random.default_rng(0)
    shape = size, real.shape[1]
    found: Vectors = np.memmap(into, np.float32, "w+", shape=shape) if into else np.empty(shape, np.float32)
    own, mean, kept = min(size, len(real)), real.mean(axis=0), np.float32(np.sqrt(1 - SPREAD**2))
    found[:own] = real[chance.permutation(len(real))[:own]]
    for at in range(own, size, _AT_ONCE):
        count = min(_AT_ONCE, size - at)
        base, one, other = (real[chance.integers(0, len(real), count)] for _ in range(3))
        made = mean + kept * (base - mean) + np.float32(SPREAD / np.sqrt(2)) * (one - other)
        found[at : at + count] = made / np.linalg.norm(made, axis=1, keepdims=True)
    return found


def describe(shaped: Shaped) -> str:
    """A table in Markdown: cosines of questions to passages and their ranks, real and made, among equally many."""
    count = len(shaped.passages)
    made = enlarged(shaped.passages, 2 * count)[count:]
    rows = ["| among | nearest | 10th | 100th | any two passages | recall@10 in 1/16, 1/4, 1/2 of the lists |"]
    rows.append("|---|---|---|---|---|---|")
    for name, passages in ((f"{count:,} real", shaped.passages), (f"{count:,} made", made)):
        cosines, closest = faiss.knn(shaped.questions, passages, min(100, count), faiss.METRIC_INNER_PRODUCT)
        between = np.einsum("nd,nd->n", passages[:-1], passages[1:])
        figures = [cosines[:, 0], cosines[:, min(9, count - 1)], cosines[:, -1], between]
        found = ", ".join(f"{one:.3f}" for one in _recalls(passages, shaped.questions, closest[:, :10]))
        rows.append(f"| {name} | " + " | ".join(f"{np.median(one):.3f}" for one in figures) + f" | {found} |")
    return "\n".join(rows)


def _recalls(passages: Vectors, questions: Vectors, expected: NDArray[np.int64]) -> list[float]:
    """Of an index of ``count / 40`` lists, of which a part is looked into."""
    width, lists = passages.shape[1], len(passages) // 40
    index = faiss.IndexIVFFlat(faiss.IndexFlatIP(width), width, lists, faiss.METRIC_INNER_PRODUCT)
    index.train(passages)
    index.add(passages)
    found = []
    for part in (1 / 16, 1 / 4, 1 / 2):
        some = faiss.SearchParametersIVF(nprobe=max(1, round(part * lists)))
        _, near = index.search(questions, 10, params=some)
        found.append(float(np.mean([np.isin(right, own).mean() for right, own in zip(expected, near, strict=True)])))
    return found


def _passages(corpora: Sequence[Path], home: Path, wanted: int) -> list[str]:
    """Drawn by chance, always the same, of all that the corpora hold."""
    records = [loaded for path in corpora for loaded in load(path)]
    random.Random(0).shuffle(records)
    count_tokens, texts = token_counter(load_tokenizer(home)), []
    for loaded in records:
        document = parsed(loaded, "jsonl", count_tokens)
        for one in document.passages:
            said = document.text[one.char_start : one.char_end]
            texts.append(indexed_text(document.metadata.title, one.section, said))
        if len(texts) >= wanted:
            break
    return texts[:wanted]


def questions_of(files: Sequence[Path], wanted: int) -> list[str]:
    asked: dict[str, None] = {}
    for path in files:
        with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as lines:
            for line in lines:
                stated = json.loads(line)
                asked[stated.get("text") or stated["question"]] = None
    return random.Random(0).sample(list(asked), min(wanted, len(asked)))


if __name__ == "__main__":
    main()
