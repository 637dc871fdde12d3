"""The OpenAI protocol as its own clients speak it."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import openai
import pytest
from langchain_openai import ChatOpenAI
from openai import OpenAI
from scripted_server import Broken, Messages, Script, Service, number_of

from conftest import start_server
from rag.prompts import prompt

pytest_plugins = ["service_fixtures"]

QUESTION = "Below which eGFR is metformin contraindicated?"
TRUE = "Metformin is contraindicated when the eGFR is below 30 mL/min/1.73 m2"
ALSO_TRUE = "Starting metformin is not recommended when the eGFR is between 30 and 45 mL/min/1.73 m2"
KEPT = f"{TRUE}. [1]"
ASKED: list[Any] = [{"role": "user", "content": QUESTION}]


@pytest.fixture
def client(service: Service) -> Iterator[OpenAI]:
    with OpenAI(base_url=f"{service.url}/v1", api_key="none", max_retries=0) as opened:
        yield opened


def true(messages: Messages) -> str:
    return f"{TRUE} [{number_of(TRUE, messages)}]."


def mixed(messages: Messages) -> Script:
    """Two sentences that hold, and between them one that does not and one without a source."""
    one = number_of(TRUE, messages)
    return f"{true(messages)} Metformin is given below 20 mL/min/1.73 m2 [{one}]. Ask again. {ALSO_TRUE} [{one}]."


def stored(service: Service, answer_id: str) -> dict[str, Any]:
    return httpx.get(f"{service.url}/v1/answers/{answer_id}").json()


def test_the_models_are_the_modes(client: OpenAI) -> None:
    names = [model.id for model in client.models.list()]
    assert names == ["taiyi-rag", "taiyi-rag-grounded", "taiyi-rag-ungrounded", "taiyi-rag-extractive"]
    assert client.models.retrieve("taiyi-rag").owned_by == "taiyi-rag"
    with pytest.raises(openai.NotFoundError, match="no model 'gpt-4'"):
        client.models.retrieve("gpt-4")


def test_a_completion_has_the_checked_answer_and_its_citations(client: OpenAI, service: Service) -> None:
    service.model.reset(mixed)
    given = client.chat.completions.create(model="taiyi-rag", messages=ASKED)
    assert given.object == "chat.completion"
    assert given.model == "taiyi-rag"
    assert given.choices[0].finish_reason == "stop"
    assert given.choices[0].message.role == "assistant"
    assert given.choices[0].message.content == f"{KEPT} {ALSO_TRUE}. [2]"
    assert given.usage is not None
    assert given.usage.total_tokens == given.usage.prompt_tokens + given.usage.completion_tokens > 0
    assert given.usage.prompt_tokens_details is not None
    assert given.usage.prompt_tokens_details.cached_tokens == 128
    assert given.model_extra is not None
    answer = stored(service, given.model_extra["answer"]["id"])
    assert (answer["text"], answer["citations"]) == (given.choices[0].message.content, given.model_extra["citations"])
    assert [citation["marker"] for citation in answer["citations"][:2]] == [1, 2]
    assert TRUE in given.model_extra["citations"][0]["quote"]
    assert given.model_extra["answer"]["status"] == "answered"


@pytest.mark.parametrize("with_usage", [False, True])
def test_a_stream_has_only_checked_sentences_and_ends_with_the_citations(
    with_usage: bool, client: OpenAI, service: Service
) -> None:
    service.model.reset(mixed)
    options: Any = {"stream_options": {"include_usage": True}} if with_usage else {}
    chunks = list(client.chat.completions.create(model="taiyi-rag", messages=ASKED, stream=True, **options))
    deltas = [chunk.choices[0].delta.content or "" for chunk in chunks if chunk.choices]
    assert [delta for delta in deltas if delta] == [KEPT, f" {ALSO_TRUE}. [2]"]
    assert chunks[0].choices[0].delta.role == "assistant"
    reasons = [chunk.choices[0].finish_reason for chunk in chunks if chunk.choices]
    assert reasons == [None] * (len(reasons) - 1) + ["stop"]
    last = chunks[-1]
    assert last.model_extra is not None
    answer = stored(service, last.model_extra["answer"]["id"])
    assert (answer["text"], answer["citations"]) == ("".join(deltas), last.model_extra["citations"])
    assert len(answer["withheld"]) == 2
    assert (last.usage is not None, last.choices == []) == (with_usage, with_usage)
    assert len({chunk.id for chunk in chunks}) == 1
    assert not any("citations" in (chunk.model_extra or {}) for chunk in chunks[:-1])


def test_a_stream_ends_with_the_protocols_own_mark(service: Service) -> None:
    service.model.reset(true)
    body = {"model": "taiyi-rag", "messages": ASKED, "stream": True}
    lines = httpx.post(f"{service.url}/v1/chat/completions", json=body).text.strip().split("\n\n")
    assert lines[-1] == "data: [DONE]"
    assert "citations" in json.loads(lines[-2].removeprefix("data: "))


@pytest.mark.parametrize("question", [QUESTION, "What is the capital of France?"])
@pytest.mark.parametrize("model", ["taiyi-rag", "taiyi-rag-extractive"])
def test_quotes_and_abstentions_stream_whole_as_well(
    model: str, question: str, client: OpenAI, service: Service
) -> None:
    service.model.reset("I would not know.")
    asked: list[Any] = [{"role": "user", "content": question}]
    chunks = list(client.chat.completions.create(model=model, messages=asked, stream=True))
    said = "".join(chunk.choices[0].delta.content or "" for chunk in chunks)
    extra = chunks[-1].model_extra
    assert extra is not None
    answer = stored(service, extra["answer"]["id"])
    assert said == answer["text"] != ""
    assert answer["status"] == ("answered" if question == QUESTION else "abstained")


def test_an_answer_that_reaches_the_length_limit_says_so(client: OpenAI, service: Service) -> None:
    service.model.reset(true)
    service.model.finish_reason = "length"
    given = client.chat.completions.create(model="taiyi-rag", messages=ASKED)
    assert given.choices[0].finish_reason == "length"


def test_what_the_client_states_of_the_drawing_reaches_the_model(client: OpenAI, service: Service) -> None:
    service.model.reset(true)
    client.chat.completions.create(
        model="taiyi-rag", messages=ASKED, temperature=0.9, top_p=0.5, max_completion_tokens=77, seed=11
    )
    body = service.model.requests[0]
    assert [body[name] for name in ("temperature", "top_p", "max_tokens", "seed")] == [0.9, 0.5, 77, 11]


def test_a_follow_up_is_rewritten_before_the_search(client: OpenAI, service: Service) -> None:
    rewritten = "When is starting metformin not recommended, by eGFR?"

    def said(messages: Messages) -> Script:
        return rewritten if messages[0]["content"] == prompt("rewrite", "en").system else mixed(messages)

    service.model.reset(said)
    turns: list[Any] = [
        {"role": "system", "content": "Answer as a pirate."},
        *ASKED,
        {"role": "assistant", "content": KEPT},
        {"role": "user", "content": "And when is starting not recommended?"},
    ]
    given = client.chat.completions.create(model="taiyi-rag", messages=turns)
    assert given.model_extra is not None
    answer = stored(service, given.model_extra["answer"]["id"])
    assert answer["question"] == "And when is starting not recommended?"
    assert answer["standalone_question"] == rewritten
    rewriting, grounded = service.model.questions
    assert QUESTION in rewriting
    assert KEPT in rewriting
    assert rewritten in grounded
    assert "pirate" not in json.dumps(service.model.requests)


def test_text_parts_are_read_and_unknown_fields_ignored(client: OpenAI, service: Service) -> None:
    service.model.reset(true)
    parts: list[Any] = [{"role": "user", "content": [{"type": "text", "text": QUESTION}]}]
    given = client.chat.completions.create(
        model="taiyi-rag", messages=parts, user="somebody", n=1, extra_body={"nonsense": {"a": 1}}
    )
    assert given.choices[0].message.content == KEPT


def test_fields_of_a_search_may_stand_beside_the_protocols(client: OpenAI, service: Service) -> None:
    service.model.reset(true)
    found = {"collections": ["default"], "filters": {"language": "en"}, "top_k": 2}
    given = client.chat.completions.create(model="taiyi-rag", messages=ASKED, extra_body=found)
    assert given.model_extra is not None
    passages = stored(service, given.model_extra["answer"]["id"])["passages"]
    assert len(passages) <= 2
    assert {passage["language"] for passage in passages} == {"en"}
    with pytest.raises(openai.NotFoundError, match="nowhere"):
        client.chat.completions.create(model="taiyi-rag", messages=ASKED, extra_body={"collections": ["nowhere"]})


TOOL = {"type": "function", "function": {"name": "f", "parameters": {}}}
PICTURE = {"type": "image_url", "image_url": {"url": "data:image/png;base64,AA"}}


@pytest.mark.parametrize(
    ("wrong", "named"),
    [
        ({"n": 2}, "n may be"),
        ({"tools": [TOOL]}, "tools may be"),
        ({"response_format": {"type": "json_object"}}, "response_format may be"),
        ({"logprobs": True}, "logprobs may be"),
        ({"stop": ["."]}, "stop may be"),
        ({"messages": [{"role": "user", "content": [PICTURE]}]}, "only text"),
        ({"messages": []}, "messages"),
        ({"messages": [{"role": "user", "content": "  "}]}, "last message is the question"),
        ({"messages": [*ASKED, {"role": "assistant", "content": "Yes."}]}, "last message is the question"),
        ({"messages": [{"role": "user", "content": "a" * 4001}]}, "longer than 4000"),
        ({"temperature": 3}, "temperature"),
    ],
)
@pytest.mark.parametrize("stream", [False, True])
def test_what_is_not_offered_is_refused_by_name(stream: bool, wrong: Any, named: str, client: OpenAI) -> None:
    asked = {"model": "taiyi-rag", "messages": ASKED, "stream": stream, **wrong}
    with pytest.raises(openai.BadRequestError, match=named) as refused:
        client.chat.completions.create(**asked)
    assert refused.value.type == "invalid_request_error"
    assert refused.value.body["request_id"] == refused.value.request_id  # type: ignore[index]


def test_an_unknown_model_is_not_found(client: OpenAI) -> None:
    with pytest.raises(openai.NotFoundError, match="there are taiyi-rag, taiyi-rag-grounded"):
        client.chat.completions.create(model="gpt-4", messages=ASKED)


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_without_room_is_refused_before_anything_is_said(
    stream: bool, client: OpenAI, service: Service
) -> None:
    service.model.reset(true)
    service.model.count_tokens = lambda messages: 9000
    with pytest.raises(openai.BadRequestError, match="ask more briefly"):
        client.chat.completions.create(model="taiyi-rag", messages=ASKED, stream=stream)


def test_a_failure_in_the_middle_of_a_stream_reaches_the_client(client: OpenAI, service: Service) -> None:
    def breaks(messages: Messages) -> Script:
        yield f"{true(messages)} {ALSO_TRUE} "
        raise Broken

    service.model.reset(breaks)
    said = ""
    with pytest.raises(openai.APIError, match="language model") as failed:
        for chunk in client.chat.completions.create(model="taiyi-rag", messages=ASKED, stream=True):
            said += chunk.choices[0].delta.content or ""
    assert said == KEPT
    body: Any = failed.value.body
    assert stored(service, body["answer_id"])["status"] == "failed"
    service.model.reset(breaks)
    with pytest.raises(openai.InternalServerError, match="language model"):
        client.chat.completions.create(model="taiyi-rag", messages=ASKED)


def test_langchain_reads_answers_and_streams(service: Service) -> None:
    service.model.reset(mixed)
    chat = ChatOpenAI(model="taiyi-rag", base_url=f"{service.url}/v1", api_key="none", max_retries=0)  # type: ignore[arg-type]
    text = f"{KEPT} {ALSO_TRUE}. [2]"
    whole = chat.invoke(QUESTION)
    assert whole.text == text
    assert whole.usage_metadata is not None
    assert whole.usage_metadata["input_token_details"] == {"cache_read": 128}
    assert "".join(str(chunk.text) for chunk in chat.stream(QUESTION)) == text
    follow_up = [("human", QUESTION), ("ai", text), ("human", QUESTION)]
    assert chat.invoke(follow_up).text == text


def test_without_a_language_model_there_are_quotes(sample_copy: Path, free_port: int) -> None:
    server = start_server(sample_copy, free_port)
    try:
        with OpenAI(base_url=f"http://127.0.0.1:{free_port}/v1", api_key="none", max_retries=0) as client:
            assert [model.id for model in client.models.list()] == ["taiyi-rag", "taiyi-rag-extractive"]
            for model in ("taiyi-rag", "taiyi-rag-extractive"):
                given = client.chat.completions.create(model=model, messages=ASKED)
                assert TRUE in (given.choices[0].message.content or "")
                assert given.model_extra is not None
                assert given.model_extra["citations"]
            with pytest.raises(openai.InternalServerError, match="RAG_LLM_URL"):
                client.chat.completions.create(model="taiyi-rag-grounded", messages=ASKED)
    finally:
        server.terminate()
        server.wait(30)
