"""Which text of a page a reader does not see: invisible by its mode, in the colour of what lies behind it, or covered.

What is cheap to see from the objects names suspects; whether a suspect leaves a mark on the page is found out by
drawing the page with it and without it. The text that OCR lays over or under the picture of a page is not hidden: it is
that page's text.
"""

from typing import Any

import numpy as np
from pypdfium2 import raw as pdfium

from ingestion.loaders.pdf.geometry import Rect, Turned
from ingestion.loaders.pdf.objects import Colour, Drawn, bounds, colour_of

INVISIBLE = "invisible"
WHITE_ON_WHITE = "white on white"
SAME_COLOUR = "in the colour of its background"
COVERED = "covered"
ZERO_SIZE = "zero size"
OFF_THE_PAGE = "off the page"

_WHITE: Colour = (255, 255, 255, 255)
_NEAR = 40
_SEEN = 24
_TRANSPARENT = 16
_PICTURED_SHARE = 0.5
_PIXELS_A_POINT = 1.5
_MAX_PIXELS = 2_000


def pictured_share(drawn: Drawn, page: Turned) -> float:
    """The share of the page that images cover, counting twice where they overlap."""
    return sum(rect.common(page.region).area for rect in drawn.images) / max(page.region.area, 1.0)


def hidden_texts(page: Any, drawn: Drawn, sheet: Turned) -> dict[int, str]:
    """Why it is hidden, for each text object (by its address) of ``page`` (pypdfium2's) that is."""
    is_scan = pictured_share(drawn, sheet) >= _PICTURED_SHARE
    found: dict[int, str] = {}
    suspects: dict[int, tuple[str, Rect]] = {}
    for key, (text, order, matrix) in drawn.texts.items():
        mode = pdfium.FPDFTextObj_GetTextRenderMode(text)
        is_stroked = mode == pdfium.FPDF_TEXTRENDERMODE_STROKE
        colour = colour_of(text, stroke=is_stroked) or (0, 0, 0, 255)
        is_unpainted = mode in (pdfium.FPDF_TEXTRENDERMODE_INVISIBLE, pdfium.FPDF_TEXTRENDERMODE_CLIP)
        is_unpainted = is_unpainted or colour[3] < _TRANSPARENT
        if not (is_unpainted or drawn.shapes or _alike(colour, _WHITE)):
            continue
        rect = bounds(text, matrix)
        if rect is None or (is_scan and any(image.holds(rect) for image in drawn.images)):
            continue
        if is_unpainted:
            found[key] = INVISIBLE
        elif reason := _suspicion(rect, colour, order, drawn):
            suspects[key] = reason, rect
    if suspects:
        texts = [drawn.texts[key][0] for key in suspects]
        unseen = _unseen(page, texts, {key: rect for key, (_, rect) in suspects.items()}, sheet)
        found.update({key: suspects[key][0] for key in unseen})
    return found


def _suspicion(rect: Rect, colour: Colour, order: int, drawn: Drawn) -> str | None:
    behind, behind_order = _WHITE, -1
    is_on_image = False
    for shape in drawn.shapes:
        if not shape.rect.holds(rect):
            continue
        if shape.order > order:
            return COVERED
        if shape.order > behind_order:
            behind, behind_order, is_on_image = shape.colour or _WHITE, shape.order, shape.colour is None
    if not _alike(colour, behind):
        return None
    return WHITE_ON_WHITE if _alike(colour, _WHITE) and not is_on_image else SAME_COLOUR


def _alike(one: Colour, other: Colour) -> bool:
    return all(abs(a - b) <= _NEAR for a, b in zip(one[:3], other[:3], strict=True))


def _unseen(page: Any, texts: list[Any], rects: dict[int, Rect], sheet: Turned) -> set[int]:
    """The keys of those ``rects``, where ``texts`` stand, in which the page looks the same without these."""
    longest = max(sheet.width, sheet.height, 1.0)
    scale = min(_PIXELS_A_POINT, _MAX_PIXELS / longest)
    with_texts = _drawn(page, scale)
    for text in texts:
        pdfium.FPDFPageObj_SetIsActive(text, False)
    without = _drawn(page, scale)
    for text in texts:
        pdfium.FPDFPageObj_SetIsActive(text, True)
    marks = np.abs(with_texts - without).max(axis=2)
    unseen = set()
    for key, rect in rects.items():
        place = sheet.of(rect)
        top, bottom = (sheet.height - place.top) * scale, (sheet.height - place.bottom) * scale
        part = marks[max(int(top), 0) : int(bottom) + 2, max(int(place.left * scale), 0) : int(place.right * scale) + 2]
        if not part.size or part.max() < _SEEN:
            unseen.add(key)
    return unseen


def _drawn(page: Any, scale: float) -> Any:
    bitmap = page.render(scale=scale, may_draw_forms=False, draw_annots=False)
    pixels = bitmap.to_numpy()[:, :, :3].astype(np.int16)
    bitmap.close()
    return pixels
