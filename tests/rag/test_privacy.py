"""Identifiers of people are masked in what is asked, and nothing else is."""

import pytest
from identifying import SENTENCES, identified
from privacy import is_masked, keeps_the_question

from rag.placeholders import without_placeholders
from rag.privacy import masked, masked_ask
from rag.settings import Settings
from rag.types import Ask, Query, Turn


def test_of_identifiers_in_sentences_that_no_rule_was_written_on_at_least_95_percent_are_masked() -> None:
    made = identified(500, "held-out")
    assert {(one.language, one.kind) for one in made} == set(SENTENCES)
    assert sum(is_masked(one) for one in made) >= 0.95 * len(made)
    assert sum(keeps_the_question(one) for one in made) >= 0.98 * len(made)


def test_the_measure_counts_an_identifier_that_is_still_there() -> None:
    unmasked = [one for one in identified(50, "held-out") if all(part in one.text for part in one.parts)]
    assert len(unmasked) == 50


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mr. John Smith, MRN 00123456, has gout.", "Mr. [name], MRN [record number], has gout."),
        ("My SSN is 219-09-9999.", "My SSN is [ID number]."),
        ("NHS number 943 476 5919, fever", "NHS number [ID number], fever"),
        ("DOB 12/03/1961, call 020 7946 0958", "DOB [date of birth], call [phone]"),
        (
            "phone 415-555-0199 is no NHS number, though it could be",
            "phone [phone] is no NHS number, though it could be",
        ),
        ("Write to a.b@example.org.", "Write to [email]."),
        ("She lives at 12 High Street, Leeds LS1 4AP. Fever?", "She lives at [address]. Fever?"),
        ("患者王小明，身份证号11010519491231002X，痛风", "患者[姓名]，身份证号[证件号]，痛风"),
        ("电话１３８１２３４５６７８，住院号：００１２３４５", "电话[电话]，住院号：[病历号]"),
        ("张先生生于1980年3月5日，家住北京市海淀区中关村大街27号", "[姓名]先生生于[出生日期]，家住[住址]"),
        ("護照號碼：E12345678，陳大文女士", "護照號碼：[护照号]，[姓名]女士"),
        (
            "P<GBRSMITH<<ANNA<<<<<<<<<<<<<<<<<<<<<<<<<<<<\n9250764733GBR8809117F2007162<<<<<<<<<<<<<<08 rash?",
            "[passport number] rash?",
        ),
    ],
)
def test_an_identifier_becomes_a_word_for_its_kind_in_the_language_of_the_text(text: str, expected: str) -> None:
    assert masked(text).text == expected
    assert masked(expected).text == expected, "what was masked stays as it is"


@pytest.mark.parametrize(
    "text",
    [
        "Does Wilson disease differ from Crohn disease in a Parkinson patient?",
        "Which Dr. Ranson criteria predict severe pancreatitis?",
        "Is Dr. Alvarado's score used for appendicitis?",
        "Metformin 500-1000 mg, eGFR 30-45 mL/min, HbA1c 7.5 %, WBC 12,000",
        "PMID 28293123, NCT01234567, doi 10.1056/NEJMoa1234567, N Engl J Med 2019;380:1234-1245",
        "Guideline published 2020-03-15, aged 45-64, born in 1965, admitted on 12/03/2021",
        "MR angiography or MS lesions; Patient Health Questionnaire; call 911; will we miss Cancers",
        "威尔逊病、克罗恩病、墨菲征、何杰金氏病、巴宾斯基征怎么鉴别？",
        "患者高血压，病人黄疸，产妇安静时，患者方可使用，任何医生，应向医生说明，时去看医生",
        "患者2020年3月15日入院，住院30天，每日3次，每次0.5g，10号针头，血小板150000",
        "王某，女性，26岁，患者刘某",
        "我住在农村，父亲高热，儿子白细胞低",
    ],
)
def test_eponyms_doses_values_and_dates_of_other_things_survive(text: str) -> None:
    assert masked(text).text == text


def test_a_name_is_masked_wherever_it_stands_again_but_not_in_the_name_of_a_disease() -> None:
    said = masked("Mrs. Anna Wilson has tremor. Could Wilson disease explain it? Wilson is 31.").text
    assert said == "Mrs. [name] has tremor. Could Wilson disease explain it? [name] is 31."
    assert masked("病人李玉珍发热，李玉珍能用布洛芬吗？").text == "病人[姓名]发热，[姓名]能用布洛芬吗？"


def test_a_resident_id_with_a_slip_in_its_check_digit_is_masked_too() -> None:
    assert masked("身份证11010519491231002X").kinds == ("id",)
    assert masked("病人（110105194912310021）").kinds == ("id",)


def test_the_turns_before_a_question_are_masked_and_their_kinds_told() -> None:
    ask = Ask(Query("and in pregnancy?"), history=(Turn("Mr. John Smith has gout", "Mr. John Smith needs a target."),))
    private, kinds = masked_ask(ask, Settings())
    assert private.history == (Turn("Mr. [name] has gout", "Mr. [name] needs a target."),)
    assert kinds == ("name",)
    assert masked_ask(ask, Settings(mask_identifiers=False)) == (ask, ())


def test_a_placeholder_is_not_searched_for() -> None:
    assert without_placeholders("Mr. [name] has gout, tel. [phone]") == "Mr. has gout, tel."
    assert without_placeholders("[姓名]先生的痛风") == "先生的痛风"
    assert without_placeholders("[name]") == "[name]"
