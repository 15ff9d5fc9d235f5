"""Giving money back with a preview: of a payment, or for a person whose place stays."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import NOT_NOW, Refused
from regsys.kernel.money import plain
from regsys.ledger.states import RefundState
from regsys.payments import queries, services
from regsys.payments.cancelling import end_stale_checkout
from regsys.payments.forms import GiveBackForm
from regsys.payments.organizer.desk import ROLES, payments_organizer, scope_now, tell, tell_away
from regsys.payments.queries import Backing
from regsys.payments.settle import execute_refund
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.html import money as money_words

# What is done: the amount in minor units and the form in, the ids of refunds out.
Act = Callable[[int, GiveBackForm], Sequence[int]]


def _plain_form(amount: str) -> GiveBackForm:
    return GiveBackForm(amount=amount)


@dataclass(frozen=True)
class Errand:
    """One page: what it is about, what is done, and where it leads.

    `least`: the smallest amount; `form`: makes the form around a suggested one.
    """

    kind: str
    backing: Backing
    act: Act
    done: str
    least: int = 1
    form: Callable[[str], GiveBackForm] = _plain_form


@payments_organizer.route("/organize/payments/<int:payment_id>/back", methods=["GET", "POST"])
@requires(*ROLES)
def give_back(payment_id: int) -> ResponseReturnValue:
    """Give some or all of a payment back."""
    backing = queries.get_backing_of_payment(payment_id, scope_now())
    order_id, actor = backing.order.id, current_actor()

    def act(amount: int, form: GiveBackForm) -> Sequence[int]:
        return services.give_back(
            order_id, [payment_id], amount=amount, seen=form.read_seen(),
            reason=form.reason.data or "", actor=actor, now=clock.now(),
        )  # fmt: skip

    return serve(Errand("payment", backing, act, url_for("payments_organizer.money")))


@payments_organizer.route(
    "/organize/events/<int:event_id>/registrations/<int:registration_id>/refund",
    methods=["GET", "POST"],
)
@requires(*ROLES)
def give_person_back(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Give some of what was paid for a person back; the place stays."""
    backing = queries.get_backing_of_person(registration_id, event_id=event_id, scope=scope_now())
    order_id, ids, actor = backing.order.id, [p.id for p in backing.payments], current_actor()

    def act(amount: int, form: GiveBackForm) -> Sequence[int]:
        return services.give_back(
            order_id, ids, amount=amount, seen=form.read_seen(), reason=form.reason.data or "",
            actor=actor, now=clock.now(), registration_id=registration_id,
        )  # fmt: skip

    return serve(Errand("person", backing, act, page_of(event_id, registration_id)))


def page_of(event_id: int, registration_id: int) -> str:
    """Return where one goes afterwards: a treasurer may not open the person's page."""
    if not current_actor().has("registrar", event_id=event_id):
        return url_for("payments_organizer.money")
    return url_for(
        "reports_organizer.registration", event_id=event_id, registration_id=registration_id
    )


def serve(errand: Errand) -> ResponseReturnValue:
    """Show the form, then what will happen, then do it."""
    backing, do = errand.backing, request.form.get("do")
    currency = backing.order.currency
    form = errand.form(plain(backing.suggested, currency))
    if not form.is_submitted() or do == "change":
        return _show(errand, form)
    valid = form.validate()
    amount = None
    if valid:
        amount = form.read_amount(currency, most=backing.most, least=errand.least)
    # A second click finds nothing left to give back, and must not be told that it is too much.
    if valid and amount is None and do == "confirm":
        amount = form.read_amount(currency, most=10**12, least=errand.least)
    if amount is None:
        return _show(errand, form), 422
    if do != "confirm":
        form.seen.data = str(queries.see_money(backing.order.id))
        return render_template("payments/give_back_check.html", e=errand, form=form, amount=amount)
    return _confirm(errand, form, amount)


def _show(errand: Errand, form: GiveBackForm, problem: str | None = None) -> str:
    return render_template("payments/give_back.html", e=errand, form=form, problem=problem)


def _confirm(errand: Errand, form: GiveBackForm, amount: int) -> ResponseReturnValue:
    order = errand.backing.order
    order_id, currency, kind = order.id, order.currency, errand.kind
    try:
        with transaction():
            refund_ids = list(errand.act(amount, form))
    except Refused as e:
        return _show(errand, form, problem=refusal_text(e)), 409
    if kind == "by_hand":
        flash(_("It is written down. A mistake can be taken back below for two weeks."), "good")
    carry_out(refund_ids, money_words(amount, currency))
    end_stale_checkout(order_id)
    return redirect(errand.done, 303)


def carry_out(refund_ids: Sequence[int], amount: str) -> None:
    """Ask Stripe; what it does not answer now the poller asks again."""
    actor = current_actor()
    states = []
    try:
        for refund_id in refund_ids:
            states.append(execute_refund(refund_id, actor=actor))
    except NOT_NOW:
        tell_away(amount)
        return
    if states:
        worst = RefundState.FAILED if RefundState.FAILED in states else states[0]
        tell(worst, amount)
