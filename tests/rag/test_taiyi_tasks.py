"""How Taiyi's tasks are asked, how replies of every shape are read, and what they score; reckoned by hand."""

import pytest

from rag.exam_questions import YES_NO_MAYBE, ExamQuestion
from rag.taiyi_tasks.choices import chosen
from rag.taiyi_tasks.prompting import prompt_of
from rag.taiyi_tasks.scoring import facts_of, figures
from rag.taiyi_tasks.sets import published_means, task_sets
from rag.taiyi_tasks.types import Fact, Instance, Published, TaskSet

SETS = {task.key: task for task in task_sets()}
TEXT = (
    "Aspirin and 2,4-dinitrophenol, but not N,N-dimethylaniline, caused gastric ulcers in two patients with type 2 "
    "diabetes."
)
TEXT_ZH = "患者出现足底、足背贯通性溃疡及发热，予头孢曲松治疗，血常规示白细胞升高。"


def about(text: str, gold: set[Fact] | None = None, **further: object) -> Instance:
    marked = None if gold is None else frozenset(gold)
    return Instance("1", text, marked, "1", **further)  # type: ignore[arg-type]


def read(key: str, text: str, reply: str) -> set[Fact]:
    return set(facts_of(SETS[key], about(text), reply))


def test_the_table_has_thirteen_sets_with_the_published_figures() -> None:
    assert len(SETS) == 13
    assert [task.kind for task in task_sets()] == ["entities"] * 5 + ["relations"] * 2 + ["labels"] * 3 + ["choice"] * 3
    assert SETS["medqa-mcmle"].published == Published(64.8, 88.1, 58.2, 53.2, 70.1, "RoBERTa-large")
    for task in task_sets():
        assert task.source
        assert task.terms
        assert set(task.aliases.values()) <= set(task.labels)


@pytest.mark.parametrize("name", ["taiyi1", "taiyi2", "gpt35", "deepseek14b", "sota"])
def test_the_published_means_are_those_of_the_sets(name: str) -> None:
    """But for the rounding of the figures, and for the table's own slips, of half a point at most."""
    mean = sum(getattr(task.published, name) for task in task_sets()) / 13
    assert mean == pytest.approx(getattr(published_means(), name), abs=0.5)


def test_a_prompt_is_an_instruction_with_the_text_and_the_labels() -> None:
    assert prompt_of(SETS["bc5cdr-dise"], about("A {b} c.")) == (
        'Find the disease entities in this text: "A {b} c."\nEntity types: disease'
    )
    assert prompt_of(SETS["cmeee"], about("发热。")).startswith(
        "找出下面文本中的实体：“发热。”\n实体类型：疾病，临床表现，"
    )
    assert prompt_of(SETS["hoc"], about("A sentence.")).endswith("tumor promoting inflammation, none")


def test_the_prompt_of_an_exam_question_has_its_options_and_its_abstract() -> None:
    colour = ExamQuestion("1", "Which?", "choice", "en", {"A": "Red", "B": "Blue"}, "A")
    asked = prompt_of(SETS["medqa-usmle"], about("", question=colour))
    assert asked == 'Choose the right answer to this question: "Which?"\nOptions:\nA. Red\nB. Blue'
    works = ExamQuestion("1", "Does it?", "yes_no", "en", YES_NO_MAYBE, "yes", evidence=("We gave it.", "It did."))
    asked = prompt_of(SETS["pubmedqa"], about("", question=works))
    assert asked == (
        'Answer the question by this abstract: "We gave it. It did."\nQuestion: Does it?\nOptions: yes, no, maybe'
    )


ASPIRIN, DNP, ULCERS, DIABETES = "aspirin", "2,4-dinitrophenol", "gastric ulcers", "type 2 diabetes"


@pytest.mark.parametrize(
    "reply",
    [
        "chemical: Aspirin; 2,4-dinitrophenol",
        "Chemical：Aspirin；2,4-dinitrophenol。",
        "chemicals: Aspirin, 2,4-dinitrophenol",
        "Chemical entities:\n- Aspirin\n- 2,4-dinitrophenol\n",
        "**Chemical:** Aspirin; 2,4-dinitrophenol",
        "The chemical entities are: Aspirin; 2,4-dinitrophenol.",
        "1. Aspirin\n2. 2,4-dinitrophenol",
        "Aspirin; 2,4-dinitrophenol; aspirin",
        "Aspirin, 2,4-dinitrophenol",
        'Drug: “Aspirin”; "2,4-dinitrophenol"',
    ],
)
def test_chemicals_are_read_however_they_are_listed(reply: str) -> None:
    assert read("bc5cdr-chem", TEXT, reply) == {("chemical", ASPIRIN), ("chemical", DNP)}


@pytest.mark.parametrize("reply", ["", "chemical:", "None", "chemical: none", "chemical: None.", "chemical: ;", "\n\n"])
def test_a_reply_that_names_nothing_gives_nothing(reply: str) -> None:
    assert read("bc5cdr-chem", TEXT, reply) == set()


@pytest.mark.parametrize(
    "reply",
    [
        "临床表现：足底、足背贯通性溃疡; 发热\n药物：头孢曲松\n医学检验项目：血常规; 白细胞\n",
        "症状: 足底、足背贯通性溃疡、发热\n药物: 头孢曲松\n检验项目：血常规，白细胞",
        "药物：头孢曲松；临床表现：足底、足背贯通性溃疡；发热；医学检验项目：血常规；白细胞；身体：无",
        "1. 临床表现实体：足底、足背贯通性溃疡；发热\n2. 药物：头孢曲松\n3. 检验项目：\n- 血常规\n- 白细胞\n疾病：无",
    ],
)
def test_chinese_entities_of_several_kinds_are_read(reply: str) -> None:
    assert read("cmeee", TEXT_ZH, reply) == {
        ("临床表现", "足底、足背贯通性溃疡"),
        ("临床表现", "发热"),
        ("药物", "头孢曲松"),
        ("医学检验项目", "血常规"),
        ("医学检验项目", "白细胞"),
    }


def test_what_stands_under_no_kind_is_not_read_where_there_are_several() -> None:
    assert read("cmeee", TEXT_ZH, "发热；头孢曲松") == set()


CONCEPTS = {
    "aspirin": frozenset({"Chemical D001"}),
    "asa": frozenset({"Chemical D001"}),
    "gastric ulcers": frozenset({"Disease D010"}),
    "ulcers and bleeding": frozenset({"Disease D010", "Disease D011"}),
}


def related(reply: str) -> set[Fact]:
    return set(facts_of(SETS["bc5cdr-relations"], about(TEXT, concepts=CONCEPTS), reply))


@pytest.mark.parametrize(
    "reply",
    [
        "chemical-induced disease: [Aspirin, gastric ulcers]",
        "chemical-induced disease: [ASA, gastric ulcers]; [Aspirin, gastric ulcers]",
        "Chemical-induced disease relation: [gastric ulcers, aspirin]",
        "[aspirin，gastric ulcers]",
        "(Aspirin, gastric ulcers)",
        "chemical-induced disease: [Aspirin -> gastric ulcers]; [Aspirin, ]; [ulcers]; [asa, gastr",
    ],
)
def test_relations_between_concepts_count_once_by_whichever_name(reply: str) -> None:
    assert related(reply) == {("Chemical D001", "Disease D010")}


def test_a_mention_of_several_concepts_relates_each_and_an_unknown_one_itself() -> None:
    assert related("[asa, ulcers and bleeding]") == {
        ("Chemical D001", "Disease D010"),
        ("Chemical D001", "Disease D011"),
    }
    assert related("[caffeine, gastric ulcers]") == {("? caffeine", "Disease D010")}


@pytest.mark.parametrize(
    "reply",
    [
        "药物治疗：[肺炎, 头孢曲松]\n相关（导致）：[肺炎, 发热]",
        "具有药物治疗关系的实体对如下：[肺炎，头孢曲松]；具有相关（导致）关系的实体对如下：[肺炎，发热]",
        "- 药物治疗: 【肺炎、头孢曲松】\n- 相关(导致): 【肺炎；发热】",
    ],
)
def test_chinese_relations_have_subject_relation_and_object(reply: str) -> None:
    assert read("cmeie", "肺炎可致发热，用头孢曲松治疗。", reply) == {
        ("肺炎", "药物治疗", "头孢曲松"),
        ("肺炎", "相关（导致）", "发热"),
    }


def test_a_pair_is_parted_where_both_names_are_in_the_text() -> None:
    text = "1,25-dihydroxyvitamin D3 caused hypercalcemia."
    found = facts_of(SETS["cmeie"], about(text), "并发症：[1,25-dihydroxyvitamin D3, hypercalcemia]")
    assert found == {("1,25-dihydroxyvitamin d3", "并发症", "hypercalcemia")}


@pytest.mark.parametrize(
    ("reply", "labels"),
    [
        ("Result: Treatment, Case Report", {"Treatment", "Case Report"}),
        ("result：treatment；case report。", {"Treatment", "Case Report"}),
        ("Treatment and Mechanism", {"Treatment", "Mechanism"}),
        ("The text is about prevention, not Treatment.\nLabels: Prevention", {"Prevention"}),
        ("Result: unclear", set()),
        ("Treatments vary.", set()),
    ],
)
def test_labels_are_read_behind_their_heading_or_anywhere(reply: str, labels: set[str]) -> None:
    assert read("bc7-litcovid", "x", reply) == {(label,) for label in labels}


@pytest.mark.parametrize(
    "reply", ["上述文本被分类为：医疗费用", "医疗费用", "类别：医疗费用，其他", "结果为医疗费用。"]
)
def test_of_a_set_with_one_label_a_text_the_first_counts(reply: str) -> None:
    assert read("kuake-qic", "x", reply) == {("医疗费用",)}


def test_none_of_the_labels_is_an_answer() -> None:
    assert read("hoc", "x", "Result: none") == set()


OPTIONS = {"A": "Aspirin", "B": "Heparin", "C": "Low molecular weight heparin", "D": "Nothing"}


def choice(**further: object) -> ExamQuestion:
    return ExamQuestion("1", "Which?", "choice", "en", OPTIONS, "C", **further)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("reply", "letter"),
    [
        ("C", "C"),
        ("C. Low molecular weight heparin", "C"),
        ("(C)", "C"),
        ("Ｃ．低分子肝素", "C"),
        ("The answer is C.", "C"),
        ("Answer: **C**", "C"),
        ("答案：C", "C"),
        ("正确答案是C，因为", "C"),
        ("A is tempting. But the correct option is (B) Heparin.", "B"),
        ("Low molecular weight heparin.", "C"),
        ("Heparin", "B"),
        ("I would give heparin, or low molecular weight heparin", "C"),
        ("A patient with this should rest.", None),
        ("Aspirin or heparin", None),
        ("E", None),
        ("", None),
    ],
)
def test_a_choice_is_read_by_letter_or_by_words(reply: str, letter: str | None) -> None:
    assert chosen(choice(), reply) == ({(letter,)} if letter else set())


@pytest.mark.parametrize("reply", ["A, C", "AC", "答案：CA", "The answer is A and C."])
def test_where_several_options_may_be_right_all_letters_count(reply: str) -> None:
    assert chosen(choice(several=True), reply) == {("AC",)}


@pytest.mark.parametrize(
    ("reply", "word"),
    [
        ("yes", "yes"),
        ("No, it does not.", "no"),
        ("The answer is maybe; yes in adults.", "maybe"),
        ("Yes and no. Answer: no", "no"),
        ("不确定", "maybe"),
        ("是的", "yes"),
        ("Unknown", None),
    ],
)
def test_yes_no_and_maybe_are_read(reply: str, word: str | None) -> None:
    question = ExamQuestion("1", "Does it?", "yes_no", "en", YES_NO_MAYBE, "yes")
    assert chosen(question, reply) == ({(word,)} if word else set())


def test_micro_f1_is_over_the_statements_of_all_documents() -> None:
    """Right 2, wrong 1, missed 1: precision 2/3, recall 2/3, F1 2/3."""
    gout, fever, flu, cold = (("disease", name) for name in ("gout", "fever", "flu", "cold"))
    scored = [
        (Instance("a", "", frozenset({gout, fever}), "a"), frozenset({gout})),
        (Instance("b", "", frozenset({flu}), "b"), frozenset({flu, cold})),
    ]
    found = figures(SETS["ncbi-disease"], scored)
    assert found
    assert found.micro
    assert (found.micro.right, found.micro.wrong, found.micro.missed, found.documents) == (2, 1, 1, 2)
    assert found.value.value == pytest.approx(2 / 3)


def test_sentences_of_an_abstract_are_scored_as_one() -> None:
    """The label said of the wrong sentence of the abstract is right; of another abstract it is wrong."""
    task: TaskSet = SETS["hoc"]
    label: Fact = ("inducing angiogenesis",)
    scored = [
        (Instance("1_s0", "", frozenset({label}), "1"), frozenset[Fact]()),
        (Instance("1_s1", "", frozenset[Fact](), "1"), frozenset({label})),
        (Instance("2_s0", "", frozenset[Fact](), "2"), frozenset({label})),
    ]
    found = figures(task, scored)
    assert found
    assert found.micro
    assert (found.micro.right, found.micro.wrong, found.micro.missed, found.documents) == (1, 1, 0, 2)


def test_accuracy_leaves_out_what_has_no_stated_answer() -> None:
    said = frozenset({("A",)})
    scored = [
        (Instance("1", "", said, "1"), said),
        (Instance("2", "", said, "2"), frozenset[Fact]()),
        (Instance("3", "", None, "3"), said),
    ]
    found = figures(SETS["medqa-usmle"], scored)
    assert found
    assert (found.value.value, found.documents) == (0.5, 2)
    assert found.value.low == pytest.approx(0.0945, abs=1e-4)
    assert figures(SETS["medqa-usmle"], scored[2:]) is None
