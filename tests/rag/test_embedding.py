import threading
import time

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rag.embedding import PACKAGED_ON_GPU, SentenceTransformerEmbedder, TurnTaking, open_embedder, token_batches
from rag.errors import Unavailable
from rag.packaged_embedder import ensure_sentence_transformers_folder
from rag.settings import Settings

PROBES = [
    "gout",
    "急性发作时首选吸入短效β2受体激动剂，例如沙丁胺醇，每20分钟一次，连用三次。",
    "Metformin 500 mg twice daily is started first in most adults.",
    "In adults with chronic kidney disease the dose is halved below an eGFR of 45. " * 12,
    "糖化血红蛋白不低于6.5%可诊断为糖尿病，需在另一天复查确认。" * 20,
    "a word more than the model reads " * 120,
    "",
]


@pytest.fixture(scope="module")
def by_torch(models) -> SentenceTransformerEmbedder:
    return SentenceTransformerEmbedder(Settings(embedder=str(ensure_sentence_transformers_folder(models.parent))))


def test_vectors_are_those_of_sentence_transformers_in_every_place_of_the_batch(embedder, by_torch) -> None:
    expected = by_torch._model.encode(["passage: " + text for text in PROBES], normalize_embeddings=True)
    assert (embedder.embed_passages(PROBES) * expected).sum(1).min() > 0.99999
    assert (embedder.embed_passages(PROBES[::-1]) * expected[::-1]).sum(1).min() > 0.99999
    assert (by_torch.embed_passages(PROBES) * expected).sum(1).min() > 0.99999
    assert embedder.embed_query(PROBES[1]) @ by_torch.embed_query(PROBES[1]) > 0.99999


def test_sixteen_bit_numbers_move_the_vectors_by_less_than_a_fingerprint_covers(embedder, by_torch) -> None:
    """What OpenVINO computes with where the processor can, and torch on a GPU; here torch stands in for both."""
    import torch

    with torch.autocast("cpu", torch.bfloat16):
        rounded = by_torch._model.encode(["passage: " + text for text in PROBES], normalize_embeddings=True)
    assert 0.999 < (embedder.embed_passages(PROBES) * rounded).sum(1).min() < 1 - 1e-6


def test_passages_are_embedded_alike_alone_and_together(embedder) -> None:
    together = embedder.embed_passages(PROBES)
    alone = np.concatenate([embedder.embed_passages([text]) for text in PROBES])
    np.testing.assert_allclose(together, alone, atol=1e-5)


@given(st.lists(st.integers(1, 512), max_size=200), st.integers(1, 4096))
def test_batches_hold_every_text_once_and_keep_to_their_tokens(lengths: list[int], most: int) -> None:
    batches = list(token_batches(lengths, most))
    assert sorted(number for batch in batches for number in batch) == list(range(len(lengths)))
    for batch in batches:
        longest = max(lengths[number] for number in batch)
        assert len(batch) == 1 or len(batch) * longest <= most


def test_a_query_is_answered_while_many_passages_are_embedded(embedder) -> None:
    finished = threading.Event()

    def embed_many() -> None:
        embedder.embed_passages([PROBES[3]] * 24)
        finished.set()

    ingesting = threading.Thread(target=embed_many)
    ingesting.start()
    time.sleep(0.1)
    embedder.embed_query("a question that comes while documents are read in")
    assert not finished.is_set()
    ingesting.join()


def test_turns_go_to_the_hurried_first_then_to_who_waits_longest() -> None:
    turns, order, holding, waiting = TurnTaking(), [], threading.Event(), []

    def take(name: str, hurried: bool) -> None:
        with turns.turn(hurried):
            order.append(name)

    with turns.turn():
        for name, hurried in (("first", False), ("second", False), ("question", True)):
            waiting.append(threading.Thread(target=take, args=[name, hurried], daemon=True))
            waiting[-1].start()
            holding.wait(0.05)
        assert order == []
    for thread in waiting:
        thread.join(5)
    assert order == ["question", "first", "second"]


def test_the_thread_that_gave_its_turn_back_waits_for_the_others() -> None:
    turns, order, held = TurnTaking(), [], threading.Event()

    def take_again_and_again() -> None:
        for _ in range(50):
            with turns.turn():
                order.append("many")
                held.set()
                time.sleep(0.01)

    many = threading.Thread(target=take_again_and_again, daemon=True)
    many.start()
    assert held.wait(5)
    with turns.turn():
        order.append("one")
    many.join(10)
    assert order.index("one") <= 2


def test_threads_share_one_embedder(embedder) -> None:
    expected = embedder.embed_passages(PROBES[:4])
    found: dict[int, np.ndarray] = {}

    def embed(number: int) -> None:
        found[number] = embedder.embed_passages(PROBES[number:4])

    threads = [threading.Thread(target=embed, args=[number]) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for number, vectors in found.items():
        np.testing.assert_allclose(vectors, expected[number:4], atol=1e-5)


def test_a_query_is_embedded_once(embedder) -> None:
    first = embedder.embed_query("asked twice")
    assert embedder.embed_query("asked twice") is first
    with pytest.raises(ValueError, match="read-only"):
        first[0] = 1


def test_one_thread_gives_the_same_vectors(home, embedder) -> None:
    single = open_embedder(Settings(home=home, threads=1))
    np.testing.assert_allclose(single.embed_passages(PROBES), embedder.embed_passages(PROBES), atol=1e-5)
    assert single.fingerprint == embedder.fingerprint


@pytest.mark.parametrize("name", [PACKAGED_ON_GPU, "packaged:bert"])
def test_a_packaged_embedder_that_cannot_run_here_is_named(home, name: str) -> None:
    import torch

    if name == PACKAGED_ON_GPU and torch.cuda.is_available():
        pytest.skip("there is a GPU here")
    with pytest.raises(Unavailable, match=name):
        open_embedder(Settings(home=home, embedder=name)).embed_query("x")
