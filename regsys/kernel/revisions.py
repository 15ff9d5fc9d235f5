"""Which schema the code knows and the database has; light enough to be asked at every start."""

import sqlite3
from contextlib import closing
from functools import cache
from pathlib import Path

from regsys.kernel.paths import root
from regsys.kernel.settings import Settings


@cache
def newest() -> str:
    """Return the newest revision that this code knows."""
    names = sorted(p.stem for p in (root() / "migrations" / "versions").glob("[0-9]*.py"))
    return names[-1].split("_")[0]


def stored(settings: Settings) -> str | None:
    """Return the revision of the database, or None if it is empty."""
    url = settings.database_url
    if url.startswith("sqlite:///"):
        return _stored_in_file(Path(url.removeprefix("sqlite:///")))
    return _stored_on_server(url)


def _stored_in_file(path: Path) -> str | None:
    if not path.exists():
        return None
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        tables = "SELECT 1 FROM sqlite_master WHERE name = 'alembic_version'"
        if connection.execute(tables).fetchone() is None:
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def _stored_on_server(url: str) -> str | None:
    import psycopg  # slow import

    plain = url.replace("postgresql+psycopg://", "postgresql://", 1)

    with psycopg.connect(plain, connect_timeout=5) as connection:
        if connection.execute("SELECT to_regclass('alembic_version')").fetchone() == (None,):
            return None
        row = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    return str(row[0]) if row else None


def is_up_to_date(settings: Settings) -> bool:
    """Tell whether the database has the newest schema."""
    return stored(settings) == newest()


def is_behind(settings: Settings) -> bool:
    """Tell whether migrations are due; a database that is ahead serves older code as well."""
    found = stored(settings)
    return found is None or found < newest()
