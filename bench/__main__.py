"""Run all measurements and print their tables: `python -m bench [part …]`.

Parts: pages, visits, registrations, start, statements; all of them without a name. `--quick` measures shorter.
Nothing leaves the loopback, and no process and no file is left behind. Ratios are taken side by side in this run; plain
figures say something about this machine only.
"""

import argparse
import os
import platform
import sqlite3
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

from bench import pages, queries, registrations, starting, visits
from bench.stage import Stage, durable_postgres, load_demo
from bench.table import Row, show
from tests.support.pg import Postgres

Part = Callable[[Path, Postgres | None, bool], Iterator[tuple[str, list[Row]]]]


def main() -> int:
    """Print the tables as they come; the exit code is 0 also where an aim is missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("parts", nargs="*", metavar="part", help=", ".join(PARTS))
    parser.add_argument("--quick", action="store_true", help="shorter rounds, and fewer")
    asked = parser.parse_args()
    if unknown := set(asked.parts) - set(PARTS):
        parser.error(f"no such part: {', '.join(sorted(unknown))}")
    print(f"# Measured: {_shape()}", flush=True)
    missed = []
    with tempfile.TemporaryDirectory(prefix="regsys-bench-") as folder, durable_postgres() as pg:
        for name in asked.parts or PARTS:
            for title, rows in PARTS[name](Path(folder) / name, pg, asked.quick):
                print(show(title, rows), flush=True)
                missed += [row.what for row in rows if row.missed]
    print(f"\nMissed: {'; '.join(missed) or 'nothing'}.")
    return 0


def _shape() -> str:
    """Describe the machine by its shape, not by its name."""
    load = os.getloadavg()[0]
    return (
        f"{os.cpu_count()} cores, load {load:.1f} at the start, Python {platform.python_version()}, "
        f"SQLite {sqlite3.sqlite_version}"
    )


def _pages(folder: Path, pg: Postgres | None, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    stage = Stage(folder)
    slug = load_demo(stage.app())
    with stage.serving() as server:
        url = f"{server.url}/events/{slug}"
        rounds, seconds = (3, 1.0) if quick else (7, 2.0)
        yield "Pages", pages.measure(stage, url, rounds=rounds, seconds=seconds)


def _visits(folder: Path, pg: Postgres | None, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    stage = Stage(folder)
    slug = load_demo(stage.app())
    with stage.serving() as server:
        url = f"{server.url}/events/{slug}"
        yield "First visits", visits.measure(url, rounds=1 if quick else 5)


def _registrations(
    folder: Path, pg: Postgres | None, quick: bool
) -> Iterator[tuple[str, list[Row]]]:
    rounds, buyers = (2, 16) if quick else (5, 40)
    stages = {"SQLite": Stage(folder / "sqlite")}
    if pg is not None:
        stages["PostgreSQL"] = Stage(folder / "postgresql", database_url=pg.create("bench_shop"))
    for name, stage in stages.items():
        rows, most = registrations.measure(stage, name, rounds=rounds, buyers=buyers)
        memory = Row(
            f"{name}: memory of the whole tree (PSS), under load",
            most, "MB", registrations.LARGEST_TREE, "≤",
        )  # fmt: skip
        yield f"Registrations on {name}", [*rows, memory]


def _start(folder: Path, pg: Postgres | None, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    stage = Stage(folder)
    load_demo(stage.app())
    yield "Start", starting.measure(stage, times=3 if quick else 7)


def _statements(folder: Path, pg: Postgres | None, quick: bool) -> Iterator[tuple[str, list[Row]]]:
    yield "Statements of list pages", queries.measure(Stage(folder / "lists"))
    stage = Stage(folder / "registration")
    yield "Statements of a registration", queries.measure_registration(stage)


PARTS: dict[str, Part] = {
    "pages": _pages,
    "visits": _visits,
    "registrations": _registrations,
    "start": _start,
    "statements": _statements,
}

if __name__ == "__main__":
    raise SystemExit(main())
