"""The database: one Base, one unit of work, one way to lock; the same code on SQLite and PostgreSQL."""

import fcntl
import os
import sqlite3
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from importlib import import_module
from typing import Any, TypeVar

from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import ColumnElement, DateTime, Engine, MetaData, event, select, text
from sqlalchemy.engine import Connection, Dialect
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from regsys.kernel.errors import Busy, DatabaseAway, OutOfRoom, RegsysError

LOCK_SECONDS = 3.0
BUSY_SENTENCE = "Many people are booking at this moment. Nothing was booked; please try again."
FULL_SENTENCE = "The disk is full, so nothing could be written down. Nothing was changed."
AWAY_SENTENCE = "The database does not answer."

NAMES = {
    "ix": "ix_%(table_name)s_%(column_0_N_name)s",
    "uq": "uq_%(table_name)s_%(column_0_N_name)s",
    "ck": "ck_%(table_name)s_%(constraint_name)s",
    "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
    "pk": "pk_%(table_name)s",
}


class Base(DeclarativeBase):
    """Base of every table; subclass it with an explicit `__tablename__`."""

    metadata = MetaData(naming_convention=NAMES)


db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

Row = TypeVar("Row", bound=Base)


class UtcDateTime(TypeDecorator[datetime]):
    """A moment: aware in Python, UTC in the database; naive values are refused."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a naive datetime has no place in the database")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def in_transaction() -> bool:
    """Tell whether a door's transaction is open here: then nothing may cross the network."""
    return bool(db.session.registry.has() and db.session().info.get("door"))


def forbid_in_transaction(what: str) -> None:
    """Raise RuntimeError where a network call would hold locks; also end a read transaction."""
    if in_transaction():
        raise RuntimeError(f"{what} crosses the network and may not run inside a transaction")
    if db.session.registry.has():
        db.session().rollback()


@contextmanager
def transaction() -> Iterator[Session]:
    """Open the unit of work: commit on return, roll back on any exception.

    Only doors call this. It takes SQLite's write lock at once, waits three seconds at most for any lock and then
    raises Busy; where the disk is full it raises OutOfRoom, where nobody answers DatabaseAway. It starts on fresh
    ground: whatever was loaded before is read again.
    """
    session = db.session()
    if session.info.get("door"):
        raise RuntimeError("transaction() does not nest: a door calls one verb")
    if session.new or session.dirty or session.deleted:
        raise RuntimeError(
            "transaction() starts with a clean session: something was changed outside of one"
        )
    session.rollback()
    session.expire_all()
    session.info["door"] = True
    session.info["locked"] = set()
    try:
        connection = session.connection(execution_options={"sqlite_begin": "BEGIN IMMEDIATE"})
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS:.0f}s'"))
        yield session
        session.commit()
    except OperationalError as e:
        session.rollback()
        known = name_failure(e)
        if known:
            raise known from e
        raise
    except BaseException:
        session.rollback()
        raise
    finally:
        session.info.pop("door", None)
        session.info.pop("locked", None)


def name_failure(e: OperationalError) -> RegsysError | None:
    """Return the expected error that a failure of the database is, if it is one."""
    if _is_lock_failure(e):
        return Busy(BUSY_SENTENCE)
    if _is_out_of_room(e):
        return OutOfRoom(FULL_SENTENCE)
    return DatabaseAway(AWAY_SENTENCE) if _is_away(e) else None


def _is_away(e: OperationalError) -> bool:
    if isinstance(e.orig, sqlite3.Error):
        return getattr(e.orig, "sqlite_errorcode", 0) == sqlite3.SQLITE_CANTOPEN
    # No code at all: the connection itself failed. 08…: connection exceptions, 57P0…: it is shut down or starts,
    # 53300: it takes no more connections.
    code = getattr(e.orig, "sqlstate", None)
    return code is None or code.startswith(("08", "57P0")) or code == "53300"


def _is_lock_failure(e: OperationalError) -> bool:
    # 55P03 lock_not_available, 40P01 deadlock_detected, 40001 serialization_failure
    if getattr(e.orig, "sqlstate", None) in {"55P03", "40P01", "40001"}:
        return True
    return "database is locked" in str(e.orig)


def _is_out_of_room(e: OperationalError) -> bool:
    # 53100 disk_full; SQLite calls a quota that is used up an I/O error.
    if getattr(e.orig, "sqlstate", None) == "53100":
        return True
    code = getattr(e.orig, "sqlite_errorcode", 0)
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR_WRITE)


def lock_rows(model: type[Row], ids: Sequence[int]) -> list[Row]:
    """Lock rows in ascending id and return them freshly read; missing ids are left out.

    House law: lock once per transaction, in one order (order, then pools), before you count.
    """
    return lock_where(model, model.__mapper__.primary_key[0].in_(ids))


def lock_where(model: type[Row], wanted: ColumnElement[bool]) -> list[Row]:
    """Lock the rows that are wanted, as `lock_rows` does."""
    key = model.__mapper__.primary_key[0]
    query = select(model).where(wanted).order_by(key).with_for_update()
    rows = list(db.session.scalars(query, execution_options={"populate_existing": True}))
    note_lock(*rows)
    return rows


def note_lock(*rows: Base) -> None:
    """Remember, to the end of this transaction, that these rows are locked."""
    locked = db.session().info.get("locked", set())
    locked.update((type(row), *row.__mapper__.primary_key_from_instance(row)) for row in rows)


def this_transaction() -> object | None:
    """Return what is the same to the end of a door's transaction, and never again; None outside of one."""
    return db.session().info.get("locked")


def has_lock(model: type[Base], row_id: object) -> bool:
    """Tell whether this transaction holds the row already: then whoever reads it afresh need not lock it again.

    On SQLite it always does: the whole database was locked when it began.
    """
    session = db.session()
    if session.info.get("door") and session.connection().dialect.name == "sqlite":
        return True
    return (model, row_id) in session.info.get("locked", ())


def insert_new(model: type[Row], values: Mapping[str, Any]) -> Row | None:
    """Insert a row and return it; None where one with the same unique values was there: then nothing is done."""
    row = inserting(model).values(**values).on_conflict_do_nothing().returning(model)
    made: Row | None = db.session.scalar(row)
    return made


def inserting(model: type[Base]) -> Any:
    """Return this database's own INSERT, which knows ON CONFLICT; the other one's dialect is never loaded."""
    return import_module(f"sqlalchemy.dialects.{db.engine.dialect.name}").insert(model)


class _WriteLock:
    """One flock per connection: SQLite's own waiting is unfair (worst wait 1.55 s against 55 ms)."""

    def __init__(self, path: str) -> None:
        self.fd = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)

    def take(self) -> None:
        end = time.monotonic() + LOCK_SECONDS
        while True:
            try:
                return fcntl.flock(self.fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except OSError:
                if time.monotonic() > end:
                    raise Busy(BUSY_SENTENCE) from None
                time.sleep(0.002)

    def free(self) -> None:
        fcntl.flock(self.fd, fcntl.LOCK_UN)


def prepare_engine(engine: Engine) -> None:
    """Attach what each database needs: pragmas, BEGIN IMMEDIATE and the fair lock on SQLite."""
    if engine.dialect.name != "sqlite":
        return
    path = engine.url.database or ""
    event.listen(engine, "connect", _on_sqlite_connect)
    event.listen(engine, "begin", lambda connection: _on_sqlite_begin(connection, path))
    event.listen(engine, "checkin", _on_sqlite_checkin)
    event.listen(engine, "close", _on_sqlite_close)


def _on_sqlite_connect(dbapi: Any, record: Any) -> None:
    dbapi.isolation_level = None  # we say BEGIN ourselves
    cursor = dbapi.cursor()
    for pragma in (
        f"busy_timeout={int(LOCK_SECONDS * 1000)}",
        "journal_mode=WAL",
        "foreign_keys=ON",
        "synchronous=FULL",  # this is money
    ):
        cursor.execute(f"PRAGMA {pragma}").fetchall()
    cursor.close()


def _on_sqlite_begin(connection: Connection, path: str) -> None:
    begin = connection.get_execution_options().get("sqlite_begin", "BEGIN")
    if begin == "BEGIN IMMEDIATE":
        info = connection.info
        if "write_lock" not in info:
            info["write_lock"] = _WriteLock(path + ".writelock")
        info["write_lock"].take()
    try:
        connection.exec_driver_sql(begin)
    except BaseException:
        if "write_lock" in connection.info:
            connection.info["write_lock"].free()
        raise


def _on_sqlite_checkin(dbapi: Any, record: Any) -> None:
    if "write_lock" in record.info:
        record.info["write_lock"].free()


def _on_sqlite_close(dbapi: Any, record: Any) -> None:
    lock = record.info.pop("write_lock", None)
    if lock:
        os.close(lock.fd)


def engine_options(url: str) -> dict[str, Any]:
    """Return SQLAlchemy's engine options for this database; an error must not carry private answers into the log."""
    if url.startswith("sqlite"):
        return {
            "pool_size": 16,
            "hide_parameters": True,
            "connect_args": {"timeout": LOCK_SECONDS},
        }
    return {
        "pool_size": 8,
        "hide_parameters": True,
        "pool_pre_ping": True,
        "connect_args": {
            "connect_timeout": 5,
            "options": "-c statement_timeout=15000 -c idle_in_transaction_session_timeout=30000",
        },
    }
