"""Each PostgreSQL that this machine has can be thrown away."""

from pathlib import Path

import psycopg

from tests.support import needs
from tests.support.pg import Postgres, _readable


def test_every_postgres_starts_copies_a_database_and_leaves_nothing() -> None:
    needs.require(needs.POSTGRESQL)
    for bin_dir in needs.list_postgres_bins():
        server = Postgres(bin_dir)
        with psycopg.connect(server.create("first"), autocommit=True) as connection:
            connection.execute("CREATE TABLE venue (name text); INSERT INTO venue VALUES ('hall')")
        with psycopg.connect(server.create("second", template="first")) as connection:
            assert connection.execute("SELECT name FROM venue").fetchall() == [("hall",)]
        server.drop("second")
        server.close()
        assert not server.folder.exists()


def test_programs_in_a_closed_folder_are_copied(tmp_path: Path) -> None:
    closed = tmp_path / "closed"
    (closed / "bin").mkdir(parents=True)
    (closed / "bin" / "initdb").write_text("#!/bin/sh")
    closed.chmod(0o700)
    target = tmp_path / "target"
    target.mkdir()
    assert _readable(closed / "bin", target) == target / "programs" / "bin"
    assert (target / "programs" / "bin" / "initdb").exists()
    assert _readable(Path("/usr/bin"), target) == Path("/usr/bin")
