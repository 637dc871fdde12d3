"""The worker: a process that runs queued jobs, one at a time and in turns; one a home, others wait for its end.

``taiyi-rag serve`` keeps one running as a child (``kept_running``); ``taiyi-rag jobs run`` is one in the foreground.
What it learns of jobs it learns from SQL, so that they may be queued by any process on any machine.
"""

import contextlib
import logging
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

from filelock import FileLock, Timeout
from sqlalchemy import select

from ingestion.pipeline import Reader, local_reader
from ingestion.running import next_jobs, run_waiting
from rag.errors import DatabaseUnavailable, DiskShut, Inconsistent, Unavailable
from rag.logs import configure
from rag.removal import Tidying
from rag.retention import retain
from rag.settings import Settings, read_settings
from rag.system import System, open_system
from rag.tables import JobRow
from rag.types import Caller, Role

POLL_S = 0.3
NICENESS = 10
GRACE_S = 8.0
WITHOUT_DATABASE_S = 2.0
LONGEST_PAUSE_S = 60.0
TURN_S = 30.0
FORGOTTEN_AFTER_S = 3600.0
RETENTION_EVERY_S = 86_400.0
CHILD = "--child"
WORKER = Caller("worker", Role.ADMIN)
log = logging.getLogger(__name__)


def run_jobs(settings: Settings, stopping: threading.Event) -> None:
    """Runs jobs until ``stopping`` is set, then ends after the file it is at; searches on this machine go first."""
    os.nice(NICENESS)
    with open_system(settings) as system, _only_worker(system.home, stopping), ExitStack() as kept:
        if not stopping.is_set():
            _remove_forgotten_uploads(system)
        reader: Reader | None = None
        retained_at: float | None = None
        tidying = Tidying(system)
        while not stopping.is_set():
            try:
                if retained_at is None or time.monotonic() - retained_at > RETENTION_EVERY_S:
                    retained_at = time.monotonic()
                    _retain(system)
                tidying.run()
                waiting = next_jobs(system)
                if waiting and reader is None:
                    reader = kept.enter_context(local_reader(system.home))
                if not any(run_waiting(system, job_id, _turn(system, stopping), reader) for job_id in waiting):
                    stopping.wait(POLL_S)
            except (DatabaseUnavailable, DiskShut) as error:
                log.warning("%s; trying again in %gs", error, WITHOUT_DATABASE_S)
                stopping.wait(WITHOUT_DATABASE_S)


def _retain(system: System) -> None:
    """Removes what is older than the settings keep. Of a record that is not whole nothing goes; the log says so."""
    days = system.settings.retention_days
    if days:
        try:
            done = retain(system.database, WORKER, datetime.now(UTC) - timedelta(days=days))
            log.info("Retention removed %d answers and %d rows of the record", done.answers, done.rows)
        except Inconsistent as error:
            log.error("%s", error)


def stop_on_signals() -> threading.Event:
    """An event that the first SIGINT or SIGTERM sets; the next ends the process at once."""
    stopping = threading.Event()

    def stop(number: int, _frame: object) -> None:
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    return stopping


class Kept:
    """A worker process that is started again when it dies. ``is_alive`` tells how it is at the moment."""

    is_alive = True

    def check(self) -> None:
        """Raises Unavailable between a worker's end and the start of the next one."""
        if not self.is_alive:
            raise Unavailable("The ingestion worker ended and is started again in a moment; the log says why it ended")


@contextmanager
def kept_running(settings: Settings) -> Iterator[Kept]:
    """Has a worker process beside this one, started again with growing pauses when it dies.

    It ends with the block, and with this process however that ends: its standard input is then at its end.
    """
    stopping, kept = threading.Event(), Kept()
    thread = threading.Thread(target=_keep, args=(settings, stopping, kept), name="worker's keeper", daemon=True)
    thread.start()
    try:
        yield kept
    finally:
        stopping.set()
        thread.join()


def _turn(system: System, stopping: threading.Event) -> Callable[[], bool]:
    """Says when a job has to leave: where the worker ends, and after a while where others wait, so that a library
    that is being loaded does not hold up a single upload."""
    ends = time.monotonic() + TURN_S
    return lambda: stopping.is_set() or (time.monotonic() > ends and len(next_jobs(system)) > 1)


@contextmanager
def _only_worker(home: Path, stopping: threading.Event) -> Iterator[None]:
    """Waits until this is the one worker of its home, or told to stop."""
    lock = FileLock(home / "worker.lock")
    while not stopping.is_set():
        try:
            lock.acquire(timeout=0)
            break
        except Timeout:
            stopping.wait(POLL_S)
    try:
        yield
    finally:
        lock.release()


def _remove_forgotten_uploads(system: System) -> None:
    """Uploads that were never acknowledged, and those whose job is done with them."""
    uploads = system.home / "uploads"
    with system.database.reading() as session:
        kept = set(session.scalars(select(JobRow.id).where(JobRow.source == "upload", JobRow.state != "succeeded")))
    for folder in uploads.iterdir() if uploads.is_dir() else ():
        if folder.name not in kept and time.time() - folder.stat().st_mtime > FORGOTTEN_AFTER_S:
            shutil.rmtree(folder, ignore_errors=True)


def _keep(settings: Settings, stopping: threading.Event, kept: Kept) -> None:
    pause = 1.0
    while not stopping.is_set():
        began = time.monotonic()
        with subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-m", "ingestion.worker", CHILD], stdin=subprocess.PIPE, env=_environment(settings)
        ) as worker:
            kept.is_alive = True
            while worker.poll() is None and not stopping.wait(POLL_S):
                continue
            if worker.stdin is not None:
                worker.stdin.close()
            if stopping.is_set():
                with contextlib.suppress(subprocess.TimeoutExpired):
                    worker.wait(GRACE_S)
                worker.kill()
                return
        kept.is_alive = False
        pause = 1.0 if time.monotonic() - began > LONGEST_PAUSE_S else min(2 * pause, LONGEST_PAUSE_S)
        log.warning("The ingestion worker ended with status %s; starting it again in %gs", worker.returncode, pause)
        stopping.wait(pause)


def _environment(settings: Settings) -> dict[str, str]:
    """This process's environment with its settings, however it came by them."""
    stated = {
        f"RAG_{name.upper()}": str(value)
        for name in settings.model_fields_set
        if isinstance(value := getattr(settings, name), str | int | Path)
    }
    return {**os.environ, **stated, "RAG_HOME": str(settings.home.absolute())}


def _end_with_parent(stopping: threading.Event) -> None:
    """Reads standard input to its end, which is that of the process at its other end."""
    while os.read(sys.stdin.fileno(), 1024):
        continue
    stopping.set()
    time.sleep(GRACE_S)
    os._exit(1)


def main() -> None:
    settings = read_settings()
    configure(settings.log_format)
    stopping = stop_on_signals()
    if CHILD in sys.argv:
        threading.Thread(target=_end_with_parent, args=(stopping,), daemon=True).start()
    run_jobs(settings, stopping)


if __name__ == "__main__":
    main()
