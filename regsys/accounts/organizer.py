"""The owner's doors: who signs in, and what they may do."""

from collections.abc import Callable
from datetime import datetime

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.accounts import people, services
from regsys.accounts.forms import PersonForm, RoleForm, build_role
from regsys.accounts.kinds import Role
from regsys.accounts.people import Wish
from regsys.accounts.public import ROLES
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.kernel.text import which_page
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.html import Page

blueprint = Blueprint("accounts_organizer", __name__)
ONE = "/organize/people/<int:user_id>"


@blueprint.get("/organize/people")
@requires("owner")
def listed() -> ResponseReturnValue:
    """List those who sign in, with what they may do."""
    wanted = request.args.get("role", "")
    wish = Wish(
        request.args.get("q", "").strip()[:100],
        next((r for r in Role if r.value == wanted), None),
        which_page(request.args.get("page", "")),
    )
    found, total = people.list_people(wish)
    return render_template(
        "accounts/people.html",
        page=Page(found, wish.page, people.MOST, total),
        wish=wish,
        titles=people.event_titles(),
        role_names=ROLES,
    )


@blueprint.route("/organize/people/add", methods=["GET", "POST"])
@requires("owner")
def add() -> ResponseReturnValue:
    """Add somebody who signs in; their link goes off by mail."""
    form = PersonForm()
    build_role(form, people.event_titles())
    if not form.validate_on_submit():
        status = 422 if form.errors else 200
        return render_template("accounts/person_add.html", form=form), status
    email, now = form.email.data or "", clock.now()
    try:
        with transaction():
            user_id = services.add_user(
                email,
                first_name=form.first_name.data or "",
                last_name=form.last_name.data or "",
                grants=[form.grant],
                actor=current_actor(),
                now=now,
            )
            services.mail_link(email, target=None, now=now)
    except Refused as e:
        form.email.errors = [*form.email.errors, refusal_text(e)]
        return render_template("accounts/person_add.html", form=form), 409
    flash(_("They are added, and a letter with their link is on its way."), "good")
    return redirect(url_for(".one", user_id=user_id), 303)


@blueprint.get(ONE)
@requires("owner")
def one(user_id: int) -> ResponseReturnValue:
    """Show what one person may do."""
    return _one(user_id)


def _one(
    user_id: int, *, form: RoleForm | None = None, refusal: str | None = None
) -> ResponseReturnValue:
    user, titles = people.get_person(user_id), people.event_titles()
    if form is None:
        form = RoleForm(formdata=None)
        build_role(form, titles)
    status = 409 if refusal else 422 if form.errors else 200
    return render_template(
        "accounts/person.html",
        user=user,
        form=form,
        titles=titles,
        role_names=ROLES,
        refusal=refusal,
        me=current_actor().id,
    ), status


def _done(user_id: int, act: Callable[[datetime], str]) -> ResponseReturnValue:
    """Run a verb and go back to the person; where it is refused their page says why."""
    try:
        with transaction():
            said = act(clock.now())
    except Refused as e:
        return _one(user_id, refusal=refusal_text(e))
    flash(said, "good")
    return redirect(url_for(".one", user_id=user_id), 303)


@blueprint.post(f"{ONE}/roles")
@requires("owner")
def give(user_id: int) -> ResponseReturnValue:
    """Give a role."""
    form, email = RoleForm(), people.get_person(user_id).email
    build_role(form, people.event_titles())
    if not form.validate():
        return _one(user_id, form=form)
    role, event_id = form.grant

    def act(now: datetime) -> str:
        if people.give_role(user_id, role, event_id, actor=current_actor(), now=now):
            services.mail_link(email, target=None, now=now)
            return _("The role is theirs, and a letter with a link for a password is on its way.")
        return _("The role is theirs from now on.")

    return _done(user_id, act)


@blueprint.post(f"{ONE}/roles/<int:grant_id>/end")
@requires("owner")
def end(user_id: int, grant_id: int) -> ResponseReturnValue:
    """End a role."""

    def act(now: datetime) -> str:
        people.end_role(user_id, grant_id, actor=current_actor(), now=now)
        return _("The role has ended.")

    return _done(user_id, act)


@blueprint.post(f"{ONE}/active")
@requires("owner")
def active(user_id: int) -> ResponseReturnValue:
    """Let somebody sign in, or not any more."""
    wanted = request.form.get("active") == "1"

    def act(now: datetime) -> str:
        people.set_active(user_id, active=wanted, actor=current_actor(), now=now)
        if wanted:
            return _("They may sign in again.")
        return _("They are signed out everywhere, and may not sign in any more.")

    return _done(user_id, act)
