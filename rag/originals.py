"""The original files, kept by the sha256 of their bytes under ``RAG_HOME/originals``."""

import hashlib
import os
import shutil
from pathlib import Path

_UNFINISHED = ".unfinished"


def sha256_of(path: Path) -> str:
    """The digest of a file's bytes, as lower-case hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def original_path(home: Path, sha256: str) -> Path:
    return home / "originals" / sha256[:2] / sha256


def keep_original(home: Path, path: Path, sha256: str) -> Path:
    """Copies a file in, once; safe against being killed half-way."""
    kept = original_path(home, sha256)
    if not kept.exists():
        kept.parent.mkdir(parents=True, exist_ok=True)
        unfinished = home / "originals" / f"{sha256}{_UNFINISHED}"
        shutil.copyfile(path, unfinished)
        with unfinished.open("rb") as file:
            os.fsync(file.fileno())
        unfinished.rename(kept)
    return kept


def remove_unfinished(home: Path) -> None:
    """Removes what a writer left that was killed while it copied a file in."""
    for path in (home / "originals").glob(f"*{_UNFINISHED}"):
        path.unlink(missing_ok=True)


def erase_original(home: Path, sha256: str) -> None:
    original_path(home, sha256).unlink(missing_ok=True)
