"""The HTTP calls that show where a passage stands on the pages of its source."""

import hashlib
from dataclasses import dataclass
from typing import Annotated, Any

from anyio.to_thread import run_sync
from fastapi import APIRouter, Query, Request, Response

from api import wire
from api.access import Asker
from api.drawing import Drawing
from api.routes import OpenSystem
from ingestion.pages import Marks, PagedPassage, Pages
from rag import catalog
from rag.errors import InvalidRequest, NotFound
from rag.sources import source_of
from rag.system import System
from rag.types import Caller

WIDTHS = (400, 800, 1200, 1600, 2400)
"""How wide a page is drawn, in pixels: few, so that a page that was drawn is found again."""
PNG: dict[int | str, Any] = {
    200: {"content": {"image/png": {}}, "description": "The page"},
    304: {"description": "The page that is known"},
}
router = APIRouter(prefix="/v1")

CharStart = Annotated[int | None, Query(ge=0, description="Where the words begin in the edition's text")]
CharEnd = Annotated[int | None, Query(ge=0, description="Where the words end in the edition's text")]


@dataclass(frozen=True, slots=True)
class _Asked:
    """A passage and the part of its text to be marked."""

    passage: PagedPassage
    start: int
    end: int


@router.get("/passages/{passage_id}/boxes")
async def show_boxes(
    passage_id: str,
    request: Request,
    system: OpenSystem,
    caller: Asker,
    char_start: CharStart = None,
    char_end: CharEnd = None,
) -> wire.Json:
    """Where words of a passage, by default all of it, stand on the pages of its source: ``[page, left, top, right,
    bottom]`` for each line, in points from the page's top left corner, and the size of each page with one. ``exact`` is
    false where the page does not tell, and all lines of the passage are given. 404 where the source has no pages."""
    drawing: Drawing = request.app.state.drawing
    asked = await run_sync(_asked, system, drawing.pages, caller, passage_id, char_start, char_end)
    marks = await drawing.run(caller.id, drawing.pages.marks, asked.passage, asked.start, asked.end)
    sizes = [{"page": page, "width": width, "height": height} for page, (width, height) in marks.sizes.items()]
    return {"page_count": marks.page_count, "pages": sizes, "boxes": marks.boxes, "exact": marks.exact}


@router.get("/passages/{passage_id}/page.png", response_class=Response, responses=PNG)
async def show_page(
    passage_id: str,
    request: Request,
    system: OpenSystem,
    caller: Asker,
    char_start: CharStart = None,
    char_end: CharEnd = None,
    page: Annotated[int | None, Query(ge=1, description="Which page; the first with a mark where left out")] = None,
    width: Annotated[int, Query(ge=1, le=WIDTHS[-1], description="Pixels that it is to be wide, at least")] = 1200,
) -> Response:
    """A page of a passage's source as an image, words of the passage, by default all of it, marked. 404 where the
    source has no pages, or not that one."""
    drawing: Drawing = request.app.state.drawing
    asked = await run_sync(_asked, system, drawing.pages, caller, passage_id, char_start, char_end)
    wide = next(one for one in WIDTHS if one >= width)
    headers = {"cache-control": "private, no-cache", "etag": _etag(asked, page, wide)}
    if headers["etag"] in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    image = await drawing.run(caller.id, _image, drawing.pages, asked, page, wide)
    return Response(image, media_type="image/png", headers=headers)


def _image(pages: Pages, asked: _Asked, page: int | None, width: int) -> bytes:
    marks = pages.marks(asked.passage, asked.start, asked.end)
    return pages.image(asked.passage, marks, page or _first_page(marks), width)


def _first_page(marks: Marks) -> int:
    return marks.boxes[0][0] if marks.boxes else 1


def _asked(
    system: System, pages: Pages, caller: Caller, passage_id: str, char_start: int | None, char_end: int | None
) -> _Asked:
    """Raises NotFound for a passage that the caller may not see and for one without pages, InvalidRequest for a place
    outside of it."""
    with system.database.reading() as session:
        passage, _, _ = catalog.passage_with_neighbours(session, caller, passage_id)
        source = source_of(session, passage_id)
    if not pages.has(source.sha256, source.format):
        raise NotFound(
            f"The source of passage {passage_id} has no pages to show ({source.format}): GET /v1/passages/{passage_id} "
            "has its text"
        )
    start = passage.char_start if char_start is None else max(char_start, passage.char_start)
    end = passage.char_end if char_end is None else min(char_end, passage.char_end)
    if start >= end:
        raise InvalidRequest(
            f"char_start: the passage reaches from {passage.char_start} to {passage.char_end}; state a part of that"
        )
    shown = PagedPassage(source.sha256, source.lines, passage.text)
    return _Asked(shown, start - passage.char_start, end - passage.char_start)


def _etag(asked: _Asked, page: int | None, width: int) -> str:
    said = repr((asked, page, width)).encode()
    return f'"{hashlib.sha256(said).hexdigest()[:32]}"'
