"""What money that went back takes off a price, and puts on again where it never went."""

from flask_babel import gettext as _
from sqlalchemy import func, select

from regsys.kernel.db import db
from regsys.kernel.money import spread
from regsys.registration import queries
from regsys.registration.models import HandOver, LineKind, OrderLine, Registration
from regsys.registration.states import LIVE


def lower_price(
    order_id: int,
    registration_id: int | None,
    amount: int,
    *,
    reason: str = "",
    line: str = "",
    refund_id: int | None = None,
) -> None:
    """Take what was given back out of goodwill off the price, so that nobody is asked to pay it again.

    Without a registration it comes off all places of the order that somebody still has, by what they cost: whoever
    ends one of them later takes back only the rest. Of a place that has ended it is some of what was kept. `refund_id`:
    what gave it back, where that may be taken back. The caller holds the order's lock.
    """
    given = _("Given back: %(reason)s", reason=reason) if reason else _("Given back")
    live = _live(order_id)
    parts = {registration_id: amount} if registration_id else _spread(live, amount)
    for one, part in parts.items():
        kept = _kept(order_id, part) if live and one is None else 0
        for kind, n in ((LineKind.KEPT, kept), (_kind(one, live), part - kept)):
            if n:
                _add(order_id, one, kind, line or given, -n, refund_id)
    db.session.flush()


def restore_price(order_id: int, refund_id: int, amount: int, *, line: str) -> None:
    """Put on the price again what a refund took off it, place by place: it never went.

    What came off the place of somebody who has left since stays off, and is owed: nobody has that place to pay it for.
    `amount` is all of it, in minor units. The caller holds the order's lock.
    """
    mine = (OrderLine.order_id == order_id, OrderLine.refund_id == refund_id)
    took = list(db.session.scalars(select(OrderLine).where(*mine).order_by(OrderLine.id)))
    if not took:  # written down before lines named their refund
        lower_price(order_id, None, -amount, line=line)
        return
    live = _live(order_id)
    for one in took:
        whose = _heir(one.registration_id)
        if one.kind is LineKind.KEPT or whose is None or whose in live:
            _add(order_id, whose, one.kind, line, -one.amount, None)
    db.session.flush()


def _heir(registration_id: int | None) -> int | None:
    """Return who has a place now that may have been handed on, perhaps more than once."""
    while registration_id is not None:
        handed = HandOver.registration_id == registration_id
        query = select(HandOver.successor_id).where(handed, HandOver.successor_id.is_not(None))
        successor = db.session.scalar(query)
        if successor is None:
            break
        registration_id = successor
    return registration_id


def _kind(one: int | None, live: list[int]) -> LineKind:
    stands = one in live if one else bool(live)
    return LineKind.OTHER if stands else LineKind.KEPT


def _kept(order_id: int, most: int) -> int:
    """Return how much of an amount, which is more than the places cost, comes off what was kept of those that ended."""
    mine = (OrderLine.order_id == order_id, OrderLine.kind == LineKind.KEPT)
    kept = db.session.scalar(select(func.coalesce(func.sum(OrderLine.amount), 0)).where(*mine))
    return max(0, min(most, int(kept or 0)))


def _live(order_id: int) -> list[int]:
    query = select(Registration.id).where(
        Registration.order_id == order_id, Registration.state.in_(LIVE)
    )
    return list(db.session.scalars(query.order_by(Registration.id)))


def _spread(live: list[int], amount: int) -> dict[int | None, int]:
    costs = {i: max(0, cost) for i, cost in queries.costs_of(live).items()}
    theirs = min(amount, sum(costs.values())) if live else 0
    parts: dict[int | None, int] = dict(spread(theirs, costs).items())
    parts[None] = amount - theirs
    return parts


def _add(
    order_id: int,
    registration_id: int | None,
    kind: LineKind,
    reason: str,
    amount: int,
    refund_id: int | None,
) -> None:
    row = OrderLine(
        order_id=order_id,
        registration_id=registration_id,
        kind=kind,
        reason=reason[:300],
        amount=amount,
        refund_id=refund_id,
    )
    db.session.add(row)
