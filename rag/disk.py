"""Whether there is room to write."""

import shutil
import tempfile
from pathlib import Path

from rag.errors import DiskShut

LEAST_FREE_BYTES = 100_000_000
"""Room on the disk below which an upload or a compaction is likely to fail."""


def check_room(home: Path) -> None:
    """Raises DiskShut where nothing can be written to ``home``, or soon nothing more."""
    try:
        with tempfile.TemporaryFile(dir=home) as file:
            file.write(b"ready")
        free = shutil.disk_usage(home).free
    except OSError as error:
        raise DiskShut(f"RAG_HOME cannot be written to: {error.strerror}; make room, or make it writable") from None
    if free < LEAST_FREE_BYTES:
        raise DiskShut(f"The disk of RAG_HOME has {free / 1e6:.0f} MB left: make room")
