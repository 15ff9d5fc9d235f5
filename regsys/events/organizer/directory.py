"""The society's leaders and the houses where it meets."""

from flask import flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.events import queries, services
from regsys.events.forms import LeaderForm, VenueForm
from regsys.events.models import Leader, Venue
from regsys.events.organizer.desk import desk, whole_society_only
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires


@desk.get("/organize/leaders")
@requires("registrar")
def all_leaders() -> ResponseReturnValue:
    """List everybody who leads."""
    return render_template("events/organize_all_leaders.html", leaders=queries.list_leaders())


@desk.route("/organize/leaders/new", methods=["GET", "POST"])
@requires("registrar")
def new_leader() -> ResponseReturnValue:
    """Add a leader."""
    return _leader_form(LeaderForm(), None)


@desk.route("/organize/leaders/<int:leader_id>", methods=["GET", "POST"])
@requires("registrar")
def edit_leader(leader_id: int) -> ResponseReturnValue:
    """Change a leader."""
    leader = queries.get_leader(leader_id)
    return _leader_form(LeaderForm(obj=leader), leader)


def _leader_form(form: LeaderForm, leader: Leader | None) -> ResponseReturnValue:
    whole_society_only()
    template = "events/organize_leader.html"
    if not form.is_submitted():
        return render_template(template, form=form, leader=leader)
    if not form.validate():
        return render_template(template, form=form, leader=leader), 422
    leader_id = leader.id if leader else None
    try:
        with transaction():
            services.save_leader(leader_id, form.facts(), actor=current_actor(), now=clock.now())
    except Refused as e:
        problem = refusal_text(e)
        return render_template(template, form=form, leader=leader, problem=problem), 409
    flash(_("Saved."), "good")
    return redirect(url_for("events_organizer.all_leaders"), 303)


@desk.get("/organize/venues")
@requires("registrar")
def venues() -> ResponseReturnValue:
    """List the houses and halls."""
    return render_template("events/organize_venues.html", venues=queries.list_venues())


@desk.route("/organize/venues/new", methods=["GET", "POST"])
@requires("registrar")
def new_venue() -> ResponseReturnValue:
    """Add a house or hall."""
    return _venue_form(None)


@desk.route("/organize/venues/<int:venue_id>", methods=["GET", "POST"])
@requires("registrar")
def edit_venue(venue_id: int) -> ResponseReturnValue:
    """Change a house or hall."""
    return _venue_form(queries.get_venue(venue_id))


def _venue_form(venue: Venue | None) -> ResponseReturnValue:
    whole_society_only()
    form = VenueForm.of(venue)
    if not form.is_submitted():
        return render_template("events/organize_venue.html", form=form, venue=venue)
    if not form.validate():
        return render_template("events/organize_venue.html", form=form, venue=venue), 422
    venue_id = venue.id if venue else None
    with transaction():
        services.save_venue(venue_id, form.facts(), actor=current_actor(), now=clock.now())
    flash(_("Saved."), "good")
    return redirect(url_for("events_organizer.venues"), 303)
