"""Money is written down once, and given back at most once."""

import threading
from datetime import datetime
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select

from regsys.audit.models import AuditEntry
from regsys.kernel.actors import STRIPE, SYSTEM
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.ledger import queries, services
from regsys.ledger.models import Method, Payment, Refund
from regsys.ledger.states import Problem, RefundState
from regsys.registration.models import Order

CARD: dict[str, Any] = {"currency": "USD", "method": Method.CARD, "actor": STRIPE}


@pytest.fixture
def order(db: Any, now: datetime) -> int:
    """Return the id of an order that stands for itself."""
    with transaction():
        row = Order(code="ABC234", token_hash="h", token="t", currency="USD", created_at=now)
        db.session.add(row)
    return row.id


def pay(order: int, now: datetime, amount: int = 92000, **more: Any) -> int:
    with transaction():
        return services.record_payment(order, amount=amount, now=now, **{**CARD, **more}).id


def refund(payment: int, now: datetime, amount: int) -> int:
    """Ask for money back, and Stripe for it; return the refund."""
    with transaction():
        made = services.request_refund(
            payment, amount=amount, reason="asked", actor=SYSTEM, now=now
        )
        services.move_refund(made.id, RefundState.SUBMITTED, actor=SYSTEM, now=now)
        return made.id


def arrive(payment: int, now: datetime) -> None:
    """Let every refund of a payment have arrived."""
    with transaction():
        for made in queries.get_payment(payment).refunds:
            services.move_refund(made.id, RefundState.SUCCEEDED, actor=STRIPE, now=now)


def test_the_same_reference_is_recorded_once(db: Any, order: int, now: datetime) -> None:
    first, second = pay(order, now, reference="pi_1"), pay(order, now, 5, reference="pi_1")
    assert first == second
    assert queries.sums_of([order]) == {order: queries.Sums(paid=92000)}
    assert db.session.scalar(select(func.count()).select_from(AuditEntry)) == 1


def test_payments_without_a_reference_are_all_recorded(db: Any, order: int, now: datetime) -> None:
    pay(order, now, 100, method=Method.CHEQUE)
    pay(order, now, 200, method=Method.CHEQUE)
    assert [p.amount for p in queries.payments_of([order])] == [100, 200]


def test_a_payment_with_a_problem_does_not_count(db: Any, order: int, now: datetime) -> None:
    pay(order, now, reference="pi_1")
    odd = pay(order, now, 500, reference="pi_2")
    with transaction():
        services.mark_problem(odd, Problem.DOUBLE, actor=STRIPE, now=now)
    assert queries.sums_of([order])[order] == queries.Sums(paid=92000, quarantined=500)
    assert [p.id for p in queries.list_with_problem()] == [odd]
    refund(odd, now, 500)
    assert queries.sums_of([order])[order] == queries.Sums(paid=92000)
    assert [p.id for p in queries.list_with_problem()] == [odd]
    arrive(odd, now)
    assert queries.list_with_problem() == []


def test_every_order_has_sums_even_without_money(db: Any, order: int) -> None:
    assert queries.sums_of([order, 4711]) == {order: queries.Sums(), 4711: queries.Sums()}
    assert queries.sums_of([]) == {}


def test_refunds_never_exceed_the_payment(db: Any, order: int, now: datetime) -> None:
    payment = pay(order, now, 1000)
    refund(payment, now, 600)
    with pytest.raises(Refused) as refused, transaction():
        services.request_refund(payment, amount=401, reason="", actor=SYSTEM, now=now)
    assert refused.value.refusal.name == "TooMuchBack"
    refund(payment, now, 400)
    with pytest.raises(Refused) as refused, transaction():
        services.request_refund(payment, amount=1, reason="", actor=SYSTEM, now=now)
    assert refused.value.refusal.name == "RefundedAlready"
    assert queries.sums_of([order])[order] == queries.Sums(paid=1000, refunded=1000)


def test_a_failed_refund_gives_its_amount_free_again(db: Any, order: int, now: datetime) -> None:
    payment = pay(order, now, 1000)
    failed = refund(payment, now, 1000)
    with transaction():
        services.move_refund(failed, RefundState.FAILED, actor=STRIPE, now=now, error="card closed")
    assert queries.sums_of([order])[order] == queries.Sums(paid=1000)
    refund(payment, now, 1000)
    assert queries.sums_of([order])[order] == queries.Sums(paid=1000, refunded=1000)


def test_a_refund_moves_forward_only(db: Any, order: int, now: datetime) -> None:
    one = refund(pay(order, now, 1000), now, 1000)

    def to(state: RefundState, **more: Any) -> None:
        with transaction():
            services.move_refund(one, state, actor=STRIPE, now=now, **more)

    to(RefundState.SUBMITTED)
    to(RefundState.PENDING, stripe_id="re_1")
    to(RefundState.PENDING)
    to(RefundState.SUCCEEDED)
    to(RefundState.PENDING, error="old news")
    row = db.session.get(Refund, one)
    assert (row.state, row.stripe_id, row.error) == (RefundState.SUCCEEDED, "re_1", "")
    told = db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)).all()
    assert told == [
        "payment.received",
        "refund.requested",
        "refund.submitted",
        "refund.pending",
        "refund.succeeded",
    ]


def test_refunding_the_whole_twice_makes_one_refund(
    app: Flask, db: Any, order: int, now: datetime
) -> None:
    payment = pay(order, now, 1000)
    refund(payment, now, 300)
    made: list[int] = []

    def click() -> None:
        with app.app_context(), transaction():
            row = services.refund_whole(payment, reason="double", actor=SYSTEM, now=now)
            made.append(row.id)

    threads = [threading.Thread(target=click) for _ in range(4)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    assert len(made) == 4
    assert len(set(made)) == 1
    db.session.rollback()
    assert db.session.get(Refund, made[0]).amount == 700
    assert queries.left_of(queries.get_payment(payment)) == 0


def test_an_unknown_payment_is_not_found(db: Any, now: datetime) -> None:
    with pytest.raises(NotFound):
        queries.get_payment(4711)
    with pytest.raises(NotFound), transaction():
        services.refund_whole(4711, reason="", actor=SYSTEM, now=now)
    assert db.session.scalar(select(func.count()).select_from(Payment)) == 0
