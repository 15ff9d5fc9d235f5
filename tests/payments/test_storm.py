"""Whatever happens in whatever order: places, money, Stripe's books and letters agree after every step.

Hypothesis draws the steps and prints the shortest story that breaks a promise. Some steps in every run, thousands
with `--long`.
"""

from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from regsys import verify
from regsys.kernel import clock as kernel_clock
from regsys.kernel.actors import SYSTEM
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import Refused
from regsys.ledger import queries as ledger_queries
from regsys.ledger import services as ledger
from regsys.ledger.models import Payment
from regsys.payments import services
from regsys.payments.jobs import catch_up, poll
from regsys.payments.settle import execute_refund
from regsys.registration.jobs import HANDLERS
from tests.payments.conftest import run_stripe
from tests.payments.shop import Placed, Shop
from tests.sandbox.control import Sandbox
from tests.support import rawsql

SEED = 20261124
PLACES = 2
MOST_ORDERS = 6


@pytest.fixture
def stripe(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Run a stand-in of each test's own: its clock goes forward only, as Stripe's does."""
    yield from run_stripe(tmp_path_factory)


class Storm(RuleBasedStateMachine):
    """One event of two places, and everything that can happen to those who want them."""

    shop: Shop
    url: str
    steps: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.event_id = self.shop.event(size=PLACES)
        self.orders: list[Placed] = []
        self.sessions: list[tuple[Placed, str]] = []
        self.intents: list[str] = []
        self.disputes: list[str] = []
        for n in range(PLACES):
            self.register()
            self.press_pay(n)

    def _one(self, of: list[Any], n: int) -> Any:
        return of[n % len(of)] if of else None

    def _did(self, what: str) -> None:
        self.steps[what] += 1

    @precondition(lambda self: len(self.orders) < MOST_ORDERS)
    @rule()
    def register(self) -> None:
        try:
            self.orders.append(self.shop.order(self.event_id))
            self._did("register")
        except Refused:
            db.session.rollback()
            self._did("full")

    @rule(n=st.integers(0, 9))
    def press_pay(self, n: int) -> None:
        order = self._one(self.orders, n)
        if order is None:
            return
        answer = self.shop.click_pay(order)
        assert answer.status_code in (200, 303, 409, 422), answer.text
        where = answer.location or ""
        if where.startswith(self.shop.sandbox.url):
            pair = (order, where.rsplit("/", 1)[-1].split("?")[0])
            if pair not in self.sessions:
                self.sessions.append(pair)
                self._did("open")

    @precondition(lambda self: self.sessions)
    @rule(n=st.integers(0, 9))
    def pay(self, n: int) -> None:
        """Pay at a page, however old; Stripe lets only an open one be paid."""
        pair = self._one(self.sessions, n)
        if pair is None:
            return
        done = self.shop.control.pay(pair[1], deliver="never")
        intent = done["session"]["payment_intent"]
        if intent and intent not in self.intents and done["session"]["payment_status"] == "paid":
            self.intents.append(intent)
            self._did("pay")

    @rule(n=st.integers(0, 9))
    def come_back(self, n: int) -> None:
        pair = self._one(self.sessions, n)
        if pair:
            assert self.shop.come_back(*pair).status_code in (200, 303)
            self._did("come back")

    @precondition(lambda self: self.intents)
    @rule(n=st.integers(0, 20))
    def hear(self, n: int) -> None:
        """Deliver any event of ours, old or new."""
        mine = {s for _, s in self.sessions} | set(self.intents)
        told = [e for e in self.shop.control.events() if self._about(e) & mine]
        event = self._one(told, n)
        if event:
            assert self.shop.deliver(event) == 200
            self._did("hear")

    @staticmethod
    def _about(event: dict[str, Any]) -> set[str]:
        about = event["data"]["object"]
        return {about["id"], str(about.get("payment_intent"))}

    @rule(n=st.integers(0, 9))
    def end_page(self, n: int) -> None:
        pair = self._one(self.sessions, n)
        if pair and self._is_open(pair[1]):
            self.shop.control.expire(pair[1])
            self._did("page ended")

    def _is_open(self, session: str) -> bool:
        return self.shop.sandbox.client().v1.checkout.sessions.retrieve(session).status == "open"

    @rule(minutes=st.sampled_from([1, 4, 31, 40]))
    def time_passes(self, minutes: int) -> None:
        self.shop.clock.move(minutes=minutes)
        self._did("time")

    @rule()
    def work(self) -> None:
        """Let the worker do its minute."""
        for handler in HANDLERS.values():
            handler({})
        poll({})
        self._did("work")

    @precondition(lambda self: self.intents)
    @rule(n=st.integers(0, 9), part=st.integers(1, 4))
    def give_back(self, n: int, part: int) -> None:
        payment = self._payment(n)
        if payment is None:
            return
        try:
            with transaction():
                refund = ledger.request_refund(
                    payment.id, amount=payment.amount // part, reason="asked",
                    actor=SYSTEM, now=self.shop.clock.now,
                )  # fmt: skip
            execute_refund(refund.id)
            self._did("refund")
        except Refused:
            self._did("refund refused")

    def _payment(self, n: int) -> Payment | None:
        self.shop.fresh()
        ids = [o.id for o in self.orders]
        found: Payment | None = self._one(ledger_queries.payments_of(ids), n)
        return found

    @precondition(lambda self: self.intents)
    @rule(n=st.integers(0, 9))
    def give_back_in_dashboard(self, n: int) -> None:
        intent = self._one(self.intents, n)
        if intent and self._left(intent) > 0 and not self.disputes:
            self.shop.control.refund_in_dashboard(intent, max(1, self._left(intent) // 2))
            self._did("dashboard refund")

    @precondition(lambda self: self.intents)
    @rule(n=st.integers(0, 9))
    def contest(self, n: int) -> None:
        intent = self._one(self.intents, n)
        if intent and self._left(intent) > 0 and not self.disputes:
            self.disputes.append(self.shop.control.dispute(intent)["id"])
            self._did("dispute")

    @rule(n=st.integers(0, 9))
    def cancel(self, n: int) -> None:
        order = self._one(self.orders, n)
        if order is None:
            return
        try:
            with transaction():
                refunds = services.cancel_person(
                    order.registrations[0], event_id=self.event_id, amount=92000,
                    reason="asked", actor=SYSTEM, now=self.shop.clock.now,
                )  # fmt: skip
            for refund in refunds:
                execute_refund(refund)
            self._did("cancel")
        except Refused:
            self._did("cancel refused")

    def _charge(self, intent: str) -> Any:
        v1 = self.shop.sandbox.client().v1
        return v1.charges.list({"payment_intent": intent}).data[0]

    def _left(self, intent: str) -> int:
        charge = self._charge(intent)
        return int(charge.amount - charge.amount_refunded)

    @invariant()
    def no_place_is_sold_twice(self) -> None:
        self.shop.fresh()
        assert len(rawsql.live_places(self.url, self.event_id)) <= PLACES

    @invariant()
    def nobody_is_confirmed_twice(self) -> None:
        for order in self.orders:
            assert self.shop.confirmations(order) <= 1

    def teardown(self) -> None:
        """Let everything come to rest without another event, and hold it against Stripe's books."""
        for _ in range(3):
            self.shop.clock.move(minutes=61)
            self.work()
            catch_up({})
        self.shop.fresh()
        ours = 0
        for order in self.orders:
            sums = ledger_queries.sums_of([order.id])[order.id]
            ours += sums.paid - sums.refunded + sums.quarantined
        theirs = sum(self._left(intent) for intent in self.intents)
        assert ours == theirs, f"{ours} in our ledger, {theirs} at Stripe"
        found = [s for s in verify.examine(now=kernel_clock.now()) if isinstance(s, verify.Said)]
        db.session.rollback()
        # No worker posts letters here.
        wrong = [
            s.sentence for s in found if not s.fine and "queued for too long" not in s.sentence
        ]
        assert wrong == []


@pytest.mark.parametrize(
    ("stories", "steps"),
    [pytest.param(8, 50, id="some"), pytest.param(100, 50, id="many", marks=pytest.mark.long)],
)
def test_money_places_and_letters_agree_after_any_story(
    shop: Shop, settings_of_run: Any, stories: int, steps: int, capsys: pytest.CaptureFixture[str]
) -> None:
    counted: Counter[str] = Counter()
    machine = type("Storm", (Storm,), {"shop": shop, "url": settings_of_run, "steps": counted})
    seed(SEED)(machine)
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=stories, stateful_step_count=steps, deadline=None, database=None,
            phases=(Phase.generate,), suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
    with capsys.disabled():
        print(f"\nseed {SEED}: {sum(counted.values())} steps: {dict(counted)}")
    assert counted["pay"]
    assert counted["open"] > stories // 2


@pytest.fixture
def settings_of_run(database: Any) -> str:
    """Return the address of the database, to count around the product."""
    return str(database.url)
