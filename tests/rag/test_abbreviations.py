"""Abbreviations that a document defines, in themselves and through ingestion into the search."""

import subprocess
import sys

import pytest

from conftest import Library
from rag.abbreviations import definitions, other_forms
from rag.removal import delete_document
from rag.tables import EditionRow
from rag.types import LOCAL_ADMIN

DEFINED = {"COPD": "chronic obstructive pulmonary disease", "HF": "heart failure"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "We studied chronic obstructive pulmonary disease (COPD).",
            {"COPD": "chronic obstructive pulmonary disease"},
        ),
        (
            "The estimated glomerular filtration rate (eGFR) and C-reactive protein (CRP) were measured.",
            {"eGFR": "estimated glomerular filtration rate", "CRP": "C-reactive protein"},
        ),
        ("Heart failure (HF) is common. In heart failure (HF), diuretics help.", None),
        ("There were adults (n = 3) and others (see text) (2019).", {}),
        ("慢性病（COPD）常见。", {}),
        ("", {}),
        ("((((", {}),
    ],
)
def test_a_definition_is_a_short_form_in_parentheses_after_its_long_form(
    text: str, expected: dict[str, str] | None
) -> None:
    found = definitions(text)
    assert found == expected if expected is not None else found.keys() == {"HF"}


def test_of_several_long_forms_the_one_given_most_often_counts() -> None:
    text = (
        "Mitral stenosis (MS). Multiple sclerosis (MS) is seen. Then multiple sclerosis (MS). Multiple sclerosis (MS)."
    )
    assert definitions(text)["MS"].lower() == "multiple sclerosis"


@pytest.mark.parametrize(
    ("text", "forms"),
    [
        ("COPD is treated.", ["chronic obstructive pulmonary disease"]),
        ("Chronic obstructive pulmonary disease is treated.", ["COPD"]),
        ("COPD, that is chronic obstructive pulmonary disease, is treated.", []),
        ("Heart failure in COPD.", ["chronic obstructive pulmonary disease", "HF"]),
        ("copd", []),
        ("COPDs and HFpEF", []),
        ("COPD-related, (HF)", ["heart failure"]),
        ("Nothing of it.", []),
    ],
)
def test_a_text_gains_the_form_that_it_does_not_use(text: str, forms: list[str]) -> None:
    assert other_forms(text, DEFINED) == forms
    assert other_forms(text, {}) == []


FIRST = "# Lungs\n\n## Background\n\nThe myeloperoxidase antibody syndrome (MPAS) was described in 1990.\n"
LATER = "\n## Therapy\n\nIn MPAS, rituximab is given at 375 mg every week.\n"
UNDEFINED = "# Zebras\n\n## Therapy\n\nIn MPAS, nothing but rest is given.\n"


@pytest.fixture
def defining(library: Library) -> Library:
    library.write("defines.md", FIRST + LATER)
    library.write("does-not.md", UNDEFINED)
    library.ingest()
    return library


def matching(library: Library, question: str) -> list[str]:
    return library.found(question, retrieval="lexical", collapse=False)


def test_a_passage_is_found_by_the_long_form_that_its_document_defines_elsewhere(defining: Library) -> None:
    found = matching(defining, "myeloperoxidase antibody syndrome")
    assert any("rituximab" in text for text in found)
    assert not any("rest" in text for text in found)


def test_it_is_found_by_its_short_form_as_before_and_its_text_stays_as_it_is(defining: Library) -> None:
    found = matching(defining, "MPAS")
    assert sum("MPAS" in text for text in found) == len(found) == 3
    [later] = [text for text in found if "rituximab" in text]
    assert "myeloperoxidase" not in later


def test_a_changed_text_no_longer_lends_its_former_long_form(defining: Library) -> None:
    defining.write("defines.md", FIRST.replace("myeloperoxidase antibody", "marrow plasma") + LATER)
    defining.ingest()
    assert not matching(defining, "myeloperoxidase antibody")
    assert any("rituximab" in text for text in matching(defining, "marrow plasma syndrome"))


def test_a_purge_erases_the_abbreviations_too(defining: Library) -> None:
    system = defining.system
    with system.database.reading() as session:
        [defined] = [row for row in session.query(EditionRow) if row.abbreviations]
    assert defined.abbreviations == {"MPAS": "myeloperoxidase antibody syndrome"}
    delete_document(system, LOCAL_ADMIN, defined.document_id, purge=True)
    with system.database.reading() as session:
        assert session.get_one(EditionRow, defined.id).abbreviations == {}
    assert not matching(defining, "myeloperoxidase antibody")


def test_the_logging_of_the_process_stays_as_it_is() -> None:
    code = (
        "import logging; from rag.abbreviations import definitions; "
        "definitions('chronic kidney disease (CKD)'); "
        "assert logging.getLogger().handlers == [] and logging.getLogger().level == logging.WARNING"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
