"""What a browser does not show of a page: by the ``hidden`` attribute, by ``style`` and by the rules of ``<style>``.

Style sheets outside of the file are not read, so where text is white and nothing states a background, the page counts
as white. Rules within ``@media`` and the like are left out, as are selectors that lxml cannot translate.
"""

import re
from collections.abc import Iterator

import tinycss2
from lxml import cssselect, etree, html
from tinycss2 import color3

from ingestion.loaders.lines import one_line
from ingestion.loaders.unseen import NOT_DISPLAYED, OFF_THE_PAGE, WHITE, ZERO_SIZE, Colour, why_unseen

UNSEEN = "unseen"
Styles = dict[html.HtmlElement, dict[str, str]]

_TELLING = frozenset(
    "display visibility content-visibility font-size opacity color background background-color background-image "
    "position left top right bottom margin-left margin-top text-indent clip clip-path width height overflow "
    "transform".split()
)
_NO_TEXT = frozenset(
    "script style noscript template svg head title option select textarea button iframe object".split()
)
_CONTAINERS = frozenset("body main article section div header footer aside form fieldset center blockquote nav".split())
_PARAGRAPHS = frozenset("p h1 h2 h3 h4 h5 h6 pre address figcaption caption dt dd".split())
_WHOLE = frozenset("table ul ol dl".split())
_LENGTH = re.compile(r"(-?\d*\.?\d+)\s*(px|pt|r?em|%|vw|vh|in|cm|mm)?")
_POINTS = {"px": 0.75, "pt": 1.0, "em": 12.0, "rem": 12.0, "%": 0.12, "in": 72.0, "cm": 28.3, "mm": 2.83, None: 0.75}
_NO_AREA = re.compile(r"rect\(\s*(?:0|1)(?:px)?[\s,]+(?:0|1)(?:px)?[\s,]+(?:0|1)(?:px)?[\s,]+(?:0|1)(?:px)?\s*\)")
_FAR_POINTS = 500.0
_FAINTEST = 0.05


def set_unseen_apart(page: html.HtmlElement) -> None:
    """Takes what is not shown out of ``page``: an empty ``<unseen text="…" why="…">`` follows the part it stood in.

    What holds half of the words of the page or more stays: a script shows it once the page has loaded.
    """
    body = page.find("body")
    if body is None:
        body = page
    styles = _styles(page)
    half = _length(body) / 2
    for element in list(body.iter(etree.Element)):
        if element is body or element.tag in _NO_TEXT or not _is_within(element, body):
            continue
        if (why := _why(element, styles)) and _length(element) < half:
            _set_apart(element, why, body)


def _set_apart(element: html.HtmlElement, why: str, body: html.HtmlElement) -> None:
    marker = html.Element(UNSEEN, text=one_line(" ".join(_texts(element))), why=why)
    above = list(_upwards(element, body))
    whole = [part for part in above if part.tag in _WHOLE]
    anchor = whole[-1] if whole else next((part for part in above if part.tag in _PARAGRAPHS | _CONTAINERS), body)
    if marker.get("text"):
        if anchor.tag not in _CONTAINERS:
            _insert_after(anchor, marker)
        elif element.tag in _PARAGRAPHS | _WHOLE | _CONTAINERS and element.getparent() is anchor:
            element.addprevious(marker)
        else:
            anchor.append(marker)
    element.drop_tree()


def _insert_after(part: html.HtmlElement, marker: html.HtmlElement) -> None:
    marker.tail, part.tail = part.tail, None
    part.addnext(marker)


def _upwards(element: html.HtmlElement, body: html.HtmlElement) -> Iterator[html.HtmlElement]:
    for above in element.iterancestors():
        yield above
        if above is body:
            return


def _texts(element: html.HtmlElement) -> Iterator[str]:
    if element.tag not in _NO_TEXT:
        yield element.text or ""
        for child in element:
            if isinstance(child.tag, str):
                yield from _texts(child)
            yield child.tail or ""


def _is_within(element: html.HtmlElement, body: html.HtmlElement) -> bool:
    return any(above is body for above in element.iterancestors())


def _length(element: html.HtmlElement) -> int:
    return sum(len(part) for text in _texts(element) for part in text.split())


def _styles(page: html.HtmlElement) -> Styles:
    """What the page states for each element that any rule or ``style`` names, the strongest statement last."""
    rules = sorted(_rules(page), key=lambda rule: (rule[0], rule[1]))
    styles: Styles = {}
    for _, _, path, declared in rules:
        for element in path(page):
            styles.setdefault(element, {}).update(declared)
    for element in page.xpath("//*[@style]"):
        styles.setdefault(element, {}).update(_declared(tinycss2.parse_declaration_list(element.get("style"))))
    return styles


def _rules(page: html.HtmlElement) -> Iterator[tuple[tuple[int, int, int], int, cssselect.CSSSelector, dict[str, str]]]:
    order = 0
    for sheet in page.iter("style"):
        if (sheet.get("media") or "all").lower() not in ("all", "screen"):
            continue
        for rule in tinycss2.parse_stylesheet(sheet.text or "", skip_comments=True, skip_whitespace=True):
            if rule.type != "qualified-rule":
                continue
            declared = _declared(tinycss2.parse_declaration_list(rule.content))
            for selector in tinycss2.serialize(rule.prelude).split(",") if declared else ():
                order += 1
                try:
                    path = cssselect.CSSSelector(selector.strip(), translator="html")
                    (parsed,) = cssselect.external_cssselect.parse(selector.strip())
                except cssselect.SelectorError:
                    continue
                yield parsed.specificity(), order, path, declared


def _declared(declarations: list[tinycss2.ast.Node]) -> dict[str, str]:
    return {
        node.lower_name: tinycss2.serialize(node.value).strip().lower()
        for node in declarations
        if node.type == "declaration" and node.lower_name in _TELLING
    }


def _why(element: html.HtmlElement, styles: Styles) -> str | None:
    if element.get("hidden") is not None:
        return NOT_DISPLAYED
    style = styles.get(element, {})
    if not style and element.tag != "font":
        return None
    if style.get("display") == "none" or style.get("visibility") in ("hidden", "collapse"):
        return NOT_DISPLAYED
    if style.get("content-visibility") == "hidden" or _number(style.get("opacity")) < _FAINTEST:
        return NOT_DISPLAYED
    if _is_off_the_page(style):
        return OFF_THE_PAGE
    if "scale(0" in style.get("transform", "").replace(" ", "") and "scale(0." not in style["transform"]:
        return ZERO_SIZE
    if style.get("overflow") == "hidden" and 0 in (_points(style.get("width")), _points(style.get("height"))):
        return ZERO_SIZE
    colour = _colour(style.get("color") or element.get("color", ""))
    if style.get("color") == "transparent":
        return NOT_DISPLAYED
    return why_unseen(colour, _background(element, styles) if colour else None, _points(style.get("font-size")))


def _is_off_the_page(style: dict[str, str]) -> bool:
    if (indent := _points(style.get("text-indent"))) is not None and indent <= -_FAR_POINTS:
        return True
    if style.get("position") in ("absolute", "fixed", "relative"):
        sides = (_points(style.get(side)) for side in ("left", "top", "right", "bottom"))
        if any(side is not None and side <= -_FAR_POINTS for side in sides):
            return True
        if _NO_AREA.search(style.get("clip", "")):
            return True
    margins = (_points(style.get(side)) for side in ("margin-left", "margin-top"))
    if any(margin is not None and margin <= -_FAR_POINTS for margin in margins):
        return True
    return style.get("clip-path", "").replace(" ", "") in ("inset(50%)", "inset(100%)", "circle(0)", "circle(0px)")


def _points(stated: str | None) -> float | None:
    match = _LENGTH.match(stated or "")
    return float(match[1]) * _POINTS.get(match[2], 6.0) if match else None


def _number(stated: str | None) -> float:
    match = _LENGTH.match(stated or "")
    return 1.0 if match is None else float(match[1]) / (100 if match[2] == "%" else 1)


def _colour(stated: str) -> Colour | None:
    parsed = color3.parse_color(stated) if stated else None
    if not isinstance(parsed, color3.RGBA):
        return None
    red, green, blue, alpha = parsed
    return Colour(*(round(255 * part) for part in (red, green, blue))) if alpha > 0 else None


def _background(element: html.HtmlElement, styles: Styles) -> Colour | None:
    """The nearest background stated at or above ``element``, white where there is none, None where it is a picture."""
    for above in (element, *element.iterancestors()):
        style = styles.get(above, {})
        if "url(" in style.get("background-image", "") or "gradient(" in style.get("background-image", ""):
            return None
        stated = style.get("background-color") or style.get("background") or above.get("bgcolor", "")
        if "url(" in stated or "gradient(" in stated or "var(" in stated or above.get("background"):
            return None
        for part in [stated, *stated.split()]:
            if colour := _colour(part):
                return colour
    return WHITE
