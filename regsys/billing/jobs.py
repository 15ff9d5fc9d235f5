"""What is written without anybody asking: receipts when money came, credit notes when it went back."""

import logging
from collections.abc import Mapping
from typing import Any

from regsys.billing import queries, services
from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction

log = logging.getLogger(__name__)


def write(payload: Mapping[str, Any]) -> None:
    """Write the papers that money lacks, an order at a time; one that fails keeps no other from its own."""
    for order_id in queries.list_orders_to_write_about(now=clock.now()):
        try:
            with transaction():
                made = services.write_receipts(order_id, now=clock.now())
                services.tell(order_id, made, now=clock.now())
        except Exception:
            log.exception("the papers of order %s could not be written", order_id)


HANDLERS: dict[str, Handler] = {"billing.write": write}
PERIODIC = [Periodic("billing.write", every=15)]
