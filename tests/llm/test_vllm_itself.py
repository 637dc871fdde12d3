"""What the project relies on in vLLM, tried on vLLM itself, without any code of the project between."""

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from vllm_server import INSTALLED, NOT_INSTALLED, VllmServer

pytest_plugins = ["vllm_fixtures"]

CONTEXT_TOKENS = 8192
CACHE_BLOCK_TOKENS = 128
CAPITAL = [{"role": "user", "content": "What is the capital of France?"}]
FEVER = [{"role": "user", "content": "Does aspirin reduce fever? Answer yes, no or maybe."}]


@pytest.fixture(scope="module")
def client(vllm: VllmServer) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=vllm.root, timeout=120) as opened:
        yield opened


def chat(client: httpx.Client, messages: list[dict[str, str]], **options: Any) -> httpx.Response:
    body = {"model": "smollm2", "messages": messages, "temperature": 0, "seed": 1, "max_tokens": 16, **options}
    return client.post("/v1/chat/completions", json=body)


def reply(client: httpx.Client, messages: list[dict[str, str]], **options: Any) -> dict[str, Any]:
    """The only choice of a completion that went well."""
    response = chat(client, messages, **options)
    assert response.status_code == 200, response.text
    [choice] = response.json()["choices"]
    return choice


def count_tokens(client: httpx.Client, messages: list[dict[str, str]]) -> int:
    return client.post("/tokenize", json={"model": "smollm2", "messages": messages}).json()["count"]


def events(response: httpx.Response) -> Iterator[dict[str, Any]]:
    """The chunks of a streamed completion, up to ``[DONE]``."""
    for line in response.iter_lines():
        data = line.removeprefix("data: ")
        if data == "[DONE]":
            return
        if data:
            yield json.loads(data)
    raise AssertionError("the stream ended without [DONE]")


def wait_until_idle(vllm: VllmServer, within_s: float) -> None:
    deadline = time.monotonic() + within_s
    while running := vllm.metric("vllm:num_requests_running"):
        assert time.monotonic() < deadline, f"{running:.0f} requests still run"
        time.sleep(0.02)


def test_it_says_what_it_is_and_what_it_serves(client: httpx.Client) -> None:
    assert client.get("/health").status_code == 200
    assert client.get("/version").json()["version"].split(".")[0].isdigit()
    [model] = client.get("/v1/models").json()["data"]
    assert (model["id"], model["max_model_len"]) == ("smollm2", CONTEXT_TOKENS)


def test_the_length_of_a_prompt_is_counted_by_its_own_tokenizer_and_template(client: httpx.Client) -> None:
    counted = client.post("/tokenize", json={"model": "smollm2", "messages": CAPITAL}).json()
    assert counted["max_model_len"] == CONTEXT_TOKENS
    assert counted["count"] == len(counted["tokens"])
    assert chat(client, CAPITAL, max_tokens=1).json()["usage"]["prompt_tokens"] == counted["count"]
    too_long = [{"role": "user", "content": "word " * 9000}]
    assert count_tokens(client, too_long) > 9000  # counted, though it would not be answered


def test_control_tokens_in_a_message_are_obeyed(client: httpx.Client) -> None:
    """Why the words of a document have to be made harmless before they are shown to the model."""
    tokens = client.post("/tokenize", json={"prompt": "a<|im_end|>", "return_token_strs": True}).json()
    assert tokens["token_strs"] == ["a", "<|im_end|>"]


def test_a_chat_is_answered_with_reason_and_usage(client: httpx.Client) -> None:
    response = chat(client, CAPITAL).json()
    [choice] = response["choices"]
    assert "Paris" in choice["message"]["content"]
    assert choice["finish_reason"] == "stop"
    usage = response["usage"]
    assert usage["total_tokens"] == usage["prompt_tokens"] + usage["completion_tokens"]
    assert reply(client, CAPITAL, max_tokens=2)["finish_reason"] == "length"


def test_taiyi2s_sampling_is_accepted_and_a_seed_repeats_it(client: httpx.Client) -> None:
    sampling = {"temperature": 0.3, "top_p": 0.7, "top_k": 20, "repetition_penalty": 1.05, "presence_penalty": 0.1}
    first, second = (reply(client, FEVER, seed=7, **sampling)["message"]["content"] for _ in range(2))
    assert first == second != ""


def test_a_stream_ends_with_its_usage(client: httpx.Client) -> None:
    body = {"model": "smollm2", "messages": CAPITAL, "temperature": 0, "max_tokens": 16, "stream": True}
    with client.stream(
        "POST", "/v1/chat/completions", json={**body, "stream_options": {"include_usage": True}}
    ) as response:
        assert response.headers["content-type"].startswith("text/event-stream")
        *written, last = events(response)
    assert written[0]["choices"][0]["delta"]["role"] == "assistant"
    text = "".join(chunk["choices"][0]["delta"].get("content") or "" for chunk in written)
    assert text == reply(client, CAPITAL)["message"]["content"]
    assert [chunk["choices"][0]["finish_reason"] for chunk in written] == [None] * (len(written) - 1) + ["stop"]
    assert last["choices"] == []
    assert last["usage"]["prompt_tokens"] == count_tokens(client, CAPITAL)


def test_each_token_comes_with_its_probability_and_the_alternatives(client: httpx.Client) -> None:
    tokens = reply(client, CAPITAL, logprobs=True, top_logprobs=3, max_tokens=4)["logprobs"]["content"]
    assert len(tokens) == 4
    for token in tokens:
        best = token["top_logprobs"][0]
        assert len(token["top_logprobs"]) == 3
        assert (best["token"], best["logprob"]) == (token["token"], token["logprob"])  # greedy
        assert token["logprob"] <= 0


@pytest.mark.parametrize("choices", [["yes", "no", "maybe"], ["甲", "乙"], ["A", "B", "C", "D"]])
def test_structured_outputs_keep_to_the_choices(client: httpx.Client, choices: list[str]) -> None:
    chosen = reply(client, FEVER, structured_outputs={"choice": choices})
    assert chosen["message"]["content"] in choices
    assert chosen["finish_reason"] == "stop"


def test_structured_outputs_keep_to_a_schema(client: httpx.Client) -> None:
    properties = {"answer": {"enum": ["yes", "no"]}, "sure": {"type": "boolean"}}
    schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
    written = json.loads(reply(client, FEVER, structured_outputs={"json": schema}, max_tokens=40)["message"]["content"])
    assert written["answer"] in ("yes", "no")
    assert isinstance(written["sure"], bool)


def test_the_older_guided_choice_is_ignored_without_a_word(client: httpx.Client) -> None:
    """Why the version decides which of the two is sent: no error tells them apart."""
    answered = reply(client, FEVER, guided_choice=["甲", "乙"])
    assert answered["message"]["content"] not in ("甲", "乙")


def test_what_two_prompts_begin_with_is_read_once(client: httpx.Client, vllm: VllmServer) -> None:
    def ask(question: str) -> int:
        beginning = " ".join(f"Passage {number} is about topic {number}." for number in range(16))
        messages = [{"role": "system", "content": beginning}, {"role": "user", "content": question}]
        assert count_tokens(client, messages) > CACHE_BLOCK_TOKENS
        return chat(client, messages, max_tokens=1).json()["usage"]["prompt_tokens_details"]["cached_tokens"]

    queries, hits = (vllm.metric(f"vllm:prefix_cache_{name}_total") for name in ("queries", "hits"))
    assert [ask("First?"), ask("Second?")] == [0, CACHE_BLOCK_TOKENS]
    assert vllm.metric("vllm:prefix_cache_hits_total") == hits + CACHE_BLOCK_TOKENS
    assert vllm.metric("vllm:prefix_cache_queries_total") > queries + 2 * CACHE_BLOCK_TOKENS


@pytest.mark.parametrize("stream", [False, True])
def test_a_prompt_that_is_too_long_is_refused_before_anything_is_written(client: httpx.Client, stream: bool) -> None:
    response = chat(client, [{"role": "user", "content": "word " * 9000}], stream=stream)
    assert response.status_code == 400
    error = response.json()["error"]
    assert (error["type"], error["code"], error["param"]) == ("BadRequestError", 400, "input_tokens")
    assert "maximum context length is 8192 tokens" in error["message"]


def test_more_tokens_than_fit_may_be_asked_for(client: httpx.Client) -> None:
    assert reply(client, CAPITAL, max_tokens=CONTEXT_TOKENS)["finish_reason"] == "stop"


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        ({"model": "taiyi2"}, 404, "`taiyi2` does not exist"),
        ({"temperature": -1}, 400, "temperature must be non-negative"),
        ({"structured_outputs": {"choice": []}}, 400, "cannot be an empty list"),
        ({"max_tokens": "many"}, 400, "validation error"),
    ],
)
def test_an_error_is_an_object_with_a_message(
    client: httpx.Client, options: dict[str, Any], status: int, words: str
) -> None:
    response = client.post("/v1/chat/completions", json={"model": "smollm2", "messages": CAPITAL, **options})
    assert response.status_code == status
    assert words in response.json()["error"]["message"]


def test_closing_a_stream_ends_the_writing(client: httpx.Client, vllm: VllmServer) -> None:
    body = {"model": "smollm2", "messages": CAPITAL, "max_tokens": 4000, "stream": True, "ignore_eos": True}
    with client.stream("POST", "/v1/chat/completions", json=body) as response:
        chunks = events(response)
        for _ in range(3):
            next(chunks)
        assert vllm.metric("vllm:num_requests_running") == 1
    wait_until_idle(vllm, within_s=2)


def test_giving_up_on_a_reply_ends_the_writing(client: httpx.Client, vllm: VllmServer) -> None:
    body = {"model": "smollm2", "messages": CAPITAL, "max_tokens": 4000, "ignore_eos": True}
    with pytest.raises(httpx.ReadTimeout):
        client.post("/v1/chat/completions", json=body, timeout=1)
    wait_until_idle(vllm, within_s=2)


def test_a_paused_server_hangs_and_then_goes_on(vllm: VllmServer) -> None:
    vllm.pause()
    try:
        with pytest.raises(httpx.ReadTimeout):
            httpx.get(f"{vllm.url}/models", timeout=1)
    finally:
        vllm.resume()
    assert httpx.get(f"{vllm.url}/models", timeout=30).status_code == 200


def test_taiyi2s_architecture_loads_and_answers_and_dies_whole(tmp_path: Path) -> None:
    """ChatGLM with weights at random: what it says means nothing."""
    if not INSTALLED.exists():
        pytest.skip(NOT_INSTALLED)
    with VllmServer(tmp_path / "vllm.log", "--load-format", "dummy", model="tiny-chatglm") as server:
        with httpx.Client(base_url=server.root, timeout=120) as client:
            response = chat(client, FEVER, model="tiny-chatglm", ignore_eos=True)
            assert response.json()["usage"]["completion_tokens"] == 16, response.text
            choices = {"choice": ["yes", "no"]}
            chosen = chat(client, FEVER, model="tiny-chatglm", structured_outputs=choices).json()["choices"][0]
            assert chosen["message"]["content"] in ("yes", "no")
            body = {"model": "tiny-chatglm", "messages": FEVER, "max_tokens": 4000, "stream": True, "ignore_eos": True}
            with client.stream("POST", "/v1/chat/completions", json=body) as response:
                chunks = events(response)
                next(chunks)
                server.kill()
                with pytest.raises((httpx.RemoteProtocolError, httpx.ReadError)):
                    list(chunks)
        with pytest.raises(httpx.ConnectError):
            httpx.get(f"{server.root}/health", timeout=5)
