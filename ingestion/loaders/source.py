"""Reading a file's bytes, and saying in one line why it cannot be read. Messages name the file, never its folder."""

import codecs
import gzip
import io
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, cast

from ingestion.encoding import decode
from ingestion.types import Block, LoadedDocument, Metadata
from rag.errors import UnreadableFile

_GZIP = b"\x1f\x8b"
HEAD_BYTES = 65_536
MAX_UNPACKED_BYTES = 512 * 1024 * 1024


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """The file's bytes as a stream, decompressed where it is gzip. Raises UnreadableFile, also while it is read."""
    try:
        with path.open("rb") as raw:
            is_gzip = raw.read(2) == _GZIP
            raw.seek(0)
            if is_gzip:
                with gzip.open(raw) as stream:
                    yield cast(IO[bytes], stream)
            else:
                yield raw
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UnreadableFile(
            f"{path.name} is damaged or cut short (gzip: {error}); copy or download it again"
        ) from error
    except OSError as error:
        raise UnreadableFile(f"{path.name} cannot be read: {error.strerror or error}") from error


def read_head(path: Path) -> bytes:
    """The first 64 KiB, decompressed. Raises UnreadableFile where there is nothing."""
    with opened(path) as stream:
        head = stream.read(HEAD_BYTES)
    if not head.strip():
        raise UnreadableFile(f"{path.name} is empty")
    return head


def read_bytes(path: Path) -> bytes:
    """The whole file. Raises UnreadableFile where there is nothing."""
    with opened(path) as stream:
        data = stream.read()
    if not data.strip():
        raise UnreadableFile(f"{path.name} is empty")
    return data


def read_text(path: Path) -> str:
    """The whole file as text with ``\\n`` newlines. Raises UnreadableFile where it is empty or no text."""
    return text_of_bytes(read_bytes(path), path)


def text_lines(path: Path) -> Iterator[str]:
    """The file's lines in order, each but perhaps the last with its ``\\n``: UTF-8 as a stream, any other text whole.

    Raises UnreadableFile where the file is empty or no text.
    """
    if not _is_utf8(path):
        yield from io.StringIO(read_text(path))
        return
    with opened(path) as stream, io.TextIOWrapper(stream, encoding="utf-8-sig") as text:
        yield from text


def _is_utf8(path: Path) -> bool:
    decoder = codecs.getincrementaldecoder("utf-8")()
    if b"\0" in read_head(path):
        return False
    with opened(path) as stream:
        try:
            while chunk := stream.read(HEAD_BYTES):
                decoder.decode(chunk)
            decoder.decode(b"", final=True)
        except UnicodeDecodeError:
            return False
    return True


def refuse_if_it_unpacks_to_too_much(path: Path) -> None:
    """For files that are zips. Raises UnreadableFile over 512 MiB; zipfile reads no more than a member states."""
    with zipfile.ZipFile(path) as archive:
        unpacked = sum(member.file_size for member in archive.infolist())
    if unpacked > MAX_UNPACKED_BYTES:
        raise UnreadableFile(f"{path.name} unpacks to more than {MAX_UNPACKED_BYTES // 2**20} MiB; split it")


def text_of_bytes(data: bytes, path: Path) -> str:
    """``data`` decoded, its errors named after ``path``."""
    try:
        return decode(data)
    except UnreadableFile as error:
        raise UnreadableFile(f"{path.name} {error}") from error


def document(path: Path, blocks: list[Block], metadata: Metadata) -> LoadedDocument:
    """The loaded document. Raises UnreadableFile where no block was found."""
    if not blocks:
        raise UnreadableFile(
            f"{path.name} has no text: nothing is left after menus, markup and empty lines are taken out"
        )
    return LoadedDocument(tuple(blocks), metadata)
