"""Archives."""

import io
import os
import struct
import tarfile
import zipfile
from pathlib import Path

import pytest

from ingestion.archives import Limits, is_archive, unpack
from rag.errors import UnreadableFile

MEBIBYTE = 1 << 20


@pytest.fixture
def into(tmp_path: Path) -> Path:
    folder = tmp_path / "unpacked"
    folder.mkdir()
    return folder


def zipped(tmp_path: Path, *members: tuple[str | zipfile.ZipInfo, bytes]) -> Path:
    path = tmp_path / "corpus.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def tarred(tmp_path: Path, name: str, *members: tarfile.TarInfo | tuple[str, bytes]) -> Path:
    path = tmp_path / name
    compression = {".gz": "gz", ".tgz": "gz", ".bz2": "bz2", ".xz": "xz"}.get(path.suffix, "")
    with tarfile.open(path, f"w:{compression}") as archive:  # type: ignore[call-overload]
        for member in members:
            if isinstance(member, tarfile.TarInfo):
                archive.addfile(member)
            else:
                info = tarfile.TarInfo(member[0])
                info.size = len(member[1])
                archive.addfile(info, io.BytesIO(member[1]))
    return path


def tar_entry(name: str, kind: bytes, link: str = "") -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname = kind, link
    return info


def written(into: Path) -> list[str]:
    return sorted(path.relative_to(into).as_posix() for path in into.rglob("*") if path.is_file())


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.TAR.XZ"])
def test_the_name_tells_an_archive(name: str) -> None:
    assert is_archive(Path(name))


@pytest.mark.parametrize("name", ["a.docx", "a.pptx", "a.epub", "a.xml.gz", "a.nbib.gz", "zip"])
def test_office_files_books_and_compressed_files_are_no_archives(name: str) -> None:
    assert not is_archive(Path(name))


def test_regular_files_are_written_in_their_folders_and_the_rest_is_passed_over(tmp_path: Path, into: Path) -> None:
    path = zipped(
        tmp_path,
        ("guides/", b""),
        ("guides/fever/a.md", b"# Fever"),
        ("./b.txt", b"B"),
        ("back\\slash.txt", b"C"),
        ("__MACOSX/guides/._a.md", b"x"),
        (".hidden/c.md", b"x"),
        ("guides/.DS_Store", b"x"),
        ("Thumbs.db", b"x"),
        ("~$draft.docx", b"x"),
    )

    members = unpack(path, into)

    assert [member.name for member in members] == ["guides/fever/a.md", "b.txt", "back/slash.txt"]
    assert [member.path.read_bytes() for member in members] == [b"# Fever", b"B", b"C"]
    assert written(into) == ["b.txt", "back/slash.txt", "guides/fever/a.md"]


@pytest.mark.parametrize("name", ["a.tar", "a.tar.gz", "a.tgz", "a.tar.bz2", "a.tar.xz"])
def test_tar_is_read_however_it_is_compressed(tmp_path: Path, into: Path, name: str) -> None:
    path = tarred(
        tmp_path, name, tar_entry("d", tarfile.DIRTYPE), ("d/a.md", b"A"), (".hidden", b"x"), ("指南.md", b"B")
    )

    assert [(member.name, member.path.read_bytes()) for member in unpack(path, into)] == [
        ("d/a.md", b"A"),
        ("指南.md", b"B"),
    ]


@pytest.mark.parametrize(
    ("raw", "name"),
    [
        ("高血压诊疗指南.md".encode("gb18030"), "高血压诊疗指南.md"),
        ("高血壓診療指南與追蹤治療建議.md".encode("big5"), "高血壓診療指南與追蹤治療建議.md"),
        ("高血压.md".encode(), "高血压.md"),
        ("Größe.md".encode("cp437"), "Größe.md"),
    ],
)
def test_names_are_decoded_as_the_packing_machine_wrote_them(tmp_path: Path, into: Path, raw: bytes, name: str) -> None:
    path = zipped(tmp_path, ("N" * len(raw), b"x"))
    path.write_bytes(path.read_bytes().replace(b"N" * len(raw), raw))

    assert [member.name for member in unpack(path, into)] == [name]


def test_a_tar_of_a_chinese_machine_has_its_names(tmp_path: Path, into: Path) -> None:
    path = tmp_path / "a.tar"
    with tarfile.open(path, "w", format=tarfile.GNU_FORMAT, encoding="gb18030") as archive:
        archive.addfile(tarfile.TarInfo("高血压诊疗指南.md"))

    assert [member.name for member in unpack(path, into)] == ["高血压诊疗指南.md"]


@pytest.mark.parametrize("name", ["../evil.md", "a/../../evil.md", "/etc/evil.md", "..\\evil.md", "C:\\evil.md"])
def test_a_path_that_leads_out_is_refused_by_name(tmp_path: Path, into: Path, name: str) -> None:
    shown = name.replace("\\", "/")
    for path in (zipped(tmp_path, (name, b"x")), tarred(tmp_path, "a.tar", (shown, b"x"))):
        with pytest.raises(UnreadableFile) as refused:
            unpack(path, into)
        assert str(refused.value).startswith(f"{path.name} is refused: its member {shown} has a path")
    assert written(tmp_path) == ["a.tar", "corpus.zip"]


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.FIFOTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE])
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, into: Path, kind: bytes) -> None:
    path = tarred(tmp_path, "a.tar.gz", ("a.md", b"A"), tar_entry("evil", kind, "/etc/passwd"))

    with pytest.raises(UnreadableFile, match=r"^a\.tar\.gz is refused: its member evil is a link, a device"):
        unpack(path, into)


def test_a_link_in_a_zip_is_refused(tmp_path: Path, into: Path) -> None:
    link = zipfile.ZipInfo("evil")
    link.external_attr = 0o120777 << 16

    with pytest.raises(UnreadableFile, match=r"its member evil is a link or a device"):
        unpack(zipped(tmp_path, (link, b"/etc/passwd")), into)


def test_an_encrypted_member_is_refused(tmp_path: Path, into: Path) -> None:
    path = zipped(tmp_path, ("secret.md", b"x"))
    data = bytearray(path.read_bytes())
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.index(signature) + offset
        data[at : at + 2] = struct.pack("<H", 1)
    path.write_bytes(data)

    with pytest.raises(UnreadableFile, match=r"its member secret\.md is encrypted"):
        unpack(path, into)


def test_more_members_than_allowed_are_refused(tmp_path: Path, into: Path) -> None:
    members = [(f"{number}.md", b"x") for number in range(4)]

    for path in (zipped(tmp_path, *members), tarred(tmp_path, "a.tar", *members)):
        with pytest.raises(UnreadableFile, match="has more than 3 members"):
            unpack(path, into / path.suffix, Limits(members=3))


def test_more_bytes_than_allowed_are_refused_while_they_are_unpacked(tmp_path: Path, into: Path) -> None:
    data = os.urandom(3 * MEBIBYTE)

    for path in (zipped(tmp_path, ("a", data)), tarred(tmp_path, "a.tar.gz", ("a", data))):
        with pytest.raises(UnreadableFile, match="unpacks to more than 2 MiB"):
            unpack(path, into / path.suffix, Limits(bytes=2 * MEBIBYTE))


def test_a_bomb_is_refused_before_it_is_unpacked(tmp_path: Path, into: Path) -> None:
    data = bytes(64 * MEBIBYTE)

    for path in (zipped(tmp_path, ("a", data)), tarred(tmp_path, "a.tar.gz", ("a", data))):
        with pytest.raises(UnreadableFile, match="as a zip bomb does"):
            unpack(path, into / path.suffix)
        assert sum(file.stat().st_size for file in into.rglob("*") if file.is_file()) < 40 * MEBIBYTE


def test_a_bomb_that_hides_in_what_is_passed_over_is_refused(tmp_path: Path, into: Path) -> None:
    path = tarred(tmp_path, "a.tar.gz", (".hidden", bytes(64 * MEBIBYTE)), ("a.md", b"A"))

    with pytest.raises(UnreadableFile, match="as a zip bomb does"):
        unpack(path, into)


def test_a_size_that_the_archive_lies_about_is_not_believed(tmp_path: Path, into: Path) -> None:
    path = zipped(tmp_path, ("a", b"0123456789" * 1000))
    path.write_bytes(path.read_bytes().replace(struct.pack("<I", 10_000), struct.pack("<I", 10)))

    with pytest.raises(UnreadableFile, match="cannot be unpacked"):
        unpack(path, into)


def test_a_member_that_is_in_it_twice_is_refused(tmp_path: Path, into: Path) -> None:
    path = tarred(tmp_path, "a.tar", ("a.md", b"A"), ("./a.md", b"B"))

    with pytest.raises(UnreadableFile, match=r"its member \./a\.md is in it twice"):
        unpack(path, into)


@pytest.mark.parametrize("name", ["a.zip", "a.tar", "a.tar.gz", "a.tar.bz2", "a.tar.xz"])
@pytest.mark.parametrize("data", [b"", b"Text", b"PK\x03\x04xxxx", bytes(range(256)) * 40])
def test_what_is_no_archive_is_refused_with_its_name(tmp_path: Path, into: Path, name: str, data: bytes) -> None:
    path = tmp_path / name
    path.write_bytes(data)

    with pytest.raises(UnreadableFile, match=rf"^{name} cannot be unpacked"):
        unpack(path, into)


def test_an_archive_that_is_cut_short_is_refused(tmp_path: Path, into: Path) -> None:
    path = tarred(tmp_path, "a.tar.gz", ("a.md", os.urandom(100_000)))
    path.write_bytes(path.read_bytes()[:50_000])

    with pytest.raises(UnreadableFile, match=r"^a\.tar\.gz cannot be unpacked"):
        unpack(path, into)


def test_a_name_that_is_marked_as_utf8_and_is_none_is_refused(tmp_path: Path, into: Path) -> None:
    path = zipped(tmp_path, ("é.md", b"x"))
    path.write_bytes(path.read_bytes().replace("é".encode(), b"\xff\xff"))

    with pytest.raises(UnreadableFile, match=r"^corpus\.zip cannot be unpacked"):
        unpack(path, into)


def test_an_archive_in_an_archive_is_a_file_like_any_other(tmp_path: Path, into: Path) -> None:
    inner = zipped(tmp_path, ("a.md", b"A")).read_bytes()

    assert [member.name for member in unpack(zipped(tmp_path, ("inner.zip", inner)), into)] == ["inner.zip"]
