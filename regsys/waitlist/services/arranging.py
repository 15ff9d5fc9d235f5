"""What organizers do with the list."""

from datetime import datetime

from regsys.kernel.actors import Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import IllegalMove
from regsys.waitlist import mail, queries
from regsys.waitlist.models import Entry
from regsys.waitlist.services.shared import end_offer, lock_entry, move_entry_to, record
from regsys.waitlist.states import EntryState as S


def move_entry(entry_id: int, to: int, *, event_id: int, actor: Actor, now: datetime) -> None:
    """Put a waiting party at another number in line (1 is the first); the others keep their order."""
    lock_rows(Entry, queries.list_live_ids(event_id))
    entry = queries.get_entry(entry_id, event_id=event_id)
    _check_waits(entry)
    line = [e for e in queries.list_line(event_id) if e.id != entry_id]
    before = entry.position
    line.insert(max(0, to - 1), entry)
    slots = sorted(e.position for e in line)
    for i, e in enumerate(line):
        # Positions may be equal where two joined at the same moment: from here on they differ.
        e.position = slots[i] if len(set(slots)) == len(slots) else i + 1
    after = {"position": entry.position}
    record("waitlist.moved", entry, actor=actor, now=now, before={"position": before}, after=after)
    db.session.flush()


def _check_waits(entry: Entry) -> None:
    """Raise IllegalMove for whoever is not in line any more."""
    if entry.state is not S.WAITING:
        raise IllegalMove("Entry", entry.state, S.WAITING)


def skip(entry_id: int, note: str, *, event_id: int, actor: Actor, now: datetime) -> None:
    """Pass a waiting party over until further notice; it keeps its position, and the note says why."""
    entry = lock_entry(entry_id, event_id=event_id)
    _check_waits(entry)
    entry.skipped_at, entry.note = now, note
    # What the note says stays out of the audit: it is about a person.
    record("waitlist.skipped", entry, actor=actor, now=now, after={"position": entry.position})
    db.session.flush()


def stop_skipping(entry_id: int, *, event_id: int, actor: Actor, now: datetime) -> None:
    """Let a party have its turn again; the note stays."""
    entry = lock_entry(entry_id, event_id=event_id)
    if entry.skipped_at:
        entry.skipped_at = None
        record(
            "waitlist.unskipped", entry, actor=actor, now=now, after={"position": entry.position}
        )
        db.session.flush()


def remove(entry_id: int, reason: str, *, event_id: int, actor: Actor, now: datetime) -> None:
    """Take a party off the list and tell it why; an offer that is open ends."""
    entry = lock_entry(entry_id, event_id=event_id)
    if entry.offer:
        end_offer(entry.offer, now=now)
    move_entry_to(entry, S.LEFT, actor=actor, now=now, reason=reason)
    mail.send_over(entry, reason, now=now)
