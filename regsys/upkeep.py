"""Copies of the database."""

import os
import sqlite3
from contextlib import closing
from pathlib import Path

from regsys.kernel import clock
from regsys.kernel.settings import Settings
from regsys.launch import CannotStart


def backup(settings: Settings, to: Path | None) -> tuple[Path, int]:
    """Copy a live SQLite file by SQLite's own online backup; return the copy and its size in bytes."""
    url = settings.database_url
    if not url.startswith("sqlite:///"):
        raise CannotStart(
            "PostgreSQL has its own tool: pg_dump --format=custom --file=regsys.dump URL"
        )
    source = Path(url.removeprefix("sqlite:///"))
    if not source.exists():
        raise CannotStart(f"There is no database at {source}; is REGSYS_DATA_DIR right?")
    target = to or settings.DATA_DIR / "backups" / f"regsys-{clock.now():%Y%m%d-%H%M%S}.sqlite"
    target.parent.mkdir(parents=True, exist_ok=True)
    half = target.with_name(target.name + ".part")
    os.close(os.open(half, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600))
    with closing(sqlite3.connect(source)) as live, closing(sqlite3.connect(half)) as copy:
        live.backup(copy)
        (verdict,) = copy.execute("PRAGMA integrity_check").fetchone()
    if verdict != "ok":
        raise CannotStart(f"The copy is damaged ({verdict}); it is kept as {half}.")
    os.replace(half, target)
    return target, target.stat().st_size
