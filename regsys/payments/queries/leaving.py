"""What happens to the money of people who give their places up: the same for the page that shows it and the button."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from regsys.kernel import tokens
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.ledger.queries import payments_of, refundable, sums_in
from regsys.payments.queries.attempts import find_holding
from regsys.payments.queries.giving import is_by_card
from regsys.policies.rules import Cause, Refund, Terms, carried_over, credit_until, read, refund
from regsys.registration import rules
from regsys.registration.models import Order, Registration
from regsys.registration.queries import amounts_of, costs_of, get_order, refund_facts, totals_of
from regsys.registration.states import UNPAID

NO_RULES = Refusal(
    "NoRefundRules",
    N_("What comes back is not settled by a rule here. Please write to us, and a person answers."),
)
CONTESTED = Refusal(
    "Contested",
    N_(
        "The card holder contests a payment of this order. Please write to us, and a person looks at it."
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
    an event that begins before `credit_until`.
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

    @property
    def amount(self) -> int:
        return self.card + self.by_hand


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
    def mark(self) -> str:
        """Return what stands for who leaves and what comes back, and tells nobody the amount."""
        who = ",".join(str(p.registration.id) for p in self.parts)
        credits = sum(p.credit for p in self.parts)
        return tokens.hash_token(f"{self.order.token}:{who}:{self.amount}:{credits}")[:24]


def get_parting(
    order_id: int,
    registration_ids: Sequence[int],
    *,
    now: datetime,
    cause: Cause = Cause.ATTENDEE,
) -> Parting:
    """Foresee what happens if these people of an order leave now; ids of others are passed over."""
    order = get_order(order_id)
    gone = [r for r in order.registrations if r.id in registration_ids]
    payments = payments_of([order_id])
    sums = sums_in(payments)
    costs = costs_of([r.id for r in gone])
    # A move that is not paid yet ends with the place that it begins from.
    moves = [
        m.id
        for m in order.registrations
        if m.state in UNPAID and m.moved_from_id in registration_ids
    ]
    total = totals_of([order_id])[order_id] - (sum(costs_of(moves).values()) if moves else 0)
    spare = sums.paid - sums.refunded - total
    paid = rules.paid_of([costs[r.id] for r in gone], spare)
    cards = sum(refundable(p) for p in payments if p.problem is None and is_by_card(p))
    parts = []
    for r, mine in zip(gone, paid, strict=True):
        part = _part(r, mine, cards, now, cause)
        cards -= part.card
        parts.append(part)
    refusal = _why_not(parts, now) or (CONTESTED if sums.disputed else None)
    return Parting(order, parts, refusal or (PAYING if find_holding(order_id) else None))


def _part(r: Registration, paid: int, cards: int, now: datetime, cause: Cause) -> Part:
    if not paid or r.policy is None:
        return Part(r, paid)
    terms = read(r.policy.body)
    facts = replace(refund_facts(r), cause=cause)
    made = refund(terms, amounts_of(r, paid), now, facts)
    again = refund(terms, amounts_of(r, paid), now, replace(facts, refilled=True))
    card = min(made.amount, cards)
    more = max(0, again.amount - made.amount)
    until = credit_until(terms, starts_at=facts.starts_at, zone=facts.zone)
    credit = carried_over(terms, made) if until > now else 0
    return Part(r, paid, card, made.amount - card, made, terms, more, credit, until)


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
