"""Filters, editions in time and access hold in every search, and leave the best of what they permit."""

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import numpy as np
import pytest
from mixed_library import COLLECTIONS, Edition, MixedLibrary
from mixed_texts import CONDITIONS, DRUGS, LONG, SHORT, Written
from permission_oracle import drawn_filters, first_day_of, permitted, undated_left_out
from ranking_oracle import Expected, IndexedCollection, expected, faults
from sqlalchemy import func, select
from vector_oracle import clustered_rows, expected_of

from conftest import Library
from rag import catalog, retrieval
from rag.analysis import terms
from rag.asking import Asked
from rag.errors import NotFound
from rag.permitted import Permitted, PermittedKept
from rag.retrieval import search
from rag.system import System
from rag.tables import CollectionRow, EditionRow, PassageRow, SegmentRow
from rag.types import Caller, Hit, Query, Role
from rag.vectors import VectorSegments, open_vectors
from rag.vectors.ranking import SCANNED_BELOW

EXCLUDED = ("hidden,instruction", "", "hidden,instruction,invisible_characters")
QUESTIONS = {
    "en": ("How is {condition} treated with {drug}?", "{drug} dose in children", "What is the risk of {condition}?"),
    "zh": ("{condition}怎样用{drug}治疗？", "{drug}的剂量是多少", "{condition}患者多少天后复诊？"),
}
LARGE = 150_000
ODD_QUESTIONS = (SHORT, LONG, "?!", "what is this of the", "用 metformin 治疗 2型糖尿病", "40 mg twice daily")


class Checker:
    """Holds searches of a mixed library against what was written into it."""

    def __init__(self, library: Library, seed: int, passages: int) -> None:
        self.chance = random.Random(seed)
        self.mixed = MixedLibrary(library, self.chance, passages)
        system = replace(library.system, reranker=None)
        self.systems = {
            flags: replace(
                system,
                settings=system.settings.model_copy(update={"exclude_flagged": flags}),
                permitted=PermittedKept(),
            )
            for flags in EXCLUDED
        }
        self.ids = _ids_of_what_was_written(self.mixed, system)
        self.written = {
            self.ids[_key(edition, one)]: (edition, one) for edition in self.mixed.editions for one in edition.passages
        }
        told = Counter(one.says for _, one in self.written.values())
        self.said = [*told, *(says for says, times in told.items() if times > 1 for _ in range(times))]
        self.indexed = {name: _indexed(name, self.mixed, self.ids, system) for name in COLLECTIONS}
        self.asked: dict[str, Asked] = {}
        self.seen = Counter[str]()

    def check(self) -> None:
        """One search by some caller, with some filters, on some day."""
        caller, flags = self._caller(), self.chance.choice(EXCLUDED)
        readable = [name for name in COLLECTIONS if caller.may_read(name)]
        query = self._query(readable)
        if not set(readable).issuperset(query.collections):
            with pytest.raises(NotFound):
                search(query, caller, self.systems[flags])
            self.seen["refused"] += 1
            return
        searched = query.collections or readable
        may = self._permitted(query, searched, flags)
        result = search(query, caller, self.systems[flags])
        about = f"{query!r} by {caller!r} without {flags!r}"
        shown = [identifier for hit in result.hits for identifier in (_id(hit), *_copies(hit))]
        assert not set(shown) - may, f"{about} gives what is not permitted"
        for hit in result.hits:
            self._check_hit(hit)
        left_out = undated_left_out(self.mixed, searched, query.filters) if query.as_of else 0
        assert result.undated_left_out == left_out, about
        if not query.diversity and not query.prefer_evidence:
            told = self._expected(query, may)
            copies = {_id(hit): _copies(hit) for hit in result.hits}
            found = [(_id(hit), hit.score) for hit in result.hits]
            assert not faults(found, told, query.top_k, copies.__getitem__), about
            self.seen["ranked"] += 1
        self.seen["found" if result.hits else "empty"] += 1
        self.seen["copies"] += any(hit.also for hit in result.hits)
        self.seen["filtered"] += bool(query.filters and result.hits)
        self.seen["as of"] += bool(query.as_of and result.hits)

    def _check_hit(self, hit: Hit) -> None:
        edition, written = self.written[_id(hit)]
        passage = hit.passage
        assert (passage.edition, passage.text) == (edition.metadata.edition, written.text)
        assert (passage.collection, passage.edition_id) == (edition.collection, edition.edition_id)
        for copy in _copies(hit):
            assert self.written[copy][1].says in written.says, f"{copy} is no copy of {passage.passage_id}"
            self.seen["copy"] += 1

    def _permitted(self, query: Query, searched: Any, flags: str) -> set[int]:
        told = permitted(self.mixed, searched, query.filters, query.as_of, flags.split(","), catalog.today())
        return {self.ids[_key(edition, one)] for edition, one in told}

    def _expected(self, query: Query, may: set[int]) -> Expected:
        if query.text not in self.asked:
            self.asked[query.text] = Asked(query.text, self.mixed.system.embedder)
        depth = max(retrieval.ARM_DEPTH, retrieval.depth_for(query))
        sure, maybe = [], []
        groups: dict[tuple[str, Any], list[int]] = {}
        for identifier in may:
            edition, one = self.written[identifier]
            groups.setdefault((edition.collection, one.language), []).append(identifier)
        for (collection, language), ids in groups.items():
            certain, possible = self.indexed[collection].candidates(
                self.asked[query.text], language, ids, query.retrieval, depth
            )
            sure += certain
            maybe += possible
            self.seen["cut"] += len(ids) > depth
        fingerprint = self.mixed.system.embedder.fingerprint
        return expected(sure, maybe, self.asked[query.text], query.retrieval, fingerprint)

    def _query(self, readable: list[str]) -> Query:
        chance = self.chance
        asked_for = readable if chance.random() < 0.9 else list(COLLECTIONS)
        return Query(
            self._question(),
            tuple(chance.sample(asked_for, min(len(asked_for), chance.choice([0, 0, 1, 2])))),
            chance.choice(["hybrid", "dense", "lexical"]),
            chance.choice([1, 3, 10, 10, 37, 100]),
            drawn_filters(chance, self.mixed),
            self._day() if chance.random() < 0.4 else None,
            diversity=0.5 if chance.random() < 0.05 else 0.0,
            prefer_evidence=chance.random() < 0.05,
            collapse=chance.random() < 0.5,
        )

    def _question(self) -> str:
        drawn = self.chance.random()
        if drawn < 0.1:
            return self.chance.choice(ODD_QUESTIONS)
        if drawn < 0.35:
            return self.chance.choice(self.said)
        language = self.chance.choice(["en", "zh"])
        names = {"drug": self.chance.choice(DRUGS[language]), "condition": self.chance.choice(CONDITIONS[language])}
        return self.chance.choice(QUESTIONS[language]).format(**names)

    def _day(self) -> date:
        """Some day, often one on which an edition begins, or the day before."""
        days = [day for edition in self.mixed.editions if (day := first_day_of(edition))]
        far = date(2004, 1, 1) + timedelta(days=self.chance.randint(0, 9_000))
        begins = self.chance.choice(days)
        return self.chance.choice([far, begins, begins - timedelta(days=1)])

    def _caller(self) -> Caller:
        chance = self.chance
        if chance.random() < 0.3:
            return Caller("all", Role.READER)
        count = chance.choice([0, 1, 2, 3, 3, 4, 4])
        return Caller("some", Role.READER, frozenset(chance.sample(list(COLLECTIONS), count)))


def _key(edition: Edition, written: Written) -> tuple[str, str]:
    assert edition.metadata.edition
    return edition.metadata.edition, written.text


def _id(hit: Hit) -> int:
    return int(hit.passage.passage_id)


def _copies(hit: Hit) -> list[int]:
    return [int(copy.passage_id) for copy in hit.also]


def _ids_of_what_was_written(mixed: MixedLibrary, system: System) -> dict[tuple[str, str], int]:
    """The passages' ids by edition and text, once it is sure that the passages are those that were written."""
    text = func.substr(EditionRow.text, PassageRow.char_start + 1, PassageRow.char_end - PassageRow.char_start)
    with system.database.reading() as session:
        rows = session.execute(select(EditionRow.edition, text, PassageRow.id).join(PassageRow)).all()
    ids = {(edition, passage): identifier for edition, passage, identifier in rows}
    assert len(ids) == len(rows)
    assert ids.keys() == {_key(edition, one) for edition in mixed.editions for one in edition.passages}
    return ids


def _indexed(name: str, mixed: MixedLibrary, ids: dict[tuple[str, str], int], system: System) -> IndexedCollection:
    """What the indexes of a collection are to hold, once it is sure that they do: its texts that are still there."""
    kept = {
        ids[_key(edition, one)]: (edition, one)
        for edition in mixed.editions
        if edition.collection == name and edition.stays
        for one in edition.passages
    }
    with system.database.reading() as session:
        collection = session.scalars(select(CollectionRow).where(CollectionRow.name == name)).one()
        segments = session.scalars(select(SegmentRow.name).where(SegmentRow.collection_id == collection.id)).all()
    order = np.concatenate([system.vectors.ids(segment) for segment in segments])
    vectors = np.concatenate([system.vectors.vectors(segment) for segment in segments])
    assert sorted(order) == sorted(kept)
    assert sorted(system.lexical.ids(str(collection.lexical))) == sorted(kept)
    some = np.random.default_rng(len(order)).permutation(len(order))[:20]
    texts = [kept[identifier][0].indexed(kept[identifier][1]) for identifier in order[some]]
    np.testing.assert_allclose(vectors[some], system.embedder.embed_passages(texts), atol=1e-3)
    words = [terms(kept[identifier][0].searched(kept[identifier][1])) for identifier in order]
    return IndexedCollection(list(order), vectors, words)


@pytest.fixture
def narrow_arms(monkeypatch: pytest.MonkeyPatch) -> None:
    """Arms end so early that also a small library has more than they give."""
    monkeypatch.setattr(retrieval, "ARM_DEPTH", 5)
    monkeypatch.setattr(retrieval, "depth_for", lambda query: query.top_k)


def _check(checker: Checker, times: int, *kinds: str) -> None:
    for _ in range(times):
        checker.check()
    few = [what for what in ("ranked", "filtered", "as of", "cut", "empty", *kinds) if not checker.seen[what]]
    assert not few, f"{few} never came up in {times} searches"


@pytest.mark.usefixtures("narrow_arms")
def test_searches_find_the_best_of_what_is_permitted_and_nothing_else(library: Library) -> None:
    _check(Checker(library, seed=1, passages=240), 150, "copies", "refused")


@pytest.mark.full
def test_ten_thousand_searches_find_the_best_of_what_is_permitted_and_nothing_else(lite_library: Library) -> None:
    _check(Checker(lite_library, seed=2, passages=3_000), 10_000, "copies", "refused")


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
@pytest.mark.usefixtures("narrow_arms")
def test_postgresql_permits_the_same(library: Library) -> None:
    _check(Checker(library, seed=3, passages=80), 40)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[VectorSegments, list[str], Any, Any, Any]]:
    """Vectors in a segment with codes and two without, at the sizes from which these are used; and questions."""
    rows = clustered_rows(LARGE + 40, 1, dimension=64)
    ids = np.random.default_rng(2).permutation(np.arange(1, LARGE + 1)).astype(np.int64)
    with open_vectors("faiss:", tmp_path_factory.mktemp("large")) as segments:
        parts = np.split(np.arange(LARGE), [120_000, 145_000])
        names = [segments.write(ids[part], rows[part]) for part in parts]
        assert ["codes" in segments.shape(name).kind for name in names] == [True, False, False]
        yield segments, names, ids, rows[:LARGE], rows[LARGE:]


@pytest.mark.full
@pytest.mark.parametrize("part", [1.0, 0.8, 0.5, 0.35, 0.3, 0.1, 0.01, 0.001])
def test_a_large_index_finds_nearly_all_whatever_part_is_permitted(large: Any, part: float) -> None:
    segments, names, ids, vectors, questions = large
    chance = np.random.default_rng(3)
    shares = []
    for question in questions:
        allowed = np.sort(ids[chance.random(LARGE) < part])
        found = [identifier for identifier, _ in segments.search(names, question, 100, Permitted(allowed))]
        assert np.isin(found, allowed).all()
        right = [identifier for identifier, _ in expected_of(ids, vectors, question, 100, allowed)]
        shares.append(np.isin(right, found).mean())
    assert np.mean(shares) >= (1 if part * LARGE < SCANNED_BELOW - 2_000 else 0.98)
