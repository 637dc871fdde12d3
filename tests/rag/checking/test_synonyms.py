"""Words that say the same share a key, in either language and spelling; opposites do not."""

import pytest

from rag.checking.synonyms import canonical, kind_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("oedema", "edema"),
        ("paediatric", "pediatric"),
        ("haemorrhage", "bleeding"),
        ("tumours", "tumor"),
        ("shows", "demonstrated"),
        ("reduced", "lower"),
        ("began", "initiates"),
        ("therapy", "treatment"),
        ("children", "患儿"),
        ("paracetamol", "扑热息痛"),
        ("acetaminophen", "对乙酰氨基酚"),
        ("adrenaline", "epinephrine"),
        ("high blood pressure", "高血压"),
        ("heart attack", "心梗"),
        ("Lipitor", "atorvastatin"),
        ("ivermectin", "伊维菌素"),
        ("導致", "引起"),
        ("患者", "病人"),
        ("side effects", "不良反应"),
    ],
)
def test_the_same_said_otherwise_has_the_same_key(one: str, other: str) -> None:
    assert canonical(one) == canonical(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("increase", "decrease"),
        ("促进", "抑制"),
        ("hypertension", "hypotension"),
        ("禁用", "可用"),
        ("禁用", "慎用"),
        ("effective", "ineffective"),
        ("hepatitis", "hepatic"),
        ("prednisone", "prednisolone"),
        ("AIDS", "aids"),
        ("acute", "chronic"),
    ],
)
def test_what_is_not_the_same_has_another_key(one: str, other: str) -> None:
    assert canonical(one) != canonical(other)


@pytest.mark.parametrize(
    ("name", "kind"),
    [("zanubrutinib", "substance"), ("泽布替尼", "substance"), ("costochondritis", "disease"), ("table", "")],
)
def test_a_name_that_no_list_has_is_known_by_its_ending(name: str, kind: str) -> None:
    assert kind_of(name) == kind
