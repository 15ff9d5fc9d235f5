"""The refund rules of an event: choose, change, try."""

from collections.abc import Sequence
from typing import Any

from flask import render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events import queries, services
from regsys.events.forms import RefundsForm, Trial
from regsys.events.models import Event
from regsys.events.organizer.desk import answer, desk
from regsys.kernel import clock, money
from regsys.kernel.zones import moment
from regsys.policies.presets import PRESETS, get_preset
from regsys.policies.rules import Amounts, Facts, Refund, Terms, read, refund
from regsys.policies.words import table_of_terms
from regsys.web.guard import current_actor, requires

TEMPLATE = "events/organize_refunds.html"


@desk.route("/organize/events/<int:event_id>/refunds", methods=["GET", "POST"])
@requires("registrar")
def refunds(event_id: int) -> ResponseReturnValue:
    """Choose, change or try the refund rules of an event."""
    event = queries.get_event(event_id)
    stored = read(event.policy.body) if event.policy else Terms()
    form = RefundsForm.of(event, stored, event.policy.title if event.policy else "")
    do = request.form.get("do")
    if do == "preset" and form.preset.data in PRESETS:
        title, _body = PRESETS[form.preset.data]
        form.title.data = form.title.data or _(title)
        chosen = form.show(get_preset(form.preset.data, event.currency), event)
        return _show(event, chosen, chosen=_(title))
    if do == "more" or not form.steps.entries:
        form.add_row()
    if do == "more":
        return _show(event, form)
    if do == "try":
        return _try(event, form)
    fine = form.is_submitted() and form.validate()
    terms = form.read_terms(event.currency) if fine else None
    if fine and (terms is None or form.is_wrong):
        return _show(event, form), 422

    def act() -> Sequence[str]:
        given, title, version = terms or Terms(), form.title.data or "", form.version.data
        actor, now = current_actor(), clock.now()
        services.set_refunds(event_id, title, given, version=version, actor=actor, now=now)
        return ()

    shown = _around(event, terms or stored)
    return answer(TEMPLATE, event, form, act, done="events_organizer.refunds", **shown)


def _show(event: Event, form: RefundsForm, **more: Any) -> str:
    return render_template(
        TEMPLATE,
        event=event,
        form=form,
        **{**_around(event, form.read_terms(event.currency)), **more},
    )


def _around(event: Event, terms: Terms | None) -> dict[str, Any]:
    """Return what the page shows beside the form: the table that visitors see of these rules, and no trial yet."""
    priced = [t for t in event.ticket_types if any(p.amount for p in t.prices)]
    columns = [
        (t.name, Amounts(price - t.room_part, t.room_part))
        for t in priced[:3]
        if (price := max(p.amount for p in t.prices)) >= t.room_part
    ]
    table = None
    if terms is not None and columns:
        table = table_of_terms(terms, columns, _facts(event), event.currency)
    return {"table": table, "trial": None, "chosen": None, "now": clock.now()}


def _facts(event: Event, *, refilled: bool = False) -> Facts:
    unit = money.unit(event.currency)
    return Facts(event.starts_at, event.time_zone, refilled=refilled, unit=unit)


def _try(event: Event, form: RefundsForm) -> ResponseReturnValue:
    """Show what somebody would get by the rules as they stand in the form; nothing is saved."""
    if not form.validate():
        return _show(event, form), 422
    terms, trial = form.read_terms(event.currency), form.trial(event.currency)
    if terms is None or trial is None:
        return _show(event, form), 422
    return _show(event, form, trial=_refund_of(event, terms, trial), tried=(terms, trial))


def _refund_of(event: Event, terms: Terms, trial: Trial) -> Refund:
    when = moment(trial.wall, event.time_zone).at
    amounts = Amounts(trial.paid - trial.room, trial.room)
    return refund(terms, amounts, when, _facts(event, refilled=trial.taken))
