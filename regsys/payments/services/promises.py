"""What comes back by itself if a place that was given up is taken again."""

from collections.abc import Sequence
from datetime import datetime

from flask_babel import gettext as _

from regsys.audit import services as audit
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, lock_rows
from regsys.ledger.queries import payments_of, refundable, sums_in
from regsys.payments import mail, queries
from regsys.payments.models import Promise
from regsys.payments.queries import Part
from regsys.payments.services.giving import request
from regsys.policies.rules import Settled
from regsys.registration import services as registration
from regsys.registration.models import Order, Registration
from regsys.registration.queries import get_order


def promise(part: Part, *, now: datetime) -> None:
    """Write down what comes back besides of one who leaves, if somebody takes the place."""
    if part.more or part.more_credit:
        reason = _("Somebody has taken the place.")
        row = Promise(
            registration_id=part.registration.id, amount=part.more, credit=part.more_credit,
            reason=reason, created_at=now,
        )  # fmt: skip
        db.session.add(row)
        db.session.flush()


def keep_promise(promise_id: int, *, now: datetime) -> Sequence[int]:
    """Write down what goes back because somebody has taken the place; return the refunds to carry out.

    It is done once. While a card holder contests a payment of the order nothing is done. Locks the order.
    """
    row = db.session.get_one(Promise, promise_id)
    gone = db.session.get_one(Registration, row.registration_id)
    order_id = gone.order_id
    lock_rows(Order, [order_id])
    db.session.expire_all()
    row = db.session.get_one(Promise, promise_id)
    takers = dict(queries.list_takers(promise_id=promise_id))
    payments = payments_of([order_id])
    if row.kept_at or promise_id not in takers or sums_in(payments).disputed:
        return []
    row.kept_at, row.taken_by_id = now, takers[promise_id]
    # Somebody may have given it back by hand in the meantime.
    fits = registration.fit_back(gone.id, Settled(row.amount, row.credit), now=now)
    back, again = fits.money, fits.credit
    audit.record(
        "refund.promise_kept",
        ("registration", gone.id),
        actor=SYSTEM,
        now=now,
        event_id=gone.event_id,
        order_id=order_id,
        after={"amount": back} | ({"to_credit": again} if again else {}),
    )
    if not back and not again:
        return []
    if back:
        registration.keep_less(order_id, gone.id, back, reason=row.reason)
    cards = queries.list_card_payments(order_id)
    card = min(back, sum(refundable(p) for p in cards))
    order = get_order(order_id)
    mail.send_refilled(order, gone, card=card, by_hand=back - card, to_credit=again, now=now)
    if not card:
        return []
    return request(cards, card, reason=row.reason, actor=SYSTEM, now=now, registration_id=gone.id)
