"""Offering free places to those whose turn it is, and ending what nobody answered."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from flask_babel import gettext as _
from sqlalchemy import insert

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.capacity.queries import list_pools
from regsys.events import queries as events
from regsys.kernel import tokens
from regsys.kernel.actors import SYSTEM, Actor
from regsys.kernel.db import db, lock_rows
from regsys.kernel.errors import Refused
from regsys.waitlist import mail, queries, rules
from regsys.waitlist.models import Entry, Offer, waitlist_place
from regsys.waitlist.rules import Facts, Turn, Waiting
from regsys.waitlist.services.shared import end_offer, lock_entry, move_entry_to
from regsys.waitlist.states import EntryState as S


def offer_next(event_id: int, *, now: datetime) -> list[int]:
    """Offer the free places of an event to those whose turn it is; return the entries that were made an offer.

    Locks the entries, then the pools. What was decided, and from which facts, stands in the audit.
    """
    lock_rows(Entry, queries.list_live_ids(event_id))
    line = queries.list_line(event_id)
    if not line:
        return []
    _leave_out_registered(line, now=now)
    event = events.get_event(event_id)
    capacity.lock_pools([p.id for p in list_pools([event_id])])
    facts, waiting = queries.get_facts(event, now=now), queries.waiting_of(line)
    turns = rules.take_turns(facts, waiting, now)
    by_id = {e.id: e for e in line}
    made = [t.id for t in turns if t.type_id is not None]
    if made:
        _record_round(event_id, facts, waiting, turns, now=now)
    for turn in turns:
        if turn.type_id is not None:
            _offer(by_id[turn.id], turn.type_id, facts, actor=SYSTEM, now=now)
    return made


def _leave_out_registered(line: list[Entry], *, now: datetime) -> None:
    """Take those off the list who have a confirmed place by now."""
    for entry in queries.list_confirmed(line):
        line.remove(entry)
        reason = _("There is a place with this address by now.")
        move_entry_to(entry, S.LEFT, actor=SYSTEM, now=now, reason=reason)


def offer_by_hand(entry_id: int, *, event_id: int, actor: Actor, now: datetime) -> None:
    """Offer places to somebody out of turn; raise Refused where none are free, IllegalMove where it is too late."""
    entry = lock_entry(entry_id, event_id=event_id)
    capacity.lock_pools([p.id for p in list_pools([event_id])])
    facts = queries.get_facts(entry.event, now=now)
    (waiting,) = queries.waiting_of([entry])
    refusal = rules.why_not_by_hand(facts, waiting, now)
    type_id = rules.fitting_type(facts, waiting)
    if refusal or type_id is None:
        raise Refused(refusal or rules.NO_TYPE)
    entry.skipped_at = None
    _offer(entry, type_id, facts, actor=actor, now=now)


def _offer(entry: Entry, type_id: int, facts: Facts, *, actor: Actor, now: datetime) -> None:
    event = entry.event
    until = rules.offer_until(now, event.offer_hours, facts.starts_at, entry.zone)
    token = tokens.new_token()
    offer = Offer(
        entry=entry,
        token=token,
        token_hash=tokens.hash_token(token),
        ticket_type_id=type_id,
        made_at=now,
        until=until,
    )
    db.session.add(offer)
    db.session.flush()
    claims = capacity.hold(facts.pools[type_id], entry.size, now=now, until=until)
    rows = [{"offer_id": offer.id, "claim_id": c} for c in claims]
    db.session.execute(insert(waitlist_place), rows)
    about = {"offer": offer.id, "type": type_id, "places": entry.size, "until": until.isoformat()}
    move_entry_to(entry, S.OFFERED, actor=actor, now=now, facts=about)
    mail.send_offer(offer, now=now)


def lapse(entry_id: int, *, now: datetime) -> bool:
    """End an offer that nobody answered in time, and say so; return whether it was this one's time."""
    entry = lock_entry(entry_id)
    offer = entry.offer
    if entry.state is not S.OFFERED or offer is None or offer.until > now:
        return False
    end_offer(offer, now=now)
    move_entry_to(entry, S.LAPSED, actor=SYSTEM, now=now, facts={"offer": offer.id})
    mail.send_lapsed(offer, now=now)
    return True


# ---- what a round was decided from


def _record_round(
    event_id: int, facts: Facts, line: Sequence[Waiting], turns: Sequence[Turn], *, now: datetime
) -> None:
    audit.record(
        "waitlist.round",
        ("event", event_id),
        actor=SYSTEM,
        now=now,
        event_id=event_id,
        before={"facts": _plain(facts), "line": [_plain(one) for one in line]},
        after={"turns": [[t.id, t.type_id, t.why_not and t.why_not.name] for t in turns]},
    )


def _plain(value: Facts | Waiting) -> dict[str, Any]:
    """Return facts as JSON keeps them; what an organizer noted stays out."""
    found = asdict(value)
    if found.get("skipped"):
        found["skipped"] = ""
    return {k: _json(v) for k, v in found.items()}


def _json(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {str(k): _json(v) for k, v in value.items()}
    return value.isoformat() if isinstance(value, datetime) else value
