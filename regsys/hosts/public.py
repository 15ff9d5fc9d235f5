"""People who came by the private link ask for a seat."""

from datetime import datetime

from flask import Blueprint, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events.models import Event
from regsys.events.visiting import opened_events
from regsys.hosts import queries, rules, services
from regsys.hosts.forms import person_of
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.registration.forms import OwnForm
from regsys.registration.mail import when, where
from regsys.registration.queries import get_event_on_sale
from regsys.web.errors import refusal_text
from regsys.web.guard import public
from regsys.web.security import count_and_limit

blueprint = Blueprint("hosts", __name__)
AN_HOUR = 20


@blueprint.route("/events/<slug>/seat", methods=["GET", "POST"])
@public
def ask(slug: str) -> ResponseReturnValue:
    """Ask who would like a seat, and pass it on to the coordinator."""
    now, event, form = clock.now(), _event(slug), OwnForm()
    if not form.validate_on_submit():
        return _show(event, form, now), 422 if form.errors else 200
    event_id, person = event.id, person_of(form)
    try:
        with transaction():
            _count_visit(now)
            services.ask(event_id, person, now=now)
    except Refused as e:
        return _show(event, form, now, refusal=refusal_text(e)), 409
    return redirect(url_for(".asked", slug=slug), 303)


def _event(slug: str) -> Event:
    return get_event_on_sale(slug, opened=opened_events(clock.now()))


def _count_visit(now: datetime) -> None:
    """Keep one visitor from filling the list, and from writing to a list of addresses."""
    count_and_limit(
        f"seat:{request.remote_addr}",
        limit=AN_HOUR,
        seconds=3600,
        now=now,
        sentence=_("Many people asked from where you are in this hour. Please try again later."),
    )


def _show(event: Event, form: OwnForm, now: datetime, *, refusal: str | None = None) -> str:
    host = queries.find_host(event.id)
    closed = rules.why_not_ask(event.state, event.starts_at, event.closes_at, now)
    closed = closed or (None if host else rules.NO_HOST)
    return render_template(
        "hosts/ask.html",
        event=event,
        host=host,
        form=form,
        closed=refusal_text(Refused(closed)) if closed else None,
        refusal=refusal,
        when=when(event),
        where=where(event),
    )


@blueprint.get("/events/<slug>/seat/asked")
@public
def asked(slug: str) -> ResponseReturnValue:
    """Say what happens next; the same to everybody."""
    event = _event(slug)
    return render_template("hosts/asked.html", event=event, host=queries.find_host(event.id))
