"""People who come by the private link and ask for a seat, and what the coordinator answers."""

from datetime import datetime

from regsys.events.queries import get_event
from regsys.hosts import mail, queries, rules
from regsys.hosts.models import SeatRequest
from regsys.hosts.services.naming import name_seat
from regsys.hosts.services.shared import lock_table, record
from regsys.hosts.states import RequestState
from regsys.kernel.actors import ANONYMOUS, SYSTEM, Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refused
from regsys.kernel.states import move
from regsys.kernel.text import email_key
from regsys.registration import mail as registration_mail
from regsys.registration.queries import list_live_emails
from regsys.registration.services import Person


def ask(event_id: int, person: Person, *, now: datetime) -> None:
    """Write down that somebody asks for a seat, and tell the coordinator; whoever has a seat is mailed its link.

    What the visitor is told is the same in every case. Raises Refused where nobody can ask.
    """
    event, host = get_event(event_id), queries.find_host(event_id)
    refusal = rules.why_not_ask(event.state, event.starts_at, event.closes_at, now)
    if refusal or host is None:
        raise Refused(refusal or rules.NO_HOST)
    key = email_key(person.email)
    live = list_live_emails(event_id, [key])
    for r in live:
        registration_mail.send_existing_link(r, now=now)
    table = lock_table(event_id, now=now)
    if live or any(one.email_key == key for one in table.waiting):
        return
    request = SeatRequest(
        host_id=host.id,
        state=RequestState.WAITING,
        state_at=now,
        created_at=now,
        first_name=person.first_name,
        last_name=person.last_name,
        email=person.email,
        email_key=key,
    )
    db.session.add(request)
    db.session.flush()
    record("host.seat_asked", table.host, actor=ANONYMOUS, now=now, after={"request": request.id})
    mail.send_asked(table.host, request, now=now)


def approve(event_id: int, request_id: int, *, actor: Actor, now: datetime) -> SeatRequest:
    """Put somebody who asked on a free seat; raise Refused where there is none, IllegalMove where it is decided."""
    request = _decide(event_id, request_id, RequestState.APPROVED, actor=actor, now=now)
    person = Person(request.first_name, request.last_name, request.email)
    name_seat(event_id, person, actor=actor, now=now)
    return request


def decline(event_id: int, request_id: int, *, actor: Actor, now: datetime) -> SeatRequest:
    """Tell somebody who asked, kindly, that there is no seat for them."""
    request = _decide(event_id, request_id, RequestState.DECLINED, actor=actor, now=now)
    mail.send_declined(request, now=now)
    return request


def close_request(request_id: int, *, now: datetime) -> None:
    """Answer for a coordinator who has not, when no seat can be given any more: people hear either way."""
    event_id = db.session.get_one(SeatRequest, request_id).host.event_id
    lock_table(event_id, now=now)
    if queries.get_request(event_id, request_id).state is RequestState.WAITING:
        decline(event_id, request_id, actor=SYSTEM, now=now)


def _decide(
    event_id: int, request_id: int, to: RequestState, *, actor: Actor, now: datetime
) -> SeatRequest:
    table = lock_table(event_id, now=now)
    request = queries.get_request(event_id, request_id)
    move(request, to, now=now)
    record(f"host.seat_{to}", table.host, actor=actor, now=now, after={"request": request.id})
    return request
