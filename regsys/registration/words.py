"""How things stand, in words: for pages, letters and lists."""

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from flask_babel import gettext as _

from regsys.events.kinds import Rate
from regsys.events.models import Event
from regsys.events.queries import Places
from regsys.events.words import share_words
from regsys.kernel.text import N_
from regsys.ledger.rules import Balance
from regsys.policies.words import RefundTable, row_when, row_words, table_of
from regsys.questions import types
from regsys.questions.models import Question
from regsys.registration import queries
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from regsys.registration.queries import Offer
from regsys.registration.rules import OrderState
from regsys.registration.states import RegistrationState as S
from regsys.web.html import day, deadline, money

# State → word, shape and tone of the chip.
Chip = tuple[str, str, str]

STATES: dict[S, Chip] = {
    S.DRAFT: (N_("Not placed yet"), "held", ""),
    S.AWAITING_PAYMENT: (N_("Waiting for payment"), "held", "warn"),
    S.CONFIRMED: (N_("Confirmed"), "full", "good"),
    S.CANCELLED: (N_("Cancelled"), "over", ""),
    S.TRANSFERRED: (N_("Handed over or moved"), "over", ""),
    S.EXPIRED: (N_("Let go"), "over", ""),
}

ORDERS: dict[OrderState, Chip] = {
    OrderState.TO_PAY: (N_("Waiting for payment"), "held", "warn"),
    OrderState.PAYING: (N_("Payment under way"), "held", "warn"),
    OrderState.PARTLY: (N_("Confirmed, not paid in full"), "held", "warn"),
    OrderState.CONFIRMED: (N_("Confirmed"), "full", "good"),
    OrderState.EXPIRED: (N_("Let go"), "over", ""),
    OrderState.CANCELLED: (N_("Cancelled"), "over", ""),
}


def person_chip(r: Registration) -> Chip:
    """Return word, shape and tone of a registration's state."""
    word, shape, tone = STATES[r.state]
    return _(word), shape, tone


def order_chip(state: OrderState, balance: Balance) -> Chip:
    """Return word, shape and tone of an order's state; a confirmed one says whether money came."""
    if state is OrderState.CONFIRMED and balance.paid:
        return _("Confirmed and paid"), "full", "good"
    word, shape, tone = ORDERS[state]
    return _(word), shape, tone


def order_title(state: OrderState, order: Order, own: Registration | None) -> str:
    """Return the heading of the payer's page."""
    if state is OrderState.CONFIRMED:
        return (
            _("You have a place, %(name)s", name=own.first_name)
            if own
            else _("Everything is confirmed")
        )
    if order.offered and state is OrderState.TO_PAY:
        return _("A place is held for you")
    several = len(order.registrations) > 1
    titles = {
        OrderState.TO_PAY: N_("Your places are held: now the payment")
        if several
        else N_("Your place is held: now the payment"),
        OrderState.PAYING: N_("Your payment is not here yet"),
        OrderState.PARTLY: N_("Confirmed, and something is still to pay"),
        OrderState.EXPIRED: N_("The places were let go") if several else N_("The place was let go"),
        OrderState.CANCELLED: N_("This order was cancelled"),
    }
    return _(titles[state])


def person_words(r: Registration) -> str:
    """Return one sentence about a person's part, without any answer of theirs."""
    if r.state in (S.CANCELLED, S.EXPIRED, S.TRANSFERRED):
        return r.end_reason
    if r.answered_at:
        return _("All questions are answered.")
    if r.state is S.CONFIRMED:
        return _("Questions are still open: %(email)s has a letter with the link.", email=r.email)
    return _("They get their own letter with the questions.")


def line_name(line: OrderLine, order: Order) -> str:
    """Return what a line of the price is about."""
    r = next((r for r in order.registrations if r.id == line.registration_id), None)
    if r is None:
        return _("Order %(code)s", code=order.code)
    titles = {
        LineKind.RETURN: N_("Given back: %(name)s"),
        LineKind.OPTION: N_("Chosen with it: %(name)s"),
        LineKind.DISCOUNT: N_("By a code: %(name)s"),
        LineKind.AWARD: N_("Adjusted: %(name)s"),
    }
    if line.kind in titles:
        return _(titles[line.kind], name=r.name)
    return f"{r.ticket_type.name}: {r.name}"


def lines_by_person(lines: Sequence[OrderLine]) -> dict[int, list[OrderLine]]:
    """Return the lines of a price by the registration that they are for; the place itself comes first."""
    found: dict[int, list[OrderLine]] = {}
    for line in sorted(lines, key=lambda x: x.kind is not LineKind.PLACE):
        if line.registration_id is not None:
            found.setdefault(line.registration_id, []).append(line)
    return found


def proof_words(proof: Mapping[str, Any] | None) -> str:
    """Return what was shown for a price, as it was on that day; empty where nothing was asked."""
    if not proof:
        return ""
    if proof["kind"] == "by_hand":
        return _("Given by %(name)s", name=proof["by"])
    if proof["kind"] == "trainee":
        if proof.get("by"):
            return _(
                "In training: “%(said)s”, accepted by %(by)s", said=proof["said"], by=proof["by"]
            )
        if proof.get("refused_by"):
            return _(
                "In training: “%(said)s”, not accepted by %(by)s",
                said=proof["said"],
                by=proof["refused_by"],
            )
        return _("In training: “%(said)s”, to be looked at", said=proof["said"])
    until = day(date.fromisoformat(proof["until"]))
    return _("Member %(number)s, until %(day)s", number=proof["number"], day=until)


def offer_words(offer: Offer, event: Event, places: Places) -> str:
    """Return why a place costs what it costs now, and how many are left where that is less than in all."""
    about = offer.ticket_type.description.strip()
    parts = [
        about if about.endswith(".") or not about else f"{about}.",
        _early(offer, event, places),
    ]
    if offer.share:
        parts.append(share_words(offer.share))
    if offer.left == 0:
        parts.append(_("All taken or held at the moment."))
    elif offer.left is not None and offer.left != places.left:
        parts.append(_("%(n)s of these are left.", n=offer.left))
    return " ".join(p for p in parts if p)


def _early(offer: Offer, event: Event, places: Places) -> str:
    if offer.rate is not Rate.EARLY:
        return ""
    regular = money(offer.regular, event.currency)
    if places.early_left is not None:
        return _(
            "Early price, %(left)s of %(total)s left; the regular price is %(regular)s.",
            left=places.early_left,
            total=places.early_total,
            regular=regular,
        )
    if event.early_until:
        until = deadline(event.early_until, event.time_zone)
        return _(
            "Early price until %(until)s; then it is %(regular)s.", until=until, regular=regular
        )
    return ""


def refund_tables(
    registrations: Sequence[Registration], costs: Mapping[int, int] | None = None
) -> list[tuple[Event, RefundTable]]:
    """Return what comes back by date: for each event a table, with a column for each price that is not nothing.

    What a credit pays is a part of the price: it comes back in its share, as the credit. `costs`: what the places cost
    by now, by registration, where some of it may have been given back or put on since they were taken.
    """
    costs = costs or {}
    groups: dict[tuple[int, int], list[Registration]] = {}
    for r in registrations:
        if r.policy and costs.get(r.id, r.price) + r.credit_used:
            groups.setdefault((r.event_id, r.policy.id), []).append(r)
    tables = []
    for mine in groups.values():
        whole = {r.id: costs.get(r.id, r.price) + r.credit_used for r in mine}
        prices = {(whole[r.id], r.room_part): queries.amounts_of(r, whole[r.id]) for r in mine}
        one = len(prices) == 1
        heads = [
            ("" if one else _("of %(price)s", price=money(a.total, mine[0].event.currency)), a)
            for a in prices.values()
        ]
        first = mine[0]
        if first.policy:
            facts = queries.refund_facts(first)
            made = table_of(first.policy, heads, facts, first.event.currency)
            tables.append((first.event, made))
    return tables


def refund_rows(r: Registration) -> list[tuple[str, str, str]]:
    """Return what comes back of one price by date, for letters: when, how much, and the rule in words."""
    return [
        (row_when(row, t.zone), money(row.refunds[0].amount, t.currency), row_words(row, t))
        for _event, t in refund_tables([r])
        for row in t.rows
    ]


def answer_words(question: Question, stored: Any) -> str:
    """Return an answer for people."""
    return types.show(question, stored)
