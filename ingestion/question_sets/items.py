"""What one item of a question set states, with the words that name it in errors, and the question made of it.

Every error names the file, the item and the field, and raises UnreadableFile.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from ingestion.json_lines import id_of
from ingestion.loaders.source import read_bytes
from rag.errors import UnreadableFile
from rag.exam_questions import YES_NO_MAYBE, ExamQuestion
from rag.languages import language_of

LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(frozen=True, slots=True)
class Item:
    """``where`` names it, ``example`` is what it should look like."""

    where: str
    fields: Mapping[str, Any]
    example: str

    def wrong(self, name: str, what: str) -> UnreadableFile:
        return UnreadableFile(f'{self.where}: "{name}" {what}; it should be like {self.example}')

    def text(self, name: str) -> str:
        """A text that must be there."""
        text = self.optional_text(name)
        if not text:
            raise self.wrong(name, "is missing or empty")
        return text

    def optional_text(self, name: str) -> str:
        """Empty where none is stated. A number stands for its digits, as options such as 50 do."""
        value = self.fields.get(name)
        if value is None:
            return ""
        if isinstance(value, bool) or not isinstance(value, str | int | float):
            raise self.wrong(name, "is no text")
        return str(value).strip()

    def texts(self, name: str) -> tuple[str, ...]:
        """Those of a list that are not empty; one text alone is a list of it."""
        value = self.fields.get(name)
        if value is None:
            return ()
        listed = value if isinstance(value, list) else [value]
        if not all(isinstance(one, str | int) and not isinstance(one, bool) for one in listed):
            raise self.wrong(name, "is no list of texts")
        return tuple(text for one in listed if (text := str(one).strip()))

    def options(self, name: str) -> dict[str, str]:
        """By letter: an object by letter, a list of ``{"key", "value"}``, or a list of texts. Empty ones are left
        out; there must be two."""
        stated = self.fields.get(name)
        if isinstance(stated, dict):
            pairs = [(str(key), value) for key, value in stated.items()]
        elif isinstance(stated, list) and all(
            isinstance(one, dict) and {"key", "value"} <= one.keys() for one in stated
        ):
            pairs = [(str(one["key"]), one["value"]) for one in stated]
        elif isinstance(stated, list) and len(stated) <= len(LETTERS):
            pairs = list(zip(LETTERS, stated, strict=False))
        else:
            raise self.wrong(name, "is missing or neither an object by letter nor a list")
        return self.lettered(name, pairs)

    def lettered(self, name: str, pairs: Iterable[tuple[str, Any]]) -> dict[str, str]:
        options: dict[str, str] = {}
        for key, value in pairs:
            letter = key.strip().upper()
            if len(letter) != 1 or letter not in LETTERS:
                raise self.wrong(name, f"has an option {key!r} that is no letter")
            if letter in options:
                raise self.wrong(name, f"has the option {letter} twice")
            text = Item(self.where, {name: value}, self.example).optional_text(name)
            if text:
                options[letter] = text
        if len(options) < 2:
            raise self.wrong(name, "has fewer than two options with text")
        return options

    def letters(self, name: str, options: Mapping[str, str]) -> str | None:
        """The right options, in the order of the alphabet; None where none is stated."""
        stated = "".join(self.texts(name)).upper()
        letters = "".join(sorted({one for one in stated if one not in " ,;/、，；"}))
        if unknown := [one for one in letters if one not in options]:
            raise self.wrong(name, f"is {stated!r}, and there is no option {unknown[0]} among {', '.join(options)}")
        return letters or None

    def word(self, name: str, words: Mapping[str, str] = YES_NO_MAYBE) -> str | None:
        """``yes``, ``no`` or ``maybe``; None where none is stated."""
        stated = self.texts(name)
        if not stated:
            return None
        word = stated[0].casefold().rstrip(".")
        if len(stated) > 1 or word not in words:
            raise self.wrong(name, f"is {', '.join(stated)!r} and not one of {', '.join(words)}")
        return word


def choice(identifier: str, question: str, options: Mapping[str, str], **further: Any) -> ExamQuestion:
    return ExamQuestion(identifier, question, "choice", language_of(question), options, **further)


def yes_no(identifier: str, question: str, options: Mapping[str, str], **further: Any) -> ExamQuestion:
    return ExamQuestion(identifier, question, "yes_no", language_of(question), options, **further)


def free(identifier: str, question: str, **further: Any) -> ExamQuestion:
    return ExamQuestion(identifier, question, "free", language_of(question), **further)


def exact(identifier: str, question: str, kind: Literal["factoid", "list"], **further: Any) -> ExamQuestion:
    return ExamQuestion(identifier, question, kind, language_of(question), **further)


def numbered(number: int) -> str:
    """The id of an item that has none: its place in the file, counted from 0."""
    return f"{number:04d}"


def id_or_number(item: Item, number: int) -> str:
    return id_of(dict(item.fields), item.where) if item.fields.get("id") is not None else numbered(number)


def json_document(path: Path) -> Any:
    """The content of a file that is one JSON document."""
    try:
        return json.loads(read_bytes(path))
    except (ValueError, RecursionError) as error:
        raise UnreadableFile(f"{path.name} is not JSON: {error}") from error


def json_objects(path: Path, stated: Any, example: str, what: str = "question") -> list[Item]:
    """The items of a JSON list of objects."""
    if not isinstance(stated, list):
        raise UnreadableFile(f"{path.name} holds no list of objects such as {example}")
    for number, one in enumerate(stated, start=1):
        if not isinstance(one, dict):
            raise UnreadableFile(f"{path.name}, {what} {number} is not an object such as {example}")
    return [Item(f"{path.name}, {what} {number}", one, example) for number, one in enumerate(stated, start=1)]
