"""Organizers' pages that span rooms: what needs them today, events and their people, and who did what."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events.queries import get_event
from regsys.jobs.queries import list_dead
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Forbidden
from regsys.ledger.rules import PROBLEM_TITLES, PROBLEM_WORDS, REFUND_WORDS
from regsys.outbox.queries import list_messages
from regsys.payments import bookkeeping
from regsys.payments.books import SENTENCES, show
from regsys.payments.rules import ATTEMPT_WORDS
from regsys.registration.queries import get_registration
from regsys.reports import downloads, moneyout, queries, services
from regsys.reports.exports import AUDIENCES
from regsys.reports.forms import PAGE_SIZE, Asked, number, read_list, read_month
from regsys.reports.queries import Filter, Row, Scope, treasury
from regsys.reports.words import month_words, pictures
from regsys.web.guard import current_actor, requires
from regsys.web.html import Page
from regsys.web.urls import settings

bp = Blueprint("reports_organizer", __name__)

MONEY = ("registrar", "treasurer")


@bp.context_processor
def _words() -> dict[str, object]:
    return {
        "attempt_words": ATTEMPT_WORDS,
        "refund_words": REFUND_WORDS,
        "problem_titles": PROBLEM_TITLES,
        "problem_words": PROBLEM_WORDS,
    }


def _page_number(total: int, size: int) -> int:
    """Return which page is asked for; behind the last one is the last one."""
    asked = number(request.args.get("page", "")) or 1
    return min(asked, max(1, -(-total // size)))


def _forbid_part_of_site() -> None:
    """Refuse a registrar of some events only."""
    if current_actor().scope("registrar") is not None:
        raise Forbidden


# ---- today and all events


@bp.get("/organize")
@requires(*MONEY)
def home() -> ResponseReturnValue:
    """Show what needs a person first, then how the events go."""
    now, actor = clock.now(), current_actor()
    everything, mine = actor.scope(*MONEY), actor.scope("registrar")
    rows = queries.rows_of(queries.list_running(everything, now=now), now=now)
    today = queries.find_today(rows, registrar=mine, money=everything, now=now)
    return render_template(
        "reports/home.html", now=now, rows=rows, today=today, zone=settings().TIME_ZONE
    )


@bp.get("/organize/events")
@requires(*MONEY)
def events() -> ResponseReturnValue:
    """List the events to come, or those that are over."""
    now, scope = clock.now(), current_actor().scope(*MONEY)
    past, size = request.args.get("when") == "past", queries.PAGE_SIZE
    total = queries.count_events(scope, past=past, now=now)
    at = _page_number(total, size)
    found = queries.list_events(scope, past=past, now=now, offset=Page.offset_of(at, size))
    page = Page(queries.rows_of(found, now=now), at, size, total)
    return render_template("reports/events.html", now=now, page=page, past=past)


# ---- the people of an event, and of all


def _people(chosen: Filter) -> Page[Row]:
    total = queries.count_rows(chosen)
    at = _page_number(total, PAGE_SIZE)
    offset = Page.offset_of(at, PAGE_SIZE)
    rows = queries.list_rows(chosen, frozenset(), offset=offset, limit=PAGE_SIZE)
    return Page(rows, at, PAGE_SIZE, total)


@bp.get("/organize/events/<int:event_id>")
@requires("registrar")
def event(event_id: int) -> ResponseReturnValue:
    """Show the people of an event, narrowed, sorted, and one of them beside the list."""
    now, asked, found = clock.now(), read_list(request.args), get_event(event_id)
    (row,) = queries.rows_of([found], now=now)
    return render_template(
        "reports/event.html",
        now=now,
        asked=asked,
        row=row,
        event=found,
        page=_people(asked.filter([event_id])),
        types=queries.list_ticket_types([event_id]),
        glance=queries.find_glance(asked.look, event_id=event_id, audiences=AUDIENCES),
    )


@bp.get("/organize/registrations")
@requires("registrar")
def registrations() -> ResponseReturnValue:
    """List the people of all events, or of one of them."""
    asked, titles = read_list(request.args), queries.list_titles(current_actor().scope("registrar"))
    return render_template(
        "reports/registrations.html",
        asked=asked,
        titles=titles,
        page=_people(asked.filter(_chosen(asked, [event_id for event_id, _title in titles]))),
    )


def _chosen(asked: Asked, mine: list[int]) -> list[int]:
    return [i for i in mine if asked.event_id in (None, i)]


@bp.get("/organize/events/<int:event_id>/registrations/<int:registration_id>")
@requires("registrar")
def registration(event_id: int, registration_id: int) -> ResponseReturnValue:
    """Show one registration with everything that happened to it; opening private answers is written down."""
    now, private = clock.now(), request.args.get("private") == "1"
    if private:
        who = current_actor()
        with transaction():
            services.log_private_answers(registration_id, event_id=event_id, actor=who, now=now)
    found = get_registration(registration_id, event_id=event_id)
    return render_template(
        "reports/registration.html",
        now=now,
        r=found,
        event=found.event,
        row=queries.get_row(registration_id, event_id=event_id),
        sheet=queries.get_sheet(found, now=now),
        form=queries.get_form(found, AUDIENCES, sensitive=private),
        private=private,
    )


# ---- taking lists out


@bp.get("/organize/events/<int:event_id>/export.csv")
@requires("registrar")
def export_csv(event_id: int) -> ResponseReturnValue:
    """Stream the list of an event as CSV."""
    chosen = read_list(request.args).filter([event_id])
    name = downloads.name_of(get_event(event_id), now=clock.now())
    _log(chosen, "csv", event_id)
    return downloads.csv(chosen, name, bom=request.args.get("bom") == "1")


@bp.get("/organize/events/<int:event_id>/export.xlsx")
@requires("registrar")
def export_xlsx(event_id: int) -> ResponseReturnValue:
    """Send the list of an event as a workbook."""
    chosen = read_list(request.args).filter([event_id])
    name = downloads.name_of(get_event(event_id), now=clock.now())
    _log(chosen, "xlsx", event_id)
    return downloads.xlsx(chosen, name)


@bp.get("/organize/registrations/export.csv")
@requires("registrar")
def export_all_csv() -> ResponseReturnValue:
    """Stream the list across events as CSV."""
    chosen = _across()
    _log(chosen, "csv", None)
    name = downloads.name_of(None, now=clock.now())
    return downloads.csv(chosen, name, bom=request.args.get("bom") == "1")


@bp.get("/organize/registrations/export.xlsx")
@requires("registrar")
def export_all_xlsx() -> ResponseReturnValue:
    """Send the list across events as a workbook."""
    chosen = _across()
    _log(chosen, "xlsx", None)
    return downloads.xlsx(chosen, downloads.name_of(None, now=clock.now()))


def _across() -> Filter:
    asked, titles = read_list(request.args), queries.list_titles(current_actor().scope("registrar"))
    return asked.filter(_chosen(asked, [event_id for event_id, _title in titles]))


def _log(chosen: Filter, kind: str, event_id: int | None) -> None:
    actor = current_actor()
    with transaction():
        services.log_export(chosen, kind, event_id=event_id, actor=actor, now=clock.now())


# ---- the treasurer


def _forbid_part_of_money() -> None:
    """Refuse whoever handles the money of some events only."""
    if current_actor().scope(*MONEY) is not None:
        raise Forbidden


@bp.get("/organize/treasurer")
@requires(*MONEY)
def treasurer() -> ResponseReturnValue:
    """Show what needs the treasurer, then all money by event and month."""
    _forbid_part_of_money()
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
    _forbid_part_of_money()
    actor = current_actor()
    with transaction():
        bookkeeping.start_job(since=None, until=None, actor=actor, now=clock.now())
    flash(_("The books are being compared. Look again in a moment."), "good")
    return redirect(url_for("reports_organizer.treasurer"), 303)


@bp.get("/organize/treasurer/payments.csv")
@requires(*MONEY)
def money_csv() -> ResponseReturnValue:
    """Stream payments and refunds as CSV."""
    name = _log_money("csv")
    bom = request.args.get("bom") == "1"
    return downloads.stream(moneyout.make_csv(settings().TIME_ZONE, _, bom=bom), name)


@bp.get("/organize/treasurer/payments.xlsx")
@requires(*MONEY)
def money_xlsx() -> ResponseReturnValue:
    """Send payments and refunds as a workbook."""
    name = _log_money("xlsx")
    return downloads.send(moneyout.make_xlsx(settings().TIME_ZONE, _), name)


def _log_money(kind: str) -> str:
    """Write down who takes the list out, and return a name for it."""
    _forbid_part_of_money()
    actor, now, rows = current_actor(), clock.now(), treasury.count_money()
    with transaction():
        services.log_money_export(kind, rows=rows, actor=actor, now=now)
    return downloads.name_of(None, now=now).replace("registrations", "payments")


# ---- letters, deeds, and work that was given up


@bp.get("/organize/events/<int:event_id>/messages")
@requires("registrar")
def messages(event_id: int) -> ResponseReturnValue:
    """List the letters about an event."""
    found = get_event(event_id)
    words = read_list(request.args).words
    at = number(request.args.get("page", "")) or 1
    page = list_messages(state=None, words=words, number=min(at, 10_000), event_ids=[event_id])
    return render_template("reports/messages.html", event=found, page=page, words=words)


@bp.get("/organize/audit")
@requires("registrar")
def audit() -> ResponseReturnValue:
    """List who did what, the newest first."""
    scope: Scope = current_actor().scope("registrar")
    event_id, size = read_list(request.args).event_id, queries.AUDIT_PAGE
    total = queries.count_audit(scope, event_id)
    at = _page_number(total, size)
    deeds = queries.list_audit(scope, event_id, offset=Page.offset_of(at, size))
    return render_template(
        "reports/audit.html",
        page=Page(deeds, at, size, total),
        event_id=event_id,
        titles=queries.list_titles(scope),
        zone=settings().TIME_ZONE,
    )


@bp.get("/organize/jobs")
@requires("registrar")
def jobs() -> ResponseReturnValue:
    """List the work that was given up."""
    _forbid_part_of_site()
    return render_template("reports/jobs.html", jobs=list_dead(), zone=settings().TIME_ZONE)


@bp.post("/organize/jobs/<int:job_id>/revive")
@requires("registrar")
def revive(job_id: int) -> ResponseReturnValue:
    """Give one piece of work another round."""
    _forbid_part_of_site()
    actor = current_actor()
    with transaction():
        services.revive_job(job_id, actor=actor, now=clock.now())
    flash(_("It is tried again within a minute."), "good")
    return redirect(url_for("reports_organizer.jobs"), 303)
