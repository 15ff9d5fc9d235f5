"""What no sample address shows: each refusal, the empty states, forms with something wrong, orders in every state."""

from dataclasses import dataclass
from datetime import timedelta

from flask import Flask
from flask.typing import ResponseReturnValue
from playwright.sync_api import Page
from sqlalchemy import Select, func, select
from werkzeug.exceptions import RequestEntityTooLarge

from regsys.aid import services as aid
from regsys.aid.models import AidRequest
from regsys.aid.states import RequestState
from regsys.events.models import Event
from regsys.kernel import clock
from regsys.kernel.actors import ANONYMOUS, SYSTEM
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import (
    Busy,
    DatabaseAway,
    IllegalMove,
    Invalid,
    OutOfRoom,
    Refusal,
    Refused,
    TooMany,
    UpstreamFailed,
)
from regsys.registration import services as registering
from regsys.registration.models import HandOver, Order, Registration
from regsys.registration.states import RegistrationState as S
from regsys.web.guard import public
from tests.cast import a_person, make_cart
from tests.support import stages
from tests.support.stages import Show
from tests.support.stages import go as _open
from tests.world import World

EVENTS = {
    "cancelled": "half-day-workshop-silence",
    "elsewhere": "national-leadership-intensive",
    "ask-the-leader": "lunch-group-bellingham",
    "application": "leadership-intensive-spokane",
    "free": "see-a-balint-group",
    "group": "tuesday-evening-group",
    "intensive": "introductory-intensive",
    "too-few": "first-years-group",
}

TROUBLES: dict[str, Exception] = {
    "409": Refused(Refusal("Full", "The last place was taken a moment ago.")),
    "409-stale": IllegalMove("Registration", "confirmed", "draft"),
    "413": RequestEntityTooLarge(),
    "422": Invalid({"price": ["Write an amount, like 920.00."]}),
    "429": TooMany("Please wait an hour, or write to us.", retry_after=3600),
    "500": RuntimeError("planned"),
    "502": UpstreamFailed("Stripe did not answer.", not_charged=True),
    "503": Busy("planned"),
    "503-away": DatabaseAway("planned"),
    "503-disk": OutOfRoom("planned"),
}


@dataclass(frozen=True)
class Scene:
    """A page in a state; `looked_at` also by the tests that every run makes."""

    name: str
    show: Show
    who: str = "visitor"
    looked_at: bool = False


def add_troubles(app: Flask) -> None:
    """Give the app, before its first request, an address for each way in which a page may fail."""

    @public
    def fail(name: str) -> ResponseReturnValue:
        raise TROUBLES[name]

    app.add_url_rule("/trouble/<name>", "trouble", fail)


def at(path: str) -> Show:
    """Open an address."""
    return lambda page, url, world: _open(page, url + path)


def sent_empty(path: str, button: str) -> Show:
    """Open a form and send it as it is, or with its required fields emptied."""

    def show(page: Page, url: str, world: World) -> None:
        _open(page, url + path)
        for box in page.locator("main :is(input.input, textarea):visible").all():
            box.fill("")
        page.get_by_role("button", name=button).last.click()
        page.locator(".wrong-list").wait_for()

    return show


def order_in(state: S) -> Show:
    """Open the payer's page of an order with somebody in this state."""

    def show(page: Page, url: str, world: World) -> None:
        placed = Order.placed_at.is_not(None)
        query = select(Order).join(Order.registrations).where(Registration.state == state, placed)
        _open(page, f"{url}/o/{world.first(query).token}")

    return show


def person_in(state: S) -> Show:
    """Open the page of a person in this state."""

    def show(page: Page, url: str, world: World) -> None:
        query = select(Registration).join(Order).where(Registration.state == state)
        found = world.first(query.where(Order.placed_at.is_not(None)))
        _open(page, f"{url}/r/{found.token}")

    return show


def of_place(path: str, slug: str = EVENTS["application"]) -> Show:
    """Open a page of somebody who has a place at an event."""

    def show(page: Page, url: str, world: World) -> None:
        _open(page, f"{url}/r/{world.first(_who_comes(slug)).token}{path}")

    return show


def _who_comes(slug: str) -> Select[Registration]:
    query = select(Registration).join(Event).where(Registration.state == S.CONFIRMED)
    return query.where(Event.slug == slug).order_by(Registration.id.desc())


def leave_some(page: Page, url: str, world: World) -> None:
    """Ask who of several people does not come."""
    confirmed = select(Order).join(Order.registrations).join(Registration.event)
    confirmed = confirmed.where(Registration.state == S.CONFIRMED, Event.starts_at > clock.now())
    found = world.first(confirmed.group_by(Order.id).having(func.count() > 1))
    _open(page, f"{url}/o/{found.token}/cancel")


def of_event(path: str, slug: str) -> Show:
    """Open a page of an event's workspace."""

    def show(page: Page, url: str, world: World) -> None:
        event = world.first(select(Event).where(Event.slug == slug))
        _open(page, f"{url}/organize/events/{event.id}{path}")

    return show


def of_event_sent(path: str, button: str, slug: str = EVENTS["intensive"]) -> Show:
    """Send a form of an event's workspace empty."""

    def show(page: Page, url: str, world: World) -> None:
        event = world.first(select(Event).where(Event.slug == slug))
        sent_empty(f"/organize/events/{event.id}{path}", button)(page, url, world)

    return show


def review_deposit(page: Page, url: str, world: World) -> None:
    """Take a place for which a deposit is enough, up to the last look."""
    _open(page, f"{url}/events/{stages.RETREAT}/register")
    page.get_by_role("button", name="Hold").click()
    page.get_by_label("First name").fill("Marigold")
    page.get_by_label("Last name").fill("Wetherby")
    page.get_by_label("E-mail").fill("marigold.wetherby@example.org")
    page.get_by_role("button", name="Save and go on").click()
    page.locator("main h1").wait_for()


def looked_at(page: Page, url: str, world: World) -> None:
    """Look at one person beside the list of an event."""
    of_event("", EVENTS["intensive"])(page, url, world)
    page.locator("a[data-look]").nth(1).click()
    page.locator("#look:visible").wait_for()


def to_change_hands(page: Page, url: str, world: World) -> None:
    """Let a colleague fill in the form for a place, and open where the organizers decide."""
    slug, now = EVENTS["application"], clock.now()
    r = world.first(_who_comes(slug))
    about = {"profession": "Nurse", "credentials": "RN", "workplace": "Copperline Clinic"}
    with world.app.test_request_context(base_url=url):
        with transaction():
            registering.offer_hand_over(r.order_id, r.id, actor=SYSTEM, now=now)
        row_id = db.session.scalar(select(HandOver.id).where(HandOver.registration_id == r.id))
        with transaction():
            registering.fill_hand_over(
                row_id or 0, a_person("Orla Fenn"), about=about, actor=ANONYMOUS, now=now
            )
        db.session.remove()
    of_event("/registrations/hand-overs", slug)(page, url, world)


def help_to_ask(page: Page, url: str, world: World) -> None:
    """Let somebody for whom another one pays be asked first, and open what they can ask."""
    order_id = world.paid_by_other.id
    with world.app.test_request_context(base_url=url):
        with transaction():
            aid.invite(order_id, actor=SYSTEM, now=clock.now())
            r = db.session.scalars(
                select(Registration).where(Registration.order_id == order_id)
            ).one()
            r.answered_at, token = clock.now(), r.token
        db.session.remove()
    _open(page, f"{url}/r/{token}/help")


def helped(path: str) -> Show:
    """Open a page about somebody who has help with the fee: their own, or one of an organizer."""

    def show(page: Page, url: str, world: World) -> None:
        used = select(Registration).join(AidRequest).where(AidRequest.state == RequestState.USED)
        r = world.first(used)
        _open(page, url + path.format(token=r.token, event=r.event_id, id=r.id))

    return show


def lapsed_cart(page: Page, url: str, world: World) -> None:
    """Open a cart whose time is over."""
    with world.app.app_context(), clock.freeze(clock.now() - timedelta(hours=2)):
        event = db.session.scalars(
            select(Event).where(Event.slug == "introductory-intensive")
        ).one()
        token = make_cart(event).token
        db.session.remove()
    _open(page, f"{url}/o/{token}")


def no_cart(page: Page, url: str, world: World) -> None:
    """Open the cart of somebody who has none, and keep theirs for later."""
    cookies = page.context.cookies()
    page.context.clear_cookies()
    _open(page, f"{url}/cart")
    page.context.add_cookies(cookies)  # type: ignore[arg-type]


def broken(page: Page, url: str, world: World) -> None:
    """Show the page for the case that even the error page fails."""
    with world.app.test_request_context(base_url=url):
        html = world.app.jinja_env.get_template("web/broken.html").render(incident="7K2M-9QXW")
    _open(page, f"{url}/robots.txt")
    page.set_content(html, wait_until="load")


QUICK = {"event-cancelled", "event-elsewhere", "event-ask-the-leader", "event-application"}
NOTHING_FITS = "?kind=rotating_leader_group&mode=in_person&places=1"

SCENES: tuple[Scene, ...] = (
    *(
        Scene(f"event-{name}", at(f"/events/{slug}"), looked_at=f"event-{name}" in QUICK)
        for name, slug in EVENTS.items()
    ),
    *(
        Scene(f"error-{name}", at(f"/trouble/{name}"), looked_at=name in ("409", "500"))
        for name in TROUBLES
    ),
    Scene("error-404", at("/nothing/here"), looked_at=True),
    Scene("error-403", at("/organize"), who="leader", looked_at=True),
    Scene("error-broken", broken),
    Scene("empty-catalogue", at(f"/events{NOTHING_FITS}"), looked_at=True),
    Scene("empty-groups", at(f"/groups{NOTHING_FITS}")),
    Scene("empty-outbox", at("/outbox?q=nobody")),
    Scene("register-full", at("/events/noon-circle-seattle/register")),
    Scene("wrong-payer", sent_empty("/cart/people/0", "Save and go on"), looked_at=True),
    Scene("wrong-answers", sent_empty("/cart/answers/1", "Save and go on"), looked_at=True),
    Scene("wrong-contact", sent_empty("/contact", "Send")),
    Scene("wrong-sign-in", sent_empty("/signin", "Mail me a link")),
    Scene("order-to-pay", order_in(S.AWAITING_PAYMENT), looked_at=True),
    Scene("order-expired", order_in(S.EXPIRED)),
    Scene("order-cancelled", order_in(S.CANCELLED), looked_at=True),
    Scene("attendee-to-pay", person_in(S.AWAITING_PAYMENT)),
    Scene("attendee-cancelled", person_in(S.CANCELLED)),
    Scene("leave", of_place("/cancel"), looked_at=True),
    Scene("leave-some", leave_some),
    Scene("hand-over-link", of_place("/hand-over")),
    Scene("minimum-to-decide", of_event("/registrations/minimum", EVENTS["too-few"]), who="owner"),
    Scene("help-to-ask", help_to_ask),
    Scene("help-stays", helped("/r/{token}/hand-over")),
    Scene(
        "help-not-handed-on",
        helped("/organize/events/{event}/registrations/{id}/hand-over"),
        who="owner",
    ),
    Scene("hand-over-to-decide", to_change_hands, who="owner"),
    Scene("looked-at", looked_at, who="owner"),
    Scene("cart-none", no_cart),
    Scene("cart-lapsed", lapsed_cart, looked_at=True),
    Scene("link-spent", at("/signin/link?token=nothing")),
    Scene("member-link-spent", at("/members/link?token=nothing")),
    Scene("apply-closed", at("/events/introductory-intensive/apply")),
    Scene("order-with-rest", stages.order_with_rest, looked_at=True),
    Scene("rest-by-link", stages.rest_by_link),
    Scene("leave-with-credit", stages.leave_with_credit),
    Scene("move-choose", stages.move_choose),
    Scene("move-look", stages.move_look, looked_at=True),
    Scene("move-asked", stages.move_asked),
    Scene("payment-problem", stages.payment_problem),
    Scene("invoice-open", stages.invoice_open),
    Scene("aid-form", stages.aid_form, looked_at=True),
    Scene("aid-given", stages.aid_given),
    Scene("aid-declined", stages.aid_declined),
    Scene("aid-decided", stages.aid_decided, who="committee"),
    Scene("aid-wrong", stages.aid_wrong, who="committee"),
    Scene("codes", of_event("/prices", EVENTS["application"]), who="owner"),
    Scene("code-wrong", of_event_sent("/prices/codes/new", "Make this code"), who="owner"),
    Scene("fund-wrong", sent_empty("/organize/help/funds/new", "Save"), who="owner"),
    Scene("host-none", of_event("/host", EVENTS["application"]), who="owner"),
    Scene("hosts-two", stages.two_hosts, who="owner"),
    Scene("members-wrong", stages.bad_list, who="owner"),
    Scene("today-trainee", stages.trainee_today, who="owner"),
    Scene("person-trainee", stages.trainee_person, who="owner"),
    Scene("move-for-somebody", stages.move_for_somebody, who="owner"),
    Scene("refund-look", stages.refund_look, who="owner"),
    Scene("cancel-look", stages.cancel_look, who="owner"),
    Scene("call-off-look", stages.call_off_look, who="owner"),
    Scene("received-look", stages.received_look, who="owner"),
    Scene("invoice-paid", stages.invoice_paid, who="owner"),
    Scene("invoice-written-off", stages.invoice_written_off, who="owner"),
    # The last: it takes a place.
    Scene("review-deposit", review_deposit),
)
