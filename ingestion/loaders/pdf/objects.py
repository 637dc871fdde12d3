"""What a page draws, object by object: where its images, ruled lines and filled shapes lie, and how text is painted.

A PDF can hold many more objects than a reader sees; of the shapes only the large ones are kept, and of a page with very
many objects the first ones.
"""

import ctypes
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from pypdfium2 import raw as pdfium

from ingestion.loaders.pdf.geometry import Rect

MAX_OBJECTS = 50_000
_MAX_DEPTH = 8
_MAX_SEGMENTS = 400
_MAX_SHAPES = 60
_MAX_RULES = 2_000
_MIN_SHAPE_AREA = 60.0
_RULE_WIDTH = 2.5
_MIN_RULE_LENGTH = 6.0
_OPAQUE = 250

Matrix = tuple[float, float, float, float, float, float]
Colour = tuple[int, int, int, int]
_IDENTITY: Matrix = (1.0, 0.0, 0.0, 1.0, 0.0, 0.0)


@dataclass(frozen=True, slots=True)
class Shape:
    """A filled path, or an image where ``colour`` is None. ``order`` counts up in the order of drawing."""

    rect: Rect
    colour: Colour | None
    order: int


@dataclass(slots=True)
class Drawn:
    """``texts`` has each text object, its place in the order of drawing and the matrix of the forms around it, by its
    address. ``rules`` are thin rectangles, level or upright.
    """

    texts: dict[int, tuple[Any, int, Matrix]] = field(default_factory=dict)
    shapes: list[Shape] = field(default_factory=list)
    rules: list[Rect] = field(default_factory=list)
    images: list[Rect] = field(default_factory=list)
    paths: int = 0


def drawn_on(page: Any) -> Drawn:
    """What ``page`` (an FPDF_PAGE) draws, in the file's space."""
    drawn = Drawn()
    for number, (item, kind, matrix) in enumerate(_objects(page)):
        if kind == pdfium.FPDF_PAGEOBJ_TEXT:
            drawn.texts[address(item)] = item, number, matrix
        elif kind == pdfium.FPDF_PAGEOBJ_IMAGE:
            if (rect := bounds(item, matrix)) is not None:
                drawn.images.append(rect)
                drawn.shapes.append(Shape(rect, None, number))
        elif kind == pdfium.FPDF_PAGEOBJ_PATH:
            drawn.paths += 1
            _add_path(drawn, item, matrix, number)
    drawn.shapes.sort(key=lambda shape: -shape.rect.area)
    del drawn.shapes[_MAX_SHAPES:]
    return drawn


def address(item: Any) -> int:
    """The same number for each handle of one object; 0 for none."""
    return ctypes.addressof(item.contents) if item else 0


def _objects(page: Any) -> Iterator[tuple[Any, int, Matrix]]:
    """Each object but forms, those in forms too, in the order of drawing, with the matrix of the forms around it."""
    left = MAX_OBJECTS
    stack: list[tuple[Iterator[Any], Matrix]] = [
        (map(pdfium.FPDFPage_GetObject, _same(page), range(pdfium.FPDFPage_CountObjects(page))), _IDENTITY)
    ]
    while stack and left:
        items, matrix = stack[-1]
        item = next(items, None)
        if item is None:
            stack.pop()
            continue
        left -= 1
        kind = pdfium.FPDFPageObj_GetType(item)
        if kind != pdfium.FPDF_PAGEOBJ_FORM:
            yield item, kind, matrix
        elif len(stack) < _MAX_DEPTH:
            count = pdfium.FPDFFormObj_CountObjects(item)
            inner = map(pdfium.FPDFFormObj_GetObject, _same(item), range(max(count, 0)))
            stack.append((inner, _combined(_matrix(item), matrix)))


def _same(item: Any) -> Iterator[Any]:
    while True:
        yield item


def _matrix(item: Any) -> Matrix:
    matrix = pdfium.FS_MATRIX()
    if not pdfium.FPDFPageObj_GetMatrix(item, matrix):
        return _IDENTITY
    return matrix.a, matrix.b, matrix.c, matrix.d, matrix.e, matrix.f


def _combined(inner: Matrix, outer: Matrix) -> Matrix:
    if outer == _IDENTITY:
        return inner
    a, b, c, d, e, f = inner
    p, q, r, s, t, u = outer
    return a * p + b * r, a * q + b * s, c * p + d * r, c * q + d * s, e * p + f * r + t, e * q + f * s + u


def _point(x: float, y: float, matrix: Matrix) -> tuple[float, float]:
    a, b, c, d, e, f = matrix
    return a * x + c * y + e, b * x + d * y + f


def bounds(item: Any, matrix: Matrix) -> Rect | None:
    """Where an object lies in the file's space."""
    left, bottom, right, top = (ctypes.c_float() for _ in range(4))
    if not pdfium.FPDFPageObj_GetBounds(item, left, bottom, right, top):
        return None
    rect = Rect(left.value, bottom.value, right.value, top.value)
    return rect if matrix == _IDENTITY else _moved(rect, matrix)


def _moved(rect: Rect, matrix: Matrix) -> Rect:
    corners = [_point(x, y, matrix) for x in (rect.left, rect.right) for y in (rect.bottom, rect.top)]
    xs, ys = [x for x, _ in corners], [y for _, y in corners]
    return Rect(min(xs), min(ys), max(xs), max(ys))


def _add_path(drawn: Drawn, item: Any, matrix: Matrix, number: int) -> None:
    rect = bounds(item, matrix)
    if rect is None:
        return
    is_thin = min(rect.width, rect.height) <= _RULE_WIDTH
    if is_thin:
        if max(rect.width, rect.height) >= _MIN_RULE_LENGTH and len(drawn.rules) < _MAX_RULES:
            drawn.rules.append(rect)
        return
    fill, stroke = ctypes.c_int(), ctypes.c_int()
    if not pdfium.FPDFPath_GetDrawMode(item, fill, stroke):
        return
    if fill.value and rect.area >= _MIN_SHAPE_AREA and (colour := colour_of(item)) and colour[3] >= _OPAQUE:
        drawn.shapes.append(Shape(rect, colour, number))
    if stroke.value or fill.value:
        for rule in _segments(item, _combined(_matrix(item), matrix), bool(stroke.value)):
            if len(drawn.rules) < _MAX_RULES:
                drawn.rules.append(rule)


def _segments(path: Any, matrix: Matrix, stroked: bool) -> Iterator[Rect]:
    """The straight level and upright lines that ``path`` strokes, and the thin rectangles that it fills."""
    count = pdfium.FPDFPath_CountSegments(path)
    if not 2 <= count <= _MAX_SEGMENTS:
        return
    x, y = ctypes.c_float(), ctypes.c_float()
    outline: list[tuple[float, float]] = []
    for index in range(count):
        segment = pdfium.FPDFPath_GetPathSegment(path, index)
        kind = pdfium.FPDFPathSegment_GetType(segment)
        if kind == pdfium.FPDF_SEGMENT_BEZIERTO or not pdfium.FPDFPathSegment_GetPoint(segment, x, y):
            outline = []
            continue
        if kind == pdfium.FPDF_SEGMENT_MOVETO:
            outline = []
        outline.append(_point(x.value, y.value, matrix))
        is_closed = pdfium.FPDFPathSegment_GetClose(segment)
        if stroked and len(outline) > 1:
            yield from _rule(outline[-2], outline[-1])
            if is_closed:
                yield from _rule(outline[-1], outline[0])
        elif not stroked and len(outline) >= 4 and (is_closed or index == count - 1):
            xs, ys = [a for a, _ in outline], [b for _, b in outline]
            rect = Rect(min(xs), min(ys), max(xs), max(ys))
            if min(rect.width, rect.height) <= _RULE_WIDTH and max(rect.width, rect.height) >= _MIN_RULE_LENGTH:
                yield rect


def _rule(start: tuple[float, float], end: tuple[float, float]) -> Iterator[Rect]:
    rect = Rect(min(start[0], end[0]), min(start[1], end[1]), max(start[0], end[0]), max(start[1], end[1]))
    if min(rect.width, rect.height) <= 1.0 and max(rect.width, rect.height) >= _MIN_RULE_LENGTH:
        yield rect


def colour_of(item: Any, stroke: bool = False) -> Colour | None:
    """The red, green, blue and opacity (0 to 255) in which an object is filled, or stroked; None if unknown."""
    red, green, blue, alpha = (ctypes.c_uint() for _ in range(4))
    get = pdfium.FPDFPageObj_GetStrokeColor if stroke else pdfium.FPDFPageObj_GetFillColor
    return (red.value, green.value, blue.value, alpha.value) if get(item, red, green, blue, alpha) else None
