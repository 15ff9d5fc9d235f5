"""Coming onto the list."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from regsys.applications import services as applications
from regsys.capacity import services as capacity
from regsys.events import queries as events
from regsys.events import rules as event_rules
from regsys.events.kinds import Proof
from regsys.events.models import Event, TicketType
from regsys.kernel import tokens
from regsys.kernel.actors import attendee
from regsys.kernel.db import db
from regsys.kernel.errors import Refusal, Refused
from regsys.kernel.text import email_key
from regsys.registration import mail as registration_mail
from regsys.registration import proving
from regsys.registration import queries as registrations
from regsys.registration.services import Person
from regsys.waitlist import mail, queries, rules
from regsys.waitlist.models import Entry
from regsys.waitlist.services.shared import record
from regsys.waitlist.states import EntryState


@dataclass(frozen=True)
class Wish:
    """Who waits, and for what."""

    person: Person
    profession: str
    type_ids: Sequence[int]
    size: int = 1
    time_zone: str = ""
    # That they are a member, where a price asks for it.
    proof: Mapping[str, Any] | None = None


def join(event_id: int, wish: Wish, *, now: datetime) -> Entry | Refusal:
    """Put a party on an event's list, behind everybody, and write to it.

    Returns a refusal where the address is on the list or registered already; then a letter may have been written, and
    the caller commits in either case. Raises Refused where nobody can join.
    """
    event = events.get_event(event_id)
    places = events.places_of([event_id], now=now)[event_id]
    chosen = [t for t in event.ticket_types if t.id in wish.type_ids and t.on_sale and t.prices]
    refusal = rules.why_not_join(
        listed=event.waitlist,
        on_sale=event_rules.why_not_on_sale(events.sale_facts(event, places), now),
        size=wish.size,
        left=[places.left_by_type.get(t.id, places.left) for t in chosen],
    )
    if refusal:
        raise Refused(refusal)
    key = email_key(wish.person.email)
    _check_proof(chosen, wish, key)
    if _tell_known(event_id, key, now=now):
        return rules.ON_LIST_BY_NOW
    return _put_on(event, wish, chosen, now=now)


def _check_proof(chosen: Sequence[TicketType], wish: Wish, key: str) -> None:
    """Raise Refused where they would take a price for members, and have not shown that they are one."""
    if not any(t.proof is Proof.MEMBER for t in chosen):
        return
    proven = wish.proof is not None
    refusal = proving.why_not_as_member(places=wish.size, more=1, proven=proven)
    if wish.proof and wish.proof["email_key"] != key:
        refusal = proving.PROOF_OF_ANOTHER
    if refusal:
        raise Refused(refusal)


def enlist(application_id: int, *, now: datetime) -> Entry | None:
    """Put somebody on the list who was accepted while all places were taken; None where they were on it before."""
    a = applications.lock_application(application_id)
    event = a.event
    if not event.waitlist or a.registration_id or queries.find_of_application(application_id):
        return None
    if queries.find_live(event.id, a.email_key):
        return None
    person = Person(a.first_name, a.last_name, a.email)
    wish = Wish(person, a.profession, [a.ticket_type_id], proof=a.proof)
    return _put_on(event, wish, [a.ticket_type], application_id=application_id, now=now)


def _put_on(
    event: Event,
    wish: Wish,
    chosen: Sequence[TicketType],
    *,
    now: datetime,
    application_id: int | None = None,
) -> Entry:
    token = tokens.new_token()
    entry = Entry(
        event=event,
        application_id=application_id,
        token=token,
        token_hash=tokens.hash_token(token),
        state=EntryState.WAITING,
        state_at=now,
        position=queries.next_position(event.id),
        size=wish.size,
        first_name=wish.person.first_name,
        last_name=wish.person.last_name,
        email=wish.person.email,
        email_key=email_key(wish.person.email),
        profession=wish.profession,
        time_zone=wish.time_zone,
        joined_at=now,
        proof=dict(wish.proof) if wish.proof else None,
    )
    entry.types = list(chosen)
    db.session.add(entry)
    db.session.flush()
    pools = events.list_pool_ids([t.id for t in chosen])
    capacity.note_waiting(p for ids in pools.values() for p in ids)
    facts = {"state": EntryState.WAITING, "position": entry.position, "size": entry.size}
    record("waitlist.joined", entry, actor=attendee(entry.name), now=now, after=facts)
    mail.send_joined(entry, key=f"waitlist-joined:{entry.id}", now=now)
    return entry


def _tell_known(event_id: int, key: str, *, now: datetime) -> bool:
    """Mail an address that is here already its own link, at most once in an hour; tell whether it was."""
    here = registrations.list_live_emails(event_id, [key])
    for r in here:
        registration_mail.send_existing_link(r, now=now)
    known = queries.find_live(event_id, key)
    if known:
        hour = int(now.timestamp()) // 3600
        mail.send_joined(known, key=f"waitlist-link:{known.id}:{hour}", now=now)
    return bool(here or known)
