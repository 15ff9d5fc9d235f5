"""Codes, as the organizers of an event make, change and end them."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.discounts import queries, rules, services
from regsys.discounts.forms import CodeForm, typed_of
from regsys.events.models import Event
from regsys.events.queries import count_options, get_event, list_options
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires

bp = Blueprint("discounts_organizer", __name__, url_prefix="/organize/events/<int:event_id>/prices")


@bp.get("")
@requires("registrar")
def prices(event_id: int) -> ResponseReturnValue:
    """Show what places cost here, and the codes that lower it."""
    event, now = get_event(event_id), clock.now()
    options = list_options([event_id])
    return render_template(
        "discounts/prices.html",
        event=event,
        used=queries.list_used(event_id, now=now),
        options=options,
        counts=count_options(options, now=now),
        now=now,
    )


@bp.route("/codes/new", methods=["GET", "POST"])
@requires("registrar")
def new_code(event_id: int) -> ResponseReturnValue:
    """Make a code."""
    event = get_event(event_id)
    form = CodeForm(data={"events": [event_id], "kind": "percent"})
    offered = _offer(form, event, ())
    if form.is_submitted() and (plan := form.read(event, offered)):
        scope, actor = current_actor().scope("registrar"), current_actor()
        try:
            with transaction():
                services.make_code(plan, scope=scope, actor=actor, now=clock.now())
            flash(_("The code can be used now."), "good")
            return _back(event_id)
        except Refused as e:
            form.code.errors = [refusal_text(e)]
    status = 422 if form.errors else 200
    return render_template("discounts/code.html", event=event, form=form, code=None), status


@bp.route("/codes/<int:code_id>", methods=["GET", "POST"])
@requires("registrar")
def edit_code(event_id: int, code_id: int) -> ResponseReturnValue:
    """Change what a code says from now on."""
    event, now = get_event(event_id), clock.now()
    code = queries.get_code(code_id, event_id=event_id)
    count = queries.count_uses(code, now=now)
    form = CodeForm(data=typed_of(code, count.size, event)).keep_name()
    offered = _offer(form, event, [e.id for e in code.events])
    if form.is_submitted() and (plan := form.read(event, offered)):
        scope, actor = current_actor().scope("registrar"), current_actor()
        try:
            with transaction():
                services.change_code(
                    code_id, plan, event_id=event.id, scope=scope, actor=actor, now=now
                )
            flash(_("Saved. Whoever has used the code keeps what it took off."), "good")
            return _back(event.id)
        except Refused as e:
            field = form.code if e.refusal is rules.CODE_TAKEN else form.uses
            field.errors = [refusal_text(e)]
    status = 422 if form.errors else 200
    return render_template(
        "discounts/code.html", event=event, form=form, code=code, count=count
    ), status


@bp.post("/codes/<int:code_id>/end")
@requires("registrar")
def end_code(event_id: int, code_id: int) -> ResponseReturnValue:
    """Let nobody use a code any more."""
    scope, actor = current_actor().scope("registrar"), current_actor()
    with transaction():
        services.end_code(code_id, event_id=event_id, scope=scope, actor=actor, now=clock.now())
    flash(_("The code is ended. Whoever has used it keeps what it took off."), "good")
    return _back(event_id)


def _offer(form: CodeForm, event: Event, also: list[int] | tuple[()]) -> list[Event]:
    """Put the events into the form in which this registrar may let a code count."""
    scope = current_actor().scope("registrar")
    offered = queries.list_events(scope, [event.id, *also], now=clock.now())
    form.events.choices = [(e.id, e.title) for e in offered]
    return offered


def _back(event_id: int) -> ResponseReturnValue:
    return redirect(url_for(".prices", event_id=event_id), 303)
