import math
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from rag.lexical import LexicalGoneError, LexicalIndexes
from rag.permitted import Permitted

WORDS = [f"w{i}" for i in range(40)]


def bm25(query: list[str], documents: dict[int, list[str]], k1: float = 1.2, b: float = 0.75) -> dict[int, float]:
    """Okapi BM25 with the idf that Lucene and tantivy use, straight from the formula."""
    mean = sum(map(len, documents.values())) / len(documents)
    scores = {}
    for key, words in documents.items():
        counts, score = Counter(words), 0.0
        for term in set(query) & counts.keys():
            n = sum(term in other for other in documents.values())
            idf = math.log(1 + (len(documents) - n + 0.5) / (n + 0.5))
            tf = counts[term]
            score += idf * tf * (k1 + 1) / (tf + k1 * (1 - b + b * len(words) / mean))
        if score:
            scores[key] = score
    return scores


@pytest.fixture
def documents() -> dict[int, list[str]]:
    chance = np.random.default_rng(5)
    return {int(i): list(chance.choice(WORDS, 12, p=np.arange(1, 41) / 820)) for i in range(100, 160)}


@pytest.fixture
def lexical(tmp_path: Path) -> LexicalIndexes:
    return LexicalIndexes(tmp_path / "lexical")


def all_of(documents: dict[int, list[str]]) -> Permitted:
    return Permitted(np.array(sorted(documents), np.int64))


def test_scores_are_bm25(lexical: LexicalIndexes, documents: dict[int, list[str]]) -> None:
    name = lexical.create(documents.items())
    query = ["w3", "w30", "w39"]
    found = dict(lexical.search(name, query, 60, all_of(documents), 1))
    expected = bm25(query, documents)
    assert found.keys() == expected.keys()
    np.testing.assert_allclose([found[key] for key in expected], list(expected.values()), rtol=1e-3)


def test_a_narrow_permission_still_finds_everything_permitted(lexical: LexicalIndexes, documents) -> None:
    name = lexical.create(documents.items())
    expected = bm25(["w39", "w38"], documents)
    last = sorted(expected, key=lambda key: (expected[key], -key))[:3]
    found = lexical.search(name, ["w39", "w38"], 2, Permitted(np.array(sorted(last), np.int64)), 1)
    assert [key for key, _ in found] == last[:0:-1]


def test_added_passages_are_found_once_the_generation_has_grown(lexical: LexicalIndexes) -> None:
    name = lexical.create([(1, ["a"])])
    everything = Permitted(np.array([1, 2], np.int64))
    assert [i for i, _ in lexical.search(name, ["a"], 5, everything, 1)] == [1]
    lexical.replace(name, [(2, ["a", "b"])], [2])
    assert [i for i, _ in lexical.search(name, ["a"], 5, everything, 2)] == [1, 2]


def test_replacing_an_id_leaves_it_in_once(lexical: LexicalIndexes) -> None:
    name = lexical.create([(1, ["a"])])
    lexical.replace(name, [(1, ["b"])], [1])
    assert lexical.ids(name) == [1]
    assert lexical.search(name, ["a"], 5, Permitted(np.array([1])), 2) == []


def test_a_query_without_terms_finds_nothing(lexical: LexicalIndexes) -> None:
    name = lexical.create([(1, ["a"])])
    assert lexical.search(name, [], 5, Permitted(np.array([1])), 1) == []


def test_a_compacted_index_is_gone(lexical: LexicalIndexes) -> None:
    old, new = lexical.create([(1, ["a"])]), lexical.create([(1, ["a"])])
    lexical.keep_only({new})
    with pytest.raises(LexicalGoneError):
        lexical.search(old, ["a"], 1, Permitted(np.array([1])), 1)
