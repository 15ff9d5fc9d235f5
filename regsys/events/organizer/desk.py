"""What every page about one event shares: show a form, run one verb, keep what was typed when it is refused."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from regsys.audit.queries import list_for
from regsys.events import queries
from regsys.events.models import Event
from regsys.kernel.db import transaction
from regsys.kernel.errors import Forbidden, IllegalMove, Refused
from regsys.web.errors import refusal_text
from regsys.web.fields import VersionedForm
from regsys.web.forms import BaseForm
from regsys.web.guard import current_actor

desk = Blueprint("events_organizer", "regsys.events.organizer")


def whole_society_only() -> None:
    """Refuse a registrar of some events only: leaders, venues and new events belong to all."""
    if current_actor().scope("registrar") is not None:
        raise Forbidden


@dataclass(frozen=True)
class LastChange:
    """Who changed an event last, when, and to what."""

    by: str
    at: datetime
    facts: Sequence[tuple[str, Any]]


def find_last_change(event_id: int, form: BaseForm) -> LastChange | None:
    """Find the last change, with what it changed in the words of the form."""
    entries = list_for("event", event_id)
    if not entries:
        return None
    entry = entries[-1]
    after = entry.after or {}
    facts = [(f.label.text, after[f.short_name]) for f in form if f.short_name in after]
    return LastChange(entry.actor_label, entry.at, facts)


def answer(
    template: str,
    event: Event,
    form: VersionedForm,
    act: Callable[[], Sequence[str]],
    *,
    done: str,
    **context: Any,
) -> ResponseReturnValue:
    """Show the form of an event, or run a verb with it and go on to the endpoint `done`.

    `act` returns sentences that are said afterwards.
    """

    def shown(**trouble: Any) -> str:
        return render_template(template, event=event, form=form, **context, **trouble)

    if not form.is_submitted():
        return shown()
    if not form.validate():
        return shown(), 422
    try:
        with transaction():
            remarks = act()
    except Refused as e:
        return shown(problem=refusal_text(e)), 409
    except IllegalMove:
        form.renew(queries.get_event(event.id).version)
        return shown(stale=find_last_change(event.id, form)), 409
    say(_("Saved."), remarks)
    return redirect(url_for(done, event_id=event.id), 303)


def say(sentence: str, remarks: Sequence[str]) -> None:
    """Say that it is done, and what else one should know."""
    flash(sentence, "good")
    for remark in remarks:
        flash(remark, "warn")
