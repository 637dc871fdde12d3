"""Files damaged by chance, through the parsers in their own processes as in production: whatever a file holds, it gives
sound documents or is refused by name and reason within its limits, and the next file is read as ever."""

import contextlib
import gzip
import io
import json
import logging
import random
import re
import tarfile
import time
import zipfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import docx
import pptx
import pytest

from ingestion.isolation import Limits, Parsers, parsing_processes
from ingestion.loaders import FORMATS
from ingestion.manifest import read_manifest, read_sidecar
from rag.errors import InvalidRequest, UnreadableFile, UnsupportedFormat

SAMPLE = Path(__file__).parents[2] / "corpora" / "sample"
LIMITS = Limits(silence_s=20, silence_s_per_mib=10, cpu_s=15)
SLACK_S = 15
"""Starting a child, and this machine's other work."""
ONCE_WRONG = (6898, 6948)
"""Of the 10,000, those whose loader once failed."""
ARCHIVES = (".zip", ".tar", ".tar.gz")
log = logging.getLogger(__name__)
GIVEN_UP = re.compile(r"its loader (?:failed|crashed) \(([^)]*)\)")

NBIB = """PMID- 12345678
TI  - Uric acid in gout
DP  - 2021 May
AB  - A target below 360 micromol/L was reached by 61 % of the patients.
AU  - Meier A
LID - 10.1000/182 [doi]

PMID- 12345679
TI  - Colchicine
AB  - 0.5 mg twice a day.
"""
RIS = """TY  - JOUR
TI  - Uric acid in gout
AU  - Meier, A
PY  - 2021/05/03
AB  - A target below 360 micromol/L was reached by 61 % of the patients.
DO  - 10.1000/182
ER  -
"""
CSV = """id,title,text,published
1,Gout,"The target is 360 µmol/L.",2021
2,痛风,"血尿酸目标低于360微摩尔每升。",2022-01
"""
TABLE = "Drug\tDose\nAllopurinol\t100 mg\nFebuxostat\t40 mg\n"
EPUB = {
    "mimetype": "application/epub+zip",
    "META-INF/container.xml": '<?xml version="1.0"?><container version="1.0" xmlns="urn:oasis:names:tc:opendocument:'
    'xmlns:container"><rootfiles><rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/>'
    "</rootfiles></container>",
    "OEBPS/book.opf": '<?xml version="1.0"?><package xmlns="http://www.idpf.org/2007/opf" version="3.0"><metadata '
    'xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Gout</dc:title></metadata><manifest><item id="c" '
    'href="c.xhtml" media-type="application/xhtml+xml"/></manifest><spine><itemref idref="c"/></spine></package>',
    "OEBPS/c.xhtml": '<html xmlns="http://www.w3.org/1999/xhtml"><head><title>Gout</title></head><body><h1>Dose</h1>'
    "<p>Allopurinol is started at 100 mg a day.</p><table><tr><td>100</td><td>mg</td></tr></table></body></html>",
}
TOKENS = (
    *(b"\0", b"\xff\xfe", b"\xef\xbb\xbf", b"\xf0\x9f", b"%PDF-", b"PK\x03\x04", b"\x1f\x8b\x08", b"<![CDATA[", b"]]>"),
    *(b"<!DOCTYPE a [<!ENTITY b SYSTEM 'file:///etc/passwd'>]>", b"&b;", b"&#0;", b"&#xD800;", b"<table>", b"</p>"),
    *(b"-1", b"0", b"2147483648", b"99999999999999999999", b"1e999", b"NaN", b"\\ud800", b'{"a":', b"[" * 200),
    *(b"<div>" * 300, b"<tr><td colspan=99999 rowspan=99999>", b"endobj", b"stream\n", b"/Count 99999999", b"\r", b'"'),
)


def packed(members: dict[str, bytes | str]) -> bytes:
    into = io.BytesIO()
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return into.getvalue()


def tarred(members: dict[str, bytes | str], mode: str) -> bytes:
    into = io.BytesIO()
    with tarfile.open(fileobj=into, mode=mode) as archive:  # type: ignore[call-overload]
        for name, content in members.items():
            raw = content.encode() if isinstance(content, str) else content
            entry = tarfile.TarInfo(name)
            entry.size = len(raw)
            archive.addfile(entry, io.BytesIO(raw))
    return into.getvalue()


def presentation() -> bytes:
    slides = pptx.Presentation()
    slide = slides.slides.add_slide(slides.slide_layouts[1])
    slide.shapes.title.text = "Gout"
    slide.placeholders[1].text = "Allopurinol is started at 100 mg a day."
    into = io.BytesIO()
    slides.save(into)
    return into.getvalue()


def document() -> bytes:
    made = docx.Document()
    made.add_heading("Gout", 1)
    made.add_paragraph("Allopurinol is started at 100 mg a day.")
    table = made.add_table(2, 2)
    table.cell(0, 0).merge(table.cell(0, 1)).text = "Dose"
    into = io.BytesIO()
    made.save(into)
    return into.getvalue()


def seeds() -> list[tuple[str, bytes]]:
    """Suffix and content of sound files, at least one of every suffix that is read and of every archive."""
    named = sorted(path for path in SAMPLE.iterdir() if path.suffix != ".toml")
    found = [(path.suffix, path.read_bytes()) for path in named]
    text = {"a.txt": "Allopurinol is started at 100 mg a day.\n", "b/c.csv": CSV, "b/d.nbib": NBIB}
    lines = "".join(json.dumps({"id": str(n), "title": "Gout", "text": f"Dose {n} mg."}) + "\n" for n in range(3))
    page = (SAMPLE / "asthma-en.html").read_bytes()
    found += [
        *((suffix, text["a.txt"].encode()) for suffix in (".text", ".markdown")),
        *((suffix, page) for suffix in (".htm", ".xhtml")),
        *((suffix, content.encode()) for suffix, content in ((".nbib", NBIB), (".ris", RIS), (".csv", CSV))),
        (".tsv", TABLE.encode()),
        (".jsonl", lines.encode()),
        (".docx", document()),
        (".pptx", presentation()),
        (".epub", packed(dict(EPUB))),
        (".zip", packed(dict(text))),
        (".tar", tarred(dict(text), "w")),
        (".tar.gz", tarred(dict(text), "w:gz")),
    ]
    plain = dict(found)
    return found + [(f"{name}.gz", gzip.compress(plain[name])) for name in plain if f"{name}.gz" in FORMATS]


def mutated(raw: bytes, other: bytes, chance: random.Random) -> bytes:
    """``raw`` with one to eight changes: of bits, lengths, numbers and order, or with pieces of ``other``."""
    changed = bytearray(raw)
    for _ in range(chance.choice((1, 1, 2, 3, 8))):
        at = chance.randrange(len(changed) + 1)
        width = min(len(changed) - at, int(2 ** chance.uniform(0, 12)))
        match chance.randrange(9):
            case 0 if at < len(changed):
                changed[at] ^= 1 << chance.randrange(8)
            case 1:
                del changed[at:]
            case 2:
                del changed[at : at + width]
            case 3:
                changed[at:at] = chance.randbytes(width)
            case 4:
                changed[at:at] = chance.choice(TOKENS) * chance.choice((1, 1, 1, 50))
            case 5:
                changed[at:at] = changed[at : at + width] * chance.choice((1, 2, 40))
            case 6:
                changed[at : at + width] = bytes([chance.choice((0, 255, 32, 60))]) * width
            case 7:
                start = chance.randrange(len(other) + 1)
                changed[at : at + width] = other[start : start + width]
            case 8:
                numbers = list(re.finditer(rb"\d+", bytes(changed)))
                if numbers:
                    one = chance.choice(numbers)
                    changed[one.start() : one.end()] = chance.choice((b"0", b"-1", b"4294967296", b"9" * 30))
    return bytes(changed)


def with_a_mutated_member(raw: bytes, chance: random.Random) -> bytes:
    """A sound zip whose members are not: one mutated, renamed, doubled, left out, or far larger than it says."""
    with zipfile.ZipFile(io.BytesIO(raw)) as archive:
        members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    at = chance.randrange(len(members))
    name, content = members[at]
    into = io.BytesIO()
    trick = chance.randrange(6)
    match trick:
        case 0 | 1 | 2 if content:
            members[at] = (name, mutated(content, chance.choice(members)[1], chance))
        case 3:
            members[at] = (chance.choice(("../" + name, "/" + name, name + "/", "", "\0", name[:-1] or "x")), content)
        case 4:
            del members[at]
        case 5:
            members[at] = (name, content + b" " * 30_000_000)
    with zipfile.ZipFile(into, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, held in members:
            archive.writestr(zipfile.ZipInfo(member or "x"), held, zipfile.ZIP_DEFLATED)
    packed_anew = into.getvalue()
    if trick == 5:  # the directory states another size than the member has
        where = packed_anew.rfind(b"PK\x01\x02")
        return packed_anew[: where + 24] + chance.randbytes(4) + packed_anew[where + 28 :]
    return packed_anew


@pytest.fixture(scope="module")
def parsers(models: Path) -> Iterator[Parsers]:
    with parsing_processes(models.parent, LIMITS) as opened:
        yield opened


SEEDS = seeds()


def test_every_format_and_archive_has_a_sound_seed(parsers: Parsers, tmp_path: Path) -> None:
    assert {suffix for suffix, _ in SEEDS} >= {*FORMATS, *ARCHIVES}
    for number, (suffix, raw) in enumerate(SEEDS):
        path = tmp_path / f"seed-{number}{suffix}"
        path.write_bytes(raw)
        if suffix in ARCHIVES:
            assert len(parsers.unpack(path, fresh(tmp_path / f"into-{number}"))) == 3
        else:
            assert next(parsers.parse(path)).passages, path


def fresh(folder: Path) -> Path:
    folder.mkdir()
    return folder


def test_files_damaged_by_chance_are_read_or_refused(parsers: Parsers, tmp_path: Path) -> None:
    assert_all_are_read_or_refused(parsers, tmp_path, [*range(400), *ONCE_WRONG])


@pytest.mark.full
def test_ten_thousand_files_damaged_by_chance_are_read_or_refused(parsers: Parsers, tmp_path: Path) -> None:
    assert_all_are_read_or_refused(parsers, tmp_path, range(10_000))


def assert_all_are_read_or_refused(parsers: Parsers, folder: Path, numbers: Sequence[int]) -> None:
    before = parsers_pid(parsers)
    with ThreadPoolExecutor(2) as threads:
        outcomes = list(threads.map(lambda number: outcome(parsers, folder, number), numbers))
    log.info("%s", Counter(kind for kind, _ in outcomes))
    wrong = [f"{number} {said}" for number, (kind, said) in zip(numbers, outcomes, strict=True) if kind == "wrong"]
    assert wrong == []
    assert parsers_pid(parsers) == before, "the process that forks the readers has ended"
    sound = folder / "sound.txt"
    sound.write_text("Metformin is started first.\n", encoding="utf-8")
    assert len(list(parsers.parse(sound))) == 1


def parsers_pid(parsers: Parsers) -> int:
    return parsers._server._process.pid


def outcome(parsers: Parsers, folder: Path, number: int) -> tuple[str, str]:
    """What became of file ``number``, which is always the same file: read, refused, or wrong."""
    chance = random.Random(number)
    suffix, raw = SEEDS[number % len(SEEDS)]
    zipped = raw.startswith(b"PK") and chance.random() < 0.6
    damaged = with_a_mutated_member(raw, chance) if zipped else mutated(raw, chance.choice(SEEDS)[1], chance)
    path = folder / f"damaged-{number}{suffix}"
    path.write_bytes(damaged)
    read: Callable[[], object] = lambda: [None for _ in parsers.parse(path)]  # noqa: E731
    if suffix in ARCHIVES:
        read = lambda: parsers.unpack(path, fresh(folder / f"into-{number}"))  # noqa: E731
    began = time.monotonic()
    try:
        read()
        kind, said = "read", ""
    except (UnreadableFile, UnsupportedFormat) as error:
        kind, said = "refused", str(error)
    except Exception as error:  # the very thing that must not be
        return "wrong", f"{path.name}: {type(error).__name__}: {error}"
    took = time.monotonic() - began
    if took > LIMITS.silence_of(len(damaged)) + SLACK_S:
        return "wrong", f"{path.name}: {took:.0f} s"
    if kind == "refused" and (not said.startswith(path.name) or "\n" in said):
        return "wrong", f"{path.name}: {said}"
    if fault := GIVEN_UP.search(said):
        return "wrong", f"{path.name}: {fault[0]}"
    path.unlink()
    return ("given up" if "was given up" in said else kind), said


def test_manifests_and_sidecars_damaged_by_chance_are_read_or_refused(tmp_path: Path) -> None:
    """They are read by the service itself."""
    manifest = (SAMPLE / "manifest.toml").read_bytes()
    table = b'title = "Gout"\nauthors = ["Meier, A"]\npublished = 2021-05-03\nlanguage = "en"\n'
    row = b'{"title": "Gout", "authors": ["Meier, A"], "published": "2021-05-03", "language": "en"}'
    nested = b"[" * 100_000
    for number in range(1000):
        folder = fresh(tmp_path / str(number))
        chance = random.Random(number)
        (folder / "manifest.toml").write_bytes(mutated(manifest, row, chance))
        (folder / "a.pdf.meta.toml").write_bytes(mutated(table, row, chance))
        (folder / "b.pdf.meta.json").write_bytes(mutated(row, table, chance))
        if number == 0:
            (folder / "manifest.toml").write_bytes(b"document = " + nested)
            (folder / "a.pdf.meta.toml").write_bytes(b"title = " + nested)
            (folder / "b.pdf.meta.json").write_bytes(nested)
        if number == 1:
            (folder / "manifest.toml").write_bytes(b"document = 5")
            (folder / "a.pdf.meta.toml").write_bytes(b"title = " + b"9" * 5000)
            (folder / "b.pdf.meta.json").write_bytes(b'{"title": ' + b"9" * 5000 + b"}")
        refused(lambda folder=folder: read_manifest(folder))
        refused(lambda folder=folder: read_sidecar(folder / "a.pdf"))
        refused(lambda folder=folder: read_sidecar(folder / "b.pdf"))


def refused(read: Callable[[], object]) -> None:
    """Reads; anything but a refusal of the file is a fault."""
    with contextlib.suppress(InvalidRequest):
        read()
