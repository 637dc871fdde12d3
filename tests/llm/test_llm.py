"""The client of the language model against a server that breaks in every way that servers do."""

import asyncio
import logging
import random
import socket
import time
from collections.abc import AsyncGenerator, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing
from typing import Any

import pytest
from langchain_core.messages import BaseMessage, HumanMessage, SystemMessage
from pydantic import SecretStr

from llm.broken_server import CHAT, Fault, Server, serving
from rag.errors import Busy, InvalidRequest, ModelFailed, TaiyiError, Unavailable
from rag.llm import ATTEMPTS, LanguageModel, Piece, open_language_model, run
from rag.settings import Settings, read_settings
from rag.types import GREEDY, Sampling

MESSAGES: list[BaseMessage] = [SystemMessage("You answer."), HumanMessage("What is the first choice?")]
TIMEOUT_S = 0.4
BOUND_S = 20.0
KEY = "sk-not-to-be-told-0123456789"


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as opened:
        yield opened


def model_at(server: Server, **settings: Any) -> LanguageModel:
    return LanguageModel(Settings(**{"llm_url": server.url, "llm_timeout_s": TIMEOUT_S, **settings}))


def asking(llm: LanguageModel, sampling: Sampling = GREEDY) -> Coroutine[Any, Any, str]:
    return llm.complete(MESSAGES, sampling)


def answer(server: Server, **settings: Any) -> str:
    llm = model_at(server, **settings)
    return run(asking(llm), llm)


async def failure_of(work: Coroutine[Any, Any, Any]) -> TaiyiError:
    """What ``work`` fails with, within bounded time."""
    started = time.monotonic()
    with pytest.raises(TaiyiError) as caught:
        await work
    assert time.monotonic() - started < BOUND_S
    return caught.value


@pytest.mark.parametrize(
    ("fault", "kind", "says", "requests"),
    [
        (Fault.ERROR_500, Unavailable, "answered 500: look at its log. It said: EngineCore", ATTEMPTS),
        (Fault.TOO_MANY, Unavailable, "answered 429", ATTEMPTS),
        (Fault.NOT_AUTHORISED, Unavailable, "does not accept RAG_LLM_API_KEY", 1),
        (Fault.TOO_LONG, ModelFailed, "maximum context length is 8192 tokens", 1),
        (Fault.GARBAGE, ModelFailed, "is RAG_LLM_URL the address of vLLM?", 1),
        (Fault.HTML, ModelFailed, "is RAG_LLM_URL the address of vLLM?", 1),
        (Fault.HALF_JSON, ModelFailed, "is RAG_LLM_URL the address of vLLM?", 1),
        (Fault.NO_DATA, ModelFailed, "is RAG_LLM_URL the address of vLLM?", 1),
        (Fault.NULL_CHOICES, ModelFailed, "gave an empty reply", 1),
        (Fault.EMPTY_STREAM, ModelFailed, "is RAG_LLM_URL the address of vLLM?", 1),
        (Fault.ONLY_DONE, ModelFailed, "is RAG_LLM_URL the address of vLLM?", 1),
        (Fault.NO_FINISH_REASON, ModelFailed, "broke off in the middle", 1),
        (Fault.HALF_LINE, ModelFailed, "is RAG_LLM_URL the address of vLLM?", 1),
        (Fault.ERROR_IN_STREAM, Unavailable, "look at its log. It said: EngineCore died", 1),
        (Fault.DROPPED_AT_ONCE, Unavailable, "broke: ask again", ATTEMPTS),
        (Fault.DROPPED_BEFORE_FIRST, Unavailable, "broke: ask again", ATTEMPTS),
        (Fault.DROPPED_MIDWAY, Unavailable, "broke: ask again", 1),
        (Fault.HANGS, Unavailable, "said nothing for 0.4 s: look at its log", 1),
        (Fault.HANGS_AFTER_HEADERS, Unavailable, "said nothing for 0.4 s: look at its log", 1),
        (Fault.HANGS_MIDWAY, Unavailable, "said nothing for 0.4 s: look at its log", 1),
    ],
)
def test_each_fault_says_what_to_do_and_the_next_request_works(
    server: Server, fault: Fault, kind: type[TaiyiError], says: str, requests: int
) -> None:
    llm = model_at(server)

    async def broken_then_well() -> tuple[TaiyiError, str]:
        server.breaks(lasting=fault)
        error = await failure_of(asking(llm))
        assert len(server.chats) == requests
        server.breaks()
        server.model = "another-name"
        return error, await asking(llm)

    error, reply = run(broken_then_well(), llm)
    assert type(error) is kind, error
    assert says in str(error)
    assert server.url in str(error)
    assert "\n" not in str(error)
    assert reply == server.reply


@pytest.mark.parametrize("path", ["/v1/models", "/version", "/tokenize"])
@pytest.mark.parametrize(
    "fault",
    [
        Fault.ERROR_500,
        Fault.NOT_AUTHORISED,
        Fault.GARBAGE,
        Fault.HTML,
        Fault.HALF_JSON,
        Fault.DROPPED_AT_ONCE,
        Fault.HANGS,
    ],
)
def test_what_is_asked_beside_the_chat_breaks_as_plainly(server: Server, path: str, fault: Fault) -> None:
    llm = model_at(server)

    async def broken_then_well() -> int:
        server.breaks(lasting=fault, path=path)
        error = await failure_of(llm.count_tokens(MESSAGES))
        assert type(error) in (Unavailable, ModelFailed)
        assert server.url.removesuffix("/v1") in str(error)
        server.breaks(path=path)
        return await llm.count_tokens(MESSAGES)

    assert run(broken_then_well(), llm) == 7


@pytest.mark.parametrize("fault", [Fault.NO_DATA, Fault.NULL_DATA])
@pytest.mark.parametrize("path", ["/v1/models", "/tokenize"])
def test_an_object_of_something_else_is_no_model_list_and_no_count(server: Server, path: str, fault: Fault) -> None:
    llm = model_at(server)
    server.breaks(lasting=fault, path=path)
    error = run(failure_of(llm.count_tokens(MESSAGES)), llm)
    assert type(error) is ModelFailed
    assert "is RAG_LLM_URL the address of vLLM?" in str(error)


@pytest.mark.parametrize("fault", [Fault.ERROR_500, Fault.TOO_MANY, Fault.DROPPED_AT_ONCE, Fault.DROPPED_BEFORE_FIRST])
def test_a_fault_that_passes_is_not_noticed(server: Server, fault: Fault) -> None:
    server.breaks(fault, fault)
    assert answer(server) == server.reply
    assert len(server.chats) == ATTEMPTS


def test_nothing_is_asked_again_once_a_piece_has_come(server: Server) -> None:
    llm = model_at(server)
    server.breaks(Fault.DROPPED_MIDWAY)
    pieces: list[str] = []

    async def read() -> None:
        async with aclosing(llm.stream(MESSAGES, GREEDY)) as stream:
            async for piece in stream:
                pieces.append(piece.text)

    assert type(run(failure_of(read()), llm)) is Unavailable
    assert (pieces, len(server.chats)) == (["Metformin", " is"], 1)


def test_where_nothing_listens_the_error_says_what_to_start() -> None:
    with socket.socket() as taken:  # bound, so that nobody else gets the port, and not listening
        taken.bind(("127.0.0.1", 0))
        llm = LanguageModel(Settings(llm_url=f"http://127.0.0.1:{taken.getsockname()[1]}/v1"))
        error = run(failure_of(asking(llm)), llm)
    assert type(error) is Unavailable
    assert "make llm" in str(error)
    assert "'extractive'" in str(error)


def test_a_server_that_comes_back_under_another_name_is_not_noticed(server: Server) -> None:
    llm = model_at(server)

    async def before_and_after() -> list[str]:
        replies = [await asking(llm)]
        server.model = "renamed"
        replies.append(await asking(llm))
        server.model = "renamed-again"
        return [*replies, await llm.choose(MESSAGES, ["yes", "no"], GREEDY)]

    assert run(before_and_after(), llm) == [server.reply, server.reply, "no"]


def test_a_server_that_is_stopped_and_started_is_found_again() -> None:
    with serving() as first:
        llm = model_at(first)

        async def restarted() -> tuple[str, TaiyiError, str]:
            before = await asking(llm)
            first.stop()
            error = await failure_of(asking(llm))
            with serving(first.port):
                return before, error, await asking(llm)

        before, error, after = run(restarted(), llm)
    assert type(error) is Unavailable
    assert "make llm" in str(error)
    assert before == after == first.reply


def test_an_unknown_model_is_named_with_those_that_are_served(server: Server) -> None:
    error = run(failure_of(asking(llm := model_at(server, llm_model="taiyi3"))), llm)
    assert type(error) is Unavailable
    assert "serves taiyi2, not RAG_LLM_MODEL=taiyi3" in str(error)
    assert server.chats == []


def test_the_wanted_model_is_asked_for(server: Server) -> None:
    assert answer(server, llm_model="taiyi2") == server.reply
    assert server.chats[0]["model"] == "taiyi2"


@pytest.mark.parametrize("version", ["0.6.0", "0.32.0"])
def test_sampling_arrives_as_stated(server: Server, version: str) -> None:
    server.version = version
    sampling = Sampling(temperature=0.31, top_p=0.71, top_k=21, repetition_penalty=1.07, max_tokens=123, seed=42)
    llm = model_at(server)
    assert run(asking(llm, sampling), llm) == server.reply
    [body] = server.chats
    assert {name: body[name] for name in ("temperature", "top_p", "top_k", "repetition_penalty", "seed")} == {
        "temperature": 0.31,
        "top_p": 0.71,
        "top_k": 21,
        "repetition_penalty": 1.07,
        "seed": 42,
    }
    assert body["max_tokens"] == 123
    assert [(one["role"], one["content"]) for one in body["messages"]] == [
        ("system", "You answer."),
        ("user", "What is the first choice?"),
    ]


def test_a_stream_ends_with_its_reason_and_usage(server: Server) -> None:
    llm = model_at(server)

    async def read() -> list[Piece]:
        async with aclosing(llm.stream(MESSAGES, GREEDY)) as stream:
            return [piece async for piece in stream]

    pieces = run(read(), llm)
    assert "".join(piece.text for piece in pieces) == server.reply
    assert [piece.finish_reason for piece in pieces[:-1]] == [None] * (len(pieces) - 1)
    assert pieces[-1] == Piece("", "stop", {"prompt_tokens": 30, "completion_tokens": 7, "cached_tokens": 16})


@pytest.mark.parametrize(
    ("version", "field", "other"),
    [("0.6.0", "guided_choice", "structured_outputs"), ("0.32.0", "structured_outputs", "guided_choice")],
)
def test_choices_are_put_in_the_words_of_the_version(server: Server, version: str, field: str, other: str) -> None:
    server.version = version
    llm = model_at(server)
    assert run(llm.choose(MESSAGES, ["yes", "no", "maybe"], GREEDY), llm) == "maybe"
    [body] = server.chats
    assert other not in body
    assert body[field] == (["yes", "no", "maybe"] if field == "guided_choice" else {"choice": ["yes", "no", "maybe"]})
    assert body["top_k"] == GREEDY.top_k


@pytest.mark.parametrize(("version", "field"), [("0.6.0", "guided_json"), ("0.32.0", "structured_outputs")])
def test_a_schema_is_put_in_the_words_of_the_version(server: Server, version: str, field: str) -> None:
    server.version = version
    llm = model_at(server)
    schema = {"type": "object", "properties": {}}
    written = run(llm.written(MESSAGES, schema, GREEDY), llm)
    assert (written.text, written.finish_reason) == (server.reply, "stop")
    assert server.chats[0][field] == (schema if field == "guided_json" else {"json": schema})


@pytest.mark.parametrize(
    ("fault", "kind", "says"),
    [
        (Fault.OUTSIDE_CHOICES, ModelFailed, "was to say one of yes, no and said 'Metformin is"),
        (Fault.ERROR_500, Unavailable, "answered 500"),
        (Fault.GARBAGE, ModelFailed, "is RAG_LLM_URL the address of vLLM?"),
        (Fault.HTML, ModelFailed, "is RAG_LLM_URL the address of vLLM?"),
        (Fault.HALF_JSON, ModelFailed, "is RAG_LLM_URL the address of vLLM?"),
        (Fault.NULL_CHOICES, ModelFailed, "is RAG_LLM_URL the address of vLLM?"),
        (Fault.HANGS, Unavailable, "said nothing for"),
        (Fault.DROPPED_AT_ONCE, Unavailable, "broke: ask again"),
    ],
)
def test_a_choice_that_fails_is_none(server: Server, fault: Fault, kind: type[TaiyiError], says: str) -> None:
    server.breaks(lasting=fault)
    llm = model_at(server)
    error = run(failure_of(llm.choose(MESSAGES, ["yes", "no"], GREEDY)), llm)
    assert type(error) is kind
    assert says in str(error)


def test_a_choice_is_asked_for_again_where_the_fault_passes(server: Server) -> None:
    server.breaks(Fault.ERROR_500, Fault.DROPPED_AT_ONCE)
    llm = model_at(server)
    assert run(llm.choose(MESSAGES, ["yes", "no"], GREEDY), llm) == "no"


def test_requests_one_after_another_share_a_connection(server: Server) -> None:
    llm = model_at(server)

    async def several() -> None:
        for _ in range(4):
            await asking(llm)
            await llm.count_tokens(MESSAGES)
            await llm.choose(MESSAGES, ["yes", "no"], GREEDY)

    run(several(), llm)
    assert len(server.chats) == 8
    assert {one.connection for one in server.asked} == {1}


def test_the_name_and_version_are_asked_once(server: Server) -> None:
    llm = model_at(server)

    async def several() -> None:
        for _ in range(3):
            await asking(llm)

    run(several(), llm)
    assert (len(server.asked_for("/v1/models")), len(server.asked_for("/version"))) == (1, 1)


def test_reached_asks_anew(server: Server) -> None:
    llm = model_at(server)

    async def twice() -> tuple[str, str]:
        before = await llm.reached()
        server.model = "renamed"
        return before.model, (await llm.reached()).model

    assert run(twice(), llm) == ("taiyi2", "renamed")


def test_the_prefix_cache_is_counted_in_tokens(server: Server) -> None:
    llm = model_at(server)
    assert run(llm.prefix_cache(), llm) == (1280, 2351)


def test_the_key_is_sent_and_never_told(server: Server, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    llm = model_at(server, llm_api_key=SecretStr(KEY))

    async def all_that_speaks() -> list[TaiyiError]:
        await asking(llm)
        await llm.count_tokens(MESSAGES)
        errors = []
        for fault in (Fault.NOT_AUTHORISED, Fault.ERROR_500, Fault.GARBAGE, Fault.HANGS, Fault.DROPPED_AT_ONCE):
            server.breaks(lasting=fault)
            errors.append(await failure_of(asking(llm)))
        return errors

    errors = run(all_that_speaks(), llm)
    assert {one.headers["Authorization"] for one in server.asked if one.path != "/metrics"} == {f"Bearer {KEY}"}
    assert caplog.text, "the libraries log nothing: this test sees nothing"
    for told in (caplog.text, *(repr(error) for error in errors), repr(llm._settings)):
        assert KEY not in told


class _Queue:
    """Requests to a server that lets them wait, one written at a time and one waiting."""

    def __init__(self, server: Server) -> None:
        server.breaks(lasting=Fault.WAITS)
        self.server = server
        self.llm = model_at(server, llm_concurrency=1, llm_queue=1, llm_timeout_s=30)
        self.tasks: list[asyncio.Task[str]] = []

    async def add(self) -> asyncio.Task[str]:
        task = asyncio.create_task(asking(self.llm))
        self.tasks.append(task)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        return task

    async def until(self, holds: Callable[[], bool]) -> None:
        deadline = time.monotonic() + BOUND_S
        while not holds():
            assert time.monotonic() < deadline
            await asyncio.sleep(0.005)


def test_one_request_too_many_is_told_at_once(server: Server) -> None:
    queue = _Queue(server)

    async def three() -> tuple[TaiyiError, list[str]]:
        first, second = await queue.add(), await queue.add()
        await queue.until(lambda: len(server.chats) == 1)
        started = time.monotonic()
        error = await failure_of(asking(queue.llm))
        assert time.monotonic() - started < 0.2
        server.released.set()
        return error, await asyncio.gather(first, second)

    error, replies = run(three(), queue.llm)
    assert type(error) is Busy
    assert "ask again in a minute" in str(error)
    assert replies == [server.reply] * 2


def test_a_request_that_goes_away_while_waiting_frees_its_place(server: Server) -> None:
    queue = _Queue(server)

    async def replaced() -> list[str]:
        first, second = await queue.add(), await queue.add()
        await queue.until(lambda: len(server.chats) == 1)
        second.cancel()
        await asyncio.wait([second])
        third = await queue.add()
        assert not third.done()
        server.released.set()
        return await asyncio.gather(first, third)

    assert run(replaced(), queue.llm) == [server.reply] * 2


@pytest.mark.parametrize("seed", range(4))
def test_requests_cancelled_at_any_time_leave_no_place_taken(server: Server, seed: int) -> None:
    draw = random.Random(seed)
    llm = model_at(server, llm_concurrency=2, llm_queue=2, llm_timeout_s=30)

    async def coming_and_going() -> list[str]:
        tasks = []
        for _ in range(25):
            tasks.append(asyncio.create_task(asking(llm)))
            await asyncio.sleep(draw.choice([0, 0, 0.001, 0.004]))
            if draw.random() < 0.7:
                draw.choice(tasks).cancel()
        for result in await asyncio.gather(*tasks, return_exceptions=True):
            assert result == server.reply or isinstance(result, Busy | asyncio.CancelledError), result
        return await asyncio.gather(*(asking(llm) for _ in range(4)))

    assert run(coming_and_going(), llm) == [server.reply] * 4


def test_a_failed_request_frees_its_place(server: Server) -> None:
    llm = model_at(server, llm_concurrency=1, llm_queue=0)

    async def many() -> str:
        for fault in (Fault.GARBAGE, Fault.HANGS, Fault.DROPPED_MIDWAY, Fault.NOT_AUTHORISED):
            server.breaks(fault)
            await failure_of(asking(llm))
            server.breaks(fault)
            await failure_of(llm.choose(MESSAGES, ["yes"], GREEDY)) if fault is not Fault.DROPPED_MIDWAY else None
        server.breaks()
        return await asking(llm)

    assert run(many(), llm) == server.reply


@pytest.mark.parametrize("fault", [Fault.HANGS, Fault.HANGS_AFTER_HEADERS, Fault.HANGS_MIDWAY, Fault.WAITS])
def test_the_server_sees_a_cancelled_request_go(server: Server, fault: Fault) -> None:
    server.breaks(fault)
    llm = model_at(server, llm_timeout_s=30)

    async def cancelled() -> bool:
        task = asyncio.create_task(asking(llm))
        while not server.chats:
            await asyncio.sleep(0.005)
        await asyncio.sleep(0.05)
        task.cancel()
        await asyncio.wait([task])
        return await asyncio.to_thread(server.abandoned.wait, 1)

    assert run(cancelled(), llm)


def test_the_server_sees_a_stream_closed_that_is_read_no_further(server: Server) -> None:
    server.breaks(Fault.HANGS_MIDWAY)
    llm = model_at(server, llm_timeout_s=30)

    async def closed_early() -> tuple[str, bool, str]:
        stream: AsyncGenerator[Piece] = llm.stream(MESSAGES, GREEDY)
        first = await anext(stream)
        await stream.aclose()
        return first.text, await asyncio.to_thread(server.abandoned.wait, 1), await asking(llm)

    assert run(closed_early(), llm) == ("Metformin", True, server.reply)


def test_a_model_is_good_for_one_loop_after_another(server: Server) -> None:
    llm = model_at(server, llm_concurrency=1, llm_queue=0)
    assert [run(asking(llm), llm) for _ in range(3)] == [server.reply] * 3


def test_a_stream_that_nobody_closed_does_not_widen_the_limit(server: Server) -> None:
    llm = model_at(server, llm_concurrency=1, llm_queue=0)
    forgotten = []

    async def forgetful() -> None:
        forgotten.append(llm.stream(MESSAGES, GREEDY))
        await anext(forgotten[0])

    run(forgetful(), llm)
    server.breaks(lasting=Fault.WAITS)

    async def two() -> TaiyiError:
        task = asyncio.create_task(asking(llm))
        await asyncio.sleep(0.1)
        error = await failure_of(asking(llm))
        server.released.set()
        assert await task == server.reply
        return error

    assert type(run(two(), llm)) is Busy


def test_run_gives_the_result_or_the_error_and_needs_no_model() -> None:
    async def one() -> int:
        return 1

    async def fails() -> int:
        raise Unavailable("gone")

    assert run(one(), None) == 1
    with pytest.raises(Unavailable, match="gone"):
        run(fails(), None)


def test_no_address_means_no_model() -> None:
    assert open_language_model(Settings()) is None


@pytest.mark.parametrize(
    "url",
    [
        "127.0.0.1:8001/v1",
        "ftp://127.0.0.1/v1",
        "http://127.0.0.1:8001",
        "http://127.0.0.1:8001/v1/models",
        "http://127.0.0.1:8001/v1?key=1",
        "http://127.0.0.1 :8001/v1",
        "http:///v1",
        "vllm",
    ],
)
def test_an_address_that_is_none_names_the_variable(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_LLM_URL", url)
    with pytest.raises(InvalidRequest, match="RAG_LLM_URL"):
        read_settings()


@pytest.mark.parametrize("url", ["http://127.0.0.1:8001/v1", "http://127.0.0.1:8001/v1/", "https://vllm.local/x/v1"])
def test_an_address_of_the_protocol_is_taken(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_LLM_URL", url)
    assert read_settings().llm_url == url.rstrip("/")


def test_a_slash_at_the_end_of_the_address_changes_nothing(server: Server) -> None:
    llm = LanguageModel(Settings(llm_url=f"{server.url}/", llm_timeout_s=TIMEOUT_S))
    assert run(llm.count_tokens(MESSAGES), llm) == 7
    assert {"/v1/models", "/version", "/tokenize"} <= {one.path for one in server.asked}
    assert all(server.asked_for(path) == [] for path in ("//tokenize", "/v1/tokenize", CHAT))


def test_a_proxy_for_the_internet_is_not_asked(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OPENAI_PROXY", "HTTP_PROXY", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert answer(server)


def test_who_calls_from_within_a_loop_is_answered_too(server: Server) -> None:
    async def notebook() -> str:
        return answer(server)

    with ThreadPoolExecutor(1) as apart:
        assert apart.submit(lambda: asyncio.run(notebook())).result() == answer(server)
