"""What the public doors about money share: their blueprint, whose order it is, and asking Stripe for what goes back."""

import logging
from collections.abc import Sequence

from flask import Blueprint

from regsys.kernel.actors import Actor
from regsys.kernel.errors import NOT_NOW, NotFound
from regsys.payments.settle import execute_refund
from regsys.registration.models import Order
from regsys.registration.queries import find_order_by_token

log = logging.getLogger(__name__)
payments = Blueprint("payments", "regsys.payments.public")


def placed_order(token: str) -> Order:
    """Return the placed order behind a secret link; raise NotFound."""
    order = find_order_by_token(token)
    if order is None or order.placed_at is None:
        raise NotFound
    return order


def carry_out(refund_ids: Sequence[int], actor: Actor) -> None:
    """Ask Stripe; what it does not answer now the poller asks again."""
    for refund_id in refund_ids:
        try:
            execute_refund(refund_id, actor=actor)
        except NOT_NOW as e:
            log.warning("refund %s is tried again later: %s", refund_id, e)
            return
