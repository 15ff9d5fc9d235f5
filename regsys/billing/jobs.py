"""What is done without anybody asking: receipts and credit notes are written, invoices reminded of and closed."""

from collections.abc import Mapping
from typing import Any

from regsys.billing import queries, services
from regsys.jobs.periodic import Handler, Periodic, for_each
from regsys.kernel import clock
from regsys.kernel.db import transaction


def write(payload: Mapping[str, Any]) -> None:
    """Write the papers that money lacks, an order at a time, and note which invoices are paid by it."""

    def write_about(order_id: int) -> None:
        with transaction():
            made = services.write_receipts(order_id, now=clock.now())
            services.tell(order_id, made, now=clock.now())

    def mark_paid(invoice_id: int) -> None:
        with transaction():
            services.mark_paid(invoice_id, now=clock.now())

    for_each(queries.list_orders_to_write_about(now=clock.now()), write_about)
    for_each(queries.list_paid(), mark_paid)


def remind(payload: Mapping[str, Any]) -> None:
    """Remind of invoices that are due soon, or late."""

    def remind_of(invoice_id: int) -> None:
        with transaction():
            services.remind_when_due(invoice_id, now=clock.now())

    for_each(queries.list_to_remind(now=clock.now()), remind_of)


def close(payload: Mapping[str, Any]) -> None:
    """Take invoices back of whose people nobody has a place any more."""

    def close_one(invoice_id: int) -> None:
        with transaction():
            services.close_if_nobody_comes(invoice_id, now=clock.now())

    for_each(queries.list_without_people(), close_one)


HANDLERS: dict[str, Handler] = {
    "billing.write": write,
    "billing.remind": remind,
    "billing.close": close,
}
PERIODIC = [
    Periodic("billing.write", every=15),
    Periodic("billing.remind", every=3600),
    Periodic("billing.close", every=300),
]
