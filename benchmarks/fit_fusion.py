"""Fits how the two arms of a search are fused (``rag/fusion.json``), and what passages in the other language lose.

    python benchmarks/fit_fusion.py DATA --queries 300

DATA is a folder of test collections in the product's own file formats: ``bioasq``, ``covidqa``, ``cmexam_zh``,
``csl_zh``, ``xlingeval``. Each corpus is read once into RAG_HOME/evaluation, as ``taiyi-rag evaluate retrieval`` does.

The weights are those of a grid that give the highest nDCG@10 on the average of the collections; printed beside it is
what each collection gets when it is left out of the choice. Then the corpora of ``csl_zh`` and ``xlingeval`` are put
into one collection and asked questions of both languages: each handicap is the lowest that costs questions whose answer
is in their own language at most half a point of recall@10.
"""

import argparse
import gzip
import itertools
import json
import tempfile
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path

import numpy as np

from ingestion.corpus_homes import corpus_home
from ingestion.judged_collections import read_judgements, read_queries
from rag import catalog, fusion
from rag.arms import candidates
from rag.asking import Asked
from rag.document_ranking import documents_of_passages
from rag.fusion import Calibration, Findings, fused, packaged_calibration
from rag.measures import MAX_GRADE
from rag.measures import scores as measured
from rag.retrieval import ARM_DEPTH
from rag.settings import read_settings
from rag.system import System
from rag.types import LOCAL_ADMIN

OUT = Path(fusion.__file__).with_name("fusion.json")
SETS = (
    ("bioasq", "corpus.jsonl.gz", "queries.jsonl.gz"),
    ("covidqa", "corpus.jsonl.gz", "qa.jsonl"),
    ("cmexam_zh", "corpus.jsonl.gz", "qa.jsonl.gz"),
    ("csl_zh", "corpus.jsonl.gz", "queries.jsonl"),
    ("xlingeval", "corpus.jsonl", "queries_en.jsonl"),
)
MIXED = (("csl_zh", "corpus.jsonl.gz"), ("xlingeval", "corpus.jsonl"))
GRID = {
    "unsure": (0.82, 0.84, 0.86),
    "sure": (0.88, 0.90, 0.92),
    "least": (0.4, 0.5, 0.6),
    "most": (0.7, 0.75, 0.8),
    "long_question_less": (0.0, 0.1),
}
HANDICAPS = tuple(round(0.01 * step, 2) for step in range(-5, 31))
MOST_LOST = 0.005


@dataclass(frozen=True)
class Asking:
    """A query's judgements, what the arms found for it, and the document of each passage."""

    judged: dict[str, int]
    found: Findings
    document_of: dict[int, str]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path)
    parser.add_argument("--queries", type=int, default=300, help="of each collection")
    arguments = parser.parse_args()
    data, count = arguments.data, arguments.queries
    sets = {name: _asked(data / name / corpus, data / name, queries, count) for name, corpus, queries in SETS}
    kept = {**asdict(packaged_calibration()), "embedder": next(iter(sets.values()))[0].found.embedder}
    choices = [
        Calibration(**kept | dict(zip(GRID, values, strict=True))) for values in itertools.product(*GRID.values())
    ]
    table = np.array([[_measure(asked, choice, "ndcg@10") for asked in sets.values()] for choice in choices])
    for column, name in enumerate(sets):
        without = np.delete(table, column, axis=1).mean(axis=1).argmax()
        chosen = table.mean(axis=1).argmax()
        print(f"{name:<10} chosen for all {table[chosen, column]:.3f}, left out {table[without, column]:.3f}")
    best = choices[int(table.mean(axis=1).argmax())]
    with tempfile.TemporaryDirectory() as folder:
        corpus = Path(folder) / "mixed.jsonl"
        corpus.write_text("".join(_text(data / name / file) for name, file in MIXED), encoding="utf-8")
        chinese = _asked(corpus, data / "csl_zh", "queries.jsonl", count)
        english = _asked(corpus, data / "xlingeval", "queries_en.jsonl", count)
        crossing = _asked(corpus, data / "xlingeval", "queries_zh.jsonl", count)
    best = replace(best, handicap_zh_en=_handicap(chinese, best), handicap_en_zh=_handicap(english, best))
    for name, asked in (("csl_zh", chinese), ("xlingeval, English", english), ("xlingeval, Chinese", crossing)):
        recall, ndcg = (_measure(asked, best, measure) for measure in ("recall@10", "ndcg@10"))
        print(f"mixed, {name}: recall@10 {recall:.3f}, nDCG@10 {ndcg:.3f}")
    OUT.write_text(json.dumps(asdict(best), indent=2) + "\n", encoding="utf-8")
    print(best)


def _asked(corpus: Path, folder: Path, queries: str, count: int) -> list[Asking]:
    judgements = read_judgements(folder / "qrels.tsv", MAX_GRADE)
    known = [query for query in read_queries(folder / queries) if query.id in judgements][:count]
    with corpus_home(corpus, read_settings()) as home:
        [collection] = [one.name for one in _collections(home.system)]
        document_of = documents_of_passages(home.system, LOCAL_ADMIN, collection)
        print(f"{home.name}: {home.documents} documents, {len(known)} queries", flush=True)
        return [Asking(judgements[query.id], _find(query.text, home.system), document_of) for query in known]


def _collections(system: System) -> Sequence[catalog.Collection]:
    with system.database.reading() as session:
        return catalog.collections(session, LOCAL_ADMIN)


def _find(question: str, system: System) -> Findings:
    asked = Asked(question, system.embedder)
    with system.database.reading() as session:
        [collection] = catalog.collections(session, LOCAL_ADMIN)
        allowed = catalog.permitted(session, collection, {}, catalog.today(), True)
        found = candidates(collection, asked, allowed, "hybrid", ARM_DEPTH, system, session)
    return Findings(found, asked.language, len(asked.concepts(asked.language)), system.embedder.fingerprint)


def _measure(asked: Sequence[Asking], calibration: Calibration, measure: str) -> float:
    rankings = {
        str(number): list(dict.fromkeys(one.document_of[i] for i, _ in fused(one.found, "hybrid", calibration)))
        for number, one in enumerate(asked)
    }
    judgements = {str(number): one.judged for number, one in enumerate(asked)}
    return float(np.mean([found[measure] for found in measured(rankings, judgements).values()]))


def _handicap(asked: Sequence[Asking], calibration: Calibration) -> float:
    """The lowest that leaves these questions, answered in their own language, what they find without the other."""
    own = [replace(one, found=replace(one.found, candidates=_own(one.found))) for one in asked]
    reached = _measure(own, calibration, "recall@10")
    for handicap in HANDICAPS:
        tried = replace(calibration, handicap_zh_en=handicap, handicap_en_zh=handicap)
        if _measure(asked, tried, "recall@10") >= reached - MOST_LOST:
            return handicap
    return HANDICAPS[-1]


def _own(found: Findings) -> list[fusion.Candidate]:
    return [candidate for candidate in found.candidates if not candidate.translated]


def _text(file: Path) -> str:
    raw = file.read_bytes()
    return (gzip.decompress(raw) if file.suffix == ".gz" else raw).decode().rstrip("\n") + "\n"


if __name__ == "__main__":
    main()
