"""A host's seats on a real database: kept, named, paid together, swapped, given back, and never sold to others."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.accounts.models import User
from regsys.accounts.queries import actor_of
from regsys.audit.models import AuditEntry
from regsys.billing import jobs as billing_jobs
from regsys.billing import services as billing
from regsys.billing.paper import Addressee
from regsys.billing.queries import invoices_of, owes_invoice
from regsys.events import services as events
from regsys.events.kinds import InvoiceTerms
from regsys.events.models import Event
from regsys.events.services import PlacesPlan, TypePlan
from regsys.hosts import queries, services
from regsys.hosts.kinds import Pays
from regsys.kernel import clock
from regsys.kernel.actors import STRIPE
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.kernel.errors import IllegalMove, NotFound, Refused
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.registration import queries as registrations
from regsys.registration import services as registration
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState as S
from tests import cast
from tests.conftest import Clock
from tests.hosts import house
from tests.hosts.house import agree, ask, do, hosted, letters, live, name, sweep, table, words
from tests.support.books import verified


def _pay(order_id: int) -> None:
    """Let the money come that the order asks for."""
    now = clock.now()
    with transaction():
        facts = registration.hold_for_checkout(order_id, now=now)
        ledger.record_payment(
            order_id, amount=facts.amount, currency="USD", method=Method.CARD, actor=STRIPE,
            now=now, reference=f"pi_{order_id}_{facts.amount}",
        )  # fmt: skip
        registration.confirm_paid(order_id, actor=STRIPE, now=now)


def refused(act: Callable[[], object]) -> str:
    """Return why something is refused; nothing of it is kept."""
    with pytest.raises(Refused) as caught:
        act()
    return caught.value.refusal.name


def put_in_cart(event: Event, *, now: datetime) -> None:
    """Try to take a place as the public does."""
    with transaction():
        wanted = {event.ticket_types[0].id: 1}
        registration.put_in_cart(event.id, wanted, cart_id=None, minutes=30, now=now)


def _answer(who: str) -> None:
    """Let somebody answer by their own link."""
    first, last = who.split()
    query = select(Registration).where(
        Registration.first_name == first, Registration.last_name == last
    )
    cast.make_answers(product_db.session.scalars(query.order_by(Registration.id.desc())).first())


def test_one_payer_pays_for_named_seats_and_the_coordinator_swaps(db: Any, clock: Clock) -> None:
    event = hosted()
    assert live(event) == 3
    name(event, "Ada Reed")
    name(event, "Ben Reed")
    assert words(event) == [("Ada", "invited"), ("Ben", "invited")]
    assert (table(event).facts.kept, live(event)) == (1, 3)
    order_id = table(event).host.order_id
    assert order_id
    assert registrations.due(order_id).due == 100000
    _answer("Ada Reed")
    assert words(event)[0] == ("Ada", "answered")
    _pay(order_id)
    assert words(event) == [("Ada", "confirmed"), ("Ben", "invited")]
    # The third is named later, and paid later, by the same payer in the same order.
    name(event, "Cy Reed")
    assert registrations.due(order_id).due == 50000
    assert refused(lambda: name(event, "Dot Reed")) == "NoSeatLeft"
    ada, _ben, cy = table(event).seats
    do(services.swap, event, ada.id, cast.a_person("Eve Reed"))
    do(services.swap, event, cy.id, cast.a_person("Fay Reed"))
    assert sorted(words(event)) == [("Ben", "invited"), ("Eve", "invited"), ("Fay", "invited")]
    assert (live(event), registrations.due(order_id).due) == (3, 50000)
    _pay(order_id)
    assert (registrations.due(order_id).due, registrations.due(order_id).over) == (0, 0)
    kinds = letters()
    assert [k for k in kinds if k[1] in ("Ada", "Cy", "Eve")] == [
        ("hosts_seat", "Ada"), ("confirmation", "Ada"), ("hosts_seat", "Cy"),
        ("handed_over", "Ada"), ("confirmation", "Eve"), ("hosts_taken_off", "Cy"),
    ]  # fmt: skip
    assert kinds.count(("order_confirmed", "Prudence")) == 2
    paid = next(s for s in table(event).seats if s.first_name == "Ben")
    assert refused(lambda: do(services.take_off, event, paid.id)) == "PaidSeat"
    answers = select(Registration).where(Registration.first_name == "Eve")
    eve = product_db.session.scalars(answers).one()
    assert (eve.profession, eve.answered_at) == ("", None)


@pytest.mark.once
def test_a_host_gets_one_invoice_and_names_more_after_its_day(
    client: FlaskClient, db: Any, clock: Clock
) -> None:
    event = hosted()
    event.invoices, event.invoice_days = InvoiceTerms.HELD, 14
    db.session.commit()
    name(event, "Ada Reed")
    order_id = table(event).host.order_id
    assert order_id
    to = Addressee("Fernhollow Health", "1 Fern Road")
    with transaction():
        billing.ask_for_invoice(
            order_id, to, email="ap@example.org", actor=house.PRUDENCE, now=clock.now
        )
    assert (words(event), letters().count(("invoice", "Fernhollow"))) == ([("Ada", "invited")], 1)
    clock.move(days=15)
    with transaction():
        registration.expire_lapsed(order_id, now=clock.now)
    billing_jobs.close({})
    sweep()
    assert (words(event), table(event).facts.kept) == ([], 3)
    name(event, "Ben Reed")
    assert (live(event), registrations.due(order_id).due) == (3, 50000)
    with transaction():
        again = billing.ask_for_invoice(
            order_id, to, email="ap@example.org", actor=house.PRUDENCE, now=clock.now
        )
        assert again.document.total == 50000
    pay = {"method": Method.CHEQUE, "received_at": clock.now, "reference": "1187", "seen": 0}
    with transaction():
        billing.receive(order_id, amount=50000, actor=house.PRUDENCE, now=clock.now, **pay)
    assert words(event) == [("Ben", "invited")], "the seat that lapsed before is not taken again"
    name(event, "Cy Reed")  # a seat more, after a paid invoice: it gets the next one
    assert not owes_invoice(order_id)
    token = registrations.get_order(order_id).token
    assert "Ask for an invoice over what is new" in client.get(f"/o/{token}").text
    with transaction():
        billing.ask_for_invoice(
            order_id, to, email="ap@example.org", actor=house.PRUDENCE, now=clock.now
        )
    assert owes_invoice(order_id)
    assert "Ask for an invoice" not in client.get(f"/o/{token}").text
    rows = invoices_of(order_id, zone="America/Los_Angeles", now=clock.now)
    assert [(str(x.standing), x.owed) for x in rows] == [
        ("credited", 0), ("paid", 0), ("open", 50000),
    ]  # fmt: skip


def test_an_agreed_sum_covers_every_seat(db: Any, clock: Clock) -> None:
    event = hosted(agreed_sum=1180000)
    name(event, "Ada Reed")
    host = table(event).host
    assert host.order_id
    assert registrations.due(host.order_id).due == 1180000
    _answer("Ada Reed")
    assert words(event) == [("Ada", "confirmed")]
    agree(event, seats=3, agreed_sum=1000000)
    name(event, "Ben Reed")
    assert registrations.due(host.order_id).due == 1000000
    assert refused(lambda: agree(event, seats=3)) == "TermsFixed"
    _pay(host.order_id)
    ada = table(event).seats[0]
    do(services.take_off, event, ada.id)
    assert (table(event).facts.kept, live(event)) == (2, 3)
    assert ("cancelled", "Ada") in letters()
    # The event is called off: what was agreed is owed no more.
    with transaction():
        shares = registration.cancel_for_event(
            host.order_id, event_id=event.id, most=10**7, contested=0, reason="ill",
            actor=house.ORGANIZER, now=clock.now,
        )  # fmt: skip
    assert sum(s.amount for s in shares) == 1000000


def test_where_each_pays_a_seat_comes_back_when_it_is_not_paid(db: Any, clock: Clock) -> None:
    event = hosted(pays=Pays.EACH)
    ada, ben = name(event, "Ada Reed"), name(event, "Ben Reed")
    assert ada.order_id != ben.order_id
    _pay(ada.order_id)
    seat = table(event).seats[0]
    assert (
        refused(lambda: do(services.swap, event, seat.id, cast.a_person("Eve Reed"))) == "OwnSeat"
    )
    clock.move(days=8)
    with transaction():
        registration.expire_lapsed(ben.order_id, now=clock.now)
    sweep()
    sweep()
    assert words(event) == [("Ada", "invited")]
    assert (table(event).facts.kept, live(event)) == (2, 3)
    assert letters().count(("hosts_lapsed", "Ben")) == 1
    name(event, "Ben Reed")
    ben_again = table(event).seats[-1]
    do(services.take_off, event, ben_again.id)
    assert (words(event), live(event)) == ([("Ada", "invited")], 3)


def test_nobody_else_gets_the_seats_and_the_host_no_more_than_there_are(
    db: Any, clock: Clock
) -> None:
    event = hosted(seats=3, places=4)
    type_id = event.ticket_types[0].id

    def by_hand(who: str) -> Registration:
        with transaction():
            return registration.add_by_hand(
                event.id, cast.a_person(who), ticket_type_id=type_id, to_pay=False, reason="guest",
                actor=house.ORGANIZER, now=clock.now,
            )  # fmt: skip

    guest = by_hand("Guest Reed")
    assert refused(lambda: by_hand("Other Reed")) == "Full"
    assert refused(lambda: put_in_cart(event, now=clock.now)) == "HostApproves"
    assert refused(lambda: agree(event, seats=5)) == "TooFewPlaces"
    assert (table(event).host.seats, live(event)) == (3, 4)
    with pytest.raises(NotFound):
        do(services.swap, event, guest.id, cast.a_person("Eve Reed"))
    name(event, "Ada Reed")
    assert refused(lambda: name(event, "Ada Reed")) == "EmailHere"
    name(event, "Ben Reed")
    assert refused(lambda: agree(event, seats=1)) == "SeatsNamed"
    agree(event, seats=2)
    assert live(event) == 3
    # Somebody leaves by their own link: within one round the place is the host's again.
    ada = table(event).seats[0]
    with transaction():
        registration.remove_person(ada.order_id, ada.id, actor=STRIPE, now=clock.now)
    sweep()
    assert (table(event).facts.kept, live(event)) == (1, 3)


def test_seats_without_a_name_are_let_go_on_their_day(db: Any, clock: Clock) -> None:
    event = hosted(kept_until=house.in_days(20))
    name(event, "Ada Reed")
    clock.move(days=14)
    sweep()
    sweep()
    assert letters().count(("hosts_reminder", "Prudence")) == 1
    clock.move(days=7)
    sweep()
    assert live(event) == 1
    assert refused(lambda: name(event, "Ben Reed")) == "SeatsLetGo"
    agree(event, seats=3, kept_until=house.in_days(30))
    name(event, "Ben Reed")
    assert live(event) == 3


def test_people_ask_and_the_coordinator_decides_once(db: Any, clock: Clock) -> None:
    event = hosted(seats=1)
    for who in ("Ada Reed", "Ben Reed", "Ada Reed"):
        ask(event, who)
    ada, ben = table(event).waiting
    do(services.approve, event, ada.id)
    with pytest.raises(IllegalMove):
        do(services.decline, event, ada.id)
    assert refused(lambda: do(services.approve, event, ben.id)) == "NoSeatLeft"
    assert [one.first_name for one in table(event).waiting] == ["Ben"]
    do(services.decline, event, ben.id)
    ask(event, "Ada Reed")
    assert [k for k in letters() if k[1] != "Prudence"] == [
        ("hosts_seat", "Ada"), ("hosts_declined", "Ben"), ("existing_link", "Ada"),
    ]  # fmt: skip
    assert letters().count(("hosts_asked", "Prudence")) == 1
    actions = list(product_db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))
    assert {"host.seat_asked", "host.seat_approved", "host.seat_declined"} <= set(actions)
    other = hosted()
    with pytest.raises(NotFound):
        do(services.approve, other, ben.id)


@pytest.mark.once
def test_whoever_asks_hears_either_way(db: Any, clock: Clock) -> None:
    event = hosted(seats=2, names_until=house.in_days(10))
    ask(event, "Ada Reed")
    ask(event, "Ben Reed")
    name(event, "Ada Reed")
    assert [one.first_name for one in table(event).waiting] == ["Ben"]
    sweep()
    assert ("hosts_declined", "Ben") not in letters()
    clock.move(days=10)
    sweep()
    sweep()
    assert table(event).waiting == []
    assert letters().count(("hosts_declined", "Ben")) == 1
    assert ("hosts_declined", "Ada") not in letters()


@pytest.mark.once
def test_seats_are_kept_in_every_pool_of_their_kind(db: Any, clock: Clock) -> None:
    event = hosted(seats=2, places=4)
    limited = TypePlan(id=event.ticket_types[0].id, name="Seat", regular=50000, size=2)
    plan = PlacesPlan(currency="USD", total=4, types=[limited])
    with transaction():
        events.set_places(event.id, plan, version=None, actor=house.ORGANIZER, now=clock.now)
    assert (table(event).facts.kept, live(event)) == (0, 2)
    assert "2 seats of Fernhollow Health" in verified()[0]
    sweep()
    assert (table(event).facts.kept, live(event)) == (2, 4)
    name(event, "Ada Reed")
    assert (table(event).facts.kept, live(event)) == (1, 4)
    clock.move(minutes=20)
    assert verified() == []


@pytest.mark.once
def test_a_new_coordinator_takes_the_place_of_the_old_one(db: Any, clock: Clock) -> None:
    event = hosted()
    name(event, "Ada Reed")

    def sees(address: str) -> bool:
        query = select(User).where(User.email == address)
        user = product_db.session.scalars(query).one()
        return actor_of(user).has("host_coordinator", event_id=event.id)

    assert sees("prudence@example.org")
    agree(event, email="orla@example.org", first_name="Orla")
    assert not sees("prudence@example.org")
    assert table(event).host.invited_at is None
    with transaction():
        services.invite(event.id, actor=house.ORGANIZER, now=clock.now)
    assert sees("orla@example.org")
    order = product_db.session.scalars(select(Order)).one()
    assert (order.email, order.first_name) == ("orla@example.org", "Orla")
    clock.move(days=148)
    ask(event, "Ben Reed")
    clock.move(days=2)
    assert refused(lambda: ask(event, "Cy Reed")) == "RegistrationClosed"
    assert queries.list_upcoming(now=clock.now) == []
    assert table(event).seats[0].state is S.AWAITING_PAYMENT
