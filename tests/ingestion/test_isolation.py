import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import docx
import pytest
import unruly

from ingestion import archives
from ingestion.children import ForkServer
from ingestion.isolation import Limits, Parsers, parsing_processes
from ingestion.parsing import documents
from ingestion.types import ParsedDocument, is_sound
from rag.errors import TaiyiError, Unavailable, UnreadableFile, UnsupportedFormat

LINUX = pytest.mark.skipif(not sys.platform.startswith("linux"), reason="only Linux limits this")


@pytest.fixture(scope="module")
def parsers(models: Path) -> Iterator[Parsers]:
    limits = Limits(silence_s=1.5, cpu_s=2, memory_mib=700, output_mib=4, message_mib=2)
    with parsing_processes(models.parent, limits) as opened:
        list(opened.run("unruly:count", [1], int, models))
        yield opened


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "guide.txt"
    path.write_text("Metformin is started first.\n", encoding="utf-8")
    return path


def bare(limits: Limits | None = None) -> Parsers:
    """Starts quickly, and reads no document."""
    return Parsers(Path(), ForkServer([]), limits or Limits())


def reason(parsers: Parsers, file: Path, function: str, *arguments: Any) -> str:
    with pytest.raises(TaiyiError) as refused:
        list(parsers.run(f"unruly:{function}", list(arguments), int, file))
    assert type(refused.value) is UnreadableFile
    return str(refused.value)


def is_running(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def within_seconds(is_so: Callable[[], bool], seconds: float = 10) -> bool:
    deadline = time.monotonic() + seconds
    while not is_so() and time.monotonic() < deadline:
        time.sleep(0.02)
    return is_so()


def test_documents_are_those_that_are_parsed_in_process(parsers: Parsers, models: Path, file: Path) -> None:
    assert list(parsers.parse(file)) == list(documents(str(models.parent), str(file)))


def test_what_the_loader_refuses_is_refused_in_its_own_words(parsers: Parsers, tmp_path: Path) -> None:
    (tmp_path / "scan.png").write_bytes(b"\x89PNG")
    (tmp_path / "empty.txt").write_bytes(b"")
    with pytest.raises(UnsupportedFormat, match=r"^scan.png has the suffix"):
        list(parsers.parse(tmp_path / "scan.png"))
    with pytest.raises(UnreadableFile, match=r"^empty.txt is empty$"):
        list(parsers.parse(tmp_path / "empty.txt"))
    with pytest.raises(UnreadableFile, match=r"^gone.txt cannot be read: No such file"):
        list(parsers.parse(tmp_path / "gone.txt"))


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("sleep", [], "nothing came of it for 2 s; part it"),
        ("spin", [], "nothing came of it for 2 s; part it"),
        pytest.param("allocate", [], "reading it took more than 700 MiB of memory", marks=LINUX),
        ("recurse", [], "it is nested too deeply"),
        ("die", [signal.SIGSEGV], r"its loader crashed \(SIGSEGV\); open it"),
        ("die", [signal.SIGXCPU], "more than 2 s of processor time"),
        ("die", [signal.SIGKILL], "the system ended the process"),
        ("leave", [], r"its loader crashed \(exit code 7\)"),
        ("fail", [], r"its loader failed \(KeyError, unruly.py line \d+\); open it"),
        ("flood", [], "not sound"),
    ],
)
def test_a_process_that_goes_wrong_fails_its_file_alone(
    parsers: Parsers, file: Path, function: str, arguments: list[int], expected: str
) -> None:
    with pytest.raises(UnreadableFile, match=rf"^guide.txt was given up: .*{expected}"):
        list(parsers.run(f"unruly:{function}", [int(argument) for argument in arguments], int, file))
    assert len(list(parsers.parse(file))) == 1


@LINUX
def test_processor_time_is_limited_where_the_caller_would_wait_longer(file: Path) -> None:
    with bare(Limits(cpu_s=1)) as parsers:
        assert "took more than 1 s of processor time; part it" in reason(parsers, file, "spin")


def test_output_without_end_is_cut_off(parsers: Parsers, file: Path) -> None:
    with pytest.raises(UnreadableFile, match="what it holds takes more than 4 MiB"):
        list(parsers.run("unruly:flood", [], str, file))


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"\xff" * 100, "more than 2 MiB"),
        (b"GET / HTTP/1.1\r\n\r\n", "more than 2 MiB"),
        (struct.pack(">Ic", 3, b"v") + b"\xa2hi", "not sound"),
        (struct.pack(">Ic", 1, b"v") + b"\xc1", "not sound"),
        (struct.pack(">Ic", 1, b"?") + b"\x01", "not sound"),
        (struct.pack(">Ic", 1, b"e") + b"\x01", "not sound"),
        (struct.pack(">Ic", 5000, b"v") + b"\x91" * 5000, "not sound"),
        (struct.pack(">Ic", 5000, b"e") + b"\x91" * 5000, "not sound"),
        (struct.pack(">Ic", 9, b"v") + b"\x01", "nothing came of it"),
    ],
)
def test_garbage_from_a_process_is_refused(parsers: Parsers, file: Path, raw: bytes, expected: str) -> None:
    with pytest.raises(UnreadableFile, match=expected):
        list(parsers.run("unruly:say", [raw.decode("latin-1")], int, file))


@pytest.mark.parametrize("reach", [(0, 3), (-1, 2), (2, 2)])
def test_a_document_whose_passages_lie_outside_its_text_is_refused(
    parsers: Parsers, file: Path, reach: tuple[int, int]
) -> None:
    with pytest.raises(UnreadableFile, match="not sound"):
        list(parsers.run("unruly:forge", list(reach), ParsedDocument, file, is_sound=is_sound))


@LINUX
def test_a_process_writes_no_files_opens_no_connections_and_knows_no_secrets(
    parsers: Parsers, file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    target = tmp_path / "made"
    assert list(parsers.run("unruly:write", [str(target)], str, file)) != ["written"]
    assert not target.exists() or target.read_bytes() == b""
    if os.uname().release >= "6.8":
        with socket.create_server(("127.0.0.1", 0)) as listening:
            port = listening.getsockname()[1]
            assert list(parsers.run("unruly:connect", [port], str, file)) == ["Permission denied"]
    monkeypatch.setenv("RAG_LLM_API_KEY", "secret")
    with bare() as started_now:
        assert "RAG_LLM_API_KEY" not in list(started_now.run("unruly:environment", [], str, file))


@LINUX
def test_closing_early_ends_the_child_and_what_it_started(parsers: Parsers, file: Path) -> None:
    reading = parsers.run("unruly:bring_forth", [], int, file)
    pid = next(reading)
    assert is_running(pid)
    reading.close()
    assert within_seconds(lambda: not is_running(pid))
    assert list(reading) == []


@LINUX
def test_nothing_is_left_when_the_caller_is_killed() -> None:
    caller = subprocess.Popen(
        [sys.executable, unruly.__file__],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    with caller:
        assert caller.stdout is not None
        pids = [int(pid) for pid in caller.stdout.readline().split()]
        assert len(set(pids)) == 4
        assert all(map(is_running, pids))
        caller.kill()
    assert within_seconds(lambda: not any(map(is_running, pids)))


@LINUX
def test_a_server_that_was_killed_is_started_anew(file: Path) -> None:
    with bare() as parsers:
        reading = parsers.run("unruly:own_pid_and_parents", [], int, file)
        child, server = next(reading), next(reading)
        os.kill(server, signal.SIGKILL)
        with pytest.raises(UnreadableFile, match="the process that reads files has ended; load it again"):
            list(reading)
        assert within_seconds(lambda: not is_running(child))
        assert list(parsers.run("unruly:count", [3], int, file)) == [0, 1, 2]


def test_a_server_that_cannot_start_says_why(tmp_path: Path, file: Path) -> None:
    with (
        Parsers(tmp_path, ForkServer([("no_such_module:prepare", [])]), Limits()) as parsers,
        pytest.raises(Unavailable, match=r"does not start: .*no_such_module"),
    ):
        list(parsers.parse(file))


def test_several_files_are_read_at_once_and_one_that_fails_fails_alone(parsers: Parsers, tmp_path: Path) -> None:
    paths = []
    for number in range(12):
        path = tmp_path / f"{number}.txt"
        path.write_text(f"Sentence {number}. " * (1 + 200 * (number % 3)), encoding="utf-8")
        paths.append(path)
    paths.insert(5, tmp_path / "gone.txt")
    seen, failed = [], []
    begun = [(path, parsers.start(path)) for path in paths]
    for path, reading in begun:
        try:
            with reading as documents:
                seen.append((path, [document.text.split(".")[0] for document in documents]))
        except UnreadableFile:
            failed.append(path)
    assert failed == [tmp_path / "gone.txt"]
    assert [path for path, _ in seen] == [path for path in paths if path not in failed]
    assert all(texts == [f"Sentence {path.stem}"] for path, texts in seen)


def test_a_slow_caller_holds_a_child_up_rather_than_filling_memory(parsers: Parsers, file: Path) -> None:
    with parsers.run("unruly:flood", [], str, file) as reading:
        next(reading)
        time.sleep(2)  # longer than the silence that is allowed, and a second of flooding is more than 4 MiB
        next(reading)


def test_several_threads_may_parse_at_once(parsers: Parsers, file: Path) -> None:
    counts: list[int] = []
    threads = [threading.Thread(target=lambda: counts.append(len(list(parsers.parse(file))))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert counts == [1, 1, 1, 1]


HOSTILE = {
    "laughs.xml": '<?xml version="1.0"?><!DOCTYPE article [<!ENTITY a "ha">'
    + "".join(f'<!ENTITY {b} "{f"&{a};" * 10}">' for a, b in zip("abcdefghi", "bcdefghij", strict=True))
    + "]><article><body><p>&j;</p></body></article>",
    "outside.xml": '<?xml version="1.0"?><!DOCTYPE article [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    "<article><front><article-meta><title-group><article-title>T</article-title></title-group></article-meta></front>"
    "<body><p>Name: &x;</p></body></article>",
    "deep.html": "<html><body>" + "<div>" * 50_000 + "<p>Deep down.</p>",
    "deep.jsonl": '{"id": "1", "text": ' + "[" * 100_000 + "]" * 100_000 + "}\n",
    "deep.md": ">" * 20_000 + " quoted\n",
    "open.html": "<html><body>" + "<a <b " * 50_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_text_file_is_read_or_refused(parsers: Parsers, tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(HOSTILE[name], encoding="utf-8")
    texts, refusal = [], None
    try:
        texts = [document.text for document in parsers.parse(path)]
    except (UnreadableFile, UnsupportedFormat) as error:
        refusal = str(error)
    assert refusal is None or (refusal.startswith(name) and len(refusal) < 400)
    assert sum(map(len, texts)) < 10 * path.stat().st_size
    assert not any(socket.gethostname() in text for text in texts)


def test_a_docx_that_is_a_bomb_is_given_up(parsers: Parsers, tmp_path: Path) -> None:
    path = tmp_path / "bomb.docx"
    docx.Document().save(tmp_path / "plain.docx")
    with (
        zipfile.ZipFile(tmp_path / "plain.docx") as plain,
        zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive,
    ):
        for name in plain.namelist():
            content = plain.read(name)
            if name == "word/document.xml":
                content = content.replace(b"<w:body>", b"<w:body>" + b"<w:p/>" * 15_000_000)
            archive.writestr(name, content)
    with pytest.raises(UnreadableFile, match=r"^bomb.docx"):
        list(parsers.parse(path))


def test_archives_are_unpacked_below_their_folder(parsers: Parsers, tmp_path: Path) -> None:
    path, into = tmp_path / "guides.zip", tmp_path / "unpacked"
    into.mkdir()
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("asthma/guide.txt", "Reliever as needed.")
    assert parsers.unpack(path, into) == [archives.Member("asthma/guide.txt", into / "asthma" / "guide.txt")]
    assert (into / "asthma" / "guide.txt").read_text(encoding="utf-8") == "Reliever as needed."
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("../guide.txt", "Out.")
    with pytest.raises(UnreadableFile, match="leads out of the archive"):
        parsers.unpack(path, into)
