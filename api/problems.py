"""Errors over HTTP, as ``application/problem+json`` (RFC 9457), each with the id of its request."""

import logging
from typing import Any

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException

from rag.errors import TaiyiError

log = logging.getLogger(__name__)


def problem(status: int, title: str, detail: str, request_id: str) -> JSONResponse:
    """``type`` is ``about:blank``: the status says what kind of problem it is."""
    return JSONResponse(
        {"type": "about:blank", "title": title, "status": status, "detail": detail, "request_id": request_id},
        status,
        media_type="application/problem+json",
    )


def install_handlers(app: FastAPI) -> None:
    """One place where every error becomes a response."""

    @app.exception_handler(TaiyiError)
    def _ours(request: Request, error: TaiyiError) -> JSONResponse:
        if error.status >= 500:
            log.warning("%s: %s", request_id_of(request), error)
        return problem(error.status, error.title, str(error), request_id_of(request))

    @app.exception_handler(RequestValidationError)
    def _invalid(request: Request, error: RequestValidationError) -> JSONResponse:
        return problem(422, "Invalid request", _said(error.errors()[0]), request_id_of(request))

    @app.exception_handler(HTTPException)
    def _http(request: Request, error: HTTPException) -> JSONResponse:
        if isinstance(error.__cause__, TaiyiError):  # raised while the framework was reading the body
            return _ours(request, error.__cause__)
        return problem(
            error.status_code, str(error.detail), f"{request.method} {request.url.path}", request_id_of(request)
        )

    @app.exception_handler(Exception)
    def _unforeseen(request: Request, error: Exception) -> JSONResponse:
        log.error("%s failed", request_id_of(request), exc_info=error)
        return problem(
            500, "Internal error", "This is a fault of the server; its log has the details.", request_id_of(request)
        )


def request_id_of(request: Request) -> str:
    request_id: str = request.scope.get("state", {}).get("request_id", "")
    return request_id


def _said(error: dict[str, Any]) -> str:
    where = ".".join(str(part) for part in error["loc"] if part != "body")
    return f"{where}: {error['msg']}" if where else str(error["msg"])
