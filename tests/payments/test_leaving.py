"""People give their places up: they get what they were shown, once, and everybody concerned is told."""

import html
import re
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.ledger.models import Method, Payment, Refund
from regsys.ledger.services import record_payment
from regsys.outbox.models import Message
from regsys.payments import queries, services
from regsys.policies import services as policies
from regsys.policies.rules import read
from regsys.registration.models import Order, OrderLine, Registration
from regsys.registration.queries import due
from regsys.registration.services import confirm_paid, lower_price
from tests import cast
from tests.payments.shop import Placed, Shop
from tests.payments.test_organizer import desk
from tests.support.together import together
from tests.support.typist import Typist
from tests.support.visitor import Page

# 60 days before Thursday 22 April 2027 is Sunday 21 February, 30 days are Tuesday 23 March.
RULES = {
    "steps": [
        {"ahead": {"days": 60}, "back": {"percent": 100, "minus": 7500}},
        {"ahead": {"days": 30}, "back": {"percent": 50}},
    ]
}


def bought(shop: Shop, *, size: int = 1, rules: dict[str, Any] | None = None) -> Placed:
    """Return an order that is paid, each place under these refund rules."""
    order = shop.order(people=size)
    if rules is not None:
        with transaction():
            policy = policies.save_version(
                "Test", read(rules), before=None, actor=SYSTEM, now=shop.clock.now
            )
            for r in people(order):
                r.policy_id = policy.id
    session = shop.open(order)
    shop.pay(session)
    assert shop.deliver_all(session) == [200]
    return order


def people(order: Placed) -> list[Registration]:
    query = select(Registration).where(Registration.order_id == order.id).order_by(Registration.id)
    return list(db.session.scalars(query))


def said(page: Page) -> str:
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", page.text)).split())


def test_the_table_tells_what_comes_back_of_what_is_left(shop: Shop, typist: Typist) -> None:
    order = bought(shop, rules=RULES)
    for path, row in ((f"/o/{order.token}", "$845.00"), (f"/o/{order.token}/cancel", "$845.00")):
        assert row in typist.get(path).text, path
    with transaction():
        lower_price(order.id, order.registrations[0], 20000)
    page = typist.get(f"/o/{order.token}").text
    assert "$845.00" not in page
    assert "$645.00" in page, "all of what is left but $75.00"


def refunds(shop: Shop) -> list[tuple[str, int]]:
    shop.fresh()
    return [
        (str(r.state), r.amount) for r in db.session.scalars(select(Refund).order_by(Refund.id))
    ]


def letters(shop: Shop, kind: str) -> list[Message]:
    shop.fresh()
    return list(
        db.session.scalars(select(Message).where(Message.kind == kind).order_by(Message.id))
    )


@pytest.fixture
def typist(client: FlaskClient) -> Typist:
    return Typist(client)


def test_one_gets_what_one_was_shown_and_once(shop: Shop, typist: Typist) -> None:
    order = bought(shop, rules=RULES)
    path = f"/o/{order.token}/cancel"
    page = typist.get(path)
    shown = said(page)
    assert "Today $845.00 comes back." in shown
    assert "Until Sun 21 Feb 2027, 11:59 PM PST this comes back: everything but $75.00." in shown
    assert "Paid $920.00 Flat fee -$75.00 Comes back $845.00" in shown
    assert refunds(shop) == []
    answer = typist.send(page, {"reason": "a new post"}, names=["mark"])
    assert (answer.status, answer.headers["Location"]) == (303, f"/o/{order.token}")
    again = typist.send(page, {"reason": "a new post"}, names=["mark"])
    assert again.status == 303, "a second click does nothing more"
    assert refunds(shop) == [("succeeded", 84500)]
    assert len(shop.refunds_at_stripe(order)) == 1
    assert shop.states(order) == ["cancelled"]
    balance = due(order.id)
    assert (balance.total, balance.net, balance.due, balance.over) == (7500, 7500, 0, 0)
    kept = db.session.scalars(select(OrderLine).where(OrderLine.kind == "kept")).one()
    assert "everything but $75.00" in kept.reason
    (letter,) = letters(shop, "left")
    assert "METHOD:CANCEL" in str(letter.attachments)
    (for_payer,) = letters(shop, "order_left")
    assert "Flat fee: -$75.00" in for_payer.text.replace("\u00a0", " ")
    assert "$845.00 goes back to the card" in for_payer.text
    assert "$" not in letter.text, "whoever did not pay reads nothing of money"
    (told,) = letters(shop, "place_free")
    assert "Coming now" in told.text
    assert "$" not in told.text
    assert "a new post" in said(typist.get(f"/o/{order.token}"))


@pytest.mark.once
def test_a_deadline_that_passes_in_between_shows_the_new_amount(shop: Shop, typist: Typist) -> None:
    order = bought(shop, rules=RULES)
    page = typist.get(f"/o/{order.token}/cancel")
    shop.clock.to(datetime(2027, 2, 22, 8, 0, tzinfo=UTC))  # midnight in Los Angeles
    answer = typist.send(page, {}, names=["mark"])
    assert answer.status == 409
    assert "has changed since you opened this page. Nothing was done" in said(answer)
    assert "Today $460.00 comes back." in said(answer)
    assert (refunds(shop), shop.states(order)) == ([], ["confirmed"])
    assert typist.send(answer, {}, names=["mark"]).status == 303
    assert refunds(shop) == [("succeeded", 46000)]


@pytest.mark.once
def test_two_of_three_go_and_the_third_stays(shop: Shop, typist: Typist) -> None:
    order = bought(shop, size=3, rules=RULES)
    path = f"/o/{order.token}/cancel"
    assert said(typist.get(path)).count("$845.00 comes back today") == 3
    two = order.registrations[:2]
    page = typist.get(f"{path}?who={two[0]}&who={two[1]}")
    assert "Cancel 2 places?" in said(page)
    assert "Today $1,690.00 comes back." in said(page)
    typist.send(page, {}, names=["mark"])
    assert refunds(shop) == [("succeeded", 84500), ("succeeded", 84500)]
    assert shop.states(order) == ["cancelled", "cancelled", "confirmed"]
    assert (due(order.id).total, due(order.id).net) == (92000 + 15000, 92000 + 15000)
    assert len(letters(shop, "order_left")) == 1
    assert len(letters(shop, "left")) == 2


@pytest.mark.once
def test_whoever_did_not_pay_sees_no_amount_and_may_go(shop: Shop, typist: Typist) -> None:
    order = bought(shop, size=2, rules=RULES)
    token = people(order)[1].token
    page = typist.get(f"/r/{token}/cancel")
    assert "settled with Lysander Saltmarsh" in said(page)
    assert "$" not in said(page)
    answer = typist.follow(typist.send(page, {}, names=["mark"]))
    assert "This registration has ended." in said(answer)
    assert refunds(shop) == [("succeeded", 84500)]
    (for_payer,) = letters(shop, "order_left")
    assert for_payer.to_email == "lysander@example.org"


@pytest.mark.once
def test_without_rules_a_person_answers(shop: Shop, typist: Typist) -> None:
    order = bought(shop)
    page = typist.get(f"/o/{order.token}/cancel")
    assert "Please write to us, and a person answers." in said(page)
    assert 'name="mark"' not in page.text
    forced = shop.press(typist.client, f"/o/{order.token}/cancel")
    assert forced.status_code == 409
    assert shop.states(order) == ["confirmed"]


@pytest.mark.once
def test_what_came_by_cheque_is_owed_by_hand(shop: Shop, typist: Typist) -> None:
    order = bought(shop, rules=RULES)
    with transaction():
        payment = db.session.scalars(select(Payment)).one()
        payment.method, payment.reference = Method.CHEQUE, None
    page = typist.get(f"/o/{order.token}/cancel")
    assert "$845.00 was not paid by card" in said(page)
    typist.send(page, {}, names=["mark"])
    assert refunds(shop) == []
    assert [(row.owed, row.by_card) for row in queries.list_owed()] == [(84500, 0)]


def test_two_clicks_at_once_make_one_refund(shop: Shop, typist: Typist) -> None:
    order = bought(shop, rules=RULES)
    mark = queries.get_parting(order.id, order.registrations, now=shop.clock.now).mark
    db.session.remove()

    def click() -> int:
        client = shop.app.test_client()
        data = {"mark": mark, "who": str(order.registrations[0])}
        return shop.press(client, f"/o/{order.token}/cancel", **data).status_code

    assert together([click, click]) == [303, 303]
    assert refunds(shop) == [("succeeded", 84500)]


@pytest.mark.once
def test_it_is_over(shop: Shop, typist: Typist) -> None:
    order = bought(shop, rules=RULES)
    shop.clock.to(datetime(2027, 5, 1, tzinfo=UTC))
    assert "This event is over." in said(typist.get(f"/o/{order.token}/cancel"))
    forced = shop.press(typist.client, f"/o/{order.token}/cancel")
    assert (forced.status_code, refunds(shop)) == (409, [])


@pytest.mark.once
def test_the_organizer_is_shown_what_the_rules_give(shop: Shop) -> None:
    order = bought(shop, rules=RULES)
    typist = Typist(desk(shop))
    page = typist.get(
        f"/organize/events/{order.event_id}/registrations/{order.registrations[0]}/cancel-paid"
    )
    assert "By the rules of the place: $845.00 to the card" in said(page)
    assert "Paid for this person $920.00" in said(page)
    check = typist.send(page, {"how": "rules", "reason": "asked"}, names=["reason"])
    assert "Paid $920.00 Flat fee -$75.00 Comes back $845.00" in said(check)


# ---- whatever the rules, the price and the day


AHEAD = st.integers(0, 90)
BACK = st.fixed_dictionaries({"percent": st.integers(0, 100), "minus": st.integers(0, 20000)})
STEPS = st.dictionaries(AHEAD, BACK, max_size=3).map(
    lambda d: [{"ahead": {"days": n}, "back": d[n]} for n in sorted(d, reverse=True)]
)
TERMS = st.fixed_dictionaries(
    {"steps": STEPS, "deposit": st.sampled_from([0, 10000]), "venue": st.sampled_from([0, 2500])},
    optional={"refilled": BACK, "begun": BACK, "room": st.fixed_dictionaries({"steps": STEPS})},
)


def _an_order() -> Order:
    """Return the one order of all examples, which each leaves as it was."""
    found = db.session.scalar(select(Order))
    if found is None:
        pair = [cast.a_person("Una Nettlefold"), cast.a_person("Osric Nettlefold")]
        found = cast.make_order(cast.make_event(types={"Standard": 92000}), pair)
    return found


@pytest.mark.once
@pytest.mark.usefixtures("db")
@given(
    rules=TERMS,
    days=st.integers(-1, 100),
    came=st.sampled_from([184000, 184000, 184000, 92000, 30000]),
    room=st.sampled_from([0, 31000]),
    both=st.booleans(),
)
@settings(max_examples=20, deadline=None, database=None, derandomize=True,
          suppress_health_check=[HealthCheck.function_scoped_fixture])  # fmt: skip
def test_what_is_shown_is_what_is_made(
    now: datetime, rules: dict[str, Any], days: int, came: int, room: int, both: bool
) -> None:
    """Two places, perhaps half paid: nobody gets more than came, and the sum that was shown is requested."""
    order_id = _an_order().id
    with pytest.raises(_Undone), transaction():
        _try_one(order_id, rules, now, days=days, came=came, room=room, both=both)


def _try_one(
    order_id: int,
    rules: dict[str, Any],
    now: datetime,
    *,
    days: int,
    came: int,
    room: int,
    both: bool,
) -> None:
    """Pay, show what leaving gives back, leave, hold one against the other, and undo it all."""
    record_payment(
        order_id, amount=came, currency="USD", method=Method.CARD, actor=SYSTEM, now=now,
        reference="pi_property",
    )  # fmt: skip
    confirm_paid(order_id, actor=SYSTEM, now=now)
    first, second = db.session.scalars(select(Registration).order_by(Registration.id))
    policy = policies.save_version("P", read(rules), before=None, actor=SYSTEM, now=now)
    for r in (first, second):
        r.policy, r.room_part = policy, room
    db.session.flush()
    at = first.event.starts_at - timedelta(days=days)
    who = [first.id, second.id] if both else [second.id]
    shown = queries.get_parting(order_id, who, now=at)
    left = services.leave(order_id, who, mark=shown.mark, reason="", actor=SYSTEM, now=at)
    made = sum(r.amount for r in db.session.scalars(select(Refund)))
    assert left is not None
    assert shown.amount == left.amount == made <= shown.paid <= came
    balance = due(order_id)
    assert balance.over == 0, "nothing is left that belongs to somebody else"
    assert not both or balance.due == 0, "who has left owes nothing"
    raise _Undone


class _Undone(Exception):
    """Nothing of this stays."""
