"""The waiting list at the same moment as everything else: an answer against its end, the line against the public."""

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import Flask

from regsys.capacity import services as capacity
from regsys.capacity.models import PoolKind
from regsys.capacity.queries import find_pool
from regsys.events.models import Event
from regsys.kernel.actors import ANONYMOUS
from regsys.kernel.errors import Refused
from regsys.registration import services as registration
from regsys.waitlist import services
from tests.conftest import Database
from tests.support import rawsql
from tests.support.together import booking, errors, raise_unexpected, together
from tests.waitlist import line


def _entries(database: Database, event: int) -> dict[str, int]:
    query = "SELECT state, count(*) FROM waitlist_entry WHERE event_id = ? GROUP BY state"
    return {str(state): int(n) for state, n in rawsql.rows(database.url, query, event)}


def _held_for_offers(database: Database) -> int:
    query = (
        "SELECT count(*) FROM claim c JOIN waitlist_place p ON p.claim_id = c.id"
        " WHERE c.released_at IS NULL"
    )
    return rawsql.number(database.url, query)


def _buying(app: Flask, event: Event, now: datetime) -> Callable[[], Any]:
    event_id, type_id = event.id, event.ticket_types[0].id
    return lambda: booking(
        app,
        lambda: (
            registration.put_in_cart(event_id, {type_id: 1}, cart_id=None, minutes=30, now=now).id
        ),
    )


def _offering(app: Flask, event: Event, now: datetime) -> Callable[[], Any]:
    event_id = event.id
    return lambda: booking(app, lambda: services.offer_next(event_id, now=now))


def test_an_answer_and_the_end_of_its_time_leave_one_truth(
    app: Flask, db: Any, database: Database, clock: Any
) -> None:
    event, people = line.full_event(2)
    ada = line.wait(event, "Ada Reed")
    line.cancel(people[0])
    line.sweep()
    offer, event_id, entry_id, now = line.open_offer(ada), event.id, ada.id, clock.now
    offer_id, over = offer.id, offer.until
    db.session.rollback()

    def accept() -> Any:
        return services.accept(offer_id, actor=ANONYMOUS, now=now).id

    works: list[Callable[[], Any]] = [lambda: booking(app, accept)] * 4
    works += [lambda: booking(app, lambda: services.lapse(entry_id, now=over))] * 4
    results = together(works)
    raise_unexpected(results, Refused)
    taken = {r for r in results[:4] if isinstance(r, int)}
    states, held = _entries(database, event_id), len(rawsql.live_places(database.url, event_id))
    assert _held_for_offers(database) == 0
    assert rawsql.number(
        database.url, "SELECT count(*) FROM orders WHERE placed_at IS NULL"
    ) == len(taken)
    if taken:
        assert (states, held, len(taken)) == ({"taken": 1}, 2, 1)
        assert not any(results[4:])
    else:
        assert (states, held) == ({"lapsed": 1}, 1)
        assert results[4:].count(True) == 1


def test_the_last_place_goes_to_the_line_and_never_to_the_public(
    app: Flask, db: Any, database: Database, now: datetime
) -> None:
    event, people = line.full_event(2)
    line.wait(event, "Ada Reed")
    line.cancel(people[0])
    db.session.rollback()
    works = [_buying(app, event, now) for _n in range(6)]
    works += [_offering(app, event, now) for _n in range(2)]
    results = together(works)
    raise_unexpected(results, Refused)
    assert len(errors(results)) == 6
    assert _entries(database, event.id) == {"offered": 1}
    assert rawsql.live_places(database.url, event.id) == [1, 2]


def test_what_nobody_waits_for_is_sold_to_the_public_once(
    app: Flask, db: Any, database: Database, now: datetime
) -> None:
    event, people = line.full_event(3)
    line.wait(event, "Ada Reed")
    for r in people[:2]:
        line.cancel(r)
    db.session.rollback()
    works = [_buying(app, event, now) for _n in range(6)]
    works += [_offering(app, event, now) for _n in range(2)]
    results = together(works)
    raise_unexpected(results, Refused)
    assert len(errors(results)) == 5
    assert _entries(database, event.id) == {"offered": 1}
    assert rawsql.live_places(database.url, event.id) == [1, 2, 3]
    assert _held_for_offers(database) == 1


def test_a_pool_that_shrinks_takes_no_place_that_is_offered_or_bought(
    app: Flask, db: Any, database: Database, now: datetime
) -> None:
    event, people = line.full_event(3)
    line.wait(event, "Ada Reed")
    for r in people[:2]:
        line.cancel(r)
    pool = find_pool(event.id, PoolKind.TOTAL)
    assert pool
    pool_id, event_id = pool.id, event.id
    db.session.rollback()

    def shrink() -> None:
        capacity.resize_pool(pool_id, 2, now=now)

    results = together(
        [
            lambda: booking(app, shrink),
            _offering(app, event, now),
            _buying(app, event, now),
            _buying(app, event, now),
        ]
    )
    raise_unexpected(results, Refused)
    size = rawsql.number(database.url, "SELECT count(*) FROM place WHERE pool_id = ?", pool_id)
    held = len(rawsql.live_places(database.url, event_id))
    (state,) = _entries(database, event_id)
    # The pool shrank before anybody bought; or it could not shrink any more; or one bought, and it shrank by the place
    # that Ada would have been offered.
    assert (state, size, held) in [("offered", 2, 2), ("offered", 3, 3), ("waiting", 2, 2)]
