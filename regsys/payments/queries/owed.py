"""Reading money that is here and belongs to somebody else: orders with more than they cost."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import ColumnElement, Select, exists, func, select

from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.ledger.models import Dispute, Method, Payment, Refund
from regsys.ledger.queries import left_of, payments_of, refundable
from regsys.ledger.rules import COUNTED, HARMLESS
from regsys.ledger.states import RefundState
from regsys.payments.queries.giving import (
    Backing,
    get_order,
    group,
    is_all_in,
    is_by_card,
    ways_back,
)
from regsys.payments.queries.money import WITH_EVENTS, RefundRow, Scope, all_in
from regsys.registration.models import Order, OrderLine, Registration
from regsys.registration.queries import due
from regsys.registration.states import RegistrationState as S


@dataclass(frozen=True)
class OverRow:
    """An order with more counted money than it costs, in minor units; what is contested is not in `over`."""

    order_id: int
    code: str
    currency: str
    price: int
    net: int
    over: int


def list_over(*which: ColumnElement[bool], limit: int = 200) -> list[OverRow]:
    """List orders with more money than they cost, without what card holders contest, the oldest first."""
    sound = Payment.problem.is_(None)
    came = _by_order(Payment.amount).where(sound)
    gone = _by_order(Refund.amount).join(Refund).where(sound, Refund.state.in_(COUNTED))
    hurt = _by_order(Dispute.amount).join(Dispute).where(sound, Dispute.status.not_in(HARMLESS))
    cost = select(OrderLine.order_id, func.sum(OrderLine.amount).label("n"))
    came_, gone_, hurt_ = (q.group_by(Payment.order_id).subquery() for q in (came, gone, hurt))
    cost_ = cost.group_by(OrderLine.order_id).subquery()
    price = func.coalesce(cost_.c.n, 0)
    net = came_.c.n - func.coalesce(gone_.c.n, 0)
    over = net - price - func.coalesce(hurt_.c.n, 0)
    query = select(Order.id, Order.code, Order.currency, price, net, over)
    query = query.join(came_, came_.c.order_id == Order.id)
    for part in (gone_, hurt_, cost_):
        query = query.outerjoin(part, part.c.order_id == Order.id)
    query = query.where(over > 0, *which).order_by(Order.id).limit(limit)
    return [
        OverRow(order_id, code, currency, int(p), int(n), int(o))
        for order_id, code, currency, p, n, o in db.session.execute(query)
    ]


def list_with_failed_refund(order_ids: Sequence[int]) -> set[int]:
    """List those of these orders of which a refund by card has failed."""
    query = select(Payment.order_id).join(Refund).where(Payment.order_id.in_(order_ids))
    failed = query.where(Refund.state == RefundState.FAILED, Refund.method == Method.CARD)
    return set(db.session.scalars(failed))


def list_repaid_places(limit: int) -> list[tuple[str, str, int]]:
    """List orders (code, currency, amount) whose money all went back in Stripe's dashboard, and whose places stay."""
    sound = Payment.problem.is_(None)
    came = _by_order(Payment.amount).where(sound).group_by(Payment.order_id).subquery()
    counted = Refund.state.in_(COUNTED)
    gone = _by_order(Refund.amount).join(Refund).where(sound, counted)
    gone_ = gone.group_by(Payment.order_id).subquery()
    mine = Registration.order_id == Order.id
    there = Payment.order_id == Order.id
    query = (
        select(Order.code, Order.currency, gone_.c.n)
        .join(came, came.c.order_id == Order.id)
        .join(gone_, (gone_.c.order_id == Order.id) & (gone_.c.n >= came.c.n))
        .where(exists().where(mine, Registration.state == S.CONFIRMED, Registration.price > 0))
        .where(exists().where(there, Refund.payment_id == Payment.id, Refund.imported, counted))
        .order_by(Order.id)
        .limit(limit)
    )
    return [(code, currency, int(n)) for code, currency, n in db.session.execute(query)]


def _by_order(amount: Any) -> Select[Any]:
    return select(Payment.order_id, func.sum(amount).label("n")).select_from(Payment)


@dataclass(frozen=True)
class OwedRow:
    """Money that belongs to an order's payer, in minor units, and the payment from which it goes back.

    `by_card` is how much of it can go back through Stripe.
    """

    order: Order
    owed: int
    by_card: int
    payment: Payment


def list_owed(
    scope: Scope = None,
    *,
    event_id: int | None = None,
    but: Sequence[RefundRow] = (),
    limit: int = 200,
) -> list[OwedRow]:
    """List what is to go back and is not on its way, the oldest first; `event_id`: to people of this event only.

    `but` are refunds whose orders are shown already.
    """
    which = [all_in(scope), Order.id.not_in([row.order.id for row in but])]
    if event_id is not None:
        mine = (Registration.order_id == Order.id) & (Registration.event_id == event_id)
        which.append(exists().where(mine))
    found = list_over(*which, limit=limit)
    ids = [row.order_id for row in found]
    query = select(Order).where(Order.id.in_(ids)).options(WITH_EVENTS)
    orders = {o.id: o for o in db.session.scalars(query)}
    came = group(payments_of(ids))
    return [
        _owed(orders[row.order_id], row, came[row.order_id])
        for row in found
        if row.order_id in orders
    ]


def _owed(order: Order, row: OverRow, payments: Sequence[Payment]) -> OwedRow:
    """Take it from the newest payment by card that can go back, or else from the newest."""
    full = [p for p in payments if p.problem is None and left_of(p) > 0]
    cards = [p for p in full if is_by_card(p) and refundable(p)]
    return OwedRow(order, row.over, ways_back(payments, row.price).card, (cards or full)[-1])


def get_backing_by_hand(payment_id: int, scope: Scope) -> Backing:
    """Get what of a payment can be written down as gone back by hand; raise NotFound out of the scope."""
    order_id = db.session.scalar(select(Payment.order_id).where(Payment.id == payment_id))
    if order_id is None:
        raise NotFound(N_("There is no such payment."))
    order = get_order(order_id)
    if not is_all_in(order, scope):
        raise NotFound(N_("There is no such payment."))
    payment = next(p for p in payments_of([order_id]) if p.id == payment_id)
    most = refundable(payment)
    over = most if payment.problem else min(most, due(order_id).over)
    return Backing(order, [payment], most, over or most)


def get_order_of_refund(refund_id: int, scope: Scope) -> int:
    """Get the order whose money a refund gave back; raise NotFound out of the scope."""
    query = select(Payment.order_id).join(Refund).where(Refund.id == refund_id)
    order_id = db.session.scalar(query)
    if order_id is None or not is_all_in(get_order(order_id), scope):
        raise NotFound(N_("There is no such refund."))
    return order_id
