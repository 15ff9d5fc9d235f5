"""Ending somebody's place for them: what becomes of the money is chosen, shown to the cent, and then done just so."""

from collections.abc import Sequence

from flask import flash, redirect, render_template, request
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.kernel.money import plain
from regsys.payments import queries, services
from regsys.payments.cancelling import end_stale_checkout
from regsys.payments.forms import EndingForm
from regsys.payments.organizer.desk import ROLES, payments_organizer
from regsys.payments.organizer.giving import carry_out, page_of
from regsys.payments.queries import Part, Parting
from regsys.policies.rules import How
from regsys.registration.states import RegistrationState as S
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.html import money

Ways = dict[How, Parting]


@payments_organizer.route(
    "/organize/events/<int:event_id>/registrations/<int:registration_id>/cancel-paid",
    methods=["GET", "POST"],
)
@requires(*ROLES)
def cancel_person(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Choose what becomes of the money, see what that means, and end the place."""
    ways, back = _find_ways(event_id, registration_id), page_of(event_id, registration_id)
    whole = ways[How.ALL].parts[0]
    if whole.registration.state not in (S.CONFIRMED, S.AWAITING_PAYMENT):
        flash(_("This registration has ended already; nothing more was done."), "warn")
        return redirect(back, 303)
    currency, do = ways[How.ALL].order.currency, request.form.get("do")
    form = EndingForm(how=next(iter(ways)), amount=plain(whole.value, currency))
    form.how.choices = [
        (how.value, _way_words(how, ways)) for how in How if how in (*ways, How.OWN)
    ]
    own = None
    if form.is_submitted() and form.validate():
        own = form.read_own(currency, most=whole.value)
    if own is None and do == "confirm":
        form.amount.errors = []
        return _show(ways, form, back, refusal_text(Refused(services.CHANGED))), 409
    if own is None or do == "change":
        return _show(ways, form, back), 200 if own is not None or not form.is_submitted() else 422
    if do != "confirm":
        return _check(event_id, registration_id, form, own, back)
    return _end(event_id, registration_id, form, own, back)


def _find_ways(event_id: int, registration_id: int) -> Ways:
    """Return what each choice means now; without rules for what was paid they are no choice."""
    now = clock.now()
    ways = {
        how: queries.get_ending(registration_id, event_id=event_id, how=how, now=now)
        for how in (How.RULES, How.ALL, How.NOTHING)
    }
    return {how: p for how, p in ways.items() if how is not How.RULES or not p.refusal}


def _way_words(how: How, ways: Ways) -> str:
    if how is How.OWN:
        return _("An amount of your own")
    said = outcome(ways[how].parts[0], ways[how].order.currency)
    if how is How.RULES:
        return _("By the rules of the place: %(what)s", what=said)
    if how is How.ALL:
        return _("All of it: %(what)s", what=said)
    return _("Nothing")


def outcome(part: Part, currency: str) -> str:
    """Return in a few words what becomes of what was paid."""
    said: Sequence[tuple[int, str]] = (
        (part.card, _("%(amount)s to the card")),
        (part.by_hand, _("%(amount)s in another way")),
        (part.to_credit, _("%(amount)s counts again as a credit")),
        (part.credit, _("%(amount)s becomes a credit")),
        (part.more + part.more_credit, _("%(amount)s more if the place is taken again")),
    )
    words = [text % {"amount": money(n, currency)} for n, text in said if n]
    return ", ".join(words) or _("nothing")


def _check(
    event_id: int,
    registration_id: int,
    form: EndingForm,
    own: int,
    back: str,
    problem: str | None = None,
) -> ResponseReturnValue:
    how = How(form.how.data)
    parting = queries.get_ending(
        registration_id, event_id=event_id, how=how, own=own, now=clock.now()
    )
    if parting.refusal:
        problem = refusal_text(Refused(parting.refusal))
        return _show(_find_ways(event_id, registration_id), form, back, problem), 409
    body = render_template(
        "payments/ending_check.html", parting=parting, part=parting.parts[0], form=form,
        how=how, back=back, problem=problem,
    )  # fmt: skip
    return body, 409 if problem else 200


def _show(ways: Ways, form: EndingForm, back: str, problem: str | None = None) -> str:
    parting = ways[How.ALL]
    return render_template(
        "payments/ending.html", parting=parting, part=parting.parts[0], form=form, back=back,
        problem=problem,
    )  # fmt: skip


def _end(
    event_id: int, registration_id: int, form: EndingForm, own: int, back: str
) -> ResponseReturnValue:
    how, mark, actor = How(form.how.data), request.form.get("mark", ""), current_actor()
    shown = queries.get_ending(
        registration_id, event_id=event_id, how=how, own=own, now=clock.now()
    )
    amount, order_id = money(shown.amount, shown.order.currency), shown.order.id
    try:
        with transaction():
            refunds = services.cancel_person(
                registration_id, event_id=event_id, how=how, amount=own, mark=mark,
                reason=form.reason.data or "", actor=actor, now=clock.now(),
            )  # fmt: skip
    except Refused as e:
        return _check(event_id, registration_id, form, own, back, refusal_text(e))
    flash(_("The place is cancelled, and everybody concerned is told by mail."), "good")
    carry_out(refunds, amount)
    end_stale_checkout(order_id)
    return redirect(back, 303)
