"""A sample address for every page: guards, foreign ids, axe and screenshots are tried on all of them.

An entry is the endpoint and a function from the demo world (tests/world.py) to a path. Each room has its own part.
"""

from collections.abc import Callable

from tests.world import World

SAMPLES: dict[str, Callable[[World], str]] = {
    # content
    "content.home": lambda w: "/",
    "content.page": lambda w: f"/pages/{w.page.slug}",
    "content.news": lambda w: "/news",
    "content.news_item": lambda w: f"/news/{w.news_item.slug}",
    "content.contact": lambda w: "/contact",
    # events
    "events.catalogue": lambda w: "/events",
    "events.catalogue_ics": lambda w: "/events.ics",
    "events.groups": lambda w: "/groups",
    "events.show": lambda w: f"/events/{w.event.slug}",
    "events.show_ics": lambda w: f"/events/{w.event.slug}.ics",
    # accounts
    # registration
    "registration.register": lambda w: f"/events/{w.event.slug}/register",
    "registration.order": lambda w: f"/o/{w.order.token}",
    "registration.attendee": lambda w: f"/r/{w.registration.token}",
    # payments
    # outbox
    # leaders
    # reports
}
