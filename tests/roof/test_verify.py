"""`regsys verify`: clean as long as all is well, and each damage is named in a sentence."""

from typing import Any

import pytest
from sqlalchemy import select, text

from regsys import verify
from regsys.billing.services import write_receipts
from regsys.discounts.services import Plan, make_code
from regsys.events.kinds import OptionKind
from regsys.events.services import OptionPlan, set_options
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db as database
from regsys.kernel.db import transaction
from regsys.kernel.settings import Settings
from regsys.ledger.models import Payment
from regsys.payments.models import PaymentAttempt
from regsys.payments.states import AttemptState
from regsys.registration.models import Order
from tests import cast
from tests.support import rawsql

AWARDED = (
    "INSERT INTO aid_fund (name, budget, currency, created_at)"
    " SELECT 'Travel', 90000, 'USD', created_at FROM registration WHERE id = :person;"
    " INSERT INTO aid_request (fund_id, registration_id, state, state_at, created_at, words, amount, fee,"
    " answer_by, decided_by) SELECT f.id, r.id, 'used', r.created_at, r.created_at, '', 40000, 80000,"
    " r.created_at, '' FROM aid_fund f, registration r WHERE r.id = :person"
)

KEPT = (
    "INSERT INTO host (event_id, organisation, first_name, last_name, email, seats, ticket_type_id, pays, created_at)"
    " SELECT event_id, 'Fernhollow', 'Pru', 'Vane', 'p@example.org', 1, ticket_type_id, 'host', created_at"
    " FROM registration WHERE id = :person;"
    " INSERT INTO claim (pool_id, sized, number, since) SELECT :total, sized, 4, since FROM claim"
    " WHERE registration_id = :person AND pool_id = :total;"
    " INSERT INTO host_place (host_id, claim_id) SELECT h.id, c.id FROM host h, claim c"
    " WHERE c.pool_id = :total AND c.number = 4"
)
# Somebody left, and what was kept of their price is a credit that pays for another place.
CREDIT = (
    "UPDATE registration SET credit_id = (SELECT max(id) FROM discount_code) WHERE id = :person;"
    " UPDATE discount_code SET percent = NULL, amount = 40000, currency = 'USD', email_key = 'pat0@example.org'"
)

# The question, what is done to the rows behind the product's back, and how it is named.
DAMAGES = {
    "no pool is sold beyond its size": (
        "DELETE FROM place WHERE pool_id = :total AND number > 1",
        "has sold 3 places of 1 in the pool 'total'",
    ),
    "every held place exists and has a number": (
        "DELETE FROM place WHERE pool_id = :total AND number = 2",
        "holds place 2 of the pool 'total'",
    ),
    "no place is held twice": (
        "DROP INDEX uq_claim_live_place;"
        " UPDATE claim SET number = 1 WHERE registration_id = :person + 1 AND pool_id = :total",
        "Place 1 of the pool 'total' in 'Intensive",
    ),
    "every confirmed person holds one place in each pool of their ticket": (
        "DELETE FROM claim WHERE registration_id = :person AND pool_id = :total",
        "holds 0 places in the pool 'total' instead of one",
    ),
    "every open offer of a waiting list holds its places": (
        "INSERT INTO waitlist_entry (event_id, token_hash, token, state, state_at, position, size, first_name,"
        " last_name, email, email_key, profession, time_zone, joined_at, note, left_reason)"
        " SELECT event_id, 'h', 't', 'offered', created_at, 1, 2, 'Ada', 'Reed', 'a@example.org', 'a@example.org',"
        " '', '', created_at, '', '' FROM registration WHERE id = :person;"
        " INSERT INTO waitlist_offer (entry_id, token_hash, token, ticket_type_id, made_at, until)"
        " SELECT w.id, 'h', 't', r.ticket_type_id, r.created_at, '2099-01-01 00:00:00'"
        " FROM waitlist_entry w, registration r WHERE r.id = :person",
        "Ada was offered 2 places in 'Intensive",
    ),
    "no host has more seats than were agreed": (
        f"{KEPT}; UPDATE orders SET source = 'host' WHERE id = :order;"
        " UPDATE registration SET state_at = '2020-01-01 00:00:00' WHERE id = :person",
        "Fernhollow has 1 seats in",
    ),
    "every seat that is kept holds a place in each pool of its kind": (
        f"{KEPT}; INSERT INTO pool (event_id, name, kind, sized, waited)"
        " SELECT event_id, 'Seats', 'ticket_type', NOT sized, waited FROM pool WHERE id = :total;"
        " INSERT INTO ticket_type_pool (ticket_type_id, pool_id)"
        " SELECT h.ticket_type_id, (SELECT max(id) FROM pool) FROM host h",
        "are kept, and 0 of them in the pool 'Seats'",
    ),
    "no place is held for nobody": (
        f"{KEPT}; DELETE FROM host_place",
        "holds a place of the pool 'total', and nobody knows for whom",
    ),
    "no confirmed place has an end": (
        "UPDATE claim SET until = '2099-01-01 00:00:00' WHERE registration_id = :person AND pool_id = :total",
        "and its place in the pool 'total' ends by itself",
    ),
    "nobody who has left still holds a place": (
        "UPDATE registration SET state = 'cancelled' WHERE id = :person",
        "is cancelled and still holds a place in the pool 'total'",
    ),
    "early places belong to early prices": (
        "UPDATE registration SET rate = 'regular' WHERE id = :person",
        "holds an early place and has the regular price",
    ),
    "everybody holds what they chose with their place": (
        "INSERT INTO option_choice (registration_id, option_id, wish)"
        " SELECT :person, max(id), '' FROM event_option",
        "has chosen 'Dinner' and holds 0 of it",
    ),
    "every code is used by those whose price it lowers": (
        "UPDATE registration SET code_id = (SELECT max(id) FROM discount_code) WHERE id = :person",
        "has the code SPRING and counts as 0 uses of it",
    ),
    "the lines of every registration make its price": (
        "UPDATE order_line SET amount = amount - 100 WHERE registration_id = :person",
        "costs $800.00, and its lines in order",
    ),
    "every line belongs to a registration of its own order": (
        "UPDATE order_line SET order_id = :other WHERE registration_id = :person",
        "which belongs to another order",
    ),
    "what has ended costs nothing but what was kept": (
        "UPDATE registration SET state = 'expired' WHERE id = :person",
        "is expired, and order",
    ),
    "an order in which nobody has a place costs nothing but what was kept": (
        "UPDATE registration SET state = 'transferred' WHERE id = :person",
        "has a place, and it still counts $800.00",
    ),
    "whoever has paid has a place": (
        "UPDATE registration SET state = 'awaiting_payment' WHERE id = :person",
        "of it are paid, and somebody in it still waits for a place",
    ),
    "every attempt that was paid has brought its payment": (
        "DELETE FROM payment WHERE order_id = :order",
        "is paid ($800.00), and there is no payment of it",
    ),
    "every confirmed place that costs something is paid, or known to be open": (
        "UPDATE payment SET amount = amount - 1 WHERE order_id = :order",
        "costs $800.00, and only $799.99 of it are paid",
    ),
    "everything of a payment is in its currency": (
        "UPDATE payment SET currency = 'EUR' WHERE order_id = :order",
        "is in EUR, and its order",
    ),
    "no payment gives back more than it brought": (
        "INSERT INTO refund (payment_id, imported, state, state_at, amount, currency, reason, requested_by,"
        " requested_at, error) SELECT id, imported.no, 'pending', received_at, amount + 1, currency, '', '',"
        " received_at, '' FROM payment, (SELECT 1 = 0 AS no) AS imported WHERE order_id = :order",
        "brought $800.00, and $800.01 are given back",
    ),
    "every payment by card comes from an attempt that was paid, in its amount": (
        "UPDATE payment_attempt SET state = 'expired' WHERE order_id = :order",
        "does not agree with its attempt, which is expired",
    ),
    "no credit pays more than it was given": (
        f"{CREDIT}; UPDATE registration SET credit_used = 40001, code_id = credit_id WHERE id = :person",
        "was given $400.00, and $400.01 of it are used",
    ),
    "every credit is made of what was kept": (
        f"{CREDIT}; DELETE FROM order_line WHERE registration_id = :person",
        "has a credit of $400.00, and $0.00 of what was paid are kept",
    ),
    "what a credit pays has lowered the price": (
        f"{CREDIT}; UPDATE registration SET credit_used = 500, code_id = credit_id WHERE id = :person",
        "uses $5.00 of a credit, and a code lowers its price by $0.00",
    ),
    "no fund has given more than its budget": (
        f"{AWARDED}; UPDATE aid_fund SET budget = 30000",
        "The fund 'Travel' holds $300.00, and $400.00 of it are given",
    ),
    "every award that counts has lowered its price": (
        AWARDED,
        "was awarded $400.00, and its price is lowered by $0.00",
    ),
    "no price is lowered by help that nobody has": (
        "INSERT INTO order_line (order_id, registration_id, kind, reason, amount)"
        " SELECT order_id, id, 'award', '', -500 FROM registration WHERE id = :person",
        "is adjusted by $5.00, and no fund gives it",
    ),
    "numbers of papers have no gap": (
        "UPDATE document_number SET last = 7",
        "Of receipt there are 1 in 2026, the newest is number 1, and 7 were given",
    ),
    "the lines of every paper make its total": (
        "INSERT INTO document_line (document_id, position, what, amount, of_price)"
        " SELECT id, 9, '', 5, total > 0 FROM document",
        "says $800.00, and its lines add up to $800.05",
    ),
    "every paper names the price that the order had then": (
        "UPDATE order_line SET amount = amount - 100 WHERE registration_id = :person",
        "cost $800.00, and its lines of then say $799.00",
    ),
    "every receipt is for a payment that counts, in its amount": (
        "UPDATE payment SET amount = amount - 1 WHERE order_id = :order",
        "says that $800.00 came, and our payment says $799.99",
    ),
    "every credit note about a refund agrees with it": (
        "INSERT INTO document (kind, year, number, order_id, cause, issued_at, currency, total, billed_to,"
        " template, content) SELECT 'credit_note', year, 1, order_id, 'refund:99', issued_at, currency, 5, '',"
        " 1, content FROM document",
        "CN-2026-1 of order",
    ),
    "every invoice is open, or closed by its credit note": (
        "INSERT INTO invoice (order_id, document_id, token_hash, token, state, state_at, terms, due_at, email,"
        " asked_at, asked_by, reason) SELECT order_id, id, 'x', 'x', 'cancelled', issued_at, 'held', issued_at,"
        " '', issued_at, '', '' FROM document",
        "is cancelled, and its credit notes say something else",
    ),
    "everybody who was confirmed has been written to": (
        "DELETE FROM message WHERE registration_id = :person",
        "was confirmed, and no letter says so",
    ),
    "everybody whose place was cancelled has been written to": (
        "UPDATE audit_entry SET action = 'registration.cancelled', actor_kind = 'user'"
        " WHERE action = 'registration.confirmed' AND subject_id = :person",
        "was cancelled by us, and no letter says so",
    ),
    "nobody got two letters for one confirmation": (
        "INSERT INTO audit_entry (at, actor_kind, actor_label, action, subject_kind, subject_id, after)"
        " SELECT at, actor_kind, actor_label, action, subject_kind, subject_id, after FROM audit_entry"
        " WHERE action = 'registration.confirmed' AND subject_id = :person",
        "was confirmed 2 times",
    ),
    "nobody got more confirmations than were asked for": (
        "UPDATE message SET registration_id = :person WHERE registration_id = :person + 1",
        "has 2 confirmations, more than were asked for",
    ),
    "no letter is stuck": (
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
    with transaction():
        spring = Plan(code="SPRING", percent=1000, event_ids=[event.id])
        make_code(spring, scope=None, actor=SYSTEM, now=clock.now)
        dinner = OptionPlan(name="Dinner", kind=OptionKind.MEAL, price=3200, size=2)
        set_options(event.id, [dinner], version=None, actor=SYSTEM, now=clock.now)
    _add_attempt(first, clock.now)
    with transaction():
        write_receipts(first.id, now=clock.now)
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


@pytest.mark.in_turn
@pytest.mark.parametrize("name", DAMAGES)
def test_each_damage_is_named(
    name: str, ids: dict[str, int], clock: Any, settings: Settings
) -> None:
    sql, words = DAMAGES[name]
    for key, value in ids.items():
        sql = sql.replace(f":{key}", str(value))
    database.session.rollback()
    rawsql.damage(settings.DATABASE_URL, sql)
    found = _differences(clock.now)
    assert any(words in sentence for sentence in found), found


def test_every_question_has_a_damage_that_it_names() -> None:
    assert {c.title for c in verify.CHECKS} == set(DAMAGES)


def test_the_number_of_statements_does_not_grow(ids: dict[str, int], clock: Any) -> None:
    steps = [s for s in verify.examine(now=clock.now) if isinstance(s, verify.Step)]
    assert len(steps) == len(verify.CHECKS) + len(verify.PROOFS)
    assert [s.number for s in steps] == list(range(1, len(steps) + 1))
