"""What is done without anybody asking: receipts and credit notes are written, invoices reminded of and closed."""

import logging
from collections.abc import Mapping
from typing import Any

from regsys.billing import queries, services
from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction

log = logging.getLogger(__name__)


def write(payload: Mapping[str, Any]) -> None:
    """Write the papers that money lacks, an order at a time, and note which invoices are paid by it.

    One that fails keeps no other from its own.
    """
    for order_id in queries.list_orders_to_write_about(now=clock.now()):
        try:
            with transaction():
                made = services.write_receipts(order_id, now=clock.now())
                services.tell(order_id, made, now=clock.now())
        except Exception:
            log.exception("the papers of order %s could not be written", order_id)
    for invoice_id in queries.list_paid():
        with transaction():
            services.mark_paid(invoice_id, now=clock.now())


def remind(payload: Mapping[str, Any]) -> None:
    """Remind of invoices that are due soon, or late."""
    for invoice_id in queries.list_to_remind(now=clock.now()):
        with transaction():
            services.remind_when_due(invoice_id, now=clock.now())


def close(payload: Mapping[str, Any]) -> None:
    """Take invoices back of whose people nobody has a place any more."""
    for invoice_id in queries.list_without_people():
        with transaction():
            services.close_if_nobody_comes(invoice_id, now=clock.now())


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
