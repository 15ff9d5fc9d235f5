"""Writing down money: each payment once, each refund before anybody is asked for it."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import or_, select

from regsys.audit import services as audit
from regsys.kernel.actors import STRIPE, Actor
from regsys.kernel.db import db, insert_new, lock_rows
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.states import can_move, move
from regsys.kernel.text import N_
from regsys.ledger import queries, rules
from regsys.ledger.models import Dispute, Method, Payment, Refund
from regsys.ledger.states import Problem, RefundState


def record_payment(
    order_id: int,
    *,
    amount: int,
    currency: str,
    method: Method,
    actor: Actor,
    now: datetime,
    attempt_id: int | None = None,
    reference: str | None = None,
    charge: str | None = None,
    fee: int | None = None,
    note: str = "",
    received_at: datetime | None = None,
) -> Payment:
    """Record money that came; the same attempt or reference is recorded once, and then returned unchanged.

    `received_at`: the day of a cheque or transfer that is written down later. The caller holds the order's lock.
    """
    row = {
        "order_id": order_id,
        "attempt_id": attempt_id,
        "method": method,
        "amount": amount,
        "currency": currency,
        "fee": fee,
        "reference": reference,
        "charge": charge,
        "received_at": received_at or now,
        "noted_at": now,
        "note": note,
    }
    payment = insert_new(Payment, row)
    if payment is None:
        return _get_same(attempt_id, reference, charge)
    _record("payment.received", payment, actor=actor, now=now, after=_facts(payment))
    return payment


def mark_problem(payment_id: int, problem: Problem, *, actor: Actor, now: datetime) -> None:
    """Set a payment aside: it does not count as paid, and a person has to look at it."""
    payment = _lock(payment_id)
    payment.problem = problem
    db.session.flush()
    _record("payment.set_aside", payment, actor=actor, now=now, after=_facts(payment))


def request_refund(
    payment_id: int,
    *,
    amount: int,
    reason: str,
    actor: Actor,
    now: datetime,
    registration_id: int | None = None,
) -> Refund:
    """Write down that money is to be given back; raise Refused above what is left of the payment.

    `registration_id`: for whom, where it is for one person. Nobody is asked for the money here: `payments` carries
    it out after the commit.
    """
    payment = _lock_to_give(payment_id, amount)
    refund = _add_refund(
        payment,
        registration_id=registration_id,
        state=RefundState.REQUESTED,
        state_at=now,
        amount=amount,
        reason=reason,
        requested_by=actor.label[:200],
        requested_at=now,
    )
    _record("refund.requested", payment, actor=actor, now=now, after=_shown(refund), reason=reason)
    return refund


def refund_whole(payment_id: int, *, reason: str, actor: Actor, now: datetime) -> Refund:
    """Ask for everything that is left; a second click gets the refund that the first one made."""
    payment = _lock(payment_id)
    left = queries.left_of(payment)
    under_way = [r for r in payment.refunds if r.state in rules.COUNTED]
    if not left and under_way:
        return under_way[-1]
    return request_refund(payment_id, amount=left, reason=reason, actor=actor, now=now)


def move_refund(
    refund_id: int,
    to: RefundState,
    *,
    actor: Actor,
    now: datetime,
    stripe_id: str | None = None,
    error: str = "",
) -> None:
    """Note how far a refund has come: forward only, so that old news and the same news twice change nothing."""
    refund = db.session.get_one(Refund, refund_id, populate_existing=True, with_for_update=True)
    refund.stripe_id = stripe_id or refund.stripe_id
    if refund.state == to or can_move(refund.MOVES, refund.state, to):
        refund.error = error[:500]
    if not can_move(refund.MOVES, refund.state, to):
        db.session.flush()
        return
    before = {"state": refund.state}
    move(refund, to, now=now)
    db.session.flush()
    _record(
        f"refund.{to}", refund.payment, actor=actor, now=now, before=before, after=_shown(refund)
    )


def import_refund(
    payment_id: int,
    *,
    stripe_id: str,
    state: RefundState,
    amount: int,
    reason: str,
    error: str,
    now: datetime,
) -> Refund:
    """Write down a refund that was made in Stripe's dashboard; the same one is written down once.

    It is not capped: what has happened is written down, whatever else was asked for.
    """
    payment = _lock(payment_id)
    known = next((r for r in payment.refunds if r.stripe_id == stripe_id), None)
    if known:
        return known
    refund = _add_refund(
        payment,
        imported=True,
        state=state,
        state_at=now,
        amount=amount,
        stripe_id=stripe_id,
        reason=reason[:500],
        requested_by=STRIPE.label,
        requested_at=now,
        error=error[:500],
    )
    _record("refund.imported", payment, actor=STRIPE, now=now, after=_shown(refund))
    return refund


def record_by_hand(
    payment_id: int,
    *,
    amount: int,
    method: Method,
    given_at: datetime,
    reason: str,
    actor: Actor,
    now: datetime,
    lowered: int = 0,
) -> Refund:
    """Write down money that a person has given back by cheque, transfer or in cash; nobody is asked for it.

    Raises Refused above what is left of the payment. The caller holds the order's lock.
    """
    payment = _lock_to_give(payment_id, amount)
    refund = _add_refund(
        payment,
        method=method,
        state=RefundState.SUCCEEDED,
        state_at=now,
        amount=amount,
        lowered=lowered,
        reason=reason,
        requested_by=actor.label[:200],
        requested_at=given_at,
    )
    after = {**_shown(refund), "method": method, "day": given_at.date().isoformat()}
    _record("refund.by_hand", payment, actor=actor, now=now, after=after, reason=reason)
    return refund


def take_back(refund_id: int, *, actor: Actor, now: datetime) -> Refund:
    """Take back what was written down by mistake about money that went by hand: its amount is open again.

    Raises Refused. The caller holds the order's lock.
    """
    refund = db.session.get_one(Refund, refund_id, populate_existing=True, with_for_update=True)
    by_hand = refund.method is not Method.CARD
    refusal = rules.why_not_take_back(refund.state, refund.state_at, now, by_hand=by_hand)
    if refusal:
        raise Refused(refusal)
    before = _shown(refund)
    move(refund, RefundState.FAILED, now=now)
    refund.error = rules.MISTAKE
    db.session.flush()
    after = _shown(refund)
    _record("refund.taken_back", refund.payment, actor=actor, now=now, before=before, after=after)
    return refund


def take_payment_back(payment_id: int, *, actor: Actor, now: datetime) -> Payment:
    """Take back what was written down by mistake about money that came by hand: it never counted.

    Raises Refused. The caller holds the order's lock.
    """
    payment = _lock(payment_id)
    refusal = rules.why_not_take_payment_back(
        payment.problem,
        payment.noted_at or payment.received_at,
        now,
        by_hand=payment.method is not Method.CARD,
        given_back=queries.left_of(payment) < payment.amount,
    )
    if refusal:
        raise Refused(refusal)
    payment.problem = Problem.MISTAKE
    db.session.flush()
    _record("payment.taken_back", payment, actor=actor, now=now, after=_facts(payment))
    return payment


@dataclass(frozen=True)
class Contested:
    """A dispute as Stripe tells it; the amount in minor units."""

    stripe_id: str
    status: str
    reason: str
    amount: int
    currency: str
    refundable: bool
    due_by: datetime | None
    opened_at: datetime


def record_dispute(payment_id: int, told: Contested, *, now: datetime) -> Dispute:
    """Write down what Stripe says of a dispute; each change of its status goes into the audit.

    One that is closed stays closed, whatever an older answer says.
    """
    payment = _lock(payment_id)
    dispute = next((d for d in payment.disputes if d.stripe_id == told.stripe_id), None)
    before = dispute.status if dispute else None
    if before in rules.CLOSED and told.status not in rules.CLOSED and dispute:
        return dispute
    if dispute is None:
        dispute = Dispute(payment_id=payment.id, stripe_id=told.stripe_id)
        db.session.add(dispute)
    dispute.status, dispute.reason = told.status[:60], told.reason[:60]
    dispute.amount, dispute.currency = told.amount, told.currency
    dispute.refundable, dispute.due_by = told.refundable, told.due_by
    dispute.opened_at, dispute.told_at = told.opened_at, now
    db.session.flush()
    db.session.refresh(payment, ["disputes"])
    if before != told.status:
        after = {"status": told.status, "amount": told.amount, "currency": told.currency}
        old = {"status": before} if before else None
        _record("payment.disputed", payment, actor=STRIPE, now=now, before=old, after=after)
    return dispute


def note_fee(payment_id: int, *, fee: int | None, charge: str | None) -> None:
    """Add what Stripe's books did not say yet when the money came."""
    payment = _lock(payment_id)
    payment.fee = fee if payment.fee is None else payment.fee
    payment.charge = payment.charge or charge
    db.session.flush()


def _add_refund(payment: Payment, **facts: Any) -> Refund:
    """Write a refund of a payment down, in its currency; `facts` are its columns."""
    refund = Refund(payment_id=payment.id, currency=payment.currency, **facts)
    db.session.add(refund)
    db.session.flush()
    db.session.refresh(payment, ["refunds"])
    return refund


def _get_same(attempt_id: int | None, reference: str | None, charge: str | None) -> Payment:
    same = [Payment.attempt_id == attempt_id] if attempt_id else []
    same += [Payment.reference == reference] if reference else []
    same += [Payment.charge == charge] if charge else []
    return db.session.scalars(select(Payment).where(or_(*same)).limit(1)).one()


def _lock(payment_id: int) -> Payment:
    rows = lock_rows(Payment, [payment_id])
    if not rows:
        raise NotFound(N_("There is no such payment."))
    db.session.refresh(rows[0], ["refunds", "disputes"])
    return rows[0]


def _lock_to_give(payment_id: int, amount: int) -> Payment:
    payment = _lock(payment_id)
    blocked = queries.is_blocked(payment)
    refusal = rules.why_not_refund(amount, queries.left_of(payment), blocked=blocked)
    if refusal:
        raise Refused(refusal)
    return payment


def _facts(payment: Payment) -> dict[str, object]:
    return {
        "amount": payment.amount,
        "currency": payment.currency,
        "method": payment.method,
        "problem": payment.problem,
    }


def _shown(refund: Refund) -> dict[str, object]:
    return {"amount": refund.amount, "currency": refund.currency, "state": refund.state}


def _record(
    action: str,
    payment: Payment,
    *,
    actor: Actor,
    now: datetime,
    after: Mapping[str, object],
    before: Mapping[str, object] | None = None,
    reason: str | None = None,
) -> None:
    audit.record(
        action,
        ("payment", payment.id),
        actor=actor,
        now=now,
        order_id=payment.order_id,
        reason=reason,
        before=before,
        after=after,
    )
