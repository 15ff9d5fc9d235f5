"""What organizers say to a trainee's word for their price."""

from flask import flash, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.kernel.text import whole_number
from regsys.registration import queries, services
from regsys.registration.forms import RefuseForm
from regsys.registration.organizer.people import back_to, bp
from regsys.registration.owing import lets_go_at
from regsys.registration.proving import Difference
from regsys.registration.rules import asked_until, is_unseen
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires


@bp.post("/<int:registration_id>/proof")
@requires("registrar")
def accept_proof(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Accept what a trainee said for their price, also where it was not accepted before."""
    actor = current_actor()
    try:
        with transaction():
            services.accept_proof(registration_id, event_id=event_id, actor=actor, now=clock.now())
        flash(_("Accepted."), "good")
    except Refused as e:
        flash(refusal_text(e), "warn")
    return back_to(event_id, registration_id)


@bp.route("/<int:registration_id>/proof/refuse", methods=["GET", "POST"])
@requires("registrar")
def refuse_proof(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Show what it means that a trainee's word is not enough, then ask for the difference."""
    form = RefuseForm()
    if not form.validate_on_submit():
        return _show(event_id, registration_id, form), 422 if form.errors else 200
    reason, actor = form.reason.data or "", current_actor()
    seen = whole_number(request.form.get("seen", "")) or 0
    try:
        with transaction():
            services.refuse_proof(
                registration_id, reason=reason, seen=seen, event_id=event_id, actor=actor,
                now=clock.now(),
            )  # fmt: skip
    except Refused as e:
        form.reason.errors = [*form.reason.errors, refusal_text(e)]
        return _show(event_id, registration_id, form), 409
    flash(_("The letter with your reason is on its way."), "good")
    return back_to(event_id, registration_id)


def _show(event_id: int, registration_id: int, form: RefuseForm) -> str:
    r = queries.get_registration(registration_id, event_id=event_id)
    unseen = is_unseen(r.proof, r.state)
    more = services.difference_of(r) if unseen else Difference()
    zone, starts_at = r.event.time_zone, r.event.starts_at
    until = asked_until(r.rest_at, starts_at=starts_at, zone=zone, now=clock.now())
    return render_template(
        "registration/organizer_proof.html",
        form=form,
        r=r,
        more=more,
        until=until,
        unseen=unseen,
        ends=lets_go_at(r, until) if queries.due(r.order_id).due else None,
    )
