"""Shows that first make what they show: money in every state, help with the fee, moves, links that are spent."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

from playwright.sync_api import Page
from sqlalchemy import Select, select

from regsys.aid import services as aid
from regsys.billing.models import Invoice
from regsys.events.models import Event
from regsys.hosts.models import Host
from regsys.kernel import clock
from regsys.kernel.actors import STRIPE, SYSTEM, Actor
from regsys.kernel.db import db, transaction
from regsys.ledger import services as ledger
from regsys.ledger.models import Method
from regsys.payments.models import PaymentAttempt
from regsys.payments.states import AttemptState
from regsys.policies.models import RefundPolicy
from regsys.registration import services as registering
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState as S
from tests.cast import a_person
from tests.world import World

Show = Callable[[Page, str, World], None]

COMMITTEE = Actor("user", label="Ottoline Fairweather")
INTENSIVE, RETREAT = "introductory-intensive", "balint-weekend-on-the-canal"
SPOKANE = "leadership-intensive-spokane"


def go(page: Page, address: str) -> None:
    """Open an address."""
    page.goto(address, wait_until="load")


@contextmanager
def backstage(world: World, url: str) -> Iterator[None]:
    """Work as the app does, with the address of the site known."""
    with world.app.test_request_context(base_url=url):
        yield
        db.session.remove()


def with_place(slug: str) -> Select[Registration]:
    """Select those who have a place at an event and paid for it themselves, the newest first."""
    query = select(Registration).join(Event).where(Registration.state == S.CONFIRMED)
    query = query.where(Event.slug == slug, Registration.price > 0, Registration.is_payer)
    return query.order_by(Registration.id.desc())


# ---- help with the fee


def _unpaid(world: World, url: str, name: str, slug: str = INTENSIVE) -> Registration:
    """Hold a place for somebody who pays for it."""
    with backstage(world, url):
        event = db.session.scalars(select(Event).where(Event.slug == slug)).one()
        with transaction():
            held = registering.add_by_hand(
                event.id, a_person(name), ticket_type_id=event.ticket_types[slug == RETREAT].id, to_pay=True,
                reason="", actor=SYSTEM, now=clock.now(),
            )  # fmt: skip
            # Who asks for help has answered first.
            held.profession, held.answered_at = "Nurse practitioner", clock.now()
            r_id = held.id
    return world.first(select(Registration).where(Registration.id == r_id))


def aid_form(page: Page, url: str, world: World) -> None:
    """Open the form that asks for help."""
    go(page, f"{url}/r/{_unpaid(world, url, 'Alder Fennimore').token}/help")


def _asked(world: World, url: str, name: str) -> tuple[int, str]:
    r = _unpaid(world, url, name)
    words = "I work two days a week at a tribal clinic, and nobody pays my courses."
    with backstage(world, url), transaction():
        made = aid.ask(r.id, words, asked_amount=30000, now=clock.now())
    return made, r.token


def aid_given(page: Page, url: str, world: World) -> None:
    """Open one's own page after the committee gave a part of the fee."""
    request_id, token = _asked(world, url, "Bryony Caldbeck")
    with backstage(world, url), transaction():
        aid.award(request_id, 30000, scope=None, actor=COMMITTEE, now=clock.now())
    go(page, f"{url}/r/{token}/help")


def aid_declined(page: Page, url: str, world: World) -> None:
    """Open one's own page after the committee could not help."""
    request_id, token = _asked(world, url, "Corin Dunnock")
    with backstage(world, url), transaction():
        aid.decline(request_id, scope=None, actor=COMMITTEE, now=clock.now())
    go(page, f"{url}/r/{token}/help")


def aid_decided(page: Page, url: str, world: World) -> None:
    """Open a decided request, as the committee sees it."""
    request_id, _token = _asked(world, url, "Dorcas Elmhirst")
    with backstage(world, url), transaction():
        aid.award(request_id, 20000, scope=None, actor=COMMITTEE, now=clock.now())
    go(page, f"{url}/organize/help/{request_id}")


def aid_wrong(page: Page, url: str, world: World) -> None:
    """Give more than there is."""
    request_id, _token = _asked(world, url, "Ebba Thornback")
    go(page, f"{url}/organize/help/{request_id}")
    page.get_by_label("How much is given").fill("9999")
    page.get_by_role("button", name="Give this").click()
    page.locator(".wrong-list, .note--warn").first.wait_for()


# ---- leaving, moving, deposits


def leave_with_credit(page: Page, url: str, world: World) -> None:
    """Ask to cancel where what is kept counts as a credit."""
    found = world.first(with_place(RETREAT))
    with backstage(world, url), transaction():
        policy = db.session.get_one(RefundPolicy, found.policy_id)
        policy.body = {**policy.body, "credit": {"months": 18, "what": "what_is_kept"}}
    go(page, f"{url}/r/{found.token}/cancel")


def move_choose(page: Page, url: str, world: World) -> None:
    """Ask where somebody's place can move."""
    go(page, f"{url}/r/{world.first(with_place(SPOKANE)).token}/move")


def move_look(page: Page, url: str, world: World) -> None:
    """See what the first of the moves means."""
    move_choose(page, url, world)
    page.locator("main input[type=radio]").first.check()
    page.get_by_role("button", name="See what it means").click()
    page.get_by_role("heading", name="Move ").first.wait_for()


def move_asked(page: Page, url: str, world: World) -> None:
    """Ask the organizers for a move."""
    move_look(page, url, world)
    page.locator("main form .button").first.click()
    page.locator(".flashes").wait_for()


def move_for_somebody(page: Page, url: str, world: World) -> None:
    """Let an organizer see what a move of somebody means."""
    found = world.first(with_place(SPOKANE))
    go(page, f"{url}/organize/events/{found.event_id}/registrations/{found.id}/move")


def _with_rest(world: World, url: str, name: str) -> Order:
    """Pay the deposit for a place at the retreat."""
    now = clock.now()
    order_id = _unpaid(world, url, name, RETREAT).order_id
    with backstage(world, url), transaction() as session:
        r = session.scalars(select(Registration).where(Registration.order_id == order_id)).one()
        r.deposit, r.rest_at = 15000, r.event.starts_at - timedelta(days=44)
        ledger.record_payment(
            order_id, amount=15000, currency="USD", method=Method.CARD, actor=STRIPE, now=now,
            reference=f"pi_deposit_{order_id}",
        )  # fmt: skip
        registering.confirm_paid(order_id, actor=STRIPE, now=now)
    return world.first(select(Order).where(Order.id == order_id))


def order_with_rest(page: Page, url: str, world: World) -> None:
    """Open an order of which the deposit is paid."""
    go(page, f"{url}/o/{_with_rest(world, url, 'Elspeth Marlowe').token}")


def rest_by_link(page: Page, url: str, world: World) -> None:
    """Open the page on which somebody else pays the rest."""
    order_id = _with_rest(world, url, "Fennel Quayle").id
    with backstage(world, url), transaction():
        token = registering.share_payment(order_id, actor=SYSTEM, now=clock.now())
    go(page, f"{url}/b/{token}")


def payment_problem(page: Page, url: str, world: World) -> None:
    """Come back from a payment that needs a person."""
    now, order = clock.now(), _with_rest(world, url, "Gorse Hartley")
    with backstage(world, url), transaction() as session:
        attempt = PaymentAttempt(
            order_id=order.id, state=AttemptState.QUARANTINED, state_at=now, amount=100, currency="USD",
            livemode=False, key="attempt-with-a-problem", params={}, session_id="cs_test_problem",
            url="https://checkout.stripe.com/c/pay/cs_test_problem", created_at=now,
            expires_at=now + timedelta(minutes=35), asked_at=now,
        )  # fmt: skip
        session.add(attempt)
    go(page, f"{url}/o/{order.token}/paid?session_id=cs_test_problem")


# ---- invoices, and what happens before money moves


def _invoice(world: World, nth: int = 0) -> Invoice:
    return world.first(select(Invoice).order_by(Invoice.id.desc()).offset(nth))


def invoice_open(page: Page, url: str, world: World) -> None:
    """Open the page of an invoice that is not due yet."""
    go(page, f"{url}/i/{_invoice(world).token}")


def received_look(page: Page, url: str, world: World) -> None:
    """See what it means that a transfer came."""
    go(page, f"{url}/organize/orders/{_invoice(world).order_id}/received")
    page.get_by_label("By bank transfer").check()
    page.get_by_label("Reference").fill("Statement 11, line 4")
    page.get_by_role("button", name="See what will happen").click()
    page.get_by_role("heading", name="What will happen").wait_for()


def invoice_paid(page: Page, url: str, world: World) -> None:
    """Write down that it came, and open the invoice."""
    received_look(page, url, world)
    page.locator("main form .button").first.click()
    page.wait_for_load_state("load")
    go(page, f"{url}/organize/invoices/{_invoice(world).id}")


def invoice_written_off(page: Page, url: str, world: World) -> None:
    """Write an invoice off, and look at it."""
    address = f"{url}/organize/invoices/{_invoice(world, 1).id}"
    go(page, f"{address}/write-off")
    page.get_by_role("textbox", name="Why", exact=True).fill("The residency has closed.")
    page.get_by_role("button", name="Write it off").click()
    page.wait_for_load_state("load")
    go(page, address)


def refund_look(page: Page, url: str, world: World) -> None:
    """See what giving money back will do."""
    found = world.first(with_place(RETREAT))
    go(page, f"{url}/organize/events/{found.event_id}/registrations/{found.id}/refund")
    page.get_by_label("How much goes back").fill("100.00")
    page.get_by_role("textbox", name="Why", exact=True).fill("The room was smaller than we said.")
    page.get_by_role("button", name="See what will happen").click()
    page.get_by_role("heading", name="What will happen").wait_for()


def cancel_look(page: Page, url: str, world: World) -> None:
    """See what cancelling somebody's place will do."""
    found = world.first(with_place(RETREAT))
    go(page, f"{url}/organize/events/{found.event_id}/registrations/{found.id}/cancel-paid")
    page.get_by_role("textbox", name="Why").fill("You asked us to.")
    page.get_by_role("button", name="See what will happen").click()
    page.get_by_role("heading", name="What will happen").wait_for()


def call_off_look(page: Page, url: str, world: World) -> None:
    """See what calling an event off will do."""
    event = world.first(select(Event).where(Event.slug == RETREAT))
    go(page, f"{url}/organize/events/{event.id}/call-off")
    page.get_by_role("textbox", name="Why does it not take place?").fill(
        "The house has burned down."
    )
    page.get_by_role("button", name="See what will happen").click()
    page.wait_for_load_state("load")


def trainee_today(page: Page, url: str, world: World) -> None:
    """Open today's page while somebody's word that they are in training waits."""
    found = world.first(with_place(INTENSIVE))
    with backstage(world, url), transaction():
        r = db.session.get_one(Registration, found.id)
        r.proof = {"kind": "trainee", "said": "Second year of the Larchmount residency"}
    go(page, f"{url}/organize")


def trainee_person(page: Page, url: str, world: World) -> None:
    """Open the page of somebody whose word waits."""
    trainee_today(page, url, world)
    found = world.first(with_place(INTENSIVE))
    go(page, f"{url}/organize/events/{found.event_id}/registrations/{found.id}")


def two_hosts(page: Page, url: str, world: World) -> None:
    """Open the list of somebody who looks after the seats of two events."""
    with backstage(world, url), transaction() as session:
        known = session.scalars(select(Host)).first()
        event = session.scalars(select(Event).where(Event.slug == "tuesday-evening-group")).one()
        assert known
        columns = {c.name: getattr(known, c.name) for c in Host.__table__.columns}
        columns |= {
            "id": None,
            "event_id": event.id,
            "order_id": None,
            "organisation": "Night Ferry Clinic",
        }
        session.add(Host(**columns))
    go(page, f"{url}/host")


def bad_list(page: Page, url: str, world: World) -> None:
    """Upload a list of members that cannot be read."""
    go(page, f"{url}/organize/members/upload")
    page.get_by_label("The list").set_input_files(
        {"name": "members.csv", "mimeType": "text/csv", "buffer": b"Town\nSpokane\n"}
    )
    page.get_by_role("button", name="Look at it").click()
    page.locator(".wrong-list, .note--warn").first.wait_for()
