"""The OpenAI protocol: any client of it can ask, and gets checked sentences with their citations.

What is streamed here cannot be taken back, so only sentences that were judged and kept go out. ``citations`` stand at
the top level; unknown fields are ignored, and what is not offered is refused rather than left out in silence.
"""

import time
from collections.abc import AsyncGenerator
from contextlib import aclosing
from dataclasses import asdict
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Request, Response
from fastapi.responses import JSONResponse
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from api.answer_routes import last_of
from api.events import HEARTBEAT, data_line, event_stream
from api.following import followed
from api.problems import openai_error, problem_of, request_id_of
from api.routes import Asker, OpenSystem
from api.schemas import MAX_QUESTION, Retrieval
from api.wire import Json
from rag.answering import answering
from rag.errors import NotFound
from rag.making import Answered, Event, Judged
from rag.system import System
from rag.types import Answer, AnswerMode, Ask, Sampling, Turn

NAME = "taiyi-rag"
MODES: tuple[AnswerMode, ...] = ("grounded", "ungrounded", "extractive")
MOST_TOKENS = 2000
DONE = "data: [DONE]\n\n"
_ONLY: dict[str, tuple[Any, ...]] = {
    "n": (1,),
    "tools": ([],),
    "functions": ([],),
    "stop": ([], ""),
    "logprobs": (False,),
    "logit_bias": ({},),
    "frequency_penalty": (0,),
    "presence_penalty": (0,),
    "modalities": (["text"],),
    "response_format": ({"type": "text"},),
}
"""The values of fields of which no other is offered; absent or null is always fine."""

router = APIRouter(prefix="/v1")


def _plain(content: Any) -> Any:
    """The text of a message, which may come in parts."""
    if not isinstance(content, list):
        return content or ""
    if any(not isinstance(part, dict) or part.get("type") != "text" for part in content):
        raise ValueError("only text can be read, no pictures, sound or files")
    return "\n".join(str(part.get("text", "")) for part in content)


class Message(BaseModel):
    role: Literal["system", "developer", "user", "assistant", "tool", "function"]
    content: Annotated[str, BeforeValidator(_plain)] = ""


class StreamOptions(BaseModel):
    include_usage: bool = False


class ChatBody(Retrieval):
    """The protocol's fields, and beside them those of a search: ``collections``, ``filters``, ``top_k`` and so on."""

    model_config = ConfigDict(extra="ignore")

    model: str
    messages: list[Message] = Field(min_length=1)
    stream: bool = False
    stream_options: StreamOptions | None = None
    temperature: float | None = Field(default=None, ge=0, le=2)
    top_p: float | None = Field(default=None, gt=0, le=1)
    max_tokens: int | None = Field(default=None, ge=1)
    max_completion_tokens: int | None = Field(default=None, ge=1)
    seed: int | None = None

    @model_validator(mode="before")
    @classmethod
    def _no_more_than_is_offered(cls, body: Any) -> Any:
        for name, values in _ONLY.items() if isinstance(body, dict) else ():
            if (value := body.get(name)) is not None and value not in values:
                raise ValueError(f"{name} may be {' or '.join(repr(one) for one in values)} here, not {value!r}")
        return body

    @model_validator(mode="after")
    def _ends_with_a_question(self) -> "ChatBody":
        last = self.messages[-1]
        if last.role != "user" or not last.content.strip():
            raise ValueError("the last message is the question: role user, with a text")
        if len(last.content) > MAX_QUESTION:
            raise ValueError(f"the question is longer than {MAX_QUESTION} characters")
        return self

    def to_ask(self) -> Ask:
        """Raises NotFound for an unknown model."""
        stated: dict[str, Any] = {
            "temperature": self.temperature,
            "top_p": self.top_p,
            "max_tokens": min(self.max_completion_tokens or self.max_tokens or Sampling().max_tokens, MOST_TOKENS),
            "seed": None if self.seed is None else self.seed % 2**31,
        }
        return Ask(
            self.query_of(self.messages[-1].content.strip()),
            _mode_of(self.model),
            history=_turns(self.messages[:-1]),
            sampling=Sampling(**{name: value for name, value in stated.items() if value is not None}),
        )


@router.get("/models")
def list_models(system: OpenSystem, _caller: Asker) -> Json:
    """``taiyi-rag`` answers in the mode that is configured; the others say theirs."""
    return {"object": "list", "data": [_model_json(name) for name in _names(system)]}


@router.get("/models/{name}")
def show_model(name: str, system: OpenSystem, _caller: Asker) -> Json:
    _mode_of(name)
    return _model_json(name)


@router.post("/chat/completions")
async def complete_chat(body: ChatBody, request: Request, system: OpenSystem, caller: Asker) -> Response:
    """An answer in the protocol of OpenAI, at once or as a stream of checked sentences."""
    events = followed(request, answering(body.to_ask(), caller, system))
    if not body.stream:
        return JSONResponse(_completion(body.model, (await last_of(events)).answer))
    first = await anext(events, None)
    with_usage = body.stream_options is not None and body.stream_options.include_usage
    return event_stream(_chunks(body.model, first, events, with_usage, request_id_of(request)))


async def _chunks(
    model: str, first: Event | None, events: AsyncGenerator[Event | None], with_usage: bool, request_id: str
) -> AsyncGenerator[str]:
    head = {
        "id": f"chatcmpl-{request_id}",
        "object": "chat.completion.chunk",
        "created": int(time.time()),
        "model": model,
    }
    usage: Json = {"usage": None} if with_usage else {}

    def chunk(delta: Json, finish_reason: str | None = None, **more: Any) -> str:
        choice = {"index": 0, "delta": delta, "logprobs": None, "finish_reason": finish_reason}
        return data_line({**head, "choices": [choice], **usage, **more})

    said = ""
    yield chunk({"role": "assistant", "content": ""})
    async with aclosing(_after(first, events)) as all_events:
        try:
            async for one in all_events:
                match one:
                    case None:
                        yield HEARTBEAT
                    case Judged(added=added) if added:
                        said += added
                        yield chunk({"content": added})
                    case Answered(answer):
                        if rest := _content(answer)[len(said) :]:
                            yield chunk({"content": rest})
                        if with_usage:
                            yield chunk({}, _finish_reason(answer))
                            yield data_line({**head, "choices": [], "usage": _usage(answer), **_sources(answer)})
                        else:
                            yield chunk({}, _finish_reason(answer), **_sources(answer))
                        yield DONE
        except Exception as error:  # the status has been sent: the stream has to say it
            yield data_line(openai_error(problem_of(error, request_id)))


async def _after(first: Event | None, events: AsyncGenerator[Event | None]) -> AsyncGenerator[Event | None]:
    yield first
    async with aclosing(events):
        async for one in events:
            yield one


def _completion(model: str, answer: Answer) -> Json:
    message = {"role": "assistant", "content": _content(answer), "refusal": None}
    choice = {"index": 0, "message": message, "logprobs": None, "finish_reason": _finish_reason(answer)}
    return {
        "id": f"chatcmpl-{answer.id}",
        "object": "chat.completion",
        "created": int(time.time()),
        "model": model,
        "choices": [choice],
        "usage": _usage(answer),
        **_sources(answer),
    }


def _content(answer: Answer) -> str:
    """The text, and where sources disagree what both say: a client of the protocol shows nothing else."""
    return "\n\n".join([answer.text, *(conflict.message for conflict in answer.conflicts)])


def _sources(answer: Answer) -> Json:
    """What the protocol has no place for: the citations, what was kept out, where sources disagree, how far the answer
    can be relied on, and under which id the whole of it was recorded."""
    known = ("status", "confidence", "confidence_reasons", "notices", "conversation_id")
    return {
        "citations": [asdict(citation) for citation in answer.citations],
        "answer": {
            "id": answer.id,
            **{name: getattr(answer, name) for name in known},
            "withheld": [asdict(sentence) for sentence in answer.withheld],
            "conflicts": [asdict(conflict) for conflict in answer.conflicts],
            "abstention": None if answer.abstention is None else asdict(answer.abstention),
        },
    }


def _finish_reason(answer: Answer) -> str:
    return "length" if answer.status == "partial" else "stop"


def _usage(answer: Answer) -> Json:
    return {
        "prompt_tokens": answer.usage["prompt_tokens"],
        "completion_tokens": answer.usage["completion_tokens"],
        "total_tokens": answer.usage["prompt_tokens"] + answer.usage["completion_tokens"],
        "prompt_tokens_details": {"cached_tokens": answer.usage.get("cached_tokens", 0)},
    }


def _turns(messages: list[Message]) -> tuple[Turn, ...]:
    """The conversation before the question. What a client says as the system is not ours to obey."""
    turns: list[Turn] = []
    for message in messages:
        if message.role == "user":
            turns.append(Turn(message.content, ""))
        elif message.role == "assistant" and turns:
            turns[-1] = Turn(turns[-1].question, message.content)
    return tuple(turns)


def _mode_of(name: str) -> AnswerMode | None:
    if name == NAME:
        return None
    for mode in MODES:
        if name == f"{NAME}-{mode}":
            return mode
    raise NotFound(f"There is no model {name!r}; there are {', '.join([NAME, *(f'{NAME}-{mode}' for mode in MODES)])}")


def _names(system: System) -> list[str]:
    offered = MODES if system.llm is not None else ("extractive",)
    return [NAME, *(f"{NAME}-{mode}" for mode in offered)]


def _model_json(name: str) -> Json:
    return {"id": name, "object": "model", "created": 0, "owned_by": NAME}
