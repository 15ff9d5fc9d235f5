"""The leaders' area: the events they lead, and who comes."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.leaders import paper, queries, services
from regsys.leaders.rules import Turn, start_day
from regsys.web.guard import current_actor, requires
from regsys.web.paper import read_size, send_pdf

bp = Blueprint("leaders_leader", __name__)


@bp.get("/lead")
@requires("leader")
def home() -> ResponseReturnValue:
    """List the events that a leader leads, those to come first."""
    led = queries.list_led(current_actor().scope("leader") or ())
    return render_template("leaders/home.html", led=led, now=clock.now())


@bp.get("/lead/<int:event_id>")
@requires("leader", "registrar")
def roster(event_id: int) -> ResponseReturnValue:
    """Show who comes, and what changed since this person looked; looking is written down."""
    actor, now = current_actor(), clock.now()
    with transaction():
        opened = services.open_roster(event_id, actor=actor, now=now)
    news = {c.id: c.turn for c in opened.changes}
    return render_template(
        "leaders/roster.html", opened=opened, news=news, turns=Turn, me=actor.id, now=now
    )


@bp.get("/lead/<int:event_id>/roster.pdf")
@requires("leader", "registrar")
def roster_pdf(event_id: int) -> ResponseReturnValue:
    """Send the roster as a PDF; that is written down like every list that leaves."""
    actor, now = current_actor(), clock.now()
    with transaction():
        taken = services.take_out(event_id, actor=actor, now=now)
    name = f"roster-{taken.event.slug}-{start_day(now, taken.event.time_zone)}"
    data = paper.roster_data(taken, now=now)
    return send_pdf("leaders/roster.typ", data, size=read_size(request.args), name=name)


@bp.post("/lead/<int:event_id>/mail")
@requires("leader", "registrar")
def mail(event_id: int) -> ResponseReturnValue:
    """Mail the roster to oneself, or to all leaders of the event."""
    actor, to_all = current_actor(), request.form.get("to") == "all"
    with transaction():
        names = services.mail_on_demand(event_id, to_all=to_all, actor=actor, now=clock.now())
    flash(_("The roster is on its way to %(names)s.", names=", ".join(names)), "good")
    return redirect(url_for("leaders_leader.roster", event_id=event_id), 303)
