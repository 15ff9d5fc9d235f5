"""Complete registrations a second (page, form, placed, paid, settled) against what the database can durably commit."""

import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median

import psycopg

from bench.stage import Stage, forget, pss
from bench.table import Row
from regsys.kernel import clock
from regsys.kernel.db import Base
from tests.sandbox.control import running_sandbox
from tests.support import rawsql
from tests.support.crowd import Crowd, kinds
from tests.support.fair import Fair, open_fair
from tests.support.ports import free_port
from tests.support.servers import Server

PRICE = 4500
LARGEST_TREE = 300.0
# What keeps the house, and is no part of a registration.
NOT_COUNTED = {"alembic_version", "rate_count"}


class Memory:
    """Watches the process tree while something goes on, and remembers the most that it took."""

    def __init__(self, server: Server) -> None:
        self.server, self.most = server, 0.0
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._watch)

    def _watch(self) -> None:
        while not self._end.wait(0.5):
            self.most = max(self.most, pss(self.server))

    def __enter__(self) -> "Memory":
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._end.set()
        self._thread.join()


@contextmanager
def open_shop(stage: Stage) -> Iterator[tuple[Server, Fair]]:
    """Serve an event that costs something, with Stripe's stand-in beside it."""
    port = free_port()
    stage.known["STRIPE_API_BASE"] = f"http://127.0.0.1:{port}"
    app = stage.app()
    with app.app_context():
        fair = open_fair(places=5000, price=PRICE, now=clock.now())
    forget(app)
    known = {
        "api_key": stage.known["STRIPE_SECRET_KEY"],
        "webhook_secret": stage.known["STRIPE_WEBHOOK_SECRET"],
        "port": port,
    }
    with running_sandbox(stage.data, f"{stage.known['BASE_URL']}/webhooks/stripe", **known):
        with stage.serving() as server:
            yield server, fair


def measure(stage: Stage, name: str, *, rounds: int, buyers: int) -> tuple[list[Row], float]:
    """Return the rates on one database, and the most memory that the tree took meanwhile, in MB."""
    with open_shop(stage) as (server, fair):
        _round(server, fair, buyers=8, first=0)
        before = _count_rows(stage.raw_url)
        with Memory(server) as memory:
            rates = [
                _round(server, fair, buyers=buyers, first=1000 * (i + 1)) for i in range(rounds)
            ]
        _settle_down(stage.raw_url)
        after = _count_rows(stage.raw_url)
    done = rounds * buyers
    confirmed = rawsql.states(stage.raw_url, fair.event_id)["confirmed"]
    assert confirmed == done + 8, confirmed
    written = {t: -(-(after[t] - before[t]) // done) for t in after if after[t] > before[t]}
    commits = _commit_rate(stage.raw_url, written)
    rate = median(rates)
    rows = sum(written.values())
    return [
        Row(f"{name}: registrations a second", rate, "/s", note=_spread(rates)),
        Row(
            f"{name}: commits a second of the same {rows} rows", commits, "/s",
            note=", ".join(f"{n} {t}" for t, n in sorted(written.items())),
        ),
        Row(f"{name}: ratio", rate / commits, "of commits"),
    ], memory.most  # fmt: skip


def _spread(rates: list[float]) -> str:
    return f"spread {(max(rates) - min(rates)) / median(rates):.0%}"


def _round(server: Server, fair: Fair, *, buyers: int, first: int) -> float:
    crowd = Crowd(
        server.url, [fair.slug], buyers=buyers, processes=2, at_once=4, first=first, head_start=1.0
    )
    begin = time.monotonic() + 1.0
    outcomes = crowd.wait(180)
    elapsed = time.monotonic() - begin
    assert kinds(outcomes) == {"placed": buyers}, (kinds(outcomes), outcomes[:2])
    return buyers / elapsed


def _settle_down(url: str) -> None:
    """Wait until the letters are out, so that their rows are counted too."""
    end = time.monotonic() + 60
    query = "SELECT count(*) FROM message WHERE state IN ('queued', 'sending')"
    while rawsql.number(url, query) and time.monotonic() < end:
        time.sleep(0.2)


def _count_rows(url: str) -> dict[str, int]:
    tables = [t.name for t in Base.metadata.sorted_tables if t.name not in NOT_COUNTED]
    return {t: rawsql.number(url, f'SELECT count(*) FROM "{t}"') for t in tables}


def _commit_rate(url: str, written: dict[str, int], *, seconds: float = 2.0) -> float:
    """Return how often a second the last rows of a registration can be written and durably committed, all at once."""
    connection = _connect(url)
    try:
        for table, n in written.items():
            connection.execute(
                f'CREATE TABLE bench_from_{table} AS SELECT * FROM "{table}" LIMIT {n}'
            )
            connection.execute(f'CREATE TABLE bench_to_{table} AS SELECT * FROM "{table}" LIMIT 0')
        _write(connection, written, 0.5)
        return median(_write(connection, written, seconds) for _ in range(3))
    finally:
        connection.close()


def _connect(url: str) -> "sqlite3.Connection | psycopg.Connection":
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), isolation_level=None)
        connection.execute("PRAGMA synchronous = FULL")
        return connection
    return psycopg.connect(url.replace("+psycopg", ""), autocommit=True)


def _write(
    connection: "sqlite3.Connection | psycopg.Connection",
    written: dict[str, int],
    seconds: float,
) -> float:
    count, begin = 0, time.perf_counter()
    while time.perf_counter() - begin < seconds:
        connection.execute("BEGIN")
        for table in written:
            connection.execute(f"INSERT INTO bench_to_{table} SELECT * FROM bench_from_{table}")
        connection.execute("COMMIT")
        count += 1
    return count / (time.perf_counter() - begin)
