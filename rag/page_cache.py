"""What was drawn of pages and found on them, kept under ``RAG_HOME/pages`` by the original's sha256.

All of it is derived from originals and goes with them. Where nothing can be written, nothing is kept.
"""

import contextlib
import logging
import os
import shutil
import uuid
from pathlib import Path

from rag.originals import original_path

_ROOM = 0.8
"""How full it is left where it had become too full."""
log = logging.getLogger(__name__)


def kept(home: Path, sha256: str, name: str) -> bytes | None:
    """What was kept of an original under ``name``; None where that is nothing, or was dropped since."""
    path = _folder(home, sha256) / name
    try:
        found = path.read_bytes()
    except OSError:
        return None
    with contextlib.suppress(OSError):  # what is looked at stays longest, where that can be noted
        os.utime(path)
    return found


def keep(home: Path, sha256: str, name: str, data: bytes, most_bytes: int) -> None:
    """Keeps ``data`` under ``name``; where all that is kept takes more than ``most_bytes``, the longest unseen goes."""
    folder = _folder(home, sha256)
    unfinished = folder / f"{uuid.uuid4().hex}.unfinished"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        unfinished.write_bytes(data)
        unfinished.rename(folder / name)
    except OSError as error:
        log.debug("a page is not kept: %s", error)
        with contextlib.suppress(OSError):
            unfinished.unlink(missing_ok=True)
    if not original_path(home, sha256).exists():  # a purge that came in between has not seen what was just written
        erase(home, sha256)
    _shrink(home, most_bytes)


def erase(home: Path, sha256: str) -> None:
    """Removes all that is kept of an original."""
    folder = _folder(home, sha256)
    if folder.exists():
        shutil.rmtree(folder)


def _folder(home: Path, sha256: str) -> Path:
    return home / "pages" / sha256[:2] / sha256


def _shrink(home: Path, most_bytes: int) -> None:
    files = []
    for path in (home / "pages").glob("*/*/*"):
        with contextlib.suppress(FileNotFoundError):
            stat = path.stat()
            files.append((stat.st_mtime_ns, stat.st_size, path))
    taken = sum(size for _, size, _ in files)
    if taken <= most_bytes:
        return
    for _, size, path in sorted(files, key=lambda file: file[0]):
        if taken <= _ROOM * most_bytes:
            return
        with contextlib.suppress(OSError):
            path.unlink(missing_ok=True)
        taken -= size
