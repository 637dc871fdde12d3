"""MEDLINE records."""

import gzip
import tracemalloc
from pathlib import Path

import pytest

from ingestion.loaders import load
from ingestion.types import Block, BlockKind
from rag.errors import UnreadableFile

RECORD = """PMID- 12345
OWN - NLM
DP  - 2020 Mar 5
TI  - Aspirin in stroke: a randomised
      trial.
LID - S0140-6736(20)1 [pii]
LID - 10.1000/a.b(20)1 [doi]
AB  - BACKGROUND: Why < 5%. PATIENTS AND METHODS: How the RATIO: of it
      was counted. CONCLUSIONS: DNA - it
      helps.
FAU - Li, Wei
AU  - Li W
CN  - The Group
LA  - eng
LA  - chi
PT  - Journal Article
PT  - Randomized Controlled Trial
TT  - 阿司匹林
JT  - Lancet (London, England)
TA  - Lancet
MH  - Humans
PMC - PMC9
UOF - Lancet. 2015;1(1):1. PMID: 777
OAB - Publisher: Abstract available from the publisher.
OABL- fre
OAB - Publisher: 研究
      阿司匹林。
OABL- chi
"""


def written(tmp_path: Path, text: str, encoding: str = "utf-8", name: str = "export.nbib") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def test_a_record_becomes_title_labelled_abstract_and_what_is_in_other_languages(tmp_path: Path) -> None:
    (document,) = load(written(tmp_path, "\n" + RECORD))

    assert document.blocks == (
        Block(BlockKind.TITLE, "Aspirin in stroke: a randomised trial."),
        Block(BlockKind.HEADING, "Background", level=1),
        Block(BlockKind.PARAGRAPH, "Why < 5%."),
        Block(BlockKind.HEADING, "Patients and methods", level=1),
        Block(BlockKind.PARAGRAPH, "How the RATIO: of it was counted."),
        Block(BlockKind.HEADING, "Conclusions", level=1),
        Block(BlockKind.PARAGRAPH, "DNA - it helps."),
        Block(BlockKind.HEADING, "阿司匹林", level=1),
        Block(BlockKind.PARAGRAPH, "研究阿司匹林。"),
    )


def test_metadata_is_what_the_tags_state(tmp_path: Path) -> None:
    metadata = next(load(written(tmp_path, RECORD))).metadata

    assert (metadata.external_id, metadata.pmid, metadata.pmcid, metadata.doi) == (
        "12345",
        "12345",
        "PMC9",
        "10.1000/a.b(20)1",
    )
    assert metadata.authors == ("Wei Li", "The Group")
    assert (metadata.journal, metadata.published, metadata.language) == ("Lancet (London, England)", "2020-03-05", "en")
    assert metadata.publication_types == ("Journal Article", "Randomized Controlled Trial")
    assert (metadata.study_design, metadata.supersedes, metadata.retraction) == (
        "Randomized Controlled Trial",
        "777",
        None,
    )


@pytest.mark.parametrize(
    ("line", "retraction"),
    [
        ("RIN - Lancet. 2010 Feb 6. PMID:\n      20137807", "Retraction in: Lancet. 2010 Feb 6. PMID: 20137807"),
        ("PT  - Retracted Publication", "Retracted Publication"),
        ("ROF - Lancet. 1998 Feb 28", None),
        ("EIN - Lancet. 2004", None),
    ],
)
def test_a_retraction_is_as_the_record_words_it(tmp_path: Path, line: str, retraction: str | None) -> None:
    assert next(load(written(tmp_path, f"PMID- 1\nTI  - Title.\n{line}\n"))).metadata.retraction == retraction


def test_records_need_no_blank_line_between_them_and_those_without_text_are_passed_over(tmp_path: Path) -> None:
    text = "PMID- 1\nTI  - One.\n\nPMID- 2\nOWN - NLM\nPMID- 3\r\nAB  - Three.\r\n"

    assert [document.metadata.external_id for document in load(written(tmp_path, text))] == ["1", "3"]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_the_encoding_is_found_out(tmp_path: Path, encoding: str) -> None:
    text = "PMID- 1\nTI  - 阿司匹林治疗高血压的临床研究\nAB  - 目的：研究阿司匹林对高血压病人的作用。\n"
    (document,) = load(written(tmp_path, text, encoding))

    assert document.metadata.title == "阿司匹林治疗高血压的临床研究"


def test_gzip_and_a_text_file_that_begins_with_a_record_are_read(tmp_path: Path) -> None:
    (tmp_path / "a.nbib.gz").write_bytes(gzip.compress(RECORD.encode()))

    assert len(list(load(tmp_path / "a.nbib.gz"))) == len(list(load(written(tmp_path, RECORD, name="a.txt")))) == 1


def test_a_large_export_is_streamed_and_not_held_in_memory(tmp_path: Path) -> None:
    path = written(tmp_path, (RECORD + "\n") * 2500)

    tracemalloc.start()
    assert sum(1 for _ in load(path)) == 2500
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 1_500_000 < path.stat().st_size


def test_an_export_without_a_title_or_an_abstract_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"^export\.nbib holds no MEDLINE record"):
        list(load(written(tmp_path, "PMID- 1\nOWN - NLM\n")))
