"""How many passages a second are embedded, against sentence-transformers as it comes, on the same texts and threads.

    python benchmarks/embedding.py --texts corpora/sample

Two mixes, of passages of 200 to 350 tokens and of 50 to 150, each two English to one Chinese where the folder has
both. Both embedders take each portion of the texts in turn, so that whatever else the machine does slows both; a
mix's ratio is the median over its portions.
"""

import argparse
import random
import statistics
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from sentence_transformers import SentenceTransformer
from tokenizers import Tokenizer

from rag.embedding import open_embedder
from rag.packaged_embedder import PASSAGE_PROMPT, ensure_sentence_transformers_folder, load_tokenizer
from rag.settings import Settings

MIXES = {"200-350 tokens": (200, 350), "50-150 tokens": (50, 150)}
PORTION = 32
SAMPLE = Path(__file__).parent.parent / "corpora" / "sample"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--texts", type=Path, default=SAMPLE, help="folder of .md and .txt files (the sample)")
    parser.add_argument("--home", type=Path, default=Path("data"), help="where the packaged model is prepared")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--portions", type=int, default=5, help=f"of {PORTION} passages, for each mix")
    arguments = parser.parse_args()

    torch.set_num_threads(arguments.threads)
    stock = SentenceTransformer(str(ensure_sentence_transformers_folder(arguments.home)), device="cpu")
    ours = open_embedder(Settings(home=arguments.home, threads=arguments.threads))
    ours.embed_query("warm up")
    tokenizer = load_tokenizer(arguments.home)
    files = sorted(path for path in arguments.texts.rglob("*") if path.suffix in {".md", ".txt"})
    text = [path.read_text(encoding="utf-8", errors="replace") for path in files]
    for mix, (shortest, longest) in MIXES.items():
        stock_s, ours_s, cosines, tokens = [], [], [], 0
        passages = list(cut(text, tokenizer, shortest, longest, (arguments.portions + 1) * PORTION))
        for at in range(0, len(passages), PORTION):
            portion = passages[at : at + PORTION]
            started = time.perf_counter()
            expected = stock.encode([PASSAGE_PROMPT + p for p in portion], batch_size=32, normalize_embeddings=True)
            between = time.perf_counter()
            vectors = ours.embed_passages(portion)
            ended = time.perf_counter()
            cosines += (vectors * expected).sum(1).tolist()
            if at == 0:
                continue  # warming up
            stock_s.append(between - started)
            ours_s.append(ended - between)
            tokens += sum(len(encoding.ids) for encoding in tokenizer.encode_batch_fast(portion))
        ratio = statistics.median(s / o for s, o in zip(stock_s, ours_s, strict=True))
        measured = PORTION * len(ours_s)
        print(
            f"{mix}: sentence-transformers {measured / sum(stock_s):.1f} passages/s ({tokens / sum(stock_s):.0f} "
            f"tokens/s), ours {measured / sum(ours_s):.1f} ({tokens / sum(ours_s):.0f}), ratio {ratio:.2f} "
            f"(by portion {', '.join(f'{s / o:.2f}' for s, o in zip(stock_s, ours_s, strict=True))}); "
            f"cosine min {min(cosines):.6f}, mean {statistics.mean(cosines):.6f}"
        )


def cut(texts: list[str], tokenizer: Tokenizer, shortest: int, longest: int, wanted: int) -> Iterator[str]:
    """``wanted`` passages of random lengths between the two, from random places of ``texts``."""
    chance = random.Random(1)
    encoded = [(text, tokenizer.encode(text).offsets[1:-1]) for text in texts]
    encoded = [(text, offsets) for text, offsets in encoded if len(offsets) > longest]
    for _ in range(wanted):
        text, offsets = chance.choice(encoded)
        length = chance.randint(shortest, longest) - 6  # the prompt and the two ends of a text are tokens too
        start = chance.randrange(len(offsets) - length)
        yield text[offsets[start][0] : offsets[start + length - 1][1]]


if __name__ == "__main__":
    main()
