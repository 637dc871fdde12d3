"""Another embedder beside the one in use: made while the service goes on, switched to by starting it anew."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray
from sqlalchemy import select

from api.commands.upkeep import reindex
from conftest import Library
from rag import catalog
from rag.errors import Inconsistent
from rag.indexing import compact
from rag.re_embedding import drop_others, embed_beside
from rag.removal import delete_document
from rag.system import System
from rag.tables import SegmentRow
from rag.types import LOCAL_ADMIN, Document
from rag.verification import verify
from rag.writing import writing_turn


class OtherEmbedder:
    """Eight numbers a text, by chance but the same every time; runs ``meanwhile`` once, as others do."""

    fingerprint = "eight numbers"

    def __init__(self) -> None:
        self.embedded = 0
        self.meanwhile = lambda: None

    def embed_query(self, text: str) -> NDArray[np.float32]:
        return self._vectors([text])[0]

    def embed_passages(self, texts: Sequence[str]) -> NDArray[np.float32]:
        self.embedded += len(texts)
        self.meanwhile()
        self.meanwhile = lambda: None
        return self._vectors(texts)

    def _vectors(self, texts: Sequence[str]) -> NDArray[np.float32]:
        found = np.stack([np.random.default_rng(list(text.encode())).normal(size=8) for text in texts])
        vectors: NDArray[np.float32] = (found / np.linalg.norm(found, axis=1, keepdims=True)).astype(np.float32)
        return vectors


GOUT = "In gout, urate is kept below 360."
ASTHMA = "In asthma, salbutamol is inhaled."


@pytest.fixture
def gout(library: Library) -> Library:
    library.write("gout.md", f"# Gout\n\n{GOUT}\n")
    library.write("asthma.md", f"# Asthma\n\n{ASTHMA}\n")
    library.ingest()
    return library


def beside(system: System) -> int:
    return embed_beside(system, 1, lambda: writing_turn(system))


def passages(system: System) -> dict[str, int]:
    """By embedder, how many vectors there are."""
    with system.database.reading() as session:
        rows = session.scalars(select(SegmentRow)).all()
    return {row.embedder: sum(one.passages for one in rows if one.embedder == row.embedder) for row in rows}


def test_each_process_searches_the_vectors_of_its_own_embedder(gout: Library) -> None:
    old, new = gout.system, replace(gout.system, embedder=OtherEmbedder())
    before = gout.found("urate")
    assert beside(new) == 2
    assert passages(old) == {old.embedder.fingerprint: 2, "eight numbers": 2}
    assert gout.found("urate") == before
    assert (verify(old), verify(new)) == ([], [])
    gout.system = new
    assert gout.found(GOUT, retrieval="dense")
    with writing_turn(new):
        assert drop_others(new, 1) == 1
    assert passages(new) == {"eight numbers": 2}
    assert gout.found(GOUT, retrieval="dense")
    gout.system = old
    with pytest.raises(Inconsistent, match="another model"):
        gout.found("urate")


def test_what_comes_and_goes_while_it_embeds_is_there_and_gone_in_the_end(gout: Library) -> None:
    old, embedder = gout.system, OtherEmbedder()
    new = replace(old, embedder=embedder)
    [document] = [one for one in documents(old) if one.title == "Gout"]

    def meanwhile() -> None:
        gout.write("copd.md", "# COPD\n\nIn COPD, tiotropium is inhaled.\n")
        gout.ingest()
        delete_document(old, LOCAL_ADMIN, document.id, purge=True)

    embedder.meanwhile = meanwhile
    assert beside(new) == 2
    assert embedder.embedded == 3
    assert (verify(old), verify(new)) == ([], [])
    assert beside(new) == 0


def test_a_compaction_by_either_process_keeps_the_vectors_of_both_and_none_of_what_was_purged(gout: Library) -> None:
    old, new = gout.system, replace(gout.system, embedder=OtherEmbedder())
    beside(new)
    [document] = [one for one in documents(old) if one.title == "Gout"]
    delete_document(old, LOCAL_ADMIN, document.id, purge=True)
    assert passages(old) == {old.embedder.fingerprint: 1, "eight numbers": 1}
    with writing_turn(new):
        compact(new, 1)
    assert passages(old) == {old.embedder.fingerprint: 1, "eight numbers": 1}
    assert (verify(old), verify(new)) == ([], [])


def test_killed_it_goes_on_where_it_was(gout: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("rag.re_embedding.PORTION", 1)
    embedder = OtherEmbedder()
    new = replace(gout.system, embedder=embedder)

    @contextmanager
    def killed() -> Iterator[None]:
        with writing_turn(new):
            yield
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        embed_beside(new, 1, killed)
    assert beside(new) == 1
    assert embedder.embedded == 2


def test_the_command_takes_the_name_of_an_embedder(lite_library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    lite_library.write("gout.md", f"# Gout\n\n{GOUT}\n")
    lite_library.ingest()
    monkeypatch.setenv("RAG_HOME", str(lite_library.system.home))
    same = lite_library.system.settings.embedder
    done = CliRunner().invoke(reindex, ["--embedder", same], catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (0, "Embedded beside: default.\n")
    done = CliRunner().invoke(reindex, ["--drop-others"], catch_exceptions=False)
    assert (done.exit_code, done.stdout) == (0, "Alone left in: default.\n")
    assert CliRunner().invoke(reindex, ["--drop-others", "--embedder", same]).exit_code == 2
    assert lite_library.found("urate")


def documents(system: System) -> list[Document]:
    with system.database.reading() as session:
        return catalog.documents(session, LOCAL_ADMIN)
