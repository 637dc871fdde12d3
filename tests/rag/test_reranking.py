"""The cross-encoder here is a real one, but for its size and that its weights are random."""

import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from tiny_cross_encoder import save_model

from api.doctor import Finding, examine
from rag.errors import Unavailable
from rag.packaged_embedder import ensure_sentence_transformers_folder
from rag.reranking import BATCH_PAIRS, Reranker, best_first, open_reranker
from rag.settings import Settings
from rag.system import open_system

QUESTION = "Which drug is first for type 2 diabetes?"
PASSAGES = [
    "Metformin is the first drug for type 2 diabetes in most adults.",
    "二甲双胍是2型糖尿病的首选药物。",
    "Gout",
    "急性发作时首选吸入短效β2受体激动剂，例如沙丁胺醇。" * 3,
    "A word more than the model reads " * 40,
    "",
    *(f"Adults take {number} mg twice a day with a meal." for number in range(20)),
]
TEXTS = (QUESTION, *PASSAGES)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_model(tmp_path_factory.mktemp("reranker"), TEXTS)


@pytest.fixture(scope="module")
def reranker(folder: Path) -> Reranker:
    return opened(folder)


def opened(name: Path | str) -> Reranker:
    reranker = open_reranker(Settings(reranker=str(name)))
    assert reranker is not None
    return reranker


def test_scores_are_those_of_sentence_transformers(folder: Path, reranker: Reranker) -> None:
    from sentence_transformers import CrossEncoder

    expected = CrossEncoder(str(folder), device="cpu").predict([(QUESTION, text) for text in PASSAGES])
    scores = reranker.rerank(QUESTION, PASSAGES)
    assert scores.dtype == np.float32
    np.testing.assert_allclose(scores, expected, atol=1e-2 if has_gpu() else 1e-5)
    assert np.ptp(expected) > 0.1, "scores that hardly differ would agree with anything"
    assert len(PASSAGES) > 3 * BATCH_PAIRS["cpu"]


def has_gpu() -> bool:
    import torch

    return torch.cuda.is_available()


def test_both_languages_are_read_in_question_and_passage(reranker: Reranker) -> None:
    pairs = [(question, text) for question in (QUESTION, "2型糖尿病首选什么药物？") for text in PASSAGES[:2]]
    scores = [float(reranker.rerank(question, [text])[0]) for question, text in pairs]
    assert len(set(scores)) == len(pairs)


def test_neither_the_order_nor_a_repetition_of_passages_moves_a_score(reranker: Reranker) -> None:
    forward = reranker.rerank(QUESTION, PASSAGES)
    np.testing.assert_array_equal(reranker.rerank(QUESTION, PASSAGES[::-1]), forward[::-1])
    np.testing.assert_array_equal(reranker.rerank(QUESTION, PASSAGES + PASSAGES), np.tile(forward, 2))


def test_equal_scores_keep_the_order_in_which_they_came() -> None:
    assert best_first(np.array([0.1, 0.7, 0.1, 0.9, 0.7], np.float32)) == [3, 1, 4, 0, 2]
    assert best_first(np.empty(0, np.float32)) == []


def test_no_passages_have_no_scores_and_load_no_model() -> None:
    scores = opened("/no/such/folder").rerank(QUESTION, [])
    assert scores.shape == (0,)
    assert scores.dtype == np.float32


def test_threads_share_one_model_that_is_loaded_once(folder: Path, reranker: Reranker, tmp_path: Path) -> None:
    expected = reranker.rerank(QUESTION, PASSAGES)
    fresh = opened(shutil.copytree(folder, tmp_path / "copy"))
    found: dict[int, np.ndarray] = {}

    def rerank(number: int) -> None:
        found[number] = fresh.rerank(QUESTION, PASSAGES)

    threads = [threading.Thread(target=rerank, args=[number]) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(found) == 4
    for scores in found.values():
        np.testing.assert_array_equal(scores, expected)
    shutil.rmtree(tmp_path / "copy")
    np.testing.assert_array_equal(fresh.rerank(QUESTION, PASSAGES), expected)


def test_none_is_the_default(home: Path) -> None:
    with open_system(Settings(home=home)) as system:
        assert system.reranker is None


def test_a_packaged_reranker_is_refused_when_the_system_opens(home: Path) -> None:
    with (
        pytest.raises(Unavailable, match="RAG_RERANKER=packaged:one"),
        open_system(Settings(home=home, reranker="packaged:one")),
    ):
        pass


@pytest.mark.parametrize("name", ["/no/such/folder", "not a name at all"])
def test_a_wrong_name_is_named(name: str) -> None:
    with pytest.raises(Unavailable, match=f"RAG_RERANKER={name} cannot be loaded: .*Hugging Face"):
        opened(name).rerank(QUESTION, PASSAGES)


def test_a_damaged_model_is_named(folder: Path, tmp_path: Path) -> None:
    damaged = shutil.copytree(folder, tmp_path / "damaged")
    (damaged / "model.safetensors").write_bytes(b"half a file")
    with pytest.raises(Unavailable, match=f"RAG_RERANKER={damaged} cannot be loaded"):
        opened(damaged).rerank(QUESTION, PASSAGES)


def test_an_embedding_model_is_refused_instead_of_being_given_random_weights(models: Path) -> None:
    with pytest.raises(Unavailable, match="is no reranker: it holds a BertModel without weights to score by"):
        opened(ensure_sentence_transformers_folder(models.parent)).rerank(QUESTION, PASSAGES)


def test_a_model_that_classifies_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="is no reranker: it gives 3 numbers for a passage"):
        opened(save_model(tmp_path, TEXTS, labels=3)).rerank(QUESTION, PASSAGES)


def test_scores_that_are_no_numbers_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="computes no finite score"):
        opened(save_model(tmp_path, TEXTS, bias=float("nan"))).rerank(QUESTION, PASSAGES)


def doctors_finding(settings: Settings) -> Finding:
    [finding] = [finding for finding in examine(settings) if finding.part == "reranker"]
    return finding


def test_doctor_says_which_reranker_is_used_and_that_it_works(home: Path, folder: Path) -> None:
    assert doctors_finding(Settings(home=home)).ok
    named = doctors_finding(Settings(home=home, reranker=str(folder)))
    assert named.ok
    assert str(folder) in named.message
    missing = doctors_finding(Settings(home=home, reranker="/no/such/folder"))
    assert not missing.ok
    assert "RAG_RERANKER=/no/such/folder" in missing.message


def test_a_name_that_cannot_be_fetched_for_want_of_a_network_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(Unavailable, match="RAG_RERANKER=no-one/no-model cannot be loaded"):
        opened("no-one/no-model").rerank(QUESTION, PASSAGES)
