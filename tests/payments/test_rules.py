"""Pure answers about Checkout sessions: tables of cases. Numbers are the rules of payments.md."""

import dataclasses
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from babel.numbers import list_currencies
from hypothesis import given, settings
from hypothesis import strategies as st

from regsys.kernel import money
from regsys.ledger.states import Problem
from regsys.payments import rules
from regsys.payments.rules import Asked, Offer, Session, Verdict

NOW = datetime(2026, 11, 24, 17, 0, tzinfo=UTC)
ASKED = Asked(92000, "USD", livemode=False)
PAID = Session(
    "cs_test_1", "complete", "paid", 92000, "usd", livemode=False, mode="payment", tag="t"
)
OFFER = Offer(
    code="ABC234",
    currency="USD",
    amount=184000,
    lines=[("Standard place, early price", 92000), ("Standard place", 92000)],
    titles=["Introductory Intensive"],
    email="lys@example.org",
    success_url="https://x.example/o/t/paid?session_id={CHECKOUT_SESSION_ID}",
    cancel_url="https://x.example/o/t",
)


def minutes(n: float) -> timedelta:
    return timedelta(minutes=n)


@pytest.mark.parametrize(
    ("changes", "verdict"),
    [
        ({}, Verdict.PAID),
        ({"status": "open", "payment_status": "unpaid"}, Verdict.OPEN),
        ({"status": "something_new"}, Verdict.OPEN),
        ({"status": "expired", "payment_status": "unpaid"}, Verdict.EXPIRED),
        ({"payment_status": "unpaid"}, Verdict.PROCESSING),
        ({"payment_status": "no_payment_required"}, Verdict.PAID),
        ({"amount_total": 91999}, Verdict.MISMATCH),
        ({"amount_total": 92001}, Verdict.MISMATCH),
        ({"amount_total": None}, Verdict.MISMATCH),
        ({"currency": "eur"}, Verdict.MISMATCH),
        ({"currency": None}, Verdict.MISMATCH),
        ({"livemode": True}, Verdict.MISMATCH),
        ({"mode": "subscription"}, Verdict.MISMATCH),
    ],
)
def test_rule_26_a_session_is_believed_only_as_it_was_asked_for(
    changes: dict[str, Any], verdict: str
) -> None:
    assert rules.judge(dataclasses.replace(PAID, **changes), ASKED) is verdict


@pytest.mark.parametrize(
    ("amount", "currency", "came"),
    [(92000, "usd", (92000, "USD")), (500, "isk", (5, "ISK")), (550, "isk", (5, "ISK")),
     (None, None, (0, ""))],
)  # fmt: skip
def test_rule_26_what_came_is_known_even_where_it_is_wrong(
    amount: int | None, currency: str | None, came: tuple[int, str]
) -> None:
    assert rules.received(dataclasses.replace(PAID, amount_total=amount, currency=currency)) == came


@pytest.mark.parametrize(
    ("facts", "problem"),
    [
        ({"confirmed": True, "due": 920}, None),
        ({"confirmed": True, "due": 460}, None),
        ({"confirmed": True, "due": 0}, None),
        ({"no_place": True, "due": 0}, Problem.NO_PLACE),
        ({"due": 920}, None),
        ({"due": 0, "paid_before": 920}, Problem.DOUBLE),
        ({"due": 100, "paid_before": 820}, Problem.DOUBLE),
        ({"due": 0}, Problem.NO_PLACE),
    ],
)
def test_rules_10_and_14_what_is_wrong_with_money_that_came(
    facts: dict[str, Any], problem: Problem | None
) -> None:
    known = {"confirmed": False, "no_place": False, "paid_before": 0, "amount": 920} | facts
    assert rules.on_payment(**known) is problem


@pytest.mark.parametrize(("after", "repeats"), [(0, True), (3.99, True), (4, False), (60, False)])
def test_rule_16_a_call_is_repeated_for_four_minutes(after: float, repeats: bool) -> None:
    assert rules.may_repeat(NOW, NOW + minutes(after)) is repeats


def test_rule_12_places_are_free_when_the_session_is_over_and_wait_when_it_was_ended() -> None:
    over = NOW + rules.LIFETIME
    assert rules.hold_after(over, over) is None
    assert rules.hold_after(over, over + minutes(3)) is None
    assert rules.hold_after(over, over - minutes(1)) == over + minutes(9)


@pytest.mark.parametrize(
    ("age", "asked_before", "due"),
    [
        (0, None, False),
        (2.9, None, False),
        (3, None, True),
        (60, None, True),
        (3, 0.5, False),
        (9, 1, True),
    ],
)
def test_rule_6_the_poller_asks_after_three_minutes_then_every_minute(
    age: float, asked_before: float | None, due: bool
) -> None:
    asked_at = NOW - minutes(asked_before) if asked_before is not None else None
    assert rules.ask_due(NOW - minutes(age), asked_at, NOW) is due


@pytest.mark.parametrize(
    ("age", "tries", "due"),
    [(0.9, 0, False), (1, 0, True), (1, 1, False), (2, 1, True), (31, 5, False), (32, 5, True),
     (59, 6, False), (60, 6, True), (59, 900, False), (60, 900, True)],
)  # fmt: skip
def test_rule_2_a_failed_event_stays_due(age: float, tries: int, due: bool) -> None:
    assert rules.event_due(NOW - minutes(age), tries, NOW) is due


@pytest.mark.parametrize(
    ("event_ago", "ended_ago", "silent"),
    [
        (None, None, False),
        (5, None, False),
        (None, 5, False),
        (None, 11, True),
        (12, 11, False),
        (60, 11, True),
        (4 * 24 * 60, 11, True),
    ],
)
def test_rule_7_silence_is_a_session_that_ended_without_an_event(
    event_ago: float | None, ended_ago: float | None, silent: bool
) -> None:
    at = {n: NOW - minutes(n) for n in (event_ago, ended_ago) if n is not None}
    event, ended = (at.get(n) if n is not None else None for n in (event_ago, ended_ago))
    assert rules.is_silent(event, ended, NOW) is silent


def build(offer: Offer = OFFER) -> dict[str, Any]:
    return rules.build_params(offer, tag="tag", expires_at=NOW + rules.LIFETIME)


def test_rule_13_a_session_ends_35_minutes_after_it_is_asked_for() -> None:
    assert build()["expires_at"] - NOW.timestamp() == 35 * 60


def test_the_mark_is_on_the_session_and_on_the_payment() -> None:
    params = build()
    assert params["metadata"] == {"regsys_attempt": "tag", "order": "ABC234"}
    assert params["payment_intent_data"]["metadata"] == params["metadata"]
    assert params["allowed_payment_method_types"] == ["card"]
    assert params["submit_type"] == "book"


def sums(offer: Offer) -> list[tuple[str, int]]:
    lines = build(offer)["line_items"]
    assert all(line["quantity"] == 1 for line in lines)
    return [
        (line["price_data"]["product_data"]["name"], line["price_data"]["unit_amount"])
        for line in lines
    ]


@pytest.mark.parametrize(
    ("lines", "amount"),
    [
        ([("Place", 92000), ("Code", -10000)], 82000),
        ([("Place", 92000)], 46000),
        ([("", 92000)], 92000),
        ([(f"Place {n}", 100) for n in range(101)], 10100),
    ],
)
def test_lines_that_are_no_plain_prices_become_one(
    lines: list[tuple[str, int]], amount: int
) -> None:
    offer = dataclasses.replace(OFFER, lines=lines, amount=amount)
    assert sums(offer) == [("ABC234 · Introductory Intensive", amount)]


def test_plain_lines_stand_on_the_page_without_free_ones() -> None:
    lines = [("Standard place", 92000), ("Free place", 0), ("L" * 300, 92000)]
    offer = dataclasses.replace(OFFER, lines=lines)
    assert sums(offer) == [("Standard place", 92000), ("L" * 250, 92000)]


@pytest.mark.parametrize(
    ("change", "reused"),
    [
        ({}, True),
        ({"amount": 92000, "lines": [("Standard place", 92000)]}, False),
        ({"email": "other@example.org"}, False),
        ({"currency": "EUR"}, False),
    ],
)
def test_rule_17_another_amount_or_address_is_another_attempt(
    change: dict[str, Any], reused: bool
) -> None:
    new = build(dataclasses.replace(OFFER, **change))
    end = NOW + rules.LIFETIME
    assert rules.may_reuse(build(), new, expires_at=end, now=NOW) is reused


@pytest.mark.parametrize(("left", "reused"), [(35, True), (5, True), (4.9, False), (-1, False)])
def test_rule_14_a_session_about_to_end_is_not_offered_again(left: float, reused: bool) -> None:
    end = NOW + minutes(left)
    assert rules.may_reuse(build(), build(), expires_at=end, now=NOW) is reused


@given(currency=st.sampled_from(sorted(list_currencies())), units=st.integers(1, 10**8))
@settings(max_examples=600, deadline=None, derandomize=True)
def test_rule_28_amounts_come_back_as_they_went(currency: str, units: int) -> None:
    """Any amount in any currency goes to Stripe, is paid there, and is the same amount here."""
    amount = units * money.unit(currency)
    offer = dataclasses.replace(OFFER, currency=currency, lines=[("Place", amount)], amount=amount)
    price = build(offer)["line_items"][0]["price_data"]
    assert price["currency"] == currency.lower()
    session = dataclasses.replace(
        PAID, amount_total=price["unit_amount"], currency=price["currency"]
    )
    assert rules.judge(session, Asked(amount, currency, livemode=False)) is Verdict.PAID
    assert rules.received(session) == (amount, currency)


@pytest.mark.parametrize(
    ("currency", "amount", "sent"),
    [("USD", 920, 920), ("JPY", 920, 920), ("KWD", 920, 920), ("ISK", 920, 92000),
     ("UGX", 920, 92000), ("EUR", 920, 920), ("RSD", 920, 92000), ("CLP", 920, 920)],
)  # fmt: skip
def test_rule_28_stripe_gets_its_own_units(currency: str, amount: int, sent: int) -> None:
    offer = dataclasses.replace(OFFER, currency=currency, lines=[("Place", amount)], amount=amount)
    assert sums(offer) == [("Place", sent)]


@pytest.mark.parametrize(
    ("amount", "currency", "taken"),
    [
        (50, "USD", True), (49, "USD", False), (30, "GBP", True), (29, "GBP", False),
        (50, "JPY", True), (49, "JPY", False), (17499, "HUF", False), (17500, "HUF", True),
        (1500, "CZK", True), (250, "DKK", True), (249, "DKK", False), (300, "SEK", True),
        (400, "HKD", True), (399, "HKD", False), (999, "MXN", False), (1000, "THB", True),
        (1230, "KWD", True), (1235, "KWD", False), (0, "USD", False), (-5, "USD", False),
    ],
)  # fmt: skip
def test_rule_30_below_the_minimum_nothing_is_charged(
    amount: int, currency: str, taken: bool
) -> None:
    assert money.chargeable(amount, currency) is taken


def test_rule_30_the_refusal_names_the_amount() -> None:
    refusal = rules.not_chargeable(49, "USD")
    assert (refusal.name, refusal.facts) == ("NotChargeable", {"amount": "$0.49"})


@pytest.mark.parametrize(
    ("status", "state"),
    [("succeeded", "succeeded"), ("pending", "pending"), ("requires_action", "pending"),
     ("failed", "failed"), ("canceled", "failed"), ("something_new", "pending")],
)  # fmt: skip
def test_a_refund_has_our_word_for_stripes(status: str, state: str) -> None:
    assert rules.refund_state(status) == state


@pytest.mark.parametrize(("hours", "looks"), [(0, False), (19, False), (20, True), (48, True)])
def test_an_old_refund_is_looked_up_before_it_is_asked_again(hours: int, looks: bool) -> None:
    assert rules.must_look_first(NOW - timedelta(hours=hours), NOW) is looks


@pytest.mark.parametrize(
    ("address", "kept"),
    [("a@example.org", "a@example.org"), ("ä@example.org", ""), ("", ""), ("nobody", "")],
)
def test_an_address_that_stripe_would_refuse_is_not_sent(address: str, kept: str) -> None:
    assert rules.usable_email(address) == kept


def test_no_address_no_parameter() -> None:
    assert "customer_email" not in build(dataclasses.replace(OFFER, email=""))


@pytest.mark.parametrize(
    ("currency", "switched_on", "methods"),
    [
        ("USD", (), ["card"]),
        ("USD", ("us_bank_account", "sepa_debit"), ["card", "us_bank_account"]),
        ("EUR", ("us_bank_account", "sepa_debit"), ["card", "sepa_debit"]),
        ("GBP", ("us_bank_account", "sepa_debit"), ["card"]),
    ],
)
def test_rule_19_each_delayed_method_has_one_currency(
    currency: str, switched_on: tuple[str, ...], methods: list[str]
) -> None:
    assert rules.methods_for(currency, switched_on) == methods
