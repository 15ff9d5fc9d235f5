"""Credits that the treasurer ends, or lets count again: what was used of them stays used."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import joinedload

from regsys.capacity import services as capacity
from regsys.discounts import rules
from regsys.discounts.models import Code
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_
from regsys.registration import chosen, mail
from regsys.registration.models import Registration
from regsys.registration.services.leaving import money_kept
from regsys.registration.services.shared import lock_order, record


def get_credit(code_id: int) -> Registration:
    """Get the place that was given up for a credit, with the credit and its event; raise NotFound."""
    query = select(Registration).where(Registration.credit_id == code_id)
    loaded = (joinedload(Registration.credit), joinedload(Registration.event))
    r = db.session.scalar(query.options(*loaded))
    if r is None:
        raise NotFound(N_("There is no such credit."))
    return r


def end_credit(code_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Let nothing more of a credit count, and tell the person why; repeating it changes nothing.

    Locks the order, then the credit's pool.
    """
    r, code = _lock(code_id, now)
    if code.ended_at is None:
        code.ended_at, code.end_reason = now, reason[:300]
        _tell("registration.credit_ended", r, code, reason=reason, actor=actor, now=now)


def reopen_credit(code_id: int, *, actor: Actor, now: datetime) -> None:
    """Let what is left of a credit count again, and tell the person; repeating it changes nothing.

    Raises Refused where what it was made of was given back meanwhile.
    """
    r, code = _lock(code_id, now)
    if code.ended_at is None:
        return
    kept = money_kept(r) + r.credit_used
    refusal = rules.why_not_reopen(amount=code.amount or 0, kept=kept)
    if refusal:
        raise Refused(refusal)
    code.ended_at, code.end_reason = None, ""
    _tell("registration.credit_reopened", r, code, reason="", actor=actor, now=now)


def _lock(code_id: int, now: datetime) -> tuple[Registration, Code]:
    lock_order(get_credit(code_id).order_id, now=now)
    r = get_credit(code_id)
    code = db.session.get_one(Code, code_id)
    capacity.lock_pools([code.pool_id])
    db.session.refresh(code)
    return r, code


def _tell(
    action: str, r: Registration, code: Code, *, reason: str, actor: Actor, now: datetime
) -> None:
    left = (code.amount or 0) - chosen.spent_of(code.id)
    record(
        action,
        r,
        actor=actor,
        now=now,
        reason=reason,
        after={"code": code.code, "amount": left, "currency": code.currency},
    )
    db.session.flush()
    mail.send_credit(r, code, left=left, now=now)
