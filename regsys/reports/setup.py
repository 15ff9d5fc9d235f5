"""What the working pages of all rooms share: the menu of the workspace, and words for their templates."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from flask import Flask, current_app, request, url_for
from flask_babel import LazyString
from flask_babel import lazy_gettext as _l

from regsys.events.kinds import Enrollment
from regsys.events.models import Event
from regsys.kernel.actors import Actor
from regsys.questions.types import show as show_answer
from regsys.reports import words
from regsys.web.guard import current_actor

MONEY = ("registrar", "treasurer")
HOME = "reports_organizer.home"
# What events share is kept behind their list.
ALSO_EVENTS = ("/organize/venues", "/organize/leaders")
ALSO_PAYMENTS = ("/organize/payments", "/organize/orders")


class Item(NamedTuple):
    """A page of the menu: who sees it, and if the whole site must be theirs. Rooms below are known by name only."""

    label: LazyString
    endpoint: str
    roles: Sequence[str] = ("registrar",)
    whole_site: bool = False
    also: Sequence[str] = ()


# What stands in the menu, and the pages behind it; where there are several, they are tabs below.
MENU: Sequence[tuple[LazyString, Sequence[Item]]] = (
    (_l("Today"), (Item(_l("Today"), HOME, MONEY),)),
    (_l("Events"), (Item(_l("Events"), "reports_organizer.events", MONEY, also=ALSO_EVENTS),)),
    (
        _l("People"),
        (
            Item(_l("Registrations"), "reports_organizer.registrations"),
            Item(_l("Applications"), "applications_organizer.desks", ("registrar", "reviewer")),
            Item(_l("Members"), "members_organizer.listed", whole_site=True),
        ),
    ),
    (
        _l("Money"),
        (
            Item(_l("Payments"), "payments_organizer.money", MONEY, also=ALSO_PAYMENTS),
            Item(_l("Invoices"), "billing_organizer.invoices", MONEY),
            Item(_l("Papers"), "billing_organizer.papers", MONEY),
            Item(_l("Help with the fee"), "aid_organizer.funds", ("treasurer",), whole_site=True),
            Item(_l("Treasurer"), "reports_organizer.treasurer", MONEY, whole_site=True),
        ),
    ),
    (
        _l("Mail"),
        (
            Item(_l("Letters"), "outbox_organizer.messages"),
            Item(_l("Inquiries"), "content_organizer.inquiries", whole_site=True),
        ),
    ),
    (
        _l("Site"),
        (
            Item(_l("Pages"), "content_organizer.pages", whole_site=True),
            Item(_l("News"), "content_organizer.news", whole_site=True),
        ),
    ),
    (
        _l("Log"),
        (
            Item(_l("Log"), "reports_organizer.audit"),
            Item(_l("Who signs in"), "accounts_organizer.listed", ("owner",)),
        ),
    ),
    (_l("Help with the fee"), (Item(_l("Requests"), "aid_organizer.requests", ("committee",)),)),
    (_l("My groups"), (Item(_l("My groups"), "leaders_leader.home", ("leader",)),)),
    (_l("My seats"), (Item(_l("My seats"), "hosts_coordinator.home", ("host_coordinator",)),)),
)
# The tabs of one event's workspace, each by an endpoint that takes `event_id`: a room adds a line here, and its pages
# draw the head with `desk_head(event, "its.endpoint")` of events/_desk.html.
EVENT_MENU = (
    (_l("Attendees"), "reports_organizer.event", ("registrar",)),
    (_l("Applications"), "applications_organizer.listed", ("registrar", "reviewer")),
    (_l("Waiting list"), "waitlist_organizer.line", ("registrar",)),
    (_l("Prices"), "discounts_organizer.prices", ("registrar",)),
    (_l("Host"), "hosts_organizer.host", ("registrar",)),
    (_l("Roster"), "leaders_leader.roster", ("registrar", "leader")),
    (_l("Letters"), "reports_organizer.messages", ("registrar",)),
    (_l("Files"), "reports_organizer.files", ("registrar",)),
    (_l("Log"), "reports_organizer.event_log", ("registrar",)),
    (_l("Edit the event"), "events_organizer.edit", ("registrar",)),
)


# Tabs of events of one way of enrolling only.
ENROLLMENTS = {
    "applications_organizer.listed": Enrollment.APPLICATION,
    "hosts_organizer.host": Enrollment.HOST_APPROVES,
}


def event_nav(event: Event, current: str) -> list[dict[str, object]]:
    """Return the tabs of an event for whoever is signed in; `current` is the endpoint of the one that is open."""
    actor = current_actor()
    return [
        {
            "label": label,
            "url": url_for(endpoint, event_id=event.id),
            "current": endpoint == current,
        }
        for label, endpoint, roles in EVENT_MENU
        if endpoint in current_app.view_functions
        and actor.has(*roles, event_id=event.id)
        and ENROLLMENTS.get(endpoint) in (None, event.enrollment)
    ]


def work_nav() -> Iterator[dict[str, object]]:
    """Yield the menu of the workspace for whoever is signed in; `below` are the tabs of the part that is open."""
    for label, items in MENU:
        below = [
            {"label": item.label, "url": url, "current": _is_here(url, item)}
            for item in items
            if item.endpoint in current_app.view_functions and _sees(current_actor(), item)
            for url in [url_for(item.endpoint)]
        ]
        if below:
            current = any(one["current"] for one in below)
            tabs = below if current and len(below) > 1 else []
            yield {"label": label, "url": below[0]["url"], "current": current, "below": tabs}


def _sees(actor: Actor, item: Item) -> bool:
    if item.whole_site:
        return actor.scope(*item.roles) is None
    return actor.has_anywhere(*item.roles)


def _is_here(url: str, item: Item) -> bool:
    # "/organize" is the home page and the beginning of every other address.
    here = request.script_root + request.path
    below = [url, *item.also] if item.endpoint != HOME else []
    return here == url or any(f"{here}/".startswith(f"{one}/") for one in below)


def register(app: Flask) -> None:
    """Give the menu and the words to the templates."""
    app.jinja_env.globals.update({f.__name__: f for f in (work_nav, event_nav, *words.HELPERS)})
    app.jinja_env.globals["show_answer"] = show_answer
