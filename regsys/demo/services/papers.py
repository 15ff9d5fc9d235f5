"""Papers of the demo's money, in the order in which it moved, and the invoices that are open."""

from typing import Any

from sqlalchemy import func, select

from regsys.billing import services as billing
from regsys.billing.paper import Addressee
from regsys.demo.services.calendar import Calendar
from regsys.events.kinds import InvoiceTerms
from regsys.kernel.actors import payer
from regsys.kernel.db import db
from regsys.ledger.models import Payment, Refund
from regsys.registration.models import Order
from regsys.registration.queries import due


def write_papers(data: dict[str, Any], orders: dict[str, Order], calendar: Calendar) -> None:
    """Write receipts and credit notes at the time of an order's last money, and invoices of which all is open."""
    last = func.max(func.coalesce(Refund.requested_at, Payment.received_at))
    query = (
        select(Payment.order_id, last)
        .outerjoin(Refund)
        .where(Payment.problem.is_(None))
        .group_by(Payment.order_id)
        .order_by(last, Payment.order_id)
    )
    paid = db.session.execute(query).all()
    for order_id, moment in paid:
        billing.write_receipts(order_id, now=moment)
    cities = {w["id"]: w.get("city", "") for w in data["workplaces"]}
    done = {order_id for order_id, _moment in paid}
    for row in data["orders"]:
        order = orders[row["code"]]
        if row.get("method") == "invoice" and row.get("dues") and order.id not in done:
            _write_invoice(row, order, cities.get(row["payer"].get("workplace"), ""), calendar)


def _write_invoice(row: dict[str, Any], order: Order, city: str, calendar: Calendar) -> None:
    until = calendar.end_of(row["dues"][0]["due_on"], "America/Los_Angeles")
    assert until
    now = calendar.moment(row["documents"][0]["issued_at"])
    billing.write_invoice(
        order.id,
        Addressee(row["payer"]["name"], city, row.get("po_number", "")),
        terms=billing.Terms(InvoiceTerms.CONFIRMED, until, due(order.id).due),
        email=order.email,
        actor=payer(order.payer_name),
        now=now,
    )
