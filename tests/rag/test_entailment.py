"""The packaged reader on what it is for, and another model in its place: a real one, but for its size and weights."""

from pathlib import Path

import numpy as np
import pytest
from tiny_cross_encoder import save_model

from rag.checking.entailment import WEIGHTS, Entailment, PackagedReader, open_entailment
from rag.errors import Unavailable
from rag.settings import Settings

TEXT = "Metformin is contraindicated in patients with an eGFR below 30 mL/min."
FINDING = "Statins reduced the risk of ischaemic stroke in adults by a fifth."
PAIRS = [
    (FINDING, "Statins reduced the risk of ischaemic stroke in adults."),
    (FINDING, "Statins increased the risk of ischaemic stroke in adults."),
    (FINDING, "Gout is treated with colchicine."),
    ("二甲双胍禁用于肾功能严重不全的患者。", "肾功能严重不全的患者禁用二甲双胍。"),
    ("A long text. " * 200, "A long sentence " * 60),
    ("", ""),
]
TEXTS = [text for pair in PAIRS for text in pair]
MOST_BYTES = 25_000_000


@pytest.fixture(scope="module")
def reader(models: Path) -> PackagedReader:
    return PackagedReader(Settings(home=models.parent))


def test_what_the_text_says_is_told_from_the_opposite_and_from_something_else(reader: PackagedReader) -> None:
    supports, contradicts, neither = reader.judge(PAIRS[:3])
    assert supports.argmax() == 0
    assert contradicts.argmax() == 1
    assert neither[0] < 0.2


def test_chinese_is_read_as_well(reader: PackagedReader) -> None:
    same, other = reader.judge([PAIRS[3], (PAIRS[3][0], "秋水仙碱用于痛风急性发作。")])
    assert same[0] > 0.5 > other[0]


def test_a_text_that_answers_is_told_from_one_on_the_same_subject(reader: PackagedReader) -> None:
    question = "Below which eGFR is metformin contraindicated?"
    answering, other = reader.answers([(TEXT, question), ("Metformin lowers the HbA1c by about 1 %.", question)])
    assert answering > 0.5 > other


def test_probabilities_are_those_of_a_pair_whatever_it_is_read_with(reader: PackagedReader) -> None:
    together = reader.judge(PAIRS)
    assert together.shape == (len(PAIRS), 3)
    np.testing.assert_allclose(together.sum(axis=1), 1, atol=1e-5)
    np.testing.assert_allclose(reader.judge(PAIRS[::-1]), together[::-1], atol=2e-2)


def test_no_pairs_give_nothing(reader: PackagedReader) -> None:
    assert reader.judge([]).shape == (0, 3)
    assert reader.answers([]).shape == (0,)


def test_the_weights_are_small_and_hold_nothing_that_runs() -> None:
    from safetensors import safe_open

    assert WEIGHTS.stat().st_size <= MOST_BYTES
    with safe_open(WEIGHTS, "np") as stored:
        assert {"head.entailment.w", "head.answers.w"} <= set(stored.keys())


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return labelled(
        save_model(tmp_path_factory.mktemp("entailment"), TEXTS, labels=3), "contradiction entailment neutral"
    )


def labelled(folder: Path, labels: str) -> Path:
    from transformers import BertForSequenceClassification

    model = BertForSequenceClassification.from_pretrained(folder)
    model.config.id2label = dict(enumerate(labels.split()))
    model.config.label2id = {label: number for number, label in enumerate(labels.split())}
    model.save_pretrained(folder)
    return folder


def opened(name: Path | str) -> Entailment:
    return open_entailment(Settings(entailment=str(name)))


def test_another_models_labels_are_taken_by_their_names(folder: Path) -> None:
    from sentence_transformers import CrossEncoder

    pairs = PAIRS[:4]
    given = CrossEncoder(str(folder), device="cpu").predict(pairs, apply_softmax=True)
    np.testing.assert_allclose(opened(folder).judge(pairs), given[:, [1, 0, 2]], atol=1e-5)


def test_a_model_whose_labels_say_nothing_of_entailment_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="its labels are label_0, label_1"):
        opened(save_model(tmp_path / "model", TEXTS, labels=2)).judge(PAIRS[:1])


def test_a_model_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"RAG_ENTAILMENT=.*nowhere cannot be loaded"):
        opened(tmp_path / "nowhere").judge(PAIRS[:1])
    with pytest.raises(Unavailable, match="what is packaged is packaged:reader"):
        opened("packaged:other")
