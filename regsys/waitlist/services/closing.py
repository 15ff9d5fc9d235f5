"""Lists that have come to their end, and places that were accepted and never finished."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.events.models import Event
from regsys.events.states import EventState
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, lock_rows
from regsys.waitlist import mail, queries
from regsys.waitlist.models import Entry, Offer
from regsys.waitlist.services.shared import end_offer, move_entry_to
from regsys.waitlist.states import EntryState as S


def close_list(event_id: int, *, now: datetime) -> int:
    """Take everybody off the list of an event that is called off or has begun, and tell them; return how many."""
    ids = queries.list_live_ids(event_id)
    lock_rows(Entry, ids)
    event = db.session.get_one(Event, event_id)
    off = event.state is EventState.CANCELLED
    reason = _("The event does not take place.") if off else _("No place came free in time.")
    for entry in queries.list_live(event_id):
        if entry.offer:
            end_offer(entry.offer, now=now)
        move_entry_to(entry, S.LEFT, actor=SYSTEM, now=now, reason=reason)
        mail.send_over(entry, reason, now=now)
    return len(ids)


def tell_unfinished(offer_id: int, *, now: datetime) -> None:
    """Tell a person whose accepted places were let go, since nobody finished the form."""
    offer = db.session.get_one(Offer, offer_id, populate_existing=True)
    if offer.told_at is None:
        offer.told_at = now
        db.session.flush()
        mail.send_unfinished(queries.get_entry(offer.entry_id), now=now)
