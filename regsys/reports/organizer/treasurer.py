"""The treasurer's page: what needs a hand, all money, and the list of it as a file."""

from flask import flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.billing.queries import count_papers
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Forbidden
from regsys.payments import bookkeeping
from regsys.payments.books import SENTENCES
from regsys.payments.statement import show
from regsys.reports import downloads, moneyout, papersout, services
from regsys.reports.forms import read_month
from regsys.reports.organizer.desk import MONEY, bp
from regsys.reports.queries import treasury
from regsys.reports.words import month_words, pictures
from regsys.web.guard import current_actor, requires
from regsys.web.urls import settings


def forbid_part_of_money() -> None:
    """Refuse whoever handles the money of some events only."""
    if current_actor().scope(*MONEY) is not None:
        raise Forbidden


@bp.get("/organize/treasurer")
@requires(*MONEY)
def treasurer() -> ResponseReturnValue:
    """Show what needs the treasurer, then all money by event and month."""
    forbid_part_of_money()
    now, zone = clock.now(), settings().TIME_ZONE
    month = read_month(request.args.get("month", ""))
    found = treasury.find_treasury(zone=zone, month=month)
    return render_template(
        "reports/treasurer.html",
        now=now,
        zone=zone,
        month=month,
        months=[(m, month_words(m)) for m in found.months],
        found=found,
        action=treasury.find_action(now=now),
        pictures=pictures(found),
        sentences=SENTENCES,
        stripe_money=show,
    )


@bp.post("/organize/treasurer/reconcile")
@requires(*MONEY)
def reconcile() -> ResponseReturnValue:
    """Let the worker hold our rows against Stripe's books."""
    forbid_part_of_money()
    actor = current_actor()
    with transaction():
        bookkeeping.start_job(since=None, until=None, actor=actor, now=clock.now())
    flash(_("The books are being compared. Look again in a moment."), "good")
    return redirect(url_for("reports_organizer.treasurer"), 303)


@bp.get("/organize/treasurer/payments.csv")
@requires(*MONEY)
def money_csv() -> ResponseReturnValue:
    """Stream payments and refunds as CSV."""
    name = log_money("csv", "payments", treasury.count_money())
    bom = request.args.get("bom") == "1"
    return downloads.stream(moneyout.make_csv(settings().TIME_ZONE, _, bom=bom), name)


@bp.get("/organize/treasurer/payments.xlsx")
@requires(*MONEY)
def money_xlsx() -> ResponseReturnValue:
    """Send payments and refunds as a workbook."""
    name = log_money("xlsx", "payments", treasury.count_money())
    return downloads.send(moneyout.make_xlsx(settings().TIME_ZONE, _), name)


@bp.get("/organize/treasurer/papers.csv")
@requires(*MONEY)
def papers_csv() -> ResponseReturnValue:
    """Stream receipts, invoices and credit notes as CSV."""
    name = log_money("csv", "papers", count_papers())
    bom = request.args.get("bom") == "1"
    return downloads.stream(papersout.make_csv(settings().TIME_ZONE, _, bom=bom), name)


@bp.get("/organize/treasurer/papers.xlsx")
@requires(*MONEY)
def papers_xlsx() -> ResponseReturnValue:
    """Send receipts, invoices and credit notes as a workbook."""
    name = log_money("xlsx", "papers", count_papers())
    return downloads.send(papersout.make_xlsx(settings().TIME_ZONE, _), name)


def log_money(kind: str, what: str, rows: int) -> str:
    """Write down who takes the list out, and return a name for it."""
    forbid_part_of_money()
    actor, now = current_actor(), clock.now()
    with transaction():
        services.log_money_export(kind, what=what, rows=rows, actor=actor, now=now)
    return downloads.name_of(None, now=now).replace("registrations", what)
