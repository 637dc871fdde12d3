"""By what a document is recognised when its next edition comes, and that a like title is only a proposal."""

import json
from datetime import date

import pytest
from sqlalchemy import select

from conftest import Library
from rag import catalog, proposals
from rag.errors import NotFound
from rag.tables import EditionRow
from rag.types import LOCAL_ADMIN, Document
from rag.verification import verify


def all_documents(library: Library) -> list[Document]:
    with library.system.database.reading() as session:
        return catalog.documents(session, LOCAL_ADMIN)


def text(dose: int, title: str = "Quoxin guideline") -> str:
    return f"# {title}\n\nQuoxin is given at {dose} mg daily.\n"


def test_a_doi_recognises_the_next_edition_however_it_is_written(library: Library) -> None:
    library.write("a.md", text(5), doi="10.1000/Quoxin", published="2020")
    library.write("b.md", text(7), doi="https://doi.org/10.1000/quoxin", published="2023")
    library.ingest()
    assert library.found("Quoxin dose") == ["Quoxin guideline\n\nQuoxin is given at 7 mg daily."]
    (document,) = all_documents(library)
    assert [edition.standing for edition in document.editions] == ["current", "superseded"]


@pytest.mark.parametrize("newer_first", [False, True])
def test_supersedes_joins_a_document_with_another_id(library: Library, newer_first: bool) -> None:
    old = library.write("old.md", text(5), external_id="g-2020", published="2020")
    new = library.write("new.md", text(7), external_id="g-2023", published="2023", supersedes="g-2020")
    for path in (new, old) if newer_first else (old, new):
        library.ingest(path)
    assert library.found("Quoxin dose") == ["Quoxin guideline\n\nQuoxin is given at 7 mg daily."]
    assert "5 mg" in library.found("Quoxin dose", as_of=date(2021, 1, 1))[0]
    (document,) = all_documents(library)
    assert {edition.metadata.external_id for edition in document.editions} == {"g-2020", "g-2023"}


def test_supersedes_said_later_makes_two_documents_one(library: Library) -> None:
    library.write("old.md", text(5), external_id="g-2020", published="2020")
    path = library.write("new.md", text(7), external_id="g-2023", published="2023")
    library.ingest()
    merged = next(one for one in all_documents(library) if one.external_id == "g-2023")
    path.with_name("new.md.meta.toml").write_text('supersedes = "g-2020"\n')
    assert library.ingest()["new.md"].status == "updated"
    (document,) = all_documents(library)
    assert library.found("Quoxin dose") == ["Quoxin guideline\n\nQuoxin is given at 7 mg daily."]
    with library.system.database.reading() as session:
        assert catalog.document(session, LOCAL_ADMIN, merged.id).id == document.id
    assert verify(library.system) == []


def test_an_undated_text_supersedes_nothing(library: Library) -> None:
    library.write("a.md", text(5), external_id="g", published="2020")
    library.write("b.md", text(7), external_id="g")
    library.ingest()
    assert len(library.found("Quoxin dose")) == 2


def test_an_old_edition_read_again_is_not_resurrected(library: Library) -> None:
    old = library.write("a.md", text(5), external_id="g", published="2020")
    library.write("b.md", text(7), external_id="g", published="2023")
    library.ingest()
    for restore in (False, True):
        library.ingest(old, restore=restore)
        assert library.found("Quoxin dose") == ["Quoxin guideline\n\nQuoxin is given at 7 mg daily."]


def test_the_same_file_with_an_id_given_later_is_the_same_document(library: Library) -> None:
    path = library.write("a.md", text(5))
    library.ingest()
    path.with_name("a.meta.json").write_text(json.dumps({"external_id": "g"}))
    assert library.ingest()["a.md"].status == "updated"
    assert len(all_documents(library)) == 1
    assert len(library.found("Quoxin dose")) == 1


def test_a_path_that_comes_to_hold_another_work_is_another_document(library: Library) -> None:
    path = library.write("a.md", text(5))
    sidecar = path.with_name("a.md.meta.toml")
    sidecar.write_text('external_id = "first"')
    library.ingest()
    path.write_text(text(9, "Zotrin guideline").replace("Quoxin", "Zotrin"))
    sidecar.write_text('external_id = "second"')
    library.ingest()
    assert [d.external_id for d in all_documents(library) if not d.editions[0].superseded] == ["second"]
    assert not any("Quoxin" in found for found in library.found("Quoxin dose", retrieval="lexical"))


class TestLikeTitles:
    @pytest.fixture
    def pair(self, library: Library) -> tuple[Library, str, str]:
        library.write("a.md", text(5), publisher="Board of Health", published="2020")
        library.ingest()
        library.write("b.md", text(7, "QUOXIN – Guideline"), publisher="Board of health", published="2023")
        library.write("c.md", text(9), publisher="Another board", published="2023")
        library.ingest()
        by_dose = {d.editions[0].source.rsplit("/", 1)[1]: d.id for d in all_documents(library)}
        return library, by_dose["b.md"], by_dose["a.md"]

    def waiting(self, library: Library) -> list[tuple[str, str]]:
        with library.system.database.reading() as session:
            return [(one.document.id, one.like.id) for one in proposals.waiting(session, LOCAL_ADMIN)]

    def test_they_wait_for_a_decision_and_supersede_nothing(self, pair: tuple[Library, str, str]) -> None:
        library, newer, older = pair
        assert self.waiting(library) == [(newer, older)]
        assert len(library.found("Quoxin dose")) == 3

    def test_accepted_they_are_editions_of_one(self, pair: tuple[Library, str, str]) -> None:
        library, newer, older = pair
        kept = proposals.accept(library.system, LOCAL_ADMIN, newer, older)
        assert kept == older
        assert not any("5 mg" in found for found in library.found("Quoxin dose"))
        assert self.waiting(library) == []
        with pytest.raises(NotFound):
            proposals.accept(library.system, LOCAL_ADMIN, newer, older)
        assert {result.status for result in library.ingest(restore=True).values()} == {"unchanged"}
        assert verify(library.system) == []

    def test_rejected_they_are_not_proposed_again(self, pair: tuple[Library, str, str]) -> None:
        library, newer, older = pair
        proposals.reject(library.system, LOCAL_ADMIN, newer, older)
        library.ingest(restore=True)
        assert self.waiting(library) == []
        assert len(library.found("Quoxin dose")) == 3

    def test_without_a_publisher_nothing_is_proposed(self, library: Library) -> None:
        for number in range(3):
            library.write(f"{number}.md", text(number, "Editorial"))
        library.ingest()
        assert self.waiting(library) == []


def test_a_change_embeds_only_what_changed(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    sections = [f"## Part {n}\n\n" + f"Quoxin {n} is given at {n} mg. " * 12 for n in range(6)]
    path = library.write("a.md", "# Quoxin\n\n" + "\n\n".join(sections))
    library.ingest()
    sections[3] = sections[3].replace("3 mg", "33 mg")
    path.write_text("# Quoxin\n\n" + "\n\n".join(sections))
    embedded: list[str] = []
    embed = type(library.system.embedder).embed_passages

    def counted(self: object, texts: list[str]) -> object:
        embedded.extend(texts)
        return embed(self, texts)

    monkeypatch.setattr(type(library.system.embedder), "embed_passages", counted)
    assert library.ingest()["a.md"].status == "updated"
    assert len(embedded) == 1
    assert "33 mg" in embedded[0]
    assert "33 mg" in library.found("Quoxin 33 mg", retrieval="dense")[0]
    assert verify(library.system) == []


def test_a_record_that_its_file_no_longer_holds_is_found_no_more(library: Library) -> None:
    records = [json.dumps({"id": f"r{n}", "title": f"Record {n}", "text": f"Record {n} on drug{n}."}) for n in range(3)]
    path = library.write("r.jsonl", "\n".join(records))
    library.ingest()
    path.write_text("\n".join(records[:2]))
    library.ingest()
    assert not any("drug2" in found for found in library.found("drug2"))
    assert any("drug1" in found for found in library.found("drug1"))
    with library.system.database.reading() as session:
        states = session.execute(select(EditionRow.external_id, EditionRow.state)).all()
    assert sorted(map(tuple, states)) == [("r0", "live"), ("r1", "live"), ("r2", "replaced")]
