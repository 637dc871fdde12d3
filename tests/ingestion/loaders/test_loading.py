"""Which loader reads a file."""

import gzip
import io
import subprocess
import sys
import zipfile
from pathlib import Path

import docx
import pytest

from ingestion.loaders import FORMATS, format_of, load
from rag.errors import TaiyiError, UnreadableFile, UnsupportedFormat

JATS = b"<?xml version='1.0'?><article><body><p>Text.</p></body></article>"
PUBMED = (
    b"<?xml version='1.0'?>\n<!DOCTYPE PubmedArticleSet [<!ENTITY a '>'>]>\n"
    b"<!-- x --><PubmedArticleSet></PubmedArticleSet>"
)
HTML = b"<!DOCTYPE html><html><body><p>Text.</p></body></html>"
JSONL = b'{"id": "1", "text": "x"}\n'


def word() -> bytes:
    buffer = io.BytesIO()
    document = docx.Document()
    document.add_paragraph("Text.")
    document.save(buffer)
    return buffer.getvalue()


def zipped(name: str) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr(name, "x")
    return buffer.getvalue()


def written(tmp_path: Path, name: str, data: bytes) -> Path:
    path = tmp_path / name
    path.write_bytes(data)
    return path


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.md", b"# Text", "markdown"),
        ("a.MARKDOWN", b"Text", "markdown"),
        ("a.txt", b"Text", "text"),
        ("a.text", "高血压".encode("gb18030"), "text"),
        ("a.htm", b"<p>Text</p>", "html"),
        ("a.xhtml", b"<?xml version='1.0'?><html xmlns='x'/>", "html"),
        ("a.pdf", b"%PDF-1.4", "pdf"),
        ("a.docx", word(), "docx"),
        ("a.xml", JATS, "jats"),
        ("a.nxml", b"\xef\xbb\xbf<jats:article xmlns:jats='x'/>", "jats"),
        ("a.xml", JATS.decode().encode("utf-16"), "jats"),
        ("a.xml", PUBMED, "pubmed"),
        ("a.xml.gz", gzip.compress(PUBMED), "pubmed"),
        ("a.pptx", zipped("ppt/presentation.xml"), "pptx"),
        ("a.epub", zipped("META-INF/container.xml"), "epub"),
        ("a.nbib", b"\nPMID- 12230038\nTI  - The Bio* toolkits\n", "nbib"),
        ("a.nbib.gz", gzip.compress(b"PMID- 1\n"), "nbib"),
        ("a.ris", b"TY  - JOUR\nER  - \n", "ris"),
        ("a.csv", b"id,Abstract\n1,x\n", "csv"),
        ("a.tsv", b"ID\tText\n1\tx\n", "csv"),
        ("a.csv.gz", gzip.compress("编号,正文\n1,高血压是常见病。\n".encode("gb18030")), "csv"),
        ("a.csv", b"drug,dose\naspirin,100 mg\n", "table"),
        ("a.jsonl", b"{oops", "jsonl"),
        ("a.jsonl.gz", gzip.compress(JSONL), "jsonl"),
    ],
)
def test_a_file_is_what_its_name_says_when_its_content_agrees(
    tmp_path: Path, name: str, data: bytes, expected: str
) -> None:
    assert format_of(written(tmp_path, name, data)) == expected


@pytest.mark.parametrize(
    ("name", "data", "expected"),
    [
        ("a.txt", b"%PDF-1.7", "pdf"),
        ("a.txt", b"\nPMID- 12230038\nTI  - The Bio* toolkits\n", "nbib"),
        ("a.txt", b"TY  - JOUR\nTI  - Aspirin\nER  - \n", "ris"),
        ("a.nbib", b"TY  - JOUR\nTI  - Aspirin\nER  - \n", "ris"),
        ("a.csv", b"<!DOCTYPE html><html><body>Log in</body></html>", "html"),
        ("a.xml", HTML, "html"),
        ("a.pdf", HTML, "html"),
        ("a.txt", JSONL, "jsonl"),
        ("a.md", PUBMED, "pubmed"),
        ("a.txt", JATS, "jats"),
        ("a.pdf", word(), "docx"),
        ("a.txt", b'{"a": 1', "text"),
        ("a.md", b"<article>an HTML tag in Markdown</article>", "markdown"),
        ("a.html", b"<article>an HTML tag</article>", "html"),
    ],
)
def test_a_file_that_is_plainly_something_else_is_read_as_that(
    tmp_path: Path, name: str, data: bytes, expected: str
) -> None:
    assert format_of(written(tmp_path, name, data)) == expected


@pytest.mark.parametrize(
    ("name", "data", "reason"),
    [
        ("a.exe", b"MZ", "has the suffix '.exe'; what is read is .md"),
        ("README", b"Text", "has no suffix"),
        ("a.pdf", b"Text", "is named .pdf but is no PDF file"),
        ("a.docx", b"Text", "is named .docx but is no Word document"),
        ("a.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(512), "is a Word 97-2003 or a password-protected"),
        ("a.docx", zipped("xl/workbook.xml"), "is an Excel workbook"),
        ("a.docx", zipped("readme.txt"), "is a ZIP archive"),
        ("a.txt", b"{\\rtf1 x}", "is a rich text"),
        ("a.pdf", b"\x89PNG\r\n\x1a\n" + bytes(99), "is a PNG image; run OCR"),
        ("a.xml", b"<eSummaryResult/>", "is XML with the root <eSummaryResult>"),
        ("a.xml", b"Text", "is named .xml but does not begin with an XML element"),
        ("a.pptx", b"Text", "is named .pptx but is no PowerPoint presentation"),
        ("a.epub", b"Text", "is named .epub but is no EPUB book"),
        ("a.zip", zipped("readme.txt"), "is an archive; unpack it and load the files in it"),
        ("a.tar.gz", b"\x1f\x8b", "is an archive; unpack it and load the files in it"),
    ],
)
def test_what_no_loader_reads_is_refused_by_name_with_the_reason(
    tmp_path: Path, name: str, data: bytes, reason: str
) -> None:
    with pytest.raises(UnsupportedFormat) as caught:
        load(written(tmp_path, name, data))

    assert str(caught.value).startswith(f"{name} {reason}")
    assert str(tmp_path) not in str(caught.value)


@pytest.mark.parametrize("suffix", FORMATS)
@pytest.mark.parametrize(
    "data", [b"", b"  \n", bytes(range(256)) * 40, b"\xff" * 200, b"PK\x03\x04" + b"x" * 99, b"\x1f\x8b\x08x"]
)
def test_junk_under_any_suffix_gives_a_reason_and_never_a_parsers_own_exception(
    tmp_path: Path, suffix: str, data: bytes
) -> None:
    path = written(tmp_path, f"junk{suffix}", data)

    with pytest.raises(TaiyiError, match=rf"^junk{suffix}"):
        list(load(path))


@pytest.mark.parametrize("mark", [b"\xff\xff", b"\xc3\xa9"])
def test_a_zip_that_python_cannot_list_is_refused(tmp_path: Path, mark: bytes) -> None:
    data = zipped("é.xml").replace("é".encode(), mark)
    version = data.index(b"PK\x01\x02") + 6
    path = written(tmp_path, "a.docx", data[:version] + b"\xff" + data[version + 1 :])

    with pytest.raises(UnreadableFile, match=r"^a\.docx is damaged or cut short"):
        load(path)


def test_a_missing_file_and_a_folder_are_refused(tmp_path: Path) -> None:
    (tmp_path / "folder.md").mkdir()

    with pytest.raises(UnreadableFile, match=r"^gone\.md cannot be read: No such file"):
        load(tmp_path / "gone.md")
    with pytest.raises(UnsupportedFormat, match=r"^folder\.md is a folder"):
        load(tmp_path / "folder.md")


def test_a_character_that_the_sniffed_start_cuts_in_two_does_no_harm(tmp_path: Path) -> None:
    for shift in range(3):
        path = written(tmp_path, "long.txt", ("x" * shift + "高" * 40_000).encode())
        (document,) = load(path)
        assert document.blocks[0].text == "x" * shift + "高" * 40_000


def test_importing_the_table_of_formats_imports_no_parser() -> None:
    code = (
        "import sys, ingestion.loaders;"
        "parsers = ('lxml', 'pypdfium2', 'pptx', 'langcodes', 'docx', 'markdown_it', 'charset_normalizer');"
        "print([name for name in parsers if name in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"
