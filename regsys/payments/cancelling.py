"""An event that is called off: everybody is told and repaid, order by order.

This counts as a door, like settle.py. Each order is one transaction; whatever is cut off is found again from the rows:
a registration that is not ended yet, a refund that Stripe has not answered yet.
"""

import logging
import time
from collections.abc import Callable
from datetime import datetime, timedelta

from regsys.kernel import clock, killpoints
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import transaction
from regsys.kernel.errors import NOT_NOW
from regsys.payments import queries, services
from regsys.payments.settle import end_checkout, execute_refund, settle
from regsys.payments.states import HOLDING

log = logging.getLogger(__name__)

# Seconds of one round: a job's lease is 60.
ROUND = 40.0
AGAIN = timedelta(seconds=20)


def call_off(event_ids: list[int]) -> datetime | None:
    """Work for one round on events that are called off; return when to go on, None: everything is done."""
    end = time.monotonic() + ROUND
    ready = [_call_off_one(event_id, end) for event_id in event_ids]
    if all(ready):
        return None
    return clock.now() + (timedelta() if time.monotonic() > end else AGAIN)


def _call_off_one(event_id: int, end: float) -> bool:
    tried = [_try(cancel_order, event_id, o, end) for o in queries.list_orders_to_cancel(event_id)]
    tried += [_try(_send, event_id, r, end) for r in queries.list_refunds_to_make(event_id)]
    if (
        not all(tried)
        or queries.list_orders_to_cancel(event_id)
        or queries.list_refunds_to_make(event_id)
    ):
        return False
    with transaction():
        services.finish_cancellation(event_id, now=clock.now())
    return True


def _try(step: Callable[[int, int], bool], event_id: int, row_id: int, end: float) -> bool:
    """Do one step unless the round is over; what fails is tried again, and keeps nobody else from it."""
    if time.monotonic() > end:
        return False
    try:
        return step(event_id, row_id)
    except Exception:
        log.exception(
            "event %s is called off: %s %s failed",
            event_id,
            getattr(step, "__name__", step),
            row_id,
        )
        return False


def cancel_order(event_id: int, order_id: int) -> bool:
    """End an order's part in an event that is called off; False: a bank's answer must be waited for.

    Raises UpstreamFailed.
    """
    settled = end_checkout(order_id)
    if settled and settled.state in HOLDING:
        return False
    with transaction():
        made = services.cancel_order(event_id, order_id, actor=SYSTEM, now=clock.now())
    if made is None:
        return False
    killpoints.reach("cancellation-committed")
    for refund_id in made:
        execute_refund(refund_id, actor=SYSTEM)
    return True


def _send(event_id: int, refund_id: int) -> bool:
    execute_refund(refund_id, actor=SYSTEM)
    return True


def end_stale_checkout(order_id: int) -> None:
    """End a payment page of an order that asks for more than is due now; where Stripe is away the poller does it."""
    attempt = queries.find_holding(order_id)
    try:
        if attempt:
            settle(attempt_id=attempt.id)
    except NOT_NOW as e:
        log.warning("order %s: its payment page could not be ended: %s", order_id, e)
