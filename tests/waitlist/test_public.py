"""The pages of people who wait, and the organizers' list."""

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from regsys.capacity.models import Claim
from regsys.events.models import TicketType
from regsys.kernel import clock
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.outbox.models import Message
from regsys.policies.rules import Leaving
from regsys.registration import services as registration
from regsys.registration.models import Registration
from tests import cast
from tests.support.typist import Typist
from tests.waitlist import line
from tests.waitlist.line import full_event, states, sweep, wait

pytestmark = pytest.mark.once
ADA = {
    "first_name": "Ada", "last_name": "Reed", "email": "ada@example.org", "profession": "Nurse",
}  # fmt: skip


def _link(kind: str) -> str:
    """Return the path of the secret link in the last letter of a kind."""
    product_db.session.rollback()
    query = select(Message).where(Message.kind == kind).order_by(Message.id.desc())
    message = product_db.session.scalars(query).first()
    assert message and message.links  # noqa: PT018
    return "/" + next(iter(message.links.values())).split("/", 3)[3]


def test_one_joins_sees_how_it_stands_and_leaves(client: FlaskClient, db: Any, now: Any) -> None:
    event, _people = full_event(types={"Standard": 0, "Trainee": 0})
    browser = Typist(client)
    shown = browser.get(f"/events/{event.slug}")
    assert f"/events/{event.slug}/waitlist" in shown.text
    refused = browser.get(f"/events/{event.slug}/register")
    assert f"/events/{event.slug}/waitlist" in refused.text
    page = browser.get(f"/events/{event.slug}/waitlist")
    wrong = browser.send(page, {**ADA, "email": "ada"}, action="")
    assert wrong.status == 422
    assert "This is not a whole e-mail address" in wrong.text
    assert "Choose at least one kind of place" in wrong.text
    assert 'value="Reed"' in wrong.text
    ids = "|".join(str(t.id) for t in event.ticket_types)
    made = browser.send(page, {**ADA, "types": ids, "size": "2"}, action="")
    assert made.status == 303
    own = browser.get(made.headers["Location"])
    assert "You are the first in line, and the only one." in own.text
    assert "2 places: Standard, or Trainee" in own.text
    assert _link("waitlist_joined") == made.headers["Location"]
    again = browser.send(page, {**ADA, "types": ids}, action="")
    assert again.status == 409
    assert "we have mailed you its link" in again.text
    left = browser.send(own, {}, action="/leave")
    assert left.status == 303
    assert states(event) == [("Ada", "left")]
    assert "You no longer wait here" in browser.get(made.headers["Location"]).text


def test_reading_an_offer_decides_nothing_and_its_buttons_do(
    client: FlaskClient, db: Any, now: Any
) -> None:
    event, people = full_event(types={"Standard": 90000})
    wait(event, "Ada Reed")
    wait(event, "Ben Reed")
    _free(people[0])
    sweep()
    browser = Typist(client)
    address = _link("waitlist_offer")
    for _n in range(2):
        page = browser.get(address)
        assert (page.status, "Yes, I take it" in page.text) == (200, True)
        assert "$900.00" in page.text
        assert states(event)[0] == ("Ada", "offered")
    taken = browser.send(page, {}, action="/accept")
    assert taken.status == 303
    order = browser.get(taken.headers["Location"])
    assert order.headers["Location"] == "/cart"
    cart = browser.get("/cart")
    assert "Your place is held until" in cart.text
    assert browser.send(page, {}, action="/accept").headers["Location"] == taken.headers["Location"]
    assert "You took this offer" in browser.get(address).text
    # Places of other events are not held for days with it.
    other = cast.make_event()
    shop = browser.get(f"/events/{other.slug}/register")
    field = next(c.name for c in shop.form(action="").controls if c.name.startswith("places_"))
    browser.send(shop, {field: "1"}, action="")
    product_db.session.rollback()
    ends = select(Claim.until).join(Registration, Registration.id == Claim.registration_id)
    until = product_db.session.scalars(ends.where(Registration.event_id == other.id)).one()
    assert until == now + timedelta(minutes=45)
    _free(people[1])
    sweep()
    no = browser.get(_link("waitlist_offer"))
    assert browser.send(no, {}, action="/decline").status == 303
    assert states(event)[1] == ("Ben", "left")
    late = browser.send(no, {}, action="/accept")
    assert (late.status, "answered or taken back already" in late.text) == (409, True)


def _free(r: Registration) -> None:
    """Let a paid place go, as a refund does."""
    with transaction():
        registration.cancel_paid(
            r.id, event_id=r.event_id, money=Leaving(r.id, paid=r.price), reason="ill", actor=line.ORGANIZER,
            now=clock.now(),
        )  # fmt: skip


def test_the_organizer_sees_the_line_and_arranges_it(
    client: FlaskClient, db: Any, now: Any
) -> None:
    event, people = full_event()
    names = [wait(event, f"{n} Reed") for n in ("Ada", "Ben")]
    cast.sign_in(client, event=event)
    browser = Typist(client)
    address = f"/organize/events/{event.id}/waitlist"
    page = browser.get(address)
    # Beside the name on a wide screen, below it on a phone.
    assert page.text.count("No place is free for them.") == 4
    assert browser.send(page, {}, action=f"/{names[1].id}/move/1").status == 303
    note = browser.get(f"{address}/{names[1].id}/skip")
    assert browser.send(note, {"note": ""}, action="").status == 422
    assert browser.send(note, {"note": "a colleague is in"}, action="").status == 303
    assert "Passed over for now: a colleague is in" in browser.get(address).text
    settings = browser.get(f"{address}/settings")
    bad = browser.send(settings, {"offer_hours": "0"}, action="")
    assert bad.status == 422
    changed = {"waitlist": "y", "offer_hours": "48", "keep_mental_health": "4"}
    assert browser.send(settings, changed, action="").status == 303
    line.cancel(people[0])
    sweep()
    assert states(event) == [("Ben", "waiting"), ("Ada", "waiting")]
    page = browser.get(address)
    assert "The place is kept for a mental-health professional." in page.text
    assert browser.send(page, {}, action=f"/{names[0].id}/offer").status == 303
    assert "Offers that are out" in browser.get(address).text
    home = browser.get("/organize")
    assert "One party waits for" in home.text
    assert "One offer is out and not answered yet." in home.text
    remove = browser.get(f"{address}/{names[0].id}/remove")
    assert browser.send(remove, {"reason": "You asked us to."}, action="").status == 303
    assert states(event) == [("Ben", "waiting"), ("Ada", "left")]
    assert browser.send(page, {}, action=f"/{names[0].id}/offer").status == 409


def test_a_page_that_was_open_while_the_kinds_of_places_went_says_so(
    client: FlaskClient, db: Any, now: Any
) -> None:
    event, _people = full_event()
    browser = Typist(client)
    page = browser.get(f"/events/{event.slug}/waitlist")
    with transaction():
        product_db.session.get(TicketType, event.ticket_types[0].id).on_sale = False
    late = browser.send(page, ADA, action="")
    assert (late.status, "Back to the event" in late.text) == (422, True)
