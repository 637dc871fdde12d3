import time

import pytest

from rag.duplicates import Copy, collapsed
from rag.types import Passage

SENTENCE = "Metformin 500 mg is not given when the eGFR is below 30 mL/min and should be stopped before contrast."


def passage(number: int, text: str, **known: object) -> Passage:
    facts: dict = {
        "passage_id": str(number),
        "document_id": f"d{number}",
        "edition_id": f"e{number}",
        "external_id": None,
        "collection": "default",
        "title": f"Document {number}",
        "publisher": None,
        "edition": None,
        "published": None,
        "url": None,
        "language": None,
        "section": None,
        "page": None,
        "text": text,
        "char_start": 0,
        "char_end": len(text),
        "superseded": False,
    }
    return Passage(**facts | known)


def numbers(texts: list[str], question: str = "renal impairment") -> list[list[int]]:
    """The places of ``texts`` in the groups that they fall into."""
    groups = collapsed([passage(at, text) for at, text in enumerate(texts)], question)
    return [[int(one.passage_id) for one in (group.best, *(copy.passage for copy in group.others))] for group in groups]


def test_five_copies_are_one_with_four_others_in_their_order() -> None:
    assert numbers([SENTENCE, "Something else.", SENTENCE, SENTENCE, SENTENCE, SENTENCE]) == [[0, 2, 3, 4, 5], [1]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (SENTENCE, SENTENCE.replace("Metformin", "METFORMIN").replace("mL", "ml")),
        (SENTENCE, SENTENCE.replace(" is not given", " is  not given,")),
        (SENTENCE, SENTENCE.replace("the eGFR", "eGFR").rstrip(".")),
        (SENTENCE, f"- {SENTENCE}"),
        (SENTENCE, f"CONCLUSIONS: {SENTENCE}"),
        (SENTENCE, "Document 1\n\n" + SENTENCE),
        ("In adults (18–65 years) give it.", 'In adults 18-65 years "give it"!'),
        ("急性发作时首选沙丁胺醇，每20分钟一次。", "急性发作时首选沙丁胺醇,每 20 分钟一次"),
        ("One holds. Two holds.", "One holds.\n\nTwo holds."),
    ],
)
def test_what_never_changes_the_sense_may_differ(one: str, other: str) -> None:
    assert numbers([one, other]) == [[0, 1]]
    assert numbers([other, one]) == [[0, 1]]


@pytest.mark.parametrize(
    ("said", "changed"),
    [
        ("500 mg", "50 mg"),
        ("500 mg", "500 g"),
        ("500 mg", "5.00 mg"),
        ("500 mg", "-500 mg"),
        ("not given", "given"),
        ("below", "above"),
        ("below 30", "< 30"),
        ("30 mL", "30-45 mL"),
        ("Metformin", "Phenformin"),
        ("before", "after"),
        ("should", "may"),
        (" and ", " or "),
    ],
)
def test_one_word_that_changes_the_sense_makes_another_statement(said: str, changed: str) -> None:
    around = "The kidney clears it unchanged, so that it accumulates in renal impairment. " * 6
    for surroundings in ("", around):
        one, other = surroundings + SENTENCE, surroundings + SENTENCE.replace(said, changed)
        assert one != other
        assert numbers([one, other]) == [[0], [1]]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("每日10³单位。", "每日103单位。"),
        ("血压低于140/90 mmHg。", "血压高于140/90 mmHg。"),
        ("孕妇禁用。", "孕妇慎用。"),
        ("Lipoprotein(a) is raised.", "Lipoprotein is raised."),
        ("Hepatitis A is treated.", "Hepatitis is treated."),
        ("Is it safe?", "It is safe."),
        ("HBsAg (-) in 2020.", "HBsAg (+) in 2020."),
        ("5 | | 10", "5 | 10"),
        ("A is better than B.", "B is better than A."),
    ],
)
def test_signs_and_names_of_one_letter_count(one: str, other: str) -> None:
    assert numbers([one, other]) == [[0], [1]]


def test_a_passage_is_a_copy_only_of_one_that_says_all_of_it_and_little_more() -> None:
    long = " ".join(f"Sentence {n} says that the drug number {n} is well tolerated." for n in "abcdefgh")
    more = f"{long} It is avoided in pregnancy."
    assert numbers([more, long]) == [[0, 1]]
    [group] = collapsed([passage(1, more), passage(2, long), passage(3, more)], "drug")
    assert [copy.whole for copy in group.others] == [False, True]
    assert numbers([long, more]) == [[0], [1]]
    assert numbers([more, long[: len(long) // 2]]) == [[0], [1]]


def test_two_editions_of_one_document_stand_side_by_side() -> None:
    older = passage(1, SENTENCE, document_id="d", edition_id="e1")
    newer = passage(2, SENTENCE, document_id="d", edition_id="e2")
    again = passage(3, SENTENCE, document_id="d", edition_id="e1")
    groups = collapsed([newer, older, again], "renal")
    assert [(group.best, group.others) for group in groups] == [(newer, []), (older, [Copy(again, whole=True)])]


def test_a_text_that_no_longer_holds_is_no_copy_of_one_that_does() -> None:
    assert len(collapsed([passage(1, SENTENCE), passage(2, SENTENCE, superseded=True)], "renal")) == 2


def test_like_words_under_the_names_that_the_question_tells_apart_are_no_copies() -> None:
    ranked = [
        passage(1, "The dose is 5 mg once daily.", title="Amlodipine", section="Dose"),
        passage(2, "The dose is 5 mg once daily.", title="Felodipine", section="Dose"),
    ]
    assert len(collapsed(ranked, "dose of amlodipine and felodipine")) == 2
    assert len(collapsed(ranked, "dose of felodipine")) == 2
    assert len(collapsed(ranked, "which dose is given once daily")) == 1


def test_headings_alone_are_no_copies() -> None:
    assert numbers(["\n", "\n"]) == [[0], [1]]


def test_fifty_passages_are_compared_in_a_few_times_what_it_takes_to_part_their_words() -> None:
    texts = [
        " ".join(f"Finding {n} of trial {at} was {n * at} mg." if n % 5 else SENTENCE for n in range(35))
        for at in range(50)
    ]
    ranked = [passage(at, text) for at, text in enumerate(texts)]

    def fastest(work: object) -> float:
        took = []
        for _ in range(5):
            started = time.perf_counter()
            work()  # type: ignore[operator]
            took.append(time.perf_counter() - started)
        return min(took)

    parting = fastest(lambda: [[word.casefold() for word in text.split()] for text in texts])
    assert fastest(lambda: collapsed(ranked, "trial")) < 12 * parting
