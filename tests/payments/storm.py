"""A story of money: one event of two places, and everything that can happen to those who want them.

Each step does one thing to the product, through its own doors where there is one, or to Stripe's stand-in. What must
always be true is asked after each of them with plain SQL, in our database and in Stripe's books.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule
from sqlalchemy import event, select
from sqlalchemy.orm import ORMExecuteState, Session, object_session

from regsys.events.models import Event
from regsys.kernel.actors import SYSTEM, payer
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import IllegalMove, Refused, UpstreamFailed
from regsys.ledger.models import Payment, Refund
from regsys.payments import queries, services
from regsys.payments.jobs import catch_up, poll
from regsys.payments.models import PaymentAttempt
from regsys.payments.settle import execute_refund, settle
from regsys.policies import services as policies
from regsys.policies.rules import Allowed, read
from regsys.registration import services as registering
from regsys.registration.jobs import HANDLERS
from regsys.registration.models import HandOver, Registration
from tests import cast
from tests.payments.shop import Placed, Shop
from tests.support import rawsql
from tests.support.processes import dies

PLACES = 2
MOST_ORDERS = 7
PRICE = 92000
GOOD, PENDING, FAILING = "4242424242424242", "4000000000007726", "4000000000005126"
ACCOUNT = "000123456789"
POINTS = (
    "attempt-committed", "session-created", "event-committed", "refund-requested", "refund-made",
)  # fmt: skip
MODELS = (Registration, HandOver, PaymentAttempt, Refund)
Edge = tuple[str, str, str]
N = st.integers(0, 11)
MEANS = st.sampled_from([GOOD, GOOD, GOOD, PENDING, FAILING, ACCOUNT])


@dataclass
class Edges:
    """The moves of states that were committed, counted."""

    taken: Counter[Edge] = field(default_factory=Counter)
    _waiting: dict[int, list[Edge]] = field(default_factory=dict)

    def __str__(self) -> str:
        lines = [f"{m} {f} → {t}: {n}" for (m, f, t), n in sorted(self.taken.items())]
        return f"{len(lines)} moves of {len(list_edges())} taken\n" + "\n".join(lines)

    def note(self, row: Any, to: Any, frm: Any) -> None:
        session = object_session(row)
        if session is not None and frm is not to:
            self._waiting.setdefault(id(session), []).append((type(row).__name__, frm, to))

    def note_update(self, asked: ORMExecuteState) -> Any:
        """Note what one statement has moved: it names the state from which, and returns the rows."""
        mapper = asked.bind_mapper
        if not asked.is_update or mapper is None or mapper.class_ not in MODELS:
            return None
        said = asked.statement.compile().params
        found = asked.invoke_statement().freeze()
        if found.data and "state" in said:
            edge = (mapper.class_.__name__, said["state_1"], said["state"])
            self._waiting.setdefault(id(asked.session), []).append(edge)
        return found()

    def commit(self, session: Session) -> None:
        self.taken.update(self._waiting.pop(id(session), []))

    def forget(self, session: Session) -> None:
        self._waiting.pop(id(session), None)

    @contextmanager
    def counting(self) -> Iterator[None]:
        """Listen for as long as this lasts."""

        def note(row: Any, to: Any, frm: Any, _initiator: object) -> None:
            self.note(row, to, frm)

        listeners: list[tuple[Any, str, Callable[..., Any], dict[str, bool]]] = [
            *((m.state, "set", note, {"active_history": True}) for m in MODELS),
            (Session, "do_orm_execute", self.note_update, {}),
            (Session, "after_commit", self.commit, {}),
            (Session, "after_rollback", self.forget, {}),
        ]
        for target, name, listener, how in listeners:
            event.listen(target, name, listener, **how)
        yield
        for target, name, listener, _ in listeners:
            event.remove(target, name, listener)


def list_edges() -> set[Edge]:
    """List every move that the tables allow."""
    return {(m.__name__, f, t) for m in MODELS for f, tos in m.MOVES.items() for t in tos}


# Our row and Stripe's book must name the same money; the last column says whose it is.
PAYMENTS = "SELECT reference, amount, lower(currency) FROM payment WHERE method = 'card' AND id > ?"
CHARGES = """
    SELECT json_extract(doc, '$.payment_intent'), json_extract(doc, '$.amount'), json_extract(doc, '$.currency')
    FROM object WHERE kind = 'charge' AND json_extract(doc, '$.status') = 'succeeded' AND seq > ?"""
OUR_REFUNDS = """
    SELECT stripe_id, amount, CASE WHEN state = 'failed' THEN 'failed' ELSE 'good' END FROM refund
    WHERE stripe_id <> '' AND id > ?"""
THEIR_REFUNDS = """
    SELECT id, json_extract(doc, '$.amount'),
           CASE WHEN json_extract(doc, '$.status') = 'failed' THEN 'failed' ELSE 'good' END
    FROM object WHERE kind = 'refund' AND seq > ?"""
TOO_MUCH = """
    SELECT p.id FROM payment p JOIN refund r ON r.payment_id = p.id
    WHERE r.state IN ('pending', 'succeeded') AND p.id > ?
    GROUP BY p.id, p.amount HAVING sum(r.amount) > p.amount"""
# What has happened, by the key of the one letter that says so, and the keys of all such letters.
LETTERS = {
    "confirm:": "SELECT 'confirm:' || subject_id FROM audit_entry"
    " WHERE action = 'registration.confirmed' AND id > ?",
    "cancelled:": "SELECT 'cancelled:' || a.subject_id FROM audit_entry a"
    " JOIN orders o ON o.id = a.order_id WHERE a.id > ? AND o.placed_at IS NOT NULL AND"
    " (a.action = 'registration.transferred'"
    " OR a.action = 'registration.cancelled' AND a.actor_kind <> 'payer')",
    "order-expired:": "SELECT DISTINCT 'order-expired:' || a.order_id FROM audit_entry a"
    " JOIN orders o ON o.id = a.order_id"
    " WHERE a.action = 'registration.expired' AND o.placed_at IS NOT NULL AND a.id > ?",
    "payment-failed:": "SELECT 'payment-failed:' || subject_id FROM audit_entry"
    " WHERE action = 'payment.failed' AND id > ?",
    "money-back:": "SELECT DISTINCT 'money-back:' || p.id FROM payment p JOIN audit_entry a"
    " ON a.subject_kind = 'payment' AND a.subject_id = p.id"
    " WHERE p.problem IN ('double', 'no_place') AND a.id > ?",
}


class Storm(RuleBasedStateMachine):
    """What happens, step by step; Hypothesis draws the steps, or somebody tells them by hand."""

    shop: Shop
    url: str
    steps: Counter[str]

    def __init__(self) -> None:
        super().__init__()
        self.books = f"sqlite:///{self.shop.sandbox.data / 'sandbox.sqlite'}"
        tables = ("payment", "refund", "audit_entry", "message")
        self.marks = {t: self._last(self.url, t, "id") for t in tables}
        self.mark = self._last(self.books, "object", "seq")
        self.event_id = cast.make_event(places=PLACES, types={"Standard": PRICE}).id
        self.free_id = cast.make_event(places=None, types={"Standard": 0}).id
        self.change_rules(asked=True)
        self.carts: list[Placed] = []
        self.orders: list[Placed] = []
        self.disputed = self.came_for_free = False

    @staticmethod
    def _last(url: str, table: str, key: str) -> int:
        return rawsql.number(url, f"SELECT coalesce(max({key}), 0) FROM {table}")

    def _one(self, of: Sequence[Any], n: int) -> Any:
        return of[n % len(of)] if of else None

    @contextmanager
    def _doing(self, what: str) -> Iterator[None]:
        """Count what happens, and what is refused: both are parts of a story."""
        try:
            yield
        except (Refused, IllegalMove, UpstreamFailed):
            db.session.rollback()
            what += " refused"
        self.steps[what] += 1

    # ---- carts and orders

    def _cart(self, event_id: int) -> Placed:
        self.shop.fresh()
        wanted = db.session.get_one(Event, event_id)
        order = cast.make_cart(wanted)
        name = f"Person{order.id} Nutkin"
        cast.fill_cart(order, [cast.a_person(name)])
        people = [r.id for r in cast.list_people(order)]
        return Placed(order.id, order.token, event_id, people)

    @rule()
    def take_cart(self) -> None:
        """Choose a place and say who comes."""
        if len(self.carts) + len(self.orders) < MOST_ORDERS:
            with self._doing("cart"):
                self.carts.append(self._cart(self.event_id))

    @rule(n=N)
    def place(self, n: int) -> None:
        cart = self._one(self.carts, n)
        if cart:
            with self._doing("place"):
                with transaction():
                    registering.place(cart.id, now=self.shop.clock.now)
                self.carts.remove(cart)
                self.orders.append(cart)

    @initialize()
    def begin(self) -> None:
        """Let two people register, and press Pay."""
        for n in range(PLACES):
            self.take_cart()
            self.place(n=0)
            self.press_pay(n=n)

    @rule(n=N)
    def leave_cart(self, n: int) -> None:
        cart = self._one(self.carts, n)
        if cart:
            with self._doing("leave cart"), transaction():
                registering.remove_from_cart(
                    cart.id, cart.registrations[0], now=self.shop.clock.now
                )

    @rule()
    def come_for_free(self) -> None:
        if not self.came_for_free:
            self.came_for_free = True
            with self._doing("free"):
                cart = self._cart(self.free_id)
                with transaction():
                    registering.place(cart.id, now=self.shop.clock.now)

    @rule(n=N)
    def take_off(self, n: int) -> None:
        """Let the payer take the person off before paying."""
        order = self._one(self.orders, n)
        if order:
            with self._doing("take off"), transaction():
                registering.remove_person(
                    order.id, order.registrations[0], actor=payer("Nutkin"), now=self.shop.clock.now
                )

    # ---- handing a place to a colleague

    @rule(asked=st.booleans())
    def change_rules(self, asked: bool) -> None:
        """Say for those who register from now on whether we want to be asked before a place is handed on."""
        self.shop.fresh()
        allowed = Allowed.APPROVAL if asked else Allowed.FREE
        with transaction():
            terms = read({"substitute": {"allowed": allowed}})
            row = db.session.get_one(Event, self.event_id)
            row.policy = policies.save_version(
                "Rules", terms, before=row.policy, actor=SYSTEM, now=self.shop.clock.now
            )

    @rule(n=N, what=st.sampled_from(["offer", "fill", "withdraw", "agree", "decline"]))
    def hand_over(self, n: int, what: str) -> None:
        """Do the next thing about a place that goes to a colleague, or one that is refused."""
        order = self._one(self.orders, n)
        if order:
            with self._doing(f"hand over: {what}"), transaction():
                self._hand_over(order, what)
            self._note_successor(order)

    def _hand_over(self, order: Placed, what: str) -> None:
        now, mine = self.shop.clock.now, order.registrations[0]
        found = HandOver.registration_id == mine
        row = db.session.scalar(select(HandOver).where(found).order_by(HandOver.id.desc()).limit(1))
        if what == "offer":
            registering.offer_hand_over(order.id, mine, actor=SYSTEM, now=now)
        elif what == "withdraw":
            registering.withdraw_hand_over(order.id, mine, actor=SYSTEM, now=now)
        elif row and what == "fill":
            who = cast.a_person(f"Colleague{row.id} Fenn")
            registering.fill_hand_over(row.id, who, about={}, actor=SYSTEM, now=now)
        elif row:
            registering.decide_hand_over(
                row.id, event_id=self.event_id, agreed=what == "agree", actor=SYSTEM, now=now
            )

    def _note_successor(self, order: Placed) -> None:
        """From now on the order's person is the colleague, where the place was handed on."""
        query = "SELECT successor_id FROM hand_over WHERE registration_id = ? AND state = 'done'"
        for (new,) in rawsql.rows(self.url, query, order.registrations[0]):
            order.registrations[0] = new

    # ---- paying

    def _press(self, order: Placed) -> None:
        answer = self.shop.click_pay(order)
        assert answer.status_code in (200, 303, 409, 422, 502), answer.text
        self.steps[f"press pay {answer.status_code}"] += 1

    @rule(n=N)
    def press_pay(self, n: int) -> None:
        order = self._one(self.orders, n)
        if order:
            self._press(order)

    def _session(self, n: int, *, wanted: str = "", paid: str = "") -> tuple[str, str, str] | None:
        """Return one of the pages with what Stripe says of it; `wanted`, `paid`: only of those that stand so."""
        query = (
            "SELECT id, json_extract(doc, '$.status'), json_extract(doc, '$.payment_status') FROM object"
            " WHERE kind = 'checkout.session' AND seq > ? ORDER BY seq"
        )
        found = [
            (i, status, money)
            for i, status, money in rawsql.rows(self.books, query, self.mark)
            if wanted in ("", status) and paid in ("", money)
        ]
        return self._one(found, n)  # type: ignore[no-any-return]

    @rule(n=N, means=MEANS, short=st.sampled_from([0, 0, 0, 1]))
    def pay(self, n: int, means: str = GOOD, short: int = 0) -> None:
        """Pay at a page, by card or from a bank account; Stripe may take another amount than we said."""
        page = self._session(n, wanted="open")
        if page:
            if short:
                self.shop.control.fail("pay", "wrong-amount", amount=PRICE - short)
            how = {"account": means} if means == ACCOUNT else {"card": means}
            done = self.shop.control.pay(page[0], deliver="never", **how)
            self.shop.control.clear_faults()
            self.steps["pay" if done["error"] is None else "pay declined"] += 1

    @rule(n=N, success=st.booleans())
    def bank_answers(self, n: int, success: bool) -> None:
        page = self._session(n, wanted="complete", paid="unpaid")
        if page and self._becomes(page[0]):
            self.shop.control.finish_delayed(page[0], success)
            self.steps[f"bank says {'yes' if success else 'no'}"] += 1

    def _becomes(self, thing: str) -> bool:
        """Tell whether Stripe has planned a second act."""
        query = "SELECT count(*) FROM object WHERE id = ? AND json_extract(inner, '$.becomes') IS NOT NULL"
        return rawsql.number(self.books, query, thing) > 0

    @rule(n=N)
    def end_page(self, n: int) -> None:
        page = self._session(n, wanted="open")
        if page:
            self.shop.control.expire(page[0])
            self.steps["page ended"] += 1

    @rule(n=N)
    def come_back(self, n: int) -> None:
        """Come back from any page to any order's: only its own is believed."""
        page, order = self._session(n), self._one(self.orders, n)
        if page and order:
            assert self.shop.come_back(order, page[0]).status_code in (200, 303, 404)
            self.steps["come back"] += 1

    @rule(n=N)
    def contradict(self, n: int) -> None:
        """Let Stripe say once that a page has ended, which is not so; the truth comes with a later event."""
        page = self._session(n)
        if page and page[1] in ("open", "complete"):
            self.shop.control.edit(page[0], status="expired")
            with self._doing("contradicted"):
                settle(session_id=page[0])
            self.shop.control.edit(page[0], status=page[1])

    @rule(n=N)
    def pay_in_other_mode(self, n: int) -> None:
        """Press Pay while somebody has put in the key of the other mode: what was open is given up."""
        order = self._one(self.orders, n)
        if order:
            kept = self.shop.app.extensions
            known, client = kept["regsys.settings"], kept.pop("regsys.stripe", None)
            # Not checked: with such a key a start would refuse the stand-in, which refuses the key.
            kept["regsys.settings"] = replace(known, STRIPE_SECRET_KEY="sk_live_" + "0" * 24)
            self._press(order)
            kept["regsys.settings"], kept["regsys.stripe"] = known, client
            self.steps["pressed pay with another key"] += 1

    # ---- hearing of it

    def _events(self) -> list[dict[str, Any]]:
        query = "SELECT doc FROM object WHERE kind = 'event' AND seq > ? ORDER BY seq"
        return [json.loads(doc) for (doc,) in rawsql.rows(self.books, query, self.mark)]

    @rule(n=st.integers(0, 40))
    def hear(self, n: int) -> None:
        """Deliver any event, old or new."""
        told = self._one(self._events(), n)
        if told:
            assert self.shop.deliver(told) == 200
            self.steps["hear"] += 1

    def hear_all(self) -> None:
        """Deliver all events, the newest first."""
        for told in reversed(self._events()):
            assert self.shop.deliver(told) == 200

    @rule(minutes=st.sampled_from([1, 4, 11, 31, 40]))
    def time_passes(self, minutes: int) -> None:
        self.shop.clock.move(minutes=minutes)
        self.steps["time"] += 1

    @rule()
    def work(self) -> None:
        """Let the worker do its minute."""
        self._minute()
        self.steps["work"] += 1

    def _minute(self) -> None:
        for handler in (*HANDLERS.values(), poll):
            handler({})

    # ---- giving back

    def _payment(self, n: int) -> Payment | None:
        self.shop.fresh()
        query = select(Payment).where(Payment.id > self.marks["payment"]).order_by(Payment.id)
        found: Payment | None = self._one(list(db.session.scalars(query)), n)
        return found

    @rule(n=N, part=st.integers(1, 4))
    def give_back(self, n: int, part: int) -> None:
        """Let an organizer give a part of a payment back."""
        payment = self._payment(n)
        if payment:
            with self._doing("refund"):
                with transaction():
                    made = services.give_back(
                        payment.order_id, [payment.id], amount=payment.amount // part,
                        seen=queries.see_money(payment.order_id), reason="asked", actor=SYSTEM,
                        now=self.shop.clock.now,
                    )  # fmt: skip
                for refund in made:
                    execute_refund(refund)

    def _charges(self) -> list[tuple[str, int, str]]:
        return rawsql.rows(self.books, CHARGES, self.mark)  # type: ignore[return-value]

    @rule(n=N, part=st.integers(1, 2))
    def give_back_in_dashboard(self, n: int, part: int) -> None:
        charge = self._one(self._charges(), n)
        if charge and not self.disputed:
            left = charge[1] - sum(
                a for _, a, s, i in self._theirs() if s == "good" and i == charge[0]
            )
            if left > 0:
                self.shop.control.refund_in_dashboard(charge[0], max(1, left // part))
                self.steps["dashboard refund"] += 1

    def _theirs(self) -> list[tuple[str, int, str, str]]:
        query = THEIR_REFUNDS.replace(
            "FROM object", ", json_extract(doc, '$.payment_intent') FROM object"
        )
        return rawsql.rows(self.books, query, self.mark)  # type: ignore[return-value]

    @rule(n=N, fails=st.booleans())
    def bank_answers_refund(self, n: int, fails: bool) -> None:
        """Let a refund go on at Stripe: to its second act, or to its failure."""
        refund = self._one(self._theirs(), n)
        if refund:
            if fails:
                self.shop.control.fail_refund(refund[0])
            elif self._becomes(refund[0]):
                self.shop.control.advance_refund(refund[0])
            self.steps["refund goes on"] += 1

    @rule(n=N)
    def contest(self, n: int) -> None:
        charge = self._one(self._charges(), n)
        given = {i for *_, s, i in self._theirs() if s == "good"}
        if charge and charge[0] not in given and not self.disputed:
            self.disputed = True
            self.shop.control.dispute(charge[0])
            self.steps["dispute"] += 1

    @rule(n=N)
    def cancel(self, n: int) -> None:
        order = self._one(self.orders, n)
        if order:
            with self._doing("cancel"):
                for refund in self._cancel(order):
                    execute_refund(refund)

    def _cancel(self, order: Placed) -> list[int]:
        with transaction():
            return services.cancel_person(
                order.registrations[0], event_id=self.event_id, amount=PRICE,
                reason="asked", actor=SYSTEM, now=self.shop.clock.now,
            )  # fmt: skip

    # ---- dying

    @rule(n=N, point=st.sampled_from(POINTS))
    def die(self, n: int, point: str) -> None:
        """Let a process die at a named point, at whatever brings it there."""
        order, told = self._one(self.orders, n), self._one(self._events(), n)

        def work() -> None:
            if point in ("attempt-committed", "session-created") and order:
                self.shop.click_pay(order)
            if point == "refund-made":
                self.give_back(n=n, part=2)
            if point in ("event-committed", "refund-requested") and told:
                self.shop.deliver(told)
            self._minute()

        killed = dies(self.shop.app, point, work, folder=self.shop.sandbox.data)
        self.steps[f"died at {point}" if killed else "did not die"] += 1

    # ---- what must be true

    @invariant()
    def no_place_is_sold_twice(self) -> None:
        live = rawsql.live_places(self.url, self.event_id)
        assert len(live) == len(set(live)) <= PLACES

    @invariant()
    def our_ledger_holds_nothing_that_stripe_does_not(self) -> None:
        ours = rawsql.rows(self.url, PAYMENTS, self.marks["payment"])
        assert len(ours) == len(set(ours))
        assert set(ours) <= set(self._charges())
        refunds = rawsql.rows(self.url, OUR_REFUNDS, self.marks["refund"])
        told = {(i, a) for i, a, _ in rawsql.rows(self.books, THEIR_REFUNDS, self.mark)}
        assert len({i for i, _, _ in refunds}) == len(refunds)
        assert {(i, a) for i, a, _ in refunds} <= told
        assert rawsql.rows(self.url, TOO_MUCH, self.marks["payment"]) == []

    @invariant()
    def every_move_is_told_once(self) -> None:
        query = "SELECT key FROM message WHERE id > ? ORDER BY key"
        keys = [k for (k,) in rawsql.rows(self.url, query, self.marks["message"])]
        assert len(keys) == len(set(keys))
        for prefix, moved in LETTERS.items():
            happened = [k for (k,) in rawsql.rows(self.url, moved, self.marks["audit_entry"])]
            assert sorted(happened) == [k for k in keys if k.startswith(prefix)], prefix

    def rest(self) -> None:
        """Let banks answer, and everything come to rest without another event: our ledger is then Stripe's books."""
        query = "SELECT id, kind FROM object WHERE json_extract(inner, '$.becomes') IS NOT NULL AND seq > ?"
        for waiting, kind in rawsql.rows(self.books, query, self.mark):
            if kind == "refund":
                self.shop.control.advance_refund(waiting)
            else:
                self.shop.control.finish_delayed(waiting, True)
        for _ in range(2):
            self.shop.clock.move(minutes=61)
            self._minute()
            catch_up({})
        assert sorted(rawsql.rows(self.url, PAYMENTS, self.marks["payment"])) == sorted(
            self._charges()
        )
        ours = rawsql.rows(self.url, OUR_REFUNDS, self.marks["refund"])
        assert sorted(ours) == sorted(rawsql.rows(self.books, THEIR_REFUNDS, self.mark))
        waiting = (
            "SELECT count(*) FROM refund WHERE stripe_id = '' AND state <> 'failed' AND id > ?"
        )
        assert rawsql.number(self.url, waiting, self.marks["refund"]) == 0

    def check(self) -> None:
        """Ask everything that must be true: Hypothesis does so by itself."""
        self.no_place_is_sold_twice()
        self.our_ledger_holds_nothing_that_stripe_does_not()
        self.every_move_is_told_once()

    def teardown(self) -> None:
        self.rest()
        self.check()
