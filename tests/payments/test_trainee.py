"""A trainee's word that is not enough: the difference is asked for, paid by card, or taken back when proof comes."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from regsys.discounts.services import Plan, make_code
from regsys.events.kinds import Proof, Rate
from regsys.events.models import Price, TicketType
from regsys.kernel.actors import ANONYMOUS, STRIPE, SYSTEM, Actor
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import Refused
from regsys.payments import jobs
from regsys.registration import queries, services
from regsys.registration.models import Order, Registration
from regsys.registration.proving import Difference, price_without
from regsys.registration.queries import due
from regsys.registration.rules import asked_until
from regsys.registration.services import difference_of
from regsys.registration.states import RegistrationState as S
from tests.cast import fill_cart, list_people, make_cart, make_event, sign_in
from tests.payments.shop import Placed, Shop
from tests.payments.test_leaving import said
from tests.payments.test_moving import letters, paid
from tests.support.books import verified
from tests.support.typist import Typist

DESK = Actor("user", 1, "Tilda Marchbanks")
TYPES = {"Standard": (54000, 60000), "Day": (10000, 12000), "Trainee": (39000, 43000)}


@pytest.mark.once
@pytest.mark.parametrize(
    ("price", "others", "want"),
    [
        (39000, [(54000, True)], 54000),
        (39000, [(54000, True), (48000, True)], 48000),
        # A place of another kind counts only where there is none of the same.
        (39000, [(54000, True), (45000, False)], 54000),
        (39000, [(45000, False), (50000, False)], 45000),
        (39000, [(10000, True), (54000, True)], 54000),
        (39000, [(39000, True)], None),
        (39000, [], None),
    ],
)
def test_the_price_without_a_word(price: int, others: Any, want: int | None) -> None:
    assert price_without(price, others) == want


@pytest.mark.once
def test_two_weeks_are_given_to_the_end_of_a_day() -> None:
    now, starts = datetime(2026, 11, 24, 18, tzinfo=UTC), datetime(2027, 4, 22, 17, tzinfo=UTC)

    def until(known: datetime | None = None, starts_at: datetime = starts) -> datetime:
        return asked_until(known, starts_at=starts_at, zone="America/Los_Angeles", now=now)

    assert until() == datetime(2026, 12, 9, 8, tzinfo=UTC)
    assert until(datetime(2027, 3, 24, 7, tzinfo=UTC)) == datetime(2027, 3, 24, 7, tzinfo=UTC)
    assert until(datetime(2026, 11, 1, tzinfo=UTC)) == datetime(2026, 12, 9, 8, tzinfo=UTC)
    assert until(starts_at=now + timedelta(days=3)) == now + timedelta(days=3)
    assert until(starts_at=now - timedelta(days=3)) == now


def a_trainee(now: datetime, *, code: int | None = None, place: bool = True) -> Order:
    """Take a place at the early price for trainees by somebody's word, with a code of so many percent (hundredths)."""
    event = make_event(types=TYPES, early_until=now + timedelta(days=9))
    with transaction():
        trainee = db.session.get_one(TicketType, event.ticket_types[2].id)
        trainee.proof = Proof.TRAINEE
        if code:
            make_code(Plan(code="SPRING", percent=code, event_ids=[event.id]), scope=None,
                      actor=SYSTEM, now=now)  # fmt: skip
    order = fill_cart(make_cart(event, quantities={"Trainee": 1}))
    (r,) = list_people(order)
    with transaction():
        words = {r.id: "Riverbend programme"}
        services.choose_options(order.id, {}, words=words, actor=ANONYMOUS, now=now)
    with transaction():
        if code:
            services.apply_code(order.id, "SPRING", actor=ANONYMOUS, now=now)
        if place:
            services.place(order.id, now=now)
    return order


def refuse(order: Order, seen: int, now: datetime) -> None:
    (r,) = list_people(order)
    with transaction():
        services.refuse_proof(
            r.id, reason="A letter is missing.", seen=seen, event_id=r.event_id, actor=DESK, now=now
        )


def accept(order: Order, now: datetime) -> None:
    (r,) = list_people(order)
    with transaction():
        services.accept_proof(r.id, event_id=r.event_id, actor=DESK, now=now)


def lines(order: Order) -> list[tuple[str, int]]:
    db.session.rollback()
    return [(str(x.kind), x.amount) for x in queries.list_lines(order.id)]


def test_the_difference_is_paid_by_card_and_taken_back_when_proof_comes(
    shop: Shop, client: FlaskClient
) -> None:
    order = a_trainee(shop.clock.now, code=1000)
    (r,) = list_people(order)
    placed = Placed(order.id, order.token, r.event_id, [r.id])
    paid(shop, placed)  # 390.00 less 10 %
    shop.clock.move(days=20)  # the early price is over, and counts all the same
    sign_in(client)
    desk = Typist(client)
    at = f"/organize/events/{r.event_id}/registrations/{r.id}"
    page = desk.get(f"{at}/proof/refuse")
    assert "Costs now $351.00" in said(page)
    assert "without a word about training $150.00 By the prices of the day" in said(page)
    assert "The code counts for it too -$15.00 Costs then $486.00" in said(page)
    assert "by Mon 28 Dec 2026" in said(page)
    with transaction():
        db.session.get_one(Price, (r.ticket_type_id - 2, Rate.EARLY)).amount = 99000
    assert desk.send(page, {"reason": "A letter is missing."}, names=["seen"]).status == 303
    assert lines(order)[-2:] == [("place", 15000), ("discount", -1500)]
    balance = due(order.id)
    assert (balance.total, balance.due, shop.states(placed)) == (48600, 13500, ["confirmed"])
    (letter,) = letters("proof_owed")
    assert letter.links == {"order": f"http://127.0.0.1:5000/o/{order.token}"}
    for word in ("A letter is missing.", "$135.00", "Mon 28 Dec 2026", "we ask again"):
        assert word in letter.text.replace("\u00a0", " "), letter.text
    page = said(desk.get(f"/o/{order.token}"))
    assert "$135.00 is still to pay, by Mon 28 Dec 2026" in page
    assert "The price without a word about training." in page
    assert "Code SPRING counts for this price too." in page
    sheet = said(desk.get(at))
    assert "held places (Early price, for places taken until Thu 3 Dec 2026" in sheet
    assert ": $390.00)" in sheet
    assert "(SPRING, $39.00 off)" in sheet
    assert "placed the order ($351.00)" in sheet
    assert "did not accept what was shown for the price (+$135.00)" in sheet
    assert verified() == []
    reminded = []
    for date in ((2026, 12, 20), (2026, 12, 27), (2027, 1, 30)):
        shop.clock.to(datetime(*date, tzinfo=UTC))
        jobs.follow_rests({})
        reminded.append(len(letters("payment_rest")))
    assert reminded == [0, 1, 2]
    assert "is still open" in letters("payment_rest")[0].text
    assert "deposit" not in letters("payment_rest")[0].text
    assert shop.states(placed) == ["confirmed"], "nobody is let go for it"
    paid(shop, placed)
    assert shop.payments(placed) == [(35100, None), (13500, None)]
    assert due(order.id).state == "paid"
    accept(order, shop.clock.now)
    accept(order, shop.clock.now)
    balance = due(order.id)
    assert (balance.total, balance.over, balance.state) == (35100, 13500, "overpaid")
    assert "$135.00 is paid above the price now" in letters("proof_accepted")[0].text
    assert list_people(order)[0].rest_at is None
    assert verified() == []


def test_a_place_that_waits_costs_more_and_keeps_its_hold(db: Any, now: datetime) -> None:
    order = a_trainee(now)
    (r,) = list_people(order)
    with transaction():
        services.hold_for_checkout(order.id, now=now)
    with pytest.raises(Refused) as caught:
        refuse(order, 15000, now)
    assert caught.value.refusal.name == "PaymentOpen"
    with pytest.raises(Refused) as caught:
        refuse(order, 14000, now)
    assert caught.value.refusal.name == "DifferenceChanged"
    with transaction():
        services.release_checkout(order.id, actor=STRIPE, now=now)
    assert list_people(order)[0].state is S.EXPIRED
    with pytest.raises(Refused) as caught:
        refuse(order, 15000, now)
    assert caught.value.refusal.name == "ProofSeen"

    order = a_trainee(now)
    refuse(order, 15000, now)
    (r,) = list_people(order)
    assert (r.price, r.rest_at, due(order.id).due) == (54000, None, 54000)
    (letter,) = letters("proof_owed")
    assert "The place is confirmed when all of it is paid." in letter.text
    accept(order, now)
    assert (list_people(order)[0].price, due(order.id).due) == (39000, 39000)


@pytest.mark.once
def test_where_nothing_costs_more_only_a_letter_goes(db: Any, now: datetime) -> None:
    order = a_trainee(now)
    with transaction():
        for kind in order.registrations[0].event.ticket_types[:2]:
            db.session.get_one(TicketType, kind.id).on_sale = False
        db.session.get_one(Registration, order.registrations[0].id).full_price = None
    assert difference_of(list_people(order)[0]) == Difference()
    refuse(order, 0, now)
    assert (due(order.id).total, len(letters("proof_refused"))) == (39000, 1)
