"""Money that an organizer gives back: of one payment, for one person, or for everybody of an event."""

from collections.abc import Sequence
from datetime import datetime

from regsys.events import services as events
from regsys.jobs import services as jobs
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_
from regsys.ledger import queries as ledger_queries
from regsys.ledger import rules as ledger_rules
from regsys.ledger import services as ledger
from regsys.ledger.models import Payment, Refund
from regsys.payments import queries
from regsys.payments.models import Cancellation
from regsys.registration import queries as registrations
from regsys.registration import services as registration
from regsys.registration.models import Order

CHANGED = Refusal(
    "MoneyChanged",
    N_("Money of this order was given back meanwhile. Nothing more was done; please look again."),
)


def give_back(
    order_id: int,
    payment_ids: Sequence[int],
    *,
    amount: int,
    seen: int,
    reason: str,
    actor: Actor,
    now: datetime,
    registration_id: int | None = None,
) -> list[int]:
    """Write down a refund of these payments of an order, and return the refunds' ids; the newest payment goes first.

    `seen` is the newest refund that the organizer's preview knew of: a second click gets the same refunds, anything
    else that happened meanwhile raises Refused. What was not overpaid comes off the price. Locks the order.
    """
    payments = _lock(order_id, payment_ids)
    newer = [r for p in payments for r in p.refunds if r.id > seen]
    if newer:
        return find_same(newer, amount, reason, registration_id)
    over = registrations.due(order_id).over
    made = request(
        payments, amount, reason=reason, actor=actor, now=now, registration_id=registration_id
    )
    if amount > over:
        registration.lower_price(order_id, registration_id, amount - over, reason=reason)
    return made


def _lock(order_id: int, payment_ids: Sequence[int]) -> list[Payment]:
    lock_rows(Order, [order_id])
    db.session.expire_all()
    return [p for p in queries.list_card_payments(order_id) if p.id in payment_ids]


def find_same(
    newer: Sequence[Refund], amount: int, reason: str, registration_id: int | None
) -> list[int]:
    """Return the refunds that the first of two clicks has made; raise Refused where they are none of this."""
    alike = all(r.reason == reason and r.registration_id == registration_id for r in newer)
    if not alike or sum(r.amount for r in newer) != amount:
        raise Refused(CHANGED)
    return [r.id for r in newer]


def request(
    payments: Sequence[Payment],
    amount: int,
    *,
    reason: str,
    actor: Actor,
    now: datetime,
    registration_id: int | None,
) -> list[int]:
    """Write down that an amount goes back of these payments, and return the refunds' ids."""
    left = [(p.id, ledger_queries.refundable(p)) for p in payments]
    return [
        ledger.request_refund(
            payment_id,
            amount=part,
            reason=reason,
            actor=actor,
            now=now,
            registration_id=registration_id,
        ).id
        for payment_id, part in ledger_rules.spread(amount, left)
    ]


def cancel_person(
    registration_id: int,
    *,
    event_id: int,
    amount: int,
    reason: str,
    actor: Actor,
    now: datetime,
    seen: int | None = None,
) -> list[int]:
    """Cancel a paid registration and write down what goes back for it; return the refunds' ids.

    One transaction, and a registration is cancelled once: so is the refund made once. `seen` is the newest refund that
    the preview knew of, where there was one; what was given back meanwhile raises Refused.
    """
    order_id = registrations.get_registration(registration_id, event_id=event_id).order_id
    registration.cancel_paid(
        registration_id, event_id=event_id, refund=amount, reason=reason, actor=actor, now=now
    )
    payments = queries.list_card_payments(order_id)
    if seen is not None and any(r.id > seen for p in payments for r in p.refunds):
        raise Refused(CHANGED)
    if not amount:
        return []
    return request(
        payments, amount, reason=reason, actor=actor, now=now, registration_id=registration_id
    )


# ---- a whole event


def start_cancellation(event_id: int, *, reason: str, actor: Actor, now: datetime) -> None:
    """Call an event off at once, and write down that everybody in it is to be told and repaid.

    A second click changes nothing.
    """
    if queries.find_cancellation(event_id):
        return
    events.call_off_with_people(event_id, reason=reason, actor=actor, now=now)
    row = Cancellation(
        event_id=event_id, reason=reason, requested_by=actor.label[:200], requested_at=now
    )
    db.session.add(row)
    jobs.enqueue("payments.call_off", f"call-off:{event_id}", {}, due=now, now=now)
    db.session.flush()


def cancel_order(event_id: int, order_id: int, *, actor: Actor, now: datetime) -> list[int] | None:
    """End what an order has of an event that is called off, and write down what goes back; return the refunds' ids.

    None: a payment of the order is still open, so it is not its turn yet. Locks the order.
    """
    cancellation = db.session.get_one(Cancellation, event_id)
    lock_rows(Order, [order_id])
    if queries.find_holding(order_id):
        return None
    payments = queries.list_card_payments(order_id)
    money = ledger_queries.sums_of([order_id])[order_id]
    shares = registration.cancel_for_event(
        order_id,
        event_id=event_id,
        most=sum(ledger_queries.refundable(p) for p in payments),
        contested=money.disputed,
        reason=cancellation.reason,
        actor=actor,
        now=now,
    )
    made = []
    for share in shares:
        made += request(
            payments,
            share.amount,
            reason=cancellation.reason,
            actor=actor,
            now=now,
            registration_id=share.registration_id,
        )
    return made


def finish_cancellation(event_id: int, *, now: datetime) -> None:
    """Note that everybody of an event was told and repaid."""
    row = db.session.get_one(Cancellation, event_id, populate_existing=True)
    row.finished_at = row.finished_at or now
    db.session.flush()
