"""A link by which somebody else can pay what is still due."""

from datetime import datetime

from regsys.audit import services as audit
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_
from regsys.registration import queries
from regsys.registration.services.shared import lock_order

NOTHING_DUE = Refusal("NothingDue", N_("There is nothing to pay."))


def share_payment(order_id: int, *, actor: Actor, now: datetime) -> str:
    """Make the link with which somebody else can pay an order, and return its secret; asking again gives the same."""
    order = lock_order(order_id, now=now).order
    if order.share_token:
        return order.share_token
    if not order.placed_at or queries.due(order_id).due <= 0:
        raise Refused(NOTHING_DUE)
    order.share_token = tokens.new_token()
    order.share_hash = tokens.hash_token(order.share_token)
    db.session.flush()
    audit.record(
        "order.payment_shared", ("order", order_id), actor=actor, now=now, order_id=order_id
    )
    return order.share_token


def stop_sharing(order_id: int, *, actor: Actor, now: datetime) -> None:
    """Let the link open nothing any more; repeating it changes nothing."""
    order = lock_order(order_id, now=now).order
    if order.share_token:
        order.share_token = order.share_hash = None
        db.session.flush()
        audit.record(
            "order.sharing_stopped", ("order", order_id), actor=actor, now=now, order_id=order_id
        )
