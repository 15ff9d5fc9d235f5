"""People give their places up: what comes back is what they were shown, or nothing happens."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from flask_babel import gettext as _

from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.money import show
from regsys.kernel.text import N_
from regsys.payments import queries
from regsys.payments.queries import Part, Parting
from regsys.payments.services.giving import request
from regsys.payments.services.promises import promise
from regsys.policies.rules import How, Leaving
from regsys.policies.words import explain, refund_lines, refund_why
from regsys.registration import services as registration
from regsys.registration.models import Order
from regsys.registration.queries import get_registration
from regsys.registration.states import RegistrationState as S

CHANGED = Refusal(
    "RefundChanged",
    N_(
        "What comes back has changed since you opened this page. Nothing was done; please look again."
    ),
)


@dataclass(frozen=True)
class Left:
    """What was done: the refunds to carry out, and the amount that goes back, in minor units."""

    refunds: Sequence[int]
    amount: int


def leave(
    order_id: int,
    registration_ids: Sequence[int],
    *,
    mark: str,
    reason: str,
    actor: Actor,
    now: datetime,
) -> Left | None:
    """Let these people leave and write down what goes back, if it is what `mark` stands for; None: they had left.

    Locks the order. Raises Refused, also where a deadline has passed since the page was shown.
    """
    lock_rows(Order, [order_id])
    db.session.expire_all()
    parting = queries.get_parting(order_id, registration_ids, now=now)
    if parting.parts and all(p.registration.state is S.CANCELLED for p in parting.parts):
        return None
    if parting.refusal:
        raise Refused(parting.refusal)
    if not parting.parts or parting.mark != mark:
        raise Refused(CHANGED)
    return let_leave(parting, reason=reason, actor=actor, now=now)


def let_leave(
    parting: Parting, *, reason: str, actor: Actor, now: datetime, lapsed: bool = False
) -> Left:
    """Let people leave as foreseen, and write down what goes back; `lapsed`: because the rest was not paid.

    The caller has locked the order.
    """
    order_id = parting.order.id
    leavings = [leaving_of(part) for part in parting.parts]
    registration.leave(order_id, leavings, reason=reason, lapsed=lapsed, actor=actor, now=now)
    made: list[int] = []
    for part in parting.parts:
        promise(part, now=now)
        if part.card:
            made += request(
                queries.list_card_payments(order_id),
                part.card,
                reason=_explained(part)[:500],
                actor=actor,
                now=now,
                registration_id=part.registration.id,
            )
    return Left(made, parting.amount)


def cancel_person(
    registration_id: int,
    *,
    event_id: int,
    how: How = How.OWN,
    amount: int = 0,
    mark: str | None = None,
    reason: str,
    actor: Actor,
    now: datetime,
) -> list[int]:
    """End somebody's place and settle what was paid for it by the rules, or as the organizer decides.

    `amount` is for How.OWN. Where it is not what `mark` stands for nothing is done. Returns the refunds' ids. One
    transaction, and a registration is cancelled once: so is the refund made once. Locks the order. Raises Refused.
    """
    order_id = get_registration(registration_id, event_id=event_id).order_id
    lock_rows(Order, [order_id])
    db.session.expire_all()
    parting = queries.get_ending(registration_id, event_id=event_id, how=how, own=amount, now=now)
    (part,) = parting.parts
    refusal = parting.refusal or (CHANGED if mark not in (None, parting.mark) else None)
    if refusal:
        raise Refused(refusal)
    money = leaving_of(part)
    registration.cancel_paid(
        registration_id, event_id=event_id, money=money, reason=reason, actor=actor, now=now
    )
    promise(part, now=now)
    if not part.card:
        return []
    payments = queries.list_card_payments(order_id)
    return request(
        payments, part.card, reason=reason, actor=actor, now=now, registration_id=registration_id
    )


def leaving_of(part: Part) -> Leaving:
    """Return what is written down and written to people about one who leaves."""
    r, made, terms = part.registration, part.made, part.terms
    plain = Leaving(
        r.id, part.paid, part.card, part.by_hand, by_credit=part.by_credit, to_credit=part.to_credit
    )
    if made is None or terms is None:
        return plain
    currency = r.event.currency
    lines = [(label, show(n, currency)) for label, n in refund_lines(made)]
    why = refund_why(made, terms, currency, r.event.time_zone)
    if part.more:
        more = show(part.more, currency)
        again = _("If somebody takes the place, %(amount)s more comes back by itself.", amount=more)
        why = f"{why} {again}"
    if part.more_credit:
        more = show(part.more_credit, currency)
        again = _(
            "If somebody takes the place, %(amount)s more goes back to the credit.", amount=more
        )
        why = f"{why} {again}"
    until = part.credit_until
    return replace(plain, why=why, lines=lines, credit=part.credit, credit_until=until)


def _explained(part: Part) -> str:
    r = part.registration
    if part.made is None or part.terms is None:
        return _("Cancelled.")
    return explain(part.made, part.terms, r.event.currency, r.event.time_zone)
