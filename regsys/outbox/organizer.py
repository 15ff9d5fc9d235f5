"""The organizers' view of the mail: what was sent, what failed, and sending it again. Secret links are masked."""

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.text import which_page
from regsys.outbox import queries, services
from regsys.outbox.compose import mask
from regsys.outbox.models import Message
from regsys.outbox.public import PREVIEW, framed
from regsys.outbox.states import MessageState
from regsys.web.guard import current_actor, requires
from regsys.web.urls import settings

bp = Blueprint("outbox_organizer", __name__)

WORDS = {
    MessageState.QUEUED: _l("Waiting"),
    MessageState.SENDING: _l("Being sent"),
    MessageState.SENT: _l("Sent"),
    MessageState.UNCERTAIN: _l("Uncertain"),
    MessageState.FAILED: _l("Failed"),
}


@bp.get("/organize/messages")
@requires("registrar")
def messages() -> ResponseReturnValue:
    """List letters by state, address and subject."""
    state, words = request.args.get("state", ""), request.args.get("q", "")
    scope = current_actor().scope("registrar")
    page = queries.list_messages(
        state=MessageState(state) if state in set(MessageState) else None,
        words=words.strip(),
        number=which_page(request.args.get("page", "")),
        event_ids=scope,
    )
    return render_template(
        "outbox/messages.html",
        page=page,
        state=state,
        words=words,
        state_words=WORDS,
        counts=queries.count_by_state(event_ids=scope),
        zone=settings().TIME_ZONE,
    )


@bp.get("/organize/messages/<int:message_id>")
@requires("registrar")
def message(message_id: int) -> ResponseReturnValue:
    """Show one letter with its state, and what can be done about it."""
    found = _mine(message_id)
    return render_template(
        "outbox/message.html",
        message=found,
        text=mask(found.text),
        state_words=WORDS,
        zone=settings().TIME_ZONE,
    )


@bp.get("/organize/messages/<int:message_id>/html")
@requires("registrar")
def message_html(message_id: int) -> ResponseReturnValue:
    """Show the HTML alone, for the frame."""
    return framed(mask(_mine(message_id).html), PREVIEW)


@bp.post("/organize/messages/<int:message_id>/retry")
@requires("registrar")
def retry(message_id: int) -> ResponseReturnValue:
    """Send an uncertain or failed letter once more."""
    _mine(message_id)
    actor = current_actor()
    with transaction():
        services.retry(message_id, actor=actor, now=clock.now())
    flash(_("The letter is on its way again."), "good")
    return redirect(url_for("outbox_organizer.message", message_id=message_id), 303)


@bp.post("/organize/messages/<int:message_id>/arrived")
@requires("registrar")
def arrived(message_id: int) -> ResponseReturnValue:
    """Write down that an uncertain letter has arrived."""
    _mine(message_id)
    actor = current_actor()
    with transaction():
        services.settle_as_sent(message_id, actor=actor, now=clock.now())
    flash(_("Written down as sent."), "good")
    return redirect(url_for("outbox_organizer.message", message_id=message_id), 303)


def _mine(message_id: int) -> Message:
    return queries.get_message(message_id, event_ids=current_actor().scope("registrar"))
