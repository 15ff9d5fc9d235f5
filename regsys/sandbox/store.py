"""The sandbox's own file: Stripe's objects as documents, and what hangs on them.

One connection under one lock: every request sees the one before it finished, so that nothing in the stand-in can race
however many payers there are. What was answered survives a kill of the process.
"""

import json
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

Doc = dict[str, Any]

_SCHEMA = """
CREATE TABLE IF NOT EXISTS object (
  seq INTEGER PRIMARY KEY AUTOINCREMENT, id TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,
  created INTEGER NOT NULL, doc TEXT NOT NULL, inner TEXT NOT NULL DEFAULT '{}');
CREATE INDEX IF NOT EXISTS object_kind ON object (kind, seq);
CREATE INDEX IF NOT EXISTS object_created ON object (kind, created);
CREATE INDEX IF NOT EXISTS object_intent
  ON object (json_extract(doc, '$.payment_intent'));
CREATE INDEX IF NOT EXISTS open_session ON object (json_extract(doc, '$.expires_at'))
  WHERE kind = 'checkout.session' AND json_extract(doc, '$.status') = 'open';
CREATE INDEX IF NOT EXISTS pending_line ON object (json_extract(doc, '$.available_on'))
  WHERE kind = 'balance_transaction' AND json_extract(doc, '$.status') = 'pending';
CREATE INDEX IF NOT EXISTS object_charge ON object (json_extract(doc, '$.charge'));
CREATE INDEX IF NOT EXISTS object_source ON object (json_extract(doc, '$.source'));
CREATE INDEX IF NOT EXISTS becoming ON object (json_extract(inner, '$.becomes_at'))
  WHERE json_extract(inner, '$.becomes_at') IS NOT NULL;
CREATE TABLE IF NOT EXISTS delivery (
  id INTEGER PRIMARY KEY AUTOINCREMENT, event TEXT NOT NULL, thread TEXT NOT NULL, due REAL NOT NULL,
  tries INTEGER NOT NULL DEFAULT 0, status TEXT NOT NULL DEFAULT 'due',
  code INTEGER, error TEXT, swapped INTEGER NOT NULL DEFAULT 0, sent REAL);
CREATE INDEX IF NOT EXISTS delivery_due ON delivery (due) WHERE status = 'due';
CREATE INDEX IF NOT EXISTS delivery_event ON delivery (event);
CREATE INDEX IF NOT EXISTS delivery_thread ON delivery (thread);
CREATE TABLE IF NOT EXISTS answer (
  key TEXT PRIMARY KEY, asked TEXT NOT NULL, status INTEGER NOT NULL, body TEXT NOT NULL,
  request TEXT NOT NULL, saved INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS fault (
  id INTEGER PRIMARY KEY AUTOINCREMENT, operation TEXT NOT NULL, kind TEXT NOT NULL,
  times INTEGER NOT NULL, detail TEXT NOT NULL);
CREATE TABLE IF NOT EXISTS setting (name TEXT PRIMARY KEY, value TEXT NOT NULL);
"""


class Store:
    """Documents by id and kind, newest first; reads and writes only inside `unit()`."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self._lock = threading.Lock()
        self._db = sqlite3.connect(path, isolation_level=None, check_same_thread=False, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode = WAL")
        # Survives a kill of the process; only a power cut may lose the last answers, and no money is lost with them.
        self._db.execute("PRAGMA synchronous = NORMAL")
        self._db.executescript(_SCHEMA)

    @contextmanager
    def unit(self) -> Iterator[None]:
        """Do everything inside, or nothing; never call the network in here."""
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def close(self) -> None:
        """Let go of the file."""
        with self._lock:
            self._db.close()

    def rows(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Return the rows of one statement."""
        return self._db.execute(sql, values).fetchall()

    def run(self, sql: str, *values: object) -> int:
        """Run one statement and return how many rows it touched."""
        return self._db.execute(sql, values).rowcount

    def add(self, doc: Doc, **inner: object) -> Doc:
        """Keep a new document; `inner` is what Stripe would not show."""
        self.run(
            "INSERT INTO object (id, kind, created, doc, inner) VALUES (?, ?, ?, ?, ?)",
            doc["id"], doc["object"], doc["created"], json.dumps(doc), json.dumps(inner),
        )  # fmt: skip
        return doc

    def save(self, doc: Doc) -> Doc:
        """Write a changed document back."""
        self.run("UPDATE object SET doc = ? WHERE id = ?", json.dumps(doc), doc["id"])
        return doc

    def find(self, id: str, kind: str | None = None) -> Doc | None:
        """Return the document, or None if there is none of that kind."""
        found = self.rows(
            "SELECT doc FROM object WHERE id = ? AND kind = ifnull(?, kind)", id, kind
        )
        return json.loads(found[0]["doc"]) if found else None

    def inner(self, id: str) -> Doc:
        """Return what Stripe would not show of a document."""
        found = self.rows("SELECT inner FROM object WHERE id = ?", id)
        return json.loads(found[0]["inner"]) if found else {}

    def note(self, id: str, **inner: object) -> None:
        """Add to what Stripe would not show; None takes a note away."""
        patch = json.dumps(inner)
        self.run("UPDATE object SET inner = json_patch(inner, ?) WHERE id = ?", patch, id)

    def select(
        self, where: str, *values: object, limit: int = -1, order: str = "DESC"
    ) -> list[Doc]:
        """Return documents for a condition on the table `object`, newest first."""
        sql = f"SELECT doc FROM object WHERE {where} ORDER BY seq {order} LIMIT ?"
        return [json.loads(row["doc"]) for row in self.rows(sql, *values, limit)]

    def seq(self, id: str, kind: str) -> int | None:
        """Return the place of a document among all, or None."""
        found = self.rows("SELECT seq FROM object WHERE id = ? AND kind = ?", id, kind)
        return int(found[0]["seq"]) if found else None

    def setting(self, name: str, default: str) -> str:
        """Return a setting; keep the default where there was none."""
        self.run("INSERT OR IGNORE INTO setting (name, value) VALUES (?, ?)", name, default)
        return str(self.rows("SELECT value FROM setting WHERE name = ?", name)[0]["value"])

    def set(self, name: str, value: str) -> None:
        """Change a setting."""
        self.run("INSERT OR REPLACE INTO setting (name, value) VALUES (?, ?)", name, value)
