"""The database as it stood before an attack: what an attack changed is known to the row, and put back."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import Connection, NullPool, create_engine

from regsys.kernel.db import Base

# Refused requests may write here, and nowhere else.
KEPT_BY_REFUSALS = {
    "rate_count": "counts the tries, the refused ones too",
    "sign_in_session": "remembers when a person was last seen",
}


class Ground:
    """A copy of all tables beside them, on both databases; asks cheaply first whether anybody wrote at all."""

    def __init__(self, url: str, folder: Path) -> None:
        self.engine = create_engine(url, poolclass=NullPool)
        self.is_sqlite = url.startswith("sqlite")
        self.tables = [table.name for table in Base.metadata.sorted_tables]
        self.db = self.engine.connect().execution_options(isolation_level="AUTOCOMMIT")
        self._copy(folder / "keep.sqlite")
        self._mark = self._ask_mark()

    def close(self) -> None:
        """Hang up."""
        self.db.close()
        self.engine.dispose()

    def _copy(self, file: Path) -> None:
        if self.is_sqlite:
            self.db.exec_driver_sql(f"VACUUM INTO '{file}'")
            self.db.exec_driver_sql(f"ATTACH '{file}' AS keep")
            return
        self.db.exec_driver_sql("CREATE SCHEMA keep")
        for name in self.tables:
            self.db.exec_driver_sql(f'CREATE TABLE keep."{name}" AS TABLE public."{name}"')

    def _ask_mark(self) -> object:
        query = (
            "PRAGMA data_version"
            if self.is_sqlite
            else "SELECT pg_snapshot_xmax(pg_current_snapshot())::text"
        )
        return self.db.exec_driver_sql(query).scalar()

    def changed(self) -> set[str]:
        """Return the tables in which any row is another, is new, or is gone."""
        if self._ask_mark() == self._mark:
            return set()
        return {name for name in self.tables if self._differs(name)}

    def _differs(self, name: str) -> bool:
        here, kept, row = f'main."{name}"', f'keep."{name}"', "*"
        if not self.is_sqlite:
            here, row = f'public."{name}" t', "t::text"  # json has no equality there, its text has
            kept += " t"
        one, other = f"SELECT {row} FROM {here}", f"SELECT {row} FROM {kept}"
        query = f"SELECT EXISTS (SELECT * FROM ({one} EXCEPT {other}) a)"
        query += f" OR EXISTS (SELECT * FROM ({other} EXCEPT {one}) b)"
        return bool(self.db.exec_driver_sql(query.replace("%", "%%")).scalar())

    def restore(self, changed: set[str]) -> None:
        """Put the rows of these tables back."""
        if changed:
            with self._unbound() as db:
                for name in changed:
                    table = f'{"main" if self.is_sqlite else "public"}."{name}"'
                    db.exec_driver_sql(f"DELETE FROM {table}")
                    db.exec_driver_sql(f'INSERT INTO {table} SELECT * FROM keep."{name}"')
        self._mark = self._ask_mark()

    @contextmanager
    def _unbound(self) -> Iterator[Connection]:
        """Write without foreign keys and triggers: the rows are put back table by table."""
        off, on = (
            ("PRAGMA foreign_keys=OFF", "PRAGMA foreign_keys=ON")
            if self.is_sqlite
            else ("SET session_replication_role = replica", "SET session_replication_role = origin")
        )
        self.db.exec_driver_sql(off)
        self.db.exec_driver_sql("BEGIN")
        # SQLite cannot switch triggers off: they step aside within the transaction.
        find = "SELECT name, sql FROM main.sqlite_master WHERE type = 'trigger'"
        triggers = self.db.exec_driver_sql(find).all() if self.is_sqlite else []
        for name, _sql in triggers:
            self.db.exec_driver_sql(f'DROP TRIGGER main."{name}"')
        yield self.db
        for _name, sql in triggers:
            self.db.exec_driver_sql(sql)
        self.db.exec_driver_sql("COMMIT")
        self.db.exec_driver_sql(on)
