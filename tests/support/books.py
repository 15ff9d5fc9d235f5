"""What `regsys verify` and `regsys reconcile` say, but for what is meant to be so in a test."""

from collections.abc import Collection
from datetime import timedelta
from typing import Any

from regsys import verify
from regsys.kernel import clock as kernel_clock
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.payments import bookkeeping
from regsys.payments.reconcile import reconcile
from tests.support import rawsql


def verified(url: str, by_hand: Collection[str] = ()) -> list[str]:
    """Return what `regsys verify` finds wrong: but that no worker posts letters here, and what was done by hand."""
    found = [s for s in verify.examine(now=kernel_clock.now()) if isinstance(s, verify.Said)]
    db.session.rollback()
    assert any(s.fine for s in found)
    query = "SELECT p.reference, o.code FROM payment p JOIN orders o ON o.id = p.order_id"
    known = {
        f"Order {code} is confirmed and costs"
        for i, code in rawsql.rows(url, query)
        if i in by_hand
    }
    wrong = [s.sentence for s in found if not s.fine and "queued for too long" not in s.sentence]
    return [s for s in wrong if not s.startswith(tuple(known))]


def reconciled(url: str) -> list[tuple[str, Any]]:
    """Return what `regsys reconcile` finds odd: but orders of which a refund has failed, since a person decides."""
    with transaction():
        now = kernel_clock.now()
        # Stripe's clock goes on where ours is frozen.
        soon = now + timedelta(hours=1)
        made = bookkeeping.start(since=None, until=soon, actor=SYSTEM, now=now).id
    found = reconcile(made)
    query = (
        "SELECT o.code FROM refund r JOIN payment p ON p.id = r.payment_id"
        " JOIN orders o ON o.id = p.order_id WHERE r.state = 'failed'"
    )
    failed = {code for (code,) in rawsql.rows(url, query)}
    return [
        (o.kind, dict(o.facts))
        for o in found.odd
        if not (o.kind == "order_over" and o.facts["order"] in failed)
    ]
