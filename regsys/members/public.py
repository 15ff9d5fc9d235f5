"""The doors of members: say so, get a link by mail, press one button; every address is answered alike."""

from flask import Blueprint, flash, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.jobs import services as jobs
from regsys.kernel import clock, tokens
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from regsys.kernel.text import email_key
from regsys.members import badge, queries, services
from regsys.members.forms import AskForm, LinkForm
from regsys.members.rules import BADGE
from regsys.web.errors import refusal_text
from regsys.web.guard import public
from regsys.web.html import day
from regsys.web.security import count_and_limit, safe_next
from regsys.web.urls import settings

blueprint = Blueprint("members", __name__)

QUARTER_HOUR = 15 * 60
FOR_ADDRESS, FROM_ONE_PLACE = 4, 40


@blueprint.route("/members", methods=["GET", "POST"])
@public
def ask() -> ResponseReturnValue:
    """Ask for the address under which somebody is a member, and have a link mailed to it."""
    now = clock.now()
    form = AskForm(data={"next": request.args.get("next", "")})
    if not form.validate_on_submit():
        status = 422 if form.errors else 200
        page = render_template("members/ask.html", form=form, badge=badge.find_badge(now))
        return page, status
    address, number = form.email.data or "", form.number.data or ""
    target = safe_next(form.next.data, "")[:500] or None
    digest = tokens.hash_token(email_key(address))[:32]
    limits = (
        (f"member:{digest}", FOR_ADDRESS),
        (f"member:from:{request.remote_addr}", FROM_ONE_PLACE),
    )
    payload = {"email": address, "number": number, "target": target}
    with transaction():
        for key, most in limits:
            sentence = _("Please wait a quarter of an hour, then try again.")
            count_and_limit(key, limit=most, seconds=QUARTER_HOUR, now=now, sentence=sentence)
        key = f"member-link:{tokens.new_token()}"
        jobs.enqueue("members.mail_link", key, payload, due=now, now=now)
    return redirect(url_for(".sent"), 303)


@blueprint.get("/members/sent")
@public
def sent() -> ResponseReturnValue:
    """Say what to do next."""
    return render_template("members/sent.html", sandbox=settings().SANDBOX)


@blueprint.route("/members/link", methods=["GET", "POST"])
@public
def link() -> ResponseReturnValue:
    """Show one button, and mark this browser when it is pressed: mail scanners open links, and press nothing."""
    now = clock.now()
    form = LinkForm(data={"token": request.args.get("token", "")})
    token = form.token.data or ""
    if not form.is_submitted():
        found = queries.find_good_link(token, now=now)
        return (
            render_template("members/link.html", form=form, m=found.member) if found else _spent()
        )
    try:
        with transaction():
            mine, target = services.use_link(token, today=badge.today(now), now=now)
    except Refused as e:
        return _spent(refusal_text(e))
    badge.put_on(mine)
    flash(_("You are here as a member, until %(day)s.", day=day(mine.until)), "good")
    return redirect(safe_next(target, url_for("events.catalogue")), 303)


def _spent(sentence: str = "") -> ResponseReturnValue:
    form = AskForm(formdata=None)
    return render_template("members/spent.html", form=form, sentence=sentence), 409


@blueprint.post("/members/leave")
@public
def leave() -> ResponseReturnValue:
    """Take the mark off this browser: it may be a shared one."""
    session.pop(BADGE, None)
    flash(_("This browser is no member’s any more."), "good")
    return redirect(url_for(".ask"), 303)
