"""Tables as text (.csv, .tsv), their delimiter found from their first rows, read as a stream.

Where a column is named as a text is ("text", "abstract", "content", "answer", "正文"), each row is a document: the
title or question, the text, further texts under their column's name, then the columns that are not known as
``Header: value`` lines; columns named as the fields of ``Metadata`` fill them, lists parted at ``;``.
Without such a column the table is one document, a row of the file a row of the table.
"""

import csv
import io
import itertools
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from ingestion.loaders.assemble import heading, paragraph, table_rows
from ingestion.loaders.citation import doi_in, stated_date, valid_date
from ingestion.loaders.lines import language_code, one_line
from ingestion.loaders.source import HEAD_BYTES, document, text_lines
from ingestion.study_designs import study_design_of
from ingestion.types import Block, BlockKind, LoadedDocument, Metadata
from rag.errors import UnreadableFile

MAX_FIELD_CHARACTERS = 16 * 1024 * 1024
_SAMPLE_ROWS = 50
_BLANK_LINES = re.compile(r"\n\s*\n")

_TEXTS = frozenset(
    "text abstract content contents body passage answer answers response 正文 摘要 内容 文本 答案 回答".split()
)
_NAMES = {
    "external_id": "external_id id _id doc_id docid document_id record_id uid 编号",
    "title": "title question query article_title 标题 题目 篇名 问题",
    "authors": "authors author 作者",
    "publisher": "publisher 出版社 出版者",
    "journal": "journal journal_title source_title 期刊 刊名",
    "edition": "edition version 版本",
    "published": "published date year publication_date publication_year pub_date 日期 年份 发表时间",
    "effective": "effective effective_date 生效日期",
    "language": "language lang 语言",
    "url": "url link 链接",
    "doi": "doi",
    "pmid": "pmid pubmed_id",
    "pmcid": "pmcid pmc_id pmc",
    "licence": "licence license 许可",
    "publication_types": "publication_types publication_type article_type document_type 文献类型",
    "study_design": "study_design study_type 研究类型",
    "evidence_grade": "evidence_grade evidence_level level_of_evidence 证据等级",
    "retraction": "retraction",
    "withdrawn": "withdrawn withdrawn_date",
    "review_by": "review_by review_date",
    "supersedes": "supersedes",
}
_FIELDS = {name: field for field, names in _NAMES.items() for name in names.split()}
_LISTS = ("authors", "publication_types")
_DATES = ("effective", "withdrawn", "review_by")


class Dialect(NamedTuple):
    delimiter: str
    quoting: int


def load(path: Path) -> Iterator[LoadedDocument]:
    """The documents. Raises UnreadableFile with the line where a row is longer than the header or a quote is open."""
    lines = text_lines(path)
    start = "".join(_up_to(lines, HEAD_BYTES))
    dialect = _dialect(start)
    csv.field_size_limit(MAX_FIELD_CHARACTERS)
    rows = _rows(path, itertools.chain(io.StringIO(start), lines), dialect)
    number, header = next(rows, (0, []))
    columns = [one_line(name) for name in header]
    if not _has_text(columns):
        yield _table(path, itertools.chain([(number, header)], rows))
        return
    found = False
    for number, row in rows:
        if len(row) > len(columns):
            raise UnreadableFile(
                f"{path.name}, line {number}: the row has {len(row)} fields and the header {len(columns)}; "
                "put the text in double quotes"
            )
        loaded = _document(zip(columns, row, strict=False), f"{path.name}, line {number}")
        if loaded.blocks:
            found = True
            yield loaded
    if not found:
        raise UnreadableFile(f"{path.name} has a header and no row with a text")


def holds_documents(start: str) -> bool:
    """Whether a table that begins with ``start`` has a document in each row: its header names a column of texts."""
    try:
        header = next(_parsed(io.StringIO(start), _dialect(start)), [])
    except csv.Error:  # which load names the line of
        return False
    return _has_text([one_line(name) for name in header])


def _up_to(lines: Iterator[str], characters: int) -> Iterator[str]:
    read = 0
    while read < characters and (line := next(lines, "")):
        read += len(line)
        yield line


def _dialect(start: str) -> Dialect:
    """The delimiter of which most of the first rows have as many as the header does, and the header has most.

    Quotes count as such unless the fields are parted by tabs and rows fit better without.
    """
    best, best_fit = Dialect(",", csv.QUOTE_MINIMAL), (0.0, 0)
    for dialect in (
        Dialect(",", csv.QUOTE_MINIMAL),
        Dialect("\t", csv.QUOTE_MINIMAL),
        Dialect("\t", csv.QUOTE_NONE),
        Dialect(";", csv.QUOTE_MINIMAL),
        Dialect("|", csv.QUOTE_MINIMAL),
    ):
        widths = []
        try:
            for row in itertools.islice(_parsed(io.StringIO(start), dialect), _SAMPLE_ROWS):
                widths.append(len(row))
        except csv.Error:  # as where the start ends within a quoted field; the rows before that tell enough
            widths = widths or [0]
        if not widths or widths[0] < 2:
            continue
        fit = (sum(width == widths[0] for width in widths) / len(widths), widths[0] * min(len(widths), 2))
        if fit > best_fit:
            best, best_fit = dialect, fit
    return best


def _parsed(lines: Iterator[str], dialect: Dialect) -> Iterator[list[str]]:
    reader = csv.reader(lines, delimiter=dialect.delimiter, quoting=dialect.quoting, strict=True)  # type: ignore[arg-type]
    return (row for row in reader if any(map(str.strip, row)))


def _rows(path: Path, lines: Iterator[str], dialect: Dialect) -> Iterator[tuple[int, list[str]]]:
    """(the line it ends on, row) for each row that is not blank."""
    reader = csv.reader(lines, delimiter=dialect.delimiter, quoting=dialect.quoting, strict=True)  # type: ignore[arg-type]
    while True:
        try:
            row = next(reader)
        except StopIteration:
            return
        except csv.Error as error:
            raise UnreadableFile(
                f"{path.name}, line {reader.line_num}: {error}; a double quote may be open or not doubled"
            ) from error
        if any(map(str.strip, row)):
            yield reader.line_num, row


def _has_text(columns: list[str]) -> bool:
    return len(columns) > 1 and any(_name(column) in _TEXTS for column in columns)


def _name(column: str) -> str:
    return re.sub(r"[\s-]+", "_", column.strip().casefold())


def _document(row: Iterable[tuple[str, str]], where: str) -> LoadedDocument:
    stated: dict[str, Any] = {}
    texts: list[tuple[str, str]] = []
    others: list[str] = []
    for column, value in row:
        if not value.strip():
            continue
        name = _name(column)
        field = _FIELDS.get(name)
        if name in _TEXTS:
            texts.append((column, value))
        elif field and field not in stated and (field != "published" or stated_date(value)):
            stated[field] = value
        else:
            others.append(f"{column}: {value}" if column else value)
    metadata = _metadata(stated, where)
    blocks = [Block(BlockKind.TITLE, metadata.title)] if metadata.title else []
    for column, text in texts:
        if len(texts) > 1:
            blocks += heading(column, 1)
        for part in _BLANK_LINES.split(text):
            blocks += paragraph(part)
    for other in others:
        blocks += paragraph(other)
    return LoadedDocument(tuple(blocks), metadata)


def _metadata(stated: dict[str, str], where: str) -> Metadata:
    known: dict[str, Any] = {}
    for field, value in stated.items():
        if field in _LISTS:
            known[field] = tuple(filter(None, map(one_line, re.split("[;；|]", value))))
        elif field == "published":
            known[field] = stated_date(value)
        elif field in _DATES:
            known[field] = valid_date(one_line(value), where)
        elif field == "language":
            known[field] = language_code(one_line(value))
        else:
            known[field] = (doi_in(value) if field == "doi" else None) or one_line(value)
    known.setdefault("study_design", study_design_of(known.get("publication_types", ())))
    known.setdefault("external_id", known.get("pmid"))
    return Metadata(**known)


def _table(path: Path, rows: Iterator[tuple[int, list[str]]]) -> LoadedDocument:
    return document(path, list(table_rows([one_line(cell) for cell in row] for _, row in rows)), Metadata())
