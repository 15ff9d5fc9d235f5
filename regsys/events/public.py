"""What everybody sees of the events: catalogue, groups, one event, and calendars."""

from collections.abc import Iterable
from datetime import date, datetime
from itertools import groupby
from typing import TypeVar
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events import ics, queries, rules
from regsys.events.forms import CodeForm
from regsys.events.kinds import GROUP_KINDS, EventKind, EventMode, Visibility
from regsys.events.models import Event
from regsys.events.page import Shown, show_event
from regsys.events.queries import Listing
from regsys.events.states import EventState
from regsys.events.visiting import opened_events
from regsys.kernel import clock, tokens
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound
from regsys.kernel.text import N_
from regsys.members.badge import find_badge
from regsys.web.caching import kept, made_from, revalidated
from regsys.web.guard import public
from regsys.web.security import count_and_limit
from regsys.web.urls import settings

blueprint = Blueprint("events", __name__)
KEYS_AN_HOUR = 20

M = TypeVar("M", EventKind, EventMode)


@blueprint.get("/events")
@public
@revalidated
def catalogue() -> ResponseReturnValue:
    """Show what is coming up, by month."""
    now = clock.now()
    wish = _wish(frozenset(EventKind))
    shown = _wished(wish, now)
    return render_template(
        "events/catalogue.html",
        months=_by_month(shown, now),
        count=len(shown),
        last=max((_local_day(x.event.ends_at, x.event.time_zone) for x in shown), default=None),
        kinds=list(EventKind),
        narrowed=bool(request.args),
        calendar_url=_webcal(),
    )


@blueprint.get("/groups")
@public
@revalidated
def groups() -> ResponseReturnValue:
    """Show the groups that one can join."""
    shown = _wished(_wish(GROUP_KINDS), clock.now())
    return render_template(
        "events/groups.html",
        parts=_joinable_first(shown),
        count=len(shown),
        kinds=[k for k in EventKind if k in GROUP_KINDS],
        narrowed=bool(request.args),
    )


@blueprint.get("/events/<slug>")
@public
@revalidated
def show(slug: str) -> ResponseReturnValue:
    """Show one event."""
    mark = made_from(f"event:{slug}", lambda: queries.find_mark(slug, now=clock.now()))
    shown = kept(f"event:{slug}", lambda: _shown(slug), mark=mark) if mark is not None else None
    if shown is None or shown.state is EventState.DRAFT:
        return _nothing_here()
    if not rules.may_see(shown.visibility, shown.state, opened=shown.event_id in _opened(slug)):
        if shown.visibility is Visibility.MEMBERS:
            return redirect(url_for("members.ask", next=request.path), 303)
        return _nothing_here()
    return render_template("events/show.html", shown=shown)


def _nothing_here() -> ResponseReturnValue:
    """Say the same of every address with a key that opens nothing, and count who tries keys."""
    if not request.args.get("key"):
        raise NotFound(N_("There is no such event."))
    with transaction():
        _count_try(clock.now())
    return render_template("events/code.html", form=CodeForm(formdata=None), wrong_key=True), 404


def _count_try(now: datetime) -> None:
    sentence = _("That was tried very often from where you are. Please wait an hour.")
    count_and_limit(
        f"private-key:{request.remote_addr}",
        limit=KEYS_AN_HOUR,
        seconds=3600,
        now=now,
        sentence=sentence,
    )


@blueprint.route("/code", methods=["GET", "POST"])
@public
def code() -> ResponseReturnValue:
    """Ask for the code of a private event, and open its page in this browser."""
    form = CodeForm()
    if not form.validate_on_submit():
        return render_template(
            "events/code.html", form=form, wrong_key=False
        ), 422 if form.errors else 200
    with transaction():
        _count_try(clock.now())
    found = queries.find_slug_opened_by(form.code.data or "")
    if found is None:
        form.code.errors = [_("This code opens nothing. Look at it again, letter by letter.")]
        return render_template("events/code.html", form=form, wrong_key=False), 422
    event_id, slug = found
    _remember(event_id)
    return redirect(url_for(".show", slug=slug), 303)


def _remember(event_id: int) -> None:
    """Let the pages of a private event open in this browser."""
    opened: list[int] = session.get(rules.OPENED, [])
    if event_id not in opened:
        session[rules.OPENED] = [*opened, event_id]


def _shown(slug: str) -> Shown | None:
    event = queries.find_event(slug)
    return show_event(event, clock.now()) if event else None


def _joinable_first(shown: list[Listing]) -> list[tuple[str, list[Listing]]]:
    closed = {rules.Standing.CLOSED, rules.Standing.CANCELLED}
    return [
        (_("Groups you can join"), [x for x in shown if x.standing not in closed]),
        (_("Under way, or closed to newcomers"), [x for x in shown if x.standing in closed]),
    ]


@blueprint.get("/events.ics")
@public
@revalidated
def catalogue_ics() -> ResponseReturnValue:
    """Publish the sessions of all public events as a calendar to subscribe to."""
    now = clock.now()
    events = queries.list_public(now=now)
    return _calendar(events, name=settings().ORGANISATION_NAME, now=now, file="events.ics")


@blueprint.get("/events/<slug>.ics")
@public
@revalidated
def show_ics(slug: str) -> ResponseReturnValue:
    """Publish the sessions of one event."""
    event = queries.get_visible_event(slug, opened=_opened(slug))
    return _calendar([event], name=event.title, now=clock.now(), file=f"{event.slug}.ics")


def _calendar(events: Iterable[Event], *, name: str, now: datetime, file: str) -> Response:
    entries = [entry for e in events for entry in ics.entries_of(e, location=_location(e))]
    text = ics.write(entries, method="PUBLISH", now=now, name=name)
    response = Response(text, content_type=ics.CALENDAR_TYPE)
    response.headers["Content-Disposition"] = f'inline; filename="{file}"'
    return response


def _location(event: Event) -> str:
    if event.venue is None:
        return _("Online") if event.mode is EventMode.ONLINE else ""
    return ", ".join(p for p in (event.venue.name, event.venue.address, event.venue.city) if p)


def _webcal() -> str:
    address = settings().BASE_URL.split("://", 1)[1]
    return f"webcal://{address}/events.ics"


def _opened(slug: str) -> list[int]:
    """Return the events that are open to this visitor; one opened by its link stays open for the pages that follow."""
    if key := request.args.get("key"):
        found = queries.find_event_opened_by(slug, tokens.hash_token(key))
        if found is not None:
            _remember(found)
            return [*opened_events(clock.now()), found]
    return opened_events(clock.now())


def _wish(kinds: frozenset[EventKind]) -> rules.Wish:
    """Read the filter; a value that does not exist narrows nothing."""
    kind = _member(EventKind, request.args.get("kind"))
    mode = _member(EventMode, request.args.get("mode"))
    return rules.Wish(
        frozenset({kind}) if kind in kinds else kinds,
        {EventMode.ONLINE: True, EventMode.IN_PERSON: False}.get(mode) if mode else None,
        bool(request.args.get("places")),
    )


def _member(enum: type[M], value: str | None) -> M | None:
    return next((m for m in enum if m.value == value), None)


def _wished(wish: rules.Wish, now: datetime) -> list[Listing]:
    member = bool(request.cookies) and find_badge(now) is not None
    found = queries.listings(queries.list_public(now=now, member=member), now=now)
    return [
        x
        for x in found
        if rules.fits(
            wish,
            kind=x.event.kind,
            mode=x.event.mode,
            standing=x.standing,
            left=x.places.left,
        )
    ]


def _by_month(shown: list[Listing], now: datetime) -> list[tuple[date | None, list[Listing]]]:
    """Group by month of the start; what has begun comes last, under None."""

    def month(x: Listing) -> date | None:
        return rules.month_of(x.event.starts_at, x.event.time_zone, now)

    coming = [x for x in shown if month(x)]
    begun = [x for x in shown if not month(x)]
    months = [(m, list(found)) for m, found in groupby(coming, key=month)]
    return [*months, *([(None, begun)] if begun else [])]


def _local_day(moment: datetime, zone: str) -> date:
    return moment.astimezone(ZoneInfo(zone)).date()
