"""The product's own servers, started as a person starts them: `python -m regsys …`."""

import os
import signal
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TypeVar

import psutil
from flask import Flask
from werkzeug.serving import WSGIRequestHandler, make_server

from tests.support import needs
from tests.support.ports import free_port

START_SECONDS = 60.0
STOP_SECONDS = 20.0
CHECKOUT = (sys.executable, "-m", "regsys")
T = TypeVar("T")


class Server:
    """One `regsys run` or `regsys serve` with its children; the sandbox, if any, is on port + 1."""

    def __init__(
        self,
        command: str,
        data: Path,
        port: int,
        env: Mapping[str, str],
        *,
        program: Sequence[str] = CHECKOUT,
        cwd: Path = needs.ROOT,
    ) -> None:
        self.command, self.data, self.port, self.env = command, data, port, dict(env)
        self.program, self.cwd = program, cwd
        self.log_path = data.parent / f"{data.name}-{command}-{port}.log"
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def sandbox_url(self) -> str:
        return f"http://127.0.0.1:{self.port + 1}"

    def start(self, *, wait: bool = True) -> "Server":
        """Start, and wait until /readyz says yes."""
        arguments = [*self.program, self.command]
        arguments += ["--port", str(self.port), "--data", str(self.data)]
        self.data.parent.mkdir(parents=True, exist_ok=True)
        with open(self.log_path, "ab") as log:
            self.process = subprocess.Popen(
                arguments,
                cwd=self.cwd,
                env=self.env,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        if wait:
            self.wait_ready()
        return self

    def wait_ready(self, *, seconds: float = START_SECONDS) -> None:
        """Return when /readyz answers 200; fail with the log when it does not in time."""
        wait_until(self._is_ready_or_dead, seconds=seconds, what=f"{self.url}/readyz", of=self)
        if not self.is_alive():
            raise AssertionError(f"regsys {self.command} ended at once:\n{self.log()}")

    def _is_ready_or_dead(self) -> bool:
        return not self.is_alive() or status_of(f"{self.url}/readyz") == 200

    def is_alive(self) -> bool:
        """Tell whether the supervisor runs."""
        return self.process is not None and self.process.poll() is None

    def log(self) -> str:
        """Return what all of its processes have printed so far."""
        return self.log_path.read_text(errors="replace") if self.log_path.exists() else ""

    def processes(self) -> list[psutil.Process]:
        """List the living processes below the supervisor."""
        if self.process is None or not psutil.pid_exists(self.process.pid):
            return []
        below = psutil.Process(self.process.pid).children(recursive=True)
        return [p for p in below if p.is_running() and p.status() != psutil.STATUS_ZOMBIE]

    def find(self, word: str) -> list[psutil.Process]:
        """List the processes whose command line holds the word; "worker": the one of gunicorn's that runs the jobs."""
        found = []
        for process in self.processes():
            try:
                own = "worker" if process.name() == "regsys-worker" else None
                if own == word or (not own and any(word in part for part in process.cmdline())):
                    found.append(process)
            except psutil.NoSuchProcess:
                continue
        return found

    def kill(self, word: str) -> list[int]:
        """SIGKILL these processes and return their ids."""
        victims = self.find(word)
        for process in victims:
            process.kill()
        return [p.pid for p in victims]

    def kill_all(self) -> None:
        """SIGKILL the supervisor and everything below it, as a power cut would."""
        victims = self.processes()
        if self.process is not None:
            self.process.kill()
            self.process.wait(STOP_SECONDS)
        for process in victims:
            if process.is_running():
                process.kill()
        psutil.wait_procs(victims, STOP_SECONDS)

    def stop(self, *, by: signal.Signals = signal.SIGTERM) -> int:
        """End it as a person would, and return its exit code; fail if a process is left behind."""
        if self.process is None:
            return 0
        below = self.processes()
        if self.is_alive():
            self.process.send_signal(by)
        try:
            code = self.process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill_all()
            raise AssertionError(f"regsys {self.command} did not stop:\n{self.log()}") from None
        _, left = psutil.wait_procs(below, 5)
        for process in left:
            process.kill()
        assert not left, f"left behind by regsys {self.command}: {left}"
        return code


@contextmanager
def serving(app: Flask) -> Iterator[str]:
    """Serve an app of this process from a thread, and return its address: for a browser on a frozen clock."""
    server = make_server("127.0.0.1", free_port(), app, threaded=True, request_handler=_Quiet)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join(10)
        server.server_close()


class _Quiet(WSGIRequestHandler):
    """Keeps its access log to itself."""

    def log(self, type: str, message: str, *args: object) -> None:
        pass


def clean_environment(home: Path, **more: str) -> dict[str, str]:
    """Return an environment without any setting of ours, and with an empty HOME."""
    home.mkdir(parents=True, exist_ok=True)
    kept = {k: v for k, v in os.environ.items() if k in ("PATH", "LANG", "LC_ALL", "TMPDIR")}
    return {**kept, "HOME": str(home), "PYTHONUNBUFFERED": "1", **more}


@contextmanager
def running(command: str, folder: Path, *, port: int = 0, **settings: str) -> Iterator[Server]:
    """Run `regsys run` or `serve` on a fresh data folder; settings are names without REGSYS_."""
    env = clean_environment(
        folder / "home", **{f"REGSYS_{name}": value for name, value in settings.items()}
    )
    server = Server(command, folder / "data", port or free_port(span=2), env)
    try:
        yield server.start()
        server.stop()
    finally:
        server.kill_all()


def run_command(
    *arguments: str, folder: Path, check: bool = True, **settings: str
) -> "subprocess.CompletedProcess[str]":
    """Run `python -m regsys ARGUMENTS` to its end, on the data folder in `folder`."""
    env = clean_environment(
        folder / "home",
        REGSYS_DATA_DIR=str(folder / "data"),
        **{f"REGSYS_{name}": value for name, value in settings.items()},
    )
    done = subprocess.run(
        [sys.executable, "-m", "regsys", *arguments],
        cwd=needs.ROOT, env=env, stdin=subprocess.DEVNULL, capture_output=True, text=True,
        timeout=120,
    )  # fmt: skip
    if check and done.returncode:
        raise AssertionError(f"regsys {' '.join(arguments)} failed:\n{done.stdout}{done.stderr}")
    return done


def status_of(url: str) -> int:
    """Return the status of a GET, or 0 if nobody listens."""
    try:
        with urllib.request.urlopen(url, timeout=5) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as e:
        e.close()
        return e.code
    except OSError:
        return 0


def wait_until(
    question: Callable[[], T], *, seconds: float, what: str, of: Server | None = None
) -> T:
    """Ask until the answer is true, and return it; fail with the server's log when time is up."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if answer := question():
            return answer
        time.sleep(0.05)
    log = f"\n{of.log()[-4000:]}" if of else ""
    raise AssertionError(f"waited {seconds:.0f} s in vain for {what}{log}")
