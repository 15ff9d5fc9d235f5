"""How many statements a paid registration costs, from its page to the settled payment."""

from urllib.parse import urlsplit

from flask import Flask

from tests import cast
from tests.payments.shop import Shop
from tests.registration.guest import Guest
from tests.registration.test_budget import short, work
from tests.support.counting import counted

MOST = 40


def test_a_paid_registration_takes_at_most_forty_statements(app: Flask, shop: Shop) -> None:
    event = cast.make_event(types={"Standard": 4500})
    guest = Guest(shop.client)
    with counted(app) as sent:
        answer = guest.pay(guest.register(event))
    session = urlsplit(answer.headers["Location"]).path.rsplit("/", 1)[-1]
    shop.pay(session)
    [paid] = shop.told(session, "checkout.session.completed")
    with counted(app) as more:
        assert shop.deliver(paid) == 200
    assert len(work(sent + more)) <= MOST, short(sent + more)
