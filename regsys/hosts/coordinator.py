"""The coordinator's pages: the seats of their host, by name and state; nothing that anybody answered is read here."""

from collections.abc import Callable

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.hosts import queries, rules, services
from regsys.hosts.forms import PersonForm, person_of
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.ledger.queries import documents_of
from regsys.registration import queries as registrations
from regsys.registration.mail import when, where
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires

bp = Blueprint("hosts_coordinator", __name__)
WHO = ("host_coordinator", "registrar")


@bp.get("/host")
@requires(*WHO)
def home() -> ResponseReturnValue:
    """List the events for which somebody coordinates seats; whoever has one only goes there."""
    hosts = queries.list_hosts(current_actor().scope(*WHO))
    if len(hosts) == 1:
        return redirect(url_for(".seats", event_id=hosts[0].event_id), 303)
    return render_template("hosts/home.html", hosts=hosts, now=clock.now())


@bp.get("/host/<int:event_id>")
@requires(*WHO)
def seats(event_id: int) -> ResponseReturnValue:
    """Show the seats as a ring and a list, and the form for one more name."""
    return _show(event_id, PersonForm(formdata=None))


def _show(
    event_id: int, form: PersonForm, *, refusal: str | None = None, status: int = 200
) -> ResponseReturnValue:
    now = clock.now()
    table = queries.get_table(event_id, now=now)
    full = rules.why_not_name(table.facts, now)
    fixed = rules.why_not_change_names(table.facts, now)
    event, order = table.host.event, table.host.order
    return render_template(
        "hosts/seats.html",
        table=table,
        event=event,
        form=form,
        full=refusal_text(Refused(full)) if full else None,
        fixed=refusal_text(Refused(fixed)) if fixed else None,
        balance=registrations.due(order.id) if order else None,
        papers=documents_of([order.id]) if order else [],
        refusal=refusal,
        when=when(event),
        where=where(event),
        now=now,
    ), status


@bp.post("/host/<int:event_id>/names")
@requires(*WHO)
def name(event_id: int) -> ResponseReturnValue:
    """Put a name on a free seat."""
    form, actor = PersonForm(), current_actor()
    if not form.validate():
        return _show(event_id, form, status=422)
    person = person_of(form)
    try:
        with transaction():
            services.name_seat(event_id, person, actor=actor, now=clock.now())
    except Refused as e:
        return _show(event_id, form, refusal=refusal_text(e), status=409)
    done = _("%(name)s has a seat, and a letter with the link.", name=person.first_name)
    return _back(event_id, done)


def _back(event_id: int, done: str) -> ResponseReturnValue:
    flash(done, "good")
    return redirect(url_for(".seats", event_id=event_id), 303)


def _do(event_id: int, verb: Callable[[], object], done: str) -> ResponseReturnValue:
    """Run a verb and return to the seats; where it is refused they say why."""
    try:
        with transaction():
            verb()
    except Refused as e:
        return _show(event_id, PersonForm(formdata=None), refusal=refusal_text(e), status=409)
    return _back(event_id, done)


@bp.post("/host/<int:event_id>/requests/<int:request_id>/approve")
@requires(*WHO)
def approve(event_id: int, request_id: int) -> ResponseReturnValue:
    """Give a seat to somebody who asked for one."""
    actor, done = current_actor(), _("They have a seat, and a letter with the link.")
    return _do(
        event_id,
        lambda: services.approve(event_id, request_id, actor=actor, now=clock.now()),
        done,
    )


@bp.post("/host/<int:event_id>/requests/<int:request_id>/decline")
@requires(*WHO)
def decline(event_id: int, request_id: int) -> ResponseReturnValue:
    """Tell somebody who asked that there is no seat for them."""
    actor, done = current_actor(), _("They are told kindly, by mail.")
    return _do(
        event_id,
        lambda: services.decline(event_id, request_id, actor=actor, now=clock.now()),
        done,
    )


@bp.route("/host/<int:event_id>/seats/<int:seat_id>/swap", methods=["GET", "POST"])
@requires(*WHO)
def swap(event_id: int, seat_id: int) -> ResponseReturnValue:
    """Put another name on a seat."""
    now, form = clock.now(), PersonForm()
    if not form.validate_on_submit():
        return _show_swap(event_id, seat_id, form), 422 if form.errors else 200
    actor, person = current_actor(), person_of(form)
    try:
        with transaction():
            services.swap(event_id, seat_id, person, actor=actor, now=now)
    except Refused as e:
        return _show_swap(event_id, seat_id, form, refusal=refusal_text(e)), 409
    return _back(event_id, _("The seat has the new name, and both were told."))


def _show_swap(event_id: int, seat_id: int, form: PersonForm, *, refusal: str | None = None) -> str:
    now = clock.now()
    table, seat = queries.get_table(event_id, now=now), queries.get_seat(event_id, seat_id)
    closed = rules.why_not_swap(table.facts, seat.state, now)
    fixed = rules.why_not_take_off(table.facts, seat.state, price=seat.price, now=now)
    return render_template(
        "hosts/swap.html",
        table=table,
        seat=seat,
        event=table.host.event,
        form=form,
        refusal=refusal or (refusal_text(Refused(closed)) if closed else None),
        closed=closed,
        fixed=fixed,
    )


@bp.post("/host/<int:event_id>/seats/<int:seat_id>/off")
@requires(*WHO)
def take_off(event_id: int, seat_id: int) -> ResponseReturnValue:
    """Take a name off a seat."""
    actor, done = current_actor(), _("The seat has no name now, and stays yours.")
    return _do(
        event_id,
        lambda: services.take_off(event_id, seat_id, actor=actor, now=clock.now()),
        done,
    )
