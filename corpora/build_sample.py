"""Render the PDF and DOCX files of the sample corpus and refresh manifest.toml.

Every manifest entry whose file ends in .pdf or .docx is typeset from
sources/<stem>.md. All sha256 values in the manifest are then rewritten.
Dates and ids are fixed, so the same inputs, fonts and package versions give
the same bytes.

Needs Python 3.11+, python-docx 1.2 and fpdf2 2.8 from PyPI, and the fonts DejaVu
Sans (Debian: fonts-dejavu-core) and Noto Sans CJK (fonts-noto-cjk). Other places
for them can be named in TAIYI_FONTS_DEJAVU and TAIYI_FONTS_NOTO_CJK.
"""

from __future__ import annotations

import hashlib
import io
import logging
import os
import re
import tomllib
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Literal

from docx import Document
from docx.oxml.ns import qn
from fpdf import FPDF

HERE = Path(__file__).resolve().parent
SAMPLE = HERE / "sample"
SOURCES = HERE / "sources"
MANIFEST = SAMPLE / "manifest.toml"

DEJAVU = Path(os.environ.get("TAIYI_FONTS_DEJAVU", "/usr/share/fonts/truetype/dejavu"))
NOTO_CJK = Path(os.environ.get("TAIYI_FONTS_NOTO_CJK", "/usr/share/fonts/opentype/noto"))
FONTS = {
    "en": {"": DEJAVU / "DejaVuSans.ttf", "B": DEJAVU / "DejaVuSans-Bold.ttf"},
    "zh": {"": NOTO_CJK / "NotoSansCJK-Regular.ttc", "B": NOTO_CJK / "NotoSansCJK-Bold.ttc"},
}
FONT_NUMBER = {"en": 0, "zh": 2}  # Simplified Chinese is the third font of the collection

BODY, H1, H2, SMALL = 10.5, 18.0, 13.5, 8.0  # point sizes
MARGIN = 25.0  # millimetres
NO_LINE_START = "，。、；：？！）》」』】％～,.;:?!)]%"
NO_LINE_END = "（《「『【([～"
CJK = "\u2e80-\u9fff\uf900-\ufaff\uff00-\uffef"
TOKENS = re.compile(rf"[^\s{CJK}]+|\s+|[{CJK}]")

RUNNING_HEAD = {
    "en": "Taiyi RAG demonstration text - page {}",
    "zh": "Taiyi RAG 演示文本 - 第 {} 页",
}
RUNNING_FOOT = {
    "en": "No guideline, no medical advice - CC BY 4.0",
    "zh": "并非指南，不能作为诊疗依据 - CC BY 4.0",
}

Kind = Literal["h1", "h2", "p", "li", "table"]


@dataclass
class Block:
    """One block of a source text."""

    kind: Kind
    text: str = ""
    rows: list[list[str]] = field(default_factory=list)


def parse(markdown: str) -> Iterator[Block]:
    """Split the small Markdown subset of the sources into blocks."""
    rows: list[list[str]] = []
    for line in [*markdown.splitlines(), ""]:
        if line.startswith("|"):
            cells = [cell.strip() for cell in line.strip("|").split("|")]
            if not all(re.fullmatch(r":?-+:?", cell) for cell in cells):
                rows.append(cells)
            continue
        if rows:
            yield Block("table", rows=rows)
            rows = []
        if line.startswith("# "):
            yield Block("h1", line[2:])
        elif line.startswith("## "):
            yield Block("h2", line[3:])
        elif line.startswith("- "):
            yield Block("li", line[2:])
        elif line.strip():
            yield Block("p", line.strip())


class Page(FPDF):
    """A4 pages with a running head and foot, and line breaking for both languages."""

    def __init__(self, language: str) -> None:
        super().__init__(format="A4")
        self.language = language
        self.set_margin(MARGIN)
        self.set_auto_page_break(True, margin=MARGIN)
        for style, path in FONTS[language].items():
            self.add_font("body", style, path, collection_font_number=FONT_NUMBER[language])

    def _running_line(self, text: str, y: float) -> None:
        self.set_y(y)
        self.set_font("body", "", SMALL)
        self.cell(0, 4, text, align="C")
        self.set_y(MARGIN)

    def header(self) -> None:
        self._running_line(RUNNING_HEAD[self.language].format(self.page_no()), 12)

    def footer(self) -> None:
        self._running_line(RUNNING_FOOT[self.language], -16)

    def wrap(self, text: str, width: float) -> list[str]:
        """Break text into lines: at spaces, and between CJK characters."""
        units: list[str] = []  # pieces that stay on one line
        for token in TOKENS.findall(text):
            if units and (token[0] in NO_LINE_START or units[-1][-1] in NO_LINE_END):
                units[-1] += token
            else:
                units.append(token)
        lines = [""]
        for unit in units:
            if lines[-1] and self.get_string_width((lines[-1] + unit).rstrip()) > width:
                lines.append("")
            lines[-1] += unit if lines[-1] else unit.lstrip()
        return [line.rstrip() for line in lines]

    def lines(self, text: str, size: float, style: str = "", indent: float = 0.0) -> None:
        self.set_font("body", style, size)
        height = size * 0.3528 * 1.55
        for line in self.wrap(text, self.epw - indent - 1):
            if self.will_page_break(height):
                self.add_page()
                self.set_font("body", style, size)
            self.set_x(MARGIN + indent)
            self.cell(0, height, line, new_x="LMARGIN", new_y="NEXT")

    def table_rows(self, rows: list[list[str]]) -> None:
        height = 5.2
        columns = max(len(row) for row in rows)
        width = self.epw / columns
        for number, row in enumerate(rows):
            self.set_font("body", "B" if number == 0 else "", 9.5)
            cells = [self.wrap(cell, width - 4) for cell in row]
            tall = max(len(cell) for cell in cells) * height + 2
            if self.will_page_break(tall):
                self.add_page()
                self.set_font("body", "B" if number == 0 else "", 9.5)
            top = self.get_y()
            for column, cell in enumerate(cells):
                left = MARGIN + column * width
                self.rect(left, top, width, tall)
                for index, line in enumerate(cell):
                    self.set_xy(left + 1, top + 1 + index * height)
                    self.cell(width - 2, height, line)
            self.set_xy(MARGIN, top + tall)
        self.ln(3)


def stamp(day: date) -> datetime:
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def render_pdf(source: str, entry: dict[str, object], target: Path) -> None:
    """Typeset one source text as a PDF."""
    language = str(entry["language"])
    pdf = Page(language)
    pdf.set_title(str(entry["title"]))
    pdf.set_author(str(entry["publisher"]))
    pdf.set_lang({"en": "en", "zh": "zh-CN"}[language])
    pdf.set_creation_date(stamp(date.fromisoformat(str(entry["published"]))))
    pdf.add_page()
    for block in parse(source):
        if block.kind == "h1":
            pdf.lines(block.text, H1, "B")
            pdf.ln(3)
        elif block.kind == "h2":
            if pdf.will_page_break(24):
                pdf.add_page()
            pdf.ln(2)
            pdf.lines(block.text, H2, "B")
            pdf.ln(1.5)
        elif block.kind == "li":
            pdf.lines("• " + block.text, BODY, indent=4)
        elif block.kind == "table":
            pdf.table_rows(block.rows)
        else:
            pdf.lines(block.text, BODY)
            pdf.ln(2)
    target.write_bytes(bytes(pdf.output()))


def render_docx(source: str, entry: dict[str, object], target: Path) -> None:
    """Typeset one source text as a DOCX file with fixed dates."""
    language = str(entry["language"])
    doc = Document()
    if language == "zh":
        for name in ("Normal", "Title", "Heading 1"):
            fonts = doc.styles[name].element.get_or_add_rPr().get_or_add_rFonts()
            fonts.set(qn("w:eastAsia"), "Noto Sans CJK SC")
    section = doc.sections[0]
    section.header.paragraphs[0].text = RUNNING_HEAD[language].split(" - ")[0]
    section.footer.paragraphs[0].text = RUNNING_FOOT[language]
    for block in parse(source):
        if block.kind == "h1":
            doc.add_heading(block.text, level=0)
        elif block.kind == "h2":
            doc.add_heading(block.text, level=1)
        elif block.kind == "li":
            doc.add_paragraph(block.text, style="List Bullet")
        elif block.kind == "table":
            table = doc.add_table(rows=0, cols=len(block.rows[0]), style="Table Grid")
            for number, row in enumerate(block.rows):
                for cell, text in zip(table.add_row().cells, row, strict=True):
                    cell.paragraphs[0].add_run(text).bold = number == 0
            doc.add_paragraph()
        else:
            doc.add_paragraph(block.text)
    props = doc.core_properties
    props.title = str(entry["title"])
    props.author = props.last_modified_by = str(entry["publisher"])
    props.language = {"en": "en", "zh": "zh-CN"}[language]
    props.comments = ""
    props.created = props.modified = stamp(date.fromisoformat(str(entry["published"])))
    raw = io.BytesIO()
    doc.save(raw)
    with zipfile.ZipFile(raw) as old, zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as new:
        for item in old.infolist():
            fixed = zipfile.ZipInfo(item.filename, date_time=(1980, 1, 1, 0, 0, 0))
            fixed.compress_type = zipfile.ZIP_DEFLATED
            new.writestr(fixed, old.read(item.filename))


def refresh_hashes(text: str) -> str:
    """Put the sha256 of each file into its manifest table."""

    def update(match: re.Match[str]) -> str:
        table = match.group(0)
        name = tomllib.loads(table)["document"][0]["file"]
        digest = hashlib.sha256((SAMPLE / name).read_bytes()).hexdigest()
        return re.sub(r'^sha256 = ".*"$', f'sha256 = "{digest}"', table, flags=re.M)

    return re.sub(r"\[\[document\]\]\n(?:(?!\[\[document\]\]).*\n?)+", update, text)


def main() -> None:
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    text = MANIFEST.read_text(encoding="utf-8")
    for entry in tomllib.loads(text)["document"]:
        target = SAMPLE / entry["file"]
        if target.suffix not in {".pdf", ".docx"}:
            continue
        source = (SOURCES / f"{target.stem}.md").read_text(encoding="utf-8")
        render = render_pdf if target.suffix == ".pdf" else render_docx
        render(source, entry, target)
    MANIFEST.write_text(refresh_hashes(text), encoding="utf-8")


if __name__ == "__main__":
    main()
