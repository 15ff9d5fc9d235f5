"""Receipts and credit notes of the demo's money, in the order in which it moved."""

from sqlalchemy import func, select

from regsys.billing import services as billing
from regsys.kernel.db import db
from regsys.ledger.models import Payment, Refund


def write_papers() -> None:
    """Write the papers of every order at the time of its last payment or refund."""
    last = func.max(func.coalesce(Refund.requested_at, Payment.received_at))
    query = (
        select(Payment.order_id, last)
        .outerjoin(Refund)
        .where(Payment.problem.is_(None))
        .group_by(Payment.order_id)
        .order_by(last, Payment.order_id)
    )
    for order_id, moment in db.session.execute(query).all():
        billing.write_receipts(order_id, now=moment)
