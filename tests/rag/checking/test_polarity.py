"""A sentence that says the opposite of its source is found; one that says the same otherwise is not."""

import pytest

from rag.checking.polarity import polarity_findings
from rag.checking.types import Finding


def found(sentence: str, *source: str) -> tuple[Finding, ...]:
    return polarity_findings(sentence, source, "\n".join(source))


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        (
            "Metformin is recommended in severe renal impairment.",
            "Metformin is not recommended in severe renal impairment.",
        ),
        ("The test cannot rule out malaria.", "The test can rule out malaria."),
        ("Flush the insulin infusion.", "Do not flush the insulin infusion."),
        ("Take it with food in the evening.", "Take it without food in the evening."),
        ("X is recommended, Y is not.", "X is not recommended, Y is."),
        ("Aspirin is indicated in children with fever.", "Aspirin is contraindicated in children with fever."),
        ("Aspirin should be used in children with fever.", "Aspirin should be avoided in children with fever."),
        ("Do not avoid alcohol during treatment.", "Avoid alcohol during treatment."),
        ("The drug is unsafe in pregnancy.", "The drug is safe in pregnancy."),
        ("Statins increase the risk of stroke.", "Statins reduce the risk of stroke."),
        ("Rifampicin lowered warfarin levels in most patients.", "Rifampicin raised warfarin levels in most patients."),
        ("There was a significant difference in survival.", "There was no significant difference in survival."),
        ("The drug upregulates the receptor in neurons.", "The drug downregulates the receptor in neurons."),
        ("Give the dose after meals.", "Give the dose before meals."),
        ("Features of chronic otitis media.", "Features of acute otitis media."),
        ("The lesions were haemorrhagic in most.", "The lesions were non-haemorrhagic in most."),
        ("孕妇可用本品。", "孕妇不可用本品。"),
        ("本品禁用于肝功能不全者。", "本品慎用于肝功能不全者。"),
        ("儿童推荐使用该药。", "儿童不推荐使用该药。"),
        ("两组疗效差异有统计学意义。", "两组疗效差异无统计学意义。"),
        ("该病不是传染病。", "该病是传染病。"),
        ("患者没有发热和咳嗽。", "患者有发热和咳嗽。"),
        ("该药可降低血钾水平。", "该药可升高血钾水平。"),
        ("该药是一种酶促进剂。", "该药是一种酶抑制剂。"),
        ("甲状腺功能亢进时代谢加快。", "甲状腺功能减退时代谢加快。"),
        ("阳性预测值是指患病者的比例。", "阴性预测值是指患病者的比例。"),
        ("脾气虚则气血足。", "脾气虚则气血不足。"),
    ],
)
def test_the_opposite_of_the_source_is_found(sentence: str, source: str) -> None:
    findings = found(sentence, source)
    assert findings
    assert all(one.contradicts and one.issue.kind == "polarity" for one in findings)


@pytest.mark.parametrize(
    ("sentence", "source"),
    [
        ("Metformin should not be used in renal failure.", "Metformin is contraindicated in renal failure."),
        ("Alcohol should not be used during treatment.", "Avoid alcohol during treatment."),
        ("In children, aspirin is not recommended.", "Aspirin is not recommended in children."),
        ("The treatment is not effective in adults.", "The treatment is ineffective in adults."),
        ("The therapy reduced mortality.", "The treatment lowered mortality."),
        ("Mortality did not increase.", "Mortality did not rise."),
        ("Blood pressure did not rise but fell.", "Blood pressure did not increase but decreased."),
        ("It should be used for no longer than two weeks.", "It should be used for a maximum of two weeks."),
        ("Aspirin lowers fever.", "Aspirin lowers fever, but it is not recommended in children."),
        ("Intense exercise raises creatinine.", "It is worth noting that intense exercise raises creatinine."),
        ("Flu is caused by viruses.", "No. Flu is caused by viruses."),
        ("Neither cough nor fever was present.", "There was no cough and no fever."),
        ("Do not take an extra dose.", "An extra dose should not be taken."),
        ("The risk of a rare but serious rhythm rises.", "The risk of an infrequent but serious rhythm rises."),
        ("孕妇不应使用本品。", "孕妇禁用本品。"),
        ("该药可引起低血糖。", "该药可导致低血糖。"),
        ("两组没有明显差异。", "两组无显著差异。"),
        ("治疗后症状减轻，无不良反应。", "治疗后症状缓解，没有副作用。"),
        ("Metformin is contraindicated in renal failure.", "肾衰竭患者禁用二甲双胍。"),
    ],
)
def test_the_same_in_other_words_is_not_called_the_opposite(sentence: str, source: str) -> None:
    assert found(sentence, source) == ()


def test_one_source_that_agrees_is_enough() -> None:
    assert (
        found("Drug A is safe in pregnancy.", "Drug A is not safe in pregnancy.", "Drug A is safe in pregnancy.") == ()
    )


def test_the_message_says_both_in_the_sentences_language() -> None:
    english = found("Metformin is recommended in adults.", "Metformin is not recommended in adults.")
    assert english[0].issue.message == "answer says “recommended”, source says “not recommended”"
    chinese = found("儿童推荐使用该药。", "儿童不推荐使用该药。")
    assert chinese[0].issue.message == "答案写“推荐”，原文写“不推荐”"
