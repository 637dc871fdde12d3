"""A server on this machine that speaks as much of vLLM's protocol as a client needs, and breaks it as it is told."""

import json
import select
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.message import Message
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from socket import SHUT_RDWR, socket
from threading import Event, Lock, Thread
from typing import Any

CHAT = "/v1/chat/completions"
CONTEXT_TOKENS = 8192
LONGEST_HANG_S = 20


class Fault(StrEnum):
    """What is wrong with one reply; the hanging ones last until the client goes away or the server is released."""

    NONE = "none"
    ERROR_500 = "500"
    TOO_MANY = "429"
    NOT_AUTHORISED = "401"
    TOO_LONG = "over-long prompt"
    GARBAGE = "garbage bytes"
    HTML = "html"
    HALF_JSON = "half a json"
    NULL_CHOICES = "null choices"
    NO_DATA = "an object of something else"
    NULL_DATA = "an object that says null"
    EMPTY_STREAM = "empty stream"
    ONLY_DONE = "nothing but the end"
    NO_FINISH_REASON = "no finish reason"
    HALF_LINE = "half a line"
    ERROR_IN_STREAM = "an error in the stream"
    DROPPED_AT_ONCE = "dropped at once"
    DROPPED_BEFORE_FIRST = "dropped before the first piece"
    DROPPED_MIDWAY = "dropped midway"
    HANGS = "hangs"
    HANGS_AFTER_HEADERS = "hangs after the headers"
    HANGS_MIDWAY = "hangs midway"
    WAITS = "waits until released, then answers well"
    OUTSIDE_CHOICES = "a reply outside the choices"


@dataclass(frozen=True)
class Asked:
    method: str
    path: str
    headers: Message
    body: dict[str, Any]
    connection: int


@dataclass
class Server:
    """What is served and how it breaks. ``faults`` are used up one a request to the path, then ``lasting`` holds.

    ``abandoned`` is set when a client closed its connection while a reply to it was hanging or waiting; ``released``
    ends all hanging and waiting."""

    port: int = 0
    model: str = "taiyi2"
    version: str = "0.32.0"
    reply: str = "Metformin is the first choice [1]."
    faults: dict[str, list[Fault]] = field(default_factory=dict)
    lasting: dict[str, Fault] = field(default_factory=dict)
    asked: list[Asked] = field(default_factory=list)
    abandoned: Event = field(default_factory=Event)
    released: Event = field(default_factory=Event)
    connections: int = 0
    lock: Lock = field(default_factory=Lock)
    stop: Callable[[], None] = lambda: None
    """Ends the server and its connections, also at the end of ``serving``."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def breaks(self, *faults: Fault, lasting: Fault = Fault.NONE, path: str = CHAT) -> None:
        self.faults[path], self.lasting[path] = list(faults), lasting

    def asked_for(self, path: str) -> list[Asked]:
        return [one for one in self.asked if one.path == path]

    @property
    def chats(self) -> list[dict[str, Any]]:
        return [one.body for one in self.asked_for(CHAT)]

    def next_fault(self, path: str) -> Fault:
        with self.lock:
            return self.faults[path].pop(0) if self.faults.get(path) else self.lasting.get(path, Fault.NONE)

    @property
    def is_old(self) -> bool:
        return self.version == "0.6.0"


@contextmanager
def serving(port: int = 0) -> Iterator[Server]:
    """A server on ``port``, or on a free one."""
    state = Server()

    class Handler(_Handler):
        server_state = state

    http = _Http(("127.0.0.1", port), Handler)
    state.port = http.server_port
    thread = Thread(target=http.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()

    def stop() -> None:
        state.released.set()
        http.shutdown()
        http.server_close()
        for connection in list(http.open):
            with suppress(OSError):
                connection.shutdown(SHUT_RDWR)
        thread.join()

    state.stop = stop
    try:
        yield state
    finally:
        stop()


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 64
    allow_reuse_address = True

    def __init__(self, address: tuple[str, int], handler: type[BaseHTTPRequestHandler]) -> None:
        self.open: set[socket] = set()
        super().__init__(address, handler)

    def process_request(self, request: Any, client_address: Any) -> None:
        self.open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self.open.discard(request)
        super().shutdown_request(request)


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server_state: Server

    def setup(self) -> None:
        super().setup()
        with self.server_state.lock:
            self.server_state.connections += 1
            self.connection_number = self.server_state.connections

    def handle(self) -> None:
        with suppress(ConnectionError):
            super().handle()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._answer({})

    def do_POST(self) -> None:
        self._answer(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))

    def _answer(self, body: dict[str, Any]) -> None:
        state = self.server_state
        state.asked.append(Asked(self.command, self.path, self.headers, body, self.connection_number))
        fault = state.next_fault(self.path)
        if fault is not Fault.NONE and self._broken(fault):
            return
        match self.path:
            case "/v1/models":
                one = {"id": state.model, "object": "model", "max_model_len": CONTEXT_TOKENS}
                self._send({"object": "list", "data": [one]})
            case "/version":
                self._send({"version": state.version})
            case "/tokenize":
                tokens = sum(len(one["content"].split()) for one in body["messages"])
                self._send({"count": tokens, "max_model_len": CONTEXT_TOKENS, "tokens": list(range(tokens))})
            case "/metrics":
                labels = f'{{engine="0",model_name="{state.model}"}}'
                said = "".join(
                    f"vllm:prefix_cache_{name}_total{labels} {value}\n"
                    for name, value in (("queries", "2351.0"), ("hits", "1280.0"))
                )
                self._send(said.encode(), content_type="text/plain; version=0.0.4")
            case "/v1/chat/completions":
                self._chat(body, fault)
            case _:
                self._send({"detail": "Not Found"}, 404)

    def _broken(self, fault: Fault) -> bool:
        """Sends what is wrong from the first byte on; False where the reply begins well."""
        match fault:
            case Fault.ERROR_500:
                self._refuse(500, "InternalServerError", "EngineCore encountered an issue")
            case Fault.TOO_MANY:
                self._refuse(429, "RateLimitError", "Too many requests")
            case Fault.NOT_AUTHORISED:
                self._send({"error": "Unauthorized"}, 401)
            case Fault.TOO_LONG:
                self._refuse(
                    400,
                    "BadRequestError",
                    "This model's maximum context length is 8192 tokens. However, your prompt contains at least 8193 "
                    "input tokens, which exceeds this limit even without any output tokens. Please reduce the length "
                    "of the input prompt. (parameter=input_tokens, value=8193)",
                    "input_tokens",
                )
            case Fault.GARBAGE:
                self._send(b"\xff\xfe\x00\x9c\x80data: \xc3\x28\n\n\xa0\xa1", content_type="application/json")
            case Fault.HTML:
                self._send(b"<!doctype html><html><body>Sign in</body></html>", content_type="text/html")
            case Fault.HALF_JSON:
                self._send(b'data: {"id": "1", "choices": [{"ind', content_type="application/json")
            case Fault.NULL_CHOICES if self._streams:
                self._send(b'data: {"choices": null}\n\ndata: [DONE]\n\n', content_type="text/event-stream")
            case Fault.NULL_CHOICES:
                self._send({"choices": None})
            case Fault.NO_DATA:
                self._send({"status": "running"})
            case Fault.NULL_DATA:
                self._send({"data": None, "version": None, "count": None, "choices": None})
            case Fault.DROPPED_AT_ONCE:
                self.close_connection = True
            case Fault.HANGS:
                self._wait()
                self.close_connection = True
            case Fault.WAITS:
                self._wait()
                return False
            case _:
                return False
        return True

    @property
    def _streams(self) -> bool:
        return bool(self.server_state.asked[-1].body.get("stream"))

    def _chat(self, body: dict[str, Any], fault: Fault) -> None:
        state = self.server_state
        if body["model"] != state.model:
            said = f"The model `{body['model']}` does not exist. Valid aliases: {state.model}."
            self._refuse(404, "NotFoundError", said, "model")
        elif state.is_old and (unknown := set(body) - KNOWN_TO_0_6_0):
            self._refuse(
                400,
                "BadRequestError",
                str([{"type": "extra_forbidden", "loc": ("body", name), "msg": "Extra inputs are not permitted"}
                     for name in sorted(unknown)]),
            )  # fmt: skip
        elif body.get("stream"):
            self._stream(body, fault)
        else:
            self._send(
                {
                    "id": "chat-1",
                    "object": "chat.completion",
                    "created": 1,
                    "model": state.model,
                    "choices": [
                        {
                            "index": 0,
                            "message": {"role": "assistant", "content": self._said(body, fault)},
                            "finish_reason": "stop",
                        }
                    ],
                    "usage": _USAGE,
                }
            )

    def _said(self, body: dict[str, Any], fault: Fault) -> str:
        """The reply, which keeps to choices in the words of this version and overlooks those of the other one."""
        state = self.server_state
        choices = body.get("guided_choice") if state.is_old else body.get("structured_outputs", {}).get("choice")
        return choices[-1] if choices and fault is not Fault.OUTSIDE_CHOICES else state.reply

    def _stream(self, body: dict[str, Any], fault: Fault) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream; charset=utf-8")
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        if fault is Fault.HANGS_AFTER_HEADERS:
            self._wait()
        if fault is not Fault.EMPTY_STREAM and not self._written(body, fault):
            self.close_connection = True
            return
        self._chunk(b"")

    def _written(self, body: dict[str, Any], fault: Fault) -> bool:
        """Whether the stream is to be ended in order."""
        words = self._said(body, fault).split(" ")
        pieces = [words[0], *(f" {word}" for word in words[1:])]
        if fault is Fault.ONLY_DONE:
            pieces = []
        else:
            self._event(self._delta({"role": "assistant", "content": ""}))
        if fault is Fault.DROPPED_BEFORE_FIRST:
            return False
        for number, piece in enumerate(pieces):
            is_last = number == len(pieces) - 1
            if number == 2:
                match fault:
                    case Fault.HANGS_MIDWAY:
                        self._wait()
                        return False
                    case Fault.DROPPED_MIDWAY:
                        return False
                    case Fault.HALF_LINE:
                        self._chunk(b'data: {"id": "chat-1", "choices": [{"index": 0, "del\n\n')
                        return True
                    case Fault.ERROR_IN_STREAM:
                        self._event({"error": {"message": "EngineCore died", "type": "Internal", "code": 500}})
                        self._chunk(b"data: [DONE]\n\n")
                        return True
            self._event(
                self._delta({"content": piece}, "stop" if is_last and fault is not Fault.NO_FINISH_REASON else None)
            )
        if pieces and body.get("stream_options", {}).get("include_usage"):
            self._event({**self._delta({}), "choices": [], "usage": _USAGE})
        self._chunk(b"data: [DONE]\n\n")
        return True

    def _delta(self, delta: dict[str, str], finish_reason: str | None = None) -> dict[str, Any]:
        return {
            "id": "chat-1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": self.server_state.model,
            "choices": [{"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}],
        }

    def _event(self, said: dict[str, Any]) -> None:
        self._chunk(f"data: {json.dumps(said)}\n\n".encode())

    def _chunk(self, data: bytes) -> None:
        self.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")

    def _refuse(self, status: int, kind: str, message: str, parameter: str | None = None) -> None:
        error = {"message": message, "type": kind, "param": parameter, "code": status}
        self._send({"object": "error", **error} if self.server_state.is_old else {"error": error}, status)

    def _send(self, content: Any, status: int = 200, content_type: str = "application/json") -> None:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _wait(self) -> None:
        """Until the client has gone or the server is released."""
        self.wfile.flush()
        state, deadline = self.server_state, time.monotonic() + LONGEST_HANG_S
        while not state.released.is_set() and time.monotonic() < deadline:
            if select.select([self.connection], [], [], 0.01)[0]:
                state.abandoned.set()
                raise ConnectionAbortedError


_USAGE = {
    "prompt_tokens": 30,
    "completion_tokens": 7,
    "total_tokens": 37,
    "prompt_tokens_details": {"cached_tokens": 16},
}
KNOWN_TO_0_6_0 = frozenset(
    """
    messages model frequency_penalty logit_bias logprobs top_logprobs max_tokens n presence_penalty response_format seed
    stop stream stream_options temperature top_p tools tool_choice parallel_tool_calls user best_of use_beam_search
    top_k min_p repetition_penalty length_penalty stop_token_ids include_stop_str_in_output ignore_eos min_tokens
    skip_special_tokens spaces_between_special_tokens truncate_prompt_tokens prompt_logprobs echo add_generation_prompt
    add_special_tokens documents chat_template chat_template_kwargs guided_json guided_regex guided_choice
    guided_grammar guided_decoding_backend guided_whitespace_pattern
    """.split()
)
"""The fields of a chat in vLLM 0.6.0, which refuses all others."""
