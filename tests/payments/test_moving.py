"""Moving to another event: the difference is paid or given back, and nobody loses both places or keeps both."""

from datetime import UTC, datetime
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.audit.models import AuditEntry
from regsys.capacity.models import Claim
from regsys.events.kinds import Enrollment
from regsys.events.models import Event
from regsys.kernel.actors import SYSTEM, attendee
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import IllegalMove, Refused
from regsys.outbox.models import Message
from regsys.payments import jobs as poller
from regsys.payments import queries, services
from regsys.policies import services as policies
from regsys.policies.rules import Split, price_move, read
from regsys.registration import jobs as sweeps
from regsys.registration.queries import costs_of, due
from regsys.waitlist import services as waitlist
from tests.cast import a_person, sign_in
from tests.payments.shop import Placed, Shop
from tests.payments.test_leaving import bought, people, refunds, said
from tests.support.books import verified
from tests.support.together import booking, errors, raise_unexpected, together
from tests.support.typist import Typist
from tests.support.visitor import Page

REST_AT = datetime(2027, 3, 24, 7, 0, tzinfo=UTC)
FREE = {
    "transfer": {"allowed": "free", "fee": 1500},
    "steps": [{"ahead": {}, "back": {"percent": 100}}],
}


@pytest.fixture
def typist(client: FlaskClient) -> Typist:
    return Typist(client)


def live(r: int) -> int:
    """Count the places that a registration holds."""
    db.session.rollback()
    query = select(Claim.id).where(Claim.registration_id == r, Claim.released_at.is_(None))
    return len(db.session.scalars(query).all())


def letters(kind: str) -> list[Message]:
    db.session.rollback()
    return list(
        db.session.scalars(select(Message).where(Message.kind == kind).order_by(Message.id))
    )


def paid(shop: Shop, order: Placed) -> None:
    """Pay what an order owes."""
    session = shop.open(order)
    shop.pay(session)
    assert shop.deliver_all(session) == [200]


def chosen(shop: Shop, typist: Typist, order: Placed, event: int) -> Page:
    """Open the page that shows what a move to this event means."""
    return typist.get(
        f"/o/{order.token}/move?who={order.registrations[0]}&to={shop.events[event][0]}"
    )


# ---- in money


@pytest.mark.once
@pytest.mark.parametrize(
    ("price", "fee", "cost", "total", "net", "cards", "want"),
    [
        # Paid in full, the same price: nothing.
        (900, 0, 900, 900, 900, 900, (0, 0, 0)),
        (900, 15, 900, 900, 900, 900, (15, 0, 0)),
        (1000, 0, 900, 900, 900, 900, (100, 0, 0)),
        # Cheaper: the difference back, to the card as far as it can take it.
        (600, 0, 900, 900, 900, 900, (0, 300, 0)),
        (600, 0, 900, 900, 900, 100, (0, 100, 200)),
        (600, 400, 900, 900, 900, 900, (100, 0, 0)),
        # Part of it was paid: what is owed is less, and nothing comes back that never came.
        (600, 0, 900, 900, 150, 150, (0, 0, 0)),
        (1000, 0, 900, 900, 150, 150, (850, 0, 0)),
        # Somebody has paid too much: that is another matter.
        (800, 0, 900, 900, 1000, 1000, (0, 100, 0)),
        (1000, 0, 900, 900, 1000, 1000, (0, 0, 0)),
        # Another person of the order stays as they are.
        (500, 0, 900, 1800, 1800, 1800, (0, 400, 0)),
        (0, 0, 0, 0, 0, 0, (0, 0, 0)),
    ],
)
def test_what_a_move_costs(
    price: int, fee: int, cost: int, total: int, net: int, cards: int, want: tuple[int, int, int]
) -> None:
    m = price_move(1, 2, price=price, fee=fee, cost=cost, total=total, net=net, cards=cards)
    assert (m.to_pay, m.card, m.by_hand) == want


@pytest.mark.once
@pytest.mark.parametrize(
    ("price", "fee", "cost", "total", "net", "others", "first", "want"),
    [
        # The new place costs 1000 and is sure for 150: all of the old one was paid, which is enough.
        (1000, 0, 900, 900, 900, 0, 150, (0, 100, 0)),
        (1000, 15, 900, 900, 900, 0, 150, (0, 115, 0)),
        (800, 0, 900, 900, 900, 0, 150, (0, 0, 100)),
        # Only a deposit of 100 was paid of the old one.
        (1000, 0, 900, 900, 100, 0, 150, (50, 850, 0)),
        (1000, 15, 900, 900, 100, 0, 150, (65, 850, 0)),
        (1000, 0, 900, 900, 100, 0, 80, (0, 900, 0)),
        (800, 0, 900, 900, 100, 0, 150, (50, 650, 0)),
        # A colleague's deposit of 100 is paid, and their rest of 800 is due later, here or not.
        (1000, 0, 900, 1800, 200, 800, 150, (50, 850, 0)),
        (1000, 0, 900, 1800, 200, 800, None, (900, 0, 0)),
        # Nothing was paid, since an employer will.
        (1000, 0, 900, 900, 0, 0, 150, (150, 850, 0)),
    ],
)
def test_what_a_move_costs_where_a_deposit_is_enough(
    price: int, fee: int, cost: int, total: int, net: int, others: int, first: int | None,
    want: tuple[int, int, int],
) -> None:  # fmt: skip
    parts = Split(first, REST_AT) if first else None
    m = price_move(1, 2, price=price, fee=fee, cost=cost, total=total - others, net=net,
                   cards=net, parts=parts)  # fmt: skip
    assert (m.to_pay, m.later, m.back) == want
    assert m.to_pay + m.later == max(0, total - cost + price + fee - net - others)


def test_a_deposit_is_enough_there_and_what_was_paid_counts_for_it(
    shop: Shop, typist: Typist
) -> None:
    order, dearer = bought(shop, rules=FREE), shop.event(price=100000)
    old = order.registrations[0]
    down = {**FREE, "down": {"amount": 95000, "rest": {"days": 30}, "then": "chase"}}
    with transaction():
        db.session.get_one(Event, dearer).policy = policies.save_version(
            "D", read(down), before=None, actor=SYSTEM, now=shop.clock.now
        )
    page = typist.get(f"/o/{order.token}/move?who={old}")
    assert "$45.00 more to pay as a deposit, and $50.00 by Tue 23 Mar 2027" in said(page)
    page = chosen(shop, typist, order, dearer)
    assert "To pay now $45.00 There is a deposit there; what was paid so far" in said(page)
    assert "Then, by Tue 23 Mar 2027" in said(page)
    answer = typist.send(page, {}, names=["mark"])
    session = answer.headers["Location"].rsplit("/", 1)[-1]
    shop.pay(session)
    assert set(shop.deliver_all(session)) == {200}
    assert shop.states(order) == ["transferred", "confirmed"]
    balance, new = due(order.id), people(order)[1]
    assert (balance.total, balance.net, balance.due) == (101500, 96500, 5000)
    assert (balance.state, new.deposit, new.rest_at) == ("deposit paid", 96500, REST_AT)
    own = next(m for m in letters("moved") if m.to_email == "lysander@example.org")
    assert "Still to pay, by Tue 23 Mar 2027" in own.text.replace("\u00a0", " ")
    paid(shop, order)
    assert shop.payments(order)[1:] == [(4500, None), (5000, None)]
    assert due(order.id).state == "paid"
    assert verified() == []


def test_the_difference_is_paid_and_the_old_place_stays_until_then(
    shop: Shop, typist: Typist
) -> None:
    order, dearer = bought(shop, rules=FREE), shop.event(price=100000, size=1)
    old = order.registrations[0]
    page = typist.get(f"/o/{order.token}/move?who={old}")
    assert "$95.00 more to pay" in said(page)
    page = chosen(shop, typist, order, dearer)
    assert "The new place $1,000.00 Fee for moving $15.00" in said(page)
    assert "To pay now $95.00" in said(page)
    answer = typist.send(page, {}, names=["mark"])
    assert answer.headers["Location"].startswith(shop.sandbox.url), answer.text
    new = people(order)[1].id
    assert (shop.states(order), live(old), live(new)) == (["confirmed", "awaiting_payment"], 1, 1)
    assert typist.send(page, {}, names=["mark"]).status == 409, "no third place"
    assert due(order.id).due == 9500
    session = answer.headers["Location"].rsplit("/", 1)[-1]
    shop.pay(session)
    assert set(shop.deliver_all(session) + shop.deliver_all(session)) == {200}
    assert (shop.states(order), live(old), live(new)) == (["transferred", "confirmed"], 0, 1)
    balance = due(order.id)
    assert (balance.total, balance.net, balance.due) == (101500, 101500, 0)
    assert costs_of([old, new]) == {old: 0, new: 101500}
    assert refunds(shop) == []
    told = letters("moved")
    assert [m.key for m in told if m.key.startswith("cancelled")] == [f"cancelled:{old}"]
    assert "METHOD:CANCEL" in str(told[0].attachments)
    assert [m.key for m in letters("confirmation")][-1] == f"confirm:{new}"
    assert len({m.to_email for m in told}) == len(told) == 3, "the person, the payer, the desk"
    assert verified() == []


def test_a_cheaper_event_gives_the_difference_back_once(shop: Shop, typist: Typist) -> None:
    order, cheaper = bought(shop, rules=FREE), shop.event(price=60000)
    page = chosen(shop, typist, order, cheaper)
    assert "Comes back $305.00" in said(page)
    assert typist.send(page, {}, names=["mark"]).status == 303
    again = typist.send(page, {}, names=["mark"])
    assert again.status == 303, "a second click does nothing more"
    assert refunds(shop) == [("succeeded", 30500)]
    assert shop.states(order) == ["transferred", "confirmed"]
    balance = due(order.id)
    assert (balance.total, balance.net) == (61500, 61500)
    for_payer = [m for m in letters("moved") if m.to_email == "lysander@example.org"]
    assert "$305.00 goes back to the card" in for_payer[0].text
    own = next(m for m in letters("moved") if m.key.startswith("cancelled"))
    assert "$" not in own.text, "whoever did not pay reads nothing of money"
    assert people(order)[1].times_moved == 1


@pytest.mark.once
def test_nobody_gets_more_by_a_move_than_by_leaving(shop: Shop, typist: Typist) -> None:
    rules = {
        "transfer": {"allowed": "free"},
        "steps": [{"ahead": {"days": 30}, "back": {"percent": 25}}],
    }
    order, cheaper = bought(shop, rules=rules), shop.event(price=0)
    page = chosen(shop, typist, order, cheaper)
    assert "Stays with us, by the refund rules of today $690.00 Comes back $230.00" in said(page)
    typist.send(page, {}, names=["mark"])
    assert refunds(shop) == [("succeeded", 23000)]
    assert (due(order.id).total, due(order.id).net, due(order.id).over) == (69000, 69000, 0)
    assert verified() == []


def test_a_move_that_is_not_paid_leaves_everything_as_it_was(shop: Shop, typist: Typist) -> None:
    order, dearer = bought(shop, rules=FREE), shop.event(price=100000, size=1)
    old = order.registrations[0]
    typist.send(chosen(shop, typist, order, dearer), {}, names=["mark"])
    new = people(order)[1].id
    shop.clock.move(minutes=36)
    poller.poll({})
    shop.clock.move(minutes=15)
    sweeps.sweep({})
    assert (shop.states(order), live(old), live(new)) == (["confirmed", "cancelled"], 1, 0)
    assert (due(order.id).total, due(order.id).due) == (92000, 0)
    (letter,) = letters("move_lapsed")
    assert "The old place is still there" in letter.text
    assert letters("hold_expired") == []
    assert verified() == []


@pytest.mark.once
def test_who_gives_the_old_place_back_loses_the_new_one_too_and_gets_what_was_shown(
    shop: Shop, typist: Typist, now: datetime
) -> None:
    order, dearer = bought(shop, rules=FREE), shop.event(price=100000, size=1)
    old = order.registrations[0]
    with transaction():
        found = queries.get_moves(order.id, old, now=shop.clock.now)
        way = found.find(shop.events[dearer][0])
        assert way
        services.move_place(
            order.id,
            old,
            shop.events[dearer][0],
            mark=found.mark(way),
            actor=SYSTEM,
            now=shop.clock.now,
        )
    # So it is where the organizers call the old event off.
    assert queries.get_outlook(order.event_id).back.card == 92000
    page = typist.get(f"/o/{order.token}/cancel?who={old}")
    assert "Today $920.00 comes back." in said(page)
    typist.send(page, {}, names=["mark"])
    assert shop.states(order) == ["cancelled", "cancelled"]
    assert refunds(shop) == [("succeeded", 92000)]
    assert (due(order.id).total, due(order.id).net, live(people(order)[1].id)) == (0, 0, 0)
    assert verified() == []


@pytest.mark.once
def test_rules_and_those_who_wait_come_first(shop: Shop, typist: Typist) -> None:
    order, there = bought(shop), shop.event(price=92000, size=1)
    old = order.registrations[0]
    assert "One cannot move from here" in said(typist.get(f"/o/{order.token}/move?who={old}"))
    rules = {"transfer": {"allowed": "free", "until": {"days": 30}}}
    with transaction():
        policy = policies.save_version(
            "T", read(rules), before=None, actor=SYSTEM, now=shop.clock.now
        )
        people(order)[0].policy_id = policy.id
    assert "Introductory Intensive 3" in said(typist.get(f"/o/{order.token}/move?who={old}"))
    page = chosen(shop, typist, order, there)
    assert "Move there now" in said(page)
    other = shop.order(there)
    wish = waitlist.Wish(a_person("Wanda Waits"), "Nurse", [shop.events[there][0]])
    with transaction():
        waitlist.join(there, wish, now=shop.clock.now)
    shop.clock.move(minutes=31)
    sweeps.sweep({})
    assert shop.states(other) == ["expired"]
    refused = typist.send(page, {}, names=["mark"])
    assert (refused.status, shop.states(order)) == (409, ["confirmed"])


@pytest.mark.once
def test_where_the_organizers_agree_they_move_and_may_spare_the_difference(
    shop: Shop, typist: Typist, client: FlaskClient
) -> None:
    rules = {"transfer": {"allowed": "approval"}}
    order, dearer = bought(shop, rules=rules), shop.event(price=100000)
    old, event = order.registrations[0], order.event_id
    asked = typist.send(chosen(shop, typist, order, dearer), {}, names=["mark"])
    assert (asked.status, shop.states(order), len(letters("move_asked"))) == (303, ["confirmed"], 1)
    sign_in(client)
    path = f"/organize/events/{event}/registrations/{old}/move?to={shop.events[dearer][0]}"
    page = typist.get(path)
    assert typist.send(page, {"reason": ""}, names=["mark"]).status == 422, "a reason is needed"
    done = typist.send(page, {"difference": "none", "reason": "a new post"}, names=["mark"])
    assert (done.status, shop.states(order)) == (303, ["transferred", "confirmed"])
    assert (due(order.id).total, due(order.id).due) == (92000, 0)
    reasons = db.session.scalars(
        select(AuditEntry.reason).where(AuditEntry.action == "registration.move_begun")
    )
    assert list(reasons) == ["a new post"]
    assert verified() == []


@pytest.mark.once
def test_an_organizers_move_may_be_paid_by_a_mailed_link(
    shop: Shop, typist: Typist, client: FlaskClient
) -> None:
    order, dearer = bought(shop), shop.event(price=100000)
    old = order.registrations[0]
    sign_in(client)
    path = f"/organize/events/{order.event_id}/registrations/{old}/move?to={shop.events[dearer][0]}"
    typist.send(path, {"difference": "link", "reason": "asked by phone"}, names=["mark"])
    assert shop.states(order) == ["confirmed", "awaiting_payment"]
    (letter,) = letters("move_waits")
    assert (letter.to_email, "$80.00" in letter.text) == ("lysander@example.org", True)
    shop.clock.move(hours=30)
    session = shop.open(order)
    shop.pay(session)
    shop.deliver_all(session)
    assert shop.states(order) == ["transferred", "confirmed"]


def test_moving_against_cancelling_leaves_one_truth(app: Flask, shop: Shop) -> None:
    order, there = bought(shop, rules=FREE), shop.event(price=60000)
    old, kind, now = order.registrations[0], shop.events[there][0], shop.clock.now
    moves = queries.get_moves(order.id, old, now=now)
    way = moves.find(kind)
    parting = queries.get_parting(order.id, [old], now=now)
    assert way
    mark, out = moves.mark(way), parting.mark
    db.session.remove()

    def move() -> Any:
        who = attendee("X")
        return services.move_place(order.id, old, kind, mark=mark, actor=who, now=now)

    def leave() -> Any:
        return services.leave(order.id, [old], mark=out, reason="", actor=SYSTEM, now=now)

    results = together([lambda: booking(app, move), lambda: booking(app, leave)] * 2)
    raise_unexpected(results, Refused, IllegalMove)
    states = shop.states(order)
    assert states in (["transferred", "confirmed"], ["cancelled"])
    held = live(old) + sum(live(r.id) for r in people(order) if r.id != old)
    assert held == (1 if states[0] == "transferred" else 0)
    balance = due(order.id)
    assert (balance.due, balance.over) == (0, 0), "one refund, of one of the two amounts"
    assert len(errors(results)) >= 1
    assert [n for _state, n in refunds(shop)] == [30500 if states[0] == "transferred" else 92000]


@pytest.mark.once
def test_an_organizer_of_one_event_lets_nobody_into_another_past_its_rules(
    shop: Shop, client: FlaskClient
) -> None:
    """Where somebody else organizes, they open no closed door, and whoever waits there comes first."""
    order, closed, open_one = bought(shop), shop.event(), shop.event(price=92000)
    with transaction():
        db.session.get_one(Event, closed).enrollment = Enrollment.APPLICATION
        db.session.get_one(Event, open_one).enrollment = Enrollment.OPEN
    old, now = order.registrations[0], shop.clock.now
    everywhere = queries.get_moves(order.id, old, now=now, by_organizer=True)
    assert {(w.to.event.id, w.move.behind) for w in everywhere.ways} == {
        (closed, False), (open_one, False),
    }  # fmt: skip
    here = frozenset({order.event_id})
    ways = queries.get_moves(order.id, old, now=now, by_organizer=True, scope=here).ways
    assert closed not in {w.to.event.id for w in ways}
    assert all(w.move.behind for w in ways)
    sign_in(client, "registrar", event=db.session.get_one(Event, order.event_id))
    path = f"/organize/events/{order.event_id}/registrations/{old}/move?to={shop.events[closed][0]}"
    done = shop.press(client, path, difference="none", reason="x")
    assert (done.status_code, shop.states(order)) == (409, ["confirmed"])
