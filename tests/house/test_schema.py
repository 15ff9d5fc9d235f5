"""Models and migrations say the same on both databases, and the migrations are one chain."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from flask import Flask
from sqlalchemy import Connection, create_engine, text

from regsys.kernel.db import Base
from tests.conftest import Database
from tests.house.laws import schema
from tests.house.tree import Tree

Connect = Callable[[str], Connection]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Return a function that opens a plain connection to a URL, closed afterwards."""
    engines = []

    def open_one(url: str) -> Connection:
        engines.append(create_engine(url.replace("postgresql://", "postgresql+psycopg://")))
        return engines[-1].connect()

    yield open_one
    for engine in engines:
        engine.dispose()


@pytest.fixture
def created(
    database: Database, tmp_path: Path, app: Flask, request: pytest.FixtureRequest
) -> Iterator[str]:
    """Return the URL of a database that create_all() made from the models of the whole app."""
    if database.kind == "sqlite":
        yield f"sqlite:///{tmp_path / 'created.sqlite'}"
        return
    server = request.getfixturevalue("postgres")
    name = f"created_{tmp_path.name}"[:60]
    yield server.create(name)
    server.drop(name)


def create_all(connection: Connection) -> set[str]:
    Base.metadata.create_all(connection)
    return schema.describe(connection)


def test_migrated_and_created_schema_are_the_same(
    database: Database, created: str, connect: Connect
) -> None:
    with connect(database.url) as migrated, connect(created) as fresh:
        described = schema.describe(migrated)
        assert schema.list_differences(described, create_all(fresh)) == []
        assert len(described) > 100


def test_alembic_finds_nothing_to_migrate(database: Database, app: Flask, connect: Connect) -> None:
    with connect(database.url) as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, Base.metadata) == []


@pytest.mark.parametrize("thing", ["check", "index", "partial index", "column", "foreign key"])
def test_a_planted_difference_is_caught(
    thing: str, database: Database, tmp_path: Path, connect: Connect, created: str
) -> None:
    good = """CREATE TABLE house (id INTEGER PRIMARY KEY, name VARCHAR(20) NOT NULL);
        CREATE TABLE room (id INTEGER PRIMARY KEY, beds INTEGER NOT NULL, house_id INTEGER,
          CONSTRAINT ck_room_beds CHECK (beds > 0),
          CONSTRAINT fk_room_house FOREIGN KEY(house_id) REFERENCES house (id));
        CREATE UNIQUE INDEX ix_room ON room (house_id) WHERE beds > 1"""
    old, new = {
        "check": ("CHECK (beds > 0)", "CHECK (beds >= 0)"),
        "index": ("CREATE UNIQUE INDEX", "CREATE INDEX"),
        "partial index": ("WHERE beds > 1", "WHERE beds > 2"),
        "column": ("VARCHAR(20) NOT NULL", "VARCHAR(30) NOT NULL"),
        "foreign key": ("REFERENCES house (id)", "REFERENCES house (id) ON DELETE CASCADE"),
    }[thing]
    other = connect(created)
    seen = []
    for script in (good, good.replace(old, new)):
        for table in ("room", "house"):
            other.execute(text(f"DROP TABLE IF EXISTS {table}"))
        for statement in script.split(";"):
            other.execute(text(statement))
        seen.append(schema.describe(other))
    other.close()
    assert len(schema.list_differences(*seen)) == 2


def test_the_migrations_are_one_chain(house: Tree) -> None:
    assert schema.list_broken_chains(house.root / "migrations" / "versions") == []


@pytest.mark.parametrize(
    ("name", "source", "says"),
    [
        ("0002_b.py", "revision = '0002'\ndown_revision = None", "follows None instead of 0001"),
        ("0003_b.py", "revision = '0003'\ndown_revision = '0001'", "expected number 0002"),
        ("0002_b.py", "revision = 'abc'\ndown_revision = '0001'", "its revision is abc"),
    ],
)
def test_a_planted_second_head_is_caught(name: str, source: str, says: str, tmp_path: Path) -> None:
    (tmp_path / "0001_a.py").write_text("revision = '0001'\ndown_revision = None\n")
    assert schema.list_broken_chains(tmp_path) == []
    (tmp_path / name).write_text(source)
    (found,) = schema.list_broken_chains(tmp_path)
    assert says in found
