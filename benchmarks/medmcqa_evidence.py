"""A corpus and questions for MedMCQA, which comes without evidence: its own explanations as documents among textbooks.

    python benchmarks/medmcqa_evidence.py --questions qa.jsonl --corpus openstax/corpus.jsonl.gz --out DIR

An explanation that is long enough to rest on becomes a document, which its question names as evidence; questions
without one are left out. What an explanation says of option letters ("Ans. is 'c' i.e., ...") is taken out, since it
would give the letter away and not the reason. Grounding is thus measured in a library that holds an explanation for
every question, kinder than real ones.
"""

import argparse
import gzip
import json
import re
from pathlib import Path

SHORTEST = 80
_LETTER = re.compile(
    r"\b(?:ans(?:wer)?|option|correct|choice)s?\b\.?[\s:\-]*(?:is|are)?[\s:\-]*"
    r"(?:[\"'(\[]*[a-e]\b[\"')\].,:]*(?:\s*(?:,|and|&)\s*[\"'(\[]*[a-e]\b[\"')\].,:]*)*)\s*(?:i\.?\s?e\.?,?)?",
    re.IGNORECASE,
)
_MARK = re.compile(r"(?<![\w.])[\"'(\[]*[a-eA-E][\"')\]]*[).:](?=\s)")


def without_letters(explanation: str) -> str:
    """The explanation without what names an option by its letter."""
    return " ".join(_MARK.sub(" ", _LETTER.sub(" ", explanation)).split())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--questions", type=Path, required=True, help="JSON lines with an explanation each")
    parser.add_argument("--corpus", type=Path, required=True, help="a corpus to put the explanations among")
    parser.add_argument("--out", type=Path, required=True)
    stated = parser.parse_args()
    stated.out.mkdir(parents=True, exist_ok=True)
    with (
        gzip.open(stated.out / "corpus.jsonl.gz", "wt", encoding="utf-8") as corpus,
        (stated.out / "questions.jsonl").open("w", encoding="utf-8") as questions,
        stated.questions.open(encoding="utf-8") as given,
    ):
        with gzip.open(stated.corpus, "rt", encoding="utf-8") as others:
            corpus.writelines(others)
        kept = 0
        for line in given:
            item = json.loads(line)
            text = without_letters(item.get("explanation") or "")
            if len(text) < SHORTEST:
                continue
            kept += 1
            document = {"id": f"explanation-{item['id']}", "title": "Explanation", "text": text, "lang": "en"}
            corpus.write(json.dumps(document, ensure_ascii=False) + "\n")
            question = {name: item[name] for name in ("id", "question", "options", "answer")}
            questions.write(json.dumps({**question, "evidence_ids": [document["id"]]}, ensure_ascii=False) + "\n")
    print(f"{kept} questions with an explanation")


if __name__ == "__main__":
    main()
