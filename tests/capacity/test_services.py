"""Claiming, extending, releasing, lapsing and resizing places."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.exc import IntegrityError

from regsys.capacity import services as capacity
from regsys.capacity.models import Claim, PoolKind
from regsys.capacity.queries import find_pool, list_used
from regsys.capacity.rules import PoolCount, places_left, why_full
from regsys.kernel.db import db as product_db
from regsys.kernel.db import transaction
from regsys.kernel.errors import Refused
from tests import cast
from tests.support.counting import counted

HOLD = timedelta(minutes=30)


@pytest.fixture
def people(db: Any, now: datetime) -> list[int]:
    """Eight registrations without places of their own in the pools of these tests."""
    order = cast.make_cart(cast.make_event(places=None), quantities={"Standard": 8})
    return [r.id for r in cast.list_people(order)]


@pytest.fixture
def pool(db: Any, now: datetime, people: list[int]) -> int:
    return make_pool("five", 5)


def make_pool(name: str, size: int | None, kind: PoolKind = PoolKind.OTHER) -> int:
    with transaction():
        event_id = product_db.session.scalar(text("SELECT min(id) FROM event"))
        return capacity.make_pool(event_id=event_id, name=name, kind=kind, size=size).id


def claim(
    people: Sequence[int],
    pools: Sequence[int],
    now: datetime,
    *,
    until: datetime | None = None,
    **more: Any,
) -> set[int]:
    with transaction():
        return capacity.claim([(p, pools) for p in people], now=now, until=until, **more)


def numbers(db: Any, pool: int) -> list[int | None]:
    live = select(Claim.number).where(Claim.pool_id == pool, Claim.released_at.is_(None))
    return list(db.session.scalars(live.order_by(Claim.number)))


def count(pool: int, now: datetime) -> PoolCount:
    return capacity.counts([pool], now=now)[pool]


def test_places_are_given_from_the_first_number_on(
    db: Any, people: list[int], pool: int, now: datetime
) -> None:
    claim(people[:2], [pool], now)
    claim(people[2:3], [pool], now, until=now + HOLD)
    assert numbers(db, pool) == [1, 2, 3]
    assert count(pool, now) == PoolCount(pool, 5, settled=2, held=1)
    assert count(pool, now).free == 2


def test_all_or_nothing_is_claimed(db: Any, people: list[int], pool: int, now: datetime) -> None:
    wide = make_pool("wide", 8)
    with pytest.raises(Refused) as refused:
        claim(people[:6], [wide, pool], now)
    assert refused.value.refusal.name == "TooFewPlaces"
    assert refused.value.refusal.facts == {"left": 5}
    assert numbers(db, wide) == numbers(db, pool) == []
    claim(people[:5], [wide, pool], now)
    with pytest.raises(Refused) as refused:
        claim(people[5:6], [wide, pool], now)
    assert refused.value.refusal.name == "Full"
    assert len(numbers(db, wide)) == 5


def test_an_unsized_pool_never_runs_out(db: Any, people: list[int], now: datetime) -> None:
    endless = make_pool("endless", None)
    claim(people, [endless], now)
    assert numbers(db, endless) == [None] * 8
    assert count(endless, now).free is None


def test_a_pool_of_no_places_is_full(db: Any, people: list[int], now: datetime) -> None:
    none = make_pool("none", 0)
    with pytest.raises(Refused) as refused:
        claim(people[:1], [none], now)
    assert refused.value.refusal.name == "Full"


def test_the_first_n_get_what_there_is_and_the_others_get_nothing(
    db: Any, people: list[int], pool: int, now: datetime
) -> None:
    early = make_pool("early", 3)
    got = claim(people[:2], [pool], now, up_to=[(p, early) for p in people[:2]])
    assert got == set(people[:2])
    got = claim(people[2:5], [pool], now, up_to=[(p, early) for p in people[2:5]])
    assert got == {people[2]}
    assert (len(numbers(db, pool)), len(numbers(db, early))) == (5, 3)
    with transaction():
        assert capacity.claim_up_to(early, people[5:], now=now, until=None) == []


def test_a_refusal_takes_no_early_place(
    db: Any, people: list[int], pool: int, now: datetime
) -> None:
    early = make_pool("early", 8)
    with pytest.raises(Refused):
        claim(people[:6], [pool], now, up_to=[(p, early) for p in people[:6]])
    assert numbers(db, early) == []


def test_one_pool_may_be_demanded_and_wished_for(
    db: Any, people: list[int], pool: int, now: datetime
) -> None:
    got = claim(people[:4], [pool], now, up_to=[(p, pool) for p in people[4:]])
    assert got == {people[4]}
    assert numbers(db, pool) == [1, 2, 3, 4, 5]


def test_a_lapsed_hold_is_free_before_anybody_sweeps(
    db: Any, people: list[int], pool: int, now: datetime
) -> None:
    claim(people[:5], [pool], now, until=now + HOLD)
    before, at = now + HOLD - timedelta(seconds=1), now + HOLD
    assert count(pool, before).free == 0
    assert count(pool, at).free == 5
    with pytest.raises(Refused):
        claim(people[5:6], [pool], before)
    claim(people[5:6], [pool], at)
    assert numbers(db, pool) == [1]


def test_a_hold_is_extended_whole_or_not_at_all(
    db: Any, people: list[int], pool: int, now: datetime
) -> None:
    claim(people[:1], [pool], now, until=now + HOLD)
    claim(people[1:2], [pool], now, until=now + 2 * HOLD)
    for moment, fine in ((now, True), (now + 3 * HOLD, False)):
        with transaction():
            assert capacity.extend(people[:2], until=now + 2 * HOLD, now=moment) is fine
    with transaction():
        capacity.release(people[7:], now=now)
        assert capacity.extend([*people[:2], people[7]], until=None, now=now) is False
    assert count(pool, now) == PoolCount(pool, 5, settled=0, held=2)
    with transaction():
        assert capacity.extend(people[:2], until=None, now=now) is True
        assert capacity.extend([], until=None, now=now) is True
    assert count(pool, now + 9 * HOLD) == PoolCount(pool, 5, settled=2, held=0)


def test_extending_moves_every_claim_of_a_person(
    db: Any, people: list[int], pool: int, now: datetime
) -> None:
    other = make_pool("other", 5)
    claim(people[:1], [pool, other], now, until=now + HOLD)
    with transaction():
        assert capacity.extend(people[:1], until=None, now=now)
    assert [count(p, now + HOLD).settled for p in (pool, other)] == [1, 1]


def test_releasing_twice_is_the_same_as_once(
    db: Any, people: list[int], pool: int, now: datetime
) -> None:
    claim(people[:2], [pool], now)
    for _twice in range(2):
        with transaction():
            capacity.release(people[:1], now=now)
    assert numbers(db, pool) == [2]
    (kept,) = db.session.scalars(
        select(Claim).where(Claim.released_at.is_not(None), Claim.pool_id == pool)
    )
    assert (kept.number, kept.last_number) == (None, 1)
    claim(people[2:3], [pool], now)
    assert numbers(db, pool) == [1, 2]


def test_a_pool_grows_and_shrinks_to_what_people_hold(
    db: Any, people: list[int], pool: int, now: datetime
) -> None:
    claim(people[:3], [pool], now)
    with transaction():
        capacity.resize_pool(pool, 8, now=now)
    assert count(pool, now).free == 5
    with transaction():
        capacity.resize_pool(pool, 3, now=now)
    assert count(pool, now).free == 0
    with pytest.raises(Refused) as refused, transaction():
        capacity.resize_pool(pool, 2, now=now)
    assert refused.value.refusal.facts == {"taken": 3}
    assert count(pool, now).size == 3
    assert list_used([pool]) == {pool}


def test_a_place_that_was_used_and_freed_can_be_retired(
    db: Any, people: list[int], pool: int, now: datetime
) -> None:
    claim(people[:5], [pool], now)
    with transaction():
        capacity.release(people[:5], now=now)
    with transaction():
        capacity.resize_pool(pool, 0, now=now)
    assert count(pool, now).size == 0


def test_a_pool_gets_a_size_and_loses_it_under_its_people(
    db: Any, people: list[int], now: datetime
) -> None:
    endless = make_pool("endless", None)
    claim(people[:3], [endless], now)
    with pytest.raises(Refused), transaction():
        capacity.size_pool(endless, 2, now=now)
    with transaction():
        capacity.size_pool(endless, 4, now=now)
    assert numbers(db, endless) == [1, 2, 3]
    assert count(endless, now).free == 1
    with transaction():
        capacity.unsize_pool(endless, now=now)
    assert numbers(db, endless) == [None] * 3
    assert count(endless, now).free is None


def test_an_event_has_one_total_pool(db: Any, people: list[int], now: datetime) -> None:
    with pytest.raises(IntegrityError):
        make_pool("another total", 3, PoolKind.TOTAL)
    event_id = db.session.scalar(text("SELECT min(id) FROM event"))
    assert find_pool(event_id, PoolKind.TOTAL) is not None


def test_counting_pools_is_one_query(
    app: Any, db: Any, people: list[int], pool: int, now: datetime
) -> None:
    claim(people[:2], [pool], now)
    with counted(app) as sent:
        found = capacity.counts([pool, 4711], now=now)
    assert len([s for s in sent if s.startswith("SELECT")]) == 1
    assert {p: (c.size, c.settled, c.held, c.free) for p, c in found.items()} == {
        pool: (5, 2, 0, 3)
    }


@pytest.mark.parametrize(
    ("counts", "left"),
    [
        ([], None),
        ([PoolCount(1, None, 9, 9)], None),
        ([PoolCount(1, 5, 2, 1)], 2),
        ([PoolCount(1, 5, 2, 1), PoolCount(2, None, 0, 0)], 2),
        ([PoolCount(1, 5, 2, 1), PoolCount(2, 1, 1, 0)], 0),
        ([PoolCount(1, 2, 3, 0)], 0),
    ],
)
def test_a_place_needs_one_in_each_of_its_pools(counts: list[PoolCount], left: int | None) -> None:
    assert places_left(counts) == left


def test_a_refusal_names_how_many_are_left() -> None:
    free = {1: [1, 2], 2: []}
    assert why_full({1: 2, 2: 5}, free, {1: True, 2: False}) is None
    few = why_full({1: 3}, free, {1: True})
    none = why_full({1: 3, 2: 1}, free, {1: True, 2: True})
    assert few is not None
    assert (few.name, few.facts) == ("TooFewPlaces", {"left": 2})
    assert none is not None
    assert none.name == "Full"
