"""The list of open corpora: ``corpora/manifest.toml`` of the project, which an installed package carries within it."""

import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from rag.errors import InvalidRequest, NotFound

Kind = Literal["listing", "pubmed-query", "pmc-query", "files", "openstax", "dspace-query", "medquad"]
QUERY_KINDS = ("pubmed-query", "pmc-query", "dspace-query")
_PACKAGED = Path(__file__).with_name("manifest.toml")
_IN_SOURCES = Path(__file__).parents[2] / "corpora" / "manifest.toml"


class FixedFile(BaseModel):
    """A file of a corpus at an address that is known beforehand."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    url: str
    title: str
    published: str | None = None
    sha256: str | None = None


class Corpus(BaseModel):
    """One entry of the list; ``corpora/manifest.toml`` says what its fields mean."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    title: str
    description: str
    publisher: str
    licence: str
    licence_url: str
    homepage: str
    address: str = ""
    files_address: str = ""
    kind: Kind
    format: str
    language: str | None = None
    size: str | None = None
    pattern: str | None = None
    search_filter: str | None = None
    licences: tuple[str, ...] = ()
    example_query: str | None = None
    books: tuple[str, ...] = ()
    files: tuple[FixedFile, ...] = Field(default=(), alias="file")
    max_file_mb: int = Field(ge=1)
    requests_per_second: float = Field(default=1, gt=0)

    @field_validator("address", "files_address")
    @classmethod
    def _is_folder_or_file(cls, value: str) -> str:
        if value and not value.startswith(("https://", "http://127.0.0.1:")):
            raise ValueError("is not an https address")
        return value

    @property
    def is_query(self) -> bool:
        return self.kind in QUERY_KINDS

    @property
    def max_bytes(self) -> int:
        return self.max_file_mb * 2**20


def catalogue_path() -> Path:
    """Where the list is: within the package where it was installed, else in the project's ``corpora``."""
    return _PACKAGED if _PACKAGED.is_file() else _IN_SOURCES


def read_catalogue(path: Path | None = None) -> tuple[Corpus, ...]:
    """Every corpus, in the order of the list. Raises InvalidRequest naming the list and what is wrong with it."""
    path = path or catalogue_path()
    try:
        entries: list[dict[str, Any]] = tomllib.loads(path.read_text(encoding="utf-8")).get("corpus", [])
        return tuple(_corpus(entry, f"{path}, corpus {number}") for number, entry in enumerate(entries, start=1))
    except OSError as error:
        raise InvalidRequest(f"{path} cannot be read: {error.strerror}; install taiyi-rag again") from None
    except tomllib.TOMLDecodeError as error:
        raise InvalidRequest(f"{path}: {error}") from None


def _corpus(entry: dict[str, Any], where: str) -> Corpus:
    try:
        return Corpus.model_validate(entry)
    except ValidationError as error:
        wrong = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in error.errors())
        raise InvalidRequest(f"{where}: {wrong}") from None


def corpus_named(name: str, corpora: Sequence[Corpus]) -> Corpus:
    """The corpus of that name. Raises NotFound listing the names there are."""
    for corpus in corpora:
        if corpus.name == name:
            return corpus
    raise NotFound(f"There is no corpus {name!r}; there are {', '.join(corpus.name for corpus in corpora)}")
