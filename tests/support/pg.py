"""A throw-away PostgreSQL: socket only, no fsync, never as root."""

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from typing import Any

import psycopg

OPTIONS = (
    "-F",
    "-c", "synchronous_commit=off",
    "-c", "full_page_writes=off",
    "-c", "max_connections=100",
    "-c", "shared_buffers=32MB",
    "-c", "autovacuum=off",
)  # fmt: skip

# What a test may have changed besides rows: table, index, column, constraint, trigger, and the version of them all.
_SCHEMA = """
SELECT md5(string_agg(mark, ',' ORDER BY mark)) FROM (
  SELECT 'c' || oid || '.' || xmin AS mark FROM pg_class WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT 'a' || attrelid || '.' || attnum || '.' || a.xmin FROM pg_attribute a
    JOIN pg_class c ON c.oid = attrelid WHERE relnamespace = 'public'::regnamespace
  UNION ALL SELECT 'k' || oid || '.' || xmin FROM pg_constraint
  UNION ALL SELECT 't' || oid || '.' || xmin FROM pg_trigger
  UNION ALL SELECT 'v' || version_num FROM alembic_version
) marks"""

# Only what holds rows is emptied: TRUNCATE of all tables would take ten times as long.
_EMPTY = """
DO $$ DECLARE t record; filled boolean; BEGIN
  SET LOCAL session_replication_role = replica;
  FOR t IN SELECT relname FROM pg_class WHERE relkind = 'r'
      AND relnamespace = 'public'::regnamespace AND relname <> 'alembic_version' LOOP
    EXECUTE format('SELECT EXISTS (SELECT 1 FROM %I)', t.relname) INTO filled;
    IF filled THEN EXECUTE format('DELETE FROM %I', t.relname); END IF;
  END LOOP;
  FOR t IN SELECT oid::regclass AS r FROM pg_class WHERE relkind = 'S' LOOP
    PERFORM setval(t.r, 1, false);
  END LOOP;
END $$"""


class Postgres:
    """One server with its own data folder; `close()` leaves nothing behind. `durable`: with fsync, to be measured."""

    def __init__(self, bin_dir: Path, *, durable: bool = False) -> None:
        self.options = () if durable else OPTIONS
        self.folder = Path(tempfile.mkdtemp(prefix="regsys-pg-"))
        self._as_user: dict[str, Any] = {}
        self._visited: tuple[str, psycopg.Connection[Any]] | None = None
        if os.geteuid() == 0:
            self._hand_over()
            bin_dir = _readable(bin_dir, self.folder)
        self.bin_dir = bin_dir
        self._env = {**os.environ, "LC_ALL": "C.UTF-8"}
        self._initdb()
        self._process = self._start()
        self._wait()

    def _hand_over(self) -> None:
        users = {u.pw_name: u for u in pwd.getpwall()}
        user = next(users[n] for n in ("postgres", "nobody") if n in users)
        os.chown(self.folder, user.pw_uid, user.pw_gid)
        self._as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _initdb(self) -> None:
        command: list[str | Path] = [
            self.bin_dir / "initdb", "-D", self.folder / "data", "-U", "test", "-A", "trust",
            "-E", "UTF8", "--no-sync", "--no-instructions",
        ]  # fmt: skip
        done = subprocess.run(
            command, capture_output=True, text=True, cwd="/", env=self._env, **self._as_user
        )
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr}")

    def _start(self) -> "subprocess.Popen[bytes]":
        command: list[str | Path] = [
            self.bin_dir / "postgres", "-D", self.folder / "data", "-k", self.folder, "-h", "",
            "-c", "dynamic_shared_memory_type=mmap", *self.options,
        ]  # fmt: skip
        with open(self.folder / "log", "wb") as log:
            return subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                env=self._env, **self._as_user,
            )  # fmt: skip

    def _wait(self) -> None:
        for _ in range(500):
            try:
                psycopg.connect(self.url("postgres")).close()
                return
            except psycopg.OperationalError:
                time.sleep(0.02)
        raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()}")

    def url(self, database: str) -> str:
        """Return the address, for psycopg and for REGSYS_DATABASE_URL alike."""
        return f"postgresql://test@/{database}?host={self.folder}"

    def run(self, *statements: str) -> None:
        """Run statements outside of any transaction in the maintenance database."""
        with psycopg.connect(self.url("postgres"), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def create(self, name: str, *, template: str = "template0") -> str:
        """Create a database and return its URL."""
        self.run(f'CREATE DATABASE "{name}" TEMPLATE "{template}"')
        return self.url(name)

    def drop(self, name: str) -> None:
        """Drop a database, and whoever is still connected to it."""
        if self._visited and self._visited[0] == name:
            self._leave()
        self.run(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    def look(self, name: str) -> str:
        """Return a fingerprint of a database's schema."""
        [[mark]] = self._visit(name).execute(_SCHEMA).fetchall()
        return str(mark)

    def empty(self, name: str) -> None:
        """Put off whoever is still connected, delete all rows, and begin every sequence anew."""
        connection = self._visit(name)
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE datname = current_database() AND pid <> pg_backend_pid()"
        )
        connection.execute(_EMPTY)

    def _visit(self, name: str) -> psycopg.Connection[Any]:
        """Return one connection that stays open: between two tests, to connect would take most of the time."""
        if self._visited and self._visited[0] == name:
            try:
                return self._visited[1].execute("SELECT 1").connection
            except psycopg.OperationalError:
                pass  # a test put it off
        self._leave()
        self._visited = (name, psycopg.connect(self.url(name), autocommit=True))
        return self._visited[1]

    def _leave(self) -> None:
        if self._visited:
            self._visited[1].close()
            self._visited = None

    def close(self) -> None:
        """Stop at once and delete the data."""
        self._leave()
        self._process.send_signal(signal.SIGQUIT)
        self._process.wait(10)
        shutil.rmtree(self.folder, ignore_errors=True)


def _readable(bin_dir: Path, folder: Path) -> Path:
    """Return the programs' folder, copied if the unprivileged user could not read it there."""
    above = [bin_dir, *bin_dir.parents]
    if all(p.stat().st_mode & 0o005 == 0o005 for p in above):
        return bin_dir
    copy = folder / "programs"
    shutil.copytree(bin_dir.parent, copy, symlinks=True)
    copy.chmod(0o755)
    folder.chmod(0o711)
    return copy / bin_dir.name
