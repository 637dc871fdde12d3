"""``manifest.toml``: what a folder says of its files; ``<file>.meta.toml`` or ``.meta.json``: what one says of a file.

One ``[[document]]`` table a file, with ``file`` relative to the manifest, ``sha256`` of its bytes where the folder
wants that held, and any field of ``ingestion.types.Metadata``. What it states goes before what the file states.
"""

import json
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from ingestion.types import Metadata
from rag.editions import first_day
from rag.errors import InvalidRequest

NAME = "manifest.toml"
SIDECAR_SUFFIXES = (".meta.toml", ".meta.json")
_FIELDS = {known.name for known in fields(Metadata)}
_DATES = ("published", "effective", "withdrawn", "review_by")
_LISTS = ("authors", "publication_types")


@dataclass(frozen=True, slots=True)
class Stated:
    """What was said of one file from outside it."""

    metadata: Metadata = field(default_factory=Metadata)
    sha256: str | None = None


def read_manifest(folder: Path) -> dict[Path, Stated]:
    """What the folder's manifest says, by absolute path; nothing where there is none.

    Raises InvalidRequest naming the manifest and the entry that is wrong.
    """
    path = folder / NAME
    if not path.is_file():
        return {}
    try:
        entries = tomllib.loads(path.read_text(encoding="utf-8")).get("document", [])
    except (ValueError, RecursionError) as error:
        raise InvalidRequest(f"{path}: {error}") from None
    if not isinstance(entries, list):
        raise InvalidRequest(f"{path}: write [[document]] above each document's fields")
    stated: dict[Path, Stated] = {}
    for number, entry in enumerate(entries, start=1):
        if not isinstance(entry, dict) or not isinstance(entry.get("file"), str):
            raise InvalidRequest(f"{path}: document {number} has no 'file'")
        if not isinstance(entry.get("sha256", ""), str):
            raise InvalidRequest(f"{path}: {entry['file']}: 'sha256' is a text")
        described = {key: value for key, value in entry.items() if key not in ("file", "sha256")}
        try:
            metadata = metadata_from(described)
        except InvalidRequest as error:
            raise InvalidRequest(f"{path}: {entry['file']}: {error}") from None
        stated[(folder / entry["file"]).absolute()] = Stated(metadata, entry.get("sha256"))
    return stated


def is_sidecar(path: Path) -> bool:
    """Whether the file's name says that it describes another file, so that it is no document itself."""
    return path.name.lower().endswith(SIDECAR_SUFFIXES)


def read_sidecar(path: Path) -> Metadata | None:
    """What the sidecar beside ``path`` says of it, None without one: the same fields as in the manifest.

    For ``guide.pdf`` that is ``guide.pdf.meta.toml``, ``guide.meta.toml``, or either as ``.json``. Raises
    InvalidRequest naming the sidecar that is wrong, or those that are one too many.
    """
    names = dict.fromkeys(stem + suffix for stem in (path.name, path.stem) for suffix in SIDECAR_SUFFIXES)
    found = [sidecar for name in names if (sidecar := path.with_name(name)).is_file()]
    if not found:
        return None
    sidecar, *others = found
    if others:
        raise InvalidRequest(f"{sidecar} and {others[0].name} both describe {path.name}; keep one of them")
    try:
        text = sidecar.read_text(encoding="utf-8-sig")
        values = tomllib.loads(text) if sidecar.suffix == ".toml" else json.loads(text)
        if not isinstance(values, dict):
            raise InvalidRequest('is not an object such as {"title": "..."}')
        return metadata_from(values)
    except (ValueError, RecursionError, InvalidRequest) as error:
        raise InvalidRequest(f"{sidecar}: {error}") from None


def metadata_from(values: Mapping[str, Any]) -> Metadata:
    """Metadata from a table or JSON object. Raises InvalidRequest for an unknown field or a value of the wrong kind."""
    known: dict[str, Any] = {}
    for key, value in values.items():
        if key not in _FIELDS:
            raise InvalidRequest(f"unknown field {key!r}; known are {', '.join(sorted(_FIELDS))}")
        if key in _LISTS:
            if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
                raise InvalidRequest(f"{key!r} is a list of texts")
            known[key] = tuple(value)
        elif value is not None:
            known[key] = str(value) if key in _DATES else value
            if not isinstance(known[key], str):
                raise InvalidRequest(f"{key!r} is a text")
            if key in _DATES:
                first_day(known[key])
    return Metadata(**known)
