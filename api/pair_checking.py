"""``check --pairs``: sentences and the evidence beside them, line by line, judged in batches."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from ingestion.json_lines import objects_of_lines
from ingestion.loaders.source import opened
from rag.checking.check import checked
from rag.checking.entailment import Entailment
from rag.checking.types import Checked, Evidence
from rag.errors import UnreadableFile

BATCH = 64
EXAMPLE = '{"sentence": "...", "evidence": "..."}'


@dataclass(frozen=True, slots=True)
class Pair:
    """A sentence and the texts it should rest on. ``other`` is what else its line has, such as an id."""

    sentence: str
    evidence: tuple[str, ...]
    other: dict[str, Any]


@dataclass(frozen=True, slots=True)
class JudgedPair:
    pair: Pair
    checked: Checked


def lines_of(path: Path, standard_input: Iterable[bytes]) -> Iterator[bytes]:
    """The lines of a file, which may be gzip-compressed, or with ``-`` those of ``standard_input``."""
    if str(path) == "-":
        yield from standard_input
    else:
        with opened(path) as stream:
            yield from stream


def judged_pairs(lines: Iterable[bytes], name: str, entailment: Entailment) -> Iterator[JudgedPair]:
    """Every pair with its verdict, in order. ``name`` is that of the lines in errors.

    Raises UnreadableFile at a line that is no pair, once the pairs before it are judged and given.
    """
    pairs = _pairs(lines, name)
    failure: UnreadableFile | None = None
    while failure is None:
        batch: list[Pair] = []
        try:
            for pair in islice(pairs, BATCH):
                batch.append(pair)
        except UnreadableFile as error:
            failure = error
        if not batch:
            break
        asked = [(pair.sentence, [Evidence(text) for text in pair.evidence]) for pair in batch]
        yield from map(JudgedPair, batch, checked(asked, entailment))
    if failure:
        raise failure


def judged_json(judged: JudgedPair) -> dict[str, Any]:
    """What else the line had, then the verdict; where both have a name, the verdict's is meant."""
    pair, found = judged.pair, judged.checked
    return {
        **pair.other,
        "verdict": found.verdict,
        "probability": round(found.probability, 4),
        "issues": [asdict(issue) for issue in found.issues],
        "quotes": [
            {"evidence": which, "start": start, "end": end, "text": pair.evidence[which][start:end]}
            for which, start, end in found.quotes
        ],
    }


def _pairs(lines: Iterable[bytes], name: str) -> Iterator[Pair]:
    for _, where, stated in objects_of_lines(lines, name, EXAMPLE):
        sentence, evidence = stated.get("sentence"), stated.get("evidence")
        if not isinstance(sentence, str) or not sentence.strip():
            raise UnreadableFile(f'{where}: "sentence" is missing or empty; a line is {EXAMPLE}')
        texts = [evidence] if isinstance(evidence, str) else evidence
        if not isinstance(texts, list) or not all(isinstance(text, str) for text in texts):
            raise UnreadableFile(f'{where}: "evidence" must be a text or a list of texts; a line is {EXAMPLE}')
        other = {key: value for key, value in stated.items() if key not in ("sentence", "evidence")}
        yield Pair(sentence, tuple(texts), other)
