"""The house in which orders live: four events, their rules, a code, a fund; and how a step of a story is told.

A step does one thing as people do it: through the page that shows what will happen, or the verb behind it. Before and
after each the books are read: what went back is what the page has shown, and what the rules of the story give, worked
out by hand. A story is a list of (step, number); the number draws everything that the step has to choose.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime, timedelta
from random import Random
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from regsys.aid import services as aid
from regsys.discounts.models import Code
from regsys.discounts.services import Plan, make_code
from regsys.events import queries as events
from regsys.events.kinds import InvoiceTerms, OptionKind, Proof
from regsys.events.models import Event
from regsys.events.services import OptionPlan, set_options
from regsys.kernel.actors import ANONYMOUS, SYSTEM
from regsys.kernel.db import db, transaction
from regsys.kernel.errors import IllegalMove, Refused, UpstreamFailed
from regsys.kernel.text import email_key
from regsys.members.models import Member
from regsys.members.queries import find_proof
from regsys.payments.models import PaymentAttempt
from regsys.payments.states import AttemptState
from regsys.policies import services as policies
from regsys.policies.rules import read
from regsys.registration import services as registering
from regsys.registration.models import Order, Registration
from regsys.registration.states import RegistrationState as S
from tests import cast
from tests.payments.life_rules import POLICIES, Rules, Truth
from tests.payments.shop import Shop
from tests.support import rawsql

Step = tuple[str, int]
PLACES = 3
MOST_LIVE = 6
PRICES = {"Standard": 92000, "Member": 80000, "Trainee": 61000}
PROOFS = {"Member": Proof.MEMBER, "Trainee": Proof.TRAINEE}
ELSEWHERE = {"dearer": 118000, "cheaper": 60000, "equal": 92000}
SLEEP = "Where you sleep"
OPTIONS = [
    OptionPlan(name="Single", choice=SLEEP, kind=OptionKind.ROOM, price=24000, size=1),
    OptionPlan(name="No room", choice=SLEEP, kind=OptionKind.ROOM, price=0),
    OptionPlan(name="Dinner", kind=OptionKind.MEAL, price=3200, size=2),
]
BUDGET = 70000


SPENT = "SELECT coalesce(sum(credit_used), 0) FROM registration WHERE code_id = ? AND state <> 'expired'"
THERE = """
    SELECT count(*) FROM registration WHERE event_id = ? AND email_key = ?
    AND state IN ('draft', 'awaiting_payment', 'confirmed')"""
GIVEN = """
    SELECT c.code, c.amount, r.email FROM registration r
    LEFT JOIN discount_code c ON c.id = r.credit_id WHERE r.id = ?"""


class House:
    """One story: its four events, who buys there, and how its steps are taken."""

    shop: Shop
    url: str
    steps: Counter[str]
    told = 0

    def __init__(self, number: int) -> None:
        type(self).told += 1
        self.number = number
        self.rules: Rules = POLICIES[number % len(POLICIES)]
        books = f"sqlite:///{self.shop.sandbox.data / 'sandbox.sqlite'}"
        self.truth = Truth.begin(self.url, books)
        self.people = 0
        self.signed_in_at: datetime | None = None
        self.expected: Counter[int] = Counter()  # order → what this step may give back
        self.promised: dict[int, tuple[int, int]] = {}  # person → what more was shown to come back
        self.credits: dict[str, str] = {}  # code → the address that may use it
        self.shown_credits: dict[int, int] = {}  # person → what was shown to become a credit
        self._build()

    # ---- the house

    def _build(self) -> None:
        self.shop.fresh()
        held = self.number % 2
        terms = InvoiceTerms.HELD if held else InvoiceTerms.CONFIRMED
        kinds = {"places": PLACES, "types": PRICES, "invoices": terms, "invoice_days": 20}
        main = cast.make_event(**kinds)
        others = {
            name: cast.make_event(
                places=2, types={"Standard": price}, invoices=InvoiceTerms.CONFIRMED,
                starts_at=main.starts_at + timedelta(days=14 * n),
                ends_at=main.starts_at + timedelta(days=14 * n + 2),
            )
            for n, (name, price) in enumerate(ELSEWHERE.items(), start=1)
        }  # fmt: skip
        now = self.shop.clock.now
        with transaction():
            policy = policies.save_version(
                f"Rules {self.told}", read(self.rules), before=None, actor=SYSTEM, now=now
            )
            for event in (main, *others.values()):
                event.policy = policy
            for t in main.ticket_types:
                t.proof = PROOFS.get(t.name, Proof.NONE)
            ids = [main.id, *(e.id for e in others.values())]
            set_options(main.id, OPTIONS, version=None, actor=SYSTEM, now=now)
            plan = Plan(code=f"LIFE{self.told}", percent=1250, event_ids=ids, uses=2)
            make_code(plan, scope=None, actor=SYSTEM, now=now)
            fund = aid.Plan(name="Help", budget=BUDGET, currency="USD", event_ids=[main.id])
            aid.make_fund(fund, actor=SYSTEM, now=now)
        self.main, self.code = main.id, plan.code
        self.others = {name: e.id for name, e in others.items()}
        self.starts = {e.id: e.starts_at for e in (main, *others.values())}
        self.options = {o.name: o.id for o in events.list_options([main.id])}

    def _person(self, email: str | None = None) -> registering.Person:
        self.people += 1
        return cast.a_person(f"Life{self.told}x{self.people} Nutkin", email)

    # ---- telling

    def take(self, name: str, number: int) -> bool:
        """Take one step, if there is something that it can be about; then ask everything that must be true."""
        self.shop.fresh()
        self.expected, before = Counter(), self.truth.last_refund()
        self.shown_credits = {}
        done: bool | None = False
        with self._refusing(name):
            done = getattr(self, name)(Random(number))
            self.steps[name] += bool(done)
        if done is not None:
            self.look(before)
        return bool(done)

    def look(self, before: int) -> None:
        """Ask everything that must be true after a step."""
        self._compare(before)
        self._look_at_credits()
        self.truth.check()

    @contextmanager
    def _refusing(self, name: str) -> Iterator[None]:
        """Count what is refused: that is a part of a story, too."""
        try:
            yield
        except (Refused, IllegalMove, UpstreamFailed) as e:
            db.session.rollback()
            refusal = e.refusal.name if isinstance(e, Refused) else type(e).__name__
            self.steps[f"{name}: {refusal}"] += 1

    def _compare(self, before: int) -> None:
        """Hold what was given back against what was shown: to the cent, and nothing besides.

        Money that nobody can use goes back by itself whenever it is heard of, as a whole.
        """
        made: Counter[int] = Counter()
        for _id, order, _person, n, problem, came, *_more in self.truth.refunds_after(before):
            if problem in ("double", "no_place"):
                assert n == came
                self.steps[f"goes back: {problem}"] += 1
            else:
                made[order] += n
        assert +made == +self.expected

    def _look_at_credits(self) -> None:
        """Hold the credits of those who have left against what was shown, and remember them."""
        for person, worth in self.shown_credits.items():
            [(code, amount, email)] = rawsql.rows(self.url, GIVEN, person)
            assert (amount or 0) == worth
            if code:
                self.credits[code] = email

    def _desk(self) -> FlaskClient:
        """Return the browser of a registrar, who signs in anew when time has passed."""
        if self.signed_in_at != self.shop.clock.now:
            self.signed_in_at, self.browser = self.shop.clock.now, self.shop.client
            cast.sign_in(self.browser, "registrar")
        return self.browser

    # ---- who there is

    def _orders(self) -> list[Order]:
        query = select(Order).where(Order.id > self.truth.marks["orders"]).order_by(Order.id)
        people = joinedload(Order.registrations)
        query = query.options(
            people.joinedload(Registration.event), people.joinedload(Registration.policy)
        ).execution_options(populate_existing=True)
        return list(db.session.scalars(query).unique())

    def _registrations(self, *states: S) -> list[Registration]:
        return [
            r for o in self._orders() if o.placed_at for r in o.registrations if r.state in states
        ]

    def _money(self, order_id: int) -> tuple[int, int]:
        total, net, *_more = self.truth.orders()[order_id]
        return total, net

    def _owing(self) -> list[Order]:
        money = self.truth.orders()
        return [o for o in self._orders() if o.placed_at and money[o.id][0] > money[o.id][1]]

    def _page(self, order_id: int) -> tuple[str, int] | None:
        """Return the payment page (session, amount) that is open for an order."""
        query = select(PaymentAttempt.session_id, PaymentAttempt.amount)
        query = query.where(
            PaymentAttempt.order_id == order_id, PaymentAttempt.state == AttemptState.OPEN
        )
        row = db.session.execute(query).first()
        return (row[0], row[1]) if row else None

    # ---- buying

    def buy(self, draw: Random) -> bool | None:
        """Take a place, with what goes with it: another price, a room, a code."""
        if len(self._registrations(S.AWAITING_PAYMENT, S.CONFIRMED)) >= MOST_LIVE:
            return None
        kind = draw.choice(["Standard", "Standard", "Member", "Trainee"])
        size = draw.choice([1, 1, 2]) if kind == "Standard" else 1
        order = self._cart(self.main, kind, [self._person() for _ in range(size)])
        self._choose(order, draw, kind)
        if draw.random() < 0.4:
            with self._refusing("code"), transaction():
                registering.apply_code(order, self.code, actor=ANONYMOUS, now=self.shop.clock.now)
                self.steps["code"] += 1
        self._place(order)
        self.steps[f"price: {kind}"] += 1
        return True

    def buy_elsewhere(self, draw: Random) -> bool:
        event_id = draw.choice(list(self.others.values()))
        self._place(self._cart(event_id, "Standard", [self._person()]))
        return True

    def _cart(self, event_id: int, kind: str, people: Sequence[registering.Person]) -> int:
        """Put places into a cart and say who comes; the first pays."""
        event, now = db.session.get_one(Event, event_id), self.shop.clock.now
        type_id = next(t.id for t in event.ticket_types if t.name == kind)
        proof = self._member(people[0]) if kind == "Member" else None
        with transaction():
            order = registering.put_in_cart(
                event_id, {type_id: len(people)}, cart_id=None, minutes=30, now=now, proof=proof
            )
        cast.fill_cart(order, people)
        return order.id

    def _member(self, who: registering.Person) -> dict[str, Any] | None:
        now = self.shop.clock.now
        with transaction():
            member = Member(
                number=f"M{self.told}-{self.people}", name="", email=who.email,
                email_key=email_key(who.email), valid_until=now.date() + timedelta(days=900),
                created_at=now, changed_at=now,
            )  # fmt: skip
            db.session.add(member)
            db.session.flush()
            return find_proof(member.id, now=now, today=now.date())

    def _choose(self, order_id: int, draw: Random, kind: str) -> None:
        people = cast.list_people(db.session.get_one(Order, order_id))
        wishes = {}
        for r in people:
            room = draw.choice(["Single", "No room", "No room"])
            wishes[r.id] = {self.options[room]: ""}
            if draw.random() < 0.4:
                wishes[r.id][self.options["Dinner"]] = ""
        words = {r.id: "Alder Family Medicine" for r in people} if kind == "Trainee" else {}
        for _again in range(2):
            try:
                with transaction():
                    wrong = registering.choose_options(
                        order_id, wishes, words=words, actor=ANONYMOUS, now=self.shop.clock.now
                    )
                if not wrong:
                    self.steps["options"] += any(len(w) > 1 for w in wishes.values())
                    return
            except Refused:
                db.session.rollback()
            # Somebody else has the room: without one, then.
            wishes = {r.id: {self.options["No room"]: ""} for r in people}
        raise AssertionError(wrong.wrong if wrong else "nothing can be chosen")

    def _place(self, order_id: int) -> None:
        with transaction():
            registering.place(order_id, now=self.shop.clock.now)

    def use_credit(self, draw: Random) -> bool | None:
        """Let somebody who has left with a credit take a place with it."""
        now, where = self.shop.clock.now, list(self.others.values())
        query = select(Code).where(Code.code.in_(self.credits), Code.ended_at.is_(None))
        codes = list(db.session.scalars(query.order_by(Code.id)))
        if not codes:
            return None
        code = draw.choice(codes)
        spent = rawsql.number(self.url, SPENT, code.id)
        word, worth, event_id = code.code, (code.amount or 0) - spent, draw.choice(where)
        if rawsql.number(self.url, THERE, event_id, self.credits[word].casefold()):
            return False
        order = self._cart(event_id, "Standard", [self._person(self.credits[word])])
        with transaction():
            registering.apply_code(order, word, actor=ANONYMOUS, now=now)
        price = next(p for n, p in ELSEWHERE.items() if self.others[n] == event_id)
        assert rawsql.number(
            self.url, "SELECT sum(amount) FROM order_line WHERE order_id = ?", order
        ) == max(0, price - worth)
        self._place(order)
        return True
