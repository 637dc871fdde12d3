"""The language model: a vLLM server that speaks the OpenAI protocol, over one kept connection pool.

Every request waits for its turn, is tried again a few times while nothing of its answer has come, and ends at the
server when the one who asked goes away. What the server does wrong becomes an error that says what to do.
"""

import asyncio
import re
from collections.abc import AsyncGenerator, AsyncIterator, Coroutine, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, aclosing, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, TypeVar, cast

from rag.errors import Busy, ModelFailed, Unavailable
from rag.llm_faults import may_pass, said_plainly
from rag.settings import Settings
from rag.stages import pass_on
from rag.types import Sampling

if TYPE_CHECKING:
    import httpx
    from langchain_core.messages import AIMessage, AIMessageChunk, BaseMessage
    from langchain_openai import ChatOpenAI
    from tenacity import AsyncRetrying

CONTEXT_TOKENS = 8192
"""What Taiyi2 was trained for; a server that serves less says so itself."""
CONNECT_WITHIN_S = 5.0
ATTEMPTS = 3
_STRUCTURED_OUTPUTS_SINCE = (0, 11)
_CPU_CACHE = re.compile(r"^vllm:cache_config_info\{.*kv_cache_memory_bytes=\"\d", re.M)
"""Only a CPU's cache is of a size in bytes, unless a GPU's was asked for in bytes."""

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Piece:
    """A part of a text as it is written. The last one has a ``finish_reason``, ``stop`` or ``length``, and ``usage``:
    ``prompt_tokens``, ``completion_tokens`` and, where the server tells, ``cached_tokens`` of the prompt."""

    text: str
    finish_reason: str | None = None
    usage: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Served:
    """What the server serves. ``context_tokens`` is the room for prompt and answer together. ``is_on_cpu``: vLLM 0.32
    dies there of a seeded request whose prompt it reads in parts."""

    model: str
    context_tokens: int
    version: str
    is_on_cpu: bool = False


class LanguageModel:
    """Opens connections when first used. Good for one event loop at a time: ``aclose`` before the next. ``running``
    texts are being written, and ``waiting`` requests wait for their turn."""

    def __init__(self, settings: Settings) -> None:
        self.url = settings.llm_url
        self._settings = settings
        self._client: httpx.AsyncClient | None = None
        self._chat: ChatOpenAI | None = None
        self._served: Served | None = None
        self._turns = asyncio.Semaphore(settings.llm_concurrency)
        self.running = 0
        self.waiting = 0

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()
        self._client = self._chat = self._served = None
        self._turns = asyncio.Semaphore(self._settings.llm_concurrency)

    async def served(self) -> Served:
        """Asked once, and again after the server has failed: it may have come back with another model."""
        return self._served or await self.reached()

    async def reached(self) -> Served:
        """As ``served``, but asked anew: whether the server answers now."""
        with self._said_plainly():
            models = (await self._get(f"{self.url}/models"))["data"]
            wanted = self._settings.llm_model
            found = next((one for one in models if wanted in ("", one["id"])), None)
            if found is None:
                known = ", ".join(one["id"] for one in models) or "no model"
                raise Unavailable(f"The server at {self.url} serves {known}, not RAG_LLM_MODEL={wanted}")
            version = str((await self._get(f"{_root(self.url)}/version")).get("version", ""))
            tokens = min(CONTEXT_TOKENS, found.get("max_model_len") or CONTEXT_TOKENS)
        served = Served(found["id"], tokens, version, bool(_CPU_CACHE.search(await self._metrics())))
        if served != self._served:
            self._forget()
        self._served = served
        return served

    async def warmed_up(self) -> Served:
        """As ``served``, with the client's libraries loaded, which the first request would wait for."""
        await self._model()
        return await self.served()

    async def count_tokens(self, messages: Sequence["BaseMessage"]) -> int:
        """The length of a prompt by the model's own tokenizer and chat template."""
        from langchain_core.messages import convert_to_openai_messages

        body = {"model": (await self.served()).model, "messages": convert_to_openai_messages(list(messages))}
        with self._said_plainly():
            return int((await self._post(f"{_root(self.url)}/tokenize", body))["count"])

    async def stream(self, messages: Sequence["BaseMessage"], sampling: Sampling) -> AsyncGenerator[Piece]:
        """The model's reply, piece by piece. Closing the iterator, or cancelling the task that reads it, ends the
        writing at the server. Raises Unavailable, Busy and ModelFailed."""
        async with self._turn(), AsyncExitStack() as stack:
            pieces, first = await self._begun(messages, sampling, stack)
            with self._said_plainly():
                last = first
                yield first
                async for last in pieces:
                    yield last
            if last.finish_reason is None:
                self._forget()
                raise ModelFailed(f"The language model at {self.url} broke off in the middle of its answer")

    async def complete(self, messages: Sequence["BaseMessage"], sampling: Sampling) -> str:
        """The whole reply at once."""
        async with aclosing(self.stream(messages, sampling)) as pieces:
            return "".join([piece.text async for piece in pieces])

    async def choose(self, messages: Sequence["BaseMessage"], choices: Sequence[str], sampling: Sampling) -> str:
        """One of ``choices``, as ``chosen`` gives it."""
        return (await self.chosen(messages, choices, sampling)).text

    async def chosen(self, messages: Sequence["BaseMessage"], choices: Sequence[str], sampling: Sampling) -> Piece:
        """One of ``choices``, by constrained decoding. Raises ModelFailed where the server does not keep to them."""
        version = (await self.served()).version
        constraint: dict[str, Any] = {"structured_outputs": {"choice": list(choices)}}
        if _numbers(version) < _STRUCTURED_OUTPUTS_SINCE:
            constraint = {"guided_choice": list(choices)}
        reply = await self._invoked(messages, sampling, constraint)
        chosen = str(reply.text).strip()
        if chosen not in choices:
            raise ModelFailed(f"The language model was to say one of {', '.join(choices)} and said {chosen[:80]!r}")
        return Piece(chosen, "stop", _usage(reply.usage_metadata) if reply.usage_metadata else {})

    async def written(self, messages: Sequence["BaseMessage"], schema: Mapping[str, Any], sampling: Sampling) -> Piece:
        """JSON after a JSON schema, by constrained decoding; cut where ``finish_reason`` is ``length``. Raises
        Unavailable, Busy and ModelFailed."""
        constraint: dict[str, Any] = {"structured_outputs": {"json": dict(schema)}}
        if _numbers((await self.served()).version) < _STRUCTURED_OUTPUTS_SINCE:
            constraint = {"guided_json": dict(schema)}
        reply = await self._invoked(messages, sampling, constraint)
        finish_reason = str(reply.response_metadata.get("finish_reason") or "")
        return Piece(str(reply.text), finish_reason, _usage(reply.usage_metadata) if reply.usage_metadata else {})

    async def _invoked(
        self, messages: Sequence["BaseMessage"], sampling: Sampling, constraint: Mapping[str, Any]
    ) -> "AIMessage":
        arguments = _arguments(sampling)
        arguments["extra_body"] |= constraint
        async with self._turn():
            with self._said_plainly():
                async for attempt in self._tries():
                    with attempt:
                        reply = await (await self._model()).ainvoke(list(messages), **arguments)
        return reply

    async def prefix_cache(self) -> tuple[int, int]:
        """``(hits, queries)`` of vLLM's prefix cache in tokens since it was started, zeros where it does not say."""
        metrics = await self._metrics()
        hits, queries = (
            sum(float(value) for value in re.findall(rf"^vllm:prefix_cache_{name}_total\{{.*\}} (\S+)$", metrics, re.M))
            for name in ("hits", "queries")
        )
        return int(hits), int(queries)

    async def _metrics(self) -> str:
        """The server's own figures, empty where it gives none."""
        with self._said_plainly():
            response = await self._http().get(f"{_root(self.url)}/metrics")
        return response.text if response.is_success else ""

    async def _begun(
        self, messages: Sequence["BaseMessage"], sampling: Sampling, stack: AsyncExitStack
    ) -> tuple[AsyncGenerator[Piece], Piece]:
        """The reply and its first piece. Until that has come, a request may be sent again."""
        with self._said_plainly():
            async for attempt in self._tries():
                with attempt:
                    pieces = self._pieces(messages, sampling)
                    stack.push_async_callback(pieces.aclose)
                    first = await anext(pieces, None)
        if first is None:
            raise ModelFailed(f"The language model at {self.url} gave an empty reply")
        return pieces, first

    def _tries(self) -> "AsyncRetrying":
        from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_exponential, wait_random

        return AsyncRetrying(
            retry=retry_if_exception(may_pass),
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_exponential(multiplier=0.1, max=2.0) + wait_random(0, 0.2),
            before_sleep=lambda _: self._forget(),
            reraise=True,
        )

    async def _pieces(self, messages: Sequence["BaseMessage"], sampling: Sampling) -> AsyncGenerator[Piece]:
        model = await self._model()
        streamed = cast("AsyncGenerator[AIMessageChunk]", model.astream(list(messages), **_arguments(sampling)))
        async with aclosing(streamed) as chunks:
            reason: str | None = None
            usage: dict[str, int] = {}
            async for chunk in chunks:
                reason = chunk.response_metadata.get("finish_reason", reason)
                usage = _usage(chunk.usage_metadata) if chunk.usage_metadata else usage
                if chunk.text:
                    yield Piece(str(chunk.text))
            if reason:
                yield Piece("", reason, usage)

    async def _model(self) -> "ChatOpenAI":
        if self._chat is None:
            from langchain_openai import ChatOpenAI

            served = await self.served()
            self._chat = ChatOpenAI(
                model=served.model,
                base_url=self.url,
                api_key=self._key,
                http_async_client=self._http(),
                timeout=self._timeout,  # none given would mean none at all
                openai_proxy=None,  # nothing from outside goes in between
                max_retries=0,
                stream_usage=True,
                stream_chunk_timeout=None,
            )
        return self._chat

    @property
    def _key(self) -> Any:
        from pydantic import SecretStr

        return self._settings.llm_api_key if self._settings.llm_api_key.get_secret_value() else SecretStr("none")

    @property
    def _timeout(self) -> "httpx.Timeout":
        import httpx

        return httpx.Timeout(self._settings.llm_timeout_s, connect=CONNECT_WITHIN_S)

    def _http(self) -> "httpx.AsyncClient":
        """Straight to the server: an institution's proxy is for the internet."""
        if self._client is None:
            import httpx

            self._client = httpx.AsyncClient(
                timeout=self._timeout,
                limits=httpx.Limits(max_connections=self._settings.llm_concurrency + 8),
                trust_env=False,
                event_hooks={"request": [pass_on]},
            )
        return self._client

    async def _get(self, url: str) -> Any:
        return await self._json("GET", url)

    async def _post(self, url: str, body: Any) -> Any:
        return await self._json("POST", url, body)

    async def _json(self, method: str, url: str, body: Any = None) -> Any:
        with self._said_plainly():
            key = self._key.get_secret_value()
            response = await self._http().request(method, url, json=body, headers={"authorization": f"Bearer {key}"})
            response.raise_for_status()
            found = response.json()
            if not isinstance(found, dict):
                raise ValueError(f"no object: {response.text[:80]!r}")
            return found

    @asynccontextmanager
    async def _turn(self) -> AsyncIterator[None]:
        """Waits until fewer than the permitted number of texts are being written."""
        if self._turns.locked() and self.waiting >= self._settings.llm_queue:
            raise Busy(
                f"The language model is writing {self._settings.llm_concurrency} texts and {self.waiting} more "
                "requests wait: ask again in a minute"
            )
        turns = self._turns  # another one after aclose
        self.waiting += 1
        try:
            await turns.acquire()
        finally:
            self.waiting -= 1
        self.running += 1
        try:
            yield
        finally:
            self.running -= 1
            turns.release()

    @contextmanager
    def _said_plainly(self) -> Iterator[None]:
        try:
            with said_plainly(self.url, self._settings.llm_timeout_s):
                yield
        except (Unavailable, ModelFailed):
            self._forget()
            raise

    def _forget(self) -> None:
        self._served = self._chat = None


def run(work: Coroutine[Any, Any, Result], llm: LanguageModel | None) -> Result:
    """What ``work`` gives, for a caller that cannot wait for it; the model's connections end with it. Where an event
    loop runs already, as in a notebook, it runs in a thread of its own."""

    async def closed_after() -> Result:
        try:
            return await work
        finally:
            if llm is not None:
                await llm.aclose()

    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(closed_after())
    with ThreadPoolExecutor(1, "apart from the loop") as apart:
        return apart.submit(asyncio.run, closed_after()).result()


def open_language_model(settings: Settings) -> LanguageModel | None:
    """None where no model is configured."""
    return LanguageModel(settings) if settings.llm_url else None


def _arguments(sampling: Sampling) -> dict[str, Any]:
    """As the chat model takes them; what OpenAI's protocol does not know goes beside it."""
    return {
        "temperature": sampling.temperature,
        "top_p": sampling.top_p,
        **({} if sampling.seed is None else {"seed": sampling.seed}),
        "extra_body": {
            "max_tokens": sampling.max_tokens,  # the chat model would send the name that older servers do not know
            "top_k": sampling.top_k,
            "repetition_penalty": sampling.repetition_penalty,
        },
    }


def _root(url: str) -> str:
    return url.removesuffix("/v1")


def _numbers(version: str) -> tuple[int, ...]:
    """``(major, minor)``; of a version that says none, the newest there could be."""
    found = re.match(r"(\d+)\.(\d+)", version)
    return (int(found[1]), int(found[2])) if found else (999,)


def _usage(said: Any) -> dict[str, int]:
    usage = {"prompt_tokens": said["input_tokens"], "completion_tokens": said["output_tokens"]}
    if "cache_read" in (said.get("input_token_details") or {}):
        usage["cached_tokens"] = said["input_token_details"]["cache_read"]
    return usage
