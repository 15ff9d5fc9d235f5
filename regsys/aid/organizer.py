"""The committee, which decides without knowing who asks; and the treasurer, who sees funds and never a request."""

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.aid import queries, services
from regsys.aid.forms import AwardForm, FundForm, offer, read_amount, typed_of
from regsys.aid.models import Fund
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Forbidden, Refused
from regsys.kernel.money import plain
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.urls import settings

bp = Blueprint("aid_organizer", __name__)


# ---- the committee


@bp.get("/organize/help")
@requires("committee")
def requests() -> ResponseReturnValue:
    """List who waits for an answer, and what was decided; nobody's name."""
    scope = current_actor().scope("committee")
    return render_template(
        "aid/requests.html",
        waiting=queries.list_blind(scope, waiting=True),
        decided=queries.list_blind(scope, waiting=False, limit=30),
        now=clock.now(),
    )


@bp.get("/organize/help/<int:request_id>")
@requires("committee")
def one(request_id: int) -> ResponseReturnValue:
    """Show one request with what is left in its fund."""
    return _one(request_id)


def _one(
    request_id: int, form: AwardForm | None = None, *, refusal: str | None = None
) -> ResponseReturnValue:
    found = queries.get_request(request_id, scope=current_actor().scope("committee"))
    left = queries.lefts_of({found.fund_id: found.fund})[found.fund_id]
    shown = queries.blind(found, left, queries.stages_of([found]).get(found.registration_id))
    if form is None:
        wish = min(shown.asked_amount or shown.most, shown.most)
        typed = plain(wish, found.fund.currency) if wish else ""
        form = AwardForm(formdata=None, data={"amount": typed})
    body = render_template("aid/one.html", one=shown, form=form, refusal=refusal, now=clock.now())
    return body, 409 if refusal else 422 if form.errors else 200


@bp.post("/organize/help/<int:request_id>/award")
@requires("committee")
def award(request_id: int) -> ResponseReturnValue:
    """Give help: money and place together."""
    actor, form = current_actor(), AwardForm()
    scope = actor.scope("committee")
    found = queries.get_request(request_id, scope=scope)
    form.validate()
    amount = read_amount(form.amount, found.fund.currency)
    if amount is None:
        return _one(request_id, form)
    try:
        with transaction():
            services.award(request_id, amount, scope=scope, actor=actor, now=clock.now())
    except Refused as e:
        return _one(request_id, form, refusal=refusal_text(e))
    flash(_("The money and the place are reserved, and a letter is on its way."), "good")
    return redirect(url_for(".requests"), 303)


@bp.post("/organize/help/<int:request_id>/decline")
@requires("committee")
def decline(request_id: int) -> ResponseReturnValue:
    """Say no, kindly."""
    actor = current_actor()
    scope = actor.scope("committee")
    try:
        with transaction():
            services.decline(request_id, scope=scope, actor=actor, now=clock.now())
    except Refused as e:
        return _one(request_id, refusal=refusal_text(e))
    flash(_("A letter is on its way. The place can still be paid in full."), "good")
    return redirect(url_for(".requests"), 303)


# ---- the treasurer


@bp.get("/organize/help/funds")
@requires("treasurer")
def funds() -> ResponseReturnValue:
    """Show how each fund stands, without small cells."""
    _whole_site()
    return render_template("aid/funds.html", reports=queries.list_reports())


@bp.route("/organize/help/funds/new", methods=["GET", "POST"])
@requires("treasurer")
def new_fund() -> ResponseReturnValue:
    """Set money aside."""
    _whole_site()
    form, currency = FundForm(), settings().CURRENCY
    offer(form, queries.list_events((), now=clock.now()))
    if form.is_submitted() and (plan := form.read(currency)):
        with transaction():
            services.make_fund(plan, actor=current_actor(), now=clock.now())
        flash(_("The fund is there."), "good")
        return redirect(url_for(".funds"), 303)
    return _show_fund(form, None, currency)


@bp.route("/organize/help/funds/<int:fund_id>", methods=["GET", "POST"])
@requires("treasurer")
def edit_fund(fund_id: int) -> ResponseReturnValue:
    """Change a fund."""
    _whole_site()
    fund = queries.get_fund(fund_id)
    form, currency = FundForm(data=typed_of(fund)), fund.currency
    offer(form, queries.list_events([e.id for e in fund.events], now=clock.now()))
    if form.is_submitted() and (plan := form.read(currency)):
        try:
            with transaction():
                services.change_fund(fund_id, plan, actor=current_actor(), now=clock.now())
            flash(_("Saved."), "good")
            return redirect(url_for(".funds"), 303)
        except Refused as e:
            form.budget.errors = [refusal_text(e)]
    return _show_fund(form, queries.get_fund(fund_id), currency)


def _show_fund(form: FundForm, fund: Fund | None, currency: str) -> ResponseReturnValue:
    body = render_template("aid/fund.html", form=form, fund=fund, currency=currency)
    return body, 422 if form.errors else 200


def _whole_site() -> None:
    if current_actor().scope("treasurer") is not None:
        raise Forbidden
