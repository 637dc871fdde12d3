import gzip
import json
import os
import pty
import subprocess
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from api.cli import main
from api.pair_checking import BATCH, JudgedPair, judged_pairs, lines_of
from conftest import EXECUTABLE
from rag.checking.entailment import Entailment, open_entailment
from rag.errors import UnreadableFile
from rag.settings import Settings

SOURCE = "Adults start metformin at 500 mg twice daily with meals. Metformin is contraindicated below an eGFR of 30."
PAIRS: list[dict[str, Any]] = [
    {"id": "same", "sentence": "Metformin is contraindicated below an eGFR of 30.", "evidence": SOURCE},
    {"id": 2, "sentence": "Adults start metformin at 5000 mg twice daily with meals.", "evidence": [SOURCE]},
    {"sentence": "哮喘患者应随身携带吸入器。", "evidence": ["高血压患者应限制食盐。", "哮喘患者应随身携带吸入器。"]},
    {"sentence": "The capital of France is Paris.", "evidence": SOURCE, "drawn": {"from": ["nowhere"]}},
]


def lines(objects: list[dict[str, Any]]) -> bytes:
    return "".join(json.dumps(one, ensure_ascii=False) + "\n" for one in objects).encode()


@pytest.fixture(scope="module")
def entailment(models: Path) -> Entailment:
    return open_entailment(Settings(home=models.parent))


@pytest.fixture(autouse=True)
def _in_a_home_without_a_library(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RAG_HOME", str(home))


def check(pairs: Path | str, *options: str, code: int = 0, given: bytes | None = None) -> Result:
    result = CliRunner().invoke(main, ["check", "--pairs", str(pairs), *options], input=given)
    assert result.exit_code == code, result.output
    return result


def test_each_line_gets_a_verdict_a_probability_and_what_is_wrong(tmp_path: Path, home: Path) -> None:
    (tmp_path / "pairs.jsonl").write_bytes(lines(PAIRS))
    result = check(tmp_path / "pairs.jsonl", "--json")
    same, tenfold, chinese, elsewhere = map(json.loads, result.stdout.splitlines())
    assert (same["id"], same["verdict"], same["issues"]) == ("same", "supported", [])
    assert tenfold["id"] == 2
    assert tenfold["verdict"] == "contradicted"
    [issue] = tenfold["issues"]
    assert set(issue) == {"kind", "value", "message"}
    assert "5000 mg" in issue["message"]
    assert "500 mg" in issue["message"].replace("5000 mg", "")
    assert chinese["verdict"] == "supported"
    assert chinese["quotes"] == [{"evidence": 1, "start": 0, "end": 13, "text": "哮喘患者应随身携带吸入器。"}]
    assert (elsewhere["verdict"], elsewhere["drawn"]) == ("unsupported", {"from": ["nowhere"]})
    assert same["probability"] > 0.5 > max(tenfold["probability"], elsewhere["probability"])
    assert not (home / "taiyi.db").exists()


def test_lines_may_come_from_a_packed_file_or_a_pipe(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl.gz").write_bytes(gzip.compress(lines(PAIRS)))
    packed = list(lines_of(tmp_path / "pairs.jsonl.gz", []))
    assert packed == lines(PAIRS).splitlines(keepends=True)
    assert list(lines_of(Path("-"), packed)) == packed


def test_json_is_printed_wherever_no_person_reads() -> None:
    result = check("-", given=b"\xef\xbb\xbf" + lines(PAIRS).replace(b"\n", b"\r\n\r\n"))
    assert len([json.loads(line)["verdict"] for line in result.stdout.splitlines()]) == len(PAIRS)


def test_at_a_terminal_verdicts_are_written_for_people(tmp_path: Path, home: Path) -> None:
    (tmp_path / "pairs.jsonl").write_bytes(lines(PAIRS[:2]))
    terminal, for_command = pty.openpty()
    subprocess.run(
        [EXECUTABLE, "check", "--pairs", str(tmp_path / "pairs.jsonl")],
        stdout=for_command,
        stderr=subprocess.PIPE,
        env={**os.environ, "RAG_HOME": str(home), "NO_COLOR": "1"},
        check=True,
        timeout=120,
    )
    os.close(for_command)
    shown = os.read(terminal, 65536).decode()
    os.close(terminal)
    first, second, issue = shown.splitlines()
    assert "supported" in first
    assert PAIRS[0]["sentence"] in first
    assert "contradicted" in second
    assert "5000 mg" in issue
    assert "{" not in shown


def test_more_lines_than_are_judged_at_a_time_keep_their_order(entailment: Entailment) -> None:
    many = [{**PAIRS[number % 2], "id": number} for number in range(BATCH + 3)]
    judged = list(judged_pairs([lines([one]) for one in many], "many", entailment))
    assert [one.pair.other["id"] for one in judged] == list(range(len(many)))
    assert {one.pair.other["id"] % 2 for one in judged if one.checked.verdict == "supported"} == {0}
    exactly = list(judged_pairs([lines([one]) for one in many[:BATCH]], "many", entailment))
    assert [one.checked.verdict for one in exactly] == [one.checked.verdict for one in judged[:BATCH]]


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (b'{"sentence": "x", "evid', "line 3 is not JSON"),
        (b'["x", "y"]', 'line 3 is not an object such as {"sentence": "...", "evidence": "..."}'),
        (b'{"evidence": "y"}', 'line 3: "sentence" is missing or empty'),
        (b'{"sentence": " ", "evidence": "y"}', 'line 3: "sentence" is missing or empty'),
        (b'{"sentence": "x"}', 'line 3: "evidence" must be a text or a list of texts'),
        (b'{"sentence": "x", "evidence": [1]}', 'line 3: "evidence" must be a text or a list of texts'),
        (b'{"sentence": "x", "evidence": {"text": "y"}}', 'line 3: "evidence" must be a text or a list of texts'),
        ('{"sentence": "é", "evidence": "y"}'.encode("latin-1"), "line 3 is not UTF-8"),
        (rb'{"sentence": "x \ud83d", "evidence": "y"}', "line 3 has half a character"),
        (b'{"sentence": "x", "evidence": "y", "id": ' + b"1" * 5000 + b"}", "line 3 is not JSON"),
    ],
)
def test_a_line_that_is_no_pair_is_named_once_those_before_it_are_judged(
    entailment: Entailment, line: bytes, said: str
) -> None:
    judged: list[JudgedPair] = []
    with pytest.raises(UnreadableFile) as raised:
        judged.extend(judged_pairs([*lines(PAIRS[:1]).splitlines(), b" \n", line], "mine.jsonl", entailment))
    assert str(raised.value).startswith(f"mine.jsonl, {said}")
    assert [one.pair.other["id"] for one in judged] == ["same"]


def test_a_file_that_goes_wrong_ends_in_one_line_and_status_1(tmp_path: Path) -> None:
    (tmp_path / "pairs.jsonl").write_bytes(lines(PAIRS[:1]) + b"{}\n" + lines(PAIRS[1:]))
    result = check(tmp_path / "pairs.jsonl", code=1)
    [judged] = map(json.loads, result.stdout.splitlines())
    assert judged["id"] == "same"
    assert result.stderr.splitlines()[-1].startswith('taiyi-rag: pairs.jsonl, line 2: "sentence" is missing')
    check(tmp_path / "nowhere.jsonl", code=2)


def test_evidence_that_says_nothing_supports_nothing(entailment: Entailment) -> None:
    empty = [{"sentence": PAIRS[0]["sentence"], "evidence": evidence} for evidence in ("", [], [" ", "\n"])]
    judged = list(judged_pairs([lines([one]) for one in empty], "empty", entailment))
    assert len(judged) == 3
    assert {one.checked.verdict for one in judged} <= {"unsupported", "uncited"}
    assert all(one.checked.probability < 0.5 for one in judged)


def test_a_file_without_lines_gives_none(entailment: Entailment) -> None:
    assert list(judged_pairs([], "nothing", entailment)) == []
