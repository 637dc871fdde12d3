import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from ingestion.watching import Changes, watch

STILL_S = 0.4


class Watched:
    """A folder that is watched in a thread; ``next_names`` gives what came of late, once something has."""

    def __init__(self, *paths: Path) -> None:
        self.stopping = threading.Event()
        self.changes: list[tuple[float, Changes]] = []
        self._taken = 0
        self.thread = threading.Thread(target=self._run, args=(paths,))
        self.thread.start()

    def _run(self, paths: tuple[Path, ...]) -> None:
        for changes in watch(paths, self.stopping, look_every_s=1.0, still_for_s=STILL_S):
            self.changes.append((time.monotonic(), changes))

    def next(self) -> tuple[float, list[str], list[str]]:
        deadline = time.monotonic() + 8
        while len(self.changes) == self._taken:
            assert time.monotonic() < deadline, "nothing was noticed"
            time.sleep(0.02)
        at, changes = self.changes[self._taken]
        self._taken += 1
        return at, sorted(file.path.name for file in changes.files), [path.name for path in changes.gone]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "folder"
    folder.mkdir()
    for name in ("a.md", "b.md"):
        (folder / name).write_text(f"# {name}\n")
    return folder


@pytest.fixture
def watched(folder: Path) -> Iterator[Watched]:
    watched = Watched(folder)
    yield watched
    watched.stopping.set()
    watched.thread.join(5)
    assert not watched.thread.is_alive()


def test_everything_first_then_what_is_new_changed_or_gone_each_once(watched: Watched, folder: Path) -> None:
    assert watched.next()[1:] == (["a.md", "b.md"], [])
    (folder / "c.md").write_text("# c\n")
    (folder / ".hidden").write_text("no")
    assert watched.next()[1:] == (["c.md"], [])
    (folder / "a.md").write_text("# a, longer\n")
    assert watched.next()[1:] == (["a.md"], [])
    (folder / "b.md").unlink()
    assert watched.next()[1:] == ([], ["b.md"])
    time.sleep(1.2)
    assert len(watched.changes) == 4


def test_a_file_that_is_still_being_written_waits(watched: Watched, folder: Path) -> None:
    watched.next()
    with (folder / "slow.md").open("w") as file:
        for _ in range(8):
            file.write("more\n")
            file.flush()
            time.sleep(0.15)
    ended = time.monotonic()
    at, names, _ = watched.next()
    assert names == ["slow.md"]
    assert at - ended >= STILL_S - 0.2


def test_a_change_of_the_manifest_gives_the_files_it_speaks_of(watched: Watched, folder: Path) -> None:
    watched.next()
    (folder / "manifest.toml").write_text('[[document]]\nfile = "a.md"\npublisher = "P"\n')
    assert watched.next()[1:] == (["a.md"], [])
    (folder / "manifest.toml").write_text("this is wrong")
    (folder / "c.md").write_text("# c\n")
    time.sleep(1.5)
    (folder / "manifest.toml").write_text('[[document]]\nfile = "a.md"\npublisher = "P"\n')
    assert watched.next()[1:] == (["c.md"], [])


def test_a_folder_that_is_not_there_yet_is_read_once_it_is(tmp_path: Path) -> None:
    later = tmp_path / "share"
    watched = Watched(later)
    time.sleep(0.8)
    later.mkdir()
    (later / "a.md").write_text("# a\n")
    assert watched.next()[1:] == (["a.md"], [])
    watched.stopping.set()
    watched.thread.join(5)
