"""Moving somebody to another event for an organizer, with a reason."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import NOT_NOW, Refused
from regsys.kernel.text import whole_number
from regsys.payments import queries, services
from regsys.payments.forms import MoveForm
from regsys.payments.organizer.desk import payments_organizer, tell_away
from regsys.payments.queries import Scope
from regsys.payments.settle import execute_refund
from regsys.registration.queries import get_registration
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.html import money


@payments_organizer.route(
    "/organize/events/<int:event_id>/registrations/<int:registration_id>/move",
    methods=["GET", "POST"],
)
@requires("registrar")
def move_person(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Choose where somebody goes instead, see what it means, and move them."""
    r = get_registration(registration_id, event_id=event_id)
    to, form = whole_number(request.values.get("to", "")), MoveForm()
    if not form.is_submitted() or to is None:
        return _show(r.order_id, registration_id, to, form)
    if not form.validate():
        return _show(r.order_id, registration_id, to, form), 422
    order_id, currency, actor = r.order_id, r.event.currency, current_actor()
    try:
        with transaction():
            moved = services.move_for(
                order_id,
                registration_id,
                to,
                mark=request.form.get("mark", ""),
                spare=form.difference.data == "none",
                reason=form.reason.data or "",
                actor=actor,
                now=clock.now(),
                scope=_scope(),
            )
    except Refused as e:
        return _show(order_id, registration_id, to, form, refusal_text(e)), 409
    if moved is None:
        flash(_("That was done already; nothing more was done."), "warn")
    elif moved.to_pay:
        flash(_("The place is held, and the payer has a letter with the link to pay."), "good")
    else:
        flash(_("It is done, and everybody is told by mail."), "good")
    try:
        for refund_id in moved.refunds if moved else ():
            execute_refund(refund_id, actor=actor)
    except NOT_NOW:
        tell_away(money(moved.back if moved else 0, currency))
    back = url_for("reports_organizer.registration", event_id=event_id, registration_id=r.id)
    return redirect(back, 303)


def _scope() -> Scope:
    """Return the events into which this organizer may let somebody whatever is written there."""
    return current_actor().scope("registrar")


def _show(
    order_id: int, registration_id: int, to: int | None, form: MoveForm, problem: str | None = None
) -> str:
    found = queries.get_moves(
        order_id, registration_id, now=clock.now(), by_organizer=True, scope=_scope()
    )
    way = found.find(to)
    return render_template(
        "payments/organizer_move.html",
        found=found,
        way=way,
        mark=found.mark(way) if way else "",
        form=form,
        problem=problem,
        refusal=refusal_text(Refused(found.refusal)) if found.refusal else None,
    )
