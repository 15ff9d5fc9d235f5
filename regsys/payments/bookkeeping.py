"""What a reconciliation needs of our rows, and where its result is kept; inside the caller's transaction."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import or_, select, update

from regsys.jobs import services as jobs
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.ledger.models import Dispute, Method, Payment, Refund
from regsys.payments import queries
from regsys.payments.books import Books, OurPayment, OurRefund, Ours, Standing
from regsys.payments.models import Reconciliation
from regsys.registration.models import Order

# So much later than Stripe's our rows may be: a delayed method, or a worker that stood still.
LATE = timedelta(days=10)
FIRST_DAY = datetime(2000, 1, 1, tzinfo=UTC)
PART = 500
# Of orders that wait for a person no more are named.
MOST = 5000


@dataclass(frozen=True)
class Span:
    """What is looked at."""

    since: datetime
    until: datetime


def start(
    *, since: datetime | None, until: datetime | None, actor: Actor, now: datetime
) -> Reconciliation:
    """Write down that somebody wants the books compared; `since` None: from the first day, `until` None: now."""
    row = Reconciliation(
        since=since or FIRST_DAY,
        # What came in this very second belongs to it.
        until=until or now + timedelta(seconds=1),
        requested_by=actor.label[:200],
        requested_at=now,
    )
    db.session.add(row)
    db.session.flush()
    return row


def start_job(
    *, since: datetime | None, until: datetime | None, actor: Actor, now: datetime
) -> None:
    """Do the same, and let the worker compare them."""
    row = start(since=since, until=until, actor=actor, now=now)
    key = f"payments.reconcile:{row.id}"
    jobs.enqueue("payments.reconcile", key, {"id": row.id}, due=now, now=now)


def get_span(reconciliation_id: int) -> Span:
    """Get what is looked at; raise NotFound."""
    row = db.session.get(Reconciliation, reconciliation_id, populate_existing=True)
    if row is None:
        raise NotFound(N_("There is no such comparison."))
    return Span(row.since, row.until)


def find_last() -> Reconciliation | None:
    """Find the comparison that was asked for last."""
    return db.session.scalar(select(Reconciliation).order_by(Reconciliation.id.desc()).limit(1))


def find_last_finished() -> Reconciliation | None:
    """Find the last one that came to its end."""
    finished = select(Reconciliation).where(Reconciliation.finished_at.is_not(None))
    return db.session.scalar(finished.order_by(Reconciliation.id.desc()).limit(1))


def finish(reconciliation_id: int, books: Books, *, now: datetime) -> None:
    """Keep the result, and fill in the fees that were missing."""
    for payment_id, fee in books.fees.items():
        missing = update(Payment).where(Payment.id == payment_id, Payment.fee.is_(None))
        db.session.execute(missing.values(fee=fee))
    row = db.session.get_one(Reconciliation, reconciliation_id)
    row.findings, row.finished_at, row.error = books.dump(), now, None


def note_failure(reconciliation_id: int, error: str) -> None:
    """Write down why it could not be done this time."""
    db.session.get_one(Reconciliation, reconciliation_id).error = error[:2000]


# ---- our side ----


def read_ours(span: Span, charges: Sequence[tuple[str, str | None]]) -> Ours:
    """Read what came within the span, and whatever belongs to these charges (id, intent) at any time."""
    payments = {p.id: p for p in _payments(span, _came(span))}
    for part in _parts(charges):
        ids = [c for c, _ in part]
        intents = [i for _, i in part if i]
        theirs = or_(Payment.charge.in_(ids), Payment.reference.in_(intents))
        payments |= {p.id: p for p in _payments(span, theirs)}
    return Ours(list(payments.values()), _refunds(span), _disputes(), _standing())


def _came(span: Span) -> object:
    within = (Payment.received_at >= span.since) & (Payment.received_at < span.until)
    return within & (Payment.method == Method.CARD) & Payment.attempt_id.is_not(None)


def _payments(span: Span, which: object) -> Iterable[OurPayment]:
    query = select(Payment, Order.code).join(Order, Order.id == Payment.order_id)
    for p, code in db.session.execute(query.where(which)):  # type: ignore[arg-type]
        here = span.since <= p.received_at < span.until
        yield OurPayment(p.id, code, p.amount, p.currency, p.fee, p.reference, p.charge, here)


def _refunds(span: Span) -> list[OurRefund]:
    query = (
        select(Refund, Order.code)
        .join(Payment, Payment.id == Refund.payment_id)
        .join(Order, Order.id == Payment.order_id)
        .where(Refund.stripe_id.is_not(None), Refund.requested_at >= span.since - LATE)
    )
    return [
        OurRefund(
            code, r.amount, r.currency, r.state, r.stripe_id or "",
            span.since + LATE <= r.requested_at < span.until,
        )
        for r, code in db.session.execute(query)
    ]  # fmt: skip


def _disputes() -> frozenset[str]:
    return frozenset(db.session.scalars(select(Dispute.stripe_id)))


def _standing() -> list[Standing]:
    """List orders with more counted money than they cost, and places of which all money went back elsewhere."""
    over = queries.list_over(limit=MOST)
    failed = queries.list_with_failed_refund([o.order_id for o in over])
    by_card = {row.order.id: row.by_card for row in queries.list_owed(limit=MOST)}
    found = []
    for o in over:
        known = (
            "refund_failed"
            if o.order_id in failed
            else ""
            if by_card.get(o.order_id, 1)
            else "owed_by_hand"
        )
        amount = o.over if known else o.net
        found.append(Standing(o.code, o.currency, o.price, amount, known or "order_over"))
    repaid = queries.list_repaid_places(limit=MOST)
    return [
        *found,
        *(Standing(code, currency, 0, n, "place_repaid") for code, currency, n in repaid),
    ]


def _parts(things: Sequence[tuple[str, str | None]]) -> Iterable[Sequence[tuple[str, str | None]]]:
    return (things[i : i + PART] for i in range(0, len(things), PART))
