"""The society's own pages, as everybody sees them."""

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from flask import (
    Blueprint,
    Response,
    current_app,
    redirect,
    render_template,
    request,
    send_file,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from itsdangerous import BadSignature, Signer

from regsys.content import queries, rules, services
from regsys.content.forms import ContactForm, contact_form
from regsys.content.kinds import InquiryKind
from regsys.events import queries as events
from regsys.events.kinds import GROUP_KINDS
from regsys.events.models import Event
from regsys.events.queries import Listing
from regsys.events.rules import Standing
from regsys.events.visiting import opened_events
from regsys.kernel import clock, tokens
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, TooMany
from regsys.kernel.paths import root
from regsys.kernel.text import N_, which_page
from regsys.web.caching import revalidated
from regsys.web.guard import public
from regsys.web.html import Page as Sheet
from regsys.web.security import count_and_limit
from regsys.web.urls import absolute, settings

blueprint = Blueprint("content", __name__)

NEWS_PAGE = 10
_GONE = {Standing.CLOSED, Standing.CANCELLED, Standing.OVER}


@blueprint.get("/")
@public
@revalidated
def home() -> ResponseReturnValue:
    """Show who the circle is, what comes next, and the news."""
    now = clock.now()
    found = events.listings(events.list_public(now=now), now=now)
    page = queries.find_page(queries.HOME)
    lede, _blank, rest = (page.body if page else "").partition("\n\n")
    return render_template(
        "content/home.html",
        page=page,
        lede=lede,
        rest=rest,
        coming=[x for x in found if _is_next(x, now)][:3],
        groups=[x for x in found if x.event.kind in GROUP_KINDS and x.standing not in _GONE][:4],
        news=queries.list_news(_today(now), limit=3),
        media=queries.list_media(queries.HOME),
    )


def _is_next(x: Listing, now: datetime) -> bool:
    is_group = x.event.kind in GROUP_KINDS
    return not is_group and x.event.starts_at > now and x.standing is not Standing.CANCELLED


@blueprint.get("/pages/<slug>")
@public
@revalidated
def page(slug: str) -> ResponseReturnValue:
    """Show a page of the society; the one named `home` is the home page."""
    if slug == queries.HOME:
        return redirect(url_for("content.home"), 308)
    found = queries.find_page(slug)
    if found is None:
        raise NotFound(N_("There is no such page."))
    return render_template(
        "content/page.html",
        page=found,
        children=queries.list_children(found.id),
        media=queries.list_media(slug),
        books=queries.list_books() if slug == "books" else [],
    )


@blueprint.get("/news")
@public
@revalidated
def news() -> ResponseReturnValue:
    """Show the news, newest first."""
    today, number = _today(clock.now()), which_page(request.args.get("page", ""))
    offset = Sheet.offset_of(number, NEWS_PAGE)
    items = queries.list_news(today, limit=NEWS_PAGE, offset=offset)
    sheet = Sheet(items, number, NEWS_PAGE, queries.count_news(today))
    return render_template("content/news.html", sheet=sheet)


@blueprint.get("/news/<slug>")
@public
@revalidated
def news_item(slug: str) -> ResponseReturnValue:
    """Show one item of news."""
    item = queries.find_news(slug, _today(clock.now()))
    if item is None:
        raise NotFound(N_("There is no such item of news."))
    event = queries.find_public_event(item.event_id) if item.event_id else None
    return render_template("content/news_item.html", item=item, event=event)


def _today(now: datetime) -> date:
    return now.astimezone(ZoneInfo(settings().TIME_ZONE)).date()


# ---- writing to us


@blueprint.get("/contact")
@public
def contact() -> ResponseReturnValue:
    """Show the form for what the visitor wants to write about."""
    kind = _kind()
    form = contact_form(kind)
    form.started.data = _stamp(clock.now())
    return _contact_page(form, kind, _addressed_event(kind))


@blueprint.post("/contact")
@public
def send_contact() -> ResponseReturnValue:
    """Take what somebody wrote; whatever is wrong, their words come back to them."""
    now, kind = clock.now(), _kind()
    event = _addressed_event(kind)
    form = contact_form(kind)
    seconds = _seconds_open(form.started.data, now)
    if seconds is None:
        form.started.data = _stamp(now)
    if not form.validate():
        return _contact_page(form, kind, event), 422
    if refusal := rules.why_suspicious(trap=form.trap.data or "", seconds=seconds):
        form.form_errors.append(_(refusal.sentence))
        return _contact_page(form, kind, event), 422
    try:
        with transaction():
            _count(now)
            services.receive_inquiry(
                kind, _letter(form), event_id=event.id if event else None, now=now
            )
    except TooMany as e:
        form.form_errors.append(str(e))
        return _contact_page(form, kind, event), 429, {"Retry-After": str(e.retry_after)}
    return redirect(url_for("content.thanks", kind=kind.value), 303)


@blueprint.get("/contact/thanks")
@public
@revalidated
def thanks() -> ResponseReturnValue:
    """Say that the message has arrived and what comes next."""
    return render_template("content/thanks.html", kind=_kind())


def _contact_page(form: ContactForm, kind: InquiryKind, event: Event | None) -> str:
    return render_template(
        "content/contact.html",
        form=form,
        kind=kind,
        event=event,
        readers=[name for _id, name, _email in services.list_reachable(event)] if event else [],
        kinds=[
            (k.value, _(n)) for k, n in rules.KIND_NAMES.items() if k is not InquiryKind.TO_LEADER
        ],
    )


def _kind() -> InquiryKind:
    """Read the kind; a message to leaders needs the event whose leaders they are."""
    wanted = request.args.get("kind")
    kind = next((k for k in InquiryKind if k.value == wanted), InquiryKind.GENERAL)
    if kind is InquiryKind.TO_LEADER and not request.args.get("event"):
        return InquiryKind.GENERAL
    return kind


def _addressed_event(kind: InquiryKind) -> Event | None:
    if kind is not InquiryKind.TO_LEADER:
        return None
    opened = opened_events(clock.now())
    return events.get_visible_event(request.args.get("event", ""), opened=opened)


def _letter(form: ContactForm) -> services.Letter:
    names = ("organisation", "place", "people", "wished_dates")
    more = {n: form[n].data for n in names if n in form and form[n].data}
    return services.Letter(
        name=form.name.data or "",
        email=form.email.data or "",
        message=form.message.data or "",
        phone=form.phone.data or "",
        **more,
    )


def _count(now: datetime) -> None:
    # The address is not kept: only a hash that nobody can turn back without the secret key.
    who = tokens.hash_token(f"{settings().SECRET_KEY}:{request.remote_addr}")[:32]
    sentence = _(
        "Many messages came from where you are. Your text is below; please try in an hour."
    )
    count_and_limit(f"contact:{who}", limit=8, seconds=3600, now=now, sentence=sentence)


def _signer() -> Signer:
    return Signer(current_app.config["SECRET_KEY"], salt="contact-form")


def _stamp(now: datetime) -> str:
    return _signer().sign(str(int(now.timestamp()))).decode()


def _seconds_open(stamp: str | None, now: datetime) -> int | None:
    """Return for how many seconds the form has been open; None where its stamp is not ours."""
    try:
        return int(now.timestamp()) - int(_signer().unsign(stamp or ""))
    except (BadSignature, ValueError):
        return None


# ---- for machines


@blueprint.get("/logo")
@public
def logo() -> ResponseReturnValue:
    """Send the society's mark: its own file, or the ring."""
    own = settings().ORGANISATION_LOGO
    path = Path(own).resolve() if own else root() / "static" / "favicon.svg"
    response = send_file(path, conditional=True, max_age=3600)
    # An SVG can carry script: as a picture it never runs, and opened by itself it may not either.
    response.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'unsafe-inline'; sandbox"
    )
    return response


@blueprint.get("/robots.txt")
@public
def robots() -> ResponseReturnValue:
    """Tell search engines which pages are of no use to them."""
    lines = ["User-agent: *"]
    closed = (
        "/a/", "/account", "/b/", "/cart", "/h/", "/host", "/i/", "/lead", "/members", "/o/", "/organize",
        "/outbox", "/r/", "/signin", "/w/", "/webhooks/",
    )  # fmt: skip
    lines += [f"Disallow: {path}" for path in closed]
    lines += [f"Sitemap: {absolute('content.sitemap')}", ""]
    return Response("\n".join(lines), content_type="text/plain; charset=utf-8")


@blueprint.get("/sitemap.xml")
@public
@revalidated
def sitemap() -> ResponseReturnValue:
    """List the pages and events that everyone may find."""
    addresses = [
        *(absolute(e) for e in ("content.home", "events.catalogue", "events.groups")),
        *(absolute(e) for e in ("content.news", "content.contact")),
        *(
            absolute("content.page", slug=p.slug)
            for p in queries.list_pages()
            if p.published and p.slug != queries.HOME
        ),
        *(absolute("events.show", slug=e.slug) for e in events.list_public(now=clock.now())),
    ]
    text = render_template("content/sitemap.xml", addresses=addresses)
    return Response(text, content_type="application/xml; charset=utf-8")
