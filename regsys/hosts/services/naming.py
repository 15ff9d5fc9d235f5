"""What coordinators do with seats: name, swap, take a name off. They see names and states, and never an answer."""

from datetime import datetime

from flask_babel import gettext as _

from regsys.hosts import mail, rules
from regsys.hosts.kinds import Pays
from regsys.hosts.models import Host
from regsys.hosts.queries import Seat, Table, get_seat, list_waiting
from regsys.hosts.services.shared import coordinator_of, keep_places, lock_table, record, refit
from regsys.hosts.states import RequestState
from regsys.kernel.actors import Actor
from regsys.kernel.db import db
from regsys.kernel.errors import Refused
from regsys.kernel.states import move
from regsys.kernel.text import email_key
from regsys.registration import services as registration
from regsys.registration.kinds import OrderSource
from regsys.registration.models import Registration
from regsys.registration.services import Person
from regsys.registration.states import RegistrationState as S


def name_seat(event_id: int, person: Person, *, actor: Actor, now: datetime) -> Registration:
    """Put a name on a free seat; the person gets a letter with a link of their own.

    Raises Refused where no seat is free, the time for it is over, or the address has a seat already. Locks host, order,
    pools.
    """
    table = lock_table(event_id, now=now)
    refusal = rules.why_not_name(table.facts, now)
    if refusal:
        raise Refused(refusal)
    keep_places(table.host, table.facts.kept - 1, now=now)
    r = _seat(table.host, person, actor=actor, now=now)
    record("host.seat_named", table.host, actor=actor, now=now, after={"registration": r.id})
    return r


def _seat(host: Host, person: Person, *, actor: Actor, now: datetime) -> Registration:
    if host.pays is Pays.EACH:
        r = registration.offer_place(
            host.event_id,
            host.ticket_type_id,
            person,
            until=min(now + rules.PAY_WITHIN, host.event.starts_at),
            source=OrderSource.HOST_SEAT,
            reason=_("A seat of the host."),
            actor=actor,
            now=now,
        )
    else:
        r = registration.seat_person(
            _order_id(host, actor=actor, now=now),
            host.event_id,
            host.ticket_type_id,
            person,
            covered=host.agreed_sum is not None,
            actor=actor,
            now=now,
        )
    db.session.refresh(r)
    mail.send_seat(host, r, now=now)
    _answer_wish(host, person, actor=actor, now=now)
    return r


def _answer_wish(host: Host, person: Person, *, actor: Actor, now: datetime) -> None:
    """Whoever asked for a seat and is named by hand has their answer: they wait no longer."""
    for wish in list_waiting(host.id):
        if wish.email_key == email_key(person.email):
            move(wish, RequestState.APPROVED, now=now)
            record("host.seat_approved", host, actor=actor, now=now, after={"request": wish.id})
    db.session.flush()


def _order_id(host: Host, *, actor: Actor, now: datetime) -> int:
    """Return the one order of a host, which begins with the first name."""
    if host.order_id is None:
        order = registration.open_host_order(
            host.event.currency,
            coordinator_of(host),
            until=host.event.starts_at,
            actor=actor,
            now=now,
        )
        host.order_id = order.id
        db.session.flush()
        if host.agreed_sum:
            registration.set_agreed_sum(order.id, host.agreed_sum, actor=actor, now=now)
    return host.order_id


def swap(event_id: int, seat_id: int, person: Person, *, actor: Actor, now: datetime) -> None:
    """Put another name on a seat: a confirmed place is handed over, one that waits is given up and taken anew."""
    table, seat = _lock(event_id, seat_id, now=now)
    refusal = rules.why_not_swap(table.facts, seat.state, now)
    if refusal:
        raise Refused(refusal)
    if seat.state is S.CONFIRMED:
        reason = _("%(host)s put another name on the seat.", host=table.host.organisation)
        registration.hand_over_for(
            seat.order_id, seat.id, person, reason=reason, actor=actor, now=now
        )
        _answer_wish(table.host, person, actor=actor, now=now)
    else:
        _give_up(table.host, seat, actor=actor, now=now)
        _seat(table.host, person, actor=actor, now=now)
    record("host.seat_swapped", table.host, actor=actor, now=now, before={"registration": seat.id})


def take_off(event_id: int, seat_id: int, *, actor: Actor, now: datetime) -> None:
    """Take a name off a seat, which stays the host's; raise Refused where it is paid."""
    table, seat = _lock(event_id, seat_id, now=now)
    refusal = rules.why_not_take_off(table.facts, seat.state, price=seat.price, now=now)
    if refusal:
        raise Refused(refusal)
    if seat.state is S.CONFIRMED:
        reason = _("%(host)s took the name off the seat.", host=table.host.organisation)
        registration.cancel_unpaid(seat.id, event_id=event_id, reason=reason, actor=actor, now=now)
    else:
        _give_up(table.host, seat, actor=actor, now=now)
    # Another seat may have lost its place meanwhile: that is no reason to leave a name on this one.
    refit(event_id, now=now, at_most=True)
    record("host.seat_emptied", table.host, actor=actor, now=now, before={"registration": seat.id})


def _lock(event_id: int, seat_id: int, *, now: datetime) -> tuple[Table, Seat]:
    table = lock_table(event_id, now=now)
    return table, get_seat(event_id, seat_id)


def _give_up(host: Host, seat: Seat, *, actor: Actor, now: datetime) -> None:
    """Let an unpaid place go and tell its person; raise Refused while its payment page is open."""
    reason = _("%(host)s took the name off the seat.", host=host.organisation)
    registration.remove_person(seat.order_id, seat.id, reason=reason, actor=actor, now=now)
    mail.send_taken_off(host, db.session.get_one(Registration, seat.id), now=now)
