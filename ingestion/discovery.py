"""Finding the files to read, with what is said of them from outside: by a folder's manifest, by a file's sidecar."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from ingestion.manifest import NAME as MANIFEST_NAME
from ingestion.manifest import Stated, is_sidecar, read_manifest, read_sidecar
from rag.errors import InvalidRequest
from rag.settling import IN_ARCHIVE

__all__ = ["IN_ARCHIVE", "FileToRead", "discover", "members_of"]


@dataclass(frozen=True, slots=True)
class FileToRead:
    """``location`` is what the file is recognised by on the next run, and what results call it. ``fault`` says why it
    cannot be read, where that is known already."""

    path: Path
    location: str
    stated: Stated = field(default_factory=Stated)
    fault: str | None = None


def discover(paths: Sequence[Path]) -> list[FileToRead]:
    """The files at ``paths``, folders walked in order of name.

    Hidden files, manifests and sidecars are passed over. A path that does not exist is kept, to fail by name. Raises
    InvalidRequest for a manifest that is wrong; a wrong sidecar is a fault of its file alone.
    """
    manifests: dict[Path, dict[Path, Stated]] = {}
    found: dict[Path, FileToRead] = {}
    for path in paths:
        for file in _walk(path.absolute()):
            file = Path(os.path.normpath(file))
            for folder in (file.parent, *([path.absolute()] if path.is_dir() else [])):
                if folder not in manifests:
                    manifests[folder] = read_manifest(folder)
            stated = manifests.get(path.absolute(), {}).get(file) or manifests[file.parent].get(file, Stated())
            found.setdefault(file, _described(_named(file, stated)))
    return list(found.values())


def members_of(archive: FileToRead, unpacked: Path) -> list[FileToRead]:
    """The files of an archive that was unpacked into a folder, named by their place in the archive. What is stated of
    the archive holds for each of them, unless the archive itself says more."""
    members = []
    for file in discover([unpacked]):
        inside = file.path.relative_to(unpacked).as_posix()
        stated = replace(file.stated, metadata=archive.stated.metadata.updated_by(file.stated.metadata))
        members.append(replace(file, location=f"{archive.location}{IN_ARCHIVE}{inside}", stated=stated))
    return members


def _named(path: Path, stated: Stated) -> FileToRead:
    try:
        str(path).encode()
    except UnicodeEncodeError:
        location = os.fsencode(path).decode(errors="backslashreplace")
        return FileToRead(path, location, stated, f"{location} has a name that is not UTF-8; rename the file")
    return FileToRead(path, str(path), stated)


def _described(file: FileToRead) -> FileToRead:
    try:
        beside = read_sidecar(file.path)
    except InvalidRequest as error:
        return replace(file, fault=str(error))
    if beside is None:
        return file
    return replace(file, stated=replace(file.stated, metadata=file.stated.metadata.updated_by(beside)))


def _walk(path: Path) -> Iterator[Path]:
    if not path.is_dir():
        yield path
        return
    for folder, folders, names in os.walk(path):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            if not name.startswith(".") and name != MANIFEST_NAME and not is_sidecar(Path(name)):
                yield Path(folder) / name
