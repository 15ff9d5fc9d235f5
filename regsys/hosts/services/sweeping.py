"""What the sweep does: keep the seats of a host, remind its coordinator, tell whoever did not pay in time."""

from datetime import datetime

from regsys.hosts import mail, queries, rules
from regsys.hosts.services.shared import keep_places, lock_table, record
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db
from regsys.registration.models import Registration


def look_after(event_id: int, *, now: datetime) -> None:
    """Keep a place again for a seat whose person has left, and remind of seats without a name, once.

    Where no place is free for a seat, the next round looks again.
    """
    table = lock_table(event_id, now=now)
    host, wanted = table.host, rules.target(table.facts, now)
    if rules.is_reminder_due(
        table.facts, invited=host.invited_at is not None, reminded=bool(host.reminded_at), now=now
    ):
        host.reminded_at = now
        record("host.reminded", host, actor=SYSTEM, now=now, after={"open": wanted})
        mail.send_reminder(host, table.facts, now=now)
    if table.facts.kept != wanted:
        before = {"kept": table.facts.kept}
        after = {"kept": keep_places(host, wanted, now=now, at_most=True)}
        if after != before:
            record("host.seats_kept", host, actor=SYSTEM, now=now, before=before, after=after)


def tell_lapsed(registration_id: int, *, now: datetime) -> None:
    """Tell somebody, once, that the seat which they did not pay in time was let go."""
    r = db.session.get_one(Registration, registration_id)
    mail.send_lapsed(queries.get_host(r.event_id), r, now=now)
