"""Money by event and by month, and what of it needs the treasurer; always with a constant number of queries."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import case, func, select, text
from sqlalchemy.orm import joinedload

from regsys.events.models import Event
from regsys.kernel.db import db
from regsys.kernel.money import spread
from regsys.ledger.models import Payment, Refund
from regsys.ledger.rules import COUNTED
from regsys.ledger.states import RefundState
from regsys.payments import bookkeeping, books
from regsys.payments import queries as payments
from regsys.payments.books import Books, Odd
from regsys.payments.models import Reconciliation
from regsys.payments.queries import DisputeRow
from regsys.registration.models import LineKind, Order, OrderLine, Registration
from regsys.reports.queries.today import Money, find_money

MOST = 20
BATCH = 500
# What of a comparison other lists of the page say as it is now.
SHOWN_ELSEWHERE = frozenset({"order_over", "refund_failed", "owed_by_hand"})
UNSENT = (RefundState.REQUESTED, RefundState.SUBMITTED)


@dataclass
class Flow:
    """What came, went back and was taken as fees, in minor units; `due` is still to come."""

    gross: int = 0
    refunded: int = 0
    fees: int = 0
    due: int = 0

    @property
    def net(self) -> int:
        """Return what is left."""
        return self.gross - self.refunded - self.fees


@dataclass
class Treasury:
    """Flows by currency, by (month "2027-02", currency) and by (event id, currency), within the chosen month."""

    totals: dict[str, Flow] = field(default_factory=lambda: defaultdict(Flow))
    by_month: dict[tuple[str, str], Flow] = field(default_factory=lambda: defaultdict(Flow))
    by_event: dict[tuple[int, str], Flow] = field(default_factory=lambda: defaultdict(Flow))
    titles: Mapping[int, str] = field(default_factory=dict)

    @property
    def months(self) -> list[str]:
        """Return the months in which money moved, the latest first."""
        return sorted({month for month, _ in self.by_month}, reverse=True)


def find_treasury(*, zone: str, month: str) -> Treasury:
    """Add up all money; `month` ("" for all) narrows everything but the list of months.

    The database adds up; only orders for several events are divided one by one.
    """
    found = Treasury(titles=dict(_titles()))
    weights = _weights()
    for when, currency, event, order, flow in _moves(_months(zone)):
        _add(found.by_month[when, currency], flow)
        if month in ("", when):
            _add(found.totals[currency], flow)
            _share(found, flow, currency, {event: 1} if event else weights.get(order or 0, {}))
    if not month:
        _add_dues(found, weights)
    return found


def _titles() -> Iterator[tuple[int, str]]:
    query = select(Event.id, Event.title).order_by(Event.starts_at.desc(), Event.id)
    yield from ((event_id, title) for event_id, title in db.session.execute(query))


def _months(zone: str) -> list[tuple[datetime, str]]:
    """List the months in which money may have moved as (first moment, "2027-02"), the latest first."""
    came, gone = Payment.received_at, Refund.requested_at
    ends = [select(f(c)).scalar_subquery() for c in (came, gone) for f in (func.min, func.max)]
    moments = [at for at in db.session.execute(select(*ends)).one() if at]
    if not moments:
        return []
    first, last = (m.astimezone(ZoneInfo(zone)) for m in (min(moments), max(moments)))
    numbers = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    starts = [datetime(n // 12, n % 12 + 1, 1, tzinfo=ZoneInfo(zone)) for n in reversed(numbers)]
    return [(at, f"{at:%Y-%m}") for at in starts]


def _moves(
    months: Sequence[tuple[datetime, str]],
) -> Iterator[tuple[str, str, int | None, int | None, Flow]]:
    """Yield sums of payments, and of refunds that count, as (month, currency, event, order, flow).

    `event` is None, and `order` set, where an order is for several events and nobody knows for which of them it is.
    """
    if not months:
        return
    p, of = Payment, _one_event()

    def month_of(at: Any) -> Any:
        return case(*((at >= start, name) for start, name in months), else_=months[-1][1])

    def order_of(event: Any) -> Any:
        return case((event.is_(None), p.order_id))

    fee = func.coalesce(func.sum(p.fee), 0)
    key = (month_of(p.received_at), p.currency, of.c.event, order_of(of.c.event))
    came = select(*key, func.sum(p.amount), fee).join(of, of.c.order_id == p.order_id, isouter=True)
    for when, currency, event, order, amount, fees in db.session.execute(came.group_by(*_at(4))):
        yield when, currency, event, order, Flow(gross=int(amount), fees=int(fees))
    event_of = func.coalesce(Registration.event_id, of.c.event)
    key = (month_of(Refund.requested_at), p.currency, event_of, order_of(event_of))
    gone = (
        select(*key, func.sum(Refund.amount))
        .join(p, p.id == Refund.payment_id)
        .outerjoin(of, of.c.order_id == p.order_id)
        .outerjoin(Registration, Registration.id == Refund.registration_id)
        .where(Refund.state.in_(COUNTED))
    )
    for when, currency, event, order, amount in db.session.execute(gone.group_by(*_at(4))):
        yield when, currency, event, order, Flow(refunded=int(amount))


def _at(count: int) -> list[Any]:
    """Return the first columns of an answer by their place: an expression need not be said twice."""
    return [text(str(n)) for n in range(1, count + 1)]


def _one_event() -> Any:
    """Ask for which event each order is; None: for several."""
    r = Registration
    one = case((func.min(r.event_id) == func.max(r.event_id), func.min(r.event_id)))
    return select(r.order_id, one.label("event")).group_by(r.order_id).subquery()


def _weights() -> dict[int, dict[int, int]]:
    """Return, by order for several events, what its places in each cost before anything was given back.

    An order whose price belongs to nobody in it (a host pays for all) counts by the number of its places.
    """
    r, of = Registration, _one_event()
    query = (
        select(r.order_id, r.event_id, func.count(), func.coalesce(func.sum(OrderLine.amount), 0))
        .join(of, of.c.order_id == r.order_id)
        .outerjoin(
            OrderLine,
            (OrderLine.registration_id == r.id)
            & OrderLine.kind.not_in((LineKind.RETURN, LineKind.KEPT)),
        )
        .where(of.c.event.is_(None))
        .group_by(r.order_id, r.event_id)
        .order_by(r.order_id, r.event_id)
    )
    costs: dict[int, dict[int, int]] = defaultdict(dict)
    places: dict[int, dict[int, int]] = defaultdict(dict)
    for order, event, count, cost in db.session.execute(query):
        costs[order][event], places[order][event] = max(0, int(cost)), int(count)
    return {o: found if any(found.values()) else places[o] for o, found in costs.items()}


def _share(found: Treasury, flow: Flow, currency: str, weights: Mapping[int, int]) -> None:
    parts = [spread(amount, weights) for amount in (flow.gross, flow.refunded, flow.fees)]
    for event in weights:
        gross, refunded, fees = (part[event] for part in parts)
        _add(found.by_event[event, currency], Flow(gross, refunded, fees))


def _add(sums: Flow, flow: Flow) -> None:
    sums.gross += flow.gross
    sums.refunded += flow.refunded
    sums.fees += flow.fees
    sums.due += flow.due


def _add_dues(found: Treasury, weights: Mapping[int, Mapping[int, int]]) -> None:
    """Add what placed orders still owe."""
    p, of, sound = Payment, _one_event(), Payment.problem.is_(None)
    cost = select(OrderLine.order_id, func.sum(OrderLine.amount).label("n"))
    came = select(p.order_id, func.sum(p.amount).label("n")).where(sound)
    gone = select(p.order_id, func.sum(Refund.amount).label("n")).join(Refund).where(sound)
    cost_ = cost.group_by(OrderLine.order_id).subquery()
    came_ = came.group_by(p.order_id).subquery()
    gone_ = gone.where(Refund.state.in_(COUNTED)).group_by(p.order_id).subquery()
    due = cost_.c.n - func.coalesce(came_.c.n, 0) + func.coalesce(gone_.c.n, 0)
    query = select(Order.id, Order.currency, of.c.event, due)
    query = query.join(cost_, cost_.c.order_id == Order.id)
    for part in (came_, gone_, of):
        query = query.outerjoin(part, part.c.order_id == Order.id)
    query = query.where(Order.placed_at.is_not(None), due > 0)
    for order, currency, event, amount in db.session.execute(query):
        _add(found.totals[currency], Flow(due=int(amount)))
        parts = spread(int(amount), {event: 1} if event else weights.get(order, {}))
        for one, part in parts.items():
            _add(found.by_event[one, currency], Flow(due=part))


# ---- what needs the treasurer


@dataclass(frozen=True)
class Action:
    """What needs a hand: odd money, what has to go back or was not sent, disputes, and what Stripe's books say."""

    money: Money
    unsent: Sequence[tuple[Refund, Order]]
    disputes: Sequence[DisputeRow]
    last: Reconciliation | None
    books: Books | None
    books_at: datetime | None

    @property
    def differences(self) -> list[Odd]:
        """Return what differs from Stripe's books; what is owed is known without them, and as it is now."""
        found = [*self.books.odd, *self.books.known] if self.books else []
        return [o for o in found if o.kind not in SHOWN_ELSEWHERE]

    @property
    def count(self) -> int:
        """Return how many things these are."""
        back = (self.money.failed, self.money.owed, self.unsent)
        rows = (*back, self.disputes, self.differences)
        return self.money.odd + sum(map(len, rows))


def find_action(*, now: datetime) -> Action:
    """Find what needs the treasurer, at most MOST of each kind."""
    done = bookkeeping.find_last_finished()
    return Action(
        find_money(None, now=now),
        _unsent(),
        [row for row in payments.list_disputes() if row.is_open],
        bookkeeping.find_last(),
        books.load(done.findings) if done else None,
        done.finished_at if done else None,
    )


def _unsent() -> list[tuple[Refund, Order]]:
    query = (
        payments.with_order(Refund)
        .where(Refund.state.in_(UNSENT))
        .order_by(Refund.requested_at.desc(), Refund.id.desc())
        .limit(MOST)
    )
    return [(refund, order) for refund, order in db.session.execute(query)]


# ---- everything, for a file


@dataclass(frozen=True)
class MoneyRow:
    """One payment, or one refund of it (then `refund` is set)."""

    payment: Payment
    refund: Refund | None
    order: str
    payer: str
    events: str

    @property
    def at(self) -> datetime:
        """Return when it came, or was asked back."""
        return self.refund.requested_at if self.refund else self.payment.received_at


def stream_money() -> Iterator[list[MoneyRow]]:
    """Yield payments, each followed by its refunds, in batches; ends the read transaction after each."""
    last = 0
    while True:
        query = (
            select(Payment, Order)
            .join(Order, Order.id == Payment.order_id)
            .where(Payment.id > last)
            .options(joinedload(Payment.refunds))
            .order_by(Payment.id)
            .limit(BATCH)
        )
        found = [(p, o) for p, o in db.session.execute(query).unique()]
        if not found:
            return
        last = found[-1][0].id
        titles = _titles_of([o.id for _, o in found])
        yield [row for p, o in found for row in _rows(p, o, titles.get(o.id, ""))]
        db.session.expunge_all()
        db.session.rollback()


def _rows(payment: Payment, order: Order, events: str) -> Iterator[MoneyRow]:
    for refund in (None, *payment.refunds):
        yield MoneyRow(payment, refund, order.code, order.payer_name, events)


def _titles_of(order_ids: Sequence[int]) -> dict[int, str]:
    query = (
        select(Registration.order_id, Event.title)
        .join(Event, Event.id == Registration.event_id)
        .where(Registration.order_id.in_(order_ids))
        .distinct()
        .order_by(Registration.order_id, Event.title)
    )
    found: dict[int, list[str]] = defaultdict(list)
    for order, title in db.session.execute(query):
        found[order].append(title)
    return {order: "; ".join(titles) for order, titles in found.items()}


def count_money() -> int:
    """Count the rows of that file."""
    payments = db.session.scalar(select(func.count(Payment.id))) or 0
    return payments + (db.session.scalar(select(func.count(Refund.id))) or 0)
