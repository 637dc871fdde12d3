"""A real vLLM as a process of its own, to talk to, to kill and to hang."""

import os
import signal
import socket
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import httpx

PROJECT = Path(__file__).parent.parent
INSTALLED = PROJECT / ".venv-vllm" / "installed"
NOT_INSTALLED = "needs vLLM: make llm-install"
SERVE = PROJECT / "deploy" / "llm" / "serve.sh"
READY_WITHIN_S = 240
STOPS_WITHIN_S = 20


def first_core() -> str:
    """One core for vLLM, so that the tests and the service have the others."""
    return str(min(os.sched_getaffinity(0)))


class VllmServer:
    """vLLM on a free port, which it keeps over restarts. Ready when this returns; used in ``with``, gone afterwards.

    ``model`` is a folder that ``make llm-install`` prepared, and the name to ask for. ``cores`` are those it computes
    on, as in ``0-1``. ``log`` receives what it says, all runs one after another.
    """

    def __init__(self, log: Path, *arguments: str, model: str = "smollm2", cores: str | None = None) -> None:
        with socket.socket() as listening:
            listening.bind(("127.0.0.1", 0))
            self.port: int = listening.getsockname()[1]
        self.root = f"http://127.0.0.1:{self.port}"
        self.url = f"{self.root}/v1"
        self.model, self.log = model, log
        self._arguments, self._cores = arguments, cores or first_core()
        self._process: subprocess.Popen[bytes] | None = None
        self.start()

    def __enter__(self) -> "VllmServer":
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def start(self) -> None:
        """Begins a process group of its own, which ends with the thread that started it, however that ends."""
        assert self._process is None
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                ["setpriv", "--pdeathsig", "TERM", SERVE, self.model, str(self.port), *self._arguments],
                env={**os.environ, "VLLM_CPU_OMP_THREADS_BIND": self._cores},
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            self._wait_until_ready()
        except BaseException:
            self.kill()
            raise

    def _wait_until_ready(self) -> None:
        assert self._process is not None
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline and self._process.poll() is None:
            if self.is_healthy():
                return
            time.sleep(0.2)
        raise AssertionError(f"vLLM did not become ready:\n{self.log.read_text(errors='replace')[-4000:]}")

    def is_healthy(self) -> bool:
        try:
            return httpx.get(f"{self.root}/health", timeout=2).status_code == 200
        except httpx.TransportError:
            return False

    def stop(self) -> None:
        """Ends it as an operator would, and by force what is left of it."""
        if self._process is None:
            return
        self.resume()
        self._process.terminate()
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOPS_WITHIN_S)
        self.kill()

    def kill(self) -> None:
        """Server, engine and workers die at once, as when memory runs out."""
        if self._process is None:
            return
        self._signal(signal.SIGKILL)
        self._process.wait()
        self._process = None

    def restart(self) -> None:
        """On the same port; takes as long as the first start."""
        self.stop()
        self.start()

    def pause(self) -> None:
        """It accepts connections and answers nothing, until ``resume``."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self._process is not None
        with suppress(ProcessLookupError):  # all have ended
            os.killpg(self._process.pid, number)

    def metric(self, name: str) -> float:
        """The sum of a counter or gauge of ``/metrics`` over its labels."""
        lines = httpx.get(f"{self.root}/metrics", timeout=10).text.splitlines()
        values = [float(line.rsplit(" ", 1)[1]) for line in lines if line.startswith((f"{name}{{", f"{name} "))]
        assert values, f"vLLM has no metric {name}"
        return sum(values)
