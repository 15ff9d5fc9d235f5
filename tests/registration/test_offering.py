"""Places that are offered to one person: paid, taken free, given back, or let go."""

from datetime import datetime, timedelta
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.kernel.actors import STRIPE, SYSTEM
from regsys.kernel.db import transaction
from regsys.outbox.models import Message
from regsys.registration import queries, services
from regsys.registration.kinds import OrderSource
from regsys.registration.models import Registration
from regsys.registration.services import PaidOutcome
from regsys.registration.states import RegistrationState as S
from tests.cast import a_person, list_people, make_event
from tests.registration.guest import Guest
from tests.registration.test_byhand import refused

HOURS = timedelta(hours=48)


def offer(event: Any, now: datetime, who: str = "Undine Nutkin") -> Registration:
    with transaction():
        return services.offer_place(
            event.id,
            event.ticket_types[0].id,
            a_person(who),
            until=now + HOURS,
            source=OrderSource.APPLICATION,
            reason="accepted",
            actor=SYSTEM,
            now=now,
            about={"profession": "Physician", "credentials": "MD", "workplace": "Copperline"},
        )


def state_of(r: Registration) -> S:
    return list_people(r.order)[0].state


def kinds(db: Any) -> list[str]:
    return list(db.session.scalars(select(Message.kind).order_by(Message.id)))


def test_an_offered_place_is_held_priced_and_paid(db: Any, clock: Any) -> None:
    event = make_event(places=1, types={"Standard": (90000, 99000)}, early_places=1)
    r = offer(event, clock.now)
    assert (r.state, r.price, r.answered_at) == (S.AWAITING_PAYMENT, 90000, clock.now)
    assert queries.list_ends([r.id], now=clock.now) == {r.id: clock.now + HOURS}
    assert refused(offer, event, clock.now) == "EmailHere"
    assert refused(offer, event, clock.now, "Another One") == "Full"
    now = clock.move(hours=47)
    with transaction():
        assert services.hold_for_checkout(r.order_id, now=now).amount == 90000
    with transaction():
        services.release_checkout(r.order_id, actor=STRIPE, now=now)
    assert state_of(r) is S.AWAITING_PAYMENT, "a page left unpaid does not end an offer early"
    assert queries.list_ends([r.id], now=now) == {r.id: r.order.held_until}
    with transaction():
        outcome = services.confirm_paid(r.order_id, actor=STRIPE, now=now)
    assert (outcome, state_of(r)) == (PaidOutcome.CONFIRMED, S.CONFIRMED)
    assert kinds(db) == ["confirmation"]


def test_an_offer_lapses_without_a_letter_of_this_room(db: Any, clock: Any) -> None:
    event = make_event(places=1)
    r = offer(event, clock.now)
    now = clock.move(hours=49)
    with transaction():
        assert services.expire_lapsed(r.order_id, now=now) == 1
    assert (state_of(r), kinds(db)) == (S.EXPIRED, [])
    assert refused(services.take_again, r.order_id, minutes=30, now=now) == "OnlyOffered"
    assert offer(event, now, "Another One").state is S.AWAITING_PAYMENT


def test_a_page_left_unpaid_after_the_time_ends_the_offer(db: Any, clock: Any) -> None:
    r = offer(make_event(), clock.now)
    with transaction():
        services.hold_for_checkout(r.order_id, now=clock.move(hours=47, minutes=50))
    with transaction():
        services.release_checkout(r.order_id, actor=STRIPE, now=clock.move(minutes=35))
    assert (state_of(r), kinds(db)) == (S.EXPIRED, [])


def test_the_page_of_an_offer_takes_it_or_gives_it_back(
    db: Any, client: FlaskClient, clock: Any
) -> None:
    guest = Guest(client)
    free, paid = make_event(types={"Free": 0}), make_event()
    r, other = offer(free, clock.now), offer(paid, clock.now)
    page = guest.get(f"/o/{r.order.token}")
    assert "Nothing is to pay: take it" in page.text
    assert guest.send(page, action="/take").status == 303
    assert guest.send(page, action="/take").status == 303, "a second click finds it taken"
    assert guest.get(f"/o/{r.order.token}/decline").status == 303
    assert (
        refused(services.take_offer, other.order_id, actor=SYSTEM, now=clock.now) == "SomethingDue"
    )
    db.session.rollback()
    page = guest.get(f"/o/{other.order.token}/decline")
    assert "Give the place back?" in page.text
    assert guest.send(page, action="/decline").status == 303
    db.session.rollback()
    assert [state_of(one) for one in (r, other)] == [S.CONFIRMED, S.CANCELLED]
    assert kinds(db) == ["confirmation"]
    assert [queries.due(one.order_id).total for one in (r, other)] == [0, 0]
