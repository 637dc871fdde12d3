"""Chinese questions with a disease, drug or finding called by another of its names, as lay readers or older texts do.

    python benchmarks/renamed.py --queries Q.jsonl --into RENAMED.jsonl [--seed 1]

Reads JSON lines {"id","text"} and writes those in which a name of the glossary stands that has another: the longest is
put in the words of another, drawn by the seed. ``taiyi-rag evaluate retrieval`` on both files tells what a search loses
by a name. The names come from the glossary that the search itself has: what it loses by names that nobody wrote down
there, this does not tell.
"""

import argparse
import json
import random
from pathlib import Path

from rag.analysis import simplified, words
from rag.bilingual import synonyms


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--queries", type=Path, required=True)
    parser.add_argument("--into", type=Path, required=True)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()
    chance = random.Random(arguments.seed)
    with arguments.queries.open(encoding="utf-8") as asked, arguments.into.open("w", encoding="utf-8") as into:
        for line in asked:
            question = json.loads(line)
            text = renamed(question["text"], chance)
            if text is not None:
                into.write(json.dumps({"id": question["id"], "text": text}, ensure_ascii=False) + "\n")


def renamed(question: str, chance: random.Random) -> str | None:
    """The question with its longest name in other words; None where the glossary has no others for any."""
    text = simplified(question)
    name = max((word for word in words(text) if synonyms(word)), key=len, default=None)
    return None if name is None else text.replace(name, chance.choice(synonyms(name)))


if __name__ == "__main__":
    main()
