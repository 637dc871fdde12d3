"""What ``/openapi.json`` says beyond what the routes' own signatures say: the form of each response, every status that
a call may end with, and what an error looks like.

The forms are those of the values in ``rag.types`` and their like, so that a field that is added there is described
here. The checks in ``tests/api/test_openapi.py`` hold every answer of the service against this description.
"""

from dataclasses import fields
from functools import cache
from typing import Any, Literal, get_type_hints

from fastapi import FastAPI
from fastapi.openapi.utils import get_openapi
from pydantic import BaseModel, create_model
from pydantic.json_schema import models_json_schema

from api.health import Model, Whole
from api.history import Point, StageTime
from api.problems import OPENAI_PATHS
from ingestion.jobs import Job
from rag.audit import Entry
from rag.catalog import CollectionCounts, FlaggedPassage
from rag.differences import Difference
from rag.explaining import Arm, ArmHit, Explanation
from rag.feedback import Feedback
from rag.keys import Key
from rag.ledger import KeptItem, KeptRun
from rag.listing import Facet
from rag.reading import Reading
from rag.removal import Receipt
from rag.replaying import Replay
from rag.retirement import Retirement
from rag.types import Answer, Citation, Document, Edition, Hit, Metadata, Passage, Role, SearchResult
from rag.types import Problem as Disagreement

Json = dict[str, Any]
_HTTP_METHODS = frozenset({"get", "put", "post", "delete", "patch"})
_SAFE = frozenset({"get", "head"})
_REF = "#/components/schemas/"


def _form(name: str, *values: type, without: tuple[str, ...] = (), **more: Any) -> type[BaseModel]:
    """A model that has the fields of ``values``, all of which are always given, and ``more``: a type, or a type and
    None where the field may be missing."""
    described: dict[str, Any] = {}
    for value in values:
        hints = get_type_hints(value)
        described |= {one.name: (hints[one.name], ...) for one in fields(value) if one.name not in without}
    described |= {key: kind if isinstance(kind, tuple) else (kind, ...) for key, kind in more.items()}
    return create_model(name, __doc__=" ".join((values[0].__doc__ or "").split()) if values else None, **described)


PassageForm = _form("Passage", Passage)
HitForm = _form("Hit", Passage, Hit, without=("passage", "match"))
SearchForm = _form("SearchResult", SearchResult, hits=list[HitForm])  # type: ignore[valid-type]
ArmHitForm = _form("ArmHit", ArmHit, passage=PassageForm)
ArmForm = _form("Arm", Arm, hits=list[ArmHitForm])  # type: ignore[valid-type]
AnswerForm = _form("Answer", Answer, passages=list[HitForm])  # type: ignore[valid-type]
AnswerSummary = _form(
    "AnswerSummary",
    Answer,
    without=tuple(
        {one.name for one in fields(Answer)}
        - {"id", "question", "language", "mode", "status", "text", "confidence", "model", "created_at"}
    ),
    caller_id=str,
)
EditionForm = _form("Edition", Metadata, Edition, without=("metadata",))
DocumentForm = _form("Document", Document, editions=list[EditionForm], text=(str, ""))  # type: ignore[valid-type]
ShownPassage = _form(
    "ShownPassage",
    Passage,
    boxes=list[tuple[int, float, float, float, float]],
    page_image=bool,
    document=DocumentForm,
    previous=PassageForm | None,
    next=PassageForm | None,
)
PageSize = _form("PageSize", page=int, width=float, height=float)
MarksForm = _form(
    "Marks",
    page_count=int,
    pages=list[PageSize],  # type: ignore[valid-type]
    boxes=list[tuple[int, float, float, float, float]],
    exact=bool,
)
_INDICES: dict[str, Any] = dict.fromkeys(
    (
        *("agree", "disagree", "only_ungrounded", "only_grounded"),
        *("corpus_supports", "corpus_contradicts", "corpus_does_not_mention"),
    ),
    list[int],
)
Differences = _form("Difference", Difference, **_INDICES)
ComparisonForm = _form(
    "Comparison", id=str, question=str, grounded=AnswerForm, ungrounded=AnswerForm, difference=Differences
)
ReceiptForm = _form("Receipt", Receipt)
FeedbackForm = _form("Feedback", Feedback)
EntryForm = _form("AuditEntry", Entry)
Verification = _form(
    "Verification",
    ok=bool,
    problems=list[_form("Disagreement", Disagreement)],  # type: ignore[misc]
    total=int,
    head=str | None,
    seconds=float,
)
KeyForm = _form("ApiKey", Key)
NewKey = _form("NewApiKey", Key, key=str)
ProposalForm = _form("Proposal", document=DocumentForm, like=DocumentForm, created_at=str)
Progress = _form("Progress", files_done=int, files_total=int, passages=int)
JobForm = _form(
    "Job", Job, without=("files",), job_id=str, filename=str | None, progress=Progress, files=(list[Json], [])
)
SessionForm = _form(
    "Session",
    via=Literal["open", "key", "oidc", "session"],
    caller_id=str,
    role=Role,
    collections=list[str] | None,
    recorded=bool,
    csrf_token=str | None,
    expires_at=str | None,
    sign_in=(list[Literal["key", "oidc"]], []),
)
RunSummary = _form(
    "RunSummary",
    KeptRun,
    without=("folder", "items", "configuration", "figures"),
    model=str | None,
    questions=int,
    arms=dict[str, dict[str, float]],
)
KeptTrial = _form(
    "KeptTrial",
    KeptItem,
    without=("question_id", "gold", "body"),
    reply=str | None,
    error=str | None,
    answers=list[str] | None,
    shown=list[dict[str, str]],
    sentences=int | None,
    held=int | None,
)
KeptQuestionForm = _form(
    "KeptQuestion",
    id=str,
    question=str | None,
    options=dict[str, str] | None,
    exact_answers=list[list[str]] | None,
    gold=str | None,
    trials=list[KeptTrial],  # type: ignore[valid-type]
)
ModelForm = _form("Model", id=str, object=Literal["model"], created=int, owned_by=str)
Completion = _form(
    "ChatCompletion",
    id=str,
    object=Literal["chat.completion"],
    created=int,
    model=str,
    choices=list[Json],
    usage=Json,
    citations=list[Citation],
    answer=Json,
)
Problem = _form(
    "Problem", type=str, title=str, status=int, detail=str, request_id=str, answer_id=(str, ""), sign_in=(list[str], [])
)
OpenAIError = _form(
    "OpenAIError",
    error=_form("OpenAIErrorDetail", message=str, type=str, param=None, code=None, request_id=str, answer_id=(str, "")),
)
HealthForm = _form(
    "Health",
    status=Literal["ok", "not ready"],
    checks=dict[str, str],
    version=str,
    now=str,
    started_at=str,
    models=list[Model],
    index_generation=int | None,
    whole=Whole | None,
    points=list[Point] | None,
    stages=list[StageTime] | None,
)
Readiness = _form("Readiness", status=Literal["ok", "not ready"], checks=dict[str, str])


def _listed(name: str, of: Any, **more: Any) -> type[BaseModel]:
    described: dict[str, Any] = {name: list[of], **more}
    return _form(f"{of.__name__.removesuffix('Form')}List", **described)


GIVES: dict[tuple[str, str], Any] = {
    ("get", "/readyz"): Readiness,
    ("post", "/v1/search"): SearchForm,
    ("post", "/v1/search/explain"): _form(
        "Explanation",
        Explanation,
        SearchResult,
        without=("result",),
        hits=list[HitForm],  # type: ignore[valid-type]
        arms=list[ArmForm],  # type: ignore[valid-type]
    ),
    ("post", "/v1/ask"): AnswerForm,
    ("post", "/v1/compare"): ComparisonForm,
    ("get", "/v1/compare/{comparison_id}"): ComparisonForm,
    ("get", "/v1/answers"): _listed("answers", AnswerSummary, total=int),
    ("get", "/v1/answers/{answer_id}"): _form(
        "StoredAnswer",
        Answer,
        without=("passages",),
        passages=list[HitForm],  # type: ignore[valid-type]
        own=bool,
        feedback=_form("OwnFeedback", rating=str, reason=str | None) | None,
    ),
    ("get", "/v1/references"): _form(
        "ReferenceList",
        references=list[_form("Reference", edition_id=str, vancouver=str, ris=str)],  # type: ignore[misc]
    ),
    ("post", "/v1/answers/{answer_id}/replay"): _form("Replay", Replay, answer=AnswerForm | None),
    ("post", "/v1/answers/{answer_id}/feedback"): FeedbackForm,
    ("post", "/v1/answers/{answer_id}/handled"): _form("Handled", answer_id=str, handled_at=str),
    ("get", "/v1/feedback"): _listed("feedback", FeedbackForm, total=int),
    ("get", "/v1/audit"): _listed("entries", EntryForm, head=str | None),
    ("post", "/v1/audit/verify"): Verification,
    ("get", "/v1/health"): HealthForm,
    ("get", "/v1/keys"): _listed("keys", KeyForm),
    ("post", "/v1/keys"): NewKey,
    ("delete", "/v1/keys/{key_id}"): KeyForm,
    ("get", "/v1/collections"): _listed("collections", CollectionCounts),
    ("get", "/v1/documents"): _listed("documents", DocumentForm, total=int, facets=(dict[Facet, dict[str, int]], {})),
    ("post", "/v1/documents"): JobForm,
    ("get", "/v1/documents/{document_id}"): DocumentForm,
    ("delete", "/v1/documents/{document_id}"): ReceiptForm,
    ("post", "/v1/documents/{document_id}/retire"): _form("Retirement", Retirement),
    ("get", "/v1/documents/{document_id}/flagged"): _listed("flagged", FlaggedPassage),
    ("get", "/v1/documents/{document_id}/passages"): _form("Reading", Reading),
    ("get", "/v1/documents/{document_id}/history"): _form(
        "History",
        document_id=str,
        editions=list[EditionForm],  # type: ignore[valid-type]
    ),
    ("get", "/v1/passages/{passage_id}"): ShownPassage,
    ("get", "/v1/passages/{passage_id}/boxes"): MarksForm,
    ("get", "/v1/proposals"): _listed("proposals", ProposalForm),
    ("post", "/v1/proposals/{document_id}/{like_id}"): _form("Decided", document_id=str),
    ("get", "/v1/removals"): _listed("removals", ReceiptForm),
    ("get", "/v1/jobs"): _listed("jobs", JobForm, total=int, states=dict[str, int]),
    ("post", "/v1/jobs"): JobForm,
    ("get", "/v1/jobs/{job_id}"): JobForm,
    ("delete", "/v1/jobs/{job_id}"): JobForm,
    ("post", "/v1/jobs/{job_id}/retry"): JobForm,
    ("get", "/v1/runs"): _listed("runs", RunSummary, total=int),
    ("get", "/v1/runs/{run_id}"): _form("Run", KeptRun, without=("folder", "items")),
    ("get", "/v1/runs/{run_id}/questions"): _listed("questions", KeptQuestionForm, total=int),
    ("get", "/v1/session"): SessionForm,
    ("post", "/v1/session"): SessionForm,
    ("get", "/v1/models"): _form("ModelList", object=Literal["list"], data=list[ModelForm]),  # type: ignore[valid-type]
    ("get", "/v1/models/{name}"): ModelForm,
    ("post", "/v1/chat/completions"): Completion,
}
"""The form of what a call gives where it succeeds."""

EVENT: Json = {
    "type": "object",
    "properties": {"event": {"type": "string"}, "data": {"type": "string"}},
    "required": ["data"],
}
"""Of a stream each event, as server-sent events have them."""
STREAMED = frozenset({("post", "/v1/ask"), ("post", "/v1/chat/completions"), ("get", "/v1/jobs/{job_id}/events")})
"""Those that give server-sent events, always or where ``stream`` is set."""
ASKS_A_MODEL = frozenset({"/v1/ask", "/v1/compare", "/v1/chat/completions", "/v1/answers/{answer_id}/replay"})

STATUSES = {
    400: "The body is not what its content type says; under /v1/chat and /v1/models also: a field is bad",
    401: "No key, or one that is unknown, expired or revoked, where keys are in force",
    403: "The caller's role does not allow it, or a write comes from a foreign page",
    404: "There is no such thing, or the caller may not see it",
    408: "The body did not come in time",
    413: "The body is larger than the service takes",
    415: "A file of a kind that no loader reads",
    421: "The service does not answer under this host name",
    422: "A field is bad or unknown; says which",
    429: "Too many requests; `Retry-After` says in how many seconds to come again",
    431: "The request's head is larger than the service takes",
    502: "The language model answered with something that is no answer",
    503: "Something that is configured does not answer, or is busy; says what to start",
}


def describe(app: FastAPI) -> None:
    """Has ``app`` say all of this in its OpenAPI document."""

    @cache
    def described() -> Json:
        return _described(get_openapi(title=app.title, version=app.version, summary=app.summary, routes=app.routes))

    app.openapi = described  # type: ignore[method-assign]


def _described(said: Json) -> Json:
    models = sorted({*GIVES.values(), Problem, OpenAIError}, key=lambda model: str(model.__name__))
    refs, definitions = models_json_schema(
        [(model, "serialization") for model in models], ref_template=_REF + "{model}"
    )
    said.setdefault("components", {}).setdefault("schemas", {}).update(definitions["$defs"])
    for path, operations in said["paths"].items():
        for method, operation in operations.items():
            if method in _HTTP_METHODS:
                _describe_success(operation, (method, path), refs)
                _describe_errors(operation, method, path)
    for unused in ("HTTPValidationError", "ValidationError"):
        said["components"]["schemas"].pop(unused, None)
    return said


def _describe_success(operation: Json, call: tuple[str, str], refs: Any) -> None:
    status = next(status for status in operation["responses"] if status.startswith(("2", "3")))
    content = operation["responses"][status].get("content", {})
    if call in GIVES:
        content["application/json"] = {"schema": refs[GIVES[call], "serialization"]}
    if call in STREAMED:
        if call not in GIVES:
            content.clear()
        content["text/event-stream"] = {"schema": EVENT}
    if content:
        operation["responses"][status]["content"] = content


def _describe_errors(operation: Json, method: str, path: str) -> None:
    for status in _statuses(operation, method, path):
        stated = {"description": STATUSES[status]}
        if path == "/readyz" and status == 503:
            operation["responses"]["503"] = {
                "description": "Names what is not ready",
                "content": {"application/json": {"schema": {"$ref": _REF + "Readiness"}}},
            }
            continue
        is_openai = path.startswith(OPENAI_PATHS)
        kind, form = ("application/json", "OpenAIError") if is_openai else ("application/problem+json", "Problem")
        described = {
            **operation["responses"].get(str(status), {}),
            "content": {kind: {"schema": {"$ref": _REF + form}}},
        }
        operation["responses"][str(status)] = stated | described
        if status in (429, 503):
            header = {"description": "Seconds after which to come again", "schema": {"type": "integer"}}
            operation["responses"][str(status)]["headers"] = {"Retry-After": header}
    if path.startswith(OPENAI_PATHS):
        operation["responses"].pop("422", None)


def _statuses(operation: Json, method: str, path: str) -> list[int]:
    """The errors that a call may end with, ascending."""
    found = {421, 431, 503}
    if path.startswith("/v1/"):
        found |= {401, 403, 429}
    body = operation.get("requestBody")
    if body or operation.get("parameters"):
        found |= {400, 404} if path.startswith(OPENAI_PATHS) else {404, 422}
    if path == "/metrics":
        found |= {401, 403}
    if path.startswith("/v1/session/oidc"):
        found |= {404}
    if body or method not in _SAFE:
        found |= {408, 413}
    if body:
        found |= {400}
        found |= {415} if "multipart/form-data" in body["content"] else set()
    if path in ASKS_A_MODEL:
        found |= {502}
    return sorted(found)
