"""Reading carts, orders and registrations, always with a constant number of queries."""

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Flask, current_app
from sqlalchemy import (
    ColumnElement,
    Select,
    and_,
    exists,
    false,
    func,
    literal,
    select,
    true,
    union_all,
)
from sqlalchemy.orm import InstrumentedAttribute, joinedload, selectinload

from regsys.capacity.models import Claim
from regsys.events import rules as event_rules
from regsys.events.kinds import Rate
from regsys.events.models import Event, Option, TicketType
from regsys.events.queries import Places, check_visible, price_of, share_of, to_pay
from regsys.kernel import money, tokens
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.ledger import queries as ledger
from regsys.ledger.rules import Balance
from regsys.policies.rules import Amounts, Facts
from regsys.questions.models import Answer, Question
from regsys.registration import rules
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from regsys.registration.queries.held import Ends as Ends
from regsys.registration.queries.held import Held as Held
from regsys.registration.queries.held import alive as alive
from regsys.registration.queries.held import find_held as find_held
from regsys.registration.queries.held import get_held as get_held
from regsys.registration.queries.held import is_order as is_order
from regsys.registration.states import LIVE, UNPAID
from regsys.registration.states import RegistrationState as S

HELP = "regsys.help"
WHOLE = (
    joinedload(Order.registrations).options(
        joinedload(Registration.event).joinedload(Event.venue),
        joinedload(Registration.ticket_type),
    ),
)


# What is read of an event from which places are taken.
FOR_SALE = (
    joinedload(Event.policy),
    joinedload(Event.ticket_types).joinedload(TicketType.prices),
)


def find_order_by_token(token: str) -> Order | None:
    """Find an order by the secret of its link, with its registrations, their events and ticket types."""
    return _one(select(Order).where(Order.token_hash == tokens.hash_token(token)))


def get_order(order_id: int) -> Order:
    """Get an order with its registrations, their events and ticket types; raise NotFound."""
    order = _one(select(Order).where(Order.id == order_id))
    if order is None:
        raise NotFound(N_("There is no such order."))
    return order


def _one(query: Select[Order]) -> Order | None:
    return db.session.scalars(query.options(*WHOLE)).unique().one_or_none()


def list_ends(registration_ids: Sequence[int], *, now: datetime) -> dict[int, datetime | None]:
    """List the registrations that hold places now, with the first end of their claims (None: no end)."""
    query = (
        alive(now)
        .with_only_columns(Claim.registration_id, func.min(Claim.until))
        .where(Claim.registration_id.in_(registration_ids))
        .group_by(Claim.registration_id)
    )
    return {r: until for r, until in db.session.execute(query) if r is not None}


def find_registration_by_token(token: str) -> Registration | None:
    """Find a registration by the secret of its link, with its event, schedule, order and ticket type."""
    wanted = Registration.token_hash == tokens.hash_token(token)
    return db.session.scalar(_whole_registrations().where(wanted))


def get_registration(registration_id: int, *, event_id: int) -> Registration:
    """Get a registration of this event; raise NotFound, also where it belongs to another."""
    wanted = (Registration.id == registration_id, Registration.event_id == event_id)
    registration = db.session.scalar(_whole_registrations().where(*wanted))
    if registration is None:
        raise NotFound(N_("There is no such registration."))
    return registration


def _whole_registrations() -> Select[Registration]:
    return select(Registration).options(
        joinedload(Registration.order),
        joinedload(Registration.ticket_type),
        joinedload(Registration.event).options(
            joinedload(Event.venue), selectinload(Event.sessions)
        ),
    )


# ---- refund rules


def refund_facts(r: Registration) -> Facts:
    """Return what decides about a refund for this person besides the moment; their event is loaded."""
    return Facts(
        r.event.starts_at,
        r.event.time_zone,
        promised_at=r.promised_at,
        unit=money.unit(r.event.currency),
    )


def amounts_of(r: Registration, paid: int) -> Amounts:
    """Divide what was paid for a person (minor units) into taking part and the room."""
    room = min(r.room_part, paid)
    return Amounts(paid - room, room)


# ---- what is on offer


@dataclass(frozen=True)
class Offer:
    """A ticket type as it can be taken now; `left` None means that its places never run out."""

    ticket_type: TicketType
    price: int
    regular: int
    rate: Rate
    left: int | None
    share: event_rules.Share | None = None


def get_event_on_sale(slug: str, *, opened: Collection[int]) -> Event:
    """Get an event that this visitor may see, with its venue, types and prices in one query; raise NotFound."""
    query = select(Event).where(Event.slug == slug).options(joinedload(Event.venue), *FOR_SALE)
    return seen(db.session.scalars(query).unique().one_or_none(), opened)


def seen(event: Event | None, opened: Collection[int]) -> Event:
    """Return the event if this visitor may see it; raise NotFound."""
    return check_visible(event, opened=opened)


def list_offers(event: Event, places: Places, *, now: datetime) -> list[Offer]:
    """List what can be taken now, at the price of this moment."""
    rule = event_rules.EarlyRule(event.early_until, places.early_left)
    share = share_of(event, now)
    offers = []
    for t in event.ticket_types:
        if not t.on_sale or not t.prices:
            continue
        early, full = price_of(t, Rate.EARLY), price_of(t, Rate.REGULAR)
        rate = event_rules.rate_for(rule, early is not None, now)
        regular = full if full is not None else early or 0
        price = early if rate is Rate.EARLY and early is not None else regular
        left = places.left_by_type.get(t.id, places.left)
        offers.append(Offer(t, to_pay(price, share, event.currency), regular, rate, left, share))
    return offers


def list_lines(order_id: int) -> list[OrderLine]:
    """List the lines of an order's price."""
    query = select(OrderLine).where(OrderLine.order_id == order_id).order_by(OrderLine.id)
    return list(db.session.scalars(query))


def list_review(
    order_id: int, answered_by: Collection[int]
) -> tuple[list[OrderLine], dict[int, dict[str, Answer]], bool, bool]:
    """List the lines of an order's price, and what these registrations of it have answered, in one query.

    The last two say whether something can be chosen with its places, and whether a fund could help with the fee.
    """
    mine = (
        Answer.registration_id == OrderLine.registration_id,
        Answer.registration_id.in_(answered_by),
    )
    query = (
        select(OrderLine, Answer, _has_options(order_id), _has_help(order_id))
        .outerjoin(Answer, and_(*mine))
        .where(OrderLine.order_id == order_id)
        .order_by(OrderLine.id, Answer.id)
        .options(joinedload(Answer.question))
    )
    rows: Sequence[Any] = db.session.execute(query).all()
    lines = list(dict.fromkeys(line for line, *_rest in rows))
    found: dict[int, dict[str, Answer]] = {r: {} for r in answered_by}
    for _line, answer, *_rest in rows:
        if answer is not None:
            assert answer.registration_id is not None
            found[answer.registration_id][answer.key] = answer
    return lines, found, bool(rows and rows[0][2]), bool(rows and rows[0][3])


def _has_options(order_id: int) -> ColumnElement[bool]:
    here = select(Registration.event_id).where(Registration.order_id == order_id)
    return exists().where(Option.event_id.in_(here), Option.on_sale)


def use_help(app: Flask, offers_help: Callable[[int], ColumnElement[bool]]) -> None:
    """Let a room above say, as a condition about an order's id, whether help with its fee can be asked for."""
    app.extensions[HELP] = offers_help


def _has_help(order_id: int) -> ColumnElement[bool]:
    offers: Callable[[int], ColumnElement[bool]] | None = current_app.extensions.get(HELP)
    return offers(order_id) if offers else false()


def costs_of(registration_ids: Sequence[int]) -> dict[int, int]:
    """Add up what these persons' places cost: the sum of their lines; every id has an entry."""
    query = (
        select(OrderLine.registration_id, func.sum(OrderLine.amount))
        .where(OrderLine.registration_id.in_(registration_ids))
        .group_by(OrderLine.registration_id)
    )
    found = {r: int(n) for r, n in db.session.execute(query) if r is not None}
    return {r: found.get(r, 0) for r in registration_ids}


def adjusted_of(registration_id: int) -> int:
    """Return by how much this person's price was adjusted for them alone, in minor units."""
    mine = (OrderLine.registration_id == registration_id, OrderLine.kind == LineKind.AWARD)
    return -int(
        db.session.scalar(select(func.coalesce(func.sum(OrderLine.amount), 0)).where(*mine)) or 0
    )


def totals_of(order_ids: Sequence[int]) -> dict[int, int]:
    """Add up what these orders cost: the sum of all their lines; every id has an entry."""
    query = (
        select(OrderLine.order_id, func.sum(OrderLine.amount))
        .where(OrderLine.order_id.in_(order_ids))
        .group_by(OrderLine.order_id)
    )
    found: dict[int, int] = {o: int(n) for o, n in db.session.execute(query)}
    return {o: found.get(o, 0) for o in order_ids}


def owes(order_id: InstrumentedAttribute[int]) -> ColumnElement[bool]:
    """Say that an order owes something: it costs more than what came for it and did not go back."""
    cost = select(func.coalesce(func.sum(OrderLine.amount), 0)).where(
        OrderLine.order_id == order_id
    )
    came, gone, *_rest = ledger.sums_columns(order_id)
    return cost.scalar_subquery() > came - gone


def balances_of(order_ids: Sequence[int]) -> dict[int, Balance]:
    """Return how these orders stand in money."""
    costs = select(literal("costs"), OrderLine.order_id, true(), func.sum(OrderLine.amount))
    costs = costs.where(OrderLine.order_id.in_(order_ids)).group_by(OrderLine.order_id)
    first = select(literal("first"), Registration.order_id, true(), func.sum(Registration.deposit))
    first = first.where(Registration.order_id.in_(order_ids), Registration.state.in_(LIVE))
    first = first.where(Registration.deposit.is_not(None)).group_by(Registration.order_id)
    rows: Sequence[Any] = db.session.execute(
        union_all(*ledger.ask_sums(order_ids), costs, first)
    ).all()
    sums = ledger.read_sums(rows, order_ids)
    more = {(what, order): int(n) for what, order, _sound, n in rows if what in ("costs", "first")}
    return {
        o: sums[o].balance(more.get(("costs", o), 0), deposit=more.get(("first", o), 0))
        for o in order_ids
    }


def due(order_id: int) -> Balance:
    """Return how an order stands in money."""
    return balances_of([order_id])[order_id]


def count_confirmed(event_id: int) -> int:
    """Count the people who have a place in an event for good."""
    mine = (Registration.event_id == event_id, Registration.state == S.CONFIRMED)
    return db.session.scalar(select(func.count()).select_from(Registration).where(*mine)) or 0


def list_live_emails(event_id: int, email_keys: Sequence[str]) -> list[Registration]:
    """List the live registrations of an event under these addresses (casefolded), with their orders."""
    query = (
        select(Registration)
        .where(Registration.event_id == event_id, Registration.email_key.in_(email_keys))
        .where(Registration.state.in_(LIVE))
        .options(joinedload(Registration.order))
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(query))


def list_live_keys(
    event_ids: Iterable[int], email_keys: Sequence[str]
) -> set[tuple[int, str | None]]:
    """List which of these addresses have a live registration, as (event id, address) pairs."""
    query = select(Registration.event_id, Registration.email_key).where(
        Registration.event_id.in_(set(event_ids)),
        Registration.email_key.in_(email_keys),
        Registration.state.in_(LIVE),
    )
    return {(event_id, key) for event_id, key in db.session.execute(query)}


def list_lapsed_order_ids(*, now: datetime, limit: int = 200) -> list[int]:
    """List orders with an unpaid registration that no longer holds its places."""
    held = alive(now).where(Claim.registration_id == Registration.id)
    query = (
        select(Registration.order_id)
        .where(Registration.state.in_(UNPAID), ~held.exists())
        .distinct()
        .order_by(Registration.order_id)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def list_forgettable_order_ids(*, now: datetime, limit: int = 200) -> list[int]:
    """List carts that were never placed, hold nothing, and are older than what is typed is kept."""
    live = select(Registration.id).where(
        Registration.order_id == Order.id, Registration.state.in_(LIVE)
    )
    query = (
        select(Order.id)
        .where(Order.placed_at.is_(None), Order.created_at < now - rules.FORGET_AFTER)
        .where(~live.exists())
        .order_by(Order.id)
        .limit(limit)
    )
    return list(db.session.scalars(query))


def list_ended_event_ids(*, now: datetime) -> list[int]:
    """List events that are over and have private answers with a time to be deleted."""
    query = (
        select(Event.id)
        .join(Question, Question.event_id == Event.id)
        .join(Answer, Answer.question_id == Question.id)
        .where(Event.ends_at < now, Question.sensitive, Question.delete_after_days.is_not(None))
        .distinct()
        .order_by(Event.id)
    )
    return list(db.session.scalars(query))
