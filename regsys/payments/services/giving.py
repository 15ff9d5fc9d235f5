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
from regsys.ledger.models import Payment
from regsys.payments import queries
from regsys.payments.models import Cancellation
from regsys.payments.queries import Seen
from regsys.policies.rules import Settled
from regsys.registration import queries as registrations
from regsys.registration import services as registration
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState

CHANGED = Refusal(
    "MoneyChanged",
    N_("Money of this order was given back meanwhile. Nothing more was done; please look again."),
)

KEPT_IS_USED = Refusal(
    "KeptIsUsed",
    N_("So much is not kept any more: some of it was given back, or a credit made of it was used."),
)


def give_back(
    order_id: int,
    payment_ids: Sequence[int],
    *,
    amount: int,
    seen: Seen,
    reason: str,
    actor: Actor,
    now: datetime,
    registration_id: int | None = None,
) -> list[int]:
    """Write down a refund of these payments of an order, and return the refunds' ids; the newest payment goes first.

    `seen` is the order's money as the organizer's preview knew it: a second click gets the same refunds, anything
    else that happened meanwhile raises Refused. What was not overpaid comes off the price. Locks the order.
    """
    payments = _lock(order_id, payment_ids)
    same = find_same(order_id, payment_ids, seen, amount, reason, registration_id)
    if same:
        return same
    made = request(
        payments, amount, reason=reason, actor=actor, now=now, registration_id=registration_id
    )
    if amount > seen.over:
        _lower(order_id, registration_id, amount - seen.over, reason=reason, now=now)
    return made


def _lower(
    order_id: int, registration_id: int | None, amount: int, *, reason: str, now: datetime
) -> None:
    """Take what goes back off the price, or off what was kept of it where the person has left.

    What was kept may count as a credit, or be promised: neither is paid a second time.
    """
    r = db.session.get(Registration, registration_id) if registration_id else None
    left = r is not None and r.state is RegistrationState.CANCELLED
    if r and left and registration.fit_back(r.id, Settled(amount), now=now).money < amount:
        raise Refused(KEPT_IS_USED)
    registration.lower_price(order_id, registration_id, amount, reason=reason)


def _lock(order_id: int, payment_ids: Sequence[int]) -> list[Payment]:
    lock_rows(Order, [order_id])
    db.session.expire_all()
    return [p for p in queries.list_card_payments(order_id) if p.id in payment_ids]


def find_same(
    order_id: int,
    payment_ids: Sequence[int],
    seen: Seen,
    amount: int,
    reason: str,
    registration_id: int | None = None,
) -> list[int]:
    """Return the refunds that the first of two clicks has made, none where this is the first.

    Raises Refused where the order's money is not as it was seen: another payment of it counts, too, as it decides what
    comes off the price.
    """
    newer = [r for r in queries.list_refunds_in(order_id) if r.id > seen.refund]
    if not newer and registrations.due(order_id).over == seen.over:
        return []
    made = {(r.reason, r.registration_id, r.payment_id in payment_ids) for r in newer}
    if made != {(reason, registration_id, True)} or sum(r.amount for r in newer) != amount:
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
