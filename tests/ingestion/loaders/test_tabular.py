"""Tables as text."""

import tracemalloc
from pathlib import Path

import pytest

from ingestion.loaders import load
from ingestion.types import Block, BlockKind
from rag.errors import UnreadableFile


def written(tmp_path: Path, text: str, name: str = "table.csv", encoding: str = "utf-8") -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode(encoding))
    return path


def test_each_row_with_a_text_is_a_document_and_what_is_not_known_stays_readable(tmp_path: Path) -> None:
    path = written(
        tmp_path,
        "ID,Title,Abstract,Year,Authors,Article Type,Dose\r\n"
        '7,Aspirin,"It ""helps"",\r\noften.\r\n\r\nAnd more.",2020,Wei Li; J. Doe,Meta-Analysis,100 mg\r\n'
        ",,,,,,\r\n"
        "8,Ibuprofen,Text.,,,,\r\n",
    )
    first, second = load(path)

    assert first.blocks == (
        Block(BlockKind.TITLE, "Aspirin"),
        Block(BlockKind.PARAGRAPH, 'It "helps", often.'),
        Block(BlockKind.PARAGRAPH, "And more."),
        Block(BlockKind.PARAGRAPH, "Dose: 100 mg"),
    )
    metadata = first.metadata
    assert (metadata.external_id, metadata.published, metadata.study_design) == ("7", "2020", "Meta-Analysis")
    assert (metadata.authors, metadata.publication_types) == (("Wei Li", "J. Doe"), ("Meta-Analysis",))
    assert [block.text for block in second.blocks] == ["Ibuprofen", "Text."]


def test_a_question_is_the_title_of_its_answer_and_several_texts_have_headings(tmp_path: Path) -> None:
    (answered,) = load(written(tmp_path, "Question,Answer\nWhat is asthma?,A disease.\n"))
    (both,) = load(written(tmp_path, "pmid,abstract,answer\n5,Why.,Yes.\n", name="b.csv"))

    assert [(block.kind.value, block.text) for block in answered.blocks] == [
        ("title", "What is asthma?"),
        ("paragraph", "A disease."),
    ]
    assert [block.text for block in both.blocks] == ["abstract", "Why.", "answer", "Yes."]
    assert (both.metadata.external_id, both.metadata.pmid) == ("5", "5")


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
def test_the_delimiter_is_found_out(tmp_path: Path, delimiter: str) -> None:
    rows = [["id", "title", "text"], ["1", "A", '"One, two; three."'], ["2", "B", '"Four, five."']]
    (first, second) = load(written(tmp_path, "\n".join(map(delimiter.join, rows))))

    assert [first.blocks[1].text, second.blocks[1].text] == ["One, two; three.", "Four, five."]


def test_quotes_in_tab_separated_text_may_be_just_quotes(tmp_path: Path) -> None:
    path = written(tmp_path, 'id\ttext\n1\t"Cold" hands are a sign.\n2\t"Open quote.\n3\tLast.\n', name="table.tsv")

    assert [document.blocks[0].text for document in load(path)] == [
        '"Cold" hands are a sign.',
        '"Open quote.',
        "Last.",
    ]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_the_encoding_is_found_out(tmp_path: Path, encoding: str) -> None:
    text = "编号,标题,正文,科室\n1,高血压,高血压是常见的慢性疾病，需要长期治疗。,心内科\n"
    (document,) = load(written(tmp_path, text, encoding=encoding))

    assert [block.text for block in document.blocks] == [
        "高血压",
        "高血压是常见的慢性疾病，需要长期治疗。",
        "科室: 心内科",
    ]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("id,text\n1,Fièvre élevée après l’opération\n", "cp1252"),
        ("id,text\n1,高血壓是常見的慢性疾病，需要長期治療與追蹤。\n", "big5"),
    ],
)
def test_older_encodings_are_found_out(tmp_path: Path, text: str, encoding: str) -> None:
    (document,) = load(written(tmp_path, text, encoding=encoding))

    assert document.blocks[0].text == text.strip().rpartition(",")[2]


def test_a_table_without_a_text_is_one_document_of_rows(tmp_path: Path) -> None:
    (document,) = load(written(tmp_path, "Drug,Dose,\nAspirin,100 mg,\nIbuprofen,\n"))

    assert document.blocks == (
        Block(BlockKind.TABLE_ROW, "Drug | Dose"),
        Block(BlockKind.TABLE_ROW, "Aspirin | 100 mg", joins_previous=True),
        Block(BlockKind.TABLE_ROW, "Ibuprofen", joins_previous=True),
    )


def test_a_publication_date_in_words_stays_readable_and_a_lapse_that_cannot_be_read_is_refused(tmp_path: Path) -> None:
    (document,) = load(written(tmp_path, "id,text,date\n1,x,05/03/2020\n"))

    assert (document.metadata.published, document.blocks[-1].text) == (None, "date: 05/03/2020")
    with pytest.raises(UnreadableFile, match=r"^b\.csv, line 2: '05/03/2020' is not a date"):
        list(load(written(tmp_path, "id,text,withdrawn\n1,x,05/03/2020\n", name="b.csv")))


@pytest.mark.parametrize(
    ("rows", "reason"),
    [
        ("2,One, two\n", "line 3: the row has 3 fields and the header 2"),
        ('2,"open\n3,x\n', "line 4: unexpected end of data"),
        ('2,"x" y\n', "line 3: ',' expected after '\"'"),
    ],
)
def test_a_row_that_does_not_fit_is_named_after_the_rows_before_it(tmp_path: Path, rows: str, reason: str) -> None:
    documents = load(written(tmp_path, f"id,text\n1,x\n{rows}"))

    assert next(documents).metadata.external_id == "1"
    with pytest.raises(UnreadableFile) as refused:
        list(documents)
    assert str(refused.value).startswith(f"table.csv, {reason}")


@pytest.mark.parametrize("header", ['"id"x,text', '"id,text'])
def test_a_header_with_a_stray_quote_is_refused(tmp_path: Path, header: str) -> None:
    with pytest.raises(UnreadableFile, match=r"^table\.csv, line \d: .*; a double quote may be open or not doubled"):
        list(load(written(tmp_path, f"{header}\n1,x\n")))


def test_a_header_alone_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableFile, match=r"^table\.csv has a header and no row with a text"):
        list(load(written(tmp_path, "id,text\n")))


def test_a_large_table_is_streamed_and_not_held_in_memory(tmp_path: Path) -> None:
    path = written(tmp_path, "id,text\n" + "".join(f"{number},{'word ' * 100}\n" for number in range(8_000)))

    tracemalloc.start()
    assert sum(1 for _ in load(path)) == 8_000
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert peak < 2_500_000 < path.stat().st_size
