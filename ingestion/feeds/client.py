"""HTTP as a guest: says who it is, keeps to a pace for each host, waits when told to, follows no unsafe redirect.

A request that failed in passing (a lost connection, 408, 429, 5xx) is tried again, later each time, or when the server
says (``Retry-After``). Messages name host and path, never the query, which may hold a key.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from importlib.metadata import version
from types import TracebackType
from typing import Self, TypeVar

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from rag.errors import TaiyiError, TooLarge, Unavailable

MAX_ATTEMPTS = 6
MAX_ATTEMPTS_UNREACHED = 2
MAX_WAIT_S = 600.0
MAX_REDIRECTS = 5
MAX_ANSWER_BYTES = 64 * 2**20
_PASSING = {408, 425, 429, 500, 502, 503, 504}
_LOOPBACK = {"127.0.0.1", "::1", "localhost"}
_TIMEOUT = httpx.Timeout(60, connect=15)

Result = TypeVar("Result")


class NoConnection(Unavailable):
    """The host cannot be reached at all, which the next file would meet as well."""


class Refused(TaiyiError):
    """The server answered, and the answer is no."""

    status = 502
    title = "Refused by the source"


class _Passing(Exception):
    """Worth another attempt, after ``wait_s`` seconds where the server said so."""

    def __init__(self, message: str, wait_s: float | None = None, unreached: bool = False) -> None:
        super().__init__(message)
        self.wait_s, self.unreached = wait_s, unreached


class PoliteClient:
    """Requests to hosts that publish for everyone; ``pause_s`` is the time between two requests to one host."""

    def __init__(
        self, pause_s: float, backoff_s: float = 2.0, sleep: Callable[[float], None] = time.sleep, contact: str = ""
    ) -> None:
        about = f"taiyi-rag/{version('taiyi-rag')} (literature feed; python-httpx/{httpx.__version__})"
        self._http = httpx.Client(
            headers={"User-Agent": f"{about} {contact}".strip()}, timeout=_TIMEOUT, follow_redirects=False
        )
        self._pause_s, self._backoff_s, self._sleep = pause_s, backoff_s, sleep
        self._next_turn: dict[str, float] = {}
        self._reached: set[bytes] = set()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._http.close()

    def get(self, url: str, params: Mapping[str, str] | None = None, max_bytes: int = MAX_ANSWER_BYTES) -> bytes:
        """The whole answer to a GET. Raises NoConnection, Unavailable, Refused or TooLarge."""
        return self.persist(lambda: self._read(httpx.Request("GET", url, params=params), max_bytes))

    def post(self, url: str, form: Mapping[str, str], max_bytes: int = MAX_ANSWER_BYTES) -> bytes:
        """The whole answer to a form. Raises as ``get`` does."""
        return self.persist(lambda: self._read(httpx.Request("POST", url, data=dict(form)), max_bytes))

    def persist(self, attempt: Callable[[], Result]) -> Result:
        """What ``attempt`` returns, which is called again while it fails in passing."""
        retrying = Retrying(
            retry=retry_if_exception_type(_Passing),
            wait=self._wait,
            stop=_enough,
            sleep=self._sleep,
            reraise=True,
        )
        try:
            return retrying(attempt)
        except _Passing as error:
            raise (NoConnection if error.unreached else Unavailable)(str(error)) from error

    @contextmanager
    def stream(self, url: str, headers: Mapping[str, str]) -> Iterator[httpx.Response]:
        """An open answer of status 200, 206, 304 or 416, for use within ``persist``; any other raises."""
        with self._send(httpx.Request("GET", url, headers={**headers, "Accept-Encoding": "identity"})) as response:
            yield response

    def _read(self, request: httpx.Request, max_bytes: int) -> bytes:
        with self._send(request) as response:
            content = bytearray()
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > max_bytes:
                    raise TooLarge(f"{_place(response.url)} answers with more than {max_bytes // 2**20} MB")
            return bytes(content)

    @contextmanager
    def _send(self, request: httpx.Request) -> Iterator[httpx.Response]:
        request = self._http.build_request(
            request.method, request.url, headers=dict(request.headers), content=request.read()
        )
        refuse_unsafe(request.url)
        try:
            for _ in range(MAX_REDIRECTS + 1):
                self._take_turn(request.url.host)
                response = self._http.send(request, stream=True)
                self._reached.add(request.url.netloc)
                try:
                    if response.next_request is None:
                        _raise_for(response)
                        yield response
                        return
                    refuse_unsafe(response.next_request.url, request.url)
                    request = response.next_request
                finally:
                    response.close()
        except (httpx.TransportError, httpx.DecodingError) as error:
            unreached = isinstance(error, httpx.ConnectError | httpx.ConnectTimeout)
            never = unreached and request.url.netloc not in self._reached
            message = f"no connection to {request.url.host} ({error or type(error).__name__})"
            raise _Passing(
                message if unreached else f"{_place(request.url)} broke off ({error})", None, never
            ) from error
        raise Refused(f"{_place(request.url)} redirects more than {MAX_REDIRECTS} times")

    def _take_turn(self, host: str) -> None:
        now = time.monotonic()
        turn = max(now, self._next_turn.get(host, now))
        self._next_turn[host] = turn + self._pause_s
        if turn > now:
            self._sleep(turn - now)

    def _wait(self, state: RetryCallState) -> float:
        error = state.outcome.exception() if state.outcome else None
        if isinstance(error, _Passing) and error.wait_s is not None:
            return error.wait_s
        return float(wait_random_exponential(multiplier=self._backoff_s, max=120)(state))


def refuse_unsafe(url: httpx.URL, origin: httpx.URL | None = None) -> None:
    """Raises Refused for what is not https, other than from this machine to this machine."""
    local = url.host in _LOOPBACK and (origin is None or (origin.scheme == "http" and origin.host in _LOOPBACK))
    if url.scheme != "https" and not (url.scheme == "http" and local):
        where = f"{_place(origin)} redirects to" if origin else "The address"
        raise Refused(f"{where} {url.scheme}://{url.host}, which is not https; nothing was fetched from there")


def _place(url: httpx.URL) -> str:
    return f"{url.host}{url.path}"


def _enough(state: RetryCallState) -> bool:
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, _Passing) and error.wait_s is not None and error.wait_s > MAX_WAIT_S:
        return True
    unreached = isinstance(error, _Passing) and error.unreached
    return state.attempt_number >= (MAX_ATTEMPTS_UNREACHED if unreached else MAX_ATTEMPTS)


def _raise_for(response: httpx.Response) -> None:
    status = response.status_code
    if status in _PASSING:
        wait_s = _retry_after_s(response)
        later = f" and asks to wait {wait_s:.0f} s" if wait_s else ""
        raise _Passing(f"{_place(response.url)} answers {status} {response.reason_phrase}{later}", wait_s)
    if status not in (200, 206, 304, 416):
        raise Refused(f"{_place(response.url)} answers {status} {response.reason_phrase}")


def _retry_after_s(response: httpx.Response) -> float | None:
    """Seconds, from a number or a date; None where the server does not say or says it in another way."""
    stated = response.headers.get("Retry-After", "").strip()
    if stated.isdecimal():
        return float(stated)
    try:
        moment = parsedate_to_datetime(stated)
    except ValueError:
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())
