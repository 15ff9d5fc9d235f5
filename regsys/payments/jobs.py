"""The poller: payments do not depend on Stripe's events arriving."""

import logging
import time
from collections.abc import Mapping
from typing import Any

from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.payments import queries, services
from regsys.payments.gateway import Unreachable
from regsys.payments.settle import execute_refund, process_event, settle
from regsys.web.urls import settings

log = logging.getLogger(__name__)

# Seconds of one round: a job's lease is 60.
ROUND = 40.0


def poll(payload: Mapping[str, Any]) -> None:
    """Ask Stripe about open attempts, then catch up on events and refunds that were cut off."""
    if not settings().STRIPE_SECRET_KEY:
        return
    end = time.monotonic() + ROUND
    now = clock.now()
    for attempt_id in queries.list_to_ask(livemode=settings().livemode, now=now):
        if time.monotonic() > end or not _ask(attempt_id):
            return
    for event_id in queries.list_due_events(now=now):
        if time.monotonic() > end:
            return
        process_event(event_id)
    for refund_id in queries.list_refunds_to_send(now=now):
        if time.monotonic() > end or not _refund(refund_id):
            return


def _ask(attempt_id: int) -> bool:
    """Settle one attempt; return False where Stripe is not there, so that asking on is in vain."""
    try:
        settle(attempt_id=attempt_id)
        return True
    except Exception as e:
        # One attempt that cannot be settled must not keep the others from it.
        log.exception("attempt %s could not be settled", attempt_id)
        with transaction():
            services.note_failure(attempt_id, f"{type(e).__name__}: {e}", now=clock.now())
        return not isinstance(e, Unreachable)


def _refund(refund_id: int) -> bool:
    """Carry out one refund; return False where Stripe is not there."""
    try:
        execute_refund(refund_id)
        return True
    except Exception as e:
        log.exception("refund %s could not be carried out", refund_id)
        return not isinstance(e, Unreachable)


HANDLERS: dict[str, Handler] = {"payments.poll": poll}
PERIODIC = [Periodic("payments.poll", every=60)]
