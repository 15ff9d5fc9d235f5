"""What `regsys verify` and `regsys reconcile` say."""

from datetime import timedelta
from typing import Any

from regsys import verify
from regsys.kernel import clock as kernel_clock
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.payments import bookkeeping
from regsys.payments.reconcile import reconcile


def verified() -> list[str]:
    """Return what `regsys verify` finds wrong: but that no worker posts letters here."""
    found = [s for s in verify.examine(now=kernel_clock.now()) if isinstance(s, verify.Said)]
    db.session.rollback()
    assert any(s.fine for s in found)
    return [s.sentence for s in found if not s.fine and "queued for too long" not in s.sentence]


def reconciled() -> list[tuple[str, Any]]:
    """Return what `regsys reconcile` finds odd; what it knows to wait for a person is none of this."""
    with transaction():
        now = kernel_clock.now()
        # Stripe's clock goes on where ours is frozen.
        soon = now + timedelta(hours=1)
        made = bookkeeping.start(since=None, until=soon, actor=SYSTEM, now=now).id
    return [(o.kind, dict(o.facts)) for o in reconcile(made).odd]
