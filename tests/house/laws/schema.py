"""The schema of a database as plain lines, so that two of them can be compared down to CHECKs and indexes.

Alembic's own comparison does not see CHECK constraints, and of an index only its columns.
"""

import re
from collections.abc import Iterator
from pathlib import Path

from sqlalchemy import Connection, text

IGNORED = ("alembic_version",)


def describe(connection: Connection) -> set[str]:
    """Return one line for every column, constraint and index."""
    lines = _postgresql if connection.dialect.name == "postgresql" else _sqlite
    return {line for line in lines(connection) if not line.startswith(IGNORED)}


def list_differences(migrated: set[str], created: set[str]) -> list[str]:
    """List what only one of the two has."""
    return [f"only in the migrations: {line}" for line in sorted(migrated - created)] + [
        f"only in the models: {line}" for line in sorted(created - migrated)
    ]


# ---- SQLite: the CREATE statements themselves, cut at their top-level commas


def _sqlite(connection: Connection) -> Iterator[str]:
    query = text("SELECT type, name, tbl_name, sql FROM sqlite_master WHERE sql IS NOT NULL")
    for kind, name, table, sql in connection.execute(query):
        if kind == "table":
            yield from (f"{table}: {part}" for part in split_create_table(sql))
        else:
            yield f"{table}: {kind} {name}: {normal(sql)}"


def split_create_table(sql: str) -> list[str]:
    """Return the columns and constraints of a CREATE TABLE, each in one normal spelling."""
    body = sql[sql.index("(") + 1 : sql.rindex(")")]
    parts, depth, quoted, current = [], 0, False, ""
    for character in body:
        quoted ^= character == "'"
        depth += 0 if quoted else (character == "(") - (character == ")")
        if character == "," and depth == 0 and not quoted:
            parts.append(current)
            current = ""
        else:
            current += character
    return [normal(part) for part in [*parts, current]]


def normal(sql: str) -> str:
    """Return SQL with one kind of white space and without quotes around names."""
    sql = re.sub(r"\s+", " ", sql.replace('"', "")).strip()
    return re.sub(r"\s*([(),])\s*", r"\1", sql)


# ---- PostgreSQL: what its catalogue says

_COLUMNS = """
SELECT c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull, a.attidentity,
       pg_get_expr(d.adbin, d.adrelid)
FROM pg_attribute a
JOIN pg_class c ON c.oid = a.attrelid AND c.relkind = 'r'
JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = 'public'
LEFT JOIN pg_attrdef d ON d.adrelid = a.attrelid AND d.adnum = a.attnum
WHERE a.attnum > 0 AND NOT a.attisdropped
"""
_CONSTRAINTS = """
SELECT conrelid::regclass::text, conname, pg_get_constraintdef(oid)
FROM pg_constraint WHERE connamespace = 'public'::regnamespace AND contype <> 'n'
"""
_INDEXES = "SELECT tablename, indexname, indexdef FROM pg_indexes WHERE schemaname = 'public'"


def _postgresql(connection: Connection) -> Iterator[str]:
    for table, column, kind, required, identity, default in connection.execute(text(_COLUMNS)):
        yield f"{table}: {column} {kind} required={required} {identity or ''} {default or ''}".strip()
    for table, name, definition in connection.execute(text(_CONSTRAINTS)):
        yield f"{table}: constraint {name}: {definition}"
    for table, name, definition in connection.execute(text(_INDEXES)):
        yield f"{table}: index {name}: {definition}"


# ---- the chain of migrations


def list_broken_chains(versions: Path) -> list[str]:
    """List what keeps the migrations from being one numbered chain with one head."""
    found, previous = [], None
    for i, path in enumerate(sorted(versions.glob("*.py")), start=1):
        number, source = path.stem.split("_")[0], path.read_text()
        if number != f"{i:04}":
            found.append(f"{path.name}: expected number {i:04}")
        revision, down = _assigned(source, "revision"), _assigned(source, "down_revision")
        if revision != number:
            found.append(f"{path.name}: its revision is {revision}, its file says {number}")
        if down != previous:
            found.append(f"{path.name}: follows {down} instead of {previous}")
        previous = revision
    return found


def _assigned(source: str, name: str) -> str | None:
    match = re.search(rf"^{name}(?:: [^=]+)? = (.+)$", source, re.MULTILINE)
    value = match.group(1).strip() if match else "None"
    return None if value == "None" else value.strip("'\"")
