"""RIS."""

from pathlib import Path

import pytest

from ingestion.loaders import load
from ingestion.types import Block, BlockKind
from rag.errors import UnreadableFile

RECORD = """TY  - JOUR
ID  - 1
TI  - Aspirin in stroke
TNF - alpha
AU  - Li, Wei
AU  - The Group
AB  - OBJECTIVE: Why.
METHODS: How.
T2  - Lancet
JF  - The Lancet
PY  - 2020
DA  - 2020/03/05/
DO  - https://doi.org/10.1000/a.b
UR  - https://example.org/a
LA  - eng
DB  - PubMed
AN  - 12345
C2  - PMC9
M3  - Journal Article; Meta-Analysis
ER  -
"""


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "export.ris"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_record_becomes_title_and_labelled_abstract(tmp_path: Path) -> None:
    (document,) = load(written(tmp_path, RECORD))

    assert document.blocks == (
        Block(BlockKind.TITLE, "Aspirin in stroke TNF - alpha"),
        Block(BlockKind.HEADING, "Objective", level=1),
        Block(BlockKind.PARAGRAPH, "Why."),
        Block(BlockKind.HEADING, "Methods", level=1),
        Block(BlockKind.PARAGRAPH, "How."),
    )


def test_metadata_is_what_the_tags_state(tmp_path: Path) -> None:
    metadata = next(load(written(tmp_path, RECORD))).metadata

    assert (metadata.external_id, metadata.pmid, metadata.pmcid, metadata.doi) == (
        "12345",
        "12345",
        "PMC9",
        "10.1000/a.b",
    )
    assert metadata.authors == ("Wei Li", "The Group")
    assert (metadata.journal, metadata.published, metadata.language) == ("The Lancet", "2020-03-05", "en")
    assert (metadata.publication_types, metadata.study_design) == (
        ("Journal Article", "Meta-Analysis"),
        "Meta-Analysis",
    )
    assert metadata.url == "https://example.org/a"


@pytest.mark.parametrize(
    ("lines", "external_id", "pmid"),
    [
        ("DB  - PubMed\nAN  - 12345\n", "12345", "12345"),
        ("DB  - Embase\nAN  - 12345\n", None, None),
        ("AN  - L2001\n", "L2001", None),
        ("ID  - 7\n", None, None),
    ],
)
def test_a_number_that_another_source_may_give_to_another_record_is_no_id(
    tmp_path: Path, lines: str, external_id: str | None, pmid: str | None
) -> None:
    metadata = next(load(written(tmp_path, f"TY  - JOUR\nT1  - Title\n{lines}ER  - \n"))).metadata

    assert (metadata.external_id, metadata.pmid) == (external_id, pmid)


@pytest.mark.parametrize(
    ("lines", "published"),
    [("Y1  - 2015/03//\n", "2015-03"), ("PY  - 2015\nDA  - Spring\n", "2015"), ("PY  - 2015///\n", "2015"), ("", None)],
)
def test_a_date_is_as_exact_as_the_record_states(tmp_path: Path, lines: str, published: str | None) -> None:
    assert next(load(written(tmp_path, f"TY  - JOUR\nT1  - Title\n{lines}ER  - \n"))).metadata.published == published


def test_a_title_that_says_that_the_article_was_retracted_is_taken_at_its_word(tmp_path: Path) -> None:
    (document,) = load(written(tmp_path, "TY  - JOUR\nTI  - RETRACTED ARTICLE: Aspirin\nER  - \n"))

    assert document.metadata.retraction == "RETRACTED ARTICLE"


def test_a_file_that_is_cut_short_is_refused_after_the_whole_records(tmp_path: Path) -> None:
    documents = load(written(tmp_path, RECORD + "\nTY  - JOUR\nTI  - Half"))

    assert next(documents).metadata.pmid == "12345"
    with pytest.raises(UnreadableFile, match=r"^export\.ris, line 22: the record has no end"):
        next(documents)


def test_a_file_without_a_record_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"^export\.ris holds no RIS record"):
        list(load(written(tmp_path, "Just text\n")))
