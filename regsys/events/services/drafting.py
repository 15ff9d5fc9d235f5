"""Making an event, and changing its basics."""

from dataclasses import asdict, dataclass
from datetime import datetime
from itertools import count

from regsys.audit.services import record
from regsys.capacity import services as capacity
from regsys.capacity.models import PoolKind
from regsys.events import queries
from regsys.events.kinds import Enrollment, EventKind, EventMode, Visibility
from regsys.events.models import Event
from regsys.events.services.editing import assign, changing, lock_event
from regsys.events.states import EventState
from regsys.kernel import tokens
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import N_, slugify

SLUG_TAKEN = Refusal("AddressTaken", N_("Another event has this address already."))
SLUG_FIXED = Refusal(
    "AddressFixed", N_("The address of an event that was shown stays: links and letters use it.")
)
PEOPLE_INSIDE = Refusal(
    "PlacesUsed", N_("People have registered here, so the way to enroll stays: close it instead.")
)


@dataclass(frozen=True, kw_only=True)
class Basics:
    """What an event is called and says; an empty slug keeps the one that it has."""

    title: str
    kind: EventKind
    slug: str = ""
    summary: str = ""
    description: str = ""
    included: str = ""
    refund_terms: str = ""
    credit: str = ""
    cost_note: str = ""
    contact_email: str = ""
    visibility: Visibility = Visibility.PUBLIC
    enrollment: Enrollment = Enrollment.OPEN
    external_name: str = ""
    external_url: str = ""
    roster_days_before: int | None = None


def create_event(
    *,
    title: str,
    kind: EventKind,
    mode: EventMode,
    time_zone: str,
    starts_at: datetime,
    ends_at: datetime,
    currency: str,
    actor: Actor,
    now: datetime,
) -> int:
    """Make a draft with places that are not limited yet, and return its id."""
    event = Event(
        slug=free_slug(title),
        title=title,
        kind=kind,
        mode=mode,
        visibility=Visibility.PUBLIC,
        enrollment=Enrollment.OPEN,
        state=EventState.DRAFT,
        state_at=now,
        created_at=now,
        time_zone=time_zone,
        starts_at=starts_at,
        ends_at=ends_at,
        currency=currency,
    )
    db.session.add(event)
    db.session.flush()
    capacity.make_pool(event_id=event.id, name="total", kind=PoolKind.TOTAL, size=None)
    record(
        "event.created",
        ("event", event.id),
        actor=actor,
        now=now,
        event_id=event.id,
        after={"title": title, "kind": str(kind), "slug": event.slug},
    )
    return event.id


def free_slug(title: str) -> str:
    """Return an address for a title that no other event has."""
    stem = slugify(title)[:74].strip("-") or "event"
    tries = (stem if n == 1 else f"{stem}-{n}" for n in count(1))
    return next(s for s in tries if not queries.is_slug_taken(s))


def change_event(
    event_id: int, basics: Basics, *, version: int | None, actor: Actor, now: datetime
) -> None:
    """Change what an event is called and says; raise IllegalMove if somebody changed it meanwhile, or Refused."""
    with changing(event_id, "event.changed", version=version, actor=actor, now=now) as (event, _):
        facts = asdict(basics)
        facts["slug"] = _new_slug(event, basics.slug)
        if basics.enrollment is not event.enrollment and queries.was_used(event_id):
            raise Refused(PEOPLE_INSIDE)
        assign(event, facts)


def _new_slug(event: Event, wish: str) -> str:
    slug = slugify(wish) or event.slug
    if slug == event.slug:
        return slug
    if event.state is not EventState.DRAFT:
        raise Refused(SLUG_FIXED)
    if queries.is_slug_taken(slug):
        raise Refused(SLUG_TAKEN)
    return slug


def renew_private_key(event_id: int, *, actor: Actor, now: datetime) -> str:
    """Make a new private link, ending the old one, and return its key: a code that can be read aloud."""
    event = lock_event(event_id)
    key = "-".join(tokens.new_code(4) for _part in range(4))
    had = bool(event.private_key_hash)
    event.private_key, event.private_key_hash = key, tokens.hash_token(key)
    record(
        "event.key_renewed",
        ("event", event_id),
        actor=actor,
        now=now,
        event_id=event_id,
        before={"key": had},
        after={"key": True},
    )
    db.session.flush()
    return key
