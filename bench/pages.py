"""The event page against a bare Flask page of the same bytes, behind the same server with the same numbers."""

import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.load import Asker, side_by_side
from bench.stage import Stage
from bench.table import Row
from tests.support import needs
from tests.support.ports import free_port
from tests.support.servers import clean_environment, status_of, wait_until

UNCACHED = 0.15
REVALIDATED = 0.7
# A cookie makes the page this visitor's own: what is kept is framed for them alone.
COOKIE = ("Cookie", "bench=1")


@contextmanager
def bare_server(page: bytes, folder: Path, *, workers: int, threads: int) -> Iterator[str]:
    """Serve a bare Flask page with gunicorn, as the product is served."""
    file = folder / "page.html"
    file.write_bytes(page)
    port = free_port()
    command = [sys.executable, "-m", "gunicorn", "-b", f"127.0.0.1:{port}", "-w", str(workers),
               "--threads", str(threads), "-k", "gthread", "--keep-alive", "5", "--preload",
               "--log-level", "error", "--worker-tmp-dir", "/dev/shm", "--no-control-socket",
               "bench.bare:make()"]  # fmt: skip
    env = clean_environment(folder / "home", BENCH_PAGE=str(file))
    process = subprocess.Popen(command, cwd=needs.ROOT, env=env, stdin=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}/"
    try:
        wait_until(lambda: status_of(url) == 200, seconds=20, what=url)
        yield url
    finally:
        process.terminate()
        process.wait(15)


@contextmanager
def change_of(stage: Stage, statement: str) -> Iterator[Callable[[], None]]:
    """Give a function that commits a change to the SQLite file: of no weight to any page, or to events."""
    path = stage.raw_url.removeprefix("sqlite:///")
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    connection.execute("PRAGMA synchronous = OFF")
    connection.execute("CREATE TABLE IF NOT EXISTS bench_change (n INTEGER)")
    connection.execute("INSERT INTO bench_change VALUES (0)")
    try:
        yield lambda: connection.execute(statement) and None
    finally:
        connection.close()


def measure(stage: Stage, url: str, *, rounds: int, seconds: float) -> list[Row]:
    """Return the page's rates as shares of the bare page's."""
    page = Asker(url).once()
    assert page.status == 200, page
    own = Asker(url, [COOKIE]).once()
    marked = [("If-None-Match", page.headers["etag"])]
    again = Asker(url, marked).once()
    assert again.status == 304, again.status
    known = stage.settings
    with (
        bare_server(
            own.body, stage.folder, workers=known.WEB_WORKERS, threads=known.WEB_THREADS
        ) as bare,
        change_of(stage, "UPDATE bench_change SET n = n + 1") as change,
        change_of(stage, "UPDATE event SET version = version + 1") as change_events,
    ):
        time.sleep(0.5)
        rates = side_by_side(
            {
                "bare": Asker(bare),
                "bare, one by one": Asker(bare, connections=1, before=change),
                # The product keeps what it has rendered until somebody commits: so somebody does, before each question.
                "anew": Asker(url, connections=1, before=change_events),
                "unconcerned": Asker(url, connections=1, before=change),
                "framed": Asker(url, [COOKIE]),
                "kept": Asker(url),
                "304": Asker(url, marked),
                "304, with a cookie": Asker(url, [COOKIE, ("If-None-Match", own.headers["etag"])]),
            },
            rounds=rounds,
            seconds=seconds,
        )
    return _rows(rates, len(own.body))


def _rows(rates: dict[str, tuple[float, float]], size: int) -> list[Row]:
    base, spread = rates["bare"]

    def row(what: str, name: str, aim: float | None = None, against: str = "bare") -> Row:
        rate, wide = rates[name]
        said = f"{rate:.0f}/s, spread {wide:.0%}"
        return Row(what, rate / rates[against][0], "of bare", aim, "≥", said)

    return [
        Row(f"a bare Flask page of {size / 1000:.0f} KB", base, "/s", note=f"spread {spread:.0%}"),
        row("event page, made in full (one by one)", "anew", UNCACHED, "bare, one by one"),
        row("… after a commit about something else", "unconcerned", UNCACHED, "bare, one by one"),
        row("event page, framed for one visitor", "framed"),
        row("event page, as a crowd gets it", "kept"),
        row("event page, revalidated (304)", "304", REVALIDATED),
        row("… by a visitor with a cookie", "304, with a cookie"),
    ]
