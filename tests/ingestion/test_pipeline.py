import io
import json

import pytest
from reportlab.lib.pdfencrypt import StandardEncryption
from reportlab.pdfgen.canvas import Canvas

from conftest import Library
from rag import catalog
from rag.originals import original_path, sha256_of
from rag.types import LOCAL_ADMIN
from rag.verification import verify

CHINESE = "支气管哮喘\n\n急性发作时首选吸入短效β2受体激动剂，例如沙丁胺醇，每20分钟一次，连用三次。\n"


def pdf(encrypted: bool = False) -> bytes:
    data = io.BytesIO()
    canvas = Canvas(data, encrypt=StandardEncryption("secret") if encrypted else None)
    canvas.drawString(72, 720, "Levothyroxine is taken before breakfast.")
    canvas.showPage()
    canvas.drawString(72, 720, "Thyroid function is checked after six weeks.")
    canvas.save()
    return data.getvalue()


def test_a_bad_file_fails_alone_and_says_why(library: Library) -> None:
    folder = library.folder
    library.write("good.md", "# Good\n\nThis one is fine.\n")
    (folder / "empty.md").write_bytes(b"")
    (folder / "truncated.pdf").write_bytes(pdf()[:-300])
    (folder / "encrypted.pdf").write_bytes(pdf(encrypted=True))
    (folder / "junk.txt").write_bytes(bytes(range(256)) * 20)
    (folder / "picture.png").write_bytes(b"\x89PNG\r\n\x1a\n" + bytes(50))
    (folder / "gb18030.txt").write_bytes(CHINESE.encode("gb18030"))
    (folder / "utf16.txt").write_bytes(CHINESE.replace("哮喘", "肺炎").encode("utf-16"))
    (folder / "really-a-pdf.txt").write_bytes(pdf())
    results = library.ingest()
    failed = {name: result.reason for name, result in results.items() if result.status == "failed"}
    assert failed.keys() == {"empty.md", "truncated.pdf", "encrypted.pdf", "junk.txt", "picture.png"}
    assert all(name in reason for name, reason in failed.items())
    assert "empty" in failed["empty.md"]
    assert "encrypted" in failed["encrypted.pdf"]
    assert "急性发作时首选" in library.found("哮喘急性发作")[0]
    assert "Levothyroxine" in library.found("levothyroxine")[0]
    assert verify(library.system) == []


def test_a_path_that_is_not_there_fails_by_name(lite_library: Library) -> None:
    result = lite_library.ingest(lite_library.folder / "missing.md")["missing.md"]
    assert (result.status, "missing.md" in result.reason) == ("failed", True)


def test_what_is_unchanged_is_skipped_and_what_changed_is_replaced(library: Library) -> None:
    path = library.write("a.md", "# A\n\nThe dose is 5 mg.\n")
    first = library.ingest()["a.md"]
    assert (first.status, library.ingest()["a.md"].status) == ("added", "unchanged")
    path.write_text("# A\n\nThe dose is 7 mg.\n")
    second = library.ingest()["a.md"]
    assert (second.status, second.document_id) == ("updated", first.document_id)
    assert library.found("dose") == ["A\n\nThe dose is 7 mg."]
    with library.system.database.reading() as session:
        editions = catalog.document(session, LOCAL_ADMIN, first.document_id).editions
    assert [edition.superseded for edition in editions] == [False, True]
    assert verify(library.system) == []


def test_going_back_to_an_earlier_content_works(library: Library) -> None:
    path = library.write("a.md", "# A\n\nThe dose is 5 mg.\n")
    library.ingest()
    path.write_text("# A\n\nThe dose is 7 mg.\n")
    library.ingest()
    path.write_text("# A\n\nThe dose is 5 mg.\n")
    assert library.ingest()["a.md"].status == "updated"
    assert library.found("dose") == ["A\n\nThe dose is 5 mg."]
    assert verify(library.system) == []


def test_reading_an_old_edition_again_does_not_resurrect_it(library: Library) -> None:
    library.write("new.md", "# G\n\nThe limit is 130.\n", external_id="g", published="2018")
    library.ingest()
    library.write("old.md", "# G\n\nThe limit is 140.\n", external_id="g", published="2016")
    assert library.ingest()["old.md"].status == "updated"
    assert library.found("limit") == ["G\n\nThe limit is 130."]


def test_the_same_bytes_under_another_name_come_in_once(library: Library) -> None:
    library.write("a.md", "# A\n\nThe dose is 5 mg.\n")
    library.write("b.md", "# A\n\nThe dose is 5 mg.\n")
    results = library.ingest()
    assert [results[name].status for name in ("a.md", "b.md")] == ["added", "unchanged"]
    assert "a.md" in results["b.md"].reason
    assert library.found("dose") == ["A\n\nThe dose is 5 mg."]


def test_metadata_that_changed_is_taken_over(library: Library) -> None:
    path = library.write("a.md", "# A\n\nThe dose is 5 mg.\n", publisher="One")
    library.ingest()
    (path.parent / "manifest.toml").write_text('[[document]]\nfile = "a.md"\npublisher = "Two"\n')
    assert library.ingest()["a.md"].status == "updated"
    assert library.found("dose", filters={"publisher": "Two"}) == ["A\n\nThe dose is 5 mg."]
    assert library.found("dose", filters={"publisher": "One"}) == []


def test_a_file_that_is_not_what_the_manifest_names_is_refused(lite_library: Library) -> None:
    lite_library.write("a.md", "# A\n\nText.\n", sha256="0" * 64)
    result = lite_library.ingest()["a.md"]
    assert (result.status, "sha256" in result.reason) == ("failed", True)


def test_a_corpus_brings_each_line_as_a_document_and_names_the_line_that_is_wrong(library: Library) -> None:
    lines = [json.dumps({"id": f"d{i}", "title": f"T{i}", "text": f"Drug{i} is given."}) for i in range(130)]
    path = library.write("corpus.jsonl", "\n".join([*lines, '{"id": "x"}', "{"]))
    result = library.ingest()["corpus.jsonl"]
    assert (result.status, "131" in result.reason) == ("failed", True)
    assert "Drug129" in library.found("Drug129", retrieval="lexical")[0]
    path.write_text("\n".join(lines))
    result = library.ingest()["corpus.jsonl"]
    assert (result.status, result.documents) == ("unchanged", 130)
    assert verify(library.system) == []


def test_the_original_file_is_kept(lite_library: Library) -> None:
    path = lite_library.write("a.md", "# A\n\nText.\n")
    lite_library.ingest()
    assert original_path(lite_library.system.home, sha256_of(path)).read_bytes() == path.read_bytes()


def test_hidden_files_are_passed_over(library: Library) -> None:
    library.write(".DS_Store", "junk")
    assert library.ingest(library.folder) == {}


@pytest.mark.parametrize("name", ["", " ", "x" * 101])
def test_a_collection_has_a_sensible_name(lite_library: Library, name: str) -> None:
    from rag.errors import InvalidRequest

    with pytest.raises(InvalidRequest, match="collection"):
        lite_library.ingest(lite_library.write("a.md", "# A\n\nText.\n"), collection=name)


def test_pages_are_those_of_the_source(library: Library) -> None:
    (library.folder / "two.pdf").write_bytes(pdf())
    document_id = library.ingest()["two.pdf"].document_id
    with library.system.database.reading() as session:
        document = catalog.document(session, LOCAL_ADMIN, document_id)
        starts = catalog.page_starts(session, document.edition_id)
    assert starts == (0, document.text.index("Thyroid"))


def test_a_manifest_speaks_for_the_records_of_a_corpus_only_where_they_are_silent(library: Library) -> None:
    lines = [
        {"id": "a", "title": "A", "text": "Dose A.", "published": "2018"},
        {"id": "b", "title": "B", "text": "Dose B."},
    ]
    text = "\n".join(json.dumps(line) for line in lines)
    library.write("c.jsonl", text, title="All", edition="2023 edition", published="2023", publisher="P")
    library.ingest()
    with library.system.database.reading() as session:
        found = {document.title: document for document in catalog.documents(session, LOCAL_ADMIN)}
    assert {title: one.editions[0].metadata.published for title, one in found.items()} == {"A": "2018", "B": "2023"}
    assert {(one.publisher, one.editions[0].metadata.edition) for one in found.values()} == {("P", None)}


def test_an_untitled_record_is_called_by_its_first_words_and_a_file_by_its_name(lite_library: Library) -> None:
    records = [
        {"text": "Urate is lowered slowly. Then it is measured."},
        {"title": "Asthma", "text": "Salbutamol is inhaled."},
        {"text": "Many words of one sentence without any end " * 5},
    ]
    lines = "".join(json.dumps({"id": str(number), **record}) + "\n" for number, record in enumerate(records))
    (lite_library.folder / "corpus.jsonl").write_text(lines, encoding="utf-8")
    lite_library.write("notes.txt", "Colchicine is given early.\n")
    lite_library.ingest()
    with lite_library.system.database.reading() as session:
        titles = {document.title for document in catalog.documents(session, LOCAL_ADMIN)}
    [long] = titles - {"Urate is lowered slowly.", "Asthma", "notes"}
    assert long.endswith("…")
    assert records[2]["text"].startswith(long.removesuffix("…"))
