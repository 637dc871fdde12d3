"""Embedding and FAISS on the GPU that is here, beside the CPU: one table.

    python benchmarks/gpu.py                              a million vectors; takes minutes
    python benchmarks/gpu.py --vectors 20000 --texts 64   a look whether it runs

Needs nothing but the program and, for the GPU's part, ``pip install 'taiyi-rag[gpu]'`` in place of ``[cpu]`` and torch
for CUDA. What is not there is named and left out; without any GPU the table has the CPU's rows alone and says so.

Texts are made up (``synthetic.py``), about 200 tokens each; the model is the packaged multilingual-e5-small, on the CPU
by OpenVINO in float32 and on the GPU by torch at 16 bit, as ``RAG_EMBEDDER`` chooses them. Vectors are made up too:
unit vectors around a thousand centres, as wide as the packaged model's; questions lie near some of them. The flat
index on the CPU is what recall is counted against. Build includes the way of the vectors to the device.
"""

import argparse
import json
import os
import platform
import random
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import faiss
import numpy as np
from numpy.typing import NDArray
from synthetic import sentences

from rag.embedding import PACKAGED_ON_GPU, open_embedder
from rag.settings import PACKAGED_EMBEDDER, Settings

CENTRES, SPREAD = 1000, 0.6
K = 10
ALONE = 50
GRAPH_DEGREE = 32
Vectors = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the table. Rates are of texts or questions a second; ``alone_ms`` is the median of one question after
    another; ``recall`` the part of the ten closest that was found. None where that does not apply."""

    what: str
    device: str
    rate: float
    alone_ms: float | None = None
    build_s: float | None = None
    recall: float | None = None


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--vectors", type=int, default=1_000_000)
    parser.add_argument("--dimension", type=int, default=384)
    parser.add_argument("--questions", type=int, default=1000)
    parser.add_argument("--texts", type=int, default=2000, help="that the GPU embeds; the CPU a tenth of them")
    parser.add_argument("--home", type=Path, default=Path("data"), help="where the packaged model is prepared")
    parser.add_argument("--out", type=Path, help="file for the figures as JSON")
    arguments = parser.parse_args()
    card, missing = look_for_gpu()
    print(f"{datetime.now(UTC):%Y-%m-%d %H:%M} UTC, {os.cpu_count()} cores, Python {platform.python_version()}")
    print(f"GPU: {card or 'none'}; FAISS {faiss.__version__}, {faiss.get_compile_options().strip()}")
    for line in missing:
        print(f"left out: {line}")
    rows = list(embedding_rows(arguments.home, arguments.texts, torch_sees_gpu()))
    rows += faiss_rows(arguments.vectors, arguments.dimension, arguments.questions, gpus() > 0)
    print("\n".join(table(rows)))
    if not card:
        print("No GPU was found: these are figures of the CPU alone.")
    if arguments.out:
        said = {"gpu": card, "left_out": missing, "rows": [asdict(row) for row in rows], **vars(arguments)}
        arguments.out.write_text(json.dumps(said, indent=1, default=str), encoding="utf-8")


def look_for_gpu() -> tuple[str | None, list[str]]:
    """The card's name, None where neither torch nor FAISS has one to use; and what is left out, and why."""
    missing = []
    card = None
    if torch_sees_gpu():
        import torch

        card = str(torch.cuda.get_device_name(0))
    else:
        missing.append("embedding on the GPU: torch finds none")
    if gpus():
        card = card or "a GPU that only FAISS sees"
        if not hasattr(faiss, "GpuIndexCagra"):
            missing.append("CAGRA: this build of FAISS was made without cuVS")
    else:
        built = "finds none" if hasattr(faiss, "StandardGpuResources") else "was built for CPUs"
        missing.append(f"FAISS on the GPU: FAISS {built} (pip uninstall faiss-cpu; pip install 'taiyi-rag[gpu]')")
    return card, missing


def torch_sees_gpu() -> bool:
    import torch

    return bool(torch.cuda.is_available())


def gpus() -> int:
    return int(faiss.get_num_gpus()) if hasattr(faiss, "StandardGpuResources") else 0


def embedding_rows(home: Path, texts: int, on_gpu: bool) -> Iterator[Row]:
    for name, device, count in ((PACKAGED_EMBEDDER, "CPU", max(1, texts // 10)), (PACKAGED_ON_GPU, "GPU", texts)):
        if device == "GPU" and not on_gpu:
            continue
        embedder = open_embedder(Settings(home=home, embedder=name))
        embedder.embed_passages(made_up_texts(8, 150))
        given = made_up_texts(count, 150)
        took = seconds_of(lambda embedder=embedder, given=given: embedder.embed_passages(given))
        questions = made_up_texts(ALONE, 12)
        alone = [seconds_of(lambda embedder=embedder, one=one: embedder.embed_query(one)) for one in questions]
        yield Row("embedding", device, count / took, float(np.median(alone)) * 1000)


def made_up_texts(count: int, words: int) -> list[str]:
    """Each another, so that none is remembered."""
    chance = random.Random(words)
    return [sentences(chance, words) for _ in range(count)]


def faiss_rows(count: int, dimension: int, asked: int, on_gpu: bool) -> Iterator[Row]:
    vectors, questions = made_up(count, dimension, asked)
    exact = faiss.IndexFlatIP(dimension)
    build = seconds_of(lambda: exact.add(vectors))
    truth, row = searched("flat", "CPU", exact, questions, build, None)
    yield row
    lists = max(1, min(int(3 * np.sqrt(count)), count // 40))
    ivf = faiss.IndexIVFFlat(faiss.IndexFlatIP(dimension), dimension, lists, faiss.METRIC_INNER_PRODUCT)
    build = seconds_of(lambda: trained(ivf, vectors))
    ivf.nprobe = max(1, lists // 16)
    yield searched(f"IVF, {ivf.nprobe} of {lists} lists", "CPU", ivf, questions, build, truth)[1]
    if not on_gpu:
        return
    resources = faiss.StandardGpuResources()
    for half, told in ((False, "flat"), (True, "flat, 16 bit")):
        options = faiss.GpuIndexFlatConfig()
        options.useFloat16 = half
        flat = faiss.GpuIndexFlatIP(resources, dimension, options)
        build = seconds_of(lambda flat=flat: flat.add(vectors))
        yield searched(told, "GPU", flat, questions, build, truth)[1]
        del flat
    on_card = faiss.GpuIndexIVFFlat(resources, dimension, lists, faiss.METRIC_INNER_PRODUCT)
    build = seconds_of(lambda: trained(on_card, vectors))
    on_card.nprobe = ivf.nprobe
    yield searched(f"IVF, {ivf.nprobe} of {lists} lists", "GPU", on_card, questions, build, truth)[1]
    if hasattr(faiss, "GpuIndexCagra"):
        options = faiss.GpuIndexCagraConfig()
        options.graph_degree, options.intermediate_graph_degree = GRAPH_DEGREE, 2 * GRAPH_DEGREE
        graph = faiss.GpuIndexCagra(resources, dimension, faiss.METRIC_INNER_PRODUCT, options)
        build = seconds_of(lambda: graph.train(vectors))
        yield searched(f"CAGRA, degree {GRAPH_DEGREE}", "GPU", graph, questions, build, truth)[1]


def trained(index: Any, vectors: Vectors) -> None:
    index.train(vectors)
    index.add(vectors)


def searched(
    what: str, device: str, index: Any, questions: Vectors, build_s: float, truth: NDArray[np.int64] | None
) -> tuple[NDArray[np.int64], Row]:
    """What the index finds, and its row; without ``truth`` what it finds is the truth."""
    index.search(questions[:8], K)
    alone = [seconds_of(lambda one=one: index.search(one[None, :], K)) for one in questions[:ALONE]]
    found: list[NDArray[np.int64]] = []
    together = seconds_of(lambda: found.append(index.search(questions, K)[1]))
    recall = 1.0 if truth is None else recall_of(found[0], truth)
    row = Row(what, device, len(questions) / together, float(np.median(alone)) * 1000, build_s, recall)
    return found[0], row


def recall_of(found: NDArray[np.int64], truth: NDArray[np.int64]) -> float:
    """The mean part of each row of ``truth`` that stands in the same row of ``found``."""
    return float(
        np.mean([len(np.intersect1d(one, other)) / len(other) for one, other in zip(found, truth, strict=True)])
    )


def made_up(count: int, dimension: int, asked: int) -> tuple[Vectors, Vectors]:
    chance = np.random.default_rng(0)
    centres = chance.standard_normal((CENTRES, dimension), np.float32)
    vectors = np.empty((count, dimension), np.float32)
    for at in range(0, count, 100_000):
        part = vectors[at : at + 100_000]
        part[:] = (
            chance.standard_normal(part.shape, np.float32) * SPREAD + centres[chance.integers(CENTRES, size=len(part))]
        )
        part /= np.linalg.norm(part, axis=1, keepdims=True)
    near = vectors[chance.integers(count, size=asked)]
    questions = near + chance.standard_normal(near.shape, np.float32) * np.float32(SPREAD / np.sqrt(dimension))
    return vectors, questions / np.linalg.norm(questions, axis=1, keepdims=True)


def seconds_of(call: Callable[[], Any]) -> float:
    """What FAISS and ``rag.embedding`` give lies in the CPU's memory, so that a call's end is the end of its work."""
    began = time.perf_counter()
    call()
    return time.perf_counter() - began


def table(rows: list[Row]) -> Iterator[str]:
    yield "| | device | a second, together | one alone, ms | build, s | recall@10 |"
    yield "|---|---|---|---|---|---|"
    for row in rows:
        alone = "–" if row.alone_ms is None else f"{row.alone_ms:.2f}"
        build = "–" if row.build_s is None else f"{row.build_s:.1f}"
        recall = "–" if row.recall is None else f"{row.recall:.3f}"
        yield f"| {row.what} | {row.device} | {row.rate:,.0f} | {alone} | {build} | {recall} |"


if __name__ == "__main__":
    print(f"$ python {' '.join(sys.argv)}")
    main()
