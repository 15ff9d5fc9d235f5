"""What is kept and counts for a later event: shown before, mailed as a code, used up once, by its own person only."""

import re
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.discounts import services as discounts
from regsys.discounts.models import Code
from regsys.kernel import clock as product_clock
from regsys.kernel.actors import ANONYMOUS, STRIPE, SYSTEM
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.ledger.models import Method, Refund
from regsys.ledger.services import record_payment
from regsys.outbox.models import Message
from regsys.payments import queries as payment_queries
from regsys.payments import services as payments
from regsys.policies import services as policies
from regsys.policies.rules import How, read
from regsys.registration import queries, services
from regsys.registration.chosen import spent_of
from regsys.registration.models import Order, Registration
from tests import cast
from tests.payments.shop import Placed, Shop
from tests.payments.test_leaving import bought, letters, people, refunds, said
from tests.payments.test_organizer import desk
from tests.payments.test_taken_again import keep, takes
from tests.support.books import verified
from tests.support.counting import counted
from tests.support.together import booking, raise_unexpected, together
from tests.support.typist import Typist

# The conference begins on Thursday 22 April 2027: what is kept counts before Sunday 23 April 2028.
DEPOSIT = {
    "steps": [{"ahead": {"days": 30}, "back": {"percent": 100}}],
    "deposit": 15000,
    "credit": {"months": 12, "what": "deposit"},
}


@pytest.fixture
def typist(client: FlaskClient) -> Typist:
    return Typist(client)


def try_code(code: str, first: str, email: str, days: int = 100) -> tuple[Order, str]:
    """Use a code on the place of somebody at a later event; return the order, and the refusal's name."""
    start = product_clock.now() + timedelta(days=days)
    event = cast.make_event(
        slug=f"later-{days}-{first.lower()}",
        types={"Standard": 50000},
        starts_at=start,
        ends_at=start + timedelta(days=2),
    )
    order = cast.make_cart(event, quantities={"Standard": 1})
    cast.fill_cart(order, [services.Person(first, "Reed", email)])
    try:
        with transaction():
            services.apply_code(order.id, code, actor=ANONYMOUS, now=product_clock.now())
    except Refused as e:
        return order, e.refusal.name
    return order, ""


@pytest.mark.once
def test_a_deposit_counts_once_for_its_person(shop: Shop, typist: Typist) -> None:
    order = bought(shop, rules=DEPOSIT)
    (gone,) = people(order)
    email = gone.email
    page = typist.get(f"/o/{order.token}/cancel")
    assert (
        f"What is kept is not lost: $150.00 becomes a credit for {email}, at events that begin before "
        "Sat 22 Apr 2028" in said(page)
    )
    assert typist.send(page, {}, names=["mark"]).status == 303
    assert refunds(shop) == [("succeeded", 77000)]
    (letter,) = letters(shop, "order_left")
    found = re.search(r"the code (CREDIT-\w+) when", letter.text)
    assert found
    assert "$150.00 of it count as a credit" in letter.text.replace("\u00a0", " ")
    assert "CREDIT-" not in letters(shop, "left")[0].text
    code = found.group(1)

    assert try_code(code, "Ben", "ben@example.org")[1] == "CreditOfAnother"
    assert try_code(code, "Ada", email, days=600)[1] == "CodeUnknown"
    used, refusal = try_code(code.lower(), "Ada", email.upper())
    assert refusal == ""
    assert [r.price for r in cast.list_people(used)] == [35000]
    assert try_code(code, "Ada", email, days=150)[1] == "CodeUsedUp"
    assert verified() == []


@pytest.mark.once
def test_a_credit_shrinks_when_the_place_is_taken_again(shop: Shop, typist: Typist) -> None:
    rules = {
        "refilled": {"percent": 100, "minus": 7500},
        "credit": {"months": 12, "what": "what_is_kept"},
    }
    order = bought(shop, rules=rules)
    page = typist.get(f"/o/{order.token}/cancel")
    assert "$920.00 becomes a credit" in said(page)
    typist.send(page, {}, names=["mark"])
    credit = people(order)[0].credit
    assert credit
    takes(shop, order.event_id)
    keep(shop)
    assert refunds(shop) == [("succeeded", 84500)]
    product_db.session.refresh(credit)
    assert (credit.amount, credit.ended_at) == (7500, None)
    (told,) = letters(shop, "payment_refilled")
    assert "$75.00 counts as credit CREDIT-" in told.text.replace("\u00a0", " ")
    assert verified() == []


# ---- an organizer ends the place


BOTH = {
    "refilled": {"percent": 100, "minus": 7500},
    "credit": {"months": 12, "what": "what_is_kept"},
}


def end_page(order: Placed) -> str:
    return f"/organize/events/{order.event_id}/registrations/{order.registrations[0]}/cancel-paid"


@pytest.mark.once
def test_an_organizer_settles_by_the_rules_as_the_person_would(shop: Shop) -> None:
    order = bought(shop, rules=BOTH)
    (gone,) = people(order)
    desk_ = Typist(desk(shop))
    page = desk_.get(end_page(order))
    assert (
        "By the rules of the place: $920.00 becomes a credit, $845.00 more if the place is taken again"
        in said(page)
    )
    check = desk_.send(page, {"how": "rules", "reason": "she is ill"}, names=["reason"])
    own = Typist(shop.client).get(f"/o/{order.token}/cancel")
    for sentence in (
        "At this date nothing comes back any more.",
        f"$920.00 becomes a credit for {gone.email}, at events that begin before Sat 22 Apr 2028",
        "If somebody takes the place before it begins, $845.00 more comes back by itself.",
    ):
        assert sentence in said(check)
        assert sentence in said(own)
    assert desk_.send(check, {}, "confirm", names=["mark"]).status == 303
    shop.fresh()
    (credit,) = [r.credit for r in people(order)]
    assert credit
    assert (credit.amount, refunds(shop)) == (92000, [])
    (letter,) = letters(shop, "cancelled")
    assert credit.code in letter.text
    assert "before Sat 22 Apr 2028" in " ".join(letter.text.split())
    assert "METHOD:CANCEL" in str(letter.attachments)
    (to_payer,) = letters(shop, "order_cancelled")
    assert credit.code in to_payer.text
    (told,) = letters(shop, "place_free")
    assert "$" not in told.text
    takes(shop, order.event_id)
    keep(shop)
    assert refunds(shop) == [("succeeded", 84500)]
    assert verified() == []


@pytest.mark.once
def test_an_amount_of_their_own_makes_no_promise_and_no_credit(shop: Shop) -> None:
    order = bought(shop, rules=BOTH)
    desk_ = Typist(desk(shop))
    too_much = desk_.send(
        end_page(order), {"how": "own", "amount": "920.01", "reason": "kind"}, names=["amount"]
    )
    assert too_much.status == 422
    assert "At most $920.00 can be given back." in said(too_much)
    assert 'value="kind"' in too_much.text
    check = desk_.send(
        too_much, {"how": "own", "amount": "500", "reason": "kind"}, names=["amount"]
    )
    assert "Nothing more comes back later, also if somebody takes the place" in said(check)
    assert desk_.send(check, {}, "confirm", names=["mark"]).status == 303
    assert (people(order)[0].credit, refunds(shop)) == (None, [("succeeded", 50000)])
    takes(shop, order.event_id)
    keep(shop)
    assert refunds(shop) == [("succeeded", 50000)]
    assert verified() == []


# ---- a place that a credit pays for, and that is given up


@pytest.fixture
def purse(db: Any, clock: Any) -> Code:
    """Give up a place of $920.00 of which all becomes a credit."""
    order = confirm(92000, {"credit": {"months": 24, "what": "what_is_kept"}})
    (r,) = cast.list_people(order)
    end(r, How.RULES)
    assert r.credit
    return r.credit


def confirm(price: int, rules: dict[str, Any], code: Code | None = None, **about: Any) -> Order:
    """Take a place under these rules, by a credit where there is one; the rest is paid by card."""
    event = cast.make_event(types={"Standard": price}, **about)
    order = cast.fill_cart(cast.make_cart(event), [cast.a_person("Ada Reed")])
    policy = make_policy(rules)
    with transaction():
        if code:
            services.apply_code(order.id, code.code, actor=ANONYMOUS, now=product_clock.now())
        for r in cast.list_people(order):
            r.policy_id = policy
    with transaction():
        services.place(order.id, now=product_clock.now())
        owed = queries.due(order.id).due
        if owed:
            pay(order, owed)
    return order


def pay(order: Order, amount: int) -> None:
    now, reference = product_clock.now(), f"pi_cast_{order.id}"
    record_payment(
        order.id, amount=amount, currency=order.currency, method=Method.CARD, actor=STRIPE,
        now=now, reference=reference,
    )  # fmt: skip
    services.confirm_paid(order.id, actor=STRIPE, now=now)


def make_policy(rules: dict[str, Any]) -> int:
    with transaction():
        made = policies.save_version(
            "Test", read(rules), before=None, actor=SYSTEM, now=product_clock.now()
        )
        return made.id


def end(r: Registration, how: How, amount: int = 0) -> list[int]:
    with transaction():
        made = payments.cancel_person(
            r.id, event_id=r.event_id, how=how, amount=amount, reason="asked", actor=SYSTEM,
            now=product_clock.now(),
        )  # fmt: skip
    product_db.session.refresh(r)
    return [product_db.session.get_one(Refund, i).amount for i in made]


def left(code: Code) -> int:
    product_db.session.expire_all()
    return (code.amount or 0) - spent_of(code.id)


HALF = {"steps": [{"ahead": {"days": 30}, "back": {"percent": 50}}]}


@pytest.mark.parametrize(
    ("rules", "how", "amount", "back", "again"),
    [
        ({"steps": [{"ahead": {}, "back": {"percent": 100}}]}, How.RULES, 0, [8000], 92000),
        (HALF, How.RULES, 0, [4000], 46000),
        ({}, How.RULES, 0, [], 0),
        (HALF, How.ALL, 0, [8000], 92000),
        (HALF, How.OWN, 30000, [8000], 22000),
        (HALF, How.NOTHING, 0, [], 0),
    ],
)
def test_what_a_credit_paid_counts_again_by_the_rules_and_is_never_paid_out(
    purse: Code, rules: dict[str, Any], how: How, amount: int, back: list[int], again: int
) -> None:
    order = confirm(100000, rules, purse)
    (r,) = cast.list_people(order)
    assert (r.price, r.credit_used, left(purse)) == (8000, 92000, 0)
    assert end(r, how, amount) == back
    assert left(purse) == again
    assert verified() == []


def test_a_free_place_gives_its_credit_back_and_the_rest_is_used_in_parts(purse: Code) -> None:
    rules = {"steps": [{"ahead": {}, "back": {"percent": 100}}]}
    order = confirm(50000, rules, purse)
    (r,) = cast.list_people(order)
    assert (r.state, r.price, left(purse)) == ("confirmed", 0, 42000)
    second = confirm(60000, rules, purse)
    assert ([p.price for p in cast.list_people(second)], left(purse)) == ([18000], 0)
    found = queries.get_order(order.id)
    shown = payment_queries.get_parting(order.id, [r.id], now=product_clock.now())
    assert (shown.amount, shown.to_credit, shown.refusal) == (0, 50000, None)
    with transaction():
        payments.leave(
            order.id, [r.id], mark=shown.mark, reason="", actor=ANONYMOUS, now=product_clock.now()
        )
    assert (found.code, left(purse)) == (order.code, 50000)
    (letter,) = product_db.session.scalars(select(Message).where(Message.kind == "left"))
    assert f"counts again as the credit {purse.code}" in " ".join(letter.text.split())
    assert verified() == []


def test_two_carts_at_once_never_use_more_than_there_is(app: Flask, purse: Code) -> None:
    carts = []
    for n in range(4):
        event = cast.make_event(types={"Standard": 60000}, slug=f"at-once-{n}")
        order = cast.make_cart(event, quantities={"Standard": 1})
        carts.append(cast.fill_cart(order, [cast.a_person("Ada Reed")]).id)
    typed, now = purse.code, product_clock.now()

    def use(cart: int) -> str:
        try:
            return str(services.apply_code(cart, typed, actor=ANONYMOUS, now=now).places)
        except Refused as e:
            return e.refusal.name

    results = together([lambda cart=cart: booking(app, lambda: use(cart)) for cart in carts])
    raise_unexpected(results)
    assert sorted(map(str, results)) == ["1", "1", "CodeUsedUp", "CodeUsedUp"]
    product_db.session.rollback()
    used = [r.price for cart in carts for r in queries.get_order(cart).registrations]
    assert sorted(used) == [0, 28000, 60000, 60000]
    assert left(purse) == 0
    assert verified() == []


def test_whoever_moves_has_their_credit_free_again(purse: Code) -> None:
    order = confirm(100000, {}, purse)
    (r,) = cast.list_people(order)
    cast.make_event(types={"Standard": 8000}, slug="cheaper")
    found = payment_queries.get_moves(order.id, r.id, now=product_clock.now(), by_organizer=True)
    way = next(w for w in found.ways if w.to.event.slug == "cheaper")
    assert (way.move.to_pay, way.move.back) == (0, 0)
    with transaction():
        payments.move_for(
            order.id, r.id, way.to.ticket_type.id, mark=found.mark(way), spare=False, scope=None,
            reason="asked", actor=SYSTEM, now=product_clock.now(),
        )  # fmt: skip
    assert left(purse) == 92000
    told = product_db.session.scalars(select(Message).where(Message.kind == "moved"))
    assert any(f"counts again as the credit {purse.code}" in " ".join(m.text.split()) for m in told)
    assert verified() == []


def test_late_money_finds_no_place_where_its_credit_is_used_elsewhere(
    purse: Code, clock: Any
) -> None:
    event = cast.make_event(types={"Standard": 100000})
    order = cast.fill_cart(cast.make_cart(event), [cast.a_person("Ada Reed")])
    with transaction():
        services.apply_code(order.id, purse.code, actor=ANONYMOUS, now=clock.now)
        services.place(order.id, now=clock.now)
    clock.move(minutes=31)
    with transaction():
        services.expire_lapsed(order.id, now=clock.now)
    assert left(purse) == 92000
    confirm(60000, {}, purse)
    with transaction():
        outcome = services.confirm_paid(order.id, actor=STRIPE, now=clock.now)
    assert (outcome, left(purse)) == ("no_place", 32000)
    assert verified() == []


def test_the_treasurer_sees_ends_and_reopens_credits(
    app: Flask, purse: Code, client: FlaskClient, clock: Any
) -> None:
    confirm(30000, {}, purse)
    cast.sign_in(client, "treasurer")
    typist = Typist(client)
    page = typist.get("/organize/treasurer/credits")
    assert "$620.00 are left to be used." in said(page)
    assert "$920.00 were given: $300.00 of it is used" in said(page)
    assert "Ada Reed" in said(page)
    with counted(app) as one:
        typist.get("/organize/treasurer/credits?show=all")
    for n in range(3):
        event = cast.make_event(types={"Standard": 20000}, slug=f"more-{n}")
        other = cast.make_confirmed(event, [cast.a_person(f"Bo Nutkin{n}")])
        (r,) = cast.list_people(other)
        with transaction():
            r.credit = discounts.make_credit(
                r.email, amount=5000, currency="USD", until=clock.now + timedelta(days=n), note="",
                now=clock.now,
            )  # fmt: skip
    with counted(app) as many:
        page = typist.get("/organize/treasurer/credits?show=all")
    assert len(one) == len(many)
    assert "$50.00 expired" in said(page)
    path = f"/organize/treasurer/credits/{purse.id}/end"
    assert typist.send(path, {"reason": ""}, names=["reason"]).status == 422
    assert typist.send(path, {"reason": "Given to the fund"}, names=["reason"]).status == 303
    page = typist.get("/organize/treasurer/credits?show=all")
    assert "$620.00 ended" in said(page)
    assert try_code(purse.code, "Ada", purse.email_key or "")[1] == "CodeOver"
    again = typist.send(page, {}, action=f"{purse.id}/again")
    assert again.status == 303
    assert "$0.00 ended" in said(typist.follow(again))
    product_db.session.rollback()
    told = [
        m.text for m in product_db.session.scalars(select(Message).where(Message.kind == "credit"))
    ]
    assert [("Given to the fund" in t, "counts again" in t) for t in told] == [
        (True, False),
        (False, True),
    ]
    file = client.get("/organize/treasurer/credits.csv").get_data(as_text=True)
    assert f"{purse.code},Ada Reed,ada.reed@example.org" in file
    assert ",920.00,300.00,620.00,USD," in file
    cast.sign_in(client, "registrar", event=cast.make_event(slug="elsewhere"))
    assert client.get("/organize/treasurer/credits").status_code == 403
