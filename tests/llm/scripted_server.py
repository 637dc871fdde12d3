"""A server that speaks vLLM's protocol and says what a test wants said.

It stands for the wording of a language model alone: the small real one that tests can start never cites a passage.
What a test scripts goes out piece by piece, waits where the test wants to look, and stops when the client goes away.
"""

import json
import re
import select
import socket
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any

Messages = list[dict[str, str]]
Script = str | Iterable[str | threading.Event | float]
"""What is said: texts, points to wait at until the test sets them, and pauses in seconds."""

PIECE = 7
LONGEST_WAIT_S = 60
_PASSAGE = re.compile(r'<passage n="(\d+)">\n(.*?)\n</passage>', re.DOTALL)


class Gone(Exception):
    """The client closed the connection."""


class Broken(Exception):
    """A scripted end of the connection in the middle of the reply."""


class ScriptedServer:
    """``script`` is what is said, or a function of the messages that gives it; raised from it, Broken cuts the
    connection. ``requests`` are the bodies of the chats asked for; ``left`` counts the replies whose reader left."""

    model = "scripted"

    def __init__(self, script: Script | Callable[[Messages], Script] = "") -> None:
        self.script = script
        self.finish_reason = "stop"
        self.context_tokens = 8192
        self.count_tokens: Callable[[Messages], int] = lambda messages: (
            sum(len(one["content"]) for one in messages) // 4
        )
        self.requests: list[dict[str, Any]] = []
        self.left = 0
        self._http = _Server(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}/v1"

    @property
    def questions(self) -> list[str]:
        """The last message of each chat asked for."""
        return [request["messages"][-1]["content"] for request in self.requests]

    def reset(self, script: Script | Callable[[Messages], Script]) -> None:
        """Another script, for a server that tests share."""
        self.script, self.finish_reason, self.count_tokens = script, "stop", _about
        self.requests.clear()
        self.left = 0

    def stop(self) -> None:
        """No connection is accepted any more, and those that are idle are closed."""
        self._http.shutdown()
        self._http.close_all()
        self._thread.join()

    def __enter__(self) -> "ScriptedServer":
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.stop()

    def said(self, messages: Messages) -> Iterator[str | threading.Event | float]:
        script = self.script(messages) if callable(self.script) else self.script
        for item in [script] if isinstance(script, str) else script:
            if isinstance(item, str):
                yield from (item[at : at + PIECE] for at in range(0, len(item), PIECE))
            else:
                yield item


@dataclass(frozen=True, slots=True)
class Service:
    """The service under test, its home, and the model behind it."""

    url: str
    home: Path
    model: ScriptedServer


def shown_passages(messages: Messages) -> dict[int, str]:
    """The passages that a grounded prompt shows, by their numbers."""
    return {int(number): text for number, text in _PASSAGE.findall(messages[-1]["content"])}


def number_of(words: str, messages: Messages) -> int:
    """The number of the first passage in the prompt that has ``words``."""
    return next(number for number, text in shown_passages(messages).items() if words in text)


def eventually(holds: Callable[[], object], within_s: float = 10.0) -> bool:
    """Whether something comes to hold."""
    deadline = time.monotonic() + within_s
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.02)
    return True


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, *arguments: Any) -> None:
        self._open: set[socket.socket] = set()
        super().__init__(*arguments)

    def process_request(self, request: Any, client_address: Any) -> None:
        self._open.add(request)
        super().process_request(request, client_address)

    def shutdown_request(self, request: Any) -> None:
        self._open.discard(request)
        super().shutdown_request(request)

    def close_all(self) -> None:
        self.server_close()
        for one in list(self._open):
            one.shutdown(socket.SHUT_RDWR)


def _handler(server: ScriptedServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self) -> None:
            match self.path:
                case "/v1/models":
                    served = {"id": server.model, "object": "model", "max_model_len": server.context_tokens}
                    self._reply(200, {"object": "list", "data": [served]})
                case "/version":
                    self._reply(200, {"version": "0.32.0"})
                case "/health":
                    self._reply(200, {})
                case _:
                    self._reply(404, {"detail": "Not Found"})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            match self.path:
                case "/tokenize":
                    limit = server.context_tokens
                    self._reply(200, {"count": server.count_tokens(body["messages"]), "max_model_len": limit})
                case "/v1/chat/completions":
                    server.requests.append(body)
                    self._chat(body)
                case _:
                    self._reply(404, {"detail": "Not Found"})

        def _chat(self, body: dict[str, Any]) -> None:
            try:
                if body.get("stream"):
                    self._stream(body)
                else:
                    self._whole(body)
            except (Gone, BrokenPipeError, ConnectionResetError):
                server.left += 1
                self.close_connection = True
            except Broken:
                self.close_connection = True

        def _whole(self, body: dict[str, Any]) -> None:
            text = "".join(self._pieces(body["messages"]))
            choice = {"index": 0, "message": {"role": "assistant", "content": text}}
            choice["finish_reason"] = server.finish_reason
            self._reply(200, {**_head("chat.completion"), "choices": [choice], "usage": self._usage(body, len(text))})

        def _stream(self, body: dict[str, Any]) -> None:
            self.send_response(200)
            self.send_header("content-type", "text/event-stream")
            self.send_header("transfer-encoding", "chunked")
            self.end_headers()
            self._delta({"role": "assistant", "content": ""})
            written = 0
            for piece in self._pieces(body["messages"]):
                self._delta({"content": piece})
                written += len(piece)
            self._delta({}, server.finish_reason)
            if (body.get("stream_options") or {}).get("include_usage"):
                self._event({**_head("chat.completion.chunk"), "choices": [], "usage": self._usage(body, written)})
            self._chunk(b"data: [DONE]\n\n")
            self.wfile.write(b"0\r\n\r\n")

        def _pieces(self, messages: Messages) -> Iterator[str]:
            """The texts of the script, each when its time has come. Raises Gone as soon as nobody reads any more."""
            for item in server.said(messages):
                if isinstance(item, str):
                    self._look()
                    yield item
                elif isinstance(item, threading.Event):
                    self._wait(item, LONGEST_WAIT_S)
                else:
                    self._wait(threading.Event(), item)

        def _wait(self, point: threading.Event, longest_s: float) -> None:
            deadline = time.monotonic() + longest_s
            while not point.wait(0.01) and time.monotonic() < deadline:
                self._look()

        def _look(self) -> None:
            readable, _, _ = select.select([self.connection], [], [], 0)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                raise Gone

        def _usage(self, body: dict[str, Any], written: int) -> dict[str, Any]:
            asked = server.count_tokens(body["messages"])
            usage = {"prompt_tokens": asked, "completion_tokens": written, "total_tokens": asked + written}
            return {**usage, "prompt_tokens_details": {"cached_tokens": 128}}

        def _delta(self, delta: dict[str, str], finish_reason: str | None = None) -> None:
            choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
            self._event({**_head("chat.completion.chunk"), "choices": [choice]})

        def _event(self, data: dict[str, Any]) -> None:
            self._chunk(f"data: {json.dumps(data)}\n\n".encode())

        def _chunk(self, data: bytes) -> None:
            self.wfile.write(b"%x\r\n%s\r\n" % (len(data), data))

        def _reply(self, status: int, body: dict[str, Any]) -> None:
            data = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("content-type", "application/json")
            self.send_header("content-length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002 - its name in the base class
            """Says nothing."""

    return Handler


def _about(messages: Messages) -> int:
    return sum(len(one["content"]) for one in messages) // 4


def _head(kind: str) -> dict[str, Any]:
    return {"id": "chatcmpl-1", "object": kind, "created": 1, "model": ScriptedServer.model}
