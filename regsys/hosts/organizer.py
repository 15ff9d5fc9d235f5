"""The host of one event, as its organizers see it; and a draft from an inquiry."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events.models import Event
from regsys.events.queries import get_event
from regsys.hosts import queries, rules, services
from regsys.hosts.forms import HostForm
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Forbidden, Refused
from regsys.registration import queries as registrations
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.urls import settings

bp = Blueprint("hosts_organizer", __name__)


@bp.route("/organize/events/<int:event_id>/host", methods=["GET", "POST"])
@requires("registrar")
def host(event_id: int) -> ResponseReturnValue:
    """Show the host with its seats, and change what was agreed."""
    event = get_event(event_id)
    form = HostForm.of(event, queries.find_host(event_id))
    if not form.is_submitted():
        return _show(event, form)
    plan = form.plan(event) if form.validate() else None
    if plan is None:
        return _show(event, form), 422
    try:
        with transaction():
            services.set_host(event_id, plan, actor=current_actor(), now=clock.now())
    except Refused as e:
        return _show(get_event(event_id), form, refusal=refusal_text(e)), 409
    flash(_("Saved."), "good")
    return redirect(url_for(".host", event_id=event_id), 303)


def _show(event: Event, form: HostForm, *, refusal: str | None = None) -> str:
    now, found = clock.now(), queries.find_host(event.id)
    table = queries.get_table(event.id, now=now) if found else None
    order = found.order if found else None
    closed = rules.why_not_host(event.enrollment)
    return render_template(
        "hosts/organizer_host.html",
        event=event,
        form=form,
        table=table,
        order=order,
        balance=registrations.due(order.id) if order else None,
        closed=refusal_text(Refused(closed)) if closed else None,
        refusal=refusal,
        now=now,
    )


@bp.post("/organize/events/<int:event_id>/host/invite")
@requires("registrar")
def invite(event_id: int) -> ResponseReturnValue:
    """Mail the coordinator the link to sign in, and the private link."""
    try:
        with transaction():
            found = services.invite(event_id, actor=current_actor(), now=clock.now())
            address = found.email
    except Refused as e:
        flash(refusal_text(e), "warn")
    else:
        flash(_("The letter is on its way to %(email)s.", email=address), "good")
    return redirect(url_for(".host", event_id=event_id), 303)


@bp.post("/organize/inquiries/<int:inquiry_id>/draft")
@requires("registrar")
def draft(inquiry_id: int) -> ResponseReturnValue:
    """Make a draft event with host and seats of an inquiry."""
    actor = current_actor()
    if actor.scope("registrar") is not None:
        raise Forbidden
    with transaction():
        event_id = services.draft_from_inquiry(
            inquiry_id,
            time_zone=settings().TIME_ZONE,
            currency=settings().CURRENCY,
            actor=actor,
            now=clock.now(),
        )
    flash(_("The draft has a host and its seats. Nobody sees it before you publish it."), "good")
    return redirect(url_for(".host", event_id=event_id), 303)
