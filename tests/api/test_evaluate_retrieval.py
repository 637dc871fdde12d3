import gzip
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.cli import main
from conftest import new_home
from ingestion.corpus_homes import COLLECTION, corpus_home
from ingestion.judged_collections import copy_corpus, read_judgements, read_queries
from ingestion.pipeline import Listener, Reader
from rag.catalog import collections
from rag.document_ranking import documents_of_passages, ranked_documents
from rag.errors import UnreadableFile
from rag.settings import Settings
from rag.types import LOCAL_ADMIN, Query

LONG = "".join(f"Visit {number} of the study measured blood pressure and weight again. " for number in range(120))
DOCUMENTS: list[dict[str, Any]] = [
    {"id": "metformin", "title": "Metformin", "text": "Metformin lowers blood glucose in type 2 diabetes."},
    {"id": "asthma", "title": "Asthma", "text": "Inhaled corticosteroids are the basis of asthma treatment."},
    {"id": "copy", "title": "Asthma", "text": "Inhaled corticosteroids are the basis of asthma treatment."},
    {"id": "fever", "title": "", "text": "Paracetamol brings down fever.", "doi": "10.1000/one", "source": "leaflet"},
    {"id": "pain", "title": "", "text": "Ibuprofen eases pain and swelling.", "doi": "10.1000/one"},
    {"id": "zh", "title": "高血压", "text": "高血压患者应限制食盐摄入。", "lang": "zh"},
    {"id": "long", "title": "A long study", "text": LONG},
    {"id": "old", "title": "Old", "text": "Leeches were applied to the skin.", "withdrawn": "1901-01-01"},
    {"id": "nothing", "title": "", "text": ""},
]
QUERIES = [
    {"id": "q1", "text": "Which drug lowers blood glucose?"},
    {"id": "q2", "question": "基于吸入的哮喘治疗 asthma treatment corticosteroids"},
    {"id": "q3", "text": "<b>paracetamol</b> & fever"},
    {"id": "q4", "text": "zzyzx"},
    {"id": "unjudged", "text": "Is anybody there?"},
    {"id": "nothing relevant", "text": "What is irrelevant?"},
]
QRELS = "q1\tmetformin\t1\nq2\tasthma\t2\nq2\tcopy\t1\nq3\tfever\t1\nq4\tlong\t1\nq4\tnowhere\t1\n"
QRELS += "nothing relevant\tlong\t0\nanother query\tlong\t1\n"


def lines(objects: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)


class Collection:
    """A test collection in a folder, and the command run on it."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.write("corpus.jsonl", lines(DOCUMENTS))
        self.write("queries.jsonl", lines(QUERIES))
        self.write("qrels.tsv", QRELS)

    def write(self, name: str, text: str) -> None:
        (self.folder / name).write_text(text, encoding="utf-8")

    def run(self, *options: str, out: str = "out", corpus: str = "corpus.jsonl") -> Result:
        files = {"corpus": corpus, "queries": "queries.jsonl", "qrels": "qrels.tsv", "out": out}
        arguments = [part for name, file in files.items() for part in (f"--{name}", str(self.folder / file))]
        return CliRunner().invoke(main, ["evaluate", "retrieval", *arguments, *options])

    def items(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / "out" / "items.jsonl").read_text("utf-8").splitlines()]

    def ingested(self) -> list[tuple[Any, ...]]:
        """What the library of the corpus holds, and when it was read."""
        [database] = (self.folder / "home" / "evaluation").glob("*/taiyi.db")
        with closing(sqlite3.connect(database)) as connection:
            editions = "SELECT editions.id, ingested_at, generation FROM editions, collections ORDER BY editions.id"
            return connection.execute(editions).fetchall()


@pytest.fixture
def collection(tmp_path: Path, home: Path, monkeypatch: pytest.MonkeyPatch) -> Collection:
    monkeypatch.setenv("RAG_HOME", str(home))
    return Collection(tmp_path)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory, models: Path) -> tuple[Collection, Result]:
    """A run on the collection as it stands, which the tests that only look share."""
    folder = tmp_path_factory.mktemp("measured")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAG_HOME", str(new_home(folder / "home", models)))
        collection = Collection(folder)
        return collection, collection.run("--json")


def test_figures_are_printed_and_written_down(measured: tuple[Collection, Result]) -> None:
    collection, result = measured
    assert result.exit_code == 0, result.output
    [printed] = map(json.loads, result.stdout.splitlines())
    assert json.loads((collection.folder / "out" / "metrics.json").read_text(encoding="utf-8")) == printed
    assert (printed["retrieval"], printed["queries"], printed["queries_left_out"]) == ("hybrid", 4, 2)
    assert (printed["documents"], printed["documents_empty"]) == (8, 1)
    assert printed["judged_documents_unknown"] == 1
    assert "1 document(s) judged relevant in qrels.tsv" in result.stderr
    assert set(printed["arms"]) == {"dense", "lexical"}
    for figures in (printed, *printed["arms"].values()):
        for measure in ("ndcg@10", "recall@10", "recall@100", "mrr"):
            low, high = figures["intervals"][measure]
            assert 0 <= low <= figures[measure] <= high <= 1
    lexical = printed["arms"]["lexical"]
    assert lexical["mrr"] == pytest.approx(3 / 4), "the arm by words finds all but the one that shares none"
    assert printed["ndcg@10"] - lexical["ndcg@10"] == pytest.approx(lexical["behind"]["ndcg@10"]["mean"])


def test_each_query_is_written_down_with_what_was_found(measured: tuple[Collection, Result]) -> None:
    collection, _ = measured
    items = collection.items()
    assert [item["id"] for item in items] == ["q1", "q2", "q3", "q4"]
    of_asthma = items[1]
    assert {one["id"]: one["grade"] for one in of_asthma["documents"][:2]} == {"asthma": 2, "copy": 1}
    assert of_asthma["recall@10"] == 1
    assert items[2]["text"] == "<b>paracetamol</b> & fever"
    assert items[2]["documents"][0]["id"] == "fever"
    assert items[3]["arms"]["lexical"]["documents"] == []
    assert items[3]["relevant"] == {"long": 1, "nowhere": 1}


def test_every_document_of_the_corpus_stands_for_itself(measured: tuple[Collection, Result]) -> None:
    """Also two with one DOI, one that was withdrawn, two that say the same, and one of many passages."""
    collection, _ = measured
    found = [one["id"] for one in collection.items()[0]["arms"]["dense"]["documents"]]
    assert sorted(found) == sorted(document["id"] for document in DOCUMENTS if document["text"])


def test_the_report_is_one_file_in_two_languages_in_which_nothing_is_taken_for_markup(
    measured: tuple[Collection, Result],
) -> None:
    collection, _ = measured
    page = (collection.folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert not re.search(r"<script[^>]|(src|href)=|@import|url\(", page)
    assert "zzyzx" in page, "a query that finds nothing is among the worst"
    assert "<b>" not in page
    assert page.count("<h1>") == 2
    assert "(not in the corpus)" in page
    assert 'name="viewport"' in page
    assert "prefers-color-scheme: dark" in page


def test_a_second_run_only_searches_also_when_the_corpus_is_compressed(
    measured: tuple[Collection, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    collection, first = measured
    monkeypatch.setenv("RAG_HOME", str(collection.folder / "home"))
    (collection.folder / "packed.jsonl.gz").write_bytes(gzip.compress(lines(DOCUMENTS).encode()))
    before = collection.ingested()
    result = collection.run("--json", corpus="packed.jsonl.gz", out="again")
    one, other = json.loads(first.stdout), json.loads(result.stdout)
    assert (one["corpus"]["state"], other["corpus"]["state"]) == ("read", "cached")
    assert one["corpus"]["read_seconds"] == other["corpus"]["read_seconds"]
    assert {name: other[name] for name in ("ndcg@10", "mrr", "intervals", "arms")} == {
        name: one[name] for name in ("ndcg@10", "mrr", "intervals", "arms")
    }
    assert collection.ingested() == before
    assert not (collection.folder / "home" / "taiyi.db").exists(), "the library of the outer home is left alone"


def test_one_mode_alone_with_a_limit_for_people(
    measured: tuple[Collection, Result], monkeypatch: pytest.MonkeyPatch
) -> None:
    collection, _ = measured
    monkeypatch.setenv("RAG_HOME", str(collection.folder / "home"))
    result = collection.run("--retrieval", "lexical", "--limit", "2", out="one")
    assert result.exit_code == 0, result.output
    assert "2 queries" in result.stdout
    assert "read before" in result.stdout
    assert re.search(r"^lexical +1\.000 \[1\.000, 1\.000\]", result.stdout, re.MULTILINE)
    assert "dense" not in result.stdout
    assert json.loads((collection.folder / "one" / "metrics.json").read_text(encoding="utf-8"))["arms"] == {}


@pytest.mark.parametrize(
    ("file", "text", "said"),
    [
        ("queries.jsonl", '{"id":"q1","text":"x"}\n{"id":', "queries.jsonl, line 2 is not JSON"),
        ("queries.jsonl", '\n["q1"]\n', "queries.jsonl, line 2 is not an object"),
        ("queries.jsonl", '{"text":"x"}\n', 'queries.jsonl, line 1: "id" is missing'),
        ("queries.jsonl", '{"id":"q1","text":" "}\n', 'queries.jsonl, line 1: "text" is missing or empty'),
        ("queries.jsonl", '{"id":"q1","text":"x"}\n' * 2, "queries.jsonl, line 2: the id 'q1' was there before"),
        ("queries.jsonl", "", "queries.jsonl is empty"),
        ("queries.jsonl", '{"id":"other","text":"x"}\n', "qrels.tsv judges no document relevant for any query"),
        ("qrels.tsv", "q1\tmetformin\t1\nq1 metformin 1\n", "qrels.tsv, line 2 is not query id, document id and grade"),
        ("qrels.tsv", "q1\tmetformin\tyes\n", "qrels.tsv, line 1: the grade 'yes' is not a whole number"),
        ("qrels.tsv", "q1\tmetformin\t100\n", "qrels.tsv, line 1: the grade 100 is over 10"),
        ("qrels.tsv", "q1\tasthma\t1\nq1\tasthma\t2\n", "qrels.tsv, line 2: 'asthma' was judged for 'q1' before"),
        ("qrels.tsv", "", "qrels.tsv is empty"),
        (
            "corpus.jsonl",
            '{"id":"a","text":"x"}\n{"id":"a","text":"y"}\n',
            "corpus.jsonl, line 2: the id 'a' was there",
        ),
        ("corpus.jsonl", '{"id":"a"}\n', 'corpus.jsonl, line 1: "text" is missing'),
        ("corpus.jsonl", '{"id":"a","text":["x"]}\n', 'corpus.jsonl, line 1: "text" must be a string'),
        ("corpus.jsonl", '{"id":"a","text":""}\n', "corpus.jsonl has no document with text"),
    ],
)
def test_a_file_that_is_wrong_is_named_with_the_line(collection: Collection, file: str, text: str, said: str) -> None:
    collection.write(file, text)
    result = collection.run()
    assert result.exit_code == 1
    assert said in result.stderr.splitlines()[-1]


def test_what_ingestion_refuses_is_named_by_the_line_of_the_file_given(collection: Collection) -> None:
    bad = {"id": "b", "text": "Late.", "published": "tomorrow"}
    collection.write("mine.jsonl", lines([{"id": "a", "text": ""}]) + "\n" + lines([bad]))
    result = collection.run(corpus="mine.jsonl")
    assert result.exit_code == 1
    assert 'mine.jsonl, line 3: "published"' in result.stderr.splitlines()[-1]


def test_a_corpus_of_another_collection_is_refused(
    measured: tuple[Collection, Result], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    collection, _ = measured
    monkeypatch.setenv("RAG_HOME", str(collection.folder / "home"))
    other = Collection(tmp_path)
    other.write("corpus.jsonl", (collection.folder / "corpus.jsonl").read_text(encoding="utf-8"))
    other.write("qrels.tsv", "q1\tnowhere\t1\n")
    result = other.run()
    assert result.exit_code == 1
    assert "has none of the documents that are judged relevant" in result.stderr


def test_a_file_that_is_not_there_is_wrong_usage(collection: Collection) -> None:
    assert collection.run(corpus="nowhere.jsonl").exit_code == 2


def test_grades_below_one_and_the_same_judgement_twice_are_taken(tmp_path: Path) -> None:
    path = tmp_path / "qrels.tsv.gz"
    path.write_bytes(gzip.compress(b"q\ta\t-1\r\nq\tb\t2\r\n\r\nq\tb\t2\r\n"))
    assert read_judgements(path, 10) == {"q": {"a": -1, "b": 2}}


def test_ids_may_be_numbers(tmp_path: Path) -> None:
    (tmp_path / "queries.jsonl").write_text('\ufeff{"id": 7, "text": " seven "}\n', encoding="utf-8")
    [query] = read_queries(tmp_path / "queries.jsonl")
    assert (query.id, query.text) == ("7", "seven")


def test_a_damaged_file_is_said_to_be_damaged(tmp_path: Path) -> None:
    (tmp_path / "corpus.jsonl.gz").write_bytes(gzip.compress(lines(DOCUMENTS).encode())[:-20])
    with pytest.raises(UnreadableFile, match=r"corpus\.jsonl\.gz is damaged or cut short"):
        copy_corpus(tmp_path / "corpus.jsonl.gz", tmp_path / "copy.jsonl")


class Killed(Exception):
    pass


def test_a_library_that_was_left_half_made_is_finished(collection: Collection, home: Path, reader: Reader) -> None:
    def killed(count: int) -> None:
        raise Killed

    corpus, settings = collection.folder / "corpus.jsonl", Settings(home=home)
    with pytest.raises(Killed), corpus_home(corpus, settings, Listener(on_embedded=killed), reader):
        pass
    with corpus_home(corpus, settings, reader=reader) as made:
        assert not made.cached
        passages = documents_of_passages(made.system, LOCAL_ADMIN, COLLECTION)
        assert set(passages.values()) == {document["id"] for document in DOCUMENTS} - {"nothing"}
        query = Query("Which drug lowers blood glucose?", (COLLECTION,))
        best, *others = ranked_documents(query, LOCAL_ADMIN, made.system, passages, 100)
        assert best.external_id == "metformin"
        assert len(passages) > len(others) + 1 == 8, "the long document counts once"
        two = ranked_documents(query, LOCAL_ADMIN, made.system, passages, 2)
        assert two == [best, *others][:2]
    complete = next((home / "evaluation").glob("*/complete.json"))
    complete.write_text(json.dumps({**json.loads(complete.read_text()), "code": "of an earlier release"}))
    with corpus_home(corpus, settings) as again, again.system.database.reading() as session:
        [after] = collections(session, LOCAL_ADMIN)
        assert (again.cached, again.renewed) == (True, True)
    with corpus_home(corpus, settings) as once_more, once_more.system.database.reading() as session:
        assert (once_more.cached, once_more.renewed) == (True, False)
        assert collections(session, LOCAL_ADMIN) == [after]
    assert json.loads(complete.read_text())["code"] != "of an earlier release"
