"""The HTTP calls about runs over question sets: what the ledger of evaluations holds, for administrators.

They read the ledger alone and take no path; where a run wrote its files is not told.
"""

from typing import Annotated, Literal

from fastapi import APIRouter, Depends, Query, Response
from fastapi.responses import HTMLResponse

from api import wire
from api.access import Asker, administrator
from api.routes import OpenSystem
from rag import ledger
from rag.types import Caller

router = APIRouter(prefix="/v1/runs")


def _admin(caller: Asker) -> Caller:
    return administrator(caller)


Admin = Annotated[Caller, Depends(_admin)]
_Offset = Annotated[int, Query(ge=0, lt=2**31)]


@router.get("")
def list_runs(
    system: OpenSystem, caller: Admin, limit: Annotated[int, Query(ge=1, le=1000)] = 50, offset: _Offset = 0
) -> wire.Json:
    """The runs over question sets that the ledger holds, newest first. For administrators of all collections."""
    with system.database.reading() as session:
        found, total = ledger.runs(session, limit, offset), ledger.count(session)
    return {"runs": [wire.run_summary_json(one) for one in found], "total": total}


@router.get("/{run_id}")
def show_run(run_id: str, system: OpenSystem, caller: Admin) -> wire.Json:
    """What was run, and what it came to, as in its `metrics.json`. For administrators of all collections."""
    with system.database.reading() as session:
        found = ledger.head(session, run_id)
    return {name: value for name, value in wire.run_json(found).items() if name != "folder"}


@router.get("/{run_id}/questions")
def list_questions(
    run_id: str,
    system: OpenSystem,
    caller: Admin,
    differing: bool = False,
    limit: Annotated[int, Query(ge=1, le=200)] = 20,
    offset: _Offset = 0,
) -> wire.Json:
    """Questions of a run with what every arm made of them, in their order; with `differing` those on which not all arms
    chose the same. Of a run on the library no words were kept. For administrators of all collections."""
    with system.database.reading() as session:
        found, total = ledger.questions(session, run_id, limit, offset, differing)
    return {"questions": [wire.kept_question_json(one) for one in found], "total": total}


@router.get("/{run_id}/report", response_class=HTMLResponse)
def show_report(run_id: str, system: OpenSystem, caller: Admin, language: Literal["en", "zh"] = "en") -> Response:
    """The report of a run with its tables and plots, without examples. For administrators of all collections."""
    from api.qa_evaluation import kept_evaluation
    from api.qa_report import qa_report
    from api.report import policy_of

    with system.database.reading() as session:
        found = ledger.head(session, run_id)
    page = qa_report(kept_evaluation(found), (language,))
    return HTMLResponse(page, headers={"content-security-policy": policy_of(page)})
