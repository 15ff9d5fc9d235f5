"""From the command to the first answer, on a database that is migrated."""

import socket
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from statistics import median

from bench.pages import bare_server
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
    """Return the median times to the first page, beside those of a bare Flask page; the first start does not count."""
    rounds = [(_start(stage), _start_bare(stage)) for _ in range(times + 1)][1:]
    own, bare = zip(*rounds, strict=True)
    return [
        Row("start to the first answer (home page)", median(own), "s", AIM, "≤", _span(own)),
        Row("the same of a bare Flask page behind gunicorn", median(bare), "s", note=_span(bare)),
    ]


def _span(seconds: Sequence[float]) -> str:
    return f"{min(seconds):.2f} to {max(seconds):.2f} s in {len(seconds)} starts"


def _start_bare(stage: Stage) -> float:
    begin = time.perf_counter()
    with bare_server(b"<p>Hello", stage.folder, workers=2, threads=4):
        return time.perf_counter() - begin


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
