"""What a move to another event means in money: the same for the page that shows it and the button."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from regsys.aid.queries import find_award
from regsys.kernel import money, tokens
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.ledger.queries import payments_of, refundable, sums_in
from regsys.payments.queries.attempts import find_holding
from regsys.payments.queries.giving import is_by_card
from regsys.payments.queries.leaving import CONTESTED, PAYING
from regsys.payments.queries.money import Scope
from regsys.payments.rules import not_chargeable
from regsys.policies.rules import Moving, divide, price_move, refund
from regsys.registration import rules
from regsys.registration.models import Order, Registration
from regsys.registration.moved import Destination, list_destinations, terms_of, why_not_move
from regsys.registration.owing import due_later, parts_of
from regsys.registration.queries import amounts_of, costs_of, get_order, refund_facts, totals_of
from regsys.registration.states import UNPAID

NOT_THERE = Refusal(
    "NotThere",
    N_(
        "There is no place free there now, or the rules do not reach so far. Please choose another."
    ),
)

PAYER_MOVES = Refusal(
    "PayerMoves",
    N_("That place costs more, and whoever has paid for you can move you there: please ask them."),
)


@dataclass(frozen=True)
class Way:
    """One place to which somebody can move, and what it means in money."""

    to: Destination
    move: Moving


@dataclass(frozen=True)
class Moves:
    """Where somebody can move, and why they cannot (none: they can)."""

    order: Order
    registration: Registration
    ways: Sequence[Way]
    refusal: Refusal | None

    def find(self, ticket_type_id: int | None) -> Way | None:
        """Find the way to this place."""
        return next((w for w in self.ways if w.to.ticket_type.id == ticket_type_id), None)

    def mark(self, way: Way) -> str:
        """Return what stands for this move and its amounts, and tells nobody what they are."""
        m = way.move
        facts = (
            self.registration.id,
            m.ticket_type_id,
            m.price,
            m.fee,
            m.to_pay,
            m.later,
            m.back,
            m.adjusted,
        )
        return tokens.hash_token(f"{self.order.token}:{facts}")[:24]


def get_moves(
    order_id: int,
    registration_id: int,
    *,
    now: datetime,
    by_organizer: bool = False,
    scope: Scope = None,
) -> Moves:
    """Foresee to where a person of an order can move now, and what is paid or given back for it.

    `by_organizer`: no rule of the place binds them, and no line at events of their `scope`; elsewhere both do.
    """

    def ours(event_id: int) -> bool:
        return by_organizer and (scope is None or event_id in scope)

    order = get_order(order_id)
    r = next(r for r in order.registrations if r.id == registration_id)
    payments = payments_of([order_id])
    sums = sums_in(payments)
    cost, total = costs_of([r.id])[r.id], totals_of([order_id])[order_id]
    cards = sum(refundable(p) for p in payments if p.problem is None and is_by_card(p))
    fee = 0 if by_organizer else terms_of(r).transfer.fee
    refusal = _why_not(order, r, now, by_organizer=by_organizer)
    refusal = refusal or (CONTESTED if sums.disputed else None)
    # Nobody gets more by moving to something cheap than by leaving; organizers may give it.
    most = None if by_organizer else _most(r, cost, sums.paid - sums.refunded - total, now)
    award = find_award(r.id)
    there = [] if refusal else list_destinations(r, now=now, ours=ours)
    # The rests of others are due when they are due.
    net = sums.paid - sums.refunded
    later = due_later(order, total - net, but=[r.id], now=now)
    ways = []
    for to in there:
        along = award.carried(to.event.id, price=to.price, cost=cost) if award else 0
        move = price_move(
            to.event.id, to.ticket_type.id, price=to.price, fee=fee, cost=cost,
            total=total - later, net=net, cards=cards, most=most, adjusted=along,
            parts=parts_of(to.event, to.price - along, now=now),
        )  # fmt: skip
        dropped = award.amount - along if award else 0
        ways.append(Way(to, replace(move, behind=not ours(to.event.id), dropped=dropped)))
    return Moves(order, r, ways, refusal)


def _most(r: Registration, cost: int, spare: int, now: datetime) -> int:
    """Return what giving this place up would give back now."""
    (paid,) = rules.paid_of([cost], spare)
    facts = refund_facts(r)
    made = refund(terms_of(r), amounts_of(r, paid + r.credit_used), now, facts)
    return divide(made.amount, money=paid, credit=r.credit_used, unit=facts.unit).money


def _why_not(order: Order, r: Registration, now: datetime, *, by_organizer: bool) -> Refusal | None:
    if by_organizer:
        refusal = rules.why_not_leave(
            r.state, event=r.event.state, ends_at=r.event.ends_at, now=now
        )
    else:
        refusal = why_not_move(r, now=now)
    if any(x.state in UNPAID for x in order.registrations):
        refusal = refusal or rules.MOVES_ALREADY
    return refusal or (PAYING if find_holding(order.id) else None)


def why_not_way(way: Way | None) -> Refusal | None:
    """Refuse a place that is not there, or a difference that no card can be charged."""
    if way is None:
        return NOT_THERE
    due, currency = way.move.to_pay, way.to.event.currency
    if due and not money.chargeable(due, currency):
        return not_chargeable(due, currency)
    return None
