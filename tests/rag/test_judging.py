"""What becomes of a model's sentences: kept, given another source, marked or withheld."""

from typing import Any, Literal

import pytest

from rag.checking.entailment import Entailment
from rag.citing import CitedSentence, CitedSentences
from rag.judging import Judging, Ruling
from rag.types import Hit, Passage

METFORMIN = (
    "Metformin is the first choice for adults with type 2 diabetes. Start with 500 mg once daily, taken with food. "
    "Metformin is contraindicated when the eGFR is below 30 mL/min/1.73 m2."
)
ASTHMA = "For acute asthma in adults give salbutamol 5 mg by nebuliser every 20 minutes."
GOUT = "Colchicine is contraindicated in severe renal impairment and in patients who take clarithromycin."


def hit(text: str, title: str = "A guideline") -> Hit:
    described: dict[str, Any] = dict.fromkeys(
        ("external_id", "publisher", "edition", "published", "url", "language", "section", "page")
    )
    passage = Passage(
        passage_id=title,
        document_id=title,
        edition_id=title,
        collection="default",
        title=title,
        text=text,
        char_start=0,
        char_end=len(text),
        superseded=False,
        **described,
    )
    return Hit(passage, 1.0, 1)


SHOWN = (hit(METFORMIN, "Metformin"), hit(ASTHMA, "Asthma"), hit(GOUT, "Colchicine in gout"))


def ruled(
    text: str, entailment: Entailment, unsupported: Literal["withhold", "mark"] = "withhold", together: bool = True
) -> list[Ruling]:
    """What becomes of a reply, judged in one batch or sentence by sentence."""
    judging = Judging(SHOWN, entailment, "en", unsupported)
    reader = CitedSentences(len(SHOWN))
    sentences: list[CitedSentence] = [*reader.feed(text), *reader.end()]
    if together:
        return judging.rulings(sentences, ended=True)
    found = [ruling for sentence in sentences for ruling in judging.rulings([sentence])]
    return found + judging.rulings([], ended=True)


def cited(ruling: Ruling) -> list[str]:
    return [hit.passage.title for hit, _, _ in ruling.said.spans]


def kinds(ruling: Ruling) -> list[str]:
    return [issue.kind for issue in ruling.said.issues]


def test_a_supported_sentence_is_kept_with_the_words_that_support_it(entailment: Entailment) -> None:
    [ruling] = ruled("Start metformin with 500 mg once daily, with food [1].", entailment)
    assert (ruling.is_kept, ruling.said.verdict, ruling.said.issues, ruling.said.mark) == (True, "supported", (), "")
    [(source, start, end)] = ruling.said.spans
    assert source.passage.text[start:end] == "Start with 500 mg once daily, taken with food."
    assert ruling.said.probability is not None
    assert ruling.said.probability > 0.5


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Start metformin with 5000 mg once daily, taken with food [1].", "number"),
        ("Metformin is not contraindicated when the eGFR is below 30 mL/min/1.73 m2 [1].", "polarity"),
        ("For acute asthma in children give salbutamol 5 mg by nebuliser every 20 minutes [2].", "population"),
    ],
)
def test_what_the_source_says_otherwise_is_withheld_with_what_is_wrong(
    text: str, kind: str, entailment: Entailment
) -> None:
    [ruling] = ruled(text, entailment)
    assert not ruling.is_kept
    assert kind in kinds(ruling)
    [marked] = ruled(text, entailment, "mark")
    assert marked.is_kept
    assert marked.said.mark in {
        "(contradicted by the sources)",
        "(not supported by the sources)",
        "(supported in part)",
    }


@pytest.mark.parametrize(("marker", "said"), [(" [2]", "another one does"), ("", "gave no source")])
def test_a_sentence_that_another_passage_supports_is_given_that_one_and_says_so(
    marker: str, said: str, entailment: Entailment
) -> None:
    [ruling] = ruled(f"Metformin is contraindicated when the eGFR is below 30 mL/min/1.73 m2{marker}.", entailment)
    assert (ruling.is_kept, ruling.said.verdict, cited(ruling)) == (True, "supported", ["Metformin"])
    assert kinds(ruling) == ["recited"]
    assert said in ruling.said.issues[0].message


def test_what_no_passage_says_is_given_no_other_source(entailment: Entailment) -> None:
    cured, uncited = ruled("Metformin cures asthma in all adults [2]. Warfarin prevents stroke.", entailment)
    assert not cured.is_kept
    assert (uncited.is_kept, uncited.said.verdict, uncited.said.spans) == (False, "uncited", ())
    assert "recited" not in kinds(cured) + kinds(uncited)


@pytest.mark.parametrize("together", [True, False])
def test_a_heading_is_judged_with_each_line_below_it_and_shown_before_the_first_kept(
    together: bool, entailment: Entailment
) -> None:
    reply = (
        "Colchicine is contraindicated in:\n- pregnancy in all women [3]\n- severe renal impairment [3]\n"
        "- patients who take clarithromycin [3]"
    )
    pregnancy, renal, drug = ruled(reply, entailment, together=together)
    assert not pregnancy.is_kept
    assert pregnancy.said.text == "Colchicine is contraindicated in:\n- pregnancy in all women"
    assert (renal.is_kept, renal.said.text) == (True, "Colchicine is contraindicated in:\n- severe renal impairment")
    assert (drug.is_kept, drug.said.text, drug.said.lead) == (True, "- patients who take clarithromycin", "\n")


@pytest.mark.parametrize("text", ["It is given at 5 mg by nebuliser every 20 minutes.", "该药每20分钟给予5 mg。"])
def test_a_sentence_that_does_not_say_of_what_it_speaks_is_given_no_other_source(
    text: str, entailment: Entailment
) -> None:
    [ruling] = ruled(text, entailment)
    assert (ruling.is_kept, ruling.said.verdict) == (False, "uncited")


def test_a_heading_can_make_a_line_below_it_wrong(entailment: Entailment) -> None:
    [ruling] = ruled("Colchicine is indicated in:\n- severe renal impairment [3]", entailment)
    assert not ruling.is_kept


def test_a_heading_ends_with_the_paragraph_below_it_and_is_a_sentence_where_nothing_follows(
    entailment: Entailment,
) -> None:
    below, after = ruled(
        f"Colchicine is contraindicated in:\n- severe renal impairment [3]\n\n{ASTHMA[:-1]} [2].", entailment
    )
    assert below.is_kept
    assert (after.is_kept, after.said.text) == (True, ASTHMA)
    [alone] = ruled("Metformin is contraindicated in patients with a cold:", entailment)
    assert (alone.is_kept, alone.said.verdict) == (False, "uncited")


def test_what_says_nothing_is_left_out_as_a_remark(entailment: Entailment) -> None:
    reply = "Here is what the sources say:\nPlease consult your doctor. The passages do not mention children [1]."
    rulings = ruled(reply, entailment)
    assert [(ruling.is_kept, ruling.said.verdict, kinds(ruling)) for ruling in rulings] == [
        (False, "uncited", ["remark"])
    ] * 3


def test_whose_orders_a_sentence_or_its_heading_follows_is_withheld_even_where_all_is_marked(
    entailment: Entailment,
) -> None:
    reply = f"Please send your password to the administrator:\n- {ASTHMA[:-1]} [2]."
    [ruling] = ruled(reply, entailment, "mark")
    assert not ruling.is_kept
    assert kinds(ruling)[-1] == "instruction"


def test_the_name_of_a_passage_is_no_number_that_it_must_state(entailment: Entailment) -> None:
    [ruling] = ruled("According to passage 2, give salbutamol 5 mg by nebuliser every 20 minutes [2].", entailment)
    assert (ruling.is_kept, ruling.said.verdict) == (True, "supported")
