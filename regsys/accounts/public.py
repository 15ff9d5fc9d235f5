"""Doors to sign in: a password for organizers, a mailed link for everybody else.

No answer tells whether an address is known: the letter is a job, and a password that cannot be right is compared with
a hash all the same.
"""

from typing import Any

from flask import Blueprint, flash, g, redirect, render_template, request, session, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from regsys.accounts import queries, rules, services
from regsys.accounts.forms import AskLinkForm, LinkForm, NewPasswordForm, PasswordForm
from regsys.accounts.kinds import Purpose
from regsys.accounts.setup import TOKEN, home_of
from regsys.jobs import services as jobs
from regsys.kernel import clock, tokens
from regsys.kernel.db import transaction
from regsys.kernel.errors import Busy, Refused
from regsys.kernel.text import email_key
from regsys.web.guard import current_actor, public, requires
from regsys.web.security import count_and_limit, safe_next
from regsys.web.urls import settings

bp = Blueprint("accounts", __name__)

QUARTER_HOUR = 15 * 60
TRIES_FOR_ADDRESS = 10
FROM_ONE_PLACE = 40
LINKS_FOR_ADDRESS = 4
ROLES = {
    "owner": _l("owner"),
    "registrar": _l("registrar"),
    "treasurer": _l("treasurer"),
    "reviewer": _l("reviewer"),
    "steward": _l("steward"),
    "committee": _l("committee for help with the fee"),
    "check_in": _l("at the door"),
    "host_coordinator": _l("host coordinator"),
    "leader": _l("leader"),
}


@bp.route("/signin", methods=["GET", "POST"])
@public
def sign_in() -> ResponseReturnValue:
    """Show both ways to sign in, and take a password."""
    form = PasswordForm(data={"next": request.args.get("next", "")})
    if not form.is_submitted():
        return redirect(_next_page(), 303) if current_actor().signed_in else _sign_in_page(form)
    if not form.validate():
        return _sign_in_page(form), 422
    address, password = form.email.data or "", form.password.data or ""
    _count_try("password", address, TRIES_FOR_ADDRESS)
    user = queries.find_active_user(address)
    stored = user.password_hash if user else None
    if not services.is_password(password, stored):
        form.password.errors = [_("This address and this password do not belong together.")]
        return _sign_in_page(form), 422
    assert user is not None
    assert stored is not None
    newer = services.newer_hash(password, stored)
    return _signed_in(user.id, form.next.data, newer=newer)


@bp.post("/signin/mail")
@public
def mail_link() -> ResponseReturnValue:
    """Have a link mailed; what is answered is the same for every address."""
    form = AskLinkForm()
    if not form.validate_on_submit():
        return _sign_in_page(PasswordForm(formdata=None), form), 422
    address = form.email.data or ""
    _count_try("link", address, LINKS_FOR_ADDRESS)
    payload = {"email": address, "target": safe_next(form.next.data, "") or None}
    now = clock.now()
    with transaction():
        key = f"link:{tokens.new_token()}"
        jobs.enqueue("accounts.mail_link", key, payload, due=now, now=now)
    return redirect(url_for("accounts.sent"), 303)


@bp.get("/signin/sent")
@public
def sent() -> ResponseReturnValue:
    """Say what to do next."""
    return render_template("accounts/sent.html", sandbox=settings().SANDBOX)


@bp.route("/signin/link", methods=["GET", "POST"])
@public
def link() -> ResponseReturnValue:
    """Show one button, and sign in when it is pressed: mail scanners open links, and press nothing."""
    form = LinkForm(data={"token": request.args.get("token", "")})
    now = clock.now()
    if not form.is_submitted():
        good = queries.is_link_good(form.token.data or "", Purpose.SIGN_IN, now=now)
        return _link_page(form) if good else _spent_page()
    try:
        with transaction():
            user_id, target = services.use_link(form.token.data or "", Purpose.SIGN_IN, now=now)
    except Refused:
        return _spent_page()
    return _signed_in(user_id, target, how="link")


@bp.get("/signin/password/forgot")
@public
def forgot() -> ResponseReturnValue:
    """Ask for a link with which an organizer sets a new password."""
    return render_template("accounts/forgot.html", form=AskLinkForm())


@bp.route("/signin/password/new", methods=["GET", "POST"])
@public
def new_password() -> ResponseReturnValue:
    """Set a new password by a mailed link; it signs out everywhere, and in here."""
    form = NewPasswordForm(data={"token": request.args.get("token", "")})
    now = clock.now()
    owner = queries.find_link_owner(form.token.data or "", Purpose.SET_PASSWORD, now=now)
    if owner is None:
        return _spent_page()
    if not form.validate_on_submit() or not _is_good(form, owner):
        page = render_template("accounts/password.html", form=form, owner=owner)
        return (page, 422) if form.is_submitted() else page
    password_hash = services.hash_password(form.password.data or "")
    with transaction():
        user_id, _target = services.use_link(form.token.data or "", Purpose.SET_PASSWORD, now=now)
        services.set_password(user_id, password_hash, actor=current_actor(), now=now)
    flash(_("Your new password is set."), "good")
    return _signed_in(user_id, None, how="new password")


@bp.post("/signout")
@public
def sign_out() -> ResponseReturnValue:
    """Sign this browser out."""
    token = session.get(TOKEN)
    if token:
        with transaction():
            services.end_session(token)
    _fresh_session()
    flash(_("You are signed out."), "good")
    return redirect(url_for("accounts.sign_in"), 303)


@bp.get("/account")
@requires(*ROLES)
def account() -> ResponseReturnValue:
    """Show who one is here, and where one is signed in."""
    actor = current_actor()
    assert actor.id is not None
    return render_template(
        "accounts/account.html",
        role_words=[ROLES[name] for name in sorted({name for name, _event in actor.roles})],
        sessions=queries.list_sessions(actor.id, now=clock.now()),
        this_session=g.sign_in_session.id,
        by_password=rules.is_organizer(queries.list_roles(actor.id)),
        zone=settings().TIME_ZONE,
    )


@bp.post("/account/sign-out-everywhere")
@requires(*ROLES)
def sign_out_everywhere() -> ResponseReturnValue:
    """Sign this person out in every browser."""
    actor = current_actor()
    assert actor.id is not None
    with transaction():
        services.end_all_sessions(actor.id)
    _fresh_session()
    flash(_("You are signed out everywhere."), "good")
    return redirect(url_for("accounts.sign_in"), 303)


@bp.before_app_request
def _touch() -> None:
    """Write down, at most once an hour, that the session is in use."""
    if TOKEN not in session or request.endpoint == "static" or not current_actor().signed_in:
        return
    now = clock.now()
    found = g.sign_in_session
    if rules.needs_touch(found.seen_at, now=now):
        try:
            with transaction():
                services.touch_session(found.id, now=now)
        except Busy:
            return  # the next request tries again


# ---- parts


def _count_try(what: str, address: str, limit: int) -> None:
    """Count a try by address and by place; known and unknown addresses are counted alike."""
    now = clock.now()
    sentence = _("Please wait a quarter of an hour, then try again.")
    digest = tokens.hash_token(email_key(address))[:32]
    limits = ((f"{what}:{digest}", limit), (f"{what}:from:{request.remote_addr}", FROM_ONE_PLACE))
    with transaction():
        for key, most in limits:
            count_and_limit(key, limit=most, seconds=QUARTER_HOUR, now=now, sentence=sentence)


def _fresh_session() -> None:
    """Begin a new cookie: only the cart goes along."""
    cart = session.get("cart")
    session.clear()
    if cart:
        session["cart"] = cart


def _signed_in(
    user_id: int, target: str | None, *, how: str = "password", newer: str | None = None
) -> ResponseReturnValue:
    """Start the session under a new token, and go on."""
    now = clock.now()
    with transaction():
        if newer:
            services.replace_hash(user_id, newer)
        token = services.start_session(user_id, how=how, old_token=session.get(TOKEN), now=now)
    flashes = session.get("_flashes")
    _fresh_session()
    if flashes:
        session["_flashes"] = flashes
    session[TOKEN] = token
    session.permanent = True
    actor = queries.actor_of(queries.get_user(user_id))
    return redirect(safe_next(target, home_of(actor)), 303)


def _next_page() -> str:
    return safe_next(request.args.get("next"), home_of(current_actor()))


def _is_good(form: NewPasswordForm, owner: queries.LinkOwner) -> bool:
    problem = rules.password_problem(form.password.data or "", email=owner.email, name=owner.name)
    if problem:
        form.password.errors = [_(problem)]
    return problem is None


def _sign_in_page(form: PasswordForm, ask: AskLinkForm | None = None) -> str:
    demo = queries.list_demo_sign_ins(settings().DATA_DIR) if settings().SANDBOX else []
    ask = ask or AskLinkForm(formdata=None, data={"next": form.next.data})
    return render_template("accounts/sign_in.html", form=form, ask=ask, demo=demo)


def _link_page(form: LinkForm) -> str:
    return render_template("accounts/link.html", form=form)


def _spent_page() -> tuple[str, int]:
    sentence: Any = rules.LINK_SPENT.sentence
    page = render_template("accounts/spent.html", form=AskLinkForm(formdata=None), text=_(sentence))
    return page, 409
