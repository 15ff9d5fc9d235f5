"""`regsys reconcile` against the real stand-in: clean, then each odd thing by its name."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from regsys import verify
from regsys.kernel import clock as kernel_clock
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.payments import bookkeeping, books, services, statement
from regsys.payments.books import Books
from regsys.payments.jobs import HANDLERS
from regsys.payments.queries import Seen
from regsys.payments.reconcile import reconcile
from regsys.payments.refunds import execute_refund, import_refunds
from tests.payments.shop import Placed, Shop


def _run() -> Books:
    """Compare a little later: the stand-in's clock runs on while a test is at work."""
    later = kernel_clock.now() + timedelta(minutes=2)
    with kernel_clock.freeze(later), transaction():
        now = kernel_clock.now()
        made = bookkeeping.start(since=None, until=None, actor=SYSTEM, now=now).id
    return reconcile(made)


def _buy(shop: Shop) -> tuple[Placed, str]:
    """Return a paid order and its intent."""
    order = shop.order()
    session = shop.open(order)
    intent = shop.pay(session)["payment_intent"]
    shop.come_back(order, session)
    return order, intent if isinstance(intent, str) else intent["id"]


def _mine(found: Books, *words: str) -> list[str]:
    """Return the kinds of what is odd about these: others share the stand-in."""
    return [o.kind for o in found.odd if set(words) & set(o.facts.values())]


def _damage(sql: str, **values: Any) -> None:
    with transaction() as session:
        session.execute(text(sql), values)


def _row(sql: str, **values: Any) -> Any:
    db.session.rollback()
    return db.session.execute(text(sql), values).one()


def _payment(order: Placed) -> Any:
    sql = "SELECT p.*, o.code FROM payment p JOIN orders o ON o.id = p.order_id WHERE p.order_id = :id"
    return _row(sql, id=order.id)


def test_what_was_paid_agrees_to_the_cent(shop: Shop) -> None:
    order, _ = _buy(shop)
    found = _run()
    paid = _payment(order)
    assert _mine(found, paid.code, paid.charge) == []
    assert found.matched >= 1
    assert "balance_differs" not in [o.kind for o in found.odd]
    kept = bookkeeping.find_last_finished()
    assert kept is not None
    assert books.load(kept.findings) == found


def test_a_fee_that_is_missing_is_filled_in(shop: Shop) -> None:
    order, _ = _buy(shop)
    fee = _payment(order).fee
    _damage("UPDATE payment SET fee = NULL WHERE order_id = :id", id=order.id)
    found = _run()
    assert found.fees == {_payment(order).id: fee}
    assert _payment(order).fee == fee == 2698


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("UPDATE payment SET amount = amount - 100 WHERE order_id = :id", "amount_differs"),
        ("UPDATE payment SET fee = fee + 1 WHERE order_id = :id", "fee_differs"),
        (
            "UPDATE payment SET charge = 'ch_none', reference = 'pi_none' WHERE order_id = :id",
            "payment_unknown",
        ),
    ],
)
def test_a_payment_that_differs_is_named(shop: Shop, sql: str, kind: str) -> None:
    order, _ = _buy(shop)
    code = _payment(order).code
    _damage(sql, id=order.id)
    assert kind in _mine(_run(), code)


def test_a_charge_without_our_payment_is_named_with_its_order(shop: Shop) -> None:
    order, _ = _buy(shop)
    paid = _payment(order)
    _damage("DELETE FROM payment WHERE order_id = :id", id=order.id)
    odd = [o for o in _run().odd if o.facts.get("charge") == paid.charge]
    assert [o.kind for o in odd] == ["charge_unknown"]
    assert odd[0].facts["order"] == paid.code
    assert odd[0].facts["amount"] == "$920.00"


@pytest.mark.parametrize(
    ("sql", "kind"),
    [
        ("UPDATE refund SET stripe_id = 're_none'", "refund_missing"),
        ("UPDATE refund SET amount = amount - 1", "refund_differs"),
        ("UPDATE refund SET state = 'failed'", "refund_differs"),
    ],
)
def test_a_refund_that_differs_is_named(shop: Shop, sql: str, kind: str) -> None:
    order, _ = _buy(shop)
    paid = _payment(order)
    with transaction():
        now = kernel_clock.now()
        made = services.give_back(
            order.id, [paid.id], amount=5000, seen=Seen(0, 0), reason="late", actor=SYSTEM, now=now
        )
    execute_refund(made[0])
    assert _mine(_run(), paid.code) == []
    _damage(f"{sql} WHERE id = :id", id=made[0])
    assert kind in _mine(_run(), paid.code)


def test_every_kind_of_difference_has_a_test_that_plants_it() -> None:
    here = Path(__file__).read_text()
    assert [kind for kind in books.SENTENCES if here.count(f'"{kind}"') == 0] == []


def test_a_refund_made_in_the_dashboard_is_named(shop: Shop) -> None:
    _order, intent = _buy(shop)
    made = shop.control.refund_in_dashboard(intent, 5000)
    odd = [o for o in _run().odd if o.facts.get("refund") == made["id"]]
    assert [(o.kind, o.facts["amount"]) for o in odd] == [("refund_unknown", "$50.00")]


def test_a_dispute_that_nobody_heard_of_is_named(shop: Shop) -> None:
    _order, intent = _buy(shop)
    made = shop.control.dispute(intent)
    odd = [o for o in _run().odd if o.facts.get("dispute") == made["id"]]
    assert [o.kind for o in odd] == ["dispute_unknown"]


def test_money_above_the_price_is_named(shop: Shop) -> None:
    order, _ = _buy(shop)
    _damage("UPDATE order_line SET amount = amount - 100 WHERE order_id = :id", id=order.id)
    assert _mine(_run(), _payment(order).code) == ["order_over"]


def test_each_payout_is_the_sum_of_its_charges_refunds_and_fees(shop: Shop) -> None:
    order, intent = _buy(shop)
    _buy(shop)
    shop.control.refund_in_dashboard(intent, 5000)
    [made] = shop.control.payout(early=True)
    assert _payment(order).amount == 92000
    shop.clock.move(minutes=2)
    found = _run()
    sums = found.totals["USD"]
    assert sums.paid_out < 0
    assert sums.left == sums.gross + sums.refunds + sums.other - sums.fees + sums.paid_out
    [paid] = [p for p in found.payouts if p.id == made["id"]]
    assert paid.agrees
    assert paid.amount == paid.gross + paid.refunds + paid.other - paid.fees == made["amount"]
    assert paid.refunds <= -5000
    assert 2 <= paid.ours <= paid.charges
    assert not {"payout_differs", "payout_failed"} & {o.kind for o in found.odd}


def test_a_payout_that_is_not_what_is_in_it_is_named_out_of_stripes_own_books(shop: Shop) -> None:
    _buy(shop)
    [wrong] = shop.control.payout(early=True)
    shop.control.edit_payout(wrong["id"], amount=wrong["amount"] + 100)
    shop.clock.move(minutes=2)
    odd = [o for o in _run().odd if o.facts.get("payout") == wrong["id"]]
    assert [o.kind for o in odd] == ["payout_differs"]
    assert odd[0].facts["theirs"] == statement.show(wrong["amount"], "USD")


def test_a_payout_that_came_back_is_named_and_goes_with_the_next(shop: Shop) -> None:
    _buy(shop)
    [failed] = shop.control.payout(early=True)
    shop.control.fail_payout(failed["id"])
    [again] = shop.control.payout(early=True)
    assert again["amount"] == failed["amount"]
    shop.clock.move(minutes=2)
    found = _run()
    assert _mine(found, failed["id"]) == ["payout_failed"]
    assert _mine(found, again["id"]) == []
    assert again["id"] in [p.id for p in found.payouts if p.agrees]
    assert "balance_differs" not in [o.kind for o in found.odd]


# ---- what agrees, and waits for a person


def _known(found: Books, code: str) -> list[tuple[str, str]]:
    return [(o.kind, o.facts["amount"]) for o in found.known if o.facts["order"] == code]


def test_a_refund_that_failed_is_named_as_what_it_is(shop: Shop) -> None:
    order, _ = _buy(shop)
    paid = _payment(order)
    with transaction():
        now = kernel_clock.now()
        made = services.give_back(
            order.id, [paid.id], amount=5000, seen=Seen(0, 0), reason="late", actor=SYSTEM, now=now
        )
    execute_refund(made[0])
    sent = _row("SELECT stripe_id FROM refund WHERE id = :id", id=made[0]).stripe_id
    shop.control.fail_refund(sent)
    import_refunds(paid.reference)
    found = _run()
    assert (_known(found, paid.code), _mine(found, paid.code)) == (
        [("refund_failed", "$50.00")],
        [],
    )


def test_what_no_card_can_take_back_is_named(shop: Shop) -> None:
    order, _ = _buy(shop)
    code = _payment(order).code
    by_cheque = (
        "UPDATE payment SET method = 'cheque', reference = NULL, charge = NULL, attempt_id = NULL"
    )
    with transaction():
        services.cancel_person(
            order.registrations[0], event_id=order.event_id, amount=0, reason="ill",
            actor=SYSTEM, now=kernel_clock.now(),
        )  # fmt: skip
    _damage(f"{by_cheque} WHERE order_id = :id", id=order.id)
    _damage(
        "UPDATE order_line SET amount = 2000 WHERE kind = 'kept' AND order_id = :id", id=order.id
    )
    # Stripe's charge is left without a payment, too; that is named beside it.
    assert _known(_run(), code) == [("owed_by_hand", "$900.00")]


def test_a_place_whose_money_all_went_back_in_the_dashboard_is_named(shop: Shop) -> None:
    order, intent = _buy(shop)
    shop.control.refund_in_dashboard(intent, 92000)
    import_refunds(intent)
    found, code = _run(), _payment(order).code
    assert (_known(found, code), _mine(found, code)) == ([("place_repaid", "$920.00")], [])
    with transaction():
        services.cancel_person(
            order.registrations[0], event_id=order.event_id, amount=0, reason="asked",
            actor=SYSTEM, now=kernel_clock.now(),
        )  # fmt: skip
    assert _known(_run(), _payment(order).code) == []


PAYOUT = statement.Payout(
    "po_1", 941, "USD", 5, 7, "paid", automatic=True,
    lines=(statement.Line("charge", "ch_1", 1000, 59, 941, "USD", 5),),
)  # fmt: skip


@pytest.mark.parametrize(
    ("payout", "kinds"),
    [
        (PAYOUT, []),
        (replace(PAYOUT, amount=942), ["payout_differs"]),
        (replace(PAYOUT, lines=()), ["payout_differs"]),
        (replace(PAYOUT, status="failed"), ["payout_failed"]),
        (replace(PAYOUT, automatic=False, lines=()), []),
        (replace(PAYOUT, amount=1, created=99), []),
    ],
)
def test_a_payout_that_does_not_add_up_is_named(payout: statement.Payout, kinds: list[str]) -> None:
    found = books.compare(books.Theirs(payouts=[payout]), books.Ours(), since=0, until=9)
    assert [o.kind for o in found.odd] == kinds
    assert books.load(found.dump()) == found


def test_lines_that_do_not_make_the_balance_are_named() -> None:
    lines = [statement.Line("charge", "ch_1", 1000, 59, 941, "USD", 5)]
    ours = books.Ours()
    clean = books.compare(books.Theirs(lines=lines, balance={"USD": 941}), ours, since=0, until=9)
    assert clean.odd == []
    odd = books.compare(books.Theirs(lines=lines, balance={"USD": 900}), ours, since=0, until=9).odd
    assert [(o.kind, o.facts) for o in odd] == [
        ("balance_differs", {"amount": "$9.41", "theirs": "$9.00"})
    ]


def test_a_charge_of_somebody_else_is_only_counted() -> None:
    charge = books.Charge("ch_1", "pi_1", 1000, "USD", 5, None, None)
    found = books.compare(books.Theirs([charge]), books.Ours(), since=0, until=9)
    assert (found.foreign, found.odd) == (1, [])


def test_an_event_that_is_called_off_leaves_both_books_clean(shop: Shop) -> None:
    order, _ = _buy(shop)
    with transaction():
        now = kernel_clock.now()
        services.start_cancellation(order.event_id, reason="Ill", actor=SYSTEM, now=now)
    shop.fresh()
    HANDLERS["payments.call_off"]({})
    shop.fresh()
    assert _mine(_run(), _payment(order).code) == []
    said = [s for s in verify.examine(now=kernel_clock.now()) if isinstance(s, verify.Said)]
    assert [s.sentence for s in said if not s.fine] == []


def test_the_worker_carries_out_what_the_button_asked_for(shop: Shop) -> None:
    _buy(shop)
    with transaction():
        bookkeeping.start_job(since=None, until=None, actor=SYSTEM, now=kernel_clock.now())
    made = bookkeeping.find_last()
    assert made is not None
    HANDLERS["payments.reconcile"]({"id": made.id})
    shop.fresh()
    kept = bookkeeping.find_last_finished()
    assert kept is not None
    assert books.load(kept.findings).matched >= 1
