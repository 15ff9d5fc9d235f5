"""Reading payments and refunds, always with a constant number of queries."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import ColumnElement, Select, func, select
from sqlalchemy.orm import selectinload

from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.ledger import rules
from regsys.ledger.models import Payment, Refund


@dataclass(frozen=True)
class Sums:
    """What came and went for one order, in minor units."""

    paid: int = 0
    refunded: int = 0
    quarantined: int = 0

    def balance(self, total: int, *, processing: bool = False) -> rules.Balance:
        """Return the balance of an order that costs `total`."""
        return rules.Balance(total, self.paid, self.refunded, self.quarantined, processing)


def payments_of(order_ids: Sequence[int]) -> list[Payment]:
    """List the payments of these orders with their refunds, oldest first."""
    query = (
        select(Payment)
        .where(Payment.order_id.in_(order_ids))
        .options(selectinload(Payment.refunds))
        .order_by(Payment.received_at, Payment.id)
    )
    return list(db.session.scalars(query))


def sums_of(order_ids: Sequence[int]) -> dict[int, Sums]:
    """Add up the money of these orders; every id has an entry."""
    came = _by_order_and_worth(
        select(Payment.order_id, _is_sound(), func.sum(Payment.amount)), order_ids
    )
    gone = _by_order_and_worth(
        select(Payment.order_id, _is_sound(), func.sum(Refund.amount))
        .join(Refund, Refund.payment_id == Payment.id)
        .where(_counts()),
        order_ids,
    )
    return {
        o: Sums(
            came.get((o, True), 0),
            gone.get((o, True), 0),
            came.get((o, False), 0) - gone.get((o, False), 0),
        )
        for o in order_ids
    }


def sums_in(payments: Sequence[Payment]) -> Sums:
    """Add up payments of one order that are loaded with their refunds; it agrees with `sums_of`."""
    sound = [p for p in payments if p.problem is None]
    odd = [p for p in payments if p.problem is not None]
    given = sum(p.amount - left_of(p) for p in sound)
    return Sums(sum(p.amount for p in sound), given, sum(left_of(p) for p in odd))


def _by_order_and_worth(
    query: Select[int, bool, int], order_ids: Sequence[int]
) -> dict[tuple[int, bool], int]:
    mine = query.where(Payment.order_id.in_(order_ids)).group_by(Payment.order_id, _is_sound())
    return {(order, bool(sound)): int(n) for order, sound, n in db.session.execute(mine)}


def _is_sound() -> ColumnElement[bool]:
    return Payment.problem.is_(None)


def _counts() -> ColumnElement[bool]:
    return Refund.state.in_(rules.COUNTED)


def get_payment(payment_id: int) -> Payment:
    """Get a payment with its refunds; raise NotFound."""
    query = select(Payment).where(Payment.id == payment_id).options(selectinload(Payment.refunds))
    payment = db.session.scalar(query)
    if payment is None:
        raise NotFound(N_("There is no such payment."))
    return payment


def left_of(payment: Payment) -> int:
    """Return how much of a payment can still be given back; its refunds are loaded."""
    return rules.left_of(payment.amount, [(r.state, r.amount) for r in payment.refunds])


def list_with_problem() -> list[Payment]:
    """List payments that need a person: with a problem, and not given back in full, oldest first."""
    given = (
        select(func.coalesce(func.sum(Refund.amount), 0))
        .where(Refund.payment_id == Payment.id, _counts())
        .scalar_subquery()
    )
    query = (
        select(Payment)
        .where(Payment.problem.is_not(None), given < Payment.amount)
        .options(selectinload(Payment.refunds))
        .order_by(Payment.received_at, Payment.id)
    )
    return list(db.session.scalars(query))
