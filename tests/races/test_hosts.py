"""A host's seats at the same moment: two coordinators, somebody who leaves, the sweep, and the public."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any

from flask import Flask

from regsys.events.kinds import Enrollment
from regsys.events.models import Event
from regsys.hosts import services
from regsys.kernel.actors import Actor
from regsys.kernel.db import transaction
from regsys.kernel.errors import NotFound, Refused
from regsys.registration import services as registration
from tests import cast
from tests.conftest import Database
from tests.hosts.house import PRUDENCE, hosted, name, sweep, table
from tests.support import rawsql
from tests.support.together import booking, errors, raise_unexpected, together

OTHER = Actor("user", label="Barnaby Quill")


def _seats(names: Sequence[str], **plan: Any) -> tuple[int, list[int]]:
    """Make an event whose host has paid for all of its seats, some with a name; return its id and theirs."""
    event = hosted(agreed_sum=90000, **plan)
    ids = [name(event, who).id for who in names]
    return event.id, ids


def _deeds(database: Database, action: str) -> int:
    return rawsql.number(
        database.url, "SELECT count(*) FROM audit_entry WHERE action = ?", f"host.{action}"
    )


def _names(event: Event) -> set[str]:
    return {seat.first_name for seat in table(event).seats}


def test_of_two_who_swap_one_seat_one_puts_a_name_on_it(
    app: Flask, db: Any, database: Database, now: datetime
) -> None:
    event_id, (seat,) = _seats(["Ada Reed"], seats=1)

    def swap(who: str, actor: Actor) -> str:
        services.swap(event_id, seat, cast.a_person(who), actor=actor, now=now)
        return who.split()[0]

    works: list[Callable[[], str]] = [
        lambda w=w, a=a: booking(app, lambda: swap(w, a))  # type: ignore[misc]
        for w, a in (("Ben Reed", PRUDENCE), ("Cal Reed", OTHER), ("Dora Reed", PRUDENCE))
    ]
    results = together(works)
    raise_unexpected(results, NotFound, Refused)
    (won,) = [r for r in results if isinstance(r, str)]
    event = db.session.get(Event, event_id)
    assert _names(event) == {won}
    assert _deeds(database, "seat_swapped") == 1
    assert (
        rawsql.number(database.url, "SELECT count(*) FROM message WHERE kind = 'hosts_seat'") <= 2
    )


def test_the_last_seats_are_named_once_while_somebody_takes_a_name_off(
    app: Flask, db: Any, database: Database, now: datetime
) -> None:
    event_id, (ada,) = _seats(["Ada Reed"], seats=2, places=2)

    def put(who: str) -> str:
        return services.name_seat(event_id, cast.a_person(who), actor=OTHER, now=now).first_name

    def off() -> None:
        services.take_off(event_id, ada, actor=PRUDENCE, now=now)

    works: list[Callable[[], Any]] = [lambda: booking(app, off)]
    works += [
        lambda w=w: booking(app, lambda: put(w))  # type: ignore[misc]
        for w in ("Ben Reed", "Cal Reed", "Dora Reed", "Eve Reed")
    ]
    results = together(works)
    raise_unexpected(results, Refused)
    named = {r for r in results if isinstance(r, str)}
    event = db.session.get(Event, event_id)
    assert _names(event) == named
    assert len(named) in (1, 2)
    assert table(event).facts.kept == 2 - len(named)
    assert rawsql.live_places(database.url, event_id) == [1, 2]


def test_a_seat_that_is_given_up_and_the_last_place_of_all_are_taken_once(
    app: Flask, db: Any, database: Database, now: datetime
) -> None:
    event_id, (ada, ben) = _seats(["Ada Reed", "Ben Reed"], seats=2, places=3)
    with transaction():
        db.session.get(Event, event_id).enrollment = Enrollment.OPEN
    kind = db.session.get(Event, event_id).ticket_types[0].id
    db.session.rollback()

    def leave() -> None:
        reason = "cannot come"
        registration.cancel_unpaid(ben, event_id=event_id, reason=reason, actor=OTHER, now=now)

    def buy() -> int:
        return registration.put_in_cart(event_id, {kind: 1}, cart_id=None, minutes=30, now=now).id

    verbs: list[Callable[[], Any]] = [
        lambda: services.take_off(event_id, ada, actor=PRUDENCE, now=now),
        leave,
        lambda: services.look_after(event_id, now=now),
        *[buy] * 5,
    ]
    results = together([lambda v=v: booking(app, v) for v in verbs])  # type: ignore[misc]
    raise_unexpected(results, Refused)
    assert results[:2] == [None, None]
    sold = [r for r in results if isinstance(r, int)]
    sweep()
    event = db.session.get(Event, event_id)
    # Whoever takes a name off keeps the seat, unless the other one's place was sold meanwhile; who leaves by their own
    # link may lose it to whoever comes next. Neither is ever kept from it.
    kept = table(event).facts.kept
    assert len(sold) + kept == 3
    assert (len(sold), kept) in [(1, 2), (2, 1)]
    assert len(errors(results[3:])) == 5 - len(sold)
    assert rawsql.live_places(database.url, event_id) == [1, 2, 3]
