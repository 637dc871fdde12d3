"""What a language model's server can do wrong, as errors that say what to do."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rag.errors import ModelFailed, Unavailable

_NONSENSE = (ValueError, TypeError, KeyError, AttributeError, IndexError)
"""What reading a reply that is none ends in."""


@contextmanager
def said_plainly(url: str, timeout_s: float) -> Iterator[None]:
    """What libraries raise when the server at ``url`` is gone, hangs or talks nonsense becomes Unavailable or
    ModelFailed."""
    import httpx
    import openai

    try:
        yield
    except (openai.APITimeoutError, httpx.TimeoutException) as error:
        if _comes_from(error, httpx.ConnectTimeout):
            raise _unreachable(url) from error
        raise Unavailable(
            f"The language model at {url} said nothing for {timeout_s:g} s: look at its log, and start it again if it "
            "hangs"
        ) from error
    except (openai.APIStatusError, httpx.HTTPStatusError) as error:
        raise _refused(url, error.response.status_code, _message_of(error.response)) from error
    except (httpx.HTTPError, openai.APIConnectionError) as error:
        if _comes_from(error, httpx.ConnectError):
            raise _unreachable(url) from error
        raise Unavailable(f"The connection to the language model at {url} broke: ask again") from error
    except (openai.APIResponseValidationError, *_NONSENSE) as error:
        raise ModelFailed(
            f"The server at {url} sent what is no reply of a language model ({str(error)[:120]}): "
            "is RAG_LLM_URL the address of vLLM?"
        ) from error
    except openai.APIError as error:
        said = error.message[:200]
        raise Unavailable(f"The language model at {url} broke off, look at its log. It said: {said}") from error


def may_pass(error: BaseException) -> bool:
    """Whether sending the same request again may help: a lost connection and an overloaded server and one that
    has come back with another model, no hanging one."""
    import httpx
    import openai

    if isinstance(error, openai.APITimeoutError):
        return False
    return isinstance(
        error, openai.APIConnectionError | openai.InternalServerError | openai.RateLimitError | openai.NotFoundError
    ) or (isinstance(error, httpx.TransportError) and not isinstance(error, httpx.TimeoutException))


def _comes_from(error: Exception, kind: type[Exception]) -> bool:
    return isinstance(error, kind) or isinstance(error.__cause__, kind)


def _unreachable(url: str) -> Unavailable:
    return Unavailable(
        f"No language model answers at {url}: start it (make llm, or docker compose up -d vllm), or ask with mode "
        "'extractive'"
    )


def _refused(url: str, status: int, said: str) -> Unavailable | ModelFailed:
    if status in (401, 403):
        return Unavailable(f"The language model at {url} does not accept RAG_LLM_API_KEY")
    if status == 429 or status >= 500:
        return Unavailable(f"The language model at {url} answered {status}: look at its log. It said: {said}")
    return ModelFailed(f"The language model at {url} refused the request ({status}): {said}")


def _message_of(response: Any) -> str:
    """The server's own words, short; an answer that was streamed is no longer there to read."""
    import httpx

    try:
        body = response.json()
    except (ValueError, httpx.StreamError):
        return "nothing that could be read"
    error = body.get("error", body) if isinstance(body, dict) else {}
    return str(error.get("message", "nothing") if isinstance(error, dict) else error)[:300]
