"""The database itself is the proof: plain SQL that goes around the application is refused, on both databases."""

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from regsys.capacity.models import PoolKind
from regsys.capacity.queries import find_pool
from regsys.kernel.db import transaction
from tests.cast import make_cart, make_event

CLAIM = (
    "INSERT INTO claim (pool_id, sized, number, registration_id, since) "
    "VALUES (:pool, :sized, :number, :registration, :since)"
)


@pytest.fixture
def pool(db, now):
    """A pool of 32 places, of which the first is held."""
    event = make_event(places=32)
    make_cart(event)
    return find_pool(event.id, PoolKind.TOTAL)


def _run(db, statement, **values):
    with transaction():
        db.session.execute(text(statement), values)


def _claim(db, pool, now, **values):
    registration = db.session.scalar(text("SELECT id FROM registration"))
    known = {"pool": pool.id, "sized": True, "number": None, "registration": registration}
    _run(db, CLAIM, **{**known, "since": now.isoformat(" ").removesuffix("+00:00"), **values})


def _live(db, pool):
    query = text("SELECT count(*) FROM claim WHERE pool_id = :p AND released_at IS NULL")
    return db.session.scalar(query, {"p": pool.id})


def test_place_32_can_be_held_once(db, pool, now):
    _claim(db, pool, now, number=32)
    with pytest.raises(IntegrityError):
        _claim(db, pool, now, number=32)
    assert _live(db, pool) == 2


def test_place_33_of_32_does_not_exist(db, pool, now):
    with pytest.raises(IntegrityError):
        _claim(db, pool, now, number=33)
    assert _live(db, pool) == 1


def test_a_live_claim_without_a_number_is_refused(db, pool, now):
    with pytest.raises(IntegrityError):
        _claim(db, pool, now, number=None)
    assert _live(db, pool) == 1


def test_a_claim_cannot_say_that_a_sized_pool_is_unsized(db, pool, now):
    with pytest.raises(IntegrityError):
        _claim(db, pool, now, number=None, sized=False)
    assert _live(db, pool) == 1


def test_an_occupied_place_cannot_be_deleted(db, pool, now):
    with pytest.raises(IntegrityError):
        _run(db, "DELETE FROM place WHERE pool_id = :p AND number = 1", p=pool.id)
    _run(db, "DELETE FROM place WHERE pool_id = :p AND number = 2", p=pool.id)
    left = text("SELECT count(*) FROM place WHERE pool_id = :p")
    assert db.session.scalar(left, {"p": pool.id}) == 31


def test_a_released_claim_keeps_no_number_and_its_place_can_be_retired(db, pool, now):
    with pytest.raises(IntegrityError):
        _run(db, "UPDATE claim SET released_at = since WHERE pool_id = :p", p=pool.id)
    _run(
        db,
        "UPDATE claim SET released_at = since, last_number = number, number = NULL WHERE pool_id = :p",
        p=pool.id,
    )
    _run(db, "DELETE FROM place WHERE pool_id = :p AND number = 1", p=pool.id)
    assert _live(db, pool) == 0


def test_a_pool_cannot_become_unsized_under_its_claims_by_their_copy(db, pool, now):
    with pytest.raises(IntegrityError):
        _run(db, "UPDATE claim SET sized = :no WHERE pool_id = :p", p=pool.id, no=False)
    assert _live(db, pool) == 1
