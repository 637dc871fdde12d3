"""Pages drawn in a process of their own, kept, bounded, and gone with their document."""

import io
import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from conftest import Library
from ingestion.pages import Marks, PagedPassage, Pages
from rag import catalog
from rag.errors import NotFound, UnreadableFile
from rag.originals import keep_original, original_path, sha256_of
from rag.removal import delete_document
from rag.sources import source_of
from rag.types import LOCAL_ADMIN, Passage

canvas = pytest.importorskip("reportlab.pdfgen.canvas")

SENTENCE = "Quoxin 5 mg is given twice daily."


def pdf(*pages: list[str]) -> bytes:
    made = io.BytesIO()
    sheet = canvas.Canvas(made, pagesize=(400, 600))
    sheet.setTitle(pages[0][0])
    for lines in pages:
        sheet.setFont("Helvetica", 10)
        for number, line in enumerate(lines):
            sheet.drawString(50, 500 - 14 * number, line)
        sheet.showPage()
    sheet.save()
    return made.getvalue()


TWO_PAGES = pdf(
    ["Quoxin", f"It lowers the pressure. {SENTENCE} It is not", "for children."], ["Nothing else is known."]
)


@pytest.fixture
def kept(tmp_path: Path) -> str:
    """The sha256 of an original with two pages under ``tmp_path``."""
    path = tmp_path / "quoxin.pdf"
    path.write_bytes(TWO_PAGES)
    keep_original(tmp_path, path, sha256_of(path))
    return sha256_of(path)


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[Pages]:
    with Pages(tmp_path, 10_000_000) as opened:
        yield opened


def passage(sha256: str) -> PagedPassage:
    line = (1, 50.0, 104.0, 330.0, 117.0)
    return PagedPassage(sha256, (line,), f"It lowers the pressure. {SENTENCE} It is not")


def yellow(png: bytes) -> tuple[int, int, int, int] | None:
    """The smallest box around what is marked, in pixels: left, top, right, bottom."""
    pixels = np.asarray(Image.open(io.BytesIO(png)).convert("RGB"))
    rows, columns = ((pixels[:, :, 0] > 150) & (pixels[:, :, 2] < 150)).nonzero()
    return (columns.min(), rows.min(), columns.max(), rows.max()) if rows.size else None


def test_a_page_is_drawn_with_the_words_marked_and_another_without(pages: Pages, kept: str) -> None:
    marks = pages.marks(passage(kept), 24, 24 + len(SENTENCE))

    assert (marks.page_count, marks.exact, marks.sizes) == (2, True, {1: (400.0, 600.0)})
    ((_, left, top, right, bottom),) = marks.boxes
    assert 140 < left < 160 < right < 315
    found = yellow(pages.image(passage(kept), marks, 1, 800))
    assert found == pytest.approx((2 * left, 2 * top, 2 * right, 2 * bottom), abs=3)
    assert yellow(pages.image(passage(kept), marks, 2, 800)) is None
    for page in (0, 3):
        with pytest.raises(NotFound, match="has 2"):
            pages.image(passage(kept), marks, page, 800)


def test_where_the_page_does_not_tell_all_lines_of_the_passage_are_marked(pages: Pages, kept: str) -> None:
    other = PagedPassage(
        kept, passage(kept).lines, "Another text stood here once, of which no letter is left: 别的文字"
    )
    marks = pages.marks(other, 8, 20)
    assert (marks.boxes, marks.exact) == (other.lines, False)


def test_what_was_drawn_is_kept_and_the_longest_unseen_goes_first(tmp_path: Path, kept: str) -> None:
    with Pages(tmp_path, 10_000_000) as pages:
        marks = pages.marks(passage(kept), 0, 10)
        first = pages.image(passage(kept), marks, 1, 400)
        second = pages.image(passage(kept), marks, 2, 400)
    original_path(tmp_path, kept).unlink()
    files = sorted((tmp_path / "pages").rglob("*"), key=lambda path: path.stat().st_mtime_ns)
    assert sum(path.is_file() for path in files) == 3

    with Pages(tmp_path, 10_000_000) as pages:  # of an original that is gone nothing can be drawn: these are the kept
        assert pages.image(passage(kept), marks, 1, 400) == first
        assert pages.image(passage(kept), marks, 2, 400) == second
        with pytest.raises(UnreadableFile):
            pages.image(passage(kept), marks, 1, 800)

    (tmp_path / "quoxin.pdf").replace(original_path(tmp_path, kept))
    folder = tmp_path / "pages" / kept[:2] / kept
    before = {path.name: path.stat() for path in folder.iterdir()}
    room = sum(stat.st_size for stat in before.values())
    with Pages(tmp_path, room) as pages:
        pages.image(passage(kept), Marks(2, marks.sizes, (), True), 1, 400)
    after = {path.name: path.stat().st_size for path in folder.iterdir()}
    assert sum(after.values()) <= room
    assert min(before, key=lambda name: before[name].st_mtime_ns) not in after
    assert len(set(after) - set(before)) == 1


def test_a_file_that_crashes_what_draws_it_fails_alone(pages: Pages, kept: str, tmp_path: Path) -> None:
    marks = pages.marks(passage(kept), 0, 10)
    broken = tmp_path / "broken.pdf"
    broken.write_bytes(b"%PDF-1.4\njunk\n%%EOF\n")
    sha256 = sha256_of(broken)
    keep_original(tmp_path, broken, sha256)
    with pytest.raises(UnreadableFile) as raised:
        pages.image(passage(sha256), marks, 1, 400)
    assert sha256 not in str(raised.value), "a reader has no use for the name under which it is kept"
    assert pages.image(passage(kept), marks, 1, 400)


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes anywhere")
def test_where_nothing_can_be_written_pages_are_drawn_and_not_kept(pages: Pages, kept: str, tmp_path: Path) -> None:
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages").chmod(0o500)
    marks = pages.marks(passage(kept), 0, 10)
    assert pages.image(passage(kept), marks, 1, 400)


def test_a_purge_leaves_nothing_of_what_was_drawn(lite_library: Library) -> None:
    system = lite_library.system
    (lite_library.folder / "quoxin.pdf").write_bytes(TWO_PAGES)
    (lite_library.folder / "other.pdf").write_bytes(pdf(["Zotrin", "Zotrin 3 mg is given daily to adults."]))
    lite_library.ingest()
    with system.database.reading() as session:
        documents = {one.title: one for one in catalog.documents(session, LOCAL_ADMIN)}
    with Pages(system.home, 10_000_000) as pages:
        drawn = {title: _drawn(lite_library, pages, title) for title in documents}
        folders = {path.name for path in (system.home / "pages").glob("*/*")}
        assert folders == {one.sha256 for one, _ in drawn.values()}

        delete_document(system, LOCAL_ADMIN, documents["Quoxin"].id, purge=True)

        left = [path.name for path in (system.home / "pages").glob("*/*")]
        assert left == [drawn["Zotrin"][0].sha256]
        with pytest.raises(UnreadableFile):  # and nothing comes back by asking again for what is no more
            pages.image(*drawn["Quoxin"], 1, 1200)
        assert [path.name for path in (system.home / "pages").glob("*/*")] == left


def _drawn(library: Library, pages: Pages, title: str) -> tuple[PagedPassage, Marks]:
    found: list[Passage] = []
    with library.system.database.reading() as session:
        found += catalog.passages(session, LOCAL_ADMIN, range(1, 20)).values()
        first = next(one for one in found if one.title == title)
        source = source_of(session, first.passage_id)
    paged = PagedPassage(source.sha256, source.lines, first.text)
    marks = pages.marks(paged, 0, len(first.text))
    assert marks.exact
    assert yellow(pages.image(paged, marks, 1, 400))
    return paged, marks
