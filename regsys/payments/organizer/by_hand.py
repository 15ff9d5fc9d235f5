"""Writing down what went back without Stripe: by cheque, bank transfer or in cash; and taking a mistake back."""

from collections.abc import Sequence
from datetime import datetime, time
from zoneinfo import ZoneInfo

from flask import flash, redirect, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.ledger.models import Method
from regsys.payments import queries, services
from regsys.payments.forms import GiveBackForm, OtherWayForm
from regsys.payments.organizer.desk import ROLES, payments_organizer, scope_now
from regsys.payments.organizer.giving import Errand, serve
from regsys.web.guard import current_actor, requires
from regsys.web.urls import settings

NOON = time(12)


@payments_organizer.route("/organize/payments/<int:payment_id>/by-hand", methods=["GET", "POST"])
@requires(*ROLES)
def by_hand(payment_id: int) -> ResponseReturnValue:
    """Write down that money of a payment went back in another way."""
    backing = queries.get_backing_by_hand(payment_id, scope_now())
    order_id, actor, zone = backing.order.id, current_actor(), ZoneInfo(settings().TIME_ZONE)
    first = backing.payments[0].received_at.astimezone(zone).date()
    today = clock.now().astimezone(zone).date()

    def form_of(amount: str) -> GiveBackForm:
        form = OtherWayForm(amount=amount, day=today)
        form.first, form.today = first, today
        return form

    def act(amount: int, form: GiveBackForm) -> Sequence[int]:
        assert isinstance(form, OtherWayForm)
        assert form.day.data
        services.give_by_hand(
            order_id, payment_id, amount=amount, method=Method(form.method.data),
            given_at=datetime.combine(form.day.data, NOON, zone), seen=form.read_seen(),
            reason=form.reason.data or "", actor=actor, now=clock.now(),
        )  # fmt: skip
        return []

    done = url_for("payments_organizer.money")
    return serve(Errand("by_hand", backing, act, done, form=form_of))


@payments_organizer.post("/organize/refunds/<int:refund_id>/take-back")
@requires(*ROLES)
def take_back(refund_id: int) -> ResponseReturnValue:
    """Take back what was written down by mistake about money that went by hand."""
    order_id, actor = queries.get_order_of_refund(refund_id, scope_now()), current_actor()
    with transaction():
        services.take_back(order_id, refund_id, actor=actor, now=clock.now())
    flash(_("It is taken back, and the amount is open again."), "good")
    return redirect(url_for("payments_organizer.money"), 303)
