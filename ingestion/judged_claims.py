"""Reading claims that people judged against articles, and the articles, as SciFact writes them.

A claim is a JSON line ``{"id", "text", "cited_doc_ids", "evidence"}``, or ``"claim"`` for ``"text"``. ``evidence`` is
by document: sets of sentences that support or contradict the claim, ``{"label": "SUPPORT" | "CONTRADICT",
"sentences"}``, the sentences counted from 0. A cited document that is not in it holds too little to say.

An article is a line ``{"id", "title", "text"}``, or ``{"doc_id", "title", "abstract": [sentences]}``. Wadden et al.,
"Fact or fiction: verifying scientific claims", EMNLP 2020. Any file may be gzip-compressed, an id may be a number.
Every error names the file and the line, and raises UnreadableFile.
"""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, get_args

from ingestion.json_lines import id_of, objects_of_file
from rag.errors import UnreadableFile

Stance = Literal["SUPPORT", "CONTRADICT"]
STANCES: tuple[Stance, ...] = get_args(Stance)
_CLAIM = (
    '{"id": "1", "text": "...", "cited_doc_ids": ["2"], "evidence": {"2": [{"label": "SUPPORT", "sentences": [0]}]}}'
)
_ARTICLE = '{"id": "2", "title": "...", "text": "..."}'


@dataclass(frozen=True, slots=True)
class Rationale:
    """What a document says of a claim, and by which of its sentences, counted from 0."""

    stance: Stance
    sentences: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Claim:
    """``cited`` are documents, none twice; one without a rationale holds too little to say."""

    id: str
    text: str
    cited: tuple[str, ...]
    rationales: Mapping[str, Rationale]


@dataclass(frozen=True, slots=True)
class Article:
    """``sentences`` are those that rationales count, empty where the file does not divide the text."""

    id: str
    title: str
    text: str
    sentences: tuple[str, ...]


def read_claims(path: Path) -> list[Claim]:
    """The claims in the order of the file."""
    claims: dict[str, Claim] = {}
    for _, where, stated in objects_of_file(path, _CLAIM):
        identifier = id_of(stated, where)
        if identifier in claims:
            raise UnreadableFile(f"{where}: the id {identifier!r} was there before; give each claim an id of its own")
        text = stated.get("text") or stated.get("claim")
        if not isinstance(text, str) or not text.strip():
            raise UnreadableFile(f'{where}: "text" is missing or empty; a claim is {_CLAIM}')
        rationales = _rationales(stated, where)
        cited = tuple(dict.fromkeys((*_cited(stated, where), *rationales)))
        claims[identifier] = Claim(identifier, text.strip(), cited, rationales)
    if not claims:
        raise UnreadableFile(f"{path.name} is empty; it should have a claim a line, such as {_CLAIM}")
    return list(claims.values())


def read_articles(path: Path, wanted: Collection[str]) -> dict[str, Article]:
    """Those of the ``wanted`` articles that the file has and that have text, by id."""
    articles: dict[str, Article] = {}
    seen: set[str] = set()
    for _, where, stated in objects_of_file(path, _ARTICLE):
        identifier = id_of(stated, where, "doc_id" if "doc_id" in stated and "id" not in stated else "id")
        if identifier in seen:
            raise UnreadableFile(f"{where}: the id {identifier!r} was there before; give each document its own")
        seen.add(identifier)
        article = _article(stated, identifier, where)
        if identifier in wanted and article.text:
            articles[identifier] = article
    if not seen:
        raise UnreadableFile(f"{path.name} is empty; it should have a document a line, such as {_ARTICLE}")
    return articles


def _cited(stated: dict[str, Any], where: str) -> list[str]:
    cited = stated.get("cited_doc_ids", [])
    if not isinstance(cited, list) or not all(isinstance(one, str | int) for one in cited):
        raise UnreadableFile(f'{where}: "cited_doc_ids" must be a list of document ids')
    return [str(one).strip() for one in cited]


def _rationales(stated: dict[str, Any], where: str) -> dict[str, Rationale]:
    evidence = stated.get("evidence")
    if not isinstance(evidence, dict):
        raise UnreadableFile(
            f'{where}: "evidence" is missing or not an object by document; {{}} where no document settles the claim'
        )
    return {document.strip(): _rationale(sets, document, where) for document, sets in evidence.items() if sets}


def _rationale(sets: Any, document: str, where: str) -> Rationale:
    if not isinstance(sets, list) or not all(isinstance(one, dict) for one in sets):
        raise UnreadableFile(f'{where}: the evidence of {document!r} must be a list such as [{{"label": "SUPPORT"}}]')
    stances = [stance for one in sets for stance in STANCES if one.get("label") == stance]
    if len(stances) < len(sets):
        raise UnreadableFile(f'{where}: a "label" of {document!r} is neither {" nor ".join(STANCES)}')
    if len(set(stances)) > 1:
        raise UnreadableFile(f"{where}: {document!r} is said to support and to contradict the claim")
    numbers = [one.get("sentences", []) for one in sets]
    if not all(isinstance(of_set, list) and all(type(one) is int for one in of_set) for of_set in numbers):
        raise UnreadableFile(f'{where}: "sentences" of {document!r} must be a list of whole numbers')
    return Rationale(stances[0], tuple(dict.fromkeys(number for of_set in numbers for number in of_set)))


def _article(stated: dict[str, Any], identifier: str, where: str) -> Article:
    title, text = stated.get("title") or "", stated.get("text")
    sentences = stated.get("abstract", stated.get("sentences")) or []
    if not isinstance(sentences, list) or not all(isinstance(one, str) for one in sentences):
        raise UnreadableFile(f'{where}: "abstract" must be a list of sentences')
    if text is None:
        if "abstract" not in stated:
            raise UnreadableFile(f'{where}: "text" is missing; a document is {_ARTICLE}')
        text = " ".join(sentence.strip() for sentence in sentences)
    if not isinstance(text, str) or not isinstance(title, str):
        raise UnreadableFile(f'{where}: "title" and "text" must be strings')
    return Article(identifier, title.strip(), text.strip(), tuple(sentence.strip() for sentence in sentences))
