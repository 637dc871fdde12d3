"""Question sets that are tables with commas between: MMLU and CMExam.

- MMLU (Hendrycks et al. 2021, github.com/hendrycks/test): no header; question, four options, the right letter.
- CMExam (Liu et al. 2023, github.com/williamliujl/CMExam): a header with ``Question``, ``Options`` (a letter and a
  text a line), ``Answer`` and ``Explanation``, and further columns in the annotated test set. ``Answer`` may be several
  letters.
"""

import csv
import io
import re
from collections.abc import Iterator
from pathlib import Path

from ingestion.loaders.source import read_text
from ingestion.question_sets.items import Item, choice, numbered
from rag.errors import UnreadableFile
from rag.exam_questions import ExamQuestion

MMLU = "question,option,option,option,option,A"
CMEXAM = 'Question,Options,Answer,Explanation, the options as lines "A ..."'
_OPTION = re.compile(r"([A-Z])(?:[\s.．、:：]+|(?=[^A-Za-z\s]))(.*)")


def rows(path: Path, delimiter: str = ",") -> Iterator[tuple[int, list[str]]]:
    """Each row that is not empty, with the line on which it ends."""
    reader = csv.reader(io.StringIO(read_text(path), newline=""), delimiter=delimiter, strict=True)
    try:
        for row in reader:
            if any(cell.strip() for cell in row):
                yield reader.line_num, row
    except csv.Error as error:
        raise UnreadableFile(f"{path.name}, line {reader.line_num} is no row of a table: {error}") from error


def named_rows(path: Path, needed: tuple[str, ...], delimiter: str = ",") -> Iterator[tuple[str, dict[str, str]]]:
    """The cells of each row by the names of the header, with the words that name the row. ``needed`` must be there."""
    every = rows(path, delimiter)
    header = [cell.strip() for cell in next(every, (0, []))[1]]
    if missing := [name for name in needed if name not in header]:
        raise UnreadableFile(
            f"{path.name}, line 1: the header has no {missing[0]!r}; it should have {', '.join(needed)}"
        )
    for number, row in every:
        if len(row) > len(header):
            raise UnreadableFile(f"{path.name}, line {number} has {len(row)} cells under a header of {len(header)}")
        yield f"{path.name}, line {number}", dict(zip(header, row, strict=False))


def mmlu_questions(path: Path) -> list[ExamQuestion]:
    stem = path.name.split(".")[0]
    subset = re.sub(r"_(test|dev|val)$", "", stem)
    questions: list[ExamQuestion] = []
    for number, (line, row) in enumerate(rows(path)):
        where = f"{path.name}, line {line}"
        if len(row) != 6:
            raise UnreadableFile(f"{where} has {len(row)} cells instead of 6; it should be like {MMLU}")
        item = Item(where, dict(zip(("question", "A", "B", "C", "D", "answer"), row, strict=True)), MMLU)
        options = item.lettered("A", [(letter, item.fields[letter]) for letter in "ABCD"])
        answer = item.letters("answer", options)
        questions.append(choice(f"{stem}-{number:03d}", item.text("question"), options, answer=answer, subset=subset))
    return questions


def cmexam_questions(path: Path) -> list[ExamQuestion]:
    questions: list[ExamQuestion] = []
    for number, (where, cells) in enumerate(named_rows(path, ("Question", "Options", "Answer"))):
        item = Item(where, cells, CMEXAM)
        lines = [line.strip() for line in item.text("Options").split("\n") if line.strip()]
        options = item.lettered("Options", [_option(item, line) for line in lines])
        answer = item.letters("Answer", options)
        questions.append(
            choice(
                numbered(number),
                item.text("Question"),
                options,
                answer=answer,
                several=len(answer or "") > 1,
                references=item.texts("Explanation"),
            )
        )
    return questions


def _option(item: Item, line: str) -> tuple[str, str]:
    found = _OPTION.fullmatch(line)
    if found is None:
        raise item.wrong("Options", f"has a line without a letter before it, {line[:40]!r}")
    return found[1], found[2]
