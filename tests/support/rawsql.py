"""Counting by plain SQL on a connection of its own: races and crashes are not judged by the product's own queries."""

import atexit
import os
import sqlite3
import threading
from collections.abc import Sequence
from typing import Any

import psycopg

Rows = list[tuple[Any, ...]]


def rows(url: str, query: str, *values: object) -> Rows:
    """Return what a query finds; `?` stands for a value on both databases."""
    if url.startswith("sqlite"):
        return _from_sqlite(url, query, values)
    wanted = query.replace("%", "%%").replace("?", "%s") if values else query
    return _lines.to(url).execute(wanted.encode(), values or None).fetchall()


class _Lines:
    """A connection to PostgreSQL for each thread, that stays open: to connect takes ten times as long as to count."""

    def __init__(self) -> None:
        self._open: dict[tuple[int, int], tuple[str, psycopg.Connection[Any]]] = {}

    def to(self, url: str) -> psycopg.Connection[Any]:
        """Return this thread's connection; a new one for another database, or where somebody has cut it."""
        me = (os.getpid(), threading.get_ident())  # a process that was split off has its own
        known, connection = self._open.get(me, ("", None))
        if connection and known == url:
            try:
                return connection.execute("SELECT 1").connection
            except psycopg.OperationalError:
                pass
        if connection:
            connection.close()
        made = psycopg.connect(url.replace("+psycopg", ""), autocommit=True)
        self._open[me] = (url, made)
        return made

    def hang_up(self) -> None:
        """Close what is this process's own."""
        for (process, _), (_, connection) in self._open.items():
            if process == os.getpid():
                connection.close()


_lines = _Lines()
atexit.register(_lines.hang_up)


def _from_sqlite(url: str, query: str, values: Sequence[object]) -> Rows:
    connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10, isolation_level=None)
    try:
        return connection.execute(query, values).fetchall()
    finally:
        connection.close()


def damage(url: str, script: str) -> None:
    """Change rows, or what guards them, as nothing in the product can: foreign keys are not asked."""
    if url.startswith("sqlite"):
        connection = sqlite3.connect(url.removeprefix("sqlite:///"), timeout=10)
        try:
            connection.executescript(script)
        finally:
            connection.close()
        return
    unguarded = "-c session_replication_role=replica"
    plain = url.replace("+psycopg", "")
    with psycopg.connect(plain, autocommit=True, options=unguarded) as connection:
        connection.execute(script.encode())


def number(url: str, query: str, *values: object) -> int:
    """Return the one number that a query finds."""
    return int(rows(url, query, *values)[0][0])


def tallies(url: str, query: str, *values: object) -> dict[Any, int]:
    """Return counts by the first column."""
    return {key: int(count) for key, count in rows(url, query, *values)}


def live_places(url: str, event_id: int) -> list[int]:
    """Return the numbers of the event's places on which a live claim stands, twice where there are two."""
    found = rows(
        url,
        "SELECT c.number FROM claim c JOIN pool p ON p.id = c.pool_id WHERE p.event_id = ?"
        " AND p.kind = 'total' AND c.released_at IS NULL ORDER BY c.number",
        event_id,
    )
    return [n for (n,) in found]


def states(url: str, event_id: int) -> dict[str, int]:
    """Return how many registrations of the event are in each state."""
    return tallies(
        url,
        "SELECT state, count(*) FROM registration WHERE event_id = ? GROUP BY state",
        event_id,
    )
