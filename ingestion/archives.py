"""Archives (.zip, .tar, .tar.gz, .tar.bz2, .tar.xz) unpacked into a folder, as if whoever made them were an enemy.

Only regular files are written, each below the folder. Hidden files, what macOS and Windows add of their own, and the
lock files of Office are passed over. What is refused is refused with the archive's and the member's name: absolute
paths and paths with "..", links, devices, encrypted members, too many members, too many bytes, and a zip bomb. Bytes
are counted as they are unpacked; what the archive says of its sizes is never believed.

Word, PowerPoint and EPUB files are zips but no archives. An archive in an archive is written like any other member,
and ``ingestion.loaders.format_of`` refuses it.
"""

import bz2
import gzip
import lzma
import re
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Protocol, cast

from ingestion.encoding import decode
from rag.errors import UnreadableFile

SUFFIXES = (".zip", ".tar", ".tar.gz", ".tgz", ".tar.bz2", ".tbz2", ".tar.xz", ".txz")
_CHUNK = 1 << 20
_RATIO_COUNTS_FROM = 16 << 20
_PASSED_OVER = {"__macosx", "thumbs.db", "desktop.ini"}
_NO_NAME = re.compile(r"[\x00-\x1f\x7f]|^[A-Za-z]:")
_DAMAGED = (
    zipfile.BadZipFile,
    tarfile.TarError,
    gzip.BadGzipFile,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    UnicodeDecodeError,
    OSError,
)


@dataclass(frozen=True, slots=True)
class Limits:
    """``ratio`` is the most bytes that each byte of the archive may become, once it has become more than 16 MiB."""

    members: int = 20_000
    bytes: int = 4 << 30
    ratio: int = 200


@dataclass(frozen=True, slots=True)
class Member:
    """A file from an archive: its path inside the archive, with ``/``, and where it was written."""

    name: str
    path: Path


class _Readable(Protocol):
    def read(self, size: int = -1, /) -> bytes: ...


def is_archive(path: Path) -> bool:
    """Whether the file's name says that it is an archive that ``unpack`` reads."""
    return path.name.lower().endswith(SUFFIXES)


def unpack(path: Path, into: Path, limits: Limits | None = None) -> list[Member]:
    """Writes the archive's files below ``into``, which is best an empty folder of its own; in the archive's order.

    Raises UnreadableFile naming the member that is refused or the archive that is damaged. What was written until
    then stays, for the caller to remove with the folder.
    """
    unpacking = _Unpacking(path, into, limits or Limits())
    try:
        if path.name.lower().endswith(".zip"):
            return list(unpacking.zip_members())
        return list(unpacking.tar_members())
    except NotImplementedError as error:
        raise UnreadableFile(f"{path.name} is packed in a way that is not read ({error}); pack it again") from error
    except _DAMAGED as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else error or type(error).__name__
        raise UnreadableFile(f"{path.name} cannot be unpacked ({reason}); copy or download it again") from error


class _Unpacking:
    def __init__(self, path: Path, into: Path, limits: Limits) -> None:
        self._path, self._into, self._limits = path, into, limits
        self._packed = path.stat().st_size if path.is_file() else 0
        self._bytes = 0
        self._written: set[str] = set()

    def zip_members(self) -> Iterator[Member]:
        with zipfile.ZipFile(self._path) as archive:
            entries = archive.infolist()
            if len(entries) > self._limits.members:
                raise self._too_many()
            names = _zip_names(entries)
            for entry, name in zip(entries, names, strict=True):
                kind = stat.S_IFMT(entry.external_attr >> 16)
                if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
                    raise self._refused(name, "is a link or a device")
                target = self._target(name)
                if target is None or entry.is_dir() or name.endswith("/"):
                    continue
                if entry.flag_bits & 0x1:
                    raise self._refused(name, "is encrypted; unpack it with its password")
                with archive.open(entry) as stream:
                    yield self._write(name, target, stream)

    def tar_members(self) -> Iterator[Member]:
        with (
            _decompressed(self._path) as stream,
            tarfile.open(fileobj=cast(IO[bytes], _Counted(stream, self)), mode="r|", errorlevel=2) as archive,
        ):
            for number, entry in enumerate(archive, start=1):
                if number > self._limits.members:
                    raise self._too_many()
                name = _tar_name(entry.name)
                if not (entry.isreg() or entry.isdir()) or entry.issparse():
                    raise self._refused(name, "is a link, a device or a sparse file")
                target = self._target(name)
                if target is None or entry.isdir():
                    continue
                content = archive.extractfile(entry)
                if content is not None:
                    yield self._write(name, target, content)

    def count(self, read: int) -> None:
        """Raises UnreadableFile where ``read`` bytes more are too many, for the archive's size or at all."""
        self._bytes += read
        if self._bytes > self._limits.bytes:
            raise UnreadableFile(
                f"{self._path.name} unpacks to more than {self._limits.bytes >> 20} MiB; part it into several archives"
            )
        if self._bytes > max(_RATIO_COUNTS_FROM, self._packed * self._limits.ratio):
            raise UnreadableFile(
                f"{self._path.name} unpacks to more than {self._limits.ratio} times its size, as a zip bomb does; "
                "if it is none, unpack it and load the files in it"
            )

    def _target(self, name: str) -> Path | None:
        """Where a member goes, None for one that is passed over. Raises UnreadableFile for a name that leads away."""
        parts = [part for part in name.split("/") if part not in ("", ".")]
        if name.startswith("/") or ".." in parts or _NO_NAME.search(name):
            raise self._refused(name, "has a path that leads out of the archive, or no file's name")
        if not parts or any(part.startswith((".", "~$")) or part.lower() in _PASSED_OVER for part in parts):
            return None
        return self._into.joinpath(*parts)

    def _write(self, name: str, target: Path, content: _Readable) -> Member:
        if str(target) in self._written:
            raise self._refused(name, "is in it twice")
        self._written.add(str(target))
        target.parent.mkdir(parents=True, exist_ok=True)
        is_counted = isinstance(content, tarfile.ExFileObject)
        with target.open("xb") as file:
            while chunk := content.read(_CHUNK):
                if not is_counted:
                    self.count(len(chunk))
                file.write(chunk)
        return Member(target.relative_to(self._into).as_posix(), target)

    def _refused(self, name: str, reason: str) -> UnreadableFile:
        shown = "".join(character if character.isprintable() else "?" for character in name)[:200]
        return UnreadableFile(f"{self._path.name} is refused: its member {shown} {reason}")

    def _too_many(self) -> UnreadableFile:
        return UnreadableFile(
            f"{self._path.name} has more than {self._limits.members} members; part it into several archives"
        )


class _Counted:
    """A stream whose bytes are counted as they are read, headers and members that are passed over among them."""

    def __init__(self, stream: IO[bytes], unpacking: _Unpacking) -> None:
        self._stream, self._unpacking = stream, unpacking

    def read(self, size: int) -> bytes:
        data = self._stream.read(size)
        self._unpacking.count(len(data))
        return data


def _decompressed(path: Path) -> IO[bytes]:
    name = path.name.lower()
    if name.endswith((".gz", ".tgz")):
        return gzip.open(path)  # type: ignore[return-value]
    if name.endswith(("bz2",)):
        return bz2.open(path)
    if name.endswith("xz"):
        return lzma.open(path)
    return path.open("rb")


def _zip_names(entries: list[zipfile.ZipInfo]) -> list[str]:
    """The members' names. Those not marked as UTF-8 are what the packing machine used: Chinese Windows writes GBK."""
    marked = 0x800
    raw = b"\n".join(entry.orig_filename.encode("cp437") for entry in entries if not entry.flag_bits & marked)
    encoding = _encoding_of_names(raw)
    return [
        (
            entry.orig_filename
            if entry.flag_bits & marked
            else entry.orig_filename.encode("cp437").decode(encoding, "replace")
        ).replace("\\", "/")
        for entry in entries
    ]


def _tar_name(name: str) -> str:
    try:
        return name.encode("utf-8").decode("utf-8")
    except UnicodeEncodeError:
        raw = name.encode("utf-8", "surrogateescape")
        return raw.decode(_encoding_of_names(raw), "replace")


def _encoding_of_names(raw: bytes) -> str:
    for encoding in ("utf-8", "gb2312"):
        try:
            raw.decode(encoding)
        except UnicodeDecodeError:
            continue
        return encoding
    try:
        text = decode(raw)
    except UnreadableFile:
        return "cp437"
    for encoding in ("gb18030", "big5"):
        if raw.decode(encoding, "replace") == text:
            return encoding
    return "cp437"
