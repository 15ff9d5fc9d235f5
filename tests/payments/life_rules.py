"""What must be true of money, places and papers, asked with plain SQL; and the refund rules, written down once more.

Nothing of the product's own arithmetic is used here: what comes back is worked out from the rules of a story by hand.
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from tests.payments.storm import CHARGES, OUR_REFUNDS, PAYMENTS, THEIR_REFUNDS, TOO_MUCH
from tests.support import rawsql

ZONE = ZoneInfo("America/Los_Angeles")
Rules = Mapping[str, Any]

STEPS = [
    {"ahead": {"days": 60}, "back": {"percent": 100, "minus": 7500}},
    {"ahead": {"days": 30}, "back": {"percent": 50}},
]
TO_OTHERS = {"transfer": {"allowed": "free", "fee": 1500, "times": 3}}
REFILLED = {"percent": 100, "minus": 7500}
ROOM = {"steps": [{"ahead": {"days": 14}, "back": {"percent": 100}}]}
# Each story has the next of these; together they know everything that a refund policy can say about money.
POLICIES: list[Rules] = [
    {
        "steps": STEPS, **TO_OTHERS, "refilled": REFILLED, "substitute": {"allowed": "free", "fee": 1000},
        "credit": {"months": 12, "what": "what_is_kept"},
    },
    {
        "steps": STEPS, **TO_OTHERS, "deposit": 10000, "substitute": {"allowed": "approval", "fee": 1000},
        "down": {"amount": 15000, "rest": {"days": 30}, "grace": 7},
        "credit": {"months": 12, "what": "deposit"},
    },
    {
        "steps": STEPS, **TO_OTHERS, "refilled": REFILLED, "deposit": 10000, "room": ROOM,
        "substitute": {"allowed": "free"},
        "down": {"percent": 25, "rest": {"days": 45}, "then": "chase"},
    },
]  # fmt: skip


@dataclass(frozen=True)
class Back:
    """What comes back now in money and to the credit that paid, what more of each if the place is taken again, and what
    of the rest becomes a credit.
    """

    now: int
    to_credit: int
    more: int
    more_credit: int
    credit: int


def comes_back(
    rules: Rules, paid: int, room: int, *, starts_at: datetime, now: datetime, used: int = 0
) -> Back:
    """Work out from the rules what comes back of what was paid; `used`: by a credit, `room`: for the room."""
    days = (starts_at.astimezone(ZONE).date() - now.astimezone(ZONE).date()).days
    begun, worth = now >= starts_at, paid + used
    room = min(room, worth)
    if rules.get("room") and room and not begun:
        back = _step(rules["steps"], worth - room, days) + _step(rules["room"]["steps"], room, days)
    else:
        back = 0 if begun else _step(rules["steps"], worth, days)
    deposit = rules.get("deposit", 0)
    back = min(back, max(0, worth - deposit))
    again = max(0, worth - REFILLED["minus"]) if rules.get("refilled") and not begun else 0
    credit = 0
    if rules.get("credit"):
        whole = rules["credit"]["what"] == "what_is_kept"
        credit = worth - back if whole else min(worth - back, deposit)
    cash, then = _cash(back, paid, used), _cash(max(back, again), paid, used)
    more_credit = max(0, max(back, again) - then - (back - cash))
    return Back(cash, back - cash, max(0, then - cash), more_credit, credit)


def _cash(back: int, paid: int, used: int) -> int:
    """Return the share of money in what comes back; the rest goes to the credit."""
    return min(paid, back, -(-back * paid // (paid + used))) if paid + used else 0


def _step(steps: list[dict[str, Any]], paid: int, days: int) -> int:
    for step in steps:
        if days >= step["ahead"]["days"]:
            back: int = -(-paid * step["back"]["percent"] // 100) - step["back"].get("minus", 0)
            return max(0, back)
    return 0


def paid_of(costs: Sequence[int], spare: int) -> list[int]:
    """Divide what was paid: what an order owes (`spare` below nothing) is taken from the first of those who leave."""
    paid = []
    for cost in costs:
        mine = max(0, min(cost, cost + spare))
        spare += cost - mine
        paid.append(mine)
    return paid


def deposit_of(rules: Rules, price: int, *, starts_at: datetime, now: datetime) -> int | None:
    """Return what makes a place sure at first; None: all of it is paid at once."""
    down = rules.get("down")
    if not down:
        return None
    first: int = down.get("amount") or -(-price * down["percent"] // 100)
    last = starts_at.astimezone(ZONE).date() - timedelta(days=down["rest"]["days"])
    return first if first < price and now.astimezone(ZONE).date() <= last else None


# ---- reading a page


def said(text: str) -> str:
    """Return what a page says, in one line."""
    text = re.sub(r"(?s)<(script|style)\b.*?</\1>", " ", text)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", text)).split())


def cents(words: str) -> int:
    """Read an amount in dollars."""
    return int(words.replace("$", "").replace(",", "").replace(".", ""))


MONEY = r"(\$[\d,]+\.\d\d)"


def amount(text: str, before: str = "", after: str = "") -> int:
    """Read the amount between these words; nothing where they are not there."""
    found = re.search(f"{before}{MONEY}{after}", text)
    return cents(found.group(1)) if found else 0


# ---- what must be true

PLACES = """
    SELECT p.id FROM pool p JOIN claim c ON c.pool_id = p.id
    WHERE p.sized AND c.released_at IS NULL AND p.id > ?
    GROUP BY p.id HAVING count(*) <> count(DISTINCT c.number)
        OR count(*) > (SELECT count(*) FROM place l WHERE l.pool_id = p.id)"""
FUNDS = """
    SELECT f.id FROM aid_fund f WHERE f.id > ? AND (f.budget < 0 OR f.budget <
        (SELECT coalesce(sum(q.amount), 0) FROM aid_request q
         WHERE q.fund_id = f.id AND q.state IN ('awarded', 'used')))"""
# What lowers a price by an award is never more than all funds together hold.
AWARDS = """
    SELECT coalesce(-sum(l.amount), 0), (SELECT coalesce(sum(budget), 0) FROM aid_fund WHERE id > ?)
    FROM order_line l JOIN registration r ON r.id = l.registration_id
    WHERE l.kind = 'award' AND r.state IN ('awaiting_payment', 'confirmed') AND r.order_id > ?"""
NUMBERS = """
    SELECT kind, year FROM document GROUP BY kind, year
    HAVING count(*) <> max(number) OR min(number) <> 1 OR count(DISTINCT number) <> count(*)"""
# Money of the orders of a story: id, what it costs, what came and stayed, what was taken back as a mistake, who lives.
ORDERS = """
    SELECT o.id,
        (SELECT coalesce(sum(amount), 0) FROM order_line WHERE order_id = o.id),
        (SELECT coalesce(sum(amount), 0) FROM payment WHERE order_id = o.id AND problem IS NULL)
        - (SELECT coalesce(sum(f.amount), 0) FROM refund f JOIN payment y ON y.id = f.payment_id
           WHERE y.order_id = o.id AND y.problem IS NULL AND f.state <> 'failed'),
        (SELECT coalesce(sum(amount), 0) FROM payment WHERE order_id = o.id AND problem = 'mistake'),
        (SELECT count(*) FROM registration WHERE order_id = o.id
         AND state IN ('draft', 'awaiting_payment', 'confirmed'))
    FROM orders o WHERE o.id > ?"""
COSTS = """
    SELECT r.id, coalesce(sum(l.amount), 0) FROM registration r
    LEFT JOIN order_line l ON l.registration_id = r.id WHERE r.order_id > ? GROUP BY r.id"""
NEW_REFUNDS = """
    SELECT f.id, y.order_id, f.registration_id, f.amount, y.problem, y.amount, f.method, f.requested_by
    FROM refund f JOIN payment y ON y.id = f.payment_id WHERE f.id > ? ORDER BY f.id"""
# What has happened, by the key of the one letter that says so.
LETTERS = {
    "confirm": "SELECT subject_id FROM audit_entry WHERE action = 'registration.confirmed' AND id > ?",
    "cancelled": "SELECT subject_id FROM audit_entry WHERE id > ? AND (action = 'registration.transferred' OR"
    " action = 'registration.cancelled' AND CAST(before AS TEXT) LIKE '%confirmed%')",
    "refilled": "SELECT r.registration_id FROM refill_promise r JOIN audit_entry a ON a.subject_id ="
    " r.registration_id AND a.action = 'refund.promise_kept' AND CAST(a.after AS TEXT) NOT LIKE '%: 0}'"
    " WHERE a.id > ?",
    "money-back": "SELECT DISTINCT p.id FROM payment p JOIN audit_entry a ON a.subject_kind = 'payment' AND"
    " a.subject_id = p.id WHERE p.problem IN ('double', 'no_place') AND p.method = 'card' AND a.id > ?",
}
OWN = {"confirm": r"confirm:\d+", "cancelled": r"cancelled:\d+"}


@dataclass(frozen=True)
class Truth:
    """Both sets of books, from a mark on."""

    url: str
    books: str
    marks: Mapping[str, int]
    sandbox_mark: int

    @classmethod
    def begin(cls, url: str, books: str) -> "Truth":
        """Mark where both books stand now."""
        tables = ("payment", "refund", "audit_entry", "message", "orders", "pool", "aid_fund")
        marks = {t: _last(url, t, "id") for t in tables}
        return cls(url, books, marks, _last(books, "object", "seq"))

    def ask(self, query: str, table: str, *more: str) -> rawsql.Rows:
        """Ask our database from the mark of a table on."""
        return rawsql.rows(self.url, query, *(self.marks[t] for t in (table, *more)))

    def orders(self) -> dict[int, tuple[int, int, int, int]]:
        """Return order → (costs, net, mistakes, living people)."""
        return {o: (int(t), int(n), int(m), int(k)) for o, t, n, m, k in self.ask(ORDERS, "orders")}

    def costs(self) -> dict[int, int]:
        """Return what each person's place costs by its lines."""
        return {r: int(n) for r, n in self.ask(COSTS, "orders")}

    def refunds_after(self, last: int) -> rawsql.Rows:
        """Return the refunds that were written down after one."""
        return rawsql.rows(self.url, NEW_REFUNDS, last)

    def last_payment(self) -> int:
        return _last(self.url, "payment", "id")

    def paid_after(self, last: int) -> int:
        """Add up what was heard of after a payment, in minor units."""
        sums = "SELECT coalesce(sum(amount), 0) FROM payment WHERE problem IS NULL AND id > ?"
        return rawsql.number(self.url, sums, last)

    def last_refund(self) -> int:
        return _last(self.url, "refund", "id")

    def check(self) -> None:
        """Ask everything that must be true at any moment."""
        for question in QUESTIONS:
            question(self)


def _last(url: str, table: str, key: str) -> int:
    return rawsql.number(url, f"SELECT coalesce(max({key}), 0) FROM {table}")


def no_place_is_sold_twice(truth: Truth) -> None:
    assert truth.ask(PLACES, "pool") == []


def no_fund_gives_more_than_it_has(truth: Truth) -> None:
    assert truth.ask(FUNDS, "aid_fund") == []
    [(given, budget)] = truth.ask(AWARDS, "aid_fund", "orders")
    assert int(given) <= int(budget)


def numbers_have_no_gap(truth: Truth) -> None:
    assert rawsql.rows(truth.url, NUMBERS) == []


def our_ledger_holds_nothing_that_stripe_does_not(truth: Truth) -> None:
    ours = truth.ask(PAYMENTS, "payment")
    charges = rawsql.rows(truth.books, CHARGES, truth.sandbox_mark)
    assert len(ours) == len(set(ours))
    assert set(ours) <= set(charges)
    refunds = truth.ask(OUR_REFUNDS, "refund")
    told = {(i, a) for i, a, _ in rawsql.rows(truth.books, THEIR_REFUNDS, truth.sandbox_mark)}
    assert len({i for i, _, _ in refunds}) == len(refunds)
    assert {(i, a) for i, a, _ in refunds} <= told
    assert truth.ask(TOO_MUCH, "payment") == []


def whoever_has_left_owes_nothing(truth: Truth) -> None:
    """A cheque that never came may leave what was kept open, and nothing else may."""
    owing = {
        o: (total, net)
        for o, (total, net, mistakes, living) in truth.orders().items()
        if not living and total - net > mistakes
    }
    assert owing == {}


def every_move_is_told_once(truth: Truth) -> None:
    keys = [k for (k,) in truth.ask("SELECT key FROM message WHERE id > ?", "message")]
    assert len(keys) == len(set(keys))
    for prefix, query in LETTERS.items():
        happened = sorted(f"{prefix}:{i}" for (i,) in truth.ask(query, "audit_entry"))
        assert len(happened) == len(set(happened)), happened
        written = set(keys) & set(happened)
        assert written == set(happened), f"no letter: {set(happened) - written}"
    confirmed = {f"confirm:{i}" for (i,) in truth.ask(LETTERS["confirm"], "audit_entry")}
    assert {k for k in keys if re.fullmatch(OWN["confirm"], k)} == confirmed


QUESTIONS: list[Callable[[Truth], None]] = [
    no_place_is_sold_twice,
    no_fund_gives_more_than_it_has,
    numbers_have_no_gap,
    our_ledger_holds_nothing_that_stripe_does_not,
    whoever_has_left_owes_nothing,
    every_move_is_told_once,
]
