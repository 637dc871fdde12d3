"""What a key may not read changes nothing of what it is given: each response over HTTP is that of a service which holds
the permitted documents and no others."""

import json
import random
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from mixed_texts import CONDITIONS, DRUGS, Texts

from api.access import Doors
from api.limits import Turns
from api.server import create_app
from conftest import new_home
from ingestion.pipeline import Reader, discover, ingest
from rag import keys
from rag.checking.entailment import PackagedReader
from rag.embedding import Embedder
from rag.settings import Settings
from rag.system import System, open_system
from rag.types import LOCAL_ADMIN, Role

BASE = "http://127.0.0.1:8000"
COLLECTIONS = ("guidelines", "papers", "指南库", "leaflets", "archive")
DOCUMENTS = 14
KEYS = 6
QUESTIONS = {
    "en": ("How is {condition} treated with {drug}?", "{drug} dose in children", "What is the risk of {condition}?"),
    "zh": ("{condition}怎样用{drug}治疗？", "{drug}的剂量是多少", "{condition}患者多少天后复诊？"),
}
OF_ONE_DATABASE = frozenset(
    "id passage_id document_id edition_id conversation_id created_at ingested_at timings_ms source".split()
)
"""What differs between two services that hold the same: ids, times and folders."""


@dataclass(frozen=True, slots=True)
class Pair:
    """A key of the whole service, and a service without keys that holds what it may read."""

    collections: tuple[str, ...]
    secret: str
    alone: TestClient


def _service(settings: Settings, system: System) -> FastAPI:
    """The application over a system that is open already."""
    app = create_app(settings, with_worker=False)
    app.state.system, app.state.doors = system, Doors(system.database, None)
    app.state.answering, app.state.turns = set(), Turns(4, 64)
    return app


def _write(folder: Path, chance: random.Random) -> dict[str, Path]:
    """A file of documents for each collection, some of which say what another collection's say."""
    texts, files = Texts(chance), {}
    said: list[tuple[str, str]] = []
    for name in COLLECTIONS:
        lines = []
        for number in range(DOCUMENTS):
            language = chance.choice(["en", "zh"])
            title = texts.title(language, number)
            body = "\n\n".join(one.text for one in texts.passages(title, language, "txt", ()))
            if said and chance.random() < 0.3:
                language, body = chance.choice(said)
            said.append((language, body))
            title = f"{title} ({name} {number})"  # titles order a listing, and ids, by which ties go, are drawn anew
            known = {"id": f"{name}-{number}", "title": title, "text": body, "lang": language}
            published = f"{chance.randint(2010, 2024)}-0{chance.randint(1, 9)}-01" if chance.random() < 0.8 else None
            publisher = chance.choice(["WHO", "NICE", "中华医学会"])
            lines.append(json.dumps({**known, "publisher": publisher, "published": published}))
        files[name] = folder / f"{name}.jsonl"
        files[name].write_text("\n".join(lines), encoding="utf-8")
    return files


@pytest.fixture(scope="module")
def services(
    tmp_path_factory: pytest.TempPathFactory,
    models: Path,
    embedder: Embedder,
    entailment: PackagedReader,
    reader: Reader,
) -> Iterator[tuple[TestClient, list[Pair]]]:
    chance, folder = random.Random(8), tmp_path_factory.mktemp("apart")
    files = _write(folder, chance)
    subsets = [COLLECTIONS[:1], COLLECTIONS[1:], ("papers", "指南库")]
    while len(subsets) < KEYS:
        drawn = tuple(name for name in COLLECTIONS if chance.random() < 0.5)
        if drawn and drawn not in subsets:
            subsets.append(drawn)
    with ExitStack() as stack:

        def opened(name: str, collections: tuple[str, ...]) -> FastAPI:
            settings = Settings(home=new_home(folder / name, models), requests_per_minute=0)
            system = stack.enter_context(open_system(settings))
            system = replace(system, embedder=embedder, entailment=entailment, reader=entailment)
            for collection in collections:
                results = ingest(discover([files[collection]]), collection, system, reader=reader)
                assert {result.status for result in results} == {"added"}
            return _service(settings, system)

        whole = opened("whole", COLLECTIONS)
        pairs = []
        for number, subset in enumerate(subsets):
            with whole.state.system.database.writing() as session:
                _, secret = keys.create(session, LOCAL_ADMIN, "a reader", Role.READER, subset)
            alone = TestClient(opened(f"alone-{number}", subset), base_url=BASE)
            pairs.append(Pair(subset, secret, alone))
        yield TestClient(whole, base_url=BASE), pairs


def _body(chance: random.Random, readable: tuple[str, ...]) -> dict[str, Any]:
    language = chance.choice(["en", "zh"])
    question = chance.choice(QUESTIONS[language]).format(
        drug=chance.choice(DRUGS[language]), condition=chance.choice(CONDITIONS[language])
    )
    body: dict[str, Any] = {
        "query": question,
        "retrieval": chance.choice(["hybrid", "hybrid", "dense", "lexical"]),
        "top_k": chance.choice([1, 3, 10, 10, 37, 100]),
        "collapse": chance.random() < 0.7,
        "prefer_evidence": chance.random() < 0.1,
        "diversity": 0.5 if chance.random() < 0.1 else 0,
    }
    if chance.random() < 0.3:
        body["collections"] = chance.sample(readable, chance.randint(1, len(readable)))
    if chance.random() < 0.2:
        body["as_of"] = f"{chance.randint(2009, 2026)}-06-15"
    if chance.random() < 0.3:
        body["filters"] = chance.choice(
            [
                {"publisher": "WHO"},
                {"language": "zh"},
                {"published": {"gte": "2016"}},
                {"publisher": ["NICE", "Nobody"]},
            ]
        )
    return body


def _bare(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _bare(one) for name, one in value.items() if name not in OF_ONE_DATABASE}
    return [_bare(one) for one in value] if isinstance(value, list) else value


def _compare(services: tuple[TestClient, list[Pair]], searches: int, asks: int, seed: int) -> None:
    """Searches and questions drawn by chance, each by a key drawn by chance."""
    whole, pairs = services
    chance, seen = random.Random(seed), Counter[str]()
    for number in range(searches + asks):
        pair = chance.choice(pairs)
        body = _body(chance, pair.collections)
        address = "/v1/search"
        if number >= searches:
            address, body["question"] = "/v1/ask", body.pop("query")
        headers = {"authorization": f"Bearer {pair.secret}"}
        given = whole.post(address, json=body, headers=headers)
        expected = pair.alone.post(address, json=body)
        assert given.status_code == expected.status_code == 200, (body, given.text)
        assert _bare(given.json()) == _bare(expected.json()), (pair.collections, body)
        found = given.json().get("hits") or given.json().get("passages")
        seen["found"] += bool(found)
        seen["empty"] += not found
        seen["copies"] += any(hit["also"] for hit in found or ())
        seen["answered"] += given.json().get("status") == "answered"
    few = [what for what in ("found", "copies") if not seen[what]]
    assert not few, f"{few} never came up"


def test_a_key_finds_and_is_answered_what_a_service_of_its_own_would_say(services: Any) -> None:
    _compare(services, searches=100, asks=8, seed=1)


@pytest.mark.full
def test_ten_thousand_searches_give_what_services_of_their_own_would(services: Any) -> None:
    _compare(services, searches=10_000, asks=100, seed=2)


def test_a_key_counts_what_a_service_of_its_own_would(services: Any) -> None:
    whole, pairs = services
    for pair in pairs:
        headers = {"authorization": f"Bearer {pair.secret}"}
        for address in ("/v1/collections", "/v1/documents", "/v1/documents?limit=3&offset=2", "/v1/models"):
            given, expected = whole.get(address, headers=headers), pair.alone.get(address)
            assert given.status_code == expected.status_code == 200
            assert _bare(given.json()) == _bare(expected.json()), address
        for name in COLLECTIONS:
            given, expected = (
                client.get(f"/v1/documents?collection={name}", headers=sent)
                for client, sent in ((whole, headers), (pair.alone, {}))
            )
            assert given.status_code == expected.status_code == (200 if name in pair.collections else 404)


def test_the_comparison_can_fail(services: Any) -> None:
    """A key for more than the other service holds is told apart."""
    whole, pairs = services
    wide = next(pair for pair in pairs if len(pair.collections) == len(COLLECTIONS) - 1)
    narrow = next(pair for pair in pairs if len(pair.collections) == 1)
    headers = {"authorization": f"Bearer {wide.secret}"}
    body = {"query": "metformin in hypertension", "top_k": 100}
    given, expected = whole.post("/v1/search", json=body, headers=headers), narrow.alone.post("/v1/search", json=body)
    assert _bare(given.json()) != _bare(expected.json())
