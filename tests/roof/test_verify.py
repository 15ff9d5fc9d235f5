"""`regsys verify`: clean as long as all is well, and each damage is named in a sentence."""

from typing import Any

import pytest
from sqlalchemy import select, text

from regsys import verify
from regsys.kernel.db import db as database
from regsys.kernel.db import transaction
from regsys.ledger.models import Payment
from regsys.payments.models import PaymentAttempt
from regsys.payments.states import AttemptState
from regsys.registration.models import Order
from tests import cast

# What is done to the rows behind the product's back, and how it is named.
DAMAGES = {
    "a place given away": (
        "DELETE FROM claim WHERE registration_id = :person AND pool_id = :total",
        "holds 0 places in the pool 'total' instead of one",
    ),
    "a place that ends": (
        "UPDATE claim SET until = '2099-01-01 00:00:00' WHERE registration_id = :person AND pool_id = :total",
        "and its place in the pool 'total' ends by itself",
    ),
    "a place kept by somebody who left": (
        "UPDATE registration SET state = 'cancelled' WHERE id = :person",
        "is cancelled and still holds a place in the pool 'total'",
    ),
    "an early place at the regular price": (
        "UPDATE registration SET rate = 'regular' WHERE id = :person",
        "holds an early place and has the regular price",
    ),
    "a line of the price changed": (
        "UPDATE order_line SET amount = amount - 100 WHERE registration_id = :person",
        "costs $800.00, and its lines in order",
    ),
    "a line in another order": (
        "UPDATE order_line SET order_id = :other WHERE registration_id = :person",
        "which belongs to another order",
    ),
    "a payment deleted": (
        "DELETE FROM payment WHERE order_id = :order",
        "is paid ($800.00), and there is no payment of it",
    ),
    "a payment made smaller": (
        "UPDATE payment SET amount = amount - 1 WHERE order_id = :order",
        "costs $800.00, and only $799.99 of it are paid",
    ),
    "a payment in another currency": (
        "UPDATE payment SET currency = 'EUR' WHERE order_id = :order",
        "is in EUR, and its order",
    ),
    "more given back than came": (
        "INSERT INTO refund (payment_id, imported, state, state_at, amount, currency, reason, requested_by,"
        " requested_at, error) SELECT id, imported.no, 'pending', received_at, amount + 1, currency, '', '',"
        " received_at, '' FROM payment, (SELECT 1 = 0 AS no) AS imported WHERE order_id = :order",
        "brought $800.00, and $800.01 are given back",
    ),
    "an attempt that says otherwise": (
        "UPDATE payment_attempt SET state = 'expired' WHERE order_id = :order",
        "does not agree with its attempt, which is expired",
    ),
    "a letter lost": (
        "DELETE FROM message WHERE registration_id = :person",
        "was confirmed, and no letter says so",
    ),
    "a letter stuck": (
        "UPDATE message SET state_at = '2020-01-01 00:00:00' WHERE registration_id = :person",
        "(confirmation) has been queued for too long",
    ),
}


@pytest.fixture
def ids(db: Any, clock: Any) -> dict[str, int]:
    """Sell three of four places, the first two at the early price; the first order went through Stripe."""
    event = cast.make_event(places=4, early_places=2, types={"Standard": (80000, 99000)})
    orders = [
        cast.make_confirmed(event, [cast.a_person(f"Pat Person{n}", f"pat{n}@example.org")])
        for n in range(3)
    ]
    first = orders[0]
    _add_attempt(first, clock.now)
    (person,) = cast.list_people(first)
    total = database.session.scalar(text("SELECT id FROM pool WHERE kind = 'total'"))
    return {"person": person.id, "order": first.id, "other": orders[1].id, "total": total}


def _add_attempt(order: Order, now: Any) -> None:
    with transaction() as session:
        attempt = PaymentAttempt(
            order_id=order.id, state=AttemptState.PAID, state_at=now, amount=80000, currency="USD",
            livemode=False, key="attempt-1", params={}, session_id="cs_1", payment_intent="pi_1",
            created_at=now, expires_at=now,
        )  # fmt: skip
        session.add(attempt)
        session.flush()
        paid = session.scalars(select(Payment).where(Payment.order_id == order.id)).one()
        paid.attempt_id = attempt.id


def _differences(now: Any) -> list[str]:
    said = [s for s in verify.examine(now=now) if isinstance(s, verify.Said)]
    assert all(s.advice for s in said if not s.fine)
    return [s.sentence for s in said if not s.fine]


def test_a_good_house_is_proven(ids: dict[str, int], clock: Any) -> None:
    said = [s for s in verify.examine(now=clock.now) if isinstance(s, verify.Said)]
    assert [s.sentence for s in said if not s.fine] == []
    proof = " ".join(s.sentence for s in said)
    assert "3 of 4 places in 'Intensive" in proof
    assert "3 confirmed, 0 held" in proof
    assert "3 payments brought $2,590.00, $0.00 of it went back in 0 refunds" in proof
    assert "3 confirmations and 0 cancellations, each with its one letter" in proof


@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_named(name: str, ids: dict[str, int], clock: Any) -> None:
    sql, words = DAMAGES[name]
    used = {k: v for k, v in ids.items() if f":{k}" in sql}
    with transaction() as session:
        session.execute(text(sql), used)
    found = _differences(clock.now)
    assert any(words in sentence for sentence in found), found


def test_the_number_of_statements_does_not_grow(ids: dict[str, int], clock: Any) -> None:
    steps = [s for s in verify.examine(now=clock.now) if isinstance(s, verify.Step)]
    assert len(steps) == len(verify.CHECKS) + len(verify.PROOFS)
    assert [s.number for s in steps] == list(range(1, len(steps) + 1))
