"""Indexes that another version or another model made are told apart and made anew; what of a passage is embedded."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from sqlalchemy import select, update

from api.commands.upkeep import reindex
from conftest import Library
from rag.errors import Inconsistent
from rag.indexing import compact, indexed_text, merge_segments, recover
from rag.system import System
from rag.tables import CollectionRow, SegmentRow
from rag.verification import verify


@pytest.mark.parametrize(
    ("title", "section", "text", "expected"),
    [
        ("Gout", "Therapy", "Urate is lowered.", "Gout\nTherapy\nUrate is lowered."),
        (None, None, "Urate is lowered.", "Urate is lowered."),
        ("", "", "Urate is lowered.", "Urate is lowered."),
        ("Gout is treated.", None, "Gout is treated. Urate is lowered.", "Gout is treated. Urate is lowered."),
        ("Gout is treated in…", "A", "Gout is treated in three steps.", "A\nGout is treated in three steps."),
        ("痛风", "治疗", "痛风患者应降低尿酸。", "治疗\n痛风患者应降低尿酸。"),
        ("Gout", None, "Of Gout.", "Gout\nOf Gout."),
    ],
)
def test_title_and_section_go_before_a_text_that_does_not_begin_with_the_title(
    title: str | None, section: str | None, text: str, expected: str
) -> None:
    assert indexed_text(title, section, text) == expected


def lexical_of(system: System) -> str:
    with system.database.reading() as session:
        name: str = session.scalars(select(CollectionRow.lexical)).one()
    return name


def make_of_another_version(system: System) -> None:
    """Leaves the word index of the only collection as an earlier version of the program would have."""
    name = lexical_of(system)
    former = "1-" + name.partition("-")[2]
    folder = system.home / "index" / "lexical"
    (folder / name).rename(folder / former)
    with system.database.writing() as session:
        session.execute(update(CollectionRow).values(lexical=former))


@pytest.fixture
def outdated(library: Library) -> Library:
    library.write("a.md", "# Gout\n\nIn gout, urate is kept below 360.\n")
    library.ingest()
    make_of_another_version(library.system)
    return library


def test_a_word_index_of_another_version_is_not_searched_and_verify_says_what_to_do(outdated: Library) -> None:
    for retrieval in ("hybrid", "lexical"):
        with pytest.raises(Inconsistent, match="reindex"):
            outdated.found("urate", retrieval=retrieval)
    assert outdated.found("urate", retrieval="dense")
    [problem] = verify(outdated.system)
    assert (problem.what, problem.where) == ("lexical", "default")
    assert "run taiyi-rag reindex" in problem.message
    assert "ingest" in problem.message


def test_the_next_ingest_writes_it_anew_and_keeps_the_vectors(outdated: Library) -> None:
    outdated.write("b.md", "# Asthma\n\nIn asthma, salbutamol is inhaled.\n")
    assert outdated.ingest()["b.md"].status == "added"
    assert outdated.system.lexical.is_current(lexical_of(outdated.system))
    assert "urate" in outdated.found("urate", retrieval="lexical")[0]
    assert "salbutamol" in outdated.found("salbutamol", retrieval="lexical")[0]
    assert verify(outdated.system) == []


class CountingEmbedder:
    """Embeds with another's model and counts the texts."""

    def __init__(self, embedder: Any) -> None:
        self._embedder = embedder
        self.fingerprint = embedder.fingerprint
        self.embedded = 0

    def embed_query(self, text: str) -> NDArray[np.float32]:
        vector: NDArray[np.float32] = self._embedder.embed_query(text)
        return vector

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += len(texts)
        vectors: NDArray[np.float32] = self._embedder.embed_passages(texts)
        return vectors


def test_an_ingest_of_what_is_known_repairs_it_too_without_embedding(outdated: Library) -> None:
    counting = CountingEmbedder(outdated.system.embedder)
    outdated.system = replace(outdated.system, embedder=counting)
    assert outdated.ingest()["a.md"].status == "unchanged"
    assert (counting.embedded, verify(outdated.system)) == (0, [])
    assert outdated.found("urate", retrieval="lexical")


def test_reindex_writes_it_anew(outdated: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HOME", str(outdated.system.home))
    monkeypatch.setenv("RAG_DATABASE_URL", outdated.system.settings.sql_url)
    done = CliRunner().invoke(reindex, catch_exceptions=False)
    assert (done.exit_code, done.output) == (0, "Built anew: default.\n")
    assert verify(outdated.system) == []
    assert outdated.found("urate", retrieval="lexical")


def test_what_a_current_index_holds_is_left_alone(library: Library) -> None:
    library.write("a.md", "# Gout\n\nIn gout, urate is kept below 360.\n")
    library.ingest()
    name = lexical_of(library.system)
    recover(library.system, 1)
    assert lexical_of(library.system) == name


class OtherEmbedder:
    """Eight numbers a text, by chance but the same every time."""

    fingerprint = "eight numbers"

    def embed_query(self, text: str) -> NDArray[np.float32]:
        return self.embed_passages([text])[0]

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = np.stack([np.random.default_rng(list(text.encode())).normal(size=8) for text in texts])
        vectors: NDArray[np.float32] = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
        return vectors


def test_compaction_and_merging_carry_over_no_vectors_of_another_model(library: Library) -> None:
    library.write("a.md", "# Gout\n\nIn gout, urate is kept below 360.\n")
    library.ingest()
    library.system = replace(library.system, embedder=OtherEmbedder())
    for number in (1, 2):
        library.write(f"{number}.md", f"# Asthma {number}\n\nIn asthma, salbutamol is inhaled {number} times.\n")
        library.ingest()
    merge_segments(library.system, 1)
    with pytest.raises(Inconsistent, match="another model"):
        library.found("urate")
    assert {problem.what for problem in verify(library.system)} == {"vectors"}
    compact(library.system, 1)
    assert verify(library.system) == []
    with library.system.database.reading() as session:
        [segment] = session.scalars(select(SegmentRow).where(SegmentRow.embedder == "eight numbers")).all()
    assert segment.passages == 3
    assert library.system.vectors.vectors(segment.name).shape == (3, 8)
    assert library.found("In gout, urate is kept below 360.", retrieval="dense")
