"""What people who wait see: joining, their own page, and the page of an offer with two buttons."""

from dataclasses import replace
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from sqlalchemy.exc import IntegrityError

from regsys.events import queries as events
from regsys.events import rules as event_rules
from regsys.events.models import Event
from regsys.events.visiting import opened_events
from regsys.kernel import clock
from regsys.kernel.actors import attendee
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refusal, Refused
from regsys.kernel.text import N_
from regsys.members.badge import find_own_proof
from regsys.registration import queries as registrations
from regsys.registration.mail import when, where
from regsys.waitlist import mail, queries, rules, services
from regsys.waitlist.forms import JoinForm, build_join
from regsys.waitlist.models import Entry, Offer
from regsys.waitlist.states import EntryState
from regsys.web.errors import refusal_text
from regsys.web.guard import public
from regsys.web.security import count_and_limit

blueprint = Blueprint("waitlist", __name__)
AN_HOUR = 20


@blueprint.route("/events/<slug>/waitlist", methods=["GET", "POST"])
@public
def join(slug: str) -> ResponseReturnValue:
    """Ask who wants to wait, and put them on the list."""
    now = clock.now()
    event = registrations.get_event_on_sale(slug, opened=opened_events(now))
    form = build_join([(t.id, t.name) for t in event.ticket_types if t.on_sale and t.prices])
    if not form.validate_on_submit():
        return _show_join(event, form, now=now, status=422 if form.errors else 200)
    event_id, wish = event.id, replace(form.wish, proof=find_own_proof(now))
    try:
        with transaction():
            _count_visit(now)
            answer = services.join(event_id, wish, now=now)
            token = "" if isinstance(answer, Refusal) else answer.token
    except Refused as e:
        return _show_join(event, form, now=now, refusal=refusal_text(e), status=409)
    except IntegrityError:  # the same address joined in the same moment
        answer = rules.ON_LIST_BY_NOW
    if isinstance(answer, Refusal):
        form.email.errors = [*form.email.errors, _(answer.sentence)]
        return _show_join(event, form, now=now, status=409)
    return redirect(url_for(".own", token=token), 303)


def _count_visit(now: datetime) -> None:
    """Keep one visitor from filling the list, and from finding out whose address is known."""
    count_and_limit(
        f"waitlist:{request.remote_addr}",
        limit=AN_HOUR,
        seconds=3600,
        now=now,
        sentence=_("Many people joined from where you are in this hour. Please try again later."),
    )


def _show_join(
    event: Event, form: JoinForm, *, now: datetime, refusal: str | None = None, status: int = 200
) -> ResponseReturnValue:
    places = events.places_of([event.id], now=now)[event.id]
    left = [places.left_by_type.get(t.id, places.left) for t in event.ticket_types if t.on_sale]
    closed = rules.why_not_join(
        listed=event.waitlist,
        on_sale=event_rules.why_not_on_sale(events.sale_facts(event, places), now),
        size=form.size.data or 1,
        left=[min((n for n in left if n is not None), default=None)],
    )
    waits = queries.count_by_event([event.id]).get(event.id, {})
    return render_template(
        "waitlist/join.html",
        event=event,
        places=places,
        form=form,
        closed=closed,
        refusal=refusal,
        waiting=waits.get(EntryState.WAITING, 0),
        where=where(event),
        zone=event.time_zone,
        now=now,
    ), status


@blueprint.get("/w/<token>")
@public
def own(token: str) -> ResponseReturnValue:
    """Show a person how they stand on the list."""
    entry = _get(token)
    now = clock.now()
    resting = rules.why_resting(queries.get_facts(entry.event, now=now), now)
    return render_template(
        "waitlist/own.html",
        entry=entry,
        event=entry.event,
        standing=queries.standing_of(entry),
        resting=resting,
        open=_open(entry.offer, now),
        when=when(entry.event),
        where=where(entry.event),
    )


def _get(token: str) -> Entry:
    entry = queries.find_entry(token)
    if entry is None:
        raise NotFound(N_("There is nobody like that on the list."))
    return entry


def _open(offer: Offer | None, now: datetime) -> bool:
    return offer is not None and offer.ended_at is None and now < offer.until


@blueprint.post("/w/<token>/leave")
@public
def leave(token: str) -> ResponseReturnValue:
    """Take a person off the list."""
    entry = _get(token)
    entry_id, actor = entry.id, attendee(entry.name)
    with transaction():
        services.leave(entry_id, actor=actor, now=clock.now())
    flash(_("You are off the list. Thank you for telling us."), "good")
    return redirect(url_for(".own", token=token), 303)


# ---- an offer: the page decides nothing, its buttons do


@blueprint.get("/w/offer/<token>")
@public
def offer(token: str) -> ResponseReturnValue:
    """Show an offer, with a yes and a no."""
    return _show_offer(_get_offer(token))


def _get_offer(token: str) -> Offer:
    found = queries.find_offer(token)
    if found is None:
        raise NotFound(N_("There is no such offer."))
    return found


def _show_offer(found: Offer, *, refusal: str | None = None) -> ResponseReturnValue:
    now, entry = clock.now(), found.entry
    return render_template(
        "waitlist/offer.html",
        offer=found,
        entry=entry,
        event=entry.event,
        price=mail.price_of(found, now=now),
        open=_open(found, now),
        refusal=refusal,
        when=when(entry.event),
        where=where(entry.event),
        to_finish=rules.finish_until(found.until, now),
    ), 409 if refusal else 200


@blueprint.post("/w/offer/<token>/accept")
@public
def accept(token: str) -> ResponseReturnValue:
    """Say yes: the places go into an order, which goes on like any other."""
    found = _get_offer(token)
    offer_id, actor = found.id, attendee(found.entry.name)
    try:
        with transaction():
            order = services.accept(offer_id, actor=actor, now=clock.now())
            order_token = order.token
    except Refused as e:
        return _show_offer(_get_offer(token), refusal=refusal_text(e))
    return redirect(url_for("registration.order", token=order_token), 303)


@blueprint.post("/w/offer/<token>/decline")
@public
def decline(token: str) -> ResponseReturnValue:
    """Say no: the next person is asked."""
    found = _get_offer(token)
    offer_id, actor = found.id, attendee(found.entry.name)
    try:
        with transaction():
            services.decline(offer_id, actor=actor, now=clock.now())
    except Refused as e:
        return _show_offer(_get_offer(token), refusal=refusal_text(e))
    flash(_("Thank you for telling us. The next person is asked now."), "good")
    return redirect(url_for(".offer", token=token), 303)
