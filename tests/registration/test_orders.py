"""Placing, paying, confirming, letting go: the verbs that `payments` calls, and those that end an order."""

from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select

from regsys.audit.models import AuditEntry
from regsys.capacity.models import Claim
from regsys.events.models import Event
from regsys.events.queries import places_of
from regsys.events.states import EventState
from regsys.kernel.actors import STRIPE, Actor, payer
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.states import move
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.outbox.models import Message
from regsys.registration import jobs, queries, rules, services
from regsys.registration.models import LineKind, Order, Registration
from regsys.registration.services import CheckoutFacts, PaidOutcome
from regsys.registration.states import RegistrationState as S
from tests import cast
from tests.cast import a_person, fill_cart, list_people, make_cart, make_event, make_order

TWO = [a_person("A B"), a_person("C D")]
DESK = Actor("user", 1, "Tilda")


def states(order: Order) -> list[S]:
    return [r.state for r in list_people(order)]


def letters(db: Any) -> list[tuple[str, str]]:
    query = select(Message.kind, Message.to_email).order_by(Message.id)
    return [tuple(row) for row in db.session.execute(query)]


def ends(order: Order, now: datetime) -> set[datetime | None]:
    return set(queries.list_ends([r.id for r in list_people(order)], now=now).values())


def place(order: Order, now: datetime) -> Order:
    with transaction():
        return services.place(order.id, now=now)


def hold(order: Order, now: datetime) -> CheckoutFacts:
    with transaction():
        return services.hold_for_checkout(order.id, now=now)


def confirm(order: Order, now: datetime) -> PaidOutcome:
    with transaction():
        return services.confirm_paid(order.id, actor=STRIPE, now=now)


def come(order: Order, now: datetime) -> PaidOutcome:
    """Let the money for all of an order come, late."""
    with transaction():
        amount = sum(r.price for r in list_people(order))
        ledger.record_payment(
            order.id, amount=amount, currency="USD", method=Method.CARD, actor=STRIPE, now=now
        )
    return confirm(order, now)


def release(order: Order, now: datetime) -> None:
    with transaction():
        services.release_checkout(order.id, actor=STRIPE, now=now)


def refused(call: Any, *args: Any) -> str:
    with pytest.raises(Refused) as caught:
        call(*args)
    return caught.value.refusal.name


def actions(db: Any, order: Order) -> list[str]:
    query = select(AuditEntry.action).where(AuditEntry.order_id == order.id)
    return list(db.session.scalars(query.order_by(AuditEntry.id)))


# ---- placing


def test_an_order_to_pay_keeps_its_cart_hold(db: Any, now: datetime) -> None:
    order = place(fill_cart(make_cart(make_event())), now)
    assert states(order) == [S.AWAITING_PAYMENT]
    assert ends(order, now) == {now + timedelta(minutes=30)}
    assert letters(db) == []
    assert actions(db, order) == [
        "order.places_held",
        "order.placed",
        "registration.awaiting_payment",
    ]


def test_a_free_order_is_confirmed_at_once(db: Any, now: datetime) -> None:
    order = place(
        fill_cart(make_cart(make_event(types={"Free": 0}), quantities={"Free": 2}), TWO), now
    )
    assert states(order) == [S.CONFIRMED, S.CONFIRMED]
    assert ends(order, now) == {None}
    assert letters(db) == [("confirmation", "a.b@example.org"), ("confirmation", "c.d@example.org")]


def test_placing_twice_is_placing_once(db: Any, clock: Any) -> None:
    order = place(fill_cart(make_cart(make_event())), clock.now)
    again = place(order, clock.move(minutes=5))
    assert (again.placed_at, states(order)) == (
        clock.now - timedelta(minutes=5),
        [S.AWAITING_PAYMENT],
    )
    assert actions(db, order).count("order.placed") == 1


def test_an_incomplete_cart_is_not_placed(db: Any, now: datetime) -> None:
    event = make_event()
    assert refused(place, make_cart(event), now) == "NotComplete"
    cart = make_cart(event)
    with transaction():
        mine = {event.id: event.ticket_types[0].id}
        services.describe_payer(cart.id, a_person("A B"), phone="", mine=mine, now=now)
    assert refused(place, cart, now) == "NotComplete"
    with transaction():
        services.remove_from_cart(cart.id, list_people(cart)[0].id, now=now)
    assert refused(place, cart, now) == "NothingChosen"


def test_a_lapsed_cart_is_not_placed(db: Any, clock: Any) -> None:
    cart = fill_cart(make_cart(make_event()))
    assert refused(place, cart, clock.move(minutes=30)) == "HoldExpired"
    assert cart.placed_at is None


def test_nothing_is_placed_for_an_event_that_will_not_be(db: Any, now: datetime) -> None:
    event = make_event()
    cart = fill_cart(make_cart(event))
    with transaction():
        move(db.session.get(Event, event.id), EventState.CANCELLED, now=now)
    assert refused(place, cart, now) == "EventCancelled"


def test_a_hold_outlives_the_closing_of_registration(db: Any, clock: Any) -> None:
    event = make_event(closes_at=clock.now + timedelta(minutes=5))
    cart = fill_cart(make_cart(event))
    assert states(place(cart, clock.move(minutes=10))) == [S.AWAITING_PAYMENT]


# ---- paying


def test_a_checkout_holds_without_an_end_and_says_what_is_paid(db: Any, now: datetime) -> None:
    event = make_event(types={"Standard": 92000, "Trainee": 66000}, title="Spring Intensive")
    order = make_order(event, TWO, quantities={"Standard": 1, "Trainee": 1})
    facts = hold(order, now)
    assert facts == CheckoutFacts(
        order_id=order.id,
        code=order.code,
        token=order.token,
        currency="USD",
        amount=158000,
        payer_email="a.b@example.org",
        payer_name="A B",
        lines=[
            ("Spring Intensive: Standard, A B", 92000),
            ("Spring Intensive: Trainee, C D", 66000),
        ],
        titles=["Spring Intensive"],
    )
    assert ends(order, now + timedelta(days=9)) == {None}
    assert hold(order, now) == facts


def test_free_places_beside_paid_ones_have_no_line(db: Any, now: datetime) -> None:
    event = make_event(types={"Standard": 92000, "Helper": 0})
    order = make_order(event, TWO, quantities={"Standard": 1, "Helper": 1})
    assert hold(order, now).lines == [(f"{event.title}: Standard, A B", 92000)]
    assert confirm(order, now) is PaidOutcome.CONFIRMED
    assert states(order) == [S.CONFIRMED, S.CONFIRMED]


def test_what_is_still_due_is_one_line_where_something_was_paid(db: Any, now: datetime) -> None:
    order = make_order(make_event(), TWO)
    with transaction():
        ledger.record_payment(
            order.id, amount=50000, currency="USD", method=Method.CHEQUE, actor=DESK, now=now
        )
    facts = hold(order, now)
    assert (facts.amount, facts.lines) == (148000, [(f"Order {order.code}", 148000)])


def test_no_checkout_without_a_hold_or_a_debt(db: Any, clock: Any) -> None:
    cart = fill_cart(make_cart(make_event()))
    assert refused(hold, cart, clock.now) == "NothingDue"
    free = cast.make_confirmed(make_event(types={"Free": 0}))
    assert refused(hold, free, clock.now) == "NothingDue"
    late = make_order(make_event())
    assert refused(hold, late, clock.move(minutes=30)) == "HoldExpired"
    with transaction():
        services.expire_lapsed(late.id, now=clock.now)
    assert refused(hold, late, clock.now) == "HoldExpired"
    with pytest.raises(NotFound), transaction():
        services.hold_for_checkout(4711, now=clock.now)


def test_no_checkout_for_an_event_that_will_not_be(db: Any, now: datetime) -> None:
    event = make_event()
    order = make_order(event)
    with transaction():
        move(db.session.get(Event, event.id), EventState.CANCELLED, now=now)
    assert refused(hold, order, now) == "EventCancelled"


# ---- confirming


def test_paid_is_confirmed_once_with_one_letter_each(db: Any, now: datetime) -> None:
    order = make_order(make_event(), TWO)
    hold(order, now)
    assert confirm(order, now) is PaidOutcome.CONFIRMED
    assert confirm(order, now) is PaidOutcome.ALREADY
    assert states(order) == [S.CONFIRMED, S.CONFIRMED]
    assert {r.confirmed_at for r in list_people(order)} == {now}
    assert letters(db) == [("confirmation", "a.b@example.org"), ("confirmation", "c.d@example.org")]
    assert actions(db, order).count("registration.confirmed") == 2
    keys = db.session.scalars(select(Message.key).order_by(Message.id))
    assert list(keys) == [f"confirm:{r.id}" for r in list_people(order)]


def test_a_payer_who_does_not_come_gets_one_letter_about_the_order(db: Any, now: datetime) -> None:
    order = make_order(make_event(), TWO, payer=a_person("P Ayer"))
    hold(order, now)
    confirm(order, now)
    assert letters(db)[-1] == ("order_confirmed", "p.ayer@example.org")
    assert len(letters(db)) == 3


def test_late_money_finds_the_places_again(db: Any, clock: Any) -> None:
    event = make_event(places=2, types={"Standard": (92000, 99000)}, early_places=2)
    order = make_order(event, TWO)
    hold(order, clock.now)
    release(order, clock.move(minutes=36))
    assert queries.due(order.id).total == 0
    assert come(order, clock.now) is PaidOutcome.CONFIRMED
    assert states(order) == [S.CONFIRMED, S.CONFIRMED]
    places = places_of([event.id], now=clock.now)[event.id]
    assert (places.left, places.early_left) == (0, 0)
    assert queries.due(order.id).total == 184000
    assert [(r.ended_at, r.end_reason) for r in list_people(order)] == [(None, ""), (None, "")]


def test_late_money_without_places_changes_nothing(db: Any, clock: Any) -> None:
    event = make_event(places=2)
    order = make_order(event, TWO)
    hold(order, clock.now)
    release(order, clock.now)
    make_cart(event)
    before = letters(db)
    assert come(order, clock.now) is PaidOutcome.NO_PLACE
    assert states(order) == [S.EXPIRED, S.EXPIRED]
    assert places_of([event.id], now=clock.now)[event.id].left == 1
    assert queries.due(order.id).total == 0
    assert letters(db) == before


def test_late_money_of_somebody_who_is_back_already_buys_no_second_place(
    db: Any, clock: Any
) -> None:
    event = make_event()
    order = make_order(event, [a_person("A B")])
    hold(order, clock.now)
    release(order, clock.now)
    cast.make_confirmed(event, [a_person("A B")])
    assert come(order, clock.now) is PaidOutcome.NO_PLACE
    assert states(order) == [S.EXPIRED]


def test_money_for_a_hold_that_lapsed_unswept_is_confirmed_if_places_last(
    db: Any, clock: Any
) -> None:
    event = make_event(places=1)
    order = make_order(event, [a_person("A B")])
    clock.move(minutes=31)
    assert confirm(order, clock.now) is PaidOutcome.CONFIRMED
    other = make_event(places=1)
    late = make_order(other, [a_person("C D")])
    clock.move(minutes=31)
    make_cart(other)
    assert confirm(late, clock.now) is PaidOutcome.NO_PLACE
    assert states(late) == [S.AWAITING_PAYMENT]


def test_a_place_that_is_taken_again_is_the_only_one_that_is_held(db: Any, clock: Any) -> None:
    event = make_event(places=3)
    first, order = make_order(event, [a_person("A B")]), make_order(event, [a_person("C D")])
    clock.move(minutes=31)
    with transaction():
        services.expire_lapsed(first.id, now=clock.now)
    assert confirm(order, clock.now) is PaidOutcome.CONFIRMED
    (r,) = list_people(order)
    live = select(Claim.number).where(Claim.registration_id == r.id, Claim.released_at.is_(None))
    assert list(db.session.scalars(live)) == [1]


def test_money_for_a_cancelled_order_has_no_place(db: Any, now: datetime) -> None:
    event = make_event()
    order = make_order(event)
    (r,) = list_people(order)
    with transaction():
        services.cancel_unpaid(r.id, event_id=event.id, reason="asked", actor=DESK, now=now)
    assert confirm(order, now) is PaidOutcome.NO_PLACE


# ---- letting go


def test_a_checkout_that_ends_unpaid_frees_the_places_once(db: Any, now: datetime) -> None:
    event = make_event(places=2)
    order = make_order(event, TWO)
    hold(order, now)
    release(order, now)
    release(order, now)
    assert states(order) == [S.EXPIRED, S.EXPIRED]
    assert places_of([event.id], now=now)[event.id].left == 2
    assert letters(db) == [("hold_expired", "a.b@example.org")]
    lines = queries.list_lines(order.id)
    assert [line.kind for line in lines] == [LineKind.PLACE] * 2 + [LineKind.RETURN] * 2
    assert queries.due(order.id).total == 0


def test_a_confirmed_order_is_not_let_go(db: Any, now: datetime) -> None:
    order = cast.make_confirmed(make_event())
    release(order, now)
    assert states(order) == [S.CONFIRMED]


def test_the_sweep_ends_what_lapsed_and_leaves_what_is_held_or_paid_for(
    db: Any, clock: Any
) -> None:
    event = make_event()
    cart = make_cart(event)
    unpaid = make_order(event, [a_person("A B")])
    paying = make_order(event, [a_person("C D")])
    hold(paying, clock.now)
    done = cast.make_confirmed(event, [a_person("E F")])
    before = letters(db)
    clock.move(minutes=29)
    fresh = make_cart(event)
    jobs.sweep({})
    assert (states(cart), states(unpaid)) == ([S.DRAFT], [S.AWAITING_PAYMENT])
    clock.move(minutes=1)
    jobs.sweep({})
    jobs.sweep({})
    assert (states(cart), states(unpaid)) == ([S.EXPIRED], [S.EXPIRED])
    assert (states(paying), states(done), states(fresh)) == (
        [S.AWAITING_PAYMENT],
        [S.CONFIRMED],
        [S.DRAFT],
    )
    assert letters(db)[len(before) :] == [("hold_expired", "a.b@example.org")]
    assert (
        db.session.scalar(
            select(func.count()).select_from(Claim).where(Claim.released_at.is_(None))
        )
        == 3
    )


def test_what_was_typed_into_a_cart_is_forgotten_after_a_month(db: Any, clock: Any) -> None:
    event = make_event()
    cast.make_question(event, "goals")
    old = fill_cart(make_cart(event))
    cast.make_answers(list_people(old)[0], goals="listen")
    placed = make_order(event, [a_person("A B")])
    clock.move(minutes=31)
    jobs.sweep({})
    clock.move(days=29)
    jobs.forget({})
    assert db.session.get(Order, old.id) is not None
    clock.move(days=2)
    jobs.forget({})
    db.session.expire_all()
    assert db.session.get(Order, old.id) is None
    left = db.session.scalars(select(Registration.order_id))
    assert list(left) == [placed.id]


def test_private_answers_are_deleted_after_the_event(db: Any, clock: Any) -> None:
    event = make_event(types={"Free": 0})
    cast.make_question(event, "allergy", sensitive=True, delete_after_days=30)
    order = cast.make_confirmed(event)
    (r,) = list_people(order)
    cast.make_answers(r, allergy="walnuts")
    clock.to(event.ends_at + timedelta(days=29))
    jobs.delete_private({})
    assert len(list_people(order)[0].answers) == 1
    clock.move(days=1)
    jobs.delete_private({})
    db.session.expire_all()
    assert list_people(order)[0].answers == []
    entry = db.session.scalars(select(AuditEntry).order_by(AuditEntry.id.desc())).first()
    assert (entry.action, entry.after) == ("event.private_answers_deleted", {"answers": 1})


# ---- people who are taken off


def take_off(order: Order, n: int, now: datetime) -> None:
    r = list_people(order)[n]
    with transaction():
        services.remove_person(order.id, r.id, actor=payer("A B"), now=now)


def test_a_person_is_taken_off_before_paying(db: Any, now: datetime) -> None:
    event = make_event(places=2)
    order = make_order(event, TWO)
    take_off(order, 1, now)
    assert states(order) == [S.AWAITING_PAYMENT, S.CANCELLED]
    assert queries.due(order.id).due == 99000
    assert hold(order, now).amount == 99000
    assert places_of([event.id], now=now)[event.id].left == 1


def test_nobody_is_taken_off_while_a_payment_page_is_open(db: Any, now: datetime) -> None:
    order = make_order(make_event(), TWO)
    hold(order, now)
    assert refused(take_off, order, 1, now) == "PaymentOpen"
    confirm(order, now)
    assert refused(take_off, order, 1, now) == "PaidPlace"


def test_only_people_of_the_order_are_taken_off(db: Any, now: datetime) -> None:
    event = make_event()
    order, other = make_order(event, [a_person("A B")]), make_order(event, [a_person("C D")])
    with pytest.raises(NotFound), transaction():
        services.remove_person(order.id, list_people(other)[0].id, actor=payer("A B"), now=now)
    assert states(other) == [S.AWAITING_PAYMENT]


# ---- money


def test_every_order_has_a_balance(db: Any, now: datetime) -> None:
    event = make_event()
    paid, unpaid = (
        cast.make_confirmed(event, [a_person("A B")]),
        make_order(event, [a_person("C D")]),
    )
    balances = queries.balances_of([paid.id, unpaid.id, 4711])
    assert [(b.total, b.paid, b.due) for b in balances.values()] == [
        (99000, 99000, 0),
        (99000, 0, 99000),
        (0, 0, 0),
    ]
    assert rules.OrderState.TO_PAY == "to_pay"
