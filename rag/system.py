"""The composition root of the core: every resource that a question needs, opened in one place."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from rag import audit
from rag.backup_format import RESTORE_MARKER
from rag.checking.entailment import Entailment, PackagedReader, open_entailment
from rag.database import Database, open_database
from rag.embedding import Embedder, open_embedder
from rag.errors import Unavailable
from rag.extraction import Reader
from rag.gathering import Gathering
from rag.lexical import LexicalIndexes
from rag.llm import LanguageModel, open_language_model
from rag.permitted import Kept, PermittedKept
from rag.reranking import Reranker, open_reranker
from rag.settings import PACKAGED_ENTAILMENT, Settings
from rag.types import Caller
from rag.vectors import VectorSegments, open_vectors

SearchNote = tuple[Caller, dict[str, Any]]
"""Who searched, and what the audit record says of it."""


@dataclass(frozen=True, slots=True)
class System:
    """What the functions of the core work on. Embedder, reranker, entailment and reader load their models when first
    used; the language model, None where none is configured, is a server elsewhere. ``reader`` tells what answers a
    question and is always the packaged one; ``entailment`` may be another."""

    settings: Settings
    database: Database
    embedder: Embedder
    reranker: Reranker | None
    entailment: Entailment
    reader: Reader
    vectors: VectorSegments
    lexical: LexicalIndexes
    llm: LanguageModel | None
    permitted: PermittedKept = field(default_factory=PermittedKept)
    search_notes: Gathering[SearchNote, None] = field(default_factory=Gathering)
    document_counts: Kept[int] = field(default_factory=Kept)

    def deciding_settings(self) -> dict[str, str]:
        """What, beside the question and the documents, decides how an answer comes out; models by fingerprint or
        name."""
        settings = self.settings
        return {
            "embedder": self.embedder.fingerprint,
            "reader": self.reader.fingerprint,
            "reranker": settings.reranker,
            "entailment": settings.entailment,
            "exclude_flagged": settings.exclude_flagged,
            "abstain_below": "" if settings.abstain_below is None else str(settings.abstain_below),
            "unsupported": settings.unsupported,
            "query_translation": settings.query_translation,
        }

    @property
    def home(self) -> Path:
        return self.settings.home


@contextmanager
def open_system(settings: Settings) -> Iterator[System]:
    """Opens the database, with the newest schema, and the index folders. Raises Unavailable naming what is missing."""
    settings.home.mkdir(parents=True, exist_ok=True)
    if (settings.home / RESTORE_MARKER).exists():
        raise Unavailable(f"A restore into {settings.home} was cut off: run the same taiyi-rag restore again")
    reader = PackagedReader(settings)
    with (
        open_database(settings.sql_url, audit_key=settings.audit_key) as database,
        open_vectors(settings.index_url, settings.home / "index" / "vectors") as vectors,
    ):
        audit.begin(database)
        yield System(
            settings=settings,
            database=database,
            embedder=open_embedder(settings),
            reranker=open_reranker(settings),
            entailment=reader if settings.entailment == PACKAGED_ENTAILMENT else open_entailment(settings),
            reader=reader,
            vectors=vectors,
            lexical=LexicalIndexes(settings.home / "index" / "lexical"),
            llm=open_language_model(settings),
        )
