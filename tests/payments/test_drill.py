"""The drill: the six events of one order in every order, each of them lost once, and always the same rows.

An earlier page that ended, the payment (told twice) and a refund in Stripe's dashboard: 360 distinct orders, and
360 more with one event lost. A seeded sample in every run, all of them with `--long`.
"""

import itertools
import random
from collections.abc import Sequence
from typing import Any

import pytest
from sqlalchemy import select

from regsys.kernel.db import db
from regsys.ledger.models import Payment, Refund
from regsys.payments.jobs import poll
from tests.payments.shop import Doc, Placed, Shop
from tests.support import rawsql
from tests.support.books import reconciled, verified

SIX = (
    "checkout.session.expired",
    "checkout.session.completed",
    "checkout.session.completed",
    "refund.created",
    "refund.updated",
    "charge.refunded",
)
SEED = 20261124
pytestmark = pytest.mark.own_stripe
GIVEN_BACK = 10000


def list_drills() -> list[tuple[str, ...]]:
    """List the distinct orders of the six, and of the five that are left where one is lost."""
    whole = set(itertools.permutations(SIX))
    lost = {p for kind in set(SIX) for p in itertools.permutations(_without(kind))}
    return [*sorted(whole), *sorted(lost)]


def _without(kind: str) -> tuple[str, ...]:
    left = list(SIX)
    left.remove(kind)
    return tuple(left)


def play(shop: Shop) -> tuple[Placed, str, dict[str, Doc]]:
    """Let an order live through all of it with no event delivered; return it, its payment and its events by type."""
    order = shop.order()
    first = shop.open(order)
    shop.control.expire(first)
    second = shop.open(order)
    assert second != first
    intent = shop.pay(second)["payment_intent"]
    shop.control.refund_in_dashboard(intent, GIVEN_BACK)
    mine = {first, second, intent}
    about = [e for e in shop.control.events() if _names(e) & mine]
    return order, intent, {e["type"]: e for e in about}


def _names(event: Doc) -> set[str]:
    about = event["data"]["object"]
    return {about["id"], str(about.get("payment_intent"))}


def rows(shop: Shop, order: Placed) -> list[Any]:
    """Return the final rows of money, state and letters, without ids and times."""
    outcome = shop.outcome(order)
    paid = select(Payment.amount, Payment.currency, Payment.fee, Payment.problem).where(
        Payment.order_id == order.id
    )
    back = (
        select(Refund.amount, Refund.state, Refund.imported)
        .join(Payment)
        .where(Payment.order_id == order.id)
    )
    letters = sorted(key.split(":")[0] for key, _ in shop.letters_of(order))
    return [
        outcome,
        *map(tuple, db.session.execute(paid)),
        *map(tuple, db.session.execute(back)),
        letters,
    ]


def run(
    shop: Shop, drills: Sequence[tuple[str, ...]]
) -> tuple[dict[str, list[tuple[str, ...]]], set[str]]:
    """Return which final rows there were, and after which drills; and what was paid."""
    ends: dict[str, list[tuple[str, ...]]] = {}
    paid = set()
    for drill in drills:
        order, intent, events = play(shop)
        paid.add(intent)
        for kind in drill:
            assert shop.deliver(events[kind]) == 200, kind
        shop.clock.move(minutes=4)
        poll({})
        ends.setdefault(repr(rows(shop, order)), []).append(drill)
    return ends, paid


def test_there_are_720_drills() -> None:
    assert len(list_drills()) == 720


@pytest.mark.parametrize("size", ["some", pytest.param("all", marks=pytest.mark.long)])
def test_rule_04_any_order_and_any_loss_end_in_the_same_rows(
    shop: Shop, database: Any, size: str
) -> None:
    drills = list_drills()
    chosen = drills if size == "all" else random.Random(SEED).sample(drills, 8)
    ends, paid = run(shop, chosen)
    assert len(ends) == 1, {end: found[:3] for end, found in ends.items()}
    [end] = ends
    assert "['expired', 'paid']" in end
    assert "(92000, 'USD'," in end
    assert f"({GIVEN_BACK}, <RefundState.SUCCEEDED" in end
    url = str(database.url)
    assert len(paid) == len(chosen)
    assert rawsql.number(url, "SELECT count(*) FROM payment") == len(chosen)
    assert (verified(), reconciled()) == ([], [])
