"""From the command to the first answer, on a database that is migrated."""

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

from bench.stage import Stage
from bench.table import Row
from tests.support.servers import Server, clean_environment

AIM = 1.5


@contextmanager
def _started(stage: Stage) -> Iterator[Server]:
    env = clean_environment(
        stage.folder / "home", **{f"REGSYS_{name}": value for name, value in stage.known.items()}
    )
    server = Server("serve", stage.data, stage.port, env)
    try:
        yield server.start(wait=False)
        server.wait_ready()
        server.stop()
    finally:
        server.kill_all()


def measure(stage: Stage, *, times: int) -> list[Row]:
    """Return the median time to the first page, after one start that does not count."""
    seconds = [_start(stage) for _ in range(times + 1)][1:]
    note = f"{min(seconds):.2f} to {max(seconds):.2f} s in {times} starts"
    return [Row("start to the first answer (home page)", median(seconds), "s", AIM, "≤", note)]


def _start(stage: Stage) -> float:
    begin = time.perf_counter()
    with _started(stage):
        while not _answers(stage.port):
            assert time.perf_counter() - begin < 60, "it does not start"
            time.sleep(0.005)
        return time.perf_counter() - begin


def _answers(port: int) -> bool:
    """Ask for the home page. Once the port is open, the question waits there until it is answered."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=30) as s:
            s.sendall(b"GET / HTTP/1.0\r\nHost: localhost\r\n\r\n")
            return b" 200 " in s.recv(64)
    except OSError:
        return False
