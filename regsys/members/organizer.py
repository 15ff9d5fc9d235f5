"""The registrar's doors: the list of members, a new one with a look before it counts, and the list as a file."""

from collections.abc import Iterator

from flask import (
    Blueprint,
    Response,
    flash,
    redirect,
    render_template,
    request,
    stream_with_context,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import ngettext

from regsys.kernel import clock
from regsys.kernel.csvout import BOM, csv_text, safe_cell
from regsys.kernel.db import transaction
from regsys.kernel.errors import Forbidden, Refused
from regsys.kernel.text import which_page
from regsys.members import queries, services
from regsys.members.badge import today
from regsys.members.forms import TakeOverForm, UploadForm
from regsys.members.models import Member
from regsys.members.queries import Filter
from regsys.members.reading import NotReadable, read_list
from regsys.web.errors import refusal_text
from regsys.web.guard import current_actor, requires
from regsys.web.html import Page

blueprint = Blueprint("members_organizer", __name__)
SHOWN = {"members": False, "ended": True, "all": None}


@blueprint.before_request
def whole_site_only() -> None:
    """Refuse a registrar of some events only: the members are the society's."""
    actor = current_actor()
    if actor.signed_in and actor.scope("registrar") is not None:
        raise Forbidden


def _asked() -> tuple[str, Filter]:
    show = request.args.get("show", "members")
    show = show if show in SHOWN else "members"
    return show, Filter(request.args.get("q", "").strip()[:100], SHOWN[show])


@blueprint.get("/organize/members")
@requires("registrar")
def listed() -> ResponseReturnValue:
    """List the members, narrowed as asked."""
    show, wanted = _asked()
    number, day = which_page(request.args.get("page", "")), today(clock.now())
    found, total = queries.list_members(wanted, today=day, page=number)
    valid, ended = queries.count_members(day)
    return render_template(
        "members/list.html",
        page=Page(found, number, queries.MOST, total),
        show=show,
        wanted=wanted,
        valid=valid,
        ended=ended,
        today=day,
    )


@blueprint.get("/organize/members.csv")
@requires("registrar")
def export_csv() -> ResponseReturnValue:
    """Send the list, narrowed as asked, in a form that can be uploaded again."""
    now, (_show, wanted) = clock.now(), _asked()
    day = today(now)
    _found, total = queries.list_members(wanted, today=day, size=1)
    with transaction():
        services.log_export(rows=total, actor=current_actor(), now=now)
    response = Response(
        stream_with_context(_lines(queries.stream_members(wanted, today=day))), mimetype="text/csv"
    )
    name = f"members-{day.isoformat()}"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}.csv"'
    response.headers["Cache-Control"] = "private, no-store"
    return response


def _lines(batches: Iterator[list[Member]]) -> Iterator[str]:
    head = [_("Number"), _("Name"), _("E-mail"), _("Valid until"), _("Ended")]
    yield BOM + csv_text([head])
    for batch in batches:
        yield csv_text(
            [
                *(safe_cell(text) for text in (m.number, m.name, m.email)),
                m.valid_until.isoformat(),
                m.ended_at.date().isoformat() if m.ended_at else "",
            ]
            for m in batch
        )


@blueprint.route("/organize/members/upload", methods=["GET", "POST"])
@requires("registrar")
def upload() -> ResponseReturnValue:
    """Take a file and show what it would change; nothing is changed yet."""
    form = UploadForm()
    if not form.validate_on_submit():
        status = 422 if form.errors else 200
        return render_template("members/upload.html", form=form), status
    file = form.file.data
    try:
        read = read_list(file.read())
    except NotReadable as e:
        form.file.errors = [_(str(e))]
        return render_template("members/upload.html", form=form), 422
    actor, whole = current_actor(), form.whole.data == "yes"
    with transaction():
        kept = services.keep_upload(
            file.filename or "", read, whole=whole, actor=actor, now=clock.now()
        )
        upload_id = kept.id
    return redirect(url_for(".preview", upload_id=upload_id), 303)


@blueprint.route("/organize/members/uploads/<int:upload_id>", methods=["GET", "POST"])
@requires("registrar")
def preview(upload_id: int) -> ResponseReturnValue:
    """Show what a list would change; change it when the button is pressed."""
    form = TakeOverForm()
    if not form.validate_on_submit():
        return _preview(upload_id)
    try:
        with transaction():
            done = services.take_over(
                upload_id, seen=form.seen.data or "", actor=current_actor(), now=clock.now()
            )
            changes = done.changes
    except Refused as e:
        return _preview(upload_id, refusal=refusal_text(e))
    flash(
        ngettext("%(num)d member is changed.", "%(num)d members are changed.", changes)
        if changes
        else _("The list said nothing new."),
        "good",
    )
    return redirect(url_for(".listed"), 303)


def _preview(upload_id: int, *, refusal: str | None = None) -> ResponseReturnValue:
    found = queries.get_preview(upload_id)
    form = TakeOverForm(formdata=None, data={"seen": found.seen})
    return render_template(
        "members/preview.html", found=found, d=found.difference, form=form, refusal=refusal
    ), 409 if refusal else 200
