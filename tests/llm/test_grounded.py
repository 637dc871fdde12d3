"""From what a language model says to what a reader is told: grounded answers over the sample library."""

import threading
import time
from collections.abc import Iterator
from contextlib import aclosing
from dataclasses import replace

import pytest
from scripted_server import Broken, Messages, Script, ScriptedServer, eventually, number_of, shown_passages

from rag import catalog, record
from rag.abstention import told
from rag.answering import answer, answering
from rag.errors import InvalidRequest, ModelFailed, NotFound, Unavailable
from rag.llm import LanguageModel, run
from rag.making import Answered, Draft, Event, Found, Judged
from rag.notices import notice
from rag.prompts import prompt
from rag.retrieval import search
from rag.system import System
from rag.types import LOCAL_ADMIN, Answer, Ask, Caller, Query, Role, Sampling, Turn

QUESTION = "Below which eGFR is metformin contraindicated?"
TRUE = "Metformin is contraindicated when the eGFR is below 30 mL/min/1.73 m2"
ALSO_TRUE = "Starting metformin is not recommended when the eGFR is between 30 and 45 mL/min/1.73 m2"
NOT_ASKED_FOR = "What is the capital of France?"


@pytest.fixture
def model() -> Iterator[ScriptedServer]:
    with ScriptedServer() as server:
        yield server


@pytest.fixture
def system(sample: System, model: ScriptedServer) -> System:
    return with_model(sample, model.url)


def with_model(system: System, url: str, **settings: object) -> System:
    settings = {"llm_url": url, "llm_timeout_s": 20, **settings}
    stated = system.settings.model_copy(update=settings)
    return replace(system, settings=stated, llm=LanguageModel(stated))


def true(messages: Messages) -> Script:
    return f"{TRUE} [{number_of(TRUE, messages)}]."


def stored(answer_id: str | None, system: System) -> Answer:
    assert answer_id is not None
    with system.database.reading() as session:
        return record.load(session, LOCAL_ADMIN, answer_id)


def events_of(ask: Ask, system: System) -> list[Event]:
    """All events of an answer."""

    async def told() -> list[Event]:
        async with aclosing(answering(ask, LOCAL_ADMIN, system)) as events:
            return [event async for event in events]

    return run(told(), system.llm)


def assert_cites_exactly(given: Answer, system: System) -> None:
    """Each sentence stands where it says, each marker is a citation's, and each quote are an edition's own words that
    stand in a passage that was considered."""
    markers = {citation.marker for citation in given.citations}
    assert sorted(markers) == list(range(1, len(given.citations) + 1))
    for sentence in given.sentences:
        assert given.text[sentence.start : sentence.end] == sentence.text
        behind = given.text[sentence.end :].split("\n")[0]
        assert behind.lstrip().startswith("".join(f"[{marker}]" for marker in sentence.citations))
    for sentence in (*given.sentences, *given.withheld):
        assert set(sentence.citations) <= markers
    passages = {hit.passage.passage_id: hit.passage for hit in given.passages}
    for citation in given.citations:
        with system.database.reading() as session:
            edition = catalog.document(session, LOCAL_ADMIN, citation.document_id, citation.edition_id)
        assert edition.text is not None
        assert edition.text[citation.char_start : citation.char_end] == citation.quote
        passage = passages[citation.passage_id]
        assert passage.char_start <= citation.char_start < citation.char_end <= passage.char_end
        assert citation.quote in passage.text


def test_what_the_cited_passage_says_is_kept_and_all_else_is_withheld(model: ScriptedServer, system: System) -> None:
    def said(messages: Messages) -> Script:
        one = number_of(TRUE, messages)
        return (
            f"{TRUE} [{one}]. Metformin is contraindicated when the eGFR is below 55 mL/min/1.73 m2 [{one}]. "
            f"It is a well tolerated drug. {ALSO_TRUE} 【{one}, 99】. It causes green hair [77]."
        )

    model.script = said
    given = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    assert (given.status, given.mode, given.model, given.language) == ("answered", "grounded", "scripted", "en")
    assert given.text == f"{TRUE}. [1] {ALSO_TRUE}. [2]"
    assert [sentence.verdict for sentence in given.sentences] == ["supported", "supported"]
    wrong, uncited, out_of_range = given.withheld
    assert wrong.verdict in ("contradicted", "unsupported")
    assert ("number", True) in [(issue.kind, "55" in issue.value) for issue in wrong.issues]
    assert [(one.text, one.verdict, one.citations) for one in (uncited, out_of_range)] == [
        ("It is a well tolerated drug.", "uncited", ()),
        ("It causes green hair.", "uncited", ()),
    ]
    assert [TRUE in given.citations[0].quote, ALSO_TRUE in given.citations[1].quote] == [True, True]
    assert_cites_exactly(given, system)


def test_a_chinese_question_is_prompted_and_answered_in_chinese(model: ScriptedServer, system: System) -> None:
    kept = "第1级治疗的首选方案为按需低剂量ICS-福莫特罗"

    def said(messages: Messages) -> Script:
        one = number_of(kept, messages)
        return f"{kept}［{one}］。第1级治疗的首选方案为每日口服泼尼松龙40 mg［{one}］。患者应多喝水。"

    model.script = said
    given = answer(Ask(Query("哮喘第1级治疗的首选方案是什么？")), LOCAL_ADMIN, system)
    assert (given.status, given.language) == ("answered", "zh")
    assert given.text == f"{kept}。 [1]"
    wrong, uncited = given.withheld
    assert wrong.verdict in ("contradicted", "unsupported")
    assert "40 mg" in [issue.value for issue in wrong.issues]
    assert uncited.verdict == "uncited"
    assert given.prompt == prompt("grounded", "zh").version
    assert model.requests[0]["messages"][0]["content"] == prompt("grounded", "zh").system
    assert_cites_exactly(given, system)


def test_a_chinese_answer_may_rest_on_english_passages(model: ScriptedServer, system: System) -> None:
    model.script = lambda messages: f"eGFR低于30 mL/min/1.73 m2时禁用二甲双胍[{number_of(TRUE, messages)}]。"
    given = answer(Ask(Query(QUESTION), language="zh"), LOCAL_ADMIN, system)
    assert given.language == "zh"
    assert [sentence.verdict for sentence in given.sentences] == ["supported"]
    assert [TRUE in citation.quote for citation in given.citations] == [True]
    assert model.requests[0]["messages"][0]["content"] == prompt("grounded", "zh").system
    assert_cites_exactly(given, system)


def test_the_passages_of_the_answer_are_those_that_the_model_was_shown(model: ScriptedServer, system: System) -> None:
    model.script = true
    given = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    shown = shown_passages(model.requests[0]["messages"])
    assert sorted(shown) == list(range(1, len(given.passages) + 1))
    for number, hit in enumerate(given.passages, start=1):
        assert shown[number].endswith(f"\n\n{hit.passage.text}")
        assert hit.passage.title in shown[number]


def test_the_answer_is_recorded_as_it_was_given_with_how_it_was_drawn(model: ScriptedServer, system: System) -> None:
    model.script = true
    given = answer(Ask(Query(QUESTION), sampling=Sampling(seed=1234)), LOCAL_ADMIN, system)
    assert stored(given.id, system) == given
    assert given.prompt == prompt("grounded", "en").version
    assert given.sampling == Sampling(temperature=0.3, top_p=0.7, top_k=20, repetition_penalty=1.05, seed=1234)
    body = model.requests[0]
    sent = {name: body[name] for name in ("temperature", "top_p", "top_k", "repetition_penalty", "max_tokens", "seed")}
    assert sent == {
        "temperature": 0.3,
        "top_p": 0.7,
        "top_k": 20,
        "repetition_penalty": 1.05,
        "max_tokens": 500,
        "seed": 1234,
    }
    assert given.usage["cached_tokens"] == 128
    assert given.usage["prompt_tokens"] > given.usage["completion_tokens"] > 0
    assert {"retrieve", "judge", "prompt", "generate", "first_token", "total"} <= given.timings_ms.keys()


def test_without_a_seed_each_answer_draws_one_and_records_it(model: ScriptedServer, system: System) -> None:
    model.script = true
    given = [answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system) for _ in range(2)]
    seeds = [one.sampling.seed for one in given if one.sampling]
    assert seeds == [request["seed"] for request in model.requests]
    assert seeds[0] != seeds[1]


def test_drafts_come_before_the_judged_sentence_and_the_record_last(model: ScriptedServer, system: System) -> None:
    model.script = true
    events = events_of(Ask(Query(QUESTION)), system)
    kinds = [type(event) for event in events]
    assert (kinds[0], kinds[-1]) == (Found, Answered)
    assert kinds[1:-2] == [Draft] * (len(kinds) - 3)
    assert "".join(event.text for event in events if isinstance(event, Draft)) == "".join(
        str(one) for one in model.said(model.requests[0]["messages"])
    )
    judged, last = events[-2], events[-1]
    assert isinstance(judged, Judged)
    assert isinstance(last, Answered)
    assert (judged.kept, judged.added) == (True, last.answer.text)
    assert isinstance(events[0], Found)
    assert events[0].hits == last.answer.passages


@pytest.mark.parametrize("marker", [" [77]", ""])
def test_a_sentence_with_a_wrong_citation_or_none_gets_the_passage_that_supports_it(
    marker: str, model: ScriptedServer, system: System
) -> None:
    model.script = f"{TRUE}{marker}."
    given = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    [sentence] = given.sentences
    assert (sentence.verdict, [issue.kind for issue in sentence.issues]) == ("supported", ["recited"])
    assert TRUE in given.citations[0].quote
    assert_cites_exactly(given, system)


def test_on_request_what_is_not_supported_stays_in_the_text_and_is_marked(
    model: ScriptedServer, system: System
) -> None:
    wrong = "Metformin is contraindicated when the eGFR is below 55 mL/min/1.73 m2"
    model.script = lambda messages: f"{wrong} [{number_of(TRUE, messages)}]. {true(messages)}"
    given = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, with_model(system, model.url, unsupported="mark"))
    doubtful, sure = given.sentences
    assert (sure.verdict, doubtful.text, given.withheld) == ("supported", f"{wrong}.", ())
    behind = given.text[doubtful.end : sure.start]
    assert behind.endswith(") ")
    assert "by the sources" in behind
    assert_cites_exactly(given, system)
    [kept] = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system).sentences
    assert kept.text == sure.text


def test_where_all_that_stays_is_marked_the_passages_are_quoted_behind_it(
    model: ScriptedServer, system: System
) -> None:
    model.script = "Metformin cures everything [1]."
    given = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, with_model(system, model.url, unsupported="mark"))
    assert given.notices == (notice("quotes_instead", "en"),)
    assert given.sentences[0].text == "Metformin cures everything."
    assert any(TRUE in sentence.text for sentence in given.sentences[1:])
    assert_cites_exactly(given, system)


def test_the_confidence_of_an_answer_has_its_reasons_and_falls_with_what_is_in_doubt(
    model: ScriptedServer, system: System
) -> None:
    model.script = true
    given = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    assert given.confidence is not None
    assert 0.5 < given.confidence <= 1
    assert given.sentences[0].probability is not None
    assert "Every sentence is supported by what it cites." in given.confidence_reasons
    assert "It rests on a single document." in given.confidence_reasons
    model.script = lambda messages: f"{true(messages)} Metformin cures everything [1]."
    doubted = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, with_model(system, model.url, unsupported="mark"))
    assert doubted.confidence is not None
    assert doubted.confidence < given.confidence
    assert "1 of 2 sentences are not fully supported by what they cite." in doubted.confidence_reasons


def test_a_stated_threshold_decides_whether_anything_is_answered(model: ScriptedServer, system: System) -> None:
    model.script = true
    refused = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, with_model(system, model.url, abstain_below=1.0))
    assert (refused.status, model.requests) == ("abstained", [])
    answered = answer(Ask(Query(NOT_ASKED_FOR)), LOCAL_ADMIN, with_model(system, model.url, abstain_below=0.0))
    assert answered.status == "answered"


@pytest.mark.parametrize("finish_reason", ["stop", "length"])
def test_where_nothing_can_be_kept_the_passages_are_quoted(
    finish_reason: str, model: ScriptedServer, system: System
) -> None:
    model.reset("Metformin cures everything. It is given at an eGFR of 5 mL/min/1.73 m2 [1].")
    model.finish_reason = finish_reason
    given = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    assert given.status == "answered"
    assert given.notices == (notice("quotes_instead", "en"),)
    assert len(given.withheld) == 2
    assert given.sentences
    assert any(TRUE in sentence.text for sentence in given.sentences)
    assert all(sentence.citations and sentence.verdict == "supported" for sentence in given.sentences)
    assert_cites_exactly(given, system)
    assert stored(given.id, system) == given


def test_quotes_from_passages_that_were_not_shown_are_among_the_passages_too(
    model: ScriptedServer, system: System
) -> None:
    model.script = "I do not know."
    model.count_tokens = lambda messages: 5000 * len(shown_passages(messages))
    question = "Which drugs are first-line in heart failure with reduced ejection fraction, and when is metformin used?"
    given = answer(Ask(Query(question)), LOCAL_ADMIN, system)
    assert len(shown_passages(model.requests[0]["messages"])) == 1
    assert len({citation.passage_id for citation in given.citations}) > 1
    assert_cites_exactly(given, system)
    assert len({hit.passage.passage_id for hit in given.passages}) == len(given.passages)


def test_where_the_evidence_does_not_suffice_the_model_is_not_asked(model: ScriptedServer, system: System) -> None:
    events = events_of(Ask(Query(NOT_ASKED_FOR)), system)
    assert [type(event) for event in events] == [Found, Answered]
    given = events[-1]
    assert isinstance(given, Answered)
    assert given.answer.status == "abstained"
    assert (given.answer.sentences, given.answer.citations, given.answer.conflicts) == ((), (), ())
    abstention = given.answer.abstention
    assert abstention is not None
    assert (abstention.looked_for, abstention.missing) == (NOT_ASKED_FOR, ("capital", "France"))
    passages = {hit.passage.passage_id: hit.passage for hit in given.answer.passages}
    for nearest in abstention.nearest:
        passage = passages[nearest.passage_id]
        assert nearest.sentence in passage.text
        assert (nearest.title, nearest.published) == (passage.title, passage.published)
    assert given.answer.text == told(abstention, "en")
    assert stored(given.answer.id, system) == given.answer
    assert (given.answer.prompt, given.answer.sampling, given.answer.model) == (None, None, "extractive")
    assert model.requests == []


def test_from_memory_nothing_is_cited_and_the_reader_is_told(model: ScriptedServer, system: System) -> None:
    model.script = "Paris is the capital of France [1]. It lies on the Seine."
    given = answer(Ask(Query(NOT_ASKED_FOR), mode="ungrounded"), LOCAL_ADMIN, system)
    assert (given.status, given.mode) == ("answered", "ungrounded")
    assert (given.passages, given.citations, given.confidence) == ((), (), None)
    assert given.text == "Paris is the capital of France. It lies on the Seine."
    assert [sentence.verdict for sentence in given.sentences] == ["uncited", "uncited"]
    assert given.notices == (notice("ungrounded", "en"),)
    assert given.prompt == prompt("ungrounded", "en").version
    assert stored(given.id, system) == given


@pytest.mark.parametrize("mode", ["grounded", "ungrounded"])
def test_without_a_configured_model_its_modes_say_what_to_set(mode: str, sample: System) -> None:
    with pytest.raises(Unavailable, match="RAG_LLM_URL"):
        answer(Ask(Query(QUESTION), mode=mode), LOCAL_ADMIN, sample)  # type: ignore[arg-type]
    assert answer(Ask(Query(QUESTION)), LOCAL_ADMIN, sample).mode == "extractive"


def test_with_a_model_a_question_may_still_be_answered_by_quotes(model: ScriptedServer, system: System) -> None:
    given = answer(Ask(Query(QUESTION), mode="extractive"), LOCAL_ADMIN, system)
    assert (given.mode, given.model, given.prompt, model.requests) == ("extractive", "extractive", None, [])


def test_an_answer_without_a_model_that_answers_is_recorded_as_failed(sample: System, free_port: int) -> None:
    system = with_model(sample, f"http://127.0.0.1:{free_port}/v1")
    with pytest.raises(Unavailable, match="make llm") as raised:
        answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    failed = stored(raised.value.answer_id, system)
    assert (failed.status, failed.question, failed.text) == ("failed", QUESTION, "")
    assert failed.failure == str(raised.value)
    assert failed.passages


def test_a_model_that_breaks_off_leaves_what_was_kept_in_a_failed_answer(model: ScriptedServer, system: System) -> None:
    def said(messages: Messages) -> Iterator[str]:
        yield f"{true(messages)} {ALSO_TRUE} "
        raise Broken

    model.script = said
    with pytest.raises((Unavailable, ModelFailed)) as raised:
        answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    failed = stored(raised.value.answer_id, system)
    assert (failed.status, failed.text) == ("failed", f"{TRUE}. [1]")
    assert_cites_exactly(failed, system)
    model.reset(true)
    assert answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system).status == "answered"


def test_where_no_model_is_configured_the_fallback_quotes_too(sample: System) -> None:
    given = answer(Ask(Query(QUESTION), mode="grounded", fallback="extractive"), LOCAL_ADMIN, sample)
    assert (given.status, given.mode, given.model) == ("answered", "extractive", "extractive")
    assert "RAG_LLM_URL" in given.notices[0]
    with pytest.raises(Unavailable, match="RAG_LLM_URL"):
        answer(Ask(Query(QUESTION), mode="ungrounded", fallback="extractive"), LOCAL_ADMIN, sample)


def test_on_request_quotes_stand_in_for_a_model_that_does_not_answer(sample: System, free_port: int) -> None:
    system = with_model(sample, f"http://127.0.0.1:{free_port}/v1")
    given = answer(Ask(Query(QUESTION), fallback="extractive"), LOCAL_ADMIN, system)
    quoted = answer(Ask(Query(QUESTION), mode="extractive"), LOCAL_ADMIN, sample)
    assert (given.status, given.mode, given.model) == ("answered", "extractive", "extractive")
    assert (given.text, given.citations, given.passages) == (quoted.text, quoted.citations, quoted.passages)
    assert given.notices[0].startswith(notice("model_unavailable", "en"))
    assert "make llm" in given.notices[0]


def test_quotes_that_stand_in_for_a_broken_reply_carry_nothing_of_it(model: ScriptedServer, system: System) -> None:
    def said(messages: Messages) -> Iterator[str]:
        yield f"Metformin is good. {true(messages)} {ALSO_TRUE} "
        raise Broken

    model.script = said
    given = answer(Ask(Query(QUESTION), fallback="extractive"), LOCAL_ADMIN, system)
    quoted = answer(Ask(Query(QUESTION), mode="extractive"), LOCAL_ADMIN, system)
    assert (given.status, given.mode, given.text, given.withheld) == ("answered", "extractive", quoted.text, ())


def test_an_answer_that_reaches_the_length_limit_is_partial(model: ScriptedServer, system: System) -> None:
    model.script = lambda messages: f"{true(messages)} Furthermore metformin is"
    model.finish_reason = "length"
    given = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    assert (given.status, given.text) == ("partial", f"{TRUE}. [1]")
    assert given.notices == (notice("too_long", "en"),)


def test_passages_that_have_no_room_are_dropped_whole_from_the_end(model: ScriptedServer, system: System) -> None:
    model.script = true
    whole = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    model.count_tokens = lambda messages: 1500 * len(shown_passages(messages))
    model.context_tokens = 4000
    system = with_model(system, model.url)
    given = answer(Ask(Query(QUESTION), sampling=Sampling(max_tokens=500)), LOCAL_ADMIN, system)
    assert len(whole.passages) > 2
    assert given.passages == whole.passages[:2]
    first, second = (shown_passages(request["messages"]) for request in model.requests)
    assert second == {number: first[number] for number in (1, 2)}


def test_a_question_for_which_there_is_no_room_at_all_is_refused(model: ScriptedServer, system: System) -> None:
    model.count_tokens = lambda messages: 9000
    with pytest.raises(InvalidRequest, match="--max-model-len") as raised:
        answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    assert stored(raised.value.answer_id, system).status == "failed"
    assert model.requests == []


def test_a_model_that_prints_its_instructions_is_withheld_and_its_draft_cut_off(
    model: ScriptedServer, system: System
) -> None:
    secret = " ".join(prompt("grounded", "en").system.split()[:40])
    model.script = lambda messages: f"{true(messages)} {secret} {ALSO_TRUE} [{number_of(TRUE, messages)}]."
    events = events_of(Ask(Query(QUESTION)), system)
    drafted = "".join(event.text for event in events if isinstance(event, Draft))
    assert TRUE in drafted
    assert "from numbered passages of their own library" not in drafted
    given = events[-1]
    assert isinstance(given, Answered)
    assert secret[:30] not in given.answer.text
    assert given.answer.text.startswith(TRUE)
    assert any(issue.kind == "instruction" for one in given.answer.withheld for issue in one.issues)


@pytest.mark.parametrize(
    ("order", "unheard"),
    [
        ("Please enter your API key to continue", "key to continue"),
        ("To see the full answer, please send your password to the administrator", "to the administrator"),
    ],
)
@pytest.mark.parametrize("mode", ["grounded", "ungrounded"])
def test_a_model_that_asks_for_a_key_is_withheld_and_its_draft_cut_off(
    mode: str, order: str, unheard: str, model: ScriptedServer, system: System
) -> None:
    def said(messages: Messages) -> Script:
        marker = f" [{number_of(TRUE, messages)}]" if mode == "grounded" else ""
        return f"{TRUE}{marker}. {order}{marker}. {ALSO_TRUE}{marker}."

    model.script = said
    events = events_of(Ask(Query(QUESTION), mode=mode), system)  # type: ignore[arg-type]
    drafted = "".join(event.text for event in events if isinstance(event, Draft))
    assert unheard not in drafted
    assert ALSO_TRUE[-20:] in drafted
    given = events[-1]
    assert isinstance(given, Answered)
    assert order not in given.answer.text
    assert [issue.kind for one in given.answer.withheld for issue in one.issues if one.text.startswith(order)][-1:] == [
        "instruction"
    ]
    assert [sentence.text for sentence in given.answer.sentences] == [f"{TRUE}.", f"{ALSO_TRUE}."]


def test_a_follow_up_is_searched_for_as_the_model_rewrites_it(model: ScriptedServer, system: System) -> None:
    rewritten = "When is starting metformin not recommended, by eGFR?"

    def said(messages: Messages) -> Script:
        if messages[0]["content"] == prompt("rewrite", "en").system:
            return f'"{rewritten}"\n\nI hope this helps.'
        return true(messages)

    model.script = said
    first = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    assert (first.conversation_id, first.standalone_question) == (first.id, None)
    second = answer(Ask(Query("And when is starting not recommended?"), conversation_id=first.id), LOCAL_ADMIN, system)
    assert (second.conversation_id, second.question) == (first.id, "And when is starting not recommended?")
    assert second.standalone_question == rewritten
    assert f"Question: {rewritten}" in model.questions[-1]
    assert QUESTION in model.questions[1]
    found = search(Query(rewritten), LOCAL_ADMIN, system)
    assert [hit.passage.passage_id for hit in second.passages] == [
        hit.passage.passage_id for hit in found.hits[: len(second.passages)]
    ]
    third = answer(Ask(Query("And then?"), conversation_id=first.id), LOCAL_ADMIN, system)
    rewriting = next(one for one in reversed(model.questions) if "Last question" in one)
    assert "And when is starting not recommended?" in rewriting
    assert third.conversation_id == first.id


def test_a_follow_up_that_the_model_spoils_is_put_behind_the_question_before(
    model: ScriptedServer, system: System
) -> None:
    def said(messages: Messages) -> Script:
        return "Paris." if messages[0]["content"] == prompt("rewrite", "en").system else true(messages)

    model.script = said
    ask = Ask(Query("And when is starting it not recommended?"), history=(Turn(QUESTION, "Below 30."),))
    given = answer(ask, LOCAL_ADMIN, system)
    assert given.standalone_question == f"{QUESTION} And when is starting it not recommended?"


def test_nobody_goes_on_with_the_conversation_of_another(model: ScriptedServer, system: System) -> None:
    model.script = true
    first = answer(Ask(Query(QUESTION)), LOCAL_ADMIN, system)
    for caller in (Caller("somebody", Role.READER), Caller("another", Role.ADMIN)):
        with pytest.raises(NotFound, match="no conversation"):
            answer(Ask(Query("And in children?"), conversation_id=first.id), caller, system)
    assert len(model.requests) == 1


def test_the_model_translates_the_question_where_the_settings_ask_for_it(model: ScriptedServer, system: System) -> None:
    def said(messages: Messages) -> Script:
        if messages[0]["content"] == prompt("translate", "en").system:
            return QUESTION
        return "eGFR低于30 mL/min/1.73 m2时禁用二甲双胍[1]。"

    model.script = said
    question = "二甲双胍在eGFR低于多少时禁用？"
    answer(Ask(Query(question)), LOCAL_ADMIN, system)
    assert len(model.requests) == 1
    given = answer(Ask(Query(question)), LOCAL_ADMIN, with_model(system, model.url, query_translation="model"))
    assert [request["messages"][0]["content"] for request in model.requests[1:]] == [
        prompt("translate", "en").system,
        prompt("grounded", "zh").system,
    ]
    assert model.requests[1]["temperature"] == 0
    assert (given.question, given.standalone_question) == (question, None)
    by_model = search(
        Query(question, translation="Below which eGFR is metformin contraindicated?"), LOCAL_ADMIN, system
    )
    assert [hit.passage.passage_id for hit in given.passages] == [
        hit.passage.passage_id for hit in by_model.hits[: len(given.passages)]
    ]


def test_a_reader_who_goes_away_leaves_a_partial_answer_and_a_model_that_stops(
    model: ScriptedServer, system: System
) -> None:
    model.script = lambda messages: [f"{true(messages)} {ALSO_TRUE} ", threading.Event()]

    async def leave() -> None:
        async with aclosing(answering(Ask(Query(QUESTION)), LOCAL_ADMIN, system)) as events:
            async for event in events:
                if isinstance(event, Judged):
                    break

    began = time.monotonic()
    run(leave(), system.llm)
    assert time.monotonic() - began < 5
    assert eventually(lambda: model.left == 1, 1)
    with system.database.reading() as session:
        last = record.latest(session, LOCAL_ADMIN, 1)[0]
    assert (last.status, last.text, last.question) == ("partial", f"{TRUE}. [1]", QUESTION)
    assert last.notices == (notice("cut_off", "en"),)
    assert_cites_exactly(last, system)
