"""What organizers do: agree with a host on seats, invite its coordinator, begin from an inquiry."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import date, datetime, time, timedelta
from typing import Any

from flask_babel import gettext as _

from regsys.accounts import services as accounts
from regsys.accounts.kinds import Purpose, Role
from regsys.accounts.queries import purpose_for
from regsys.accounts.rules import INVITATION_LIFE
from regsys.content.models import Inquiry
from regsys.events import services as events
from regsys.events.kinds import Enrollment, EventKind, EventMode, Visibility
from regsys.events.queries import get_event
from regsys.events.services import Basics, PlacesPlan, TypePlan
from regsys.events.states import EventState
from regsys.hosts import mail, queries, rules
from regsys.hosts.kinds import Pays
from regsys.hosts.models import Host
from regsys.hosts.services.shared import coordinator_of, lock_table, record, refit
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import NotFound, Refused
from regsys.kernel.text import N_, email_key
from regsys.kernel.zones import moment
from regsys.registration import services as registration
from regsys.web.urls import absolute


@dataclass(frozen=True, kw_only=True)
class HostPlan:
    """What was agreed with a host; `agreed_sum` is in minor units, for all seats together."""

    organisation: str
    first_name: str
    last_name: str
    email: str
    seats: int
    ticket_type_id: int
    pays: Pays = Pays.HOST
    agreed_sum: int | None = None
    names_until: datetime | None = None
    kept_until: datetime | None = None


def set_host(event_id: int, plan: HostPlan, *, actor: Actor, now: datetime) -> Host:
    """Give an event its host, or change what was agreed; places for the seats are kept from now on.

    Raises Refused where too few places are free, or people have seats that would change; locks host, order, pools.
    """
    event = get_event(event_id)
    refusal = rules.why_not_host(event.enrollment)
    if refusal:
        raise Refused(refusal)
    if not any(t.id == plan.ticket_type_id and t.prices for t in event.ticket_types):
        raise NotFound(N_("There is no such ticket type."))
    host = queries.find_host(event_id)
    if host is None:
        host = Host(event_id=event_id, created_at=now, **asdict(plan))
        db.session.add(host)
        db.session.flush()
        record("host.added", host, actor=actor, now=now, after=_facts_of(plan))
    else:
        host = _change(event_id, plan, actor=actor, now=now)
    refit(event_id, now=now, anew=True)
    return host


def _change(event_id: int, plan: HostPlan, *, actor: Actor, now: datetime) -> Host:
    table = lock_table(event_id, now=now)
    host = table.host
    old = HostPlan(**{f.name: getattr(host, f.name) for f in fields(HostPlan)})
    refusal = rules.why_not_set(
        seats=plan.seats, named=len(table.seats), same_terms=_terms(old) == _terms(plan)
    )
    if refusal:
        raise Refused(refusal)
    for name, value in asdict(plan).items():
        setattr(host, name, value)
    if old.kept_until != plan.kept_until or old.names_until != plan.names_until:
        host.reminded_at = None
    if email_key(old.email) != email_key(plan.email):
        _let_go_of_coordinator(host, actor=actor, now=now)
    _change_order(host, old)
    if host.order_id and plan.agreed_sum is not None:
        registration.set_agreed_sum(host.order_id, plan.agreed_sum, actor=actor, now=now)
    before, after = _facts_of(old), _facts_of(plan)
    changed = [k for k in after if after[k] != before[k]]
    record(
        "host.changed",
        host,
        actor=actor,
        now=now,
        before={k: before[k] for k in changed},
        after={k: after[k] for k in changed},
    )
    return host


def _terms(plan: HostPlan) -> tuple[Any, ...]:
    return plan.pays, plan.ticket_type_id, plan.agreed_sum is None


def _let_go_of_coordinator(host: Host, *, actor: Actor, now: datetime) -> None:
    """Let the former coordinator see these seats no more; the new one is invited by a button."""
    if host.user_id is not None:
        role = Role.HOST_COORDINATOR
        accounts.take_role(host.user_id, role, host.event_id, actor=actor, now=now)
    host.user_id = host.invited_at = None


def _change_order(host: Host, old: HostPlan) -> None:
    """Let the new coordinator pay, where the former one was to."""
    if host.order and email_key(host.order.email) == email_key(old.email):
        registration.set_payer(host.order, coordinator_of(host))


def _facts_of(plan: HostPlan) -> dict[str, Any]:
    return {
        k: v.isoformat() if isinstance(v, datetime) else v
        for k, v in asdict(plan).items()
        if k not in ("first_name", "last_name", "email")
    }


def invite(event_id: int, *, actor: Actor, now: datetime) -> Host:
    """Mail the coordinator how to sign in, and the private link to pass on; raise Refused before it is published."""
    host = lock_table(event_id, now=now).host
    event = host.event
    if event.state is EventState.DRAFT:
        raise Refused(rules.NOT_SHOWN_YET)
    if event.visibility is Visibility.PRIVATE_LINK and not event.private_key:
        events.renew_private_key(event_id, actor=actor, now=now)
    user_id = accounts.give_role(
        host.email,
        first_name=host.first_name,
        last_name=host.last_name,
        role=Role.HOST_COORDINATOR,
        event_id=event_id,
        actor=actor,
        now=now,
    )
    host.user_id, host.invited_at = user_id, now
    record("host.invited", host, actor=actor, now=now)
    mail.send_invitation(host, _sign_in_link(user_id, event_id, now=now), now=now)
    return host


def _sign_in_link(user_id: int, event_id: int, *, now: datetime) -> str:
    """Return the link that signs the coordinator in once, or the plain page for whoever has a password."""
    page = {"event_id": event_id}
    if purpose_for(user_id) is not Purpose.SIGN_IN:
        return absolute("hosts_coordinator.seats", **page)
    token = accounts.new_link(
        user_id,
        Purpose.SIGN_IN,
        now=now,
        target=f"/host/{event_id}",
        life=INVITATION_LIFE,
    )
    return absolute("accounts.link", token=token)


# ---- from an inquiry


def draft_from_inquiry(
    inquiry_id: int, *, time_zone: str, currency: str, actor: Actor, now: datetime
) -> int:
    """Make a draft of an intensive on the road with its host and seats; a second click finds the same one."""
    found = lock_rows(Inquiry, [inquiry_id])
    if not found:
        raise NotFound(N_("There is no such inquiry."))
    inquiry = found[0]
    if inquiry.event_id is not None:
        return inquiry.event_id
    event_id = _draft_event(inquiry, time_zone, currency, actor=actor, now=now)
    event = get_event(event_id)
    first, _space, last = inquiry.name.partition(" ")
    plan = HostPlan(
        organisation=inquiry.organisation or inquiry.name,
        first_name=first[:100],
        last_name=last[:100],
        email=inquiry.email,
        seats=_seats(inquiry),
        ticket_type_id=event.ticket_types[0].id,
    )
    set_host(event_id, plan, actor=actor, now=now)
    inquiry.event_id = event_id
    db.session.flush()
    return event_id


def _seats(inquiry: Inquiry) -> int:
    return min(inquiry.people or rules.USUAL_SEATS, rules.MOST_SEATS)


def _draft_event(
    inquiry: Inquiry, time_zone: str, currency: str, *, actor: Actor, now: datetime
) -> int:
    starts, ends = _days(inquiry.wished_dates, time_zone, now)
    title = _("Intensive on the Road at %(host)s", host=inquiry.organisation or inquiry.name)
    about: Mapping[str, Any] = {"actor": actor, "now": now}
    event_id = events.create_event(
        title=title[:200],
        kind=EventKind.INTENSIVE_ON_THE_ROAD,
        mode=EventMode.IN_PERSON,
        time_zone=time_zone,
        starts_at=starts,
        ends_at=ends,
        currency=currency,
        **about,
    )
    basics = Basics(
        title=title[:200],
        kind=EventKind.INTENSIVE_ON_THE_ROAD,
        summary=_("Private training for one organisation"),
        visibility=Visibility.PRIVATE_LINK,
        enrollment=Enrollment.HOST_APPROVES,
    )
    events.change_event(event_id, basics, version=None, **about)
    seats = TypePlan(name=_("Seat of the host"), regular=0)
    places = PlacesPlan(currency=currency, total=_seats(inquiry), types=[seats])
    events.set_places(event_id, places, version=None, **about)
    events.renew_private_key(event_id, **about)
    return event_id


def _days(wished: str, time_zone: str, now: datetime) -> tuple[datetime, datetime]:
    """Return three days as such a visit usually has them: from eight in the morning to a quarter to one."""
    day = rules.first_day(wished, now.date())

    def at(which: date, hour: time) -> datetime:
        return moment(datetime.combine(which, hour), time_zone).at

    return at(day, time(8)), at(day + timedelta(days=2), time(12, 45))
