"""`regsys verify`: places, money and mail, counted again from the rows.

Every question is one statement of SQL that stands here in full: the functions that sell places and count money for the
rest of the house are not asked, so that a mistake in them cannot hide itself. Nothing is written.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import RowMapping, bindparam, text

from regsys.kernel.db import UtcDateTime, db
from regsys.kernel.money import show
from regsys.verify_check import Check
from regsys.verify_proof import PROOFS, Proof
from regsys.verify_sql import CHECKS

# Rows are read in parts of this size.
PART = 500
LONGEST_RETRY = timedelta(hours=7)
SOON = timedelta(minutes=15)


@dataclass(frozen=True)
class Said:
    """One line of the answer: proof, or (`fine` False) a difference and what to do about it."""

    fine: bool
    sentence: str
    advice: str = ""


@dataclass(frozen=True)
class Step:
    """Which question is asked now, for whoever waits."""

    number: int
    of: int
    title: str


def examine(*, now: datetime) -> Iterator[Said | Step]:
    """Yield every difference and then the proof, in parts: nothing is held but the line at hand.

    Needs an app context. All questions look at one moment of the database.
    """
    _take_your_time()
    asked: list[Check | Proof] = [*CHECKS, *PROOFS]
    try:
        for number, one in enumerate(asked, start=1):
            yield Step(number, len(asked), one.title)
            for row in _rows(one.sql, now):
                yield _say(one, row)
    finally:
        db.session.rollback()


def _say(one: Check | Proof, row: RowMapping) -> Said:
    facts = _readable(dict(row))
    if isinstance(one, Proof):
        return Said(True, one.sentence(facts))
    return Said(False, one.sentence % facts, one.advice % facts)


def _take_your_time() -> None:
    """PostgreSQL: one snapshot for everything, and no limit meant for a web page."""
    db.session.rollback()
    if db.engine.dialect.name != "postgresql":
        return
    db.session.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY"))
    for limit in ("statement_timeout", "idle_in_transaction_session_timeout"):
        db.session.execute(text(f"SET LOCAL {limit} = 0"))


def _rows(sql: str, now: datetime) -> Iterator[RowMapping]:
    moments = {"now": now, "soon": now - SOON, "long_ago": now - LONGEST_RETRY}
    used = {name: at for name, at in moments.items() if f":{name}" in sql}
    statement = text(sql).bindparams(*(bindparam(name, type_=UtcDateTime) for name in used))
    found = db.session.execute(statement, used, execution_options={"yield_per": PART})
    yield from found.mappings()


def _readable(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return the row with amounts in words: whatever is called `money_…`, in the row's own `currency`."""
    return {
        name: show(int(value or 0), row["currency"]) if name.startswith("money_") else value
        for name, value in row.items()
    }
