"""What is kept and counts for a later event: shown before, mailed as a code, used once, by its own person only."""

import re
from datetime import timedelta

import pytest
from flask.testing import FlaskClient

from regsys.kernel import clock
from regsys.kernel.actors import ANONYMOUS
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import Refused
from regsys.registration import services
from regsys.registration.models import Order
from tests import cast
from tests.payments.shop import Shop
from tests.payments.test_leaving import bought, letters, people, refunds, said
from tests.payments.test_taken_again import keep, takes
from tests.support.books import verified
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
    start = clock.now() + timedelta(days=days)
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
            services.apply_code(order.id, code, actor=ANONYMOUS, now=clock.now())
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
        f"You get a credit of $150.00: it counts once, for the place of {email} at an event that begins before "
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
    assert "You get a credit of $920.00" in said(page)
    typist.send(page, {}, names=["mark"])
    credit = people(order)[0].credit
    assert credit
    takes(shop, order.event_id)
    keep(shop)
    assert refunds(shop) == [("succeeded", 84500)]
    db.session.refresh(credit)
    assert (credit.amount, credit.ended_at) == (7500, None)
    (told,) = letters(shop, "payment_refilled")
    assert "$75.00 counts as credit CREDIT-" in told.text.replace("\u00a0", " ")
    assert verified() == []
