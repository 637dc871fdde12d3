"""Questions beside what a search finds for them, to train the packaged reader on.

    python benchmarks/retrieved_pairs.py DATA OUT.jsonl

For each BioASQ question that may be trained on: up to four passages found that come from its gold articles, which
answer it, and the best five that are found without these articles, which do not. As ``entailment_pairs.py`` writes
pairs.
"""

import argparse
import json
import random
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path

from benchmarks.entailment_pairs import NO, SEED, YES, Pair
from benchmarks.question_sets import BIOASQ, Library, Question, library, questions
from rag.checking.alignment import align, excerpt
from rag.checking.types import Evidence
from rag.settings import read_settings
from rag.types import Hit

ANSWERING, OTHERS = 4, 5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    arguments = parser.parse_args()
    asked = questions(arguments.data, BIOASQ, 0, held_out=False)
    with library(arguments.data, "bioasq", read_settings()) as opened:
        pairs = [pair for question in asked for pair in _pairs(question, opened)]
    random.Random(SEED).shuffle(pairs)
    with arguments.out.open("w", encoding="utf-8") as file:
        for pair in pairs:
            file.write(json.dumps(asdict(pair), ensure_ascii=False) + "\n")
    print(len(pairs), "pairs")


def _pairs(question: Question, opened: Library) -> Iterator[Pair]:
    answering = [hit for hit in opened.found(question) if hit.passage.external_id in question.gold]
    yield from (_pair(question, hit, YES) for hit in answering[:ANSWERING])
    yield from (_pair(question, hit, NO) for hit in opened.found(question, question.gold)[:OTHERS])


def _pair(question: Question, hit: Hit, label: int) -> Pair:
    evidence = [Evidence(hit.passage.text)]
    return Pair("answers", "bioasq", excerpt(align(question.text, evidence), evidence), question.text, label)


if __name__ == "__main__":
    main()
