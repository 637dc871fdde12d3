"""Lines of JSON objects, one by one, each with the words that name it in an error. Every error is UnreadableFile."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from ingestion.loaders.source import opened
from rag.errors import UnreadableFile

EXAMPLE = '{"id": "1", "text": "..."}'
_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")


def objects_of_file(path: Path, example: str = EXAMPLE) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """As ``objects_of_lines``; the file may be gzip-compressed."""
    with opened(path) as stream:
        yield from objects_of_lines(stream, path.name, example)


def objects_of_lines(
    lines: Iterable[bytes], name: str, example: str = EXAMPLE
) -> Iterator[tuple[int, str, dict[str, Any]]]:
    """The object of each line that is not blank, with the line's number and the words that name it in errors.
    ``example`` is what a line should look like."""
    for number, where, line in numbered_lines(lines, name):
        try:
            stated = json.loads(line)
        except (ValueError, RecursionError) as error:
            raise UnreadableFile(f"{where} is not JSON: {error}; it should be like {example}") from error
        if not isinstance(stated, dict):
            raise UnreadableFile(f"{where} is not an object such as {example}")
        if _SURROGATE.search(line):
            _refuse_half_characters(stated, where)
        yield number, where, stated


def numbered_lines(lines: Iterable[bytes], name: str) -> Iterator[tuple[int, str, str]]:
    """Each line that is not blank, with its number and the words that name it in errors."""
    for number, line in enumerate(lines, start=1):
        where = f"{name}, line {number}"
        try:
            text = line.decode("utf-8-sig").strip("\r\n")
        except UnicodeDecodeError as error:
            raise UnreadableFile(f"{where} is not UTF-8 (byte {error.start + 1}); save the file as UTF-8") from error
        if text.strip():
            yield number, where, text


def id_of(stated: dict[str, Any], where: str, key: str = "id") -> str:
    """A string or a whole number, as a string."""
    value = stated.get(key)
    if isinstance(value, bool) or not isinstance(value, str | int) or not str(value).strip():
        raise UnreadableFile(f'{where}: "{key}" is missing or not a string')
    return str(value).strip()


def _refuse_half_characters(stated: dict[str, Any], where: str) -> None:
    """JSON can escape one half of a character that takes two, which no file and no terminal can be given."""
    try:
        json.dumps(stated, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        raise UnreadableFile(f"{where} has half a character ({error.object[error.start]!r}); write it whole") from error
