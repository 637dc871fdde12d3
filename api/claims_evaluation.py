"""``evaluate claims``: judged claims put to the check with the articles they cite, and how well it tells them apart."""

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from statistics import median
from typing import Any, Literal, get_args

from ingestion.judged_claims import Article, Claim, read_articles, read_claims
from ingestion.judged_collections import content_sha256
from rag.checking.check import checked
from rag.checking.entailment import Entailment
from rag.checking.types import Checked, Evidence
from rag.classification_measures import Classification, Estimate, classification
from rag.errors import InvalidRequest
from rag.measures import CONFIDENCE, RESAMPLES
from rag.reliability import ReliabilityBin, brier_score, expected_calibration_error, reliability, reliability_by_count
from rag.types import Verdict

Label = Literal["SUPPORT", "CONTRADICT", "NEI"]
"""What an article says of a claim; NEI (not enough information) is that it does not settle it."""
LABELS: tuple[Label, ...] = get_args(Label)
LABEL_OF: Mapping[Verdict, Label] = {"supported": "SUPPORT", "contradicted": "CONTRADICT"}
"""Every other verdict counts as NEI."""
BATCH = 32
_PACKAGES = ("taiyi-rag", "sentence-transformers", "torch", "openvino", "numpy")


@dataclass(frozen=True, slots=True)
class ClaimPair:
    """A claim with one article that it cites, and what people judged."""

    claim: Claim
    article: Article
    gold: Label


@dataclass(frozen=True, slots=True)
class ReadFile:
    name: str
    sha256: str


@dataclass(frozen=True, slots=True)
class JudgedClaims:
    """``claims`` counts those that were taken, ``limit`` is the number that was asked for. ``left_out`` counts the
    pairs whose article the corpus lacks or has without text."""

    pairs: tuple[ClaimPair, ...]
    claims: int
    left_out: int
    limit: int | None
    claims_file: ReadFile
    corpus_file: ReadFile


@dataclass(frozen=True, slots=True)
class CheckedPair:
    pair: ClaimPair
    checked: Checked

    @property
    def given(self) -> Label:
        return LABEL_OF.get(self.checked.verdict, "NEI")


@dataclass(frozen=True, slots=True)
class ClaimsEvaluation:
    """All that was measured. The probability is that of support: ``bins`` hold it against what was judged SUPPORT.
    ``ms_per_pair`` is the median, checked in batches."""

    judged: JudgedClaims
    model: str
    items: tuple[CheckedPair, ...]
    figures: Classification
    bins: tuple[ReliabilityBin, ...]
    ece: float
    ece_by_count: float
    brier: float
    seconds: float
    ms_per_pair: float
    created_at: datetime


def read_judged_claims(claims: Path, corpus: Path, limit: int | None) -> JudgedClaims:
    """The first ``limit`` claims, each with every article that it cites. Raises UnreadableFile, InvalidRequest."""
    chosen = read_claims(claims)[:limit]
    cited = [(claim, document) for claim in chosen for document in claim.cited]
    if not cited:
        raise InvalidRequest(f'{claims.name} has no claim that cites a document in "cited_doc_ids"')
    articles = read_articles(corpus, {document for _, document in cited})
    if not articles:
        raise InvalidRequest(
            f"{corpus.name} has none of the documents that {claims.name} cites: are they of one collection?"
        )
    pairs = tuple(
        ClaimPair(claim, articles[document], _gold(claim, document))
        for claim, document in cited
        if document in articles
    )
    return JudgedClaims(
        pairs,
        len(chosen),
        len(cited) - len(pairs),
        limit,
        ReadFile(claims.name, content_sha256(claims)),
        ReadFile(corpus.name, content_sha256(corpus)),
    )


def evaluate_claims(
    judged: JudgedClaims, entailment: Entailment, on_checked: Callable[[int], object] = lambda count: None
) -> ClaimsEvaluation:
    """Checks every claim against each article, all of it with its title, and measures. ``on_checked`` hears of each
    batch how many pairs it had. The model is loaded before the time is taken."""
    checked(_asked(judged.pairs[:1]), entailment)
    items: list[CheckedPair] = []
    seconds: list[float] = []
    for start in range(0, len(judged.pairs), BATCH):
        batch = judged.pairs[start : start + BATCH]
        started = time.perf_counter()
        items += map(CheckedPair, batch, checked(_asked(batch), entailment))
        seconds += [(time.perf_counter() - started) / len(batch)] * len(batch)
        on_checked(len(batch))
    return measured(judged, items, entailment.fingerprint, seconds)


def measured(
    judged: JudgedClaims, items: Sequence[CheckedPair], model: str, seconds: Sequence[float]
) -> ClaimsEvaluation:
    """The figures of what was checked; ``seconds`` are those that each pair took. There must be an item."""
    figures = classification(
        [item.pair.gold for item in items],
        [item.given for item in items],
        [item.pair.article.id for item in items],
        LABELS,
    )
    probabilities = [item.checked.probability for item in items]
    supported = [item.pair.gold == "SUPPORT" for item in items]
    bins = reliability(probabilities, supported)
    return ClaimsEvaluation(
        judged,
        model,
        tuple(items),
        figures,
        bins,
        expected_calibration_error(bins),
        expected_calibration_error(reliability_by_count(probabilities, supported)),
        brier_score(probabilities, supported),
        sum(seconds),
        1000 * median(seconds),
        datetime.now(UTC).replace(microsecond=0),
    )


def metrics_json(evaluation: ClaimsEvaluation) -> dict[str, Any]:
    figures, judged = evaluation.figures, evaluation.judged
    of_class = {
        f"{name}_{label.lower()}": getattr(one, name)
        for label, one in zip(LABELS, figures.of_class, strict=True)
        for name in ("precision", "recall", "f1", "support")
    }
    return {
        "accuracy": figures.accuracy.value,
        "macro_f1": figures.macro_f1.value,
        "intervals": {"accuracy": _interval(figures.accuracy), "macro_f1": _interval(figures.macro_f1)},
        "ece": evaluation.ece,
        "ece_bins": "10 of equal width",
        "ece_equal_mass": evaluation.ece_by_count,
        "brier": evaluation.brier,
        **of_class,
        "confusion": {
            gold: dict(zip(LABELS, row, strict=True)) for gold, row in zip(LABELS, figures.confusion, strict=True)
        },
        "verdicts": {gold: dict(count) for gold, count in verdicts(evaluation).items()},
        "reliability": [asdict(one) for one in evaluation.bins],
        "pairs": len(evaluation.items),
        "claims": judged.claims,
        "documents": len({pair.article.id for pair in judged.pairs}),
        "pairs_left_out": judged.left_out,
        "limit": judged.limit,
        "claims_file": asdict(judged.claims_file),
        "corpus_file": asdict(judged.corpus_file),
        "model": evaluation.model,
        "versions": {package: version(package) for package in _PACKAGES},
        "ms_per_pair": round(evaluation.ms_per_pair, 3),
        "seconds": round(evaluation.seconds, 3),
        "confidence": CONFIDENCE,
        "resamples": RESAMPLES,
        "created_at": evaluation.created_at.isoformat(),
    }


def verdicts(evaluation: ClaimsEvaluation) -> dict[Label, Counter[Verdict]]:
    """How often each verdict was given, by what people judged."""
    return {
        label: Counter(item.checked.verdict for item in evaluation.items if item.pair.gold == label) for label in LABELS
    }


def items_json(evaluation: ClaimsEvaluation) -> Iterator[dict[str, Any]]:
    """A pair at a time, in the order of the file."""
    for item in evaluation.items:
        yield {
            "id": item.pair.claim.id,
            "doc": item.pair.article.id,
            "text": item.pair.claim.text,
            "gold": item.pair.gold,
            "given": item.given,
            "verdict": item.checked.verdict,
            "probability": item.checked.probability,
            "issues": [asdict(issue) for issue in item.checked.issues],
            "quotes": [item.pair.article.text[start:end] for _, start, end in item.checked.quotes],
        }


def _asked(pairs: Sequence[ClaimPair]) -> list[tuple[str, list[Evidence]]]:
    return [(pair.claim.text, [Evidence(pair.article.text, pair.article.title)]) for pair in pairs]


def _gold(claim: Claim, document: str) -> Label:
    rationale = claim.rationales.get(document)
    return rationale.stance if rationale else "NEI"


def _interval(estimate: Estimate) -> list[float]:
    return [estimate.low, estimate.high]
