"""A deposit at first, the rest by a date: paid, reminded of, paid by somebody else, or the place is let go."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from flask.testing import FlaskClient

from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.ledger.rules import Balance, MoneyState
from regsys.payments import jobs, queries
from regsys.payments.settle import start_checkout
from regsys.policies import services as policies
from regsys.policies.rules import Stage, read, split, stage, times_asked
from regsys.registration.queries import due
from tests.payments.shop import Placed, Shop
from tests.payments.test_leaving import people, refunds, said
from tests.payments.test_moving import letters, paid
from tests.support.books import verified
from tests.support.typist import Typist

# The event begins on Thursday 22 April 2027; 30 days before is Tuesday 23 March.
RULES = {
    "steps": [
        {"ahead": {"days": 60}, "back": {"percent": 100}},
        {"ahead": {}, "back": {"percent": 100}},
    ],
    "deposit": 10000,
    "down": {"amount": 15000, "rest": {"days": 30}, "grace": 7},
}
REST_AT = datetime(2027, 3, 24, 7, 0, tzinfo=UTC)
STARTS = datetime(2027, 4, 22, 17, 0, tzinfo=UTC)


@pytest.fixture
def typist(client: FlaskClient) -> Typist:
    return Typist(client)


def a_split(shop: Shop, *, size: int = 1, then: str = "release", **more: object) -> Placed:
    """Place an order whose places are sure for a deposit."""
    order = shop.order(people=size)
    rules = {**RULES, "down": {**RULES["down"], "then": then}, **more}
    with transaction():
        policy = policies.save_version(
            "T", read(rules), before=None, actor=SYSTEM, now=shop.clock.now
        )
        for r in people(order):
            r.policy, r.deposit, r.rest_at = policy, 15000, REST_AT
    return order


def at(shop: Shop, day: int, month: int = 3, hour: int = 12) -> None:
    shop.clock.to(datetime(2027, month, day, hour, tzinfo=UTC))
    jobs.follow_rests({})


def subjects() -> list[str]:
    return [m.subject.replace("\u00a0", " ") for m in letters("payment_rest")]


# ---- the rule


@pytest.mark.once
@pytest.mark.parametrize(
    ("down", "price", "unit", "now", "want"),
    [
        ({"amount": 15000}, 92000, 1, datetime(2027, 1, 1, tzinfo=UTC), 15000),
        ({"percent": 25}, 92000, 1, datetime(2027, 1, 1, tzinfo=UTC), 23000),
        ({"percent": 33}, 1001, 10, datetime(2027, 1, 1, tzinfo=UTC), 340),
        # Not more than half an evening before the rest is due, and never after.
        ({"amount": 15000}, 92000, 1, REST_AT - timedelta(seconds=1), 15000),
        ({"amount": 15000}, 92000, 1, REST_AT, None),
        # What costs no more than the deposit is paid at once.
        ({"amount": 15000}, 15000, 1, datetime(2027, 1, 1, tzinfo=UTC), None),
        ({"amount": 15000}, 0, 1, datetime(2027, 1, 1, tzinfo=UTC), None),
        (None, 92000, 1, datetime(2027, 1, 1, tzinfo=UTC), None),
    ],
)
def test_a_price_is_divided(
    down: dict[str, int] | None, price: int, unit: int, now: datetime, want: int | None
) -> None:
    terms = read({"down": down} if down else {})
    made = split(terms, price, starts_at=STARTS, zone="America/Los_Angeles", now=now, unit=unit)
    assert (made.first if made else None) == want
    assert made is None or made.rest_at == REST_AT


@pytest.mark.once
def test_the_letters_follow_the_days() -> None:
    terms = read(RULES)
    placed = datetime(2027, 3, 9, tzinfo=UTC)

    def on(**after: int) -> Stage:
        return stage(terms, REST_AT, placed_at=placed, now=REST_AT + timedelta(**after))

    assert [on(days=-15), on(days=-14), on(days=-11), on(hours=-1)] == [
        "early",
        "early",
        "soon",
        "soon",
    ]
    assert [on(), on(days=4), on(days=5), on(days=7)] == ["due", "due", "last", "over"]
    later = [REST_AT + timedelta(days=n) for n in (6, 7, 14, 28, 300)]
    assert [times_asked(terms, REST_AT, t) for t in later] == [0, 1, 2, 4, 4]


@pytest.mark.once
def test_the_word_for_it_is_deposit_paid() -> None:
    assert Balance(92000, 15000, deposit=15000).state is MoneyState.DEPOSIT_PAID
    assert Balance(92000, 14999, deposit=15000).state is MoneyState.UNPAID
    assert Balance(92000, 0, deposit=15000).state is MoneyState.UNPAID
    assert Balance(92000, 92000, deposit=15000).state is MoneyState.PAID


# ---- paying


def test_the_deposit_makes_it_sure_and_the_rest_is_paid_later(shop: Shop, typist: Typist) -> None:
    order = a_split(shop)
    page = said(typist.get(f"/o/{order.token}"))
    assert "Pay the deposit of $150.00 Pay all of it, $920.00" in page
    assert "$150.00 of it now, as a deposit. The rest is due by Tue 23 Mar 2027" in page
    paid(shop, order)
    assert (shop.states(order), due(order.id).state) == (["confirmed"], "deposit paid")
    assert (due(order.id).due, shop.payments(order)) == (77000, [(15000, None)])
    assert verified() == [], "what is due later is known to be open"
    page = said(typist.get(f"/o/{order.token}"))
    assert "$770.00 is still to pay, by Tue 23 Mar 2027" in page
    paid(shop, order)
    assert shop.payments(order) == [(15000, None), (77000, None)]
    assert due(order.id).state == "paid"
    (letter,) = letters("payment_rest_paid")
    assert "Everything is paid" in letter.html
    at(shop, 25)
    assert subjects() == []


@pytest.mark.once
def test_all_of_it_may_be_paid_at_once_and_a_change_of_mind_ends_the_other_page(shop: Shop) -> None:
    order = a_split(shop)
    first = shop.open(order)
    whole = shop.press(shop.client, f"/o/{order.token}/pay", whole="1").location
    assert first not in whole
    assert shop.attempt_states(order) == ["expired", "open"]
    shop.pay(whole.rsplit("/", 1)[-1])
    shop.deliver_all(whole.rsplit("/", 1)[-1])
    assert (shop.payments(order), due(order.id).state) == ([(92000, None)], "paid")


def test_somebody_else_pays_the_rest_and_learns_no_more_than_they_must(
    shop: Shop, typist: Typist
) -> None:
    order = a_split(shop)
    paid(shop, order)
    page = typist.send(f"/o/{order.token}", {"do": "make"}, names=["do"], action="/share")
    link = re.search(r"/b/[\w-]+", typist.follow(page).text)
    assert link
    shown = typist.get(link.group())
    assert "$770.00 is still to pay" in said(shown)
    r = people(order)[0]
    for secret in (r.last_name + " ", r.email, r.token, order.token, "lysander", "Saltmarsh"):
        assert secret.strip() not in said(shown) or secret.strip().isdigit(), secret
        assert order.token not in shown.text
    stripe = typist.send(shown, {}, action="/pay").headers["Location"].rsplit("/", 1)[-1]
    attempt = shop.attempts(order)[-1]
    assert order.token not in str(attempt.params)
    assert "Saltmarsh" not in str(attempt.params)
    shop.pay(stripe)
    back = typist.get(f"{link.group()}/paid?session_id={stripe}")
    assert back.headers["Location"].endswith(link.group())
    assert "Everything is paid" in said(typist.get(link.group()))
    shop.fresh()
    assert due(order.id).state == "paid"


@pytest.mark.once
def test_whoever_moves_pays_the_whole_place_and_the_rest_of_the_other_stays_for_later(
    shop: Shop, typist: Typist
) -> None:
    order, dearer = a_split(shop, size=2, transfer={"allowed": "free"}), shop.event(price=100000)
    paid(shop, order)
    who, to = order.registrations[0], shop.events[dearer][0]
    page = typist.get(f"/o/{order.token}/move?who={who}&to={to}")
    # 1,000 instead of 920, and the 770 that are open of the old place; not the 770 of the other.
    assert "Still to pay before $770.00 To pay now $850.00" in said(page)
    stripe = typist.send(page, {}, names=["mark"]).headers["Location"].rsplit("/", 1)[-1]
    assert shop.pay(stripe)["amount_total"] == 85000
    shop.deliver_all(stripe)
    assert (due(order.id).due, shop.states(order)[0]) == (77000, "transferred")


# ---- when it is not paid


def test_who_does_not_pay_is_reminded_three_times_and_then_let_go_by_the_rule(shop: Shop) -> None:
    order = a_split(shop)
    paid(shop, order)
    at(shop, 9)
    assert subjects() == []
    for day in (11, 12, 24, 26, 29, 30):
        at(shop, day)
    assert [s.split(":")[0] for s in subjects()] == [
        "$770.00 is due soon", "$770.00 is due", "Your place is let go soon",
    ]  # fmt: skip
    assert shop.states(order) == ["confirmed"]
    at(shop, 31)
    at(shop, 31, hour=13)
    assert shop.states(order) == ["cancelled"]
    # 150 was paid, 100 of it stays whatever happens.
    assert refunds(shop) == [("succeeded", 5000)]
    assert (due(order.id).total, due(order.id).net, due(order.id).due) == (10000, 10000, 0)
    (told,) = letters("left")
    assert "Your place was let go" in told.subject
    assert "METHOD:CANCEL" in str(told.attachments)
    assert len(letters("place_free")) == 1
    assert verified() == []


@pytest.mark.once
def test_a_page_that_is_open_keeps_the_place_until_it_has_ended(shop: Shop) -> None:
    order = a_split(shop, size=2)
    paid(shop, order)
    shop.clock.to(datetime(2027, 3, 31, 12, tzinfo=UTC))
    assert start_checkout(order.id)
    jobs.follow_rests({})
    assert shop.states(order) == ["confirmed", "confirmed"]
    shop.clock.move(minutes=36)
    jobs.poll({})
    assert shop.states(order) == ["confirmed", "confirmed"], "an unpaid page takes nothing away"
    jobs.follow_rests({})
    assert shop.states(order) == ["cancelled", "cancelled"]


@pytest.mark.once
def test_where_places_are_kept_people_are_asked_again_and_not_for_ever(shop: Shop) -> None:
    order = a_split(shop, then="chase")
    paid(shop, order)
    for day, month in ((24, 3), (31, 3), (1, 4), (8, 4), (15, 4), (21, 4)):
        at(shop, day, month)
    assert len(subjects()) == 5
    assert shop.states(order) == ["confirmed"]
    db.session.rollback()


def test_what_is_paid_keeps_no_other_rest_from_being_asked_for(shop: Shop) -> None:
    """Of a deposit that was paid long ago the day stays written down: it must not fill the list."""
    first, second = a_split(shop), a_split(shop)
    for order in (first, second):
        paid(shop, order)
    session = shop.open(first)
    shop.pay(session)
    assert shop.deliver_all(session) == [200]
    found = queries.list_rests(now=REST_AT, limit=1)
    assert [(row.order.id, row.due) for row in found] == [(second.id, 77000)]
