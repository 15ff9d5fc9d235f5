"""The event page against a bare Flask page of the same bytes, behind the same server with the same numbers."""

import subprocess
import sys
import time
from collections.abc import Iterator
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
# A cookie makes the page this visitor's own: it is rendered for them alone.
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


def measure(stage: Stage, url: str, *, rounds: int, seconds: float) -> list[Row]:
    """Return the page's rates as shares of the bare page's."""
    page = Asker(url).once()
    assert page.status == 200, page
    own = Asker(url, [COOKIE]).once()
    marked = [("If-None-Match", page.headers["etag"])]
    again = Asker(url, marked).once()
    assert again.status == 304, again.status
    known = stage.settings
    with bare_server(
        own.body, stage.folder, workers=known.WEB_WORKERS, threads=known.WEB_THREADS
    ) as bare:
        time.sleep(0.5)
        rates = side_by_side(
            {
                "bare": Asker(bare),
                "rendered": Asker(url, [COOKIE]),
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

    def row(what: str, name: str, aim: float | None) -> Row:
        rate, wide = rates[name]
        said = f"{rate:.0f}/s, spread {wide:.0%}"
        return Row(what, rate / base, "of bare", aim, "≥", said)

    return [
        Row(
            f"a bare Flask page of {size // 1000} KB", base, "pages/s", note=f"spread {spread:.0%}"
        ),
        row("event page, rendered each time", "rendered", UNCACHED),
        row("event page, as a crowd gets it", "kept", None),
        row("event page, revalidated (304)", "304", REVALIDATED),
        row("… with a cookie (rendered, then 304)", "304, with a cookie", None),
    ]
