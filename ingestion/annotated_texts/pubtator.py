"""PubTator files: BC5CDR and the NCBI disease corpus.

An article is ``PMID|t|title`` and ``PMID|a|abstract``, then lines with tabs between of what is marked in it: PMID,
start, end, mention, type, concept, and of relations PMID, type, concept, concept. Blank lines part the articles.
Several concepts of one mention have ``|`` or ``+`` between, -1 is none. Wei et al., "PubTator: a web-based text mining
tool for assisting biocuration", Nucleic Acids Research 2013.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from ingestion.json_lines import numbered_lines
from ingestion.loaders.source import opened
from rag.errors import UnreadableFile

_TEXT = re.compile(r"([^|\t]+)\|([ta])\|(.*)")


@dataclass(frozen=True, slots=True)
class Mention:
    text: str
    type: str
    concepts: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Article:
    """``relations`` are type and two concepts."""

    id: str
    title: str
    abstract: str
    mentions: list[Mention] = field(default_factory=list)
    relations: list[tuple[str, str, str]] = field(default_factory=list)

    @property
    def text(self) -> str:
        return " ".join(part for part in (self.title, self.abstract) if part)


def read_pubtator(path: Path) -> list[Article]:
    """The articles in the order of the file. Every error names the line, and raises UnreadableFile."""
    articles: dict[str, Article] = {}
    titles: dict[str, str] = {}
    with opened(path) as stream:
        for where, line in _lines(stream, path.name):
            said = _TEXT.fullmatch(line)
            if said and said[2] == "t":
                if said[1] in titles:
                    raise UnreadableFile(f"{where}: the article {said[1]} was there before")
                titles[said[1]] = said[3].strip()
            elif said:
                if said[1] not in titles:
                    raise UnreadableFile(f"{where}: the abstract of {said[1]} has no title before it")
                articles[said[1]] = Article(said[1], titles[said[1]], said[3].strip())
            else:
                _mark(articles, line.split("\t"), where)
    if not articles:
        raise UnreadableFile(f"{path.name} has no article; it should be in the PubTator format, PMID|t|title first")
    return list(articles.values())


def _lines(stream: Iterator[bytes], name: str) -> Iterator[tuple[str, str]]:
    for _, where, line in numbered_lines(stream, name):
        yield where, line.rstrip()


def _mark(articles: dict[str, Article], parts: list[str], where: str) -> None:
    article = articles.get(parts[0].strip())
    if article is None:
        raise UnreadableFile(f"{where} is neither PMID|t|title nor a mark in an article before it")
    if len(parts) == 4:
        article.relations.append((parts[1].strip(), parts[2].strip(), parts[3].strip()))
    elif len(parts) >= 5 and parts[1].isdigit() and parts[2].isdigit():
        concepts = re.split(r"[|+]", parts[5]) if len(parts) > 5 else []
        known = tuple(one.strip() for one in concepts if one.strip() not in ("", "-1"))
        article.mentions.append(Mention(parts[3].strip(), parts[4].strip(), known))
    else:
        raise UnreadableFile(
            f"{where} is neither PMID, start, end, mention, type, concept nor PMID, type, concept, concept with a tab "
            "between each"
        )
