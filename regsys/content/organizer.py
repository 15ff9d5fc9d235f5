"""Where organizers write pages and news, and answer what people ask."""

from datetime import date, datetime
from zoneinfo import ZoneInfo

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.content import queries, rules, services
from regsys.content.forms import InquiryForm, NewsForm, PageForm
from regsys.content.models import NewsItem, Page
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import Forbidden, Refused
from regsys.kernel.text import which_page
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.html import Page as Sheet
from regsys.web.undo import flash_undo
from regsys.web.urls import settings

blueprint = Blueprint("content_organizer", __name__)

SHEET = 30


@blueprint.before_request
def whole_site_only() -> None:
    """Refuse a registrar of some events only: pages and inquiries belong to the society as a whole."""
    actor = current_actor()
    if actor.signed_in and actor.scope("registrar") is not None:
        raise Forbidden


def _previews() -> bool:
    return request.form.get("action") == "preview"


# ---- pages


@blueprint.get("/organize/pages")
@requires("registrar")
def pages() -> ResponseReturnValue:
    """List all pages."""
    found = queries.list_pages()
    titles = {p.id: p.title for p in found}
    return render_template("content/organize_pages.html", pages=found, titles=titles)


@blueprint.route("/organize/pages/new", methods=["GET", "POST"])
@requires("registrar")
def new_page() -> ResponseReturnValue:
    """Write a new page."""
    form = PageForm(published=False, parent_id=0)
    return _page_form(form, None)


@blueprint.route("/organize/pages/<int:page_id>", methods=["GET", "POST"])
@requires("registrar")
def edit_page(page_id: int) -> ResponseReturnValue:
    """Change a page."""
    page = queries.get_page(page_id)
    form = PageForm(
        title=page.title,
        slug=page.slug,
        summary=page.summary,
        body=page.body,
        parent_id=page.parent_id or 0,
        in_menu=page.menu is not None,
        published=page.published,
        seen=page.changed_at.isoformat(),
    )
    return _page_form(form, page)


def _page_form(form: PageForm, page: Page | None) -> ResponseReturnValue:
    own_id = page.id if page else None
    others = [(p.id, p.title) for p in queries.list_pages() if p.id != own_id]
    form.parent_id.choices = [(0, _("Nothing, it stands alone")), *others]
    sent = request.method == "POST"
    if sent and form.validate() and not _previews():
        try:
            with transaction():
                _save_page(form, own_id)
            flash(_("The page is saved."), "good")
            return redirect(url_for("content_organizer.pages"), 303)
        except Refused as e:
            form.form_errors.append(refusal_text(e))
    body = render_template(
        "content/organize_page.html", form=form, page=page, preview=sent and _previews()
    )
    return body, 422 if form.errors else 200


def _save_page(form: PageForm, page_id: int | None) -> None:
    actor, now = current_actor(), clock.now()
    text = services.PageText(
        title=form.title.data or "",
        slug=form.slug.data or "",
        summary=form.summary.data or "",
        body=form.body.data or "",
        parent_id=form.parent_id.data or None,
        in_menu=form.in_menu.data,
        published=form.published.data,
    )
    if page_id is None:
        services.create_page(text, actor=actor, now=now)
    else:
        services.change_page(page_id, text, seen=_seen(form.seen.data), actor=actor, now=now)


def _seen(text: str | None) -> datetime | None:
    try:
        return datetime.fromisoformat(text or "")
    except ValueError:
        return None


@blueprint.post("/organize/pages/<int:page_id>/show")
@requires("registrar")
def show_page(page_id: int) -> ResponseReturnValue:
    """Show a page to everyone, or take it away."""
    published = request.form.get("published") == "1"
    with transaction():
        services.show_page(page_id, published=published, actor=current_actor(), now=clock.now())
    sentence = _("The page is shown.") if published else _("The page is no longer shown.")
    flash_undo(sentence, request.path, published=int(not published))
    return redirect(url_for("content_organizer.pages"), 303)


@blueprint.post("/organize/pages/<int:page_id>/move")
@requires("registrar")
def move_page(page_id: int) -> ResponseReturnValue:
    """Move a page one step up or down in the menu."""
    up = request.form.get("to") == "up"
    with transaction():
        moved = services.move_page(page_id, up=up, actor=current_actor(), now=clock.now())
    if moved:
        flash_undo(_("The page is moved."), request.path, to="down" if up else "up")
    return redirect(url_for("content_organizer.pages"), 303)


# ---- news


@blueprint.get("/organize/news")
@requires("registrar")
def news() -> ResponseReturnValue:
    """List all news."""
    number = which_page(request.args.get("page", ""))
    items = queries.list_all_news(limit=SHEET, offset=Sheet.offset_of(number, SHEET))
    sheet = Sheet(items, number, SHEET, queries.count_all_news())
    return render_template("content/organize_news.html", sheet=sheet, today=_today())


@blueprint.route("/organize/news/new", methods=["GET", "POST"])
@requires("registrar")
def new_news() -> ResponseReturnValue:
    """Write an item of news."""
    form = NewsForm(published_on=_today(), published=True, event_id=0)
    return _news_form(form, None)


@blueprint.route("/organize/news/<int:item_id>", methods=["GET", "POST"])
@requires("registrar")
def edit_news(item_id: int) -> ResponseReturnValue:
    """Change an item of news."""
    item = queries.get_news(item_id)
    form = NewsForm(
        title=item.title,
        slug=item.slug,
        published_on=item.published_on,
        body=item.body,
        event_id=item.event_id or 0,
        published=item.published,
    )
    return _news_form(form, item)


def _news_form(form: NewsForm, item: NewsItem | None) -> ResponseReturnValue:
    form.event_id.choices = [(0, _("No event")), *queries.list_event_titles()]
    sent = request.method == "POST"
    if sent and form.validate() and not _previews():
        try:
            with transaction():
                _save_news(form, item.id if item else None)
            flash(_("The news is saved."), "good")
            return redirect(url_for("content_organizer.news"), 303)
        except Refused as e:
            form.form_errors.append(refusal_text(e))
    body = render_template(
        "content/organize_news_item.html", form=form, item=item, preview=sent and _previews()
    )
    return body, 422 if form.errors else 200


def _save_news(form: NewsForm, item_id: int | None) -> None:
    text = services.NewsText(
        title=form.title.data or "",
        slug=form.slug.data or "",
        body=form.body.data or "",
        published_on=form.published_on.data or _today(),
        event_id=form.event_id.data or None,
        published=form.published.data,
    )
    services.save_news(item_id, text, actor=current_actor(), now=clock.now())


@blueprint.post("/organize/news/<int:item_id>/show")
@requires("registrar")
def show_news(item_id: int) -> ResponseReturnValue:
    """Show an item of news, or take it away."""
    published = request.form.get("published") == "1"
    with transaction():
        services.show_news(item_id, published=published, actor=current_actor(), now=clock.now())
    sentence = _("The news is shown.") if published else _("The news is no longer shown.")
    flash_undo(sentence, request.path, published=int(not published))
    return redirect(url_for("content_organizer.news"), 303)


def _today() -> date:
    return clock.now().astimezone(ZoneInfo(settings().TIME_ZONE)).date()


# ---- inquiries


@blueprint.get("/organize/inquiries")
@requires("registrar")
def inquiries() -> ResponseReturnValue:
    """List what people wrote, the unanswered first."""
    number = which_page(request.args.get("page", ""))
    found = queries.list_inquiries(limit=SHEET, offset=Sheet.offset_of(number, SHEET))
    sheet = Sheet(found, number, SHEET, queries.count_inquiries())
    return render_template(
        "content/organize_inquiries.html",
        sheet=sheet,
        names=rules.KIND_NAMES,
        waiting=queries.count_inquiries(open_only=True),
        zone=settings().TIME_ZONE,
    )


@blueprint.route("/organize/inquiries/<int:inquiry_id>", methods=["GET", "POST"])
@requires("registrar")
def inquiry(inquiry_id: int) -> ResponseReturnValue:
    """Show one inquiry; keep a note, and whether it is answered."""
    found = queries.get_inquiry(inquiry_id)
    form = InquiryForm(note=found.note)
    if request.method == "POST" and form.validate():
        answered = request.form.get("answered") == "1"
        with transaction():
            services.note_inquiry(
                inquiry_id,
                note=form.note.data or "",
                answered=answered,
                actor=current_actor(),
                now=clock.now(),
            )
        flash(_("Answered, and noted.") if answered else _("The note is kept."), "good")
        return redirect(url_for("content_organizer.inquiries"), 303)
    return render_template(
        "content/organize_inquiry.html",
        form=form,
        inquiry=found,
        kind=rules.KIND_NAMES[found.kind],
        event=queries.find_event_title(found.event_id) if found.event_id else None,
        zone=settings().TIME_ZONE,
    ), 422 if form.errors else 200
