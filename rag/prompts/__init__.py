"""The prompts: texts in ``en.toml`` and ``zh.toml``, each known by the hash of its words."""

import hashlib
import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

from rag.types import Language

if TYPE_CHECKING:
    from langchain_core.messages import BaseMessage

PromptName = Literal[
    "grounded", "ungrounded", "multiple_choice", "multiple_answers", "yes_no_maybe", "factoid", "list", "translate",
    "rewrite",
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Prompt:
    """``system`` is the same for every question, so that a server can keep what it made of it; ``user`` has names in
    braces."""

    name: PromptName
    language: Language
    system: str
    user: str

    @property
    def version(self) -> str:
        """``grounded.en@`` and the first twelve hexadecimal digits of the SHA-256 of its words."""
        digest = hashlib.sha256(f"{self.system}\0{self.user}".encode()).hexdigest()
        return f"{self.name}.{self.language}@{digest[:12]}"

    def messages(self, **values: str) -> list["BaseMessage"]:
        """What is sent. Raises KeyError for a name without a value; braces in values are left as they are."""
        from langchain_core.prompts import ChatPromptTemplate

        return ChatPromptTemplate.from_messages([("system", self.system), ("human", self.user)]).format_messages(
            **values
        )


@cache
def prompt(name: PromptName, language: Language) -> Prompt:
    said = _texts(language)[name]
    return Prompt(name, language, said["system"].strip(), said["user"].strip())


def labels(language: Language) -> dict[str, str]:
    """What the parts of a passage are called."""
    return _texts(language)["labels"]


@cache
def _texts(language: Language) -> dict[str, dict[str, str]]:
    return tomllib.loads(files(__name__).joinpath(f"{language}.toml").read_text(encoding="utf-8"))
