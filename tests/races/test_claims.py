"""Threads that want the same places: the pool lock, and what the database refuses without it."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from regsys.capacity import services as capacity
from regsys.events import services as events
from regsys.events.services import PlacesPlan, TypePlan
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from tests.conftest import Database
from tests.support import rawsql
from tests.support.fair import ORGANIZER, TICKET, Fair, add_drafts, open_fair
from tests.support.together import booking, errors, raise_unexpected, together

CROWD = 16


@pytest.fixture
def fair(db: Any, now: datetime) -> Fair:
    return open_fair(places=5, now=now)


def _claim_for(
    app: Flask, fair: Fair, registration_id: int, now: datetime, *, until: datetime | None = None
) -> Callable[[], Any]:
    wanted = [(registration_id, fair.pool_ids)]
    return lambda: booking(app, lambda: capacity.claim(wanted, now=now, until=until))


def test_sixteen_threads_take_exactly_five_places(
    app: Flask, db: Any, fair: Fair, database: Database, now: datetime
) -> None:
    ids = add_drafts(fair, CROWD, now=now)
    results = together([_claim_for(app, fair, r, now) for r in ids])
    raise_unexpected(results, Refused)
    assert len(errors(results)) == CROWD - 5
    assert rawsql.live_places(database.url, fair.event_id) == [1, 2, 3, 4, 5]


def test_lapsed_places_are_sold_again_exactly_once(
    app: Flask, db: Any, fair: Fair, database: Database, now: datetime
) -> None:
    first = add_drafts(fair, 5, now=now)
    for r in first:
        _claim_for(app, fair, r, now, until=now + timedelta(minutes=30))()
    later = now + timedelta(minutes=31)
    ids = add_drafts(fair, CROWD, now=now)
    results = together([_claim_for(app, fair, r, later) for r in ids])
    raise_unexpected(results, Refused)
    assert len(errors(results)) == CROWD - 5
    assert rawsql.live_places(database.url, fair.event_id) == [1, 2, 3, 4, 5]
    holders = rawsql.rows(
        database.url, "SELECT registration_id FROM claim WHERE released_at IS NULL"
    )
    assert not {r for (r,) in holders} & set(first)


def test_extending_a_lapsing_hold_against_buyers_gives_the_place_to_one_of_them(
    app: Flask, db: Any, fair: Fair, database: Database, now: datetime
) -> None:
    """The owner's clock says one second before the end, the others' one second after it."""
    end = now + timedelta(minutes=30)
    holders = add_drafts(fair, 5, now=now)
    for r in holders:
        _claim_for(app, fair, r, now, until=end)()
    before, after = end - timedelta(seconds=1), end + timedelta(seconds=1)
    rivals = add_drafts(fair, 5, now=now)

    def extend(r: int) -> Callable[[], Any]:
        return lambda: booking(app, lambda: capacity.extend([r], until=None, now=before))

    results = together(
        [extend(r) for r in holders] + [_claim_for(app, fair, r, after) for r in rivals]
    )
    raise_unexpected(results, Refused)
    kept = {r for r, said in zip(holders, results[:5], strict=True) if said is True}
    won = {r for r, said in zip(rivals, results[5:], strict=True) if isinstance(said, set)}
    live = rawsql.rows(database.url, "SELECT registration_id FROM claim WHERE released_at IS NULL")
    assert {r for (r,) in live} == kept | won
    numbers = rawsql.live_places(database.url, fair.event_id)
    assert len(numbers) == len(set(numbers)) == len(kept | won) <= 5


def test_shrinking_the_pool_against_buyers_never_leaves_more_people_than_places(
    app: Flask, db: Any, fair: Fair, database: Database, now: datetime
) -> None:
    ids = add_drafts(fair, CROWD, now=now)
    plan = PlacesPlan(
        currency="USD",
        total=2,
        types=(TypePlan(id=fair.type_id, name=TICKET, regular=0),),
    )

    def shrink() -> None:
        booking(
            app,
            lambda: events.set_places(fair.event_id, plan, version=None, actor=ORGANIZER, now=now),
        )

    results = together([_claim_for(app, fair, r, now) for r in ids] + [shrink])
    raise_unexpected(results, Refused)
    live = rawsql.live_places(database.url, fair.event_id)
    places = rawsql.number(
        database.url,
        "SELECT count(*) FROM place p JOIN pool o ON o.id = p.pool_id WHERE o.event_id = ?",
        fair.event_id,
    )
    shrunk = not isinstance(results[-1], Exception)
    assert places == (2 if shrunk else 5)
    assert len(live) == len(set(live)) == places
    assert len(errors(results[:-1])) == CROWD - places


def test_code_that_forgets_the_lock_cannot_sell_a_place_twice(
    app: Flask, db: Any, fair: Fair, database: Database, now: datetime
) -> None:
    """Everybody writes place 1 by hand, as a careless verb would: the index lets one through."""
    ids = add_drafts(fair, CROWD, now=now)
    careless = text(
        "INSERT INTO claim (pool_id, sized, number, registration_id, since)"
        " VALUES (:pool, TRUE, 1, :holder, :since)"
    )

    def insert(r: int) -> Callable[[], Any]:
        values = {"pool": fair.pool_ids[0], "holder": r, "since": now.isoformat()}
        return lambda: booking(app, lambda: db.session.execute(careless, values) and None)

    results = together([insert(r) for r in ids])
    raise_unexpected(results, IntegrityError)
    assert len(errors(results)) == CROWD - 1
    assert rawsql.live_places(database.url, fair.event_id) == [1]


def test_a_claim_that_fails_half_way_leaves_nothing(
    db: Any, fair: Fair, database: Database, now: datetime
) -> None:
    ids = add_drafts(fair, 6, now=now)
    wanted = [(r, fair.pool_ids) for r in ids]
    with pytest.raises(Refused), transaction():
        capacity.claim(wanted, now=now, until=None)
    assert rawsql.live_places(database.url, fair.event_id) == []
