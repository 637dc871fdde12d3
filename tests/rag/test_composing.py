"""The text of an answer as it grows: offsets and markers hold whatever is kept and withheld, in any order."""

from dataclasses import replace
from typing import Any

from hypothesis import example, given
from hypothesis import strategies as st

from rag.composing import Composition, Said
from rag.quoting import Span
from rag.types import Hit, Issue, Passage

PASSAGE_TEXT = "Metformin is the first choice. Insulin follows where it does not suffice."


def hit(passage_id: str, score: float = 1.0) -> Hit:
    described: dict[str, Any] = dict.fromkeys(
        ("external_id", "publisher", "edition", "published", "url", "language", "section", "page")
    )
    passage = Passage(
        passage_id=passage_id,
        document_id="d",
        edition_id="e",
        collection="default",
        title="Diabetes",
        text=PASSAGE_TEXT,
        char_start=100 * int(passage_id),
        char_end=100 * int(passage_id) + len(PASSAGE_TEXT),
        superseded=False,
        **described,
    )
    return Hit(passage, score, 1)


spans = st.builds(
    lambda passage, start, length: (hit(passage), start, start + length),
    st.sampled_from("123"),
    st.integers(0, 3),
    st.integers(1, 3),
)
steps = st.lists(
    st.tuples(
        st.booleans(),
        st.text(st.characters(exclude_categories=("Cs",)), min_size=1, max_size=20),
        st.lists(spans, max_size=3),
        st.sampled_from([" ", "\n", "\n\n", "", "\n- "]),
    ),
    max_size=12,
)


def key(span: Span) -> tuple[str, int, int]:
    return span[0].passage.passage_id, span[1], span[2]


@given(steps)
@example([(True, "[1] quotes [2].", [(hit("1"), 0, 3)], " "), (True, "𝒳 药。", [(hit("2"), 0, 3)], "")])
def test_offsets_and_markers_hold(said: list[tuple[bool, str, list[Span], str]]) -> None:
    composition = Composition()
    grown, kept_spans, withheld_spans = "", [], []
    for is_kept, text, cited, lead in said:
        if is_kept:
            sentence, added = composition.keep(Said(text, tuple(cited), "supported", lead=lead))
            grown += added
            kept_spans.append(cited)
            assert sentence == composition.sentences[-1]
        else:
            composition.withhold(Said(text, tuple(cited), "unsupported"))
            withheld_spans.append(cited)
        assert composition.text == grown, "what was added is what the text grew by"
    in_text = len(composition.spans)
    withheld = composition.withheld()
    by_marker = {marker: key(span) for marker, span in composition.spans}

    for sentence, cited in zip(composition.sentences, kept_spans, strict=True):
        assert composition.text[sentence.start : sentence.end] == sentence.text
        assert [by_marker[marker] for marker in sentence.citations] == [key(span) for span in cited]
    for sentence, cited in zip(withheld, withheld_spans, strict=True):
        assert [by_marker[marker] for marker in sentence.citations] == [key(span) for span in cited]
    assert [sentence.index for sentence in composition.sentences] == list(range(len(kept_spans)))
    assert [sentence.index for sentence in withheld] == list(range(len(withheld_spans)))

    assert [marker for marker, _ in composition.spans] == list(range(1, len(composition.spans) + 1))
    assert len(set(by_marker.values())) == len(by_marker), "one marker a quote"
    first_seen = dict.fromkeys(marker for sentence in composition.sentences for marker in sentence.citations)
    assert list(first_seen) == list(range(1, in_text + 1)), "markers count in the order of the text"
    assert composition.withheld() == withheld
    assert composition.text == grown


def test_a_withheld_sentence_takes_no_number_from_those_in_the_text() -> None:
    composition = Composition()
    composition.withhold(
        Said("Not so.", ((hit("1"), 0, 5),), "unsupported", (Issue("number", "5 mg", "is not there"),))
    )
    composition.keep(Said("So.", ((hit("2"), 0, 5),), "supported"))
    composition.keep(
        Said(
            "So too.",
            (
                (hit("2"), 0, 5),
                (hit("3"), 0, 5),
            ),
            "supported",
            lead="\n",
        )
    )
    composition.keep(Said("And this.", (), "uncited"))
    [withheld] = composition.withheld()
    assert composition.text == "So. [1]\nSo too. [1][2] And this."
    assert withheld.citations == (3,)
    assert withheld.issues[0].value == "5 mg"
    assert "Not so." not in composition.text


def test_a_passage_found_anew_with_another_score_is_the_same_source() -> None:
    composition = Composition()
    composition.keep(Said("One.", ((hit("1", 0.9), 0, 5),), "supported"))
    sentence, added = composition.keep(Said("Two.", ((hit("1", 0.1), 0, 5),), "supported"))
    assert (sentence.citations, added) == ((1,), " Two. [1]")


def test_the_first_sentence_has_no_lead_and_nothing_is_an_empty_text() -> None:
    composition = Composition()
    assert (composition.text, composition.withheld()) == ("", ())
    sentence, added = composition.keep(Said("One.", (), "uncited", lead="\n\n"))
    assert (sentence.start, added) == (0, "One.")


def test_a_passage_shown_with_more_around_it_is_cited_by_its_place_in_the_edition() -> None:
    alone = hit("1")
    passage = replace(alone.passage, text=f"Before. {PASSAGE_TEXT}", char_start=alone.passage.char_start - 8)
    wider = replace(alone, passage=passage)
    composition = Composition()
    composition.withhold(Said("It comes before.", ((wider, 0, 7),), "unsupported", ()))
    composition.keep(Said("Metformin", ((alone, 0, 7),), "supported"))
    composition.keep(Said("Metformin again", ((wider, 8, 15),), "supported"))
    assert [one.citations for one in (*composition.sentences, *composition.withheld())] == [(1,), (1,), (2,)]
