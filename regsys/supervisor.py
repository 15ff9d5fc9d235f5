"""One small process over its children: it starts them, starts them again when they die, and stops them together.

It imports nothing of the product, so that it stays small. Children that outlive it would hold its port and its
database, so the kernel is asked to end them with it (Linux; elsewhere they stay until they are stopped).
"""

import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

STOP_SECONDS = 8.0
LONG_LIFE = 30.0
LONGEST_WAIT = 15.0
SLOWEST_RESTART = 10.0
PATIENCE_AT_START = 4
BAD_SETTINGS = 2
_PR_SET_PDEATHSIG = 1
_PR_SET_NAME = 15


@dataclass
class Child:
    """A process to keep alive.

    `waits`: it begins when the service answers, so that the first answer has the processor to itself.
    """

    name: str
    command: Sequence[str]
    env: Mapping[str, str]
    pass_fds: Sequence[int] = ()
    waits: bool = False
    process: "subprocess.Popen[bytes] | None" = None
    started: float = 0.0
    failures: int = 0
    start_at: float = field(default_factory=time.monotonic)

    @property
    def is_alive(self) -> bool:
        return self.process is not None and self.process.poll() is None


def die_with_parent(number: signal.Signals) -> Callable[[], None]:
    """Return what a child runs first, so that it gets the signal when its parent dies."""
    parent = os.getpid()
    libc = ctypes.CDLL(None) if sys.platform == "linux" else None

    def ask_the_kernel() -> None:
        if libc is not None:
            libc.prctl(_PR_SET_PDEATHSIG, int(number))
            if os.getppid() != parent:  # it died before we asked
                os._exit(1)

    return ask_the_kernel


def name_process(name: str) -> None:
    """Give this process a name of at most 15 letters, for ps and top (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_NAME, name.encode()[:15], 0, 0, 0)


class Supervisor:
    """Keeps children alive until SIGTERM, SIGINT or SIGHUP; `ask` tells whether the service answers."""

    def __init__(
        self, children: Sequence[Child], ask: Callable[[], bool], on_ready: Callable[[], None]
    ) -> None:
        self.children, self.ask, self.on_ready = list(children), ask, on_ready
        self.began = time.monotonic()
        self.stopping = False
        self.is_ready = False
        self.code = 0

    def run(self) -> int:
        """Return the exit code when everything has stopped."""
        reader, writer = os.pipe()
        os.set_blocking(writer, False)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            signal.signal(number, self._on_stop)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            while not self.stopping:
                self._tend()
                if select.select([reader], [], [], self._pause())[0]:
                    os.read(reader, 64)
        finally:
            self._stop_all()
        return self.code

    def _on_stop(self, *_: object) -> None:
        self.stopping = True

    def _pause(self) -> float:
        """Return for how many seconds nothing is to be done."""
        waiting = [c.start_at - time.monotonic() for c in self.children if not c.is_alive]
        return max(0.0, min([*waiting, 1.0 if self.is_ready else 0.03]))

    def _tend(self) -> None:
        for child in self.children:
            if child.process is not None and not child.is_alive:
                self._bury(child, child.process)
            if child.process is None and self._may_start(child) and not self.stopping:
                self._start(child)
        if not self.is_ready and not self.stopping and self.ask():
            self.is_ready = True
            self._tend()
            self.on_ready()

    def _may_start(self, child: Child) -> bool:
        now = time.monotonic()
        if child.waits and not self.is_ready and now < self.began + LONGEST_WAIT:
            return False
        return child.start_at <= now

    def _start(self, child: Child) -> None:
        child.started = time.monotonic()
        child.process = subprocess.Popen(
            child.command,
            env=dict(child.env),
            stdin=subprocess.DEVNULL,
            pass_fds=tuple(child.pass_fds),
            # A group of its own: Ctrl-C reaches us alone, and we stop the children in order.
            process_group=0,
            preexec_fn=die_with_parent(signal.SIGKILL),
        )

    def _bury(self, child: Child, process: "subprocess.Popen[bytes]") -> None:
        """Plan the next start of a child that has died; before the first answer, give up after some tries."""
        code, child.process = process.returncode, None
        lived = time.monotonic() - child.started
        child.failures = 1 if lived > LONG_LIFE else child.failures + 1
        wait = min(SLOWEST_RESTART, 0.1 * 2 ** (child.failures - 1))
        child.start_at = time.monotonic() + wait
        gave_up = not self.is_ready and child.failures >= PATIENCE_AT_START
        if code == BAD_SETTINGS or gave_up:
            self._say(f"the {child.name} does not start.")
            self.code = BAD_SETTINGS if code == BAD_SETTINGS else 1
            self.stopping = True
            return
        how = f"by signal {-code}" if code < 0 else f"with code {code}"
        self._say(f"the {child.name} ended {how} and starts again in {wait:.1f} s.")

    def _say(self, what: str) -> None:
        print(f"regsys: {what}", file=sys.stderr, flush=True)

    def _stop_all(self) -> None:
        """Ask every child to end, and end those that do not."""
        for child in self.children:
            _signal(child, signal.SIGTERM)
        end = time.monotonic() + STOP_SECONDS
        while any(c.is_alive for c in self.children) and time.monotonic() < end:
            time.sleep(0.02)
        for child in self.children:
            _signal(child, signal.SIGKILL)
            if child.process is not None:
                child.process.wait()


def _signal(child: Child, number: signal.Signals) -> None:
    """SIGTERM goes to the child; SIGKILL to its whole group, for whatever it has left behind."""
    if child.process is None:
        return
    try:
        if number == signal.SIGKILL:
            os.killpg(child.process.pid, number)
        elif child.is_alive:
            child.process.send_signal(number)
    except ProcessLookupError:
        pass
