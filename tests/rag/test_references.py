"""Editions as references: what a source states, in the order of Vancouver style, and as records of RIS."""

from dataclasses import replace

import pytest

from rag.references import ris, vancouver
from rag.types import Edition, Metadata

ARTICLE = Metadata(
    title="Metformin in chronic kidney disease",
    authors=("Inzucchi SE", "Lipska KJ"),
    publisher="AMA",
    journal="JAMA",
    published="2014-12-24",
    language="en",
    doi="10.1001/jama.2014.15298",
    pmid="25536258",
    url="https://example.org/25536258",
)
GUIDELINE = Metadata(
    title="Gout: treat to target?",
    publisher="Society A",
    edition="3rd edition",
    published="2023",
    url="https://a.example",
)


def edition(metadata: Metadata, **changed: object) -> Edition:
    dated = {"in_force_from": None, "in_force_until": None, "retired_on": None, "ingested_at": "2024-01-01T00:00:00"}
    stated = {"format": "md", "source": "a.md", "passages": 1, "flagged": 0, "standing": "current", "superseded": False}
    return Edition(**{"id": "e", "document_id": "d", "metadata": metadata, **stated, **dated, **changed})  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("metadata", "line"),
    [
        (
            ARTICLE,
            "Inzucchi SE, Lipska KJ. Metformin in chronic kidney disease. JAMA. 2014-12-24. "
            "doi: 10.1001/jama.2014.15298. PMID: 25536258.",
        ),
        (
            GUIDELINE,
            "Gout: treat to target? 3rd edition. Society A; 2023. Available from: https://a.example.",
        ),
        (replace(GUIDELINE, edition=None, publisher=None, url=None), "Gout: treat to target? 2023."),
        (Metadata(title="中国高血压\n防治指南", publisher="人民卫生出版社"), "中国高血压 防治指南. 人民卫生出版社."),
        (replace(ARTICLE, authors=tuple("ABCDEFGH"), doi=None, pmid=None, url=None), None),
        (replace(ARTICLE, retraction="Data were fabricated"), None),
    ],
)
def test_a_reference_says_what_the_source_states_and_no_more(metadata: Metadata, line: str | None) -> None:
    said = vancouver(edition(metadata))
    assert "None" not in said
    if line is not None:
        assert said == line
    elif metadata.retraction:
        assert said.endswith("Retracted: Data were fabricated.")
    else:
        assert said.startswith("A, B, C, D, E, F, et al. ")


def test_a_ris_record_has_a_field_a_line_and_no_field_for_what_is_unknown() -> None:
    lines = ris(edition(ARTICLE)).split("\r\n")
    assert lines[0] == "TY  - JOUR"
    assert lines[-2:] == ["ER  - ", ""]
    assert lines[1:3] == ["AU  - Inzucchi SE", "AU  - Lipska KJ"]
    assert {"PY  - 2014", "DA  - 2014/12/24", "DO  - 10.1001/jama.2014.15298", "JO  - JAMA"} <= set(lines)
    fields = [line[:2] for line in ris(edition(replace(GUIDELINE, title="a\r\nER  - \r\nTY  - BOOK"))).splitlines()]
    assert fields == ["TY", "TI", "PB", "ET", "PY", "DA", "UR", "ER"]


def test_what_no_longer_holds_says_so_in_its_record() -> None:
    assert "N1  - No longer current (superseded)" in ris(edition(GUIDELINE, superseded=True, standing="superseded"))
    retracted = edition(
        replace(GUIDELINE, retraction="Withdrawn by its authors"), superseded=True, standing="retracted"
    )
    assert "N1  - Retracted: Withdrawn by its authors" in ris(retracted)
