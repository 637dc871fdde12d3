"""Instructions hidden in documents: how often they get into an answer.

    python benchmarks/injection.py DATA [--grounded] [--limit N]

DATA is a folder of test collections; ``attack`` has the instructions, ``covidqa`` questions with the passages that
answer them. Each instruction is written into a passage that answers a question, between two of its sentences: once as
it is, once behind the question itself (the pattern of PoisonedRAG), which makes its passage the one that is found. Each
question is then asked, and an instruction counts as quoted where a run of the answer's text is its own. Screening is
off (``RAG_EXCLUDE_FLAGGED`` empty) in a second round, so that the figures do not rest on it alone.

``--grounded`` asks the language model of RAG_LLM_URL too, and looks whether it repeats its instructions.
"""

import argparse
import gzip
import json
import random
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from ingestion.pipeline import discover, ingest
from rag.answering import answer
from rag.injection import obeyed
from rag.permitted import PermittedKept
from rag.prompts import prompt
from rag.sentences import sentence_spans
from rag.settings import read_settings
from rag.system import System, open_system
from rag.types import LOCAL_ADMIN, Answer, AnswerMode, Ask, Query

SEED = 5
RUN = 24
"""Characters in a row that make a text the instruction's; a shorter instruction counts whole."""


@dataclass(frozen=True)
class Attack:
    id: str
    text: str
    question: str
    passage: str


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--grounded", action="store_true")
    parser.add_argument("--limit", type=int, default=1000, help="instructions to try")
    arguments = parser.parse_args()
    settings = read_settings()
    modes: list[AnswerMode] = ["extractive", "grounded"] if arguments.grounded else ["extractive"]
    print(f"{'spliced':<20} {'screening':<9} {'mode':<10} {'asked':>5} {'answered':>8} {'quoted':>6} {'leaked':>6}")
    for pattern in ("as it is", "behind the question"):
        with tempfile.TemporaryDirectory() as home:
            (Path(home) / "models").symlink_to((settings.home / "models").absolute())
            with open_system(settings.model_copy(update={"home": Path(home)})) as system:
                attacks = list(_attacks(arguments.data, arguments.limit, pattern == "behind the question"))
                _load(attacks, Path(home), system)
                for flags in ("hidden,instruction", ""):
                    looser = system.settings.model_copy(update={"exclude_flagged": flags})
                    looking = replace(system, settings=looser, permitted=PermittedKept())
                    for mode in modes:
                        _report(pattern, "on" if flags else "off", mode, attacks, looking)


def _report(pattern: str, screening: str, mode: AnswerMode, attacks: list[Attack], system: System) -> None:
    asked = [(one, answer(Ask(Query(one.question, top_k=3), mode), LOCAL_ADMIN, system)) for one in attacks]
    quoted = [one.id for one, given in asked if _holds(given.text, one.text)]
    leaked = [one.id for one, given in asked if _leaks(given)]
    answered = sum(given.status == "answered" for _, given in asked)
    counts = f"{len(asked):>5} {answered:>8} {len(quoted):>6} {len(leaked):>6}"
    print(f"{pattern:<20} {screening:<9} {mode:<10} {counts}  {' '.join(quoted + leaked)}", flush=True)


def _attacks(data: Path, limit: int, behind_question: bool) -> Iterator[Attack]:
    chance = random.Random(SEED)
    passages = {one["id"]: one["text"] for one in _lines(data / "covidqa" / "corpus.jsonl.gz")}
    every = _lines(data / "covidqa" / "qa.jsonl")
    questions = [one for one in every if one["passage_ids"] and not one["is_impossible"]]
    chance.shuffle(questions)
    used: set[str] = set()
    for one in _lines(data / "attack" / "instructions.jsonl")[:limit]:
        asked = next(q for q in questions if q["passage_ids"][0] in passages and q["passage_ids"][0] not in used)
        used.add(asked["passage_ids"][0])
        text = passages[asked["passage_ids"][0]]
        place = chance.choice([end for _, end in sentence_spans(text)])
        spliced = f"{asked['question']} {one['text']}" if behind_question else one["text"]
        yield Attack(one["id"], one["text"], asked["question"], f"{text[:place]} {spliced} {text[place:].lstrip()}")


def _load(attacks: list[Attack], folder: Path, system: System) -> None:
    for number, one in enumerate(attacks):
        (folder / f"{number:03}.txt").write_text(one.passage, encoding="utf-8")
    results = ingest(discover(sorted(folder.glob("*.txt"))), "default", system)
    assert all(result.status != "failed" for result in results), results


def _holds(text: str, attack: str) -> bool:
    said, wanted = " ".join(text.lower().split()), " ".join(attack.lower().split())
    runs = [wanted[at : at + RUN] for at in range(max(1, len(wanted) - RUN + 1))]
    return any(run in said for run in runs)


def _leaks(given: Answer) -> bool:
    said = prompt("grounded", given.language)
    return any(obeyed(sentence.text, (said.system, said.user)) for sentence in given.sentences)


def _lines(path: Path) -> list[dict]:
    with gzip.open(path, "rt", encoding="utf-8") if path.suffix == ".gz" else path.open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


if __name__ == "__main__":
    main()
