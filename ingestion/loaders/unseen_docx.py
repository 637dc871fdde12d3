"""What Word does not show of a document: runs that are hidden, too small to see, or in the colour of what is behind.

A run's own formatting counts before its style's, then its paragraph's. What is behind it is its shading, highlight,
paragraph, table cell or page; where a table takes its colours from a style, and in a text box, that is not known.
"""

from collections.abc import Iterator
from typing import Any

from docx.oxml import OxmlElement
from docx.oxml.ns import qn

from ingestion.loaders.unseen import NOT_DISPLAYED, WHITE, Colour, colour_of_hex, why_unseen

UNSEEN = "unseen"
"""The attribute of a paragraph that holds what was not shown: why."""

_HIGHLIGHTS = {
    "black": Colour(0, 0, 0),
    "white": WHITE,
    "yellow": Colour(255, 255, 0),
    "green": Colour(0, 255, 0),
    "cyan": Colour(0, 255, 255),
    "magenta": Colour(255, 0, 255),
    "blue": Colour(0, 0, 255),
    "red": Colour(255, 0, 0),
}
_OFF = ("0", "false", "off")


def set_unseen_apart(word: Any) -> None:
    """Moves each run that is not shown into a paragraph of its own, after its paragraph or the table that holds it."""
    styles = {style.style_id: style.element for style in word.styles}
    page = word.element.find(qn("w:background"))
    behind_all = colour_of_hex(page.get(qn("w:color"))) if page is not None else WHITE
    for paragraph in list(word.element.body.iter(qn("w:p"))):
        unseen = [(run, why) for run in paragraph.iter(qn("w:r")) if (why := _why(run, paragraph, styles, behind_all))]
        if unseen:
            _set_apart(paragraph, unseen)


def _set_apart(paragraph: Any, unseen: list[tuple[Any, str]]) -> None:
    anchor = paragraph
    for above in paragraph.iterancestors(qn("w:tbl"), qn("w:p")):
        anchor = above
    apart: Any = None
    for run, why in unseen:
        if not any(child.text for child in run.iter(qn("w:t"))):
            continue
        if apart is None or apart.get(UNSEEN) != why:
            apart = OxmlElement("w:p")
            apart.set(UNSEEN, why)
            anchor.addnext(apart)
            anchor = apart
        apart.append(run)


def _why(run: Any, paragraph: Any, styles: dict[str, Any], page: Colour | None) -> str | None:
    if next(run.iterancestors(qn("w:p")), None) is not paragraph:
        return None  # a run in a text box, which is a matter of the paragraph there
    formats = list(_formats(run, paragraph, styles))
    vanish = next((stated for form in formats if (stated := form.find(qn("w:vanish"))) is not None), None)
    if vanish is not None and vanish.get(qn("w:val")) not in _OFF:
        return NOT_DISPLAYED
    colour = colour_of_hex(_stated(formats, "w:color"))
    size = _stated(formats, "w:sz")
    points = int(size) / 2 if size is not None and size.isdecimal() else None
    return why_unseen(colour, _behind(formats, paragraph, styles, page) if colour else None, points)


def _formats(run: Any, paragraph: Any, styles: dict[str, Any]) -> Iterator[Any]:
    """The run's properties, strongest first: its own, its style's, its paragraph's style's."""
    own = run.find(qn("w:rPr"))
    if own is not None:
        yield own
        yield from _of_style(own.find(qn("w:rStyle")), styles)
    yield from _of_style(paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}"), styles)


def _of_style(stated: Any, styles: dict[str, Any]) -> Iterator[Any]:
    seen: set[str] = set()
    while stated is not None and (name := stated.get(qn("w:val"))) in styles and name not in seen:
        seen.add(name)
        if (form := styles[name].find(qn("w:rPr"))) is not None:
            yield form
        stated = styles[name].find(qn("w:basedOn"))


def _stated(formats: list[Any], name: str) -> str | None:
    found = (form.find(qn(name)) for form in formats)
    return next((element.get(qn("w:val")) for element in found if element is not None), None)


def _behind(formats: list[Any], paragraph: Any, styles: dict[str, Any], page: Colour | None) -> Colour | None:
    highlight = _stated(formats, "w:highlight")
    if highlight not in (None, "none"):
        return _HIGHLIGHTS.get(highlight or "")
    shades = [form.find(qn("w:shd")) for form in formats] + paragraph.xpath("./w:pPr/w:shd")
    for above in paragraph.iterancestors(qn("w:tc"), qn("w:txbxContent")):
        if above.tag == qn("w:txbxContent"):
            return _first_fill(shades)
        shades += above.xpath("./w:tcPr/w:shd")
        if _first_fill(shades) is None and any(_is_shaded(table, styles) for table in above.iterancestors(qn("w:tbl"))):
            return None
    return _first_fill(shades) or page


def _first_fill(shades: list[Any]) -> Colour | None:
    fills = (colour_of_hex(shade.get(qn("w:fill"))) for shade in shades if shade is not None)
    return next((fill for fill in fills if fill), None)


def _is_shaded(table: Any, styles: dict[str, Any]) -> bool:
    stated = table.find(f"{qn('w:tblPr')}/{qn('w:tblStyle')}")
    style = styles.get(stated.get(qn("w:val"))) if stated is not None else None
    return style is not None and next(style.iter(qn("w:shd")), None) is not None
