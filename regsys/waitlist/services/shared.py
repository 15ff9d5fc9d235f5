"""What the verbs share: an entry's lock, its moves with their audit, and the end of an offer."""

from collections.abc import Mapping
from datetime import datetime
from functools import partial
from typing import Any

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import NotFound
from regsys.kernel.states import move
from regsys.kernel.text import N_
from regsys.waitlist import queries
from regsys.waitlist.models import Entry, Offer
from regsys.waitlist.states import EntryState

# Writes into the audit what happened to an entry.
record = partial(audit.record_about, kind="waitlist_entry")


def lock_entry(entry_id: int, *, event_id: int | None = None) -> Entry:
    """Lock an entry, then read it with its event, types and offers; raise NotFound, also where it is another's."""
    if not lock_rows(Entry, [entry_id]):
        raise NotFound(N_("There is nobody like that on the list."))
    return queries.get_entry(entry_id, event_id=event_id)


def move_entry_to(
    entry: Entry,
    to: EntryState,
    *,
    actor: Actor,
    now: datetime,
    reason: str = "",
    facts: Mapping[str, Any] | None = None,
) -> None:
    """Move an entry and write it into the audit; raise IllegalMove."""
    before = entry.state
    move(entry, to, now=now)
    if to is EntryState.LEFT:
        entry.left_reason = reason[:500]
    record(
        f"waitlist.{to}",
        entry,
        actor=actor,
        now=now,
        reason=reason,
        before={"state": before},
        after={"state": to, **(facts or {})},
    )
    db.session.flush()


def end_offer(offer: Offer, *, now: datetime) -> None:
    """End an open offer and let its places go; one that has ended stays as it is."""
    if offer.ended_at is None:
        offer.ended_at = now
        capacity.let_go(queries.list_claim_ids(offer.id), now=now)
        db.session.flush()
