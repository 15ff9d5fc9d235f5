"""The credits that people have, for the treasurer: what is outstanding, and ending one with a reason."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.kernel.text import which_page
from regsys.registration import services as registration
from regsys.reports import creditsout, downloads
from regsys.reports.forms import EndCreditForm
from regsys.reports.organizer.desk import MONEY, bp
from regsys.reports.organizer.treasurer import forbid_part_of_money, log_money
from regsys.reports.queries import credits as found
from regsys.reports.words import CREDITS
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.undo import flash_undo
from regsys.web.urls import settings


@bp.get("/organize/treasurer/credits")
@requires(*MONEY)
def credits() -> ResponseReturnValue:
    """List the credits that count, or all that were ever given, with their sums."""
    forbid_part_of_money()
    now, every = clock.now(), request.args.get("show") == "all"
    words = request.args.get("q", "").strip()
    number = which_page(request.args.get("page", ""))
    return render_template(
        "reports/credits.html",
        now=now,
        zone=settings().TIME_ZONE,
        every=every,
        words=words,
        page=found.list_credits(every=every, words=words, number=number, now=now),
        sums=found.sum_credits(now=now),
        credit_words=CREDITS,
    )


@bp.route("/organize/treasurer/credits/<int:code_id>/end", methods=["GET", "POST"])
@requires(*MONEY)
def end_credit(code_id: int) -> ResponseReturnValue:
    """Say why a credit does not count any more, and end it."""
    forbid_part_of_money()
    r, form, back = registration.get_credit(code_id), EndCreditForm(), url_for(".credits")
    if not form.validate_on_submit():
        body = render_template("reports/end_credit.html", r=r, code=r.credit, form=form, back=back)
        return body, 422 if form.is_submitted() else 200
    reason, actor = form.reason.data or "", current_actor()
    with transaction():
        registration.end_credit(code_id, reason=reason, actor=actor, now=clock.now())
    again = url_for(".reopen_credit", code_id=code_id)
    flash_undo(_("The credit is ended, and the person is told by mail."), again)
    return redirect(back, 303)


@bp.post("/organize/treasurer/credits/<int:code_id>/again")
@requires(*MONEY)
def reopen_credit(code_id: int) -> ResponseReturnValue:
    """Let a credit that was ended count again."""
    forbid_part_of_money()
    actor = current_actor()
    try:
        with transaction():
            registration.reopen_credit(code_id, actor=actor, now=clock.now())
        flash(_("The credit counts again, and the person is told by mail."), "good")
    except Refused as e:
        flash(refusal_text(e), "warn")
    return redirect(url_for(".credits", show="all"), 303)


@bp.get("/organize/treasurer/credits.csv")
@requires(*MONEY)
def credits_csv() -> ResponseReturnValue:
    """Stream all credits as CSV."""
    name, now = log_money("csv", "credits", found.count_credits()), clock.now()
    bom = request.args.get("bom") == "1"
    return downloads.stream(creditsout.make_csv(settings().TIME_ZONE, _, bom=bom, now=now), name)


@bp.get("/organize/treasurer/credits.xlsx")
@requires(*MONEY)
def credits_xlsx() -> ResponseReturnValue:
    """Send all credits as a workbook."""
    name, now = log_money("xlsx", "credits", found.count_credits()), clock.now()
    return downloads.send(creditsout.make_xlsx(settings().TIME_ZONE, _, now=now), name)
