import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.claims_evaluation import CheckedPair, JudgedClaims, measured, metrics_json, read_judged_claims
from api.claims_report import write_claims_report
from api.cli import main
from conftest import new_home
from ingestion.judged_claims import Rationale, read_articles, read_claims
from rag.checking.types import Checked
from rag.types import Issue

ARTICLES: list[dict[str, Any]] = [
    {
        "id": "1",
        "title": "Metformin in type 2 diabetes",
        "text": "We studied 200 adults. Metformin lowered fasting glucose. Weight did not change.",
        "sentences": ["We studied 200 adults.", "Metformin lowered fasting glucose.", "Weight did not change."],
    },
    {
        "doc_id": 2,
        "title": "Paracetamol <b>& fever</b>",
        "abstract": ["Paracetamol lowers fever in children. ", "It is safe."],
    },
    {"id": "3", "title": "Hand washing", "text": "Washing hands with soap prevents infections in hospitals."},
    {"id": "unused", "title": "Nobody cites this", "text": "Nothing."},
    {"id": "blank", "title": "Without an abstract", "text": " "},
]
CLAIMS: list[dict[str, Any]] = [
    {
        "id": "a",
        "text": "Metformin lowered fasting glucose.",
        "cited_doc_ids": ["1"],
        "evidence": {"1": [{"label": "SUPPORT", "sentences": [1]}, {"label": "SUPPORT", "sentences": [0, 1]}]},
    },
    {
        "id": 7,
        "claim": "Paracetamol raises fever in children.",
        "cited_doc_ids": [2, 3],
        "evidence": {"2": [{"label": "CONTRADICT", "sentences": [0]}]},
    },
    {
        "id": "c",
        "text": "Washing hands with soap prevents infections in hospitals.",
        "cited_doc_ids": ["3"],
        "evidence": {},
    },
    {"id": "d", "text": "Aspirin prevents strokes.", "cited_doc_ids": ["missing", "blank"], "evidence": {"1": []}},
    {"id": "e", "text": "Nothing is cited.", "cited_doc_ids": [], "evidence": {}},
]


def lines(objects: list[dict[str, Any]]) -> str:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects)


def write(folder: Path, claims: str = lines(CLAIMS), corpus: str = lines(ARTICLES)) -> tuple[Path, Path]:
    (folder / "claims.jsonl").write_text(claims, encoding="utf-8")
    (folder / "corpus.jsonl.gz").write_bytes(gzip.compress(corpus.encode()))
    return folder / "claims.jsonl", folder / "corpus.jsonl.gz"


def run(folder: Path, *options: str) -> Result:
    files = ["--claims", str(folder / "claims.jsonl"), "--corpus", str(folder / "corpus.jsonl.gz")]
    return CliRunner().invoke(main, ["evaluate", "claims", *files, "--out", str(folder / "out"), *options])


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory, models: Path) -> tuple[Path, Result]:
    """A run on the collection as it stands, which the tests that only look share."""
    folder = tmp_path_factory.mktemp("claims")
    write(folder)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("RAG_HOME", str(new_home(folder / "home", models)))
        return folder, run(folder, "--json")


def test_figures_are_printed_and_written_down(evaluated: tuple[Path, Result]) -> None:
    folder, result = evaluated
    assert result.exit_code == 0, result.output
    [printed] = map(json.loads, result.stdout.splitlines())
    assert json.loads((folder / "out" / "metrics.json").read_text(encoding="utf-8")) == printed
    assert (printed["claims"], printed["pairs"], printed["documents"], printed["pairs_left_out"]) == (5, 4, 3, 2)
    assert (printed["support_support"], printed["support_contradict"], printed["support_nei"]) == (1, 1, 2)
    assert printed["confusion"]["SUPPORT"] == {"SUPPORT": 1, "CONTRADICT": 0, "NEI": 0}
    assert sum(count for row in printed["confusion"].values() for count in row.values()) == 4
    assert sum(count for row in printed["verdicts"].values() for count in row.values()) == 4
    for figure in ("accuracy", "macro_f1"):
        low, high = printed["intervals"][figure]
        assert low <= printed[figure] <= high
    assert sum(one["count"] for one in printed["reliability"]) == 4
    assert printed["claims_file"]["name"] == "claims.jsonl"
    assert len(printed["model"]) > 4
    assert printed["versions"]["taiyi-rag"]
    assert "2 claim(s) cite a document that corpus.jsonl.gz lacks" in result.stderr
    assert not (folder / "home" / "taiyi.db").exists()


def test_every_claim_is_written_down_with_every_article_that_it_cites(evaluated: tuple[Path, Result]) -> None:
    folder, _ = evaluated
    items = [json.loads(line) for line in (folder / "out" / "items.jsonl").read_text("utf-8").splitlines()]
    assert [(one["id"], one["doc"], one["gold"]) for one in items] == [
        ("a", "1", "SUPPORT"),
        ("7", "2", "CONTRADICT"),
        ("7", "3", "NEI"),
        ("c", "3", "NEI"),
    ]
    assert (items[0]["verdict"], items[0]["given"]) == ("supported", "SUPPORT")
    assert items[0]["quotes"] == ["Metformin lowered fasting glucose."]
    assert items[1]["given"] != "SUPPORT"
    assert items[2]["verdict"] == "unsupported"
    assert items[3]["given"] == "SUPPORT", "what people left open although it is said is a mistake to be shown"


def test_the_report_is_one_file_in_two_languages_in_which_nothing_is_taken_for_markup(
    evaluated: tuple[Path, Result],
) -> None:
    folder, _ = evaluated
    page = (folder / "out" / "report.html").read_text(encoding="utf-8")
    assert "<svg" in page
    assert not re.search(r"<script[^>]|(src|href)=|@import|url\(", page)
    assert "NEI taken for SUPPORT: 1" in page
    assert "<b>" not in page
    assert page.count("<h1>") == 2
    assert "prefers-color-scheme: dark" in page


def test_for_people_the_first_claims_alone(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HOME", str(home))
    write(tmp_path)
    result = run(tmp_path, "--limit", "1")
    assert result.exit_code == 0, result.output
    assert "1 claims in 1 pairs" in result.stdout
    assert re.search(r"^SUPPORT +1\.000 +1\.000 +1\.000 +1$", result.stdout, re.MULTILINE)
    assert re.search(r"^CONTRADICT +- +- +- +0$", result.stdout, re.MULTILINE)


def judged(folder: Path) -> JudgedClaims:
    return read_judged_claims(*write(folder), None)


def test_figures_follow_from_the_verdicts(tmp_path: Path) -> None:
    """Supported is SUPPORT, contradicted is CONTRADICT, anything else leaves it open."""
    given = [("supported", 0.9), ("partial", 0.5), ("uncited", 0.1), ("supported", 0.7)]
    claims = judged(tmp_path)
    items = [
        CheckedPair(pair, Checked(verdict, probability, (), ()))
        for pair, (verdict, probability) in zip(claims.pairs, given, strict=True)
    ]
    figures = metrics_json(measured(claims, items, "by hand", [0.5, 0.1, 0.2, 0.4]))
    assert figures["accuracy"] == 2 / 4
    assert figures["confusion"]["CONTRADICT"] == {"SUPPORT": 0, "CONTRADICT": 0, "NEI": 1}
    assert (figures["precision_support"], figures["recall_support"]) == (1 / 2, 1)
    assert (figures["f1_support"], figures["f1_contradict"], figures["f1_nei"]) == pytest.approx((2 / 3, 0, 1 / 2))
    assert figures["macro_f1"] == pytest.approx((2 / 3 + 1 / 2) / 3)
    assert figures["brier"] == pytest.approx((0.1**2 + 0.5**2 + 0.1**2 + 0.7**2) / 4)
    assert figures["ece"] == pytest.approx((0.1 + 0.5 + 0.1 + 0.7) / 4)
    assert (figures["model"], figures["ms_per_pair"]) == ("by hand", 300)


def test_the_worst_mistakes_come_with_what_was_found_and_what_people_marked(tmp_path: Path) -> None:
    claims = judged(tmp_path)
    issue = Issue("number", "5 <g>", "answer says 5 <g>, source says 5 mg")
    right = [Checked("supported", 0.9, (), ()), Checked("contradicted", 0.1, (), ())]
    wrong = [Checked("supported", 0.81, (issue,), ((0, 0, 23),)), Checked("supported", 0.97, (), ())]
    for name, all_checked in (("wrong", wrong * 2), ("right", [*right, *[Checked("unsupported", 0.2, (), ())] * 2])):
        items = list(map(CheckedPair, claims.pairs, all_checked))
        write_claims_report(measured(claims, items, "by hand", [0.1] * 4), tmp_path / f"{name}.html")
    page = (tmp_path / "wrong.html").read_text(encoding="utf-8")
    kinds = re.findall(r"(\w+) taken for (\w+): (\d+)", page)
    assert kinds == [("CONTRADICT", "SUPPORT", "1"), ("NEI", "SUPPORT", "2")]
    left_open = page[page.index("NEI taken for SUPPORT") :]
    assert left_open.index("support 0.97") < left_open.index("support 0.81"), "of each kind the surest first"
    assert "answer says 5 &lt;g&gt;, source says 5 mg" in page
    assert "Washing hands with soap" in page
    assert re.search(r"People marked:</span> Paracetamol lowers fever in children\.", page)
    assert "nothing in the article" in page
    assert "Every pair got the class" in (tmp_path / "right.html").read_text(encoding="utf-8")


def test_claims_and_articles_are_read_as_scifact_writes_them(tmp_path: Path) -> None:
    claims, corpus = write(tmp_path)
    first, second, *_ = read_claims(claims)
    assert first.rationales == {"1": Rationale("SUPPORT", (1, 0))}
    assert (second.id, second.text, second.cited) == ("7", "Paracetamol raises fever in children.", ("2", "3"))
    articles = read_articles(corpus, {"1", "2", "blank", "missing"})
    assert set(articles) == {"1", "2"}
    assert articles["2"].text == "Paracetamol lowers fever in children. It is safe."
    assert articles["2"].sentences == ("Paracetamol lowers fever in children.", "It is safe.")


def claim(**changed: Any) -> str:
    return json.dumps({**CLAIMS[0], **changed}) + "\n"


@pytest.mark.parametrize(
    ("claims", "said"),
    [
        ("", "claims.jsonl is empty; it should have a claim a line"),
        ('{"id":', "claims.jsonl, line 1 is not JSON"),
        (claim() + "[]\n", "claims.jsonl, line 2 is not an object"),
        (claim() * 2, "claims.jsonl, line 2: the id 'a' was there before"),
        (claim(id=None), 'claims.jsonl, line 1: "id" is missing'),
        (claim(text=" "), 'claims.jsonl, line 1: "text" is missing or empty'),
        (claim(cited_doc_ids="1"), 'line 1: "cited_doc_ids" must be a list'),
        (claim(evidence=None), 'line 1: "evidence" is missing or not an object'),
        (claim(evidence={"1": ["x"]}), "line 1: the evidence of '1' must be a list"),
        (claim(evidence={"1": [{"label": "YES"}]}), "of '1' is neither SUPPORT nor CONTRADICT"),
        (claim(evidence={"1": [{"label": ["SUPPORT"]}]}), "of '1' is neither SUPPORT nor CONTRADICT"),
        (
            claim(evidence={"1": [{"label": "SUPPORT"}, {"label": "CONTRADICT"}]}),
            "'1' is said to support and to contra",
        ),
        (claim(evidence={"1": [{"label": "SUPPORT", "sentences": ["0"]}]}), "must be a list of whole numbers"),
        (claim(cited_doc_ids=[], evidence={}), "claims.jsonl has no claim that cites a document"),
        (claim(cited_doc_ids=["9"], evidence={}), "corpus.jsonl.gz has none of the documents that claims.jsonl cites"),
    ],
)
def test_claims_that_are_wrong_are_named_with_the_line(tmp_path: Path, claims: str, said: str) -> None:
    write(tmp_path, claims=claims)
    result = run(tmp_path)
    assert result.exit_code == 1
    assert said in result.stderr.splitlines()[-1]
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("corpus", "said"),
    [
        ("", "corpus.jsonl.gz is empty"),
        ('{"id":"1","text":"x"}\n' * 2, "corpus.jsonl.gz, line 2: the id '1' was there before"),
        ('{"id":"1","title":"x"}\n', 'corpus.jsonl.gz, line 1: "text" is missing'),
        ('{"id":"1","text":["x"]}\n', 'line 1: "title" and "text" must be strings'),
        ('{"doc_id":1,"title":"x","abstract":"y"}\n', 'line 1: "abstract" must be a list of sentences'),
        ('{"title":"x","text":"y"}\n', 'line 1: "id" is missing'),
    ],
)
def test_a_corpus_that_is_wrong_is_named_with_the_line(tmp_path: Path, corpus: str, said: str) -> None:
    write(tmp_path, corpus=corpus)
    result = run(tmp_path)
    assert result.exit_code == 1
    assert said in result.stderr.splitlines()[-1]
