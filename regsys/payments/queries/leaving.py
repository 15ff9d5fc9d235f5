"""What happens to the money of people who give their places up: the same for the page that shows it and the button."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from regsys.kernel import tokens
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.ledger.queries import payments_of, refundable, sums_in
from regsys.payments.queries.attempts import find_holding
from regsys.payments.queries.giving import is_by_card
from regsys.policies.rules import (
    Cause,
    How,
    Refund,
    Terms,
    carried_over,
    credit_until,
    divide,
    read,
    refund,
    settle,
)
from regsys.registration import rules
from regsys.registration.models import Order, Registration
from regsys.registration.queries import (
    amounts_of,
    costs_of,
    get_order,
    get_registration,
    refund_facts,
    totals_of,
)
from regsys.registration.states import UNPAID

NO_RULES = Refusal(
    "NoRefundRules",
    N_("What comes back is not settled by a rule here. Please write to us, and a person answers."),
)
NO_RULES_HERE = Refusal(
    "NoRulesOfPlace",
    N_("No refund rules stand with this place. Choose how much goes back, or nothing."),
)
MORE_THAN_CAME = Refusal(
    "MoreThanCame", N_("That is more than was paid for this place. Choose a smaller amount.")
)
CONTESTED = Refusal(
    "Contested",
    N_(
        "The card holder contests a payment of this order. Please write to us, and a person looks at it."
    ),
)
CONTESTED_HERE = Refusal(
    "ContestedPayment",
    N_(
        "The card holder contests a payment of this order, so no money goes back now. "
        "Settle that first, or end the place with nothing back."
    ),
)
PAYING = Refusal(
    "PaymentOpen",
    N_(
        "A payment page is open for this order. Finish it, or wait until it has closed: "
        "that takes about half an hour."
    ),
)


@dataclass(frozen=True)
class Part:
    """One person who leaves: what was paid, what goes back to the card and by hand, and the rule (none: nothing).

    `more` goes back besides, if somebody takes the place before the event begins. Of what is kept `credit` counts for
    an event that begins before `credit_until`. A credit may have paid a part of the price (`by_credit`):
    `to_credit` goes back to it, and `more_credit` besides if somebody takes the place.
    """

    registration: Registration
    paid: int
    card: int = 0
    by_hand: int = 0
    made: Refund | None = None
    terms: Terms | None = None
    more: int = 0
    credit: int = 0
    credit_until: datetime | None = None
    by_credit: int = 0
    to_credit: int = 0
    more_credit: int = 0

    @property
    def amount(self) -> int:
        return self.card + self.by_hand

    @property
    def value(self) -> int:
        return self.paid + self.by_credit


@dataclass(frozen=True)
class Parting:
    """People of one order who leave together, and what comes back; `refusal`: why they cannot here."""

    order: Order
    parts: Sequence[Part]
    refusal: Refusal | None

    @property
    def amount(self) -> int:
        return sum(p.amount for p in self.parts)

    @property
    def card(self) -> int:
        return sum(p.card for p in self.parts)

    @property
    def by_hand(self) -> int:
        return sum(p.by_hand for p in self.parts)

    @property
    def paid(self) -> int:
        return sum(p.paid for p in self.parts)

    @property
    def to_credit(self) -> int:
        return sum(p.to_credit for p in self.parts)

    @property
    def value(self) -> int:
        return sum(p.value for p in self.parts)

    @property
    def mark(self) -> str:
        """Return what stands for who leaves and what comes back, and tells nobody the amount."""
        who = ",".join(str(p.registration.id) for p in self.parts)
        parts = [
            (p.card, p.by_hand, p.credit, p.to_credit, p.more, p.more_credit) for p in self.parts
        ]
        sums = ":".join(str(sum(column)) for column in zip(*parts, strict=True))
        return tokens.hash_token(f"{self.order.token}:{who}:{sums}")[:24]


def get_parting(
    order_id: int,
    registration_ids: Sequence[int],
    *,
    now: datetime,
    cause: Cause = Cause.ATTENDEE,
) -> Parting:
    """Foresee what happens if these people of an order leave now; ids of others are passed over."""
    order = get_order(order_id)
    parts, contested = _foresee(
        order, registration_ids, lambda r, paid, cards: _part(r, paid, cards, now, cause)
    )
    refusal = _why_not(parts, now) or (CONTESTED if contested else None)
    return Parting(order, parts, refusal or (PAYING if find_holding(order_id) else None))


def get_ending(
    registration_id: int, *, event_id: int, how: How, own: int = 0, now: datetime
) -> Parting:
    """Foresee what happens if an organizer ends somebody's place now, settled by the rules or as they decide.

    `own` is the amount for How.OWN (minor units). By the rules it is what the person would get by leaving; whoever
    still has a place when the event is over did not come.
    """
    r = get_registration(registration_id, event_id=event_id)
    order = get_order(r.order_id)
    cause = Cause.NO_SHOW if now >= r.event.ends_at else Cause.ATTENDEE

    def settled(r: Registration, paid: int, cards: int) -> Part:
        if how is How.RULES:
            return _part(r, paid, cards, now, cause)
        back = settle(how, own, money=paid, credit=r.credit_used)
        card = min(back.money, cards)
        return Part(
            r, paid, card, back.money - card, by_credit=r.credit_used, to_credit=back.credit
        )

    parts, contested = _foresee(order, [r.id], settled)
    (part,) = parts
    refusal = None
    if how is How.RULES and part.paid and part.made is None:
        refusal = NO_RULES_HERE
    elif how is How.OWN and own > part.value:
        refusal = MORE_THAN_CAME
    elif contested and part.amount:
        refusal = CONTESTED_HERE
    return Parting(order, parts, refusal)


# Somebody, what was paid for them and what can go back to cards (minor units) in, and what becomes of it out.
Share = Callable[[Registration, int, int], Part]


def _foresee(order: Order, ids: Sequence[int], share: Share) -> tuple[list[Part], bool]:
    """Share out what was paid for these people of an order; the last tells whether a payment of it is contested."""
    gone = [r for r in order.registrations if r.id in ids]
    payments = payments_of([order.id])
    sums = sums_in(payments)
    costs = costs_of([r.id for r in gone])
    # A move that is not paid yet ends with the place that it begins from.
    moves = [m.id for m in order.registrations if m.state in UNPAID and m.moved_from_id in ids]
    total = totals_of([order.id])[order.id] - (sum(costs_of(moves).values()) if moves else 0)
    paid = rules.paid_of([costs[r.id] for r in gone], sums.paid - sums.refunded - total)
    cards = sum(refundable(p) for p in payments if p.problem is None and is_by_card(p))
    parts = []
    for r, mine in zip(gone, paid, strict=True):
        part = share(r, mine, cards)
        cards -= part.card
        parts.append(part)
    return parts, sums.disputed > 0


def _part(r: Registration, paid: int, cards: int, now: datetime, cause: Cause) -> Part:
    by_credit = r.credit_used
    if not paid + by_credit:
        return Part(r, paid)
    if r.policy is None:
        # No rule says that anything of a credit is kept.
        return Part(r, paid, by_credit=by_credit, to_credit=by_credit)
    terms = read(r.policy.body)
    facts = replace(refund_facts(r), cause=cause)
    made = refund(terms, amounts_of(r, paid + by_credit), now, facts)
    again = refund(terms, amounts_of(r, paid + by_credit), now, replace(facts, refilled=True))
    back, then = (
        divide(m.amount, money=paid, credit=by_credit, unit=facts.unit) for m in (made, again)
    )
    card = min(back.money, cards)
    until = credit_until(terms, starts_at=facts.starts_at, zone=facts.zone)
    return Part(
        r,
        paid,
        card,
        back.money - card,
        made,
        terms,
        more=max(0, then.money - back.money),
        credit=carried_over(terms, made) if until > now else 0,
        credit_until=until,
        by_credit=by_credit,
        to_credit=back.credit,
        more_credit=max(0, then.credit - back.credit),
    )


def _why_not(parts: Sequence[Part], now: datetime) -> Refusal | None:
    """Return the first reason why one of these cannot leave here."""
    for part in parts:
        r = part.registration
        refusal = rules.why_not_leave(
            r.state, event=r.event.state, ends_at=r.event.ends_at, now=now
        )
        if refusal:
            return refusal
        if part.paid and part.made is None:
            return NO_RULES
    return None
