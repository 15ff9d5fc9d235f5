"""Making, changing and ending codes."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.capacity.models import PoolKind
from regsys.discounts import queries, rules
from regsys.discounts.models import Code
from regsys.events.models import Event
from regsys.events.services import fit_pool
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import Forbidden, Refused
from regsys.kernel.text import email_key
from regsys.kernel.tokens import new_code


@dataclass(frozen=True, kw_only=True)
class Plan:
    """All that a code says; `uses` None: as often as people like."""

    code: str
    event_ids: Sequence[int]
    percent: int | None = None
    amount: int | None = None
    currency: str = ""
    note: str = ""
    uses: int | None = None
    min_group: int = 1
    once: bool = False
    starts_at: datetime | None = None
    ends_at: datetime | None = None


COLUMNS = (
    "percent", "amount", "currency", "note", "min_group", "once", "starts_at", "ends_at",
)  # fmt: skip


def make_code(plan: Plan, *, scope: Collection[int] | None, actor: Actor, now: datetime) -> int:
    """Make a code and return its id; raise Refused where the name is taken, Forbidden beyond the actor's events."""
    name = queries.spelled(plan.code)
    if queries.find_code(name):
        raise Refused(rules.CODE_TAKEN)
    pool = capacity.make_pool(
        event_id=None, name=f"code {name}", kind=PoolKind.CODE, size=plan.uses
    )
    code = Code(code=name, pool_id=pool.id, created_at=now, **_columns(plan))
    code.events = _events(plan.event_ids, scope)
    db.session.add(code)
    db.session.flush()
    _record("code.made", code, plan, actor=actor, now=now)
    return code.id


def make_credit(
    email: str, *, amount: int, currency: str, until: datetime, note: str, now: datetime
) -> Code:
    """Make the code by which one person takes an amount off places that begin before `until`, until it is used up."""
    name = f"CREDIT-{new_code(10)}"
    pool = capacity.make_pool(event_id=None, name=f"code {name}", kind=PoolKind.CODE, size=None)
    code = Code(
        code=name, amount=amount, currency=currency, ends_at=until, email_key=email_key(email),
        note=note[:300], pool_id=pool.id, created_at=now,
    )  # fmt: skip
    db.session.add(code)
    db.session.flush()
    return code


def change_code(
    code_id: int,
    plan: Plan,
    *,
    event_id: int,
    scope: Collection[int] | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Change what a code says from now on: who has used it keeps what it took off. Its name stays.

    Raises Refused below what is used already.
    """
    code = _lock(code_id, event_id, scope)
    for name, value in _columns(plan).items():
        setattr(code, name, value)
    code.events = _events(plan.event_ids, scope)
    db.session.flush()
    fit_pool(code.pool, plan.uses, now=now)
    _record("code.changed", code, plan, actor=actor, now=now)


def end_code(
    code_id: int, *, event_id: int, scope: Collection[int] | None, actor: Actor, now: datetime
) -> None:
    """Let nobody use a code any more; repeating it changes nothing."""
    code = _lock(code_id, event_id, scope)
    if code.ended_at is None:
        code.ended_at = now
        db.session.flush()
        _record("code.ended", code, None, actor=actor, now=now)


def _lock(code_id: int, event_id: int, scope: Collection[int] | None) -> Code:
    lock_rows(Code, [code_id])
    code = queries.get_code(code_id, event_id=event_id)
    if scope is not None and not {e.id for e in code.events} <= set(scope):
        raise Forbidden
    return code


def _columns(plan: Plan) -> dict[str, Any]:
    return {name: getattr(plan, name) for name in COLUMNS}


def _events(event_ids: Sequence[int], scope: Collection[int] | None) -> list[Event]:
    if scope is not None and not set(event_ids) <= set(scope):
        raise Forbidden
    return list(db.session.scalars(select(Event).where(Event.id.in_(event_ids))))


def _record(action: str, code: Code, plan: Plan | None, *, actor: Actor, now: datetime) -> None:
    after: dict[str, Any] = {"code": code.code}
    if plan:
        said = {n: getattr(plan, n) for n in ("percent", "amount", "currency", "uses", "min_group")}
        after |= {n: v for n, v in said.items() if v} | {"events": sorted(plan.event_ids)}
    audit.record(
        action,
        ("discount_code", code.id),
        actor=actor,
        now=now,
        event_id=code.events[0].id if code.events else None,
        after=after,
    )
