"""EPUB books."""

import zipfile
from pathlib import Path

import pytest

from ingestion.loaders import load
from ingestion.types import Block, BlockKind
from rag.errors import UnreadableFile

CONTAINER = """<container xmlns="urn:oasis:names:tc:opendocument:xmlns:container"><rootfiles>
<rootfile full-path="OEBPS/book.opf" media-type="application/oebps-package+xml"/></rootfiles></container>"""
PACKAGE = """<package xmlns="http://www.idpf.org/2007/opf" unique-identifier="id">
<metadata xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:title>Child care</dc:title><dc:creator>Li Wei</dc:creator>
<dc:creator>J. Doe</dc:creator><dc:publisher>WHO</dc:publisher><dc:date>2019-05-01T00:00:00Z</dc:date>
<dc:language>zh-CN</dc:language><dc:rights>CC BY 4.0</dc:rights><dc:identifier id="id">urn:isbn:978</dc:identifier>
<dc:identifier>https://doi.org/10.1000/book</dc:identifier></metadata>
<manifest><item id="nav" href="nav.xhtml" media-type="application/xhtml+xml" properties="nav"/>
<item id="two" href="text/two.xhtml" media-type="application/xhtml+xml"/>
<item id="one" href="text/one%20a.xhtml" media-type="application/xhtml+xml"/>
<item id="cover" href="cover.svg" media-type="image/svg+xml"/></manifest>
<spine><itemref idref="cover"/><itemref idref="nav"/><itemref idref="one"/><itemref idref="two"/></spine></package>"""
PAGE = '<?xml version="1.0" encoding="utf-8"?><html xmlns="http://www.w3.org/1999/xhtml"><body>{}</body></html>'
PARTS = {
    "META-INF/container.xml": CONTAINER,
    "OEBPS/book.opf": PACKAGE,
    "OEBPS/nav.xhtml": PAGE.format("<nav><ol><li>Contents</li></ol></nav>"),
    "OEBPS/text/one a.xhtml": PAGE.format("<h1>Fever</h1><p>发热。</p><h2>At home</h2><ul><li>Fluids</li></ul>"),
    "OEBPS/text/two.xhtml": PAGE.format(
        "<h1>Doses</h1><table><tr><td>1 y</td><td>5 mL</td></tr></table><p>See a doctor.</p>"
    ),
}


def book(tmp_path: Path, parts: dict[str, str]) -> Path:
    path = tmp_path / "book.epub"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("mimetype", "application/epub+zip")
        for name, text in parts.items():
            archive.writestr(name, text)
    return path


def test_chapters_come_in_the_order_of_the_spine_under_the_title_of_the_package(tmp_path: Path) -> None:
    (document,) = load(book(tmp_path, PARTS))

    assert document.blocks == (
        Block(BlockKind.TITLE, "Child care"),
        Block(BlockKind.HEADING, "Fever", level=1),
        Block(BlockKind.PARAGRAPH, "发热。"),
        Block(BlockKind.HEADING, "At home", level=2),
        Block(BlockKind.LIST_ITEM, "- Fluids"),
        Block(BlockKind.HEADING, "Doses", level=1),
        Block(BlockKind.TABLE_ROW, "1 y | 5 mL"),
        Block(BlockKind.PARAGRAPH, "See a doctor."),
    )


def test_metadata_is_that_of_the_package(tmp_path: Path) -> None:
    metadata = next(load(book(tmp_path, PARTS))).metadata

    assert (metadata.title, metadata.authors, metadata.publisher) == ("Child care", ("Li Wei", "J. Doe"), "WHO")
    assert (metadata.published, metadata.language, metadata.licence) == ("2019-05-01", "zh", "CC BY 4.0")
    assert (metadata.external_id, metadata.doi) == ("urn:isbn:978", "10.1000/book")


def test_a_title_page_does_not_repeat_the_title(tmp_path: Path) -> None:
    pages = {**PARTS, "OEBPS/text/one a.xhtml": PAGE.format("<h1>Child Care</h1><p>Text.</p>")}

    assert [block.text for block in next(load(book(tmp_path, pages))).blocks][:3] == ["Child care", "Text.", "Doses"]


def test_a_protected_book_is_refused_but_not_one_with_protected_fonts(tmp_path: Path) -> None:
    encryption = '<encryption><x><CipherReference URI="{}"/></x></encryption>'
    fonts = {**PARTS, "META-INF/encryption.xml": encryption.format("OEBPS/font.otf")}
    pages = {**PARTS, "META-INF/encryption.xml": encryption.format("OEBPS/text/one%20a.xhtml")}

    assert list(load(book(tmp_path, fonts)))
    with pytest.raises(UnreadableFile, match=r"^book\.epub is protected against copying \(OEBPS/text/one a\.xhtml\)"):
        list(load(book(tmp_path, pages)))


@pytest.mark.parametrize(
    ("name", "text", "reason"),
    [
        ("META-INF/container.xml", "<container", "is damaged: META-INF/container.xml is not well-formed"),
        ("META-INF/container.xml", "<container/>", "is damaged or no EPUB book"),
        ("OEBPS/book.opf", PACKAGE.replace("two.xhtml", "gone.xhtml"), "is damaged or no EPUB book"),
        ("OEBPS/book.opf", PACKAGE.replace("itemref", "x"), "has no text"),
    ],
)
def test_a_damaged_book_is_refused_with_the_part_that_is_wrong(
    tmp_path: Path, name: str, text: str, reason: str
) -> None:
    with pytest.raises(UnreadableFile) as refused:
        list(load(book(tmp_path, {**PARTS, name: text})))

    assert str(refused.value).startswith(f"book.epub {reason}")
