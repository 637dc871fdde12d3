import math
from collections import Counter
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest

from rag.errors import Inconsistent
from rag.lexical import BM25_SHARE, Concepts, LexicalGoneError, LexicalIndexes, Name, concepts
from rag.permitted import Permitted

WORDS = [f"w{i}" for i in range(40)]
K1, B = 1.2, 0.75
ASKED: list[Concepts] = [
    concepts(["w3", "w30", "w39"]),
    [(("w3",), ("w0", "w1")), (("w30",),)],
    [(("w2", "w5"), ("w39",)), (("w7",), ("never-written",)), (("w1",),)],
]


class Oracle:
    """BM25 with the idf that Lucene and tantivy use, and the match of ``rag.lexical``, straight from their formulas."""

    def __init__(self, documents: dict[int, list[str]]) -> None:
        self.documents = documents
        self.mean_length = sum(map(len, documents.values())) / len(documents)

    def idf(self, term: str) -> float:
        holding = sum(term in words for words in self.documents.values())
        return math.log(1 + (len(self.documents) - holding + 0.5) / (holding + 0.5))

    def bm25(self, name: Name, words: list[str]) -> float:
        counts, length = Counter(words), 1 - B + B * len(words) / self.mean_length
        return sum(self.idf(term) * counts[term] * (K1 + 1) / (counts[term] + K1 * length) for term in name)

    def scores(self, asked: Concepts) -> dict[int, float]:
        """By passage, the sum over concepts of BM25 of the best name."""
        found = {
            key: sum(max(self.bm25(name, words) for name in names) for names in asked)
            for key, words in self.documents.items()
        }
        return {key: score for key, score in found.items() if score}

    def matches(self, asked: Concepts) -> dict[int, float]:
        """By passage, the mean of BM25 over what it could reach, and of coverage; by the best name of each concept."""
        most = sum(max(sum(map(self.idf, name)) for name in names) for names in asked)
        found = {
            key: sum(max(self._match(name, words) for name in names) for names in asked) / most
            for key, words in self.documents.items()
        }
        return {key: match for key, match in found.items() if match}

    def _match(self, name: Name, words: list[str]) -> float:
        covered = sum(self.idf(term) for term in name if term in words)
        return BM25_SHARE * self.bm25(name, words) / (K1 + 1) + (1 - BM25_SHARE) * covered


@pytest.fixture
def documents() -> dict[int, list[str]]:
    chance = np.random.default_rng(5)
    return {int(i): list(chance.choice(WORDS, 12, p=np.arange(1, 41) / 820)) for i in range(100, 160)}


@pytest.fixture
def lexical(tmp_path: Path) -> LexicalIndexes:
    return LexicalIndexes(tmp_path / "lexical")


def all_of(documents: dict[int, list[str]]) -> Permitted:
    return Permitted(np.array(sorted(documents), np.int64))


@pytest.mark.parametrize("asked", ASKED)
def test_the_order_is_that_of_bm25(lexical: LexicalIndexes, documents: dict[int, list[str]], asked: Concepts) -> None:
    name = lexical.create(documents.items())
    found = lexical.search(name, asked, 60, all_of(documents), 1)
    expected = Oracle(documents).scores(asked)
    assert set(found) == expected.keys()
    scores = [expected[key] for key in found]
    assert all(above > below - 1e-5 for above, below in pairwise(scores))


@pytest.mark.parametrize("asked", ASKED)
def test_a_match_is_what_the_formula_says(
    lexical: LexicalIndexes, documents: dict[int, list[str]], asked: Concepts
) -> None:
    name = lexical.create(documents.items())
    ids = sorted(documents)
    found, expected = lexical.matches(name, asked, ids, 1), Oracle(documents).matches(asked)
    assert found.keys() == expected.keys()
    np.testing.assert_allclose([found[key] for key in expected], list(expected.values()), rtol=1e-3)
    assert all(0 < match <= 1 for match in found.values())


def test_matches_are_told_of_the_passages_asked_for_alone(lexical: LexicalIndexes, documents) -> None:
    name = lexical.create(documents.items())
    every = lexical.matches(name, ASKED[0], sorted(documents), 1)
    some = sorted(every)[:3]
    assert lexical.matches(name, ASKED[0], [*some, 7], 1) == pytest.approx({key: every[key] for key in some})
    assert lexical.matches(name, ASKED[0], [], 1) == {}
    assert lexical.matches(name, [], some, 1) == {}


def test_a_concept_counts_by_its_best_name_and_not_by_all_together(lexical: LexicalIndexes) -> None:
    documents = {1: ["gout", "urate"], 2: ["gout", "podagra"], 3: ["podagra", "urate"], 4: ["other", "words"]}
    name = lexical.create(documents.items())
    either: Concepts = [(("gout",), ("podagra",)), (("urate",),)]
    matches = lexical.matches(name, either, sorted(documents), 1)
    assert matches.keys() == {1, 2, 3}
    assert matches[1] == pytest.approx(matches[3], rel=1e-3)
    assert matches[2] < 0.6 * matches[1]
    assert lexical.search(name, either, 4, all_of(documents), 1) == [1, 3, 2]


def test_a_passage_that_names_every_concept_comes_close_to_1_and_repetition_adds_less_than_another_concept(
    lexical: LexicalIndexes,
) -> None:
    documents = {1: ["a", "b"], 2: ["a", "a"], 3: ["c", "d"], 4: ["e", "f"]}
    name = lexical.create(documents.items())
    matches = lexical.matches(name, concepts(["a", "b"]), [1, 2, 3, 4], 1)
    assert matches.keys() == {1, 2}
    assert matches[1] > 0.6 > matches[2]


def test_a_term_of_which_most_holders_were_replaced_still_matches(lexical: LexicalIndexes) -> None:
    name = lexical.create([(i, ["a", "b"]) for i in range(1, 20)])
    lexical.replace(name, [(i, ["a"]) for i in range(1, 16)], range(1, 16))
    matches = lexical.matches(name, concepts(["a"]), [1, 18], 2)
    assert matches.keys() == {1, 18}
    assert all(0 < match <= 1 for match in matches.values())


def test_each_term_of_a_question_is_a_concept_once() -> None:
    assert concepts(["gout", "urate", "gout"]) == [(("gout",),), (("urate",),)]


def test_a_narrow_permission_still_finds_everything_permitted(lexical: LexicalIndexes, documents) -> None:
    name = lexical.create(documents.items())
    asked = concepts(["w39", "w38"])
    expected = Oracle(documents).scores(asked)
    last = sorted(expected, key=lambda key: (expected[key], -key))[:3]
    found = lexical.search(name, asked, 2, Permitted(np.array(sorted(last), np.int64)), 1)
    assert found == last[:0:-1]


def test_added_passages_are_found_once_the_generation_has_grown(lexical: LexicalIndexes) -> None:
    name = lexical.create([(1, ["a"])])
    everything = Permitted(np.array([1, 2], np.int64))
    assert lexical.search(name, concepts(["a"]), 5, everything, 1) == [1]
    lexical.replace(name, [(2, ["a", "b"])], [2])
    assert lexical.search(name, concepts(["a"]), 5, everything, 2) == [1, 2]


def test_replacing_an_id_leaves_it_in_once(lexical: LexicalIndexes) -> None:
    name = lexical.create([(1, ["a"])])
    lexical.replace(name, [(1, ["b"])], [1])
    assert lexical.ids(name) == [1]
    assert lexical.search(name, concepts(["a"]), 5, Permitted(np.array([1])), 2) == []


def test_a_query_without_terms_finds_nothing(lexical: LexicalIndexes) -> None:
    name = lexical.create([(1, ["a"])])
    assert lexical.search(name, [], 5, Permitted(np.array([1])), 1) == []


def test_a_compacted_index_is_gone(lexical: LexicalIndexes) -> None:
    old, new = lexical.create([(1, ["a"])]), lexical.create([(1, ["a"])])
    lexical.keep_only({new})
    for gone in (
        lambda: lexical.search(old, concepts(["a"]), 1, Permitted(np.array([1])), 1),
        lambda: lexical.ids(old),
    ):
        with pytest.raises(LexicalGoneError):
            gone()


def test_an_index_that_another_process_compacted_away_while_it_was_open_is_gone(
    lexical: LexicalIndexes, tmp_path: Path
) -> None:
    old = lexical.create([(1, ["a"])])
    assert lexical.search(old, concepts(["a"]), 1, Permitted(np.array([1])), 1) == [1]
    another = LexicalIndexes(tmp_path / "lexical")
    new = another.create([(1, ["a"])])
    another.keep_only({new})
    for _ in range(2):
        with pytest.raises(LexicalGoneError):
            lexical.search(old, concepts(["a"]), 1, Permitted(np.array([1])), 2)
    assert [path.name for path in (tmp_path / "lexical").iterdir()] == [new]


def test_an_index_of_another_analysis_is_refused_and_not_searched(lexical: LexicalIndexes, tmp_path: Path) -> None:
    name = lexical.create([(1, ["a"])])
    former = "1-" + name.partition("-")[2]
    (tmp_path / "lexical" / name).rename(tmp_path / "lexical" / former)
    assert lexical.is_current(name)
    assert not lexical.is_current(former)
    for refused in (
        lambda: lexical.search(former, concepts(["a"]), 1, Permitted(np.array([1])), 1),
        lambda: lexical.matches(former, concepts(["a"]), [1], 1),
        lambda: lexical.ids(former),
    ):
        with pytest.raises(Inconsistent, match="reindex"):
            refused()
