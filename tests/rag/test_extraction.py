from rag.extraction import MAX_SENTENCES, choose, ranked_sentences
from rag.types import Hit, Passage


def hit(text: str, rank: int = 1, section: str | None = None, title: str = "Title") -> Hit:
    passage = Passage(
        passage_id=str(rank),
        document_id="d",
        edition_id="e",
        external_id=None,
        collection="c",
        title=title,
        publisher=None,
        edition=None,
        published=None,
        url=None,
        language=None,
        section=section,
        page=None,
        text=text,
        char_start=0,
        char_end=len(text),
        superseded=False,
    )
    return Hit(passage, 1 / rank, rank)


def test_a_quote_is_a_span_of_its_passage(entailment) -> None:
    text = (
        "Gout\n\n- Allopurinol is started at 100 mg a day.\n1. The target urate is below 6 mg/dL. It is kept for life."
    )
    quotes = ranked_sentences("What is the target urate?", [hit(text)], entailment)
    assert {quote.text for quote in quotes} == {
        "Allopurinol is started at 100 mg a day.",
        "The target urate is below 6 mg/dL.",
        "It is kept for life.",
    }
    assert quotes[0].text == "The target urate is below 6 mg/dL."


def test_a_question_in_a_document_is_no_answer_to_it(entailment) -> None:
    hits = [hit("What is the dose of allopurinol? Allopurinol is begun at 100 mg.", 1), hit("别嘌醇的剂量是多少？", 2)]
    quotes = ranked_sentences("What is the dose of allopurinol?", hits, entailment)
    assert [quote.text for quote in quotes] == ["Allopurinol is begun at 100 mg."]


def test_headings_column_names_and_reference_lists_are_not_quoted(entailment) -> None:
    table = "Drug treatment\n\nDrug and daily dose | Source of the dose\nAllopurinol 100 mg | ACR 2020 guideline"
    references = "ACR guideline for the management of gout. Arthritis Care Res 2020."
    hits = [
        hit(table, 1, section="Care > Drug treatment"),
        hit(references, 2, section="References"),
        hit("美国风湿病学会痛风指南，2020年。", 3, section="参考文献"),
        hit("Guidelines for hypothyroidism, Thyroid 2014;24:1670-1751.", 4),
    ]
    quotes = ranked_sentences("Which drug dose?", hits, entailment)
    assert [quote.text for quote in quotes] == ["Allopurinol 100 mg | ACR 2020 guideline"]


def test_nothing_of_a_reference_list_within_a_passage_is_quoted(entailment) -> None:
    """Plain text has no sections, and a passage may begin in the middle of the list."""
    first, last = "The target blood pressure is below 120 mmHg in CKD.", "The blood pressure is measured in both arms."
    entries = (
        "1. KDIGO Blood Pressure Work Group. Guideline on the target of blood pressure. Kidney Int 2021;99(3S):1-87.\n"
        "2. Food and Drug Administration. Safety communication on blood pressure and its target. 8 April 2016."
    )
    for heading in ("References", "Bibliography:", "参考文献"):
        quotes = ranked_sentences(
            "What is the target blood pressure?", [hit(f"{first}\n\n{heading}\n{entries}")], entailment
        )
        assert [quote.text for quote in quotes] == [first], heading
    middle = entries.split("\n")[0]
    quotes = ranked_sentences("What is the target blood pressure?", [hit(f"{middle}\n\n{last}")], entailment)
    assert [quote.text for quote in quotes] == [last]


def test_what_says_the_same_is_quoted_once_and_in_the_order_of_the_passages(entailment) -> None:
    same = "The target serum urate in gout is below 6 mg/dL."
    hits = [hit(same + " Colchicine is given for flares.", 1), hit(same, 2)]
    chosen = choose(ranked_sentences("What is the target serum urate in gout?", hits, entailment), "en")
    assert [quote.text for quote in chosen].count(same) == 1
    places = [(quote.hit.rank, quote.start) for quote in chosen]
    assert places == sorted(places)


def test_no_more_than_four_sentences_are_quoted(entailment) -> None:
    text = " ".join(f"The target urate in gout is {number} mg/dL in group number {number}." for number in range(5, 12))
    chosen = choose(ranked_sentences("target urate in gout", [hit(text)], entailment), "en")
    assert len(chosen) <= MAX_SENTENCES


def test_the_language_asked_for_goes_first_and_the_other_serves_where_there_is_none(entailment) -> None:
    english, chinese = hit("The target urate is below 6 mg/dL.", 1), hit("血尿酸的目标是低于360 μmol/L。", 2)
    both = ranked_sentences("痛风的血尿酸目标是多少？", [english, chinese], entailment)
    assert [quote.text for quote in choose(both, "zh")] == ["血尿酸的目标是低于360 μmol/L。"]
    only_english = ranked_sentences("痛风的血尿酸目标是多少？", [english], entailment)
    assert [quote.text for quote in choose(only_english, "zh")] == ["The target urate is below 6 mg/dL."]


def test_nothing_found_gives_nothing(entailment) -> None:
    assert ranked_sentences("anything", [], entailment) == []
    assert choose([], "en") == []
