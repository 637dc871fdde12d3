"""Annotated texts in the formats that they are published in, with made-up content."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

from ingestion.annotated_texts.task_data import TaskData, read_task_data
from rag.errors import UnreadableFile
from rag.taiyi_tasks.sets import task_sets
from rag.taiyi_tasks.types import Fact

SETS = {task.key: task for task in task_sets()}
PUBTATOR = """\
101|t|Zirconix and tremor.
101|a|Two men took Zirconix (ZX) and had tremor and loss of hair.
101\t0\t8\tZirconix\tChemical\tD1
101\t13\t19\ttremor\tDisease\tD7
101\t34\t42\tZirconix\tChemical\tD1
101\t44\t46\tZX\tChemical\tD1
101\t56\t62\ttremor\tDisease\tD7
101\t67\t79\tloss of hair\tDisease\tD8|D9\thair loss|baldness
101\tCID\tD1\tD7
101\tCID\tD1\tD8

102|t|Nothing of note.
102|a|
102\t0\t7\tNothing\tChemical\t-1
"""


def written(folder: Path, name: str, content: Any) -> None:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, ensure_ascii=False), "utf-8")


def read(folder: Path, key: str, limit: int | None = None) -> TaskData:
    [data], missing = read_task_data(folder, [SETS[key]], limit)
    assert not missing
    return data


def gold(data: TaskData) -> list[frozenset[Fact] | None]:
    return [instance.gold for instance in data.instances]


def test_pubtator_gives_chemicals_and_diseases_as_sets_of_mentions(tmp_path: Path) -> None:
    written(tmp_path, "CDR_Data/CDR_TestSet.PubTator.txt", PUBTATOR)
    chemicals = read(tmp_path, "bc5cdr-chem")
    assert (
        chemicals.instances[0].text
        == "Zirconix and tremor. Two men took Zirconix (ZX) and had tremor and loss of hair."
    )
    assert gold(chemicals) == [{("chemical", "zirconix"), ("chemical", "zx")}, {("chemical", "nothing")}]
    assert gold(read(tmp_path, "bc5cdr-dise")) == [{("disease", "tremor"), ("disease", "loss of hair")}, set()]
    assert chemicals.files[0].name == "CDR_Data/CDR_TestSet.PubTator.txt"


def test_pubtators_relations_are_between_concepts_that_mentions_name(tmp_path: Path) -> None:
    written(tmp_path, "CDR_TestSet.PubTator.txt", PUBTATOR)
    data = read(tmp_path, "bc5cdr-relations")
    assert gold(data) == [{("Chemical D1", "Disease D7"), ("Chemical D1", "Disease D8")}, set()]
    assert data.instances[0].concepts == {
        "zirconix": {"Chemical D1"},
        "zx": {"Chemical D1"},
        "tremor": {"Disease D7"},
        "loss of hair": {"Disease D8", "Disease D9"},
    }


def test_all_kinds_of_ncbis_diseases_are_diseases(tmp_path: Path) -> None:
    kinds = ("SpecificDisease", "DiseaseClass", "CompositeMention", "Modifier")
    marks = "".join(
        f"7\t{number}\t{number + 4}\tname {number}\t{kind}\tD{number}\n" for number, kind in enumerate(kinds)
    )
    written(tmp_path, "NCBItestset_corpus.txt", f"\n7|t|A title.\n7|a|An abstract.\n{marks}")
    assert gold(read(tmp_path, "ncbi-disease")) == [{("disease", f"name {number}") for number in range(4)}]


def test_chemdner_keeps_texts_and_marks_apart(tmp_path: Path) -> None:
    written(
        tmp_path, "chemdner_corpus/evaluation.abstracts.txt", "21\tOn Zirconix.\tZX, a salt.\n22\tPlain.\tNo salt.\n"
    )
    marks = "21\tT\t3\t11\tZirconix\tTRIVIAL\n21\tA\t0\t2\tZX\tABBREVIATION\n"
    written(tmp_path, "chemdner_corpus/evaluation.annotations.txt", marks)
    data = read(tmp_path, "chemdner")
    assert gold(data) == [{("chemical", "zirconix"), ("chemical", "zx")}, set()]
    assert data.instances[0].text == "On Zirconix. ZX, a salt."
    assert len(data.files) == 2


def test_a_set_of_two_files_is_missing_where_one_is(tmp_path: Path) -> None:
    written(tmp_path, "evaluation.abstracts.txt", "21\tOn Zirconix.\tZX, a salt.\n")
    present, missing = read_task_data(tmp_path, task_sets(), None)
    assert not present
    assert len(missing) == 13


def test_cmeee_is_read_by_mention_or_by_place(tmp_path: Path) -> None:
    entities = [
        {"start_idx": 0, "end_idx": 1, "type": "sym", "entity": "发热"},
        {"start_idx": 3, "end_idx": 4, "type": "dis"},
    ]
    written(tmp_path, "CBLUE/CMeEE-V2/CMeEE-V2_dev.json", [{"text": "发热。肺炎。", "entities": entities}])
    assert gold(read(tmp_path, "cmeee")) == [{("临床表现", "发热"), ("疾病", "肺炎")}]


def test_cmeie_is_read_as_subject_relation_and_object(tmp_path: Path) -> None:
    spo = {"subject": "肺炎", "subject_type": "疾病", "predicate": "相关（导致）", "object": {"@value": "发热"},
           "object_type": {"@value": "疾病"}}  # fmt: skip
    line = json.dumps({"text": "肺炎可致发热。", "spo_list": [spo]}, ensure_ascii=False)
    half_width = line.replace("（", "(").replace("）", ")")
    written(tmp_path, "CMeIE_dev.jsonl", f"{line}\n{half_width}\n")
    assert gold(read(tmp_path, "cmeie")) == [{("肺炎", "相关（导致）", "发热")}] * 2
    assert len(read(tmp_path, "cmeie", limit=1).instances) == 1
    assert read(tmp_path, "cmeie", limit=1).available == 2


def test_litcovid_has_labels_with_semicolons(tmp_path: Path) -> None:
    content = (
        'pmid,journal,title,abstract,label\n31,J,"Masks, again","We wore them.",Prevention;Case Report\n32,J,T,A,\n'
    )
    path = tmp_path / "BC7-LitCovid-Test-GS.csv.gz"
    path.write_bytes(gzip.compress(content.encode()))
    data = read(tmp_path, "bc7-litcovid")
    assert gold(data) == [{("Prevention",), ("Case Report",)}, None]
    assert data.instances[0].text == "Masks, again We wore them."


def test_the_hallmarks_sentences_know_their_abstract(tmp_path: Path) -> None:
    content = (
        "index\tsentence1\tsentence2\tlabel\n"
        "51_s0\tVessels grew .\tinducing angiogenesis\n"
        "51_s1\tCells moved and grew .\tactivating invasion and metastasis,sustaining proliferative signaling\n"
        "52_s0\tNothing .\t\n"
    )
    written(tmp_path, "hoc/test.tsv", content)
    data = read(tmp_path, "hoc")
    assert [instance.document for instance in data.instances] == ["51", "51", "52"]
    assert gold(data) == [
        {("inducing angiogenesis",)},
        {("activating invasion and metastasis",), ("sustaining proliferative signaling",)},
        set(),
    ]


def test_the_hallmarks_columns_go_by_their_names(tmp_path: Path) -> None:
    written(tmp_path, "hoc/test.tsv", "labels\tindex\tsentence\nresisting cell death\t51_s0\tCells lived .\n")
    [instance] = read(tmp_path, "hoc").instances
    assert (instance.id, instance.text, instance.gold) == ("51_s0", "Cells lived .", {("resisting cell death",)})


def test_kuake_has_a_label_a_query_also_by_its_other_name(tmp_path: Path) -> None:
    stated = [
        {"id": "s1", "query": "要花多少钱", "label": "医疗费用"},
        {"id": "s2", "query": "是什么病", "label": "疾病描述"},
    ]
    written(tmp_path, "KUAKE-QIC_dev.json", [*stated, {"id": "s3", "query": "无标签"}])
    assert gold(read(tmp_path, "kuake-qic")) == [{("医疗费用",)}, {("疾病表述",)}, None]


def test_exam_questions_are_found_by_folder(tmp_path: Path) -> None:
    question = {"question": "Which?", "options": {"A": "x", "B": "y", "C": "z"}, "answer_idx": "B", "answer": "y"}
    written(tmp_path, "data_clean/questions/US/test.jsonl", json.dumps(question) + "\n")
    written(tmp_path, "data_clean/questions/US/4_options/phrases_no_exclude_test.jsonl", "not read")
    written(tmp_path, "data_clean/questions/Mainland/test.jsonl", json.dumps({**question, "answer_idx": "C"}) + "\n")
    written(tmp_path, "ori_pqal.json", {"1": {"QUESTION": "Q?", "CONTEXTS": ["C."], "final_decision": "no"}})
    written(tmp_path, "test_ground_truth.json", {"1": "maybe"})
    present, missing = read_task_data(tmp_path, task_sets(), None)
    assert {data.task.key: gold(data) for data in present} == {
        "pubmedqa": [{("maybe",)}],
        "medqa-usmle": [{("B",)}],
        "medqa-mcmle": [{("C",)}],
    }
    assert len(missing) == 10


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("CDR_TestSet.PubTator.txt", "1|t|T.\n1|a|A.\n1\t0\tone\n", "line 3 is neither PMID, start, end, mention"),
        ("CDR_TestSet.PubTator.txt", "1|t|T.\n2\t0\t1\tT\tChemical\tD\n", "line 2 is neither PMID.t.title nor a mark"),
        ("CDR_TestSet.PubTator.txt", "1|a|A.\n", "line 1: the abstract of 1 has no title"),
        ("NCBItestset_corpus.txt", "\n", "has no article"),
        ("CMeEE_dev.json", [{"text": "x", "entities": [{"type": "who", "entity": "x"}]}], "text 1: \"type\" is 'who'"),
        ("CMeEE_dev.json", [{"text": "x", "entities": [{"type": "dis", "end_idx": 9}]}], '"entity" is missing'),
        ("CMeEE_dev.json", [{"text": "x"}], '"entities" is missing'),
        (
            "CMeIE_dev.json",
            '{"text": "x", "spo_list": [{"subject": "x", "predicate": "病因", "object": "y"}]}',
            "@value",
        ),
        ("BC7-LitCovid-Test-GS.csv", "pmid,title,label\n", "the header has no 'abstract'"),
        (
            "BC7-LitCovid-Test-GS.csv",
            "pmid,abstract,label\n1,A,Cooking\n",
            "line 2: 'Cooking' is no label of BC7LitCovid",
        ),
        ("hoc/test.tsv", "51_s0\tOnly this\n", "line 1 has no index, sentence and labels"),
        ("KUAKE-QIC_dev.json", [{"id": "1", "query": "x", "label": "其他"}] * 2, "'1' is there twice"),
    ],
)
def test_what_is_wrong_with_a_set_is_said_with_its_place(tmp_path: Path, name: str, content: Any, says: str) -> None:
    written(tmp_path, name, content)
    with pytest.raises(UnreadableFile, match=says):
        read_task_data(tmp_path, task_sets(), None)
