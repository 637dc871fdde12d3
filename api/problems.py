"""Errors over HTTP, as ``application/problem+json`` (RFC 9457), each with the id of its request; those of the OpenAI
protocol in its own envelope."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rag.errors import DISK_IS_SHUT, TaiyiError, TooSlow, Unauthenticated, Unavailable

CHALLENGE = 'Bearer realm="taiyi-rag"'
UNFORESEEN = ("Internal error", "This is a fault of the server; its log has the details.")
OPENAI_PATHS = ("/v1/chat", "/v1/models")
Json = dict[str, Any]
log = logging.getLogger(__name__)


def problem(request: Request, status: int, title: str, detail: str) -> JSONResponse:
    """The response to a request that failed."""
    return _response(request, problem_json(status, title, detail, request_id_of(request)))


def _response(request: Request, said: Json) -> JSONResponse:
    status = said["status"]
    if request.url.path.startswith(OPENAI_PATHS):
        envelope = openai_error(said)
        return JSONResponse(envelope, 400 if status == 422 else status)
    return JSONResponse(said, status, media_type="application/problem+json")


def problem_json(status: int, title: str, detail: str, request_id: str, **more: str) -> Json:
    """``type`` is ``about:blank``: the status says what kind of problem it is."""
    said: Json = {"type": "about:blank", "title": title, "status": status, "detail": detail}
    return {**said, "request_id": request_id, **more}


def problem_of(error: Exception, request_id: str) -> Json:
    """What a stream says when it ends in an error; with ``answer_id`` where an answer was recorded as failed."""
    if not isinstance(error, TaiyiError):
        log.error("%s failed", request_id, exc_info=error)
        return problem_json(500, *UNFORESEEN, request_id)
    more = {"answer_id": error.answer_id} if error.answer_id else {}
    return problem_json(error.status, error.title, str(error), request_id, **more)


def openai_error(said: Json) -> Json:
    """A problem as clients of the OpenAI protocol expect it."""
    kind = "invalid_request_error" if said["status"] < 500 else "server_error"
    known = {name: said[name] for name in ("request_id", "answer_id") if name in said}
    return {"error": {"message": said["detail"], "type": kind, "param": None, "code": None, **known}}


def response_to(request: Request, error: TaiyiError) -> JSONResponse:
    """The response to a request that ended in one of the product's own errors."""
    if error.status >= 500:
        log.warning("%s: %s", request_id_of(request), error)
    response = _response(request, problem_of(error, request_id_of(request)))
    if error.retry_after_s is not None:
        response.headers["retry-after"] = str(error.retry_after_s)
    if isinstance(error, TooSlow):
        response.headers["connection"] = "close"  # the rest of the request may still be on its way
    if isinstance(error, Unauthenticated):
        response.headers["www-authenticate"] = CHALLENGE
    return response


def install_handlers(app: FastAPI) -> None:
    """One place where every error becomes a response."""

    @app.exception_handler(TaiyiError)
    def _ours(request: Request, error: TaiyiError) -> JSONResponse:
        return response_to(request, error)

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(request, 422, "Invalid request", _said(error.errors()[0]))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, TaiyiError):  # raised while the framework was reading the body
            return _ours(request, error.__cause__)
        if isinstance(error.__cause__, OSError):
            return _of_the_system(request, error.__cause__)
        return problem(request, error.status_code, str(error.detail), f"{request.method} {request.url.path}")

    @app.exception_handler(OSError)
    def _of_the_system(request: Request, error: OSError) -> JSONResponse:
        if error.errno not in DISK_IS_SHUT:
            return _unforeseen(request, error)
        said = f"Nothing can be written: {error.strerror}. The administrator has to make room, or to make it writable"
        return _ours(request, Unavailable(said))

    @app.exception_handler(Exception)
    def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.error("%s failed", request_id_of(request), exc_info=error)
        return problem(request, 500, *UNFORESEEN)


def request_id_of(request: Request) -> str:
    request_id: str = request.scope.get("state", {}).get("request_id", "")
    return request_id


def _said(error: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"] if part != "body")
    return f"{where}: {error['msg']}" if where else str(error["msg"])
