"""Letters about money that does not go the straight way; each once, in the transaction that makes it true."""

from datetime import datetime
from typing import Any

from flask_babel import gettext as _

from regsys.discounts.models import Code
from regsys.kernel.money import show
from regsys.ledger.models import Refund
from regsys.ledger.states import Problem
from regsys.outbox import services as outbox
from regsys.outbox.compose import compose
from regsys.payments.models import PaymentAttempt
from regsys.policies.rules import Stage
from regsys.registration.mail import papers_link, rows_of, send_to_payer
from regsys.registration.models import Order, Registration
from regsys.web import html
from regsys.web.urls import absolute, settings


def send_money_back(order: Order, refund: Refund, problem: Problem, *, now: datetime) -> None:
    """Tell the payer that money which found no place, or came twice, goes back by itself."""
    twice = problem is Problem.DOUBLE
    amount = show(refund.amount, refund.currency)
    _to_payer(
        "money_back",
        order,
        key=f"money-back:{refund.payment_id}",
        subject=_("You get %(amount)s back", amount=amount),
        context={"amount": amount, "twice": twice},
        now=now,
    )


def send_processing(order: Order, attempt: PaymentAttempt, *, now: datetime) -> None:
    """Tell the payer that the bank needs some days, and that the places are kept meanwhile."""
    _to_payer(
        "processing",
        order,
        key=f"processing:{attempt.id}",
        subject=_("Your payment is on its way"),
        context={"amount": show(attempt.amount, attempt.currency)},
        now=now,
    )


def send_failed(order: Order, attempt: PaymentAttempt, *, until: datetime, now: datetime) -> None:
    """Tell the payer that the bank said no, how long the places are kept, and where to try again."""
    zone = order.registrations[0].event.time_zone
    _to_payer(
        "failed",
        order,
        key=f"payment-failed:{attempt.id}",
        subject=_("Your payment did not go through"),
        context={
            "amount": show(attempt.amount, attempt.currency),
            "until": html.when(until, zone),
        },
        now=now,
    )


def send_rest_paid(order: Order, attempt: PaymentAttempt, *, left: int, now: datetime) -> None:
    """Tell the payer that money for what was still open has come."""
    amount = show(attempt.amount, attempt.currency)
    _to_payer(
        "rest_paid",
        order,
        key=f"rest-paid:{attempt.id}",
        subject=_("%(amount)s has arrived", amount=amount),
        context={"amount": amount, "left": show(left, order.currency) if left else ""},
        now=now,
    )


def send_rest(
    order: Order,
    first: Registration,
    stage: Stage,
    *,
    owed: int,
    times: int,
    ends: datetime | None,
    now: datetime,
) -> None:
    """Remind the payer of a rest: before it is due, when it is, before the place is let go, or (`times`) once more."""
    at, zone = first.rest_at or now, first.event.time_zone
    amount = show(owed, order.currency)
    subjects = {
        Stage.SOON: _("%(amount)s is due soon: %(title)s", amount=amount, title=first.event.title),
        Stage.LAST: _("Your place is let go soon: %(title)s", title=first.event.title),
    }
    is_due = _("%(amount)s is due: %(title)s", amount=amount, title=first.event.title)
    _to_payer(
        "rest",
        order,
        key=f"rest:{order.id}:{at:%Y%m%d}:{stage}{times or ''}",
        subject=subjects.get(stage, is_due),
        context={
            "stage": stage,
            "amount": amount,
            "until": html.deadline(at, zone),
            "end": html.deadline(ends, zone) if ends else "",
            "deposit": first.deposit is not None,
            "title": first.event.title,
        },
        now=now,
    )


def send_refilled(
    order: Order, gone: Registration, *, card: int, by_hand: int, now: datetime, to_credit: int = 0
) -> None:
    """Tell the payer that somebody has taken a place, and what comes back for it, also to a credit."""
    amount = show(card + by_hand + to_credit, order.currency)
    _to_payer(
        "refilled",
        order,
        key=f"refilled:{gone.id}",
        subject=_("You get %(amount)s back", amount=amount),
        context={
            "amount": amount,
            "name": gone.name,
            "title": gone.event.title,
            "card": show(card, order.currency) if card else "",
            "by_hand": show(by_hand, order.currency) if by_hand else "",
            "to_credit": show(to_credit, order.currency) if to_credit else "",
            "credit": _credit_words(gone.credit),
        },
        now=now,
    )


def _credit_words(credit: Code | None) -> str:
    if credit is None or credit.amount is None:
        return ""
    if credit.ended_at:
        return _("The credit %(code)s ends with it.", code=credit.code)
    amount = show(credit.amount, credit.currency)
    return _(
        "Of what was kept, %(amount)s counts as credit %(code)s.", amount=amount, code=credit.code
    )


def _to_payer(
    kind: str, order: Order, *, key: str, subject: str, context: dict[str, Any], now: datetime
) -> None:
    send_to_payer(
        f"payments/mail_{kind}",
        order,
        kind=f"payment_{kind}",
        key=key,
        subject=subject,
        links=papers_link(order),
        context={"rows_of": rows_of, "people": order.registrations, **context},
        now=now,
    )


def send_refund_failed(order: Order, refund: Refund, *, why: str, now: datetime) -> None:
    """Tell the organizers that money which was to go back did not arrive."""
    known = settings()
    draft = compose(
        "payments/mail_refund_failed",
        key=f"refund-failed:{refund.id}",
        kind="refund_failed",
        to=(known.ORGANISATION_NAME, known.ORGANISATION_EMAIL or known.MAIL_DEFAULT_SENDER),
        subject=_("A refund did not arrive: order %(code)s", code=order.code),
        context={
            "order": order,
            "amount": show(refund.amount, refund.currency),
            "reason": why,
            "url": absolute("payments_organizer.money"),
        },
        order_id=order.id,
    )
    outbox.enqueue(draft, now=now)
