"""Employers pay: asked for, confirmed or held, paid by cheque or card, reminded of, taken back, written off."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.billing import jobs, queries, rules, services
from regsys.billing.paper import Addressee
from regsys.billing.rules import Age
from regsys.billing.states import InvoiceState
from regsys.events.kinds import InvoiceTerms
from regsys.kernel.actors import STRIPE, SYSTEM
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import Refused
from regsys.ledger import queries as ledger_queries
from regsys.ledger import services as ledger
from regsys.ledger.models import Method, Payment
from regsys.ledger.states import Problem
from regsys.outbox import services as outbox
from regsys.outbox.models import Message
from regsys.outbox.papers import attach
from regsys.payments import services as payments
from regsys.payments.services.by_hand import CAME
from regsys.registration import jobs as registration_jobs
from regsys.registration.models import Order, Registration
from regsys.registration.queries import due
from regsys.registration.states import RegistrationState as S
from regsys.verify import Said, examine
from tests.cast import a_person, make_event, make_order, sign_in
from tests.conftest import Clock
from tests.support.typist import Typist

pytestmark = pytest.mark.usefixtures("db")
EMPLOYER = Addressee("Harborview Family Practice", "500 Alder Street\nSeattle, WA", "PO-4711")
ZONE = "America/Los_Angeles"


def ask(clock: Clock, terms: InvoiceTerms, **event: object) -> tuple[int, int]:
    """Place an order for two people and ask for its invoice; return the ids of both."""
    made = make_event(types={"Standard": 92000}, invoices=terms, invoice_days=30, **event)
    order = make_order(made, [a_person("Una Nettlefold"), a_person("Osric Thistle")])
    order_id = order.id
    with transaction():
        found = services.ask_for_invoice(
            order_id, EMPLOYER, email="ap@example.org", actor=SYSTEM, now=clock.now
        )
        return order_id, found.id


def receive(order_id: int, amount: int, clock: Clock, *, seen: int = 0, what: str = "1187") -> None:
    with transaction():
        services.receive(
            order_id, amount=amount, method=Method.CHEQUE, received_at=clock.now, reference=what,
            seen=seen, actor=SYSTEM, now=clock.now,
        )  # fmt: skip


def states(order_id: int) -> list[S]:
    db.session.rollback()
    query = select(Registration.state).where(Registration.order_id == order_id)
    return list(db.session.scalars(query))


def row(invoice_id: int, clock: Clock) -> queries.InvoiceRow:
    db.session.rollback()
    return queries.get_invoice(invoice_id, None, zone=ZONE, now=clock.now)


def papers(order_id: int) -> list[tuple[str, int]]:
    db.session.rollback()
    return [(d.name, d.total) for d in ledger_queries.documents_of([order_id])]


def subjects(kind: str) -> list[str]:
    db.session.rollback()
    query = select(Message.subject, Message.to_email).where(Message.kind == kind)
    return [f"{subject} → {to}" for subject, to in db.session.execute(query.order_by(Message.id))]


def differences(clock: Clock) -> list[str]:
    found = [s for s in examine(now=clock.now) if isinstance(s, Said) and not s.fine]
    return [s.sentence for s in found if "has been queued" not in s.sentence]  # no worker runs


def test_a_place_is_confirmed_at_once_and_paid_by_two_cheques(clock: Clock) -> None:
    order_id, invoice_id = ask(clock, InvoiceTerms.CONFIRMED)
    assert states(order_id) == [S.CONFIRMED, S.CONFIRMED]
    order = db.session.get_one(Order, order_id)
    sent = [f"Invoice INV-2026-0001 → {to}" for to in ("ap@example.org", order.email)]
    assert subjects("invoice") == sent
    assert [row(invoice_id, clock).owed, row(invoice_id, clock).late] == [184000, -30]
    letter = db.session.scalars(select(Message).where(Message.kind == "invoice")).first()
    assert letter
    with transaction():
        claimed = outbox.claim(letter.id, now=clock.now)
    assert claimed
    assert attach(claimed).attachments[0]["base64"].startswith("JVBERi0")  # %PDF-

    receive(order_id, 84000, clock)
    seen = row(invoice_id, clock)
    assert (seen.owed, seen.received, str(seen.standing)) == (100000, 84000, "partly_paid")
    receive(order_id, 84000, clock)  # the second of two clicks
    with pytest.raises(Refused) as caught:
        receive(order_id, 5000, clock, what="another")
    assert caught.value.refusal is CAME
    newest = max(p.id for p in ledger_queries.payments_of([order_id]))
    receive(order_id, 100000, clock, seen=newest, what="1188")
    paid = row(invoice_id, clock)
    assert (paid.owed, paid.standing, paid.invoice.state) == (0, "paid", InvoiceState.PAID)
    assert queries.list_open_invoices(None, zone=ZONE, now=clock.now) == []
    assert papers(order_id) == [
        ("INV-2026-0001", 184000), ("R-2026-0001", 84000), ("R-2026-0002", 100000),
    ]  # fmt: skip
    assert differences(clock) == []


def test_a_held_place_is_confirmed_by_the_cheque_or_let_go_at_the_end(clock: Clock) -> None:
    paid_order, _paid = ask(clock, InvoiceTerms.HELD)
    late_order, late = ask(clock, InvoiceTerms.HELD)
    assert states(late_order) == [S.AWAITING_PAYMENT] * 2
    clock.move(days=29)
    registration_jobs.sweep({})
    assert states(late_order) == [S.AWAITING_PAYMENT] * 2
    receive(paid_order, 184000, clock)
    assert states(paid_order) == [S.CONFIRMED] * 2
    clock.move(days=2)
    registration_jobs.sweep({})
    jobs.close({})
    assert states(late_order) == [S.EXPIRED] * 2
    assert row(late, clock).standing == "credited"
    assert papers(late_order) == [("INV-2026-0002", 184000), ("CN-2026-0001", 184000)]
    assert subjects("invoice_cancelled") == ["Invoice INV-2026-0002 is cancelled → ap@example.org"]
    assert len(subjects("hold_expired")) == 1
    receive(late_order, 184000, clock)  # places are free: late money takes them again
    assert states(late_order) == [S.CONFIRMED] * 2
    assert differences(clock) == []


def test_money_that_comes_both_ways_is_never_kept(clock: Clock) -> None:
    order_id, invoice_id = ask(clock, InvoiceTerms.CONFIRMED)
    with transaction():
        ledger.record_payment(
            order_id, amount=184000, currency="USD", method=Method.CARD, actor=STRIPE,
            now=clock.now, reference="pi_both",
        )  # fmt: skip
    assert (row(invoice_id, clock).owed, row(invoice_id, clock).standing) == (0, "paid")
    assert row(invoice_id, clock).invoice.state is InvoiceState.OPEN
    jobs.write({})
    assert row(invoice_id, clock).invoice.state is InvoiceState.PAID
    (card,) = ledger_queries.payments_of([order_id])
    receive(order_id, 184000, clock, seen=card.id)
    over = row(invoice_id, clock)
    assert (over.balance.over, over.standing) == (184000, "overpaid")


def test_a_mistake_is_taken_back_within_two_weeks(client: FlaskClient, clock: Clock) -> None:
    order_id, invoice_id = ask(clock, InvoiceTerms.CONFIRMED)
    receive(order_id, 184000, clock)
    (payment,) = db.session.scalars(select(Payment.id)).all()
    with transaction():
        services.take_back(order_id, payment, actor=SYSTEM, now=clock.now)
    again = row(invoice_id, clock)
    assert (again.owed, again.standing, again.invoice.state) == (184000, "open", "open")
    assert papers(order_id)[1:] == [("R-2026-0001", 184000), ("CN-2026-0001", 184000)]
    (found,) = db.session.scalars(select(Payment)).all()
    assert found.problem is Problem.MISTAKE
    assert due(order_id).quarantined == 0
    assert differences(clock) == []
    page = client.get(f"/o/{db.session.get_one(Order, order_id).token}").text
    assert "Paid on" not in page, "nobody is promised money back that never came"
    receive(order_id, 184000, clock, seen=payment)
    clock.move(days=15)
    newest = max(p.id for p in ledger_queries.payments_of([order_id]))
    with pytest.raises(Refused), transaction():
        services.take_back(order_id, newest, actor=SYSTEM, now=clock.now)


@pytest.mark.parametrize("first", ["cancelled", "taken back"])
def test_nobody_is_asked_for_what_was_kept_of_a_cheque_that_never_came(
    client: FlaskClient, clock: Clock, first: str
) -> None:
    order_id, invoice_id = ask(clock, InvoiceTerms.CONFIRMED)
    receive(order_id, 184000, clock)
    (payment,) = db.session.scalars(select(Payment.id)).all()
    order = db.session.get_one(Order, order_id)
    page, people = f"/o/{order.token}", [(r.id, r.event_id) for r in order.registrations]
    sign_in(client)
    typist = Typist(client)

    def cancel() -> None:
        for r, event_id in people:
            with transaction():
                payments.cancel_person(
                    r, event_id=event_id, amount=0, reason="late", actor=SYSTEM, now=clock.now
                )

    if first == "cancelled":
        cancel()
        assert due(order_id).total == 184000
    own = typist.get(f"/organize/invoices/{invoice_id}")
    done = typist.follow(typist.send(own, {}, action=f"/payments/{payment}/never-came"))
    gave_up = "nobody is asked for the $1,840.00 that were kept" in done.text
    assert gave_up == (first == "cancelled")
    db.session.rollback()
    if first == "taken back":
        assert due(order_id).due == 184000
        cancel()
    balance = due(order_id)
    assert (balance.total, balance.net, balance.due) == (0, 0, 0)
    jobs.close({})
    assert row(invoice_id, clock).owed == 0
    assert "Still to pay" not in client.get(page).text
    assert differences(clock) == []


def test_what_will_not_come_is_written_off_and_what_was_wrong_is_made_out_anew(
    client: FlaskClient, clock: Clock
) -> None:
    order_id, invoice_id = ask(clock, InvoiceTerms.CONFIRMED)
    sign_in(client)
    assert 'value="PO-4711"' in client.get(f"/organize/invoices/{invoice_id}/anew").text
    new = Addressee("Harborview Health", "1 Main Street")
    with transaction():
        services.make_out_invoice_anew(
            invoice_id, new, email="ap2@example.org", actor=SYSTEM, now=clock.now
        )
    receive(order_id, 180000, clock)
    with transaction():
        services.write_off(invoice_id, reason="bank charges", actor=SYSTEM, now=clock.now)
    assert papers(order_id) == [
        ("INV-2026-0001", 184000), ("CN-2026-0001", 184000), ("INV-2026-0002", 184000),
        ("R-2026-0001", 180000), ("CN-2026-0002", 4000),
    ]  # fmt: skip
    assert (due(order_id).due, due(order_id).total, states(order_id)) == (
        0,
        180000,
        [S.CONFIRMED] * 2,
    )
    assert row(invoice_id, clock).standing == "written_off"
    with pytest.raises(Refused), transaction():
        services.cancel_invoice(invoice_id, reason="again", actor=SYSTEM, now=clock.now)
    assert differences(clock) == []


@pytest.mark.once
@pytest.mark.parametrize(
    ("price", "before", "cost", "net", "owed", "received", "word"),
    [
        (1000, 0, 1000, 0, 1000, 0, "open"),
        (1000, 0, 1000, 400, 600, 400, "partly_paid"),
        (1000, 0, 1000, 1000, 0, 1000, "paid"),
        (1000, 0, 1000, 1300, 0, 1000, "overpaid"),
        # Somebody left: it costs less now.
        (1000, 0, 600, 0, 600, 0, "open"),
        (1000, 0, 600, 600, 0, 600, "paid"),
        (1000, 0, 600, 1000, 0, 1000, "overpaid"),
        (1000, 0, 0, 0, 0, 0, "nothing_due"),
        # Two seats more, after it: the first invoice is paid, and the second over the rest.
        (1000, 0, 1500, 1000, 0, 1000, "paid"),
        (1500, 1000, 1500, 1000, 500, 0, "open"),
        (1500, 1000, 1500, 1200, 300, 200, "partly_paid"),
        (1000, 0, 1500, 1500, 0, 1000, "paid"),
        (1500, 1000, 1500, 1600, 0, 500, "overpaid"),
        (1000, 0, 1500, 1600, 0, 1000, "paid"),
        # The cheque for the first came back: both are open, and together what the order owes.
        (1000, 0, 1500, 0, 1000, 0, "open"),
        (1500, 1000, 1500, 0, 500, 0, "open"),
    ],
)
def test_how_an_invoice_stands(
    price: int, before: int, cost: int, net: int, owed: int, received: int, word: str
) -> None:
    claimed = rules.Claimed(price, before, cost, net)
    assert (claimed.owed, claimed.received) == (owed, received)
    assert rules.standing(InvoiceState.OPEN, claimed) == word


def test_reminders_go_before_and_after_and_once_each(clock: Clock) -> None:
    order_id, invoice_id = ask(clock, InvoiceTerms.CONFIRMED)
    ask(clock, InvoiceTerms.HELD)
    for days in (20, 4, 1, 4, 3, 15, 40):
        clock.move(days=days)
        jobs.remind({})
        jobs.remind({})
    assert [s.split(" →")[0] for s in subjects("invoice_reminder")] == [
        "Invoice INV-2026-0001 is due soon", "Invoice INV-2026-0002 is due soon",
        "Invoice INV-2026-0002 is due soon", "Invoice INV-2026-0001 is overdue",
        "Invoice INV-2026-0001 is overdue", "Invoice INV-2026-0001 is overdue",
    ]  # fmt: skip
    with transaction():
        services.cancel_invoice(invoice_id, reason="paid elsewhere", actor=SYSTEM, now=clock.now)
    with pytest.raises(Refused), transaction():
        services.remind(invoice_id, actor=SYSTEM, now=clock.now)
    assert due(order_id).due == 184000


# ---- rules, without a database

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)


@pytest.mark.once
@pytest.mark.parametrize(
    ("late", "age"),
    [(-3, Age.NOT_DUE), (0, Age.NOT_DUE), (1, Age.D30), (30, Age.D30), (31, Age.D60), (60, Age.D60),
     (61, Age.D90), (90, Age.D90), (91, Age.OLDER)],
)  # fmt: skip
def test_the_aged_list_has_its_columns(late: int, age: Age) -> None:
    end = datetime(2026, 11, 25, tzinfo=ZoneInfo(ZONE)) - timedelta(days=late)
    assert rules.days_late(end, NOW, ZONE) == late
    assert rules.age_of(late) is age


@pytest.mark.once
def test_the_last_day_of_an_invoice_is_whole_and_a_held_one_ends_with_the_event() -> None:
    offer = rules.InvoiceOffer(InvoiceTerms.CONFIRMED, 30, NOW + timedelta(days=10))
    assert rules.due_at(offer, zone=ZONE, now=NOW) == datetime(2026, 12, 25, 8, tzinfo=UTC)
    held = rules.InvoiceOffer(InvoiceTerms.HELD, 30, NOW + timedelta(days=10))
    assert rules.due_at(held, zone=ZONE, now=NOW) == NOW + timedelta(days=10)


@pytest.mark.once
@pytest.mark.parametrize(
    ("facts", "name"),
    [
        ({}, None), ({"offer": None}, "NoInvoices"), ({"due": 0}, "NothingDue"),
        ({"holding": False}, "HoldExpired"), ({"open_one": True}, "InvoiceThere"),
        ({"until": NOW + timedelta(days=2)}, "TooLateForInvoice"),
        ({"waiting": False, "holding": False}, None),
    ],
)  # fmt: skip
def test_when_an_invoice_cannot_be_asked_for(facts: dict[str, object], name: str | None) -> None:
    usual = {
        "offer": rules.InvoiceOffer(InvoiceTerms.HELD, 30, NOW), "due": 1, "waiting": True,
        "holding": True, "open_one": False, "until": NOW + timedelta(days=30), "now": NOW,
    }  # fmt: skip
    arguments = {**usual, **facts}
    refusal = rules.why_not_invoice(arguments.pop("offer"), **arguments)  # type: ignore[arg-type]
    assert (refusal.name if refusal else None) == name
