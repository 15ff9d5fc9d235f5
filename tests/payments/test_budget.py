"""How many statements a paid registration costs, from its page to the settled payment."""

from urllib.parse import urlsplit

from flask import Flask

from tests import cast
from tests.payments.shop import Shop
from tests.registration.guest import Guest
from tests.registration.test_budget import short, work
from tests.support.counting import counted

# SQLite locks everything as a transaction begins; PostgreSQL is told four times which order to lock.
MOST = {"sqlite": 47, "postgresql": 51}


def test_a_paid_registration_takes_no_more_statements_than_it_did(app: Flask, shop: Shop) -> None:
    event = cast.make_event(types={"Standard": 4500})
    guest = Guest(shop.client)
    with counted(app) as sent:
        review = guest.register(event)
        answer = guest.post_on(review, guest.place(review))
    session = urlsplit(answer.headers["Location"]).path.rsplit("/", 1)[-1]
    shop.pay(session)
    [paid] = shop.told(session, "checkout.session.completed")
    with counted(app) as more:
        assert shop.deliver(paid) == 200
    assert len(work(sent + more)) <= MOST[cast.db.engine.dialect.name], short(sent + more)
