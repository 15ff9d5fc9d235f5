"""The public doors: from the choice of places to the order, and the two secret links."""

from regsys.registration.public import attendee, cart, code, handing, options, order, people, places
from regsys.registration.public.base import blueprint

__all__ = [
    "attendee",
    "blueprint",
    "cart",
    "code",
    "handing",
    "options",
    "order",
    "people",
    "places",
]
