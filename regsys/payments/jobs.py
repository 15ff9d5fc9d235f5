"""The poller: payments do not depend on Stripe's events arriving."""

import logging
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial
from typing import Any, TypeVar

from regsys.jobs.periodic import Handler, Periodic
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import UpstreamFailed
from regsys.payments import cancelling, gateway, queries, rules, services
from regsys.payments.checks import EVENTS
from regsys.payments.gateway import Unreachable
from regsys.payments.reconcile import reconcile
from regsys.payments.settle import MONEY_BACK, execute_refund, import_refunds, process_event, settle
from regsys.web.urls import settings

log = logging.getLogger(__name__)

TYPES = [t for t in EVENTS if t.startswith(MONEY_BACK)]
# Money at a page that was given up: nobody asks about that one any more.
CAME = ["checkout.session.completed", "checkout.session.async_payment_succeeded"]
# Seconds of one round: a job's lease is 60.
ROUND = 40.0
# So many questions without an answer may mean that Stripe as a whole is away.
IN_A_ROW = 3
S = TypeVar("S")


def poll(payload: Mapping[str, Any]) -> None:
    """Ask Stripe about open attempts, then catch up on events and refunds that were cut off."""
    if not settings().STRIPE_SECRET_KEY:
        return
    # Each kind of work has its own share of the round, so that none keeps another from its turn.
    begun, now, mode = time.monotonic(), clock.now(), settings().livemode
    attempts = [partial(_ask, a) for a in queries.list_to_ask(livemode=mode, now=now)]
    if not _each(attempts, end=begun + ROUND * 0.5):
        return
    for event_id in queries.list_due_events(now=now):
        if time.monotonic() > begun + ROUND * 0.7:
            break
        process_event(event_id)
    refunds = [partial(_refund, r) for r in queries.list_refunds_to_send(livemode=mode, now=now)]
    if _each(_in_turn(refunds, 60), end=begun + ROUND * 0.9):
        _find_missed(rules.LOOK_BACK, TYPES, end=begun + ROUND)


def catch_up(payload: Mapping[str, Any]) -> None:
    """Ask once an hour what a minute's look does not find: pending refunds, late fees, events of a long silence."""
    if not settings().STRIPE_SECRET_KEY:
        return
    begun, now = time.monotonic(), clock.now()
    steps: list[Callable[[], object]] = [
        *(partial(import_refunds, intent) for intent in queries.list_pending_intents(now=now)),
        *(partial(settle, attempt_id=a) for a in queries.list_without_fee(now=now)),
    ]
    tries = [partial(_try, step) for step in _in_turn(steps, 3600)]
    if _each(tries, end=begun + ROUND * 0.8):
        _find_missed(rules.LOOK_FAR_BACK, [*CAME, *TYPES], end=begun + ROUND)


def _each(steps: Iterable[Callable[[], bool]], *, end: float) -> bool:
    """Take one step after the other while there is time; return False where Stripe as a whole is away.

    A step says whether Stripe gave an answer. One that never gets any must not keep the others from theirs: only after
    several in a row is Stripe asked the cheapest question there is.
    """
    missed = 0
    for step in steps:
        if time.monotonic() > end:
            break
        missed = 0 if step() else missed + 1
        if missed == IN_A_ROW:
            if not _is_there():
                return False
            missed = 0
    return True


def _is_there() -> bool:
    try:
        gateway.ping()
    except Unreachable:
        log.warning("Stripe is away; this round ends")
        return False
    except UpstreamFailed:
        pass
    return True


def _in_turn(steps: Sequence[S], every: int) -> Sequence[S]:
    """Begin with another step each round (of so many seconds): what hangs must not always come first."""
    at = int(clock.now().timestamp()) // every % max(1, len(steps))
    return [*steps[at:], *steps[:at]]


def _try(step: Callable[[], object]) -> bool:
    """Take one step; return False where Stripe gave no answer."""
    try:
        step()
        return True
    except Exception as e:
        log.exception("%s could not be done", step)
        return not isinstance(e, Unreachable)


def _find_missed(back: timedelta, types: Sequence[str], *, end: float) -> None:
    """Process what Stripe has told nobody; sessions of open attempts are asked about one by one besides."""
    now = clock.now()
    since = now - back
    try:
        listed = gateway.list_events(since=since, types=types, undelivered=False, pages=5)
    except UpstreamFailed as e:
        log.warning("Stripe's events could not be listed: %s", e)
        return
    seen = queries.list_seen_events([n.id for n in listed])
    for notice in reversed(listed):
        if notice.id in seen or notice.livemode is not settings().livemode:
            continue
        if time.monotonic() > end:
            return
        with transaction():
            is_new = services.receive(notice, now=now, found=True)
        if is_new:
            process_event(notice.id, notice)


def _ask(attempt_id: int) -> bool:
    """Settle one attempt; return False where Stripe gave no answer."""
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
    """Carry out one refund; return False where Stripe gave no answer."""
    try:
        execute_refund(refund_id)
        return True
    except Exception as e:
        log.exception("refund %s could not be carried out", refund_id)
        return not isinstance(e, Unreachable)


def call_off(payload: Mapping[str, Any]) -> datetime | None:
    """Tell and repay everybody of events that are called off; it comes round, so that nothing late is forgotten."""
    return cancelling.call_off(queries.list_called_off())


def follow_rests(payload: Mapping[str, Any]) -> None:
    """Remind payers of what is due, and let places go whose rest was not paid by the time that they were told."""
    end = time.monotonic() + ROUND
    for rest in queries.list_rests(now=clock.now()):
        if time.monotonic() > end:
            return
        try:
            with transaction():
                made = services.follow_rest(rest.order.id, now=clock.now())
            for refund_id in made:
                _refund(refund_id)
        except Exception:
            # One order must not keep the others from it.
            log.exception("the rest of order %s could not be followed", rest.order.id)


def keep_promises(payload: Mapping[str, Any]) -> None:
    """Give back what was promised for places that somebody has taken again."""
    end = time.monotonic() + ROUND
    for promise_id, _taker in queries.list_takers():
        if time.monotonic() > end:
            return
        try:
            with transaction():
                made = services.keep_promise(promise_id, now=clock.now())
            for refund_id in made:
                _refund(refund_id)
        except Exception:
            log.exception("promise %s could not be kept", promise_id)


def hold_against_stripe(payload: Mapping[str, Any]) -> None:
    """Compare our rows with Stripe's books, as somebody asked for."""
    reconcile(int(payload["id"]))


HANDLERS: dict[str, Handler] = {
    "payments.reconcile": hold_against_stripe,
    "payments.poll": poll,
    "payments.catch_up": catch_up,
    "payments.call_off": call_off,
    "payments.follow_rests": follow_rests,
    "payments.keep_promises": keep_promises,
}
PERIODIC = [
    Periodic("payments.poll", every=60),
    Periodic("payments.catch_up", every=3600),
    Periodic("payments.call_off", every=60),
    Periodic("payments.follow_rests", every=600),
    Periodic("payments.keep_promises", every=60),
]
