"""How the service is, in values for ``GET /v1/health``: which models it works with, and, for administrators of all
collections, where everything is kept and how much of it there is."""

import shutil
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text

from api.limits import Turns
from rag import keys
from rag.checking.entailment import Entailment
from rag.checking.fusion import packaged_fusion
from rag.database import Database, ReadSession
from rag.embedding import Embedder
from rag.errors import TaiyiError
from rag.llm import Served
from rag.sufficiency import packaged_calibration
from rag.system import System
from rag.tables import JobRow, SegmentRow
from rag.vectors import SegmentGoneError, SegmentShape

RECENTLY = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Model:
    """``part`` is ``embedder``, ``reranker``, ``entailment`` or ``language model``; ``name`` is empty where none is
    configured, or where the server that has it is not there to say. ``calibrated`` is that what follows from its scores
    was fitted with it; None where nothing has to be."""

    part: str
    name: str
    fingerprint: str | None = None
    calibrated: bool | None = None
    version: str | None = None
    context_tokens: int | None = None


@dataclass(frozen=True, slots=True)
class Segments:
    """Segments of one kind together."""

    kind: str
    segments: int
    vectors: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Index:
    """``about`` says where the vectors live, None where they cannot be reached. ``other_vectors`` are those that
    another embedder made than the one in use, which no search sees. ``lexical_bytes`` are those of the word indexes."""

    about: str | None
    vectors: tuple[Segments, ...]
    missing: int
    other_vectors: int
    lexical_bytes: int


@dataclass(frozen=True, slots=True)
class Whole:
    """What is of the whole service. ``jobs`` counts by state; ``failed_lately`` those of the last seven days that
    failed, whole or in part. ``language_model`` is the address of its server."""

    home: str
    database: str
    database_bytes: int
    index: Index
    disk_free: int
    disk_total: int
    jobs: dict[str, int]
    failed_lately: int
    searches: dict[str, int]
    model_requests: dict[str, int]
    caches: dict[str, dict[str, int]]
    language_model: str | None
    keys_in_force: bool
    provider: str | None


def models_of(system: System, served: Served | None) -> list[Model]:
    """``served`` is what the language model's server says of it, None where it says nothing."""
    settings = system.settings
    embedder, entailment = _fingerprint(system.embedder), _fingerprint(system.entailment)
    found = [
        Model("embedder", settings.embedder, embedder, _same(embedder, packaged_calibration().embedder)),
        Model("reranker", settings.reranker),
        Model("entailment", settings.entailment, entailment, _same(entailment, packaged_fusion().fingerprint)),
    ]
    name = served.model if served else settings.llm_model
    version, room = (served.version or None, served.context_tokens) if served else (None, None)
    found.append(Model("language model", name, version=version, context_tokens=room))
    return found


def _same(fingerprint: str | None, fitted: str) -> bool | None:
    return None if fingerprint is None else fingerprint == fitted


def _fingerprint(model: Embedder | Entailment) -> str | None:
    """None for a model that cannot be loaded: the checks say why."""
    try:
        return model.fingerprint
    except (TaiyiError, OSError):
        return None


def whole_of(system: System, turns: Turns) -> Whole:
    """Raises DatabaseUnavailable."""
    settings, disk = system.settings, shutil.disk_usage(system.home)
    with system.database.reading() as session:
        jobs: dict[str, int] = {row[0]: row[1] for row in session.execute(_JOBS)}
        since = datetime.now(UTC) - RECENTLY
        failed = select(func.count()).where(JobRow.state.in_(("failed", "partial")), JobRow.created_at >= since)
        failed_lately = session.scalar(failed) or 0
        segments = [(name, of) for name, of in session.execute(select(SegmentRow.name, SegmentRow.embedder))]
        database_bytes = _size_of(system.database, session)
        in_force = keys.are_in_force(session)
    llm, embedder, permitted = system.llm, system.embedder.counts, system.permitted
    return Whole(
        home=str(settings.home.absolute()),
        database=system.database.engine.url.render_as_string(),
        database_bytes=database_bytes,
        index=_index(system, segments),
        disk_free=disk.free,
        disk_total=disk.total,
        jobs=jobs,
        failed_lately=failed_lately,
        searches={"running": turns.running, "waiting": turns.waiting},
        model_requests={"running": llm.running, "waiting": llm.waiting} if llm else {},
        caches={
            "query_vectors": {"hits": embedder.query_hits, "misses": embedder.query_misses},
            "permitted_passages": {"hits": permitted.hits, "misses": permitted.misses},
        },
        language_model=llm.url if llm else None,
        keys_in_force=in_force,
        provider=settings.oidc_issuer or None,
    )


def _index(system: System, segments: Sequence[tuple[str, str]]) -> Index:
    shapes: list[SegmentShape] = []
    missing = other = 0
    about = None
    try:
        about = system.vectors.about()
        for name, embedder in segments:
            try:
                shape = system.vectors.shape(name)
            except SegmentGoneError:
                missing += 1
                continue
            shapes.append(shape)
            other += 0 if embedder == system.embedder.fingerprint else shape.vectors
    except TaiyiError:
        about = None  # what the check of the index says of it is for everybody
    return Index(about, _by_kind(shapes), missing, other, _bytes_under(system.home / "index" / "lexical"))


def _by_kind(shapes: Sequence[SegmentShape]) -> tuple[Segments, ...]:
    counted = Counter(shape.kind for shape in shapes)
    return tuple(
        Segments(
            kind,
            segments,
            sum(shape.vectors for shape in shapes if shape.kind == kind),
            sum(shape.bytes for shape in shapes if shape.kind == kind),
        )
        for kind, segments in sorted(counted.items())
    )


def _bytes_under(folder: Path) -> int:
    """A file that a compaction takes away meanwhile is not counted."""
    total = 0
    for file in folder.rglob("*"):
        try:
            total += file.stat().st_size if file.is_file() else 0
        except FileNotFoundError:
            continue
    return total


def _size_of(database: Database, session: ReadSession) -> int:
    url = database.engine.url
    if url.get_backend_name() == "postgresql":
        return session.scalar(text("SELECT pg_database_size(current_database())")) or 0
    files = [Path(f"{url.database}{suffix}") for suffix in ("", "-wal")]
    return sum(file.stat().st_size for file in files if file.is_file())


_JOBS = select(JobRow.state, func.count()).group_by(JobRow.state)
