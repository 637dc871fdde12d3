"""What the service survives: the load of ``load.py``, and meanwhile, at random moments, one fault after another.

    python benchmarks/faults.py --seconds 600 --users 64
    python benchmarks/faults.py --seconds 600 --users 64 --database postgresql

Faults are ``kill -9`` of the service, of its worker and of PostgreSQL, a restart of PostgreSQL, a full disk; with
``--llm``, ``kill -9`` of a vLLM that writes half of the answers; with ``--clock``, jumps of the clock by a day forwards
and back; after the load, a home that cannot be written to. A full and a read-only disk need root, which gives the home
a file system of its own; vLLM needs ``make llm-install``; the clock needs libfaketime (``apt-get install faketime``),
through which the service then sees its own. What was not done is named.

Held is what ``load.py`` holds, but for connections that break: nothing acknowledged is lost, nothing is there twice,
``verify`` is clean. A broken connection may have done what it was for or not.
"""

import argparse
import asyncio
import errno
import json
import os
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from load import DECLARED, Postgres, Service, Told, apply_load, figures, problems_of, served, table
from vllm_server import INSTALLED, VllmServer

DISK_MIB = 1024
DAY_S = 86_400
FULL_FOR_S = 3.0
JUMPED_FOR_S = 4.0
GONE_FOR_S = 3.0


class Faults:
    """Does one fault after another, each of ``kinds`` in turn in an order by chance, until it is told to end."""

    def __init__(self, kinds: dict[str, Callable[[], None]], every: float, seed: int) -> None:
        self._kinds, self._every = kinds, every
        self._chance = random.Random(seed)
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.done: Counter[str] = Counter()
        self.failed: list[str] = []

    def __enter__(self) -> "Faults":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        turn: list[str] = []
        while not self._ended.wait(self._chance.uniform(0.3, 1.7) * self._every):
            if not turn:
                turn = self._chance.sample(list(self._kinds), len(self._kinds))
            kind = turn.pop()
            try:
                self._kinds[kind]()
                self.done[kind] += 1
            except Exception as error:  # of a thread, which nobody would hear of
                self.failed.append(f"{kind}: {type(error).__name__} {error}")


def kinds_of(
    service: Service, postgres: Postgres | None, disk: Path | None, clock: Path | None, model: VllmServer | None
) -> dict[str, Callable[[], None]]:
    """The faults that can be done here, by name."""

    def kill_service() -> None:
        service.kill()
        service.start()

    def kill_worker() -> None:
        for pid in service.workers():
            with suppress(ProcessLookupError):
                os.kill(pid, 9)

    def fill_disk() -> None:
        assert disk is not None
        filler = disk / "filler"
        try:
            with filler.open("wb", buffering=0) as out:
                while True:
                    out.write(bytes(64 * 1024))
        except OSError as error:
            if error.errno != errno.ENOSPC:
                raise
            time.sleep(FULL_FOR_S)
        finally:
            filler.unlink(missing_ok=True)

    def jump() -> None:
        assert clock is not None
        for offset in (f"+{DAY_S}", f"-{DAY_S}", "+0"):
            clock.write_text(offset)
            time.sleep(JUMPED_FOR_S)

    def kill_model() -> None:
        assert model is not None
        model.kill()
        time.sleep(GONE_FOR_S)
        model.start()

    kinds: dict[str, Callable[[], None]] = {"kill the service": kill_service, "kill the worker": kill_worker}
    if postgres is not None:
        kinds["kill PostgreSQL"] = lambda: postgres.restart(hard=True)
        kinds["restart PostgreSQL"] = lambda: postgres.restart(hard=False)
    if disk is not None:
        kinds["full disk"] = fill_disk
    if clock is not None:
        kinds["clock jumps"] = jump
    if model is not None:
        kinds["kill vLLM"] = kill_model
    return kinds


@contextmanager
def disk_of_its_own(mib: int = DISK_MIB) -> Iterator[Path | None]:
    """A small file system to fill, where this may mount one."""
    with TemporaryDirectory(prefix="disk-", ignore_cleanup_errors=True) as folder:
        size = f"size={mib}m,mode=755"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", size, "tmpfs", folder], capture_output=True, check=False
        )
        if mounted.returncode != 0:
            yield None
            return
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=False)


def remount(disk: Path, how: str) -> None:
    """Makes a disk read-only (``ro``) or writable (``rw``); nobody may have a file on it open to write."""
    subprocess.run(["mount", "-o", f"remount,{how}", str(disk)], check=True)


def clock_of_its_own(folder: Path) -> tuple[Path | None, dict[str, str]]:
    """The file that sets the clock of a process forwards or back, and the environment that it needs for it."""
    library = next(Path("/usr/lib").glob("*/faketime/libfaketimeMT.so.1"), None)
    if library is None:
        return None, {}
    clock = folder / "clock"
    clock.write_text("+0")
    return clock, {
        "LD_PRELOAD": str(library),
        "FAKETIME_TIMESTAMP_FILE": str(clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
    }


def model_of_its_own(folder: Path, begun: ExitStack) -> VllmServer | None:
    """A vLLM that ``begun`` ends."""
    return begun.enter_context(VllmServer(folder / "vllm.log")) if INSTALLED.exists() else None


def refuses_to_start_read_only(service: Service, disk: Path) -> list[str]:
    """What goes wrong where the home cannot be written to: the service has to say so and end, or to serve what needs no
    writing; and all is as before once it can be written to again."""
    service.stop()
    remount(disk, "ro")
    problems = []
    try:
        tried = service.command("search", "blood pressure", "--json")
        said = tried.stderr.strip().splitlines()
        if tried.returncode not in (0, 1) or "Traceback" in tried.stderr or (tried.returncode == 1 and len(said) != 1):
            problems.append(f"read-only disk: {tried.returncode} {tried.stderr[-500:]}")
        refused = service.command("ingest", str(Path(__file__).parent.parent / "README.md"))
        if refused.returncode != 1 or "Traceback" in refused.stderr:
            problems.append(f"read-only disk: ingest gave {refused.returncode} {refused.stderr[-500:]}")
    finally:
        remount(disk, "rw")
    service.start()
    return problems


def measure(
    database: str,
    users: int,
    seconds: float,
    models: Path,
    every: float,
    seed: int = 0,
    prepared: Path | None = None,
    with_clock: bool = False,
    with_model: bool = False,
) -> dict[str, Any]:
    """The report of one run; ``problems`` is what does not hold, ``not_done`` what could not be tried here."""
    told = Told()
    with TemporaryDirectory(prefix="faults-") as folder, disk_of_its_own() as disk, ExitStack() as begun:
        clock, environment = clock_of_its_own(Path(folder)) if with_clock else (None, {})
        model = model_of_its_own(Path(folder), begun) if with_model else None
        modes: tuple[str, ...] = ("extractive",)
        if model is not None:
            modes = ("extractive", "grounded")
            environment |= {"RAG_LLM_URL": model.url, "RAG_LLM_MODEL": model.model}
        with served(database, models, disk, prepared) as (service, postgres):
            if environment:
                service.stop()
                service.environment |= environment
                service.start()
            kinds = kinds_of(service, postgres, disk, clock, model)
            began = time.monotonic()
            with Faults(kinds, every, seed) as faults:
                asyncio.run(apply_load(service.url, users, seconds, told, faulty=True, modes=modes))
            took = time.monotonic() - began
            problems = list(faults.failed)
            if model is not None:
                model.restart()  # it ended with the thread that started it last
            if service.process is None or service.process.poll() is not None:
                problems.append("the service had ended by itself")
                service.start()
            problems += problems_of(service, told)
            if disk is not None:
                problems += refuses_to_start_read_only(service, disk)
                problems += problems_of(service, Told(jobs=told.jobs, deleting=told.deleting, deleted=told.deleted))
    tried = {
        "full and read-only disk": disk,
        "clock jumps": clock,
        "kill of vLLM": model,
        "faults of PostgreSQL": postgres,
    }
    return {
        "database": database,
        "users": users,
        "seconds": round(took, 1),
        "faults": dict(faults.done),
        "not_done": [name for name, means in tried.items() if means is None],
        "uploaded": len(told.jobs),
        "deleted": len(told.deleted),
        "answers": len(told.answers),
        "refused": sum(count for (_, status), count in told.statuses.items() if status in DECLARED),
        "kinds": figures(told, took),
        "memory": {"mib": 0.0, "mib_per_minute": 0.0, "part": 0.0},
        "problems": problems,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--database", choices=("sqlite", "postgresql"), default="sqlite")
    parser.add_argument("--users", type=int, default=8)
    parser.add_argument("--seconds", type=float, default=60)
    parser.add_argument("--every", type=float, default=8, help="seconds between two faults, on average")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--clock", action="store_true", help="let the service's clock jump; slows it down")
    parser.add_argument("--llm", action="store_true", help="let vLLM write half of the answers, and kill it")
    parser.add_argument("--home", type=Path, default=Path("data"), help="whose prepared model is used")
    parser.add_argument("--out", type=Path, help="file for the report as JSON")
    arguments = parser.parse_args()
    models = arguments.home / "models"
    load = arguments.database, arguments.users, arguments.seconds
    report = measure(
        *load, models, arguments.every, arguments.seed, with_clock=arguments.clock, with_model=arguments.llm
    )
    done = ", ".join(f"{kind} {count} times" for kind, count in report["faults"].items())
    print(f"{done or 'no fault'}; not done: {', '.join(report['not_done']) or 'none'}")
    print(table(report))
    if arguments.out:
        arguments.out.write_text(json.dumps(report, indent=1), encoding="utf-8")
    sys.exit(1 if report["problems"] else 0)


if __name__ == "__main__":
    main()
