"""Bringing the database to the newest schema: under a lock, with a backup first on SQLite."""

import fcntl
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from sqlalchemy import Engine, create_engine, text

from regsys.kernel.db import Base, engine_options, prepare_engine
from regsys.kernel.paths import root
from regsys.kernel.revisions import newest as newest
from regsys.kernel.settings import Settings

# Any number will do, as long as every process takes the same one.
ADVISORY_LOCK = 7_246_001


def upgrade(settings: Settings) -> None:
    """Run all migrations that are due; two at once wait for each other."""
    from alembic import command  # slow import
    from alembic.config import Config  # slow import

    settings.DATA_DIR.mkdir(parents=True, exist_ok=True)
    engine = create_engine(settings.database_url, **engine_options(settings.database_url))
    prepare_engine(engine)
    config = Config()
    config.set_main_option("script_location", str(root() / "migrations"))
    config.attributes["metadata"] = Base.metadata
    with _one_at_a_time(engine, settings.DATA_DIR):
        if engine.dialect.name == "sqlite" and head(engine) not in (None, newest()):
            backup(Path(engine.url.database or ""))
        config.attributes["engine"] = engine
        command.upgrade(config, "head")
    engine.dispose()


def backup(path: Path) -> Path:
    """Copy a live SQLite file beside itself by SQLite's own online backup, and return the copy's path."""
    copy = path.with_name(path.name + ".before-upgrade")
    with sqlite3.connect(path) as source, sqlite3.connect(copy) as target:
        source.backup(target)
    return copy


def head(engine: Engine) -> str | None:
    """Return the revision of the database, or None if it is empty."""
    with engine.connect() as connection:
        if not engine.dialect.has_table(connection, "alembic_version"):
            return None
        found: str | None = connection.scalar(text("SELECT version_num FROM alembic_version"))
        return found


@contextmanager
def _file_lock(folder: Path) -> Iterator[None]:
    with open(folder / "upgrade.lock", "w") as f:
        fcntl.flock(f, fcntl.LOCK_EX)
        yield


@contextmanager
def _advisory_lock(engine: Engine) -> Iterator[None]:
    with engine.connect() as connection:
        connection.execute(text(f"SELECT pg_advisory_lock({ADVISORY_LOCK})"))
        connection.commit()
        try:
            yield
        finally:
            connection.execute(text(f"SELECT pg_advisory_unlock({ADVISORY_LOCK})"))
            connection.commit()


@contextmanager
def _one_at_a_time(engine: Engine, folder: Path) -> Iterator[None]:
    with (
        _file_lock(folder),
        _advisory_lock(engine) if engine.dialect.name == "postgresql" else nullcontext(),
    ):
        yield
