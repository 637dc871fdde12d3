"""Watching folders: which files are new or changed and lie still, told by comparing one look with the next.

The system's notices of changes only say when to look. A network share sends none, so there is a look every minute too.
"""

import logging
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from watchfiles import watch as notices

from ingestion.manifest import Stated
from ingestion.pipeline import FileToRead, discover
from rag.errors import InvalidRequest

LOOK_EVERY_S = 60.0
STILL_FOR_S = 2.0
_STEP_MS = 500
_PATIENCE = 5
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Changes:
    """Files to read, and the paths of those that are gone since they were last seen."""

    files: tuple[FileToRead, ...] = ()
    gone: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class _Moving:
    """A file that has looked as it does since ``since``, by the monotonic clock."""

    file: FileToRead
    look: "_Look"
    since: float


@dataclass(frozen=True, slots=True)
class _Look:
    """What tells a file from its former self, without reading it."""

    size: int
    modified_ns: int
    stated: Stated


def watch(
    paths: Sequence[Path],
    stopping: threading.Event,
    look_every_s: float = LOOK_EVERY_S,
    still_for_s: float = STILL_FOR_S,
) -> Iterator[Changes]:
    """All files first, then those that change, each once it has not changed for ``still_for_s``; until ``stopping``.

    Files that change together are given together. A manifest that is wrong keeps back what it speaks of until it is
    right; the log says so.
    """
    seen = _Seen(paths, still_for_s)
    for is_noticed in _noticed(paths, stopping):
        if seen.is_due(look_every_s, is_noticed):
            seen.look()
        changes = seen.changes()
        if changes.files or changes.gone:
            yield changes


def _noticed(paths: Sequence[Path], stopping: threading.Event) -> Iterator[bool]:
    """Twice a second whether the system noticed a change at ``paths``; False where it gives no notice."""
    while not stopping.is_set():
        yield True
        watched = [path for path in paths if path.exists()]
        try:
            for changes in notices(
                *watched,
                watch_filter=None,
                yield_on_timeout=True,
                rust_timeout=_STEP_MS,
                debounce=_STEP_MS,
                stop_event=stopping,
                raise_interrupt=False,
                ignore_permission_denied=True,
            ):
                yield bool(changes)
                if watched != [path for path in paths if path.exists()]:
                    break
        except OSError as error:
            log.warning("The system cannot give notice of changes (%s); looking every %gs", error, LOOK_EVERY_S)
            while not stopping.wait(_STEP_MS / 1000):
                yield False


class _Seen:
    """What was given, by path, and what is not yet still."""

    def __init__(self, paths: Sequence[Path], still_for_s: float) -> None:
        self._paths, self._still_for_s = paths, still_for_s
        self._given: dict[Path, _Look] = {}
        self._moving: dict[Path, _Moving] = {}
        self._gone: list[Path] = []
        self._looked_at, self._took_s = -float("inf"), 0.0
        self._is_noticed = False

    def is_due(self, look_every_s: float, is_noticed: bool) -> bool:
        """Whether to look: soon after a notice, but not so often that looking is all that is done."""
        self._is_noticed = self._is_noticed or is_noticed
        rest = max(1.0, 10 * self._took_s) if self._is_noticed else look_every_s
        return time.monotonic() - self._looked_at >= rest

    def look(self) -> None:
        began = time.monotonic()
        self._is_noticed = False
        try:
            files = {file.path: file for file in discover(self._paths)}
        except InvalidRequest as error:
            log.warning("%s", error)
        else:
            looks = {path: look for path, file in files.items() if (look := _look(file)) is not None}
            self._gone += [path for path in self._given if path not in looks]
            self._given = {path: look for path, look in self._given.items() if path in looks}
            changed = {path: look for path, look in looks.items() if self._given.get(path) != look}
            self._moving = {
                path: before if (before := self._moving.get(path)) and before.look == look else fresh
                for path, look in changed.items()
                for fresh in [_Moving(files[path], look, began)]
            }
        self._looked_at = time.monotonic()
        self._took_s = self._looked_at - began

    def changes(self) -> Changes:
        """What is still and what is gone, each once. While others move, the still wait a little for them."""
        now = time.monotonic()
        for path, moving in list(self._moving.items()):
            look = _look(moving.file)
            if look is None:
                del self._moving[path]
            elif look != moving.look:
                self._moving[path] = _Moving(moving.file, look, now)
        still = [one for one in self._moving.values() if now - one.since >= self._still_for_s]
        patience = _PATIENCE * self._still_for_s
        if len(still) < len(self._moving) and not any(now - one.since >= patience for one in still):
            still = []
        for one in still:
            self._given[one.file.path] = one.look
            del self._moving[one.file.path]
        gone, self._gone = self._gone, []
        return Changes(tuple(one.file for one in still), tuple(gone))


def _look(file: FileToRead) -> _Look | None:
    try:
        status = file.path.stat()
    except OSError:
        return None
    return _Look(status.st_size, status.st_mtime_ns, file.stated)
