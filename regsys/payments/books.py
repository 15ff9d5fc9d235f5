"""Our rows held against Stripe's books: pure comparison, and what it found in words."""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from regsys.kernel import money
from regsys.kernel.text import N_
from regsys.payments.statement import CHARGES, Line, PaidOut, Payout, Totals, add_up, show

# Kind → what is the matter, and what to do.
SENTENCES: Mapping[str, tuple[str, str]] = {
    "charge_unknown": (
        N_("Stripe has taken %(amount)s (%(charge)s) for order %(order)s, and we have no payment of it."),
        N_("Open the order under Money and press “Ask Stripe now”; if it is still missing, refund it at Stripe."),
    ),
    "payment_unknown": (
        N_("We have a payment of %(amount)s for order %(order)s, and Stripe knows no charge of it."),
        N_("Look for %(charge)s in Stripe’s dashboard. If it is not there, the money never came."),
    ),
    "amount_differs": (
        N_("For order %(order)s we have %(amount)s, and Stripe has %(theirs)s (%(charge)s)."),
        N_("Stripe is right about money. Refund what is too much, or ask the payer for the rest."),
    ),
    "fee_differs": (
        N_("For order %(order)s we have a fee of %(amount)s, and Stripe took %(theirs)s (%(charge)s)."),
        N_("Stripe is right. Tell whoever runs this site that a stored fee was wrong."),
    ),
    "refund_unknown": (
        N_("Stripe has given back %(amount)s (%(refund)s) of %(charge)s, and we have no refund of it."),
        N_("It was made in Stripe’s dashboard. It is taken over within the hour; if not, run “regsys check”."),
    ),
    "refund_missing": (
        N_("We have a refund of %(amount)s for order %(order)s (%(refund)s), and Stripe does not know it."),
        N_("Look for it in Stripe’s dashboard. If it is not there, the payer still waits for the money."),
    ),
    "refund_differs": (
        N_("A refund for order %(order)s is %(amount)s and %(state)s here, at Stripe %(theirs)s and %(status)s."),
        N_("Stripe is right. Open the refund under Money; it follows with Stripe’s next message."),
    ),
    "dispute_unknown": (
        N_("A card holder disputes %(amount)s of %(charge)s (%(dispute)s), and we have not heard of it."),
        N_("Answer it in Stripe’s dashboard in time. It is taken over within the hour."),
    ),
    "order_over": (
        N_("Order %(order)s costs %(theirs)s, and %(amount)s of payments that count are there for it."),
        N_("Give back what is too much, or put the people of the order on the list again."),
    ),
    "refund_failed": (
        N_("A refund for order %(order)s failed, and %(amount)s of it still belong to its payer."),
        N_("It stands under Money: give it back again, or in another way."),
    ),
    "owed_by_hand": (
        N_("%(amount)s belong to the payer of order %(order)s, and no card can take it back."),
        N_("It stands under Money: send a cheque or a transfer, and write it down there."),
    ),
    "place_repaid": (
        N_("All %(amount)s of order %(order)s went back in Stripe’s dashboard; its people still have their places."),
        N_("Cancel their places if that was meant; nobody is asked to pay again."),
    ),
    "payout_differs": (
        N_("The payout of %(amount)s on %(day)s (%(payout)s) is not the %(theirs)s that is in it."),
        N_("Look at it in Stripe’s dashboard line by line. If it does not add up there either, ask Stripe."),
    ),
    "payout_failed": (
        N_("The payout of %(amount)s on %(day)s (%(payout)s) did not reach the bank."),
        N_("The money is at Stripe again. Check the bank account in Stripe’s dashboard, and it is sent once more."),
    ),
    "balance_differs": (
        N_("Stripe’s lines add up to a balance of %(amount)s, and Stripe says %(theirs)s."),
        N_("Run it again in a minute: money may have moved meanwhile. If it stays, ask Stripe."),
    ),
}  # fmt: skip


@dataclass(frozen=True)
class Charge:
    """Money that Stripe took; amounts of Stripe's side are in its own units. `tag`: our mark, where it has one."""

    id: str
    intent: str | None
    amount: int
    currency: str
    created: int
    tag: str | None
    order: str | None


@dataclass(frozen=True)
class Back:
    """Money that Stripe gave back."""

    id: str
    charge: str | None
    amount: int
    currency: str
    created: int
    status: str


@dataclass(frozen=True)
class Contest:
    """A dispute."""

    id: str
    charge: str | None
    amount: int
    currency: str
    created: int


@dataclass(frozen=True)
class Theirs:
    """What Stripe has. `balance` by currency; None where it was not asked."""

    charges: Sequence[Charge] = ()
    refunds: Sequence[Back] = ()
    disputes: Sequence[Contest] = ()
    lines: Sequence[Line] = ()
    balance: Mapping[str, int] | None = None
    payouts: Sequence[Payout] = ()


@dataclass(frozen=True)
class OurPayment:
    """A payment of ours by card, in minor units. `due_here`: it came within the span."""

    id: int
    order: str
    amount: int
    currency: str
    fee: int | None
    reference: str | None
    charge: str | None
    due_here: bool


@dataclass(frozen=True)
class OurRefund:
    """A refund of ours that Stripe was asked for."""

    order: str
    amount: int
    currency: str
    state: str
    stripe_id: str
    due_here: bool


@dataclass(frozen=True)
class Standing:
    """An order whose money does not fit its places; `kind` says why, as a key of SENTENCES.

    `amount` is what it is about in minor units, `price` what the order costs.
    """

    order: str
    currency: str
    price: int
    amount: int
    kind: str


# What is known, stands on a page, and waits for a person: not a difference between two books.
KNOWN = frozenset({"refund_failed", "owed_by_hand", "place_repaid"})


@dataclass(frozen=True)
class Ours:
    """What we have; `standing`: orders whose money and places do not fit."""

    payments: Sequence[OurPayment] = ()
    refunds: Sequence[OurRefund] = ()
    disputes: frozenset[str] = frozenset()
    standing: Sequence[Standing] = ()


@dataclass(frozen=True)
class Odd:
    """One difference: a key of SENTENCES and its facts."""

    kind: str
    facts: Mapping[str, str]


@dataclass
class Books:
    """The result: differences, what waits for a person, fees to fill in (payment id → fee), sums, and payouts."""

    odd: list[Odd] = field(default_factory=list)
    known: list[Odd] = field(default_factory=list)
    fees: dict[int, int] = field(default_factory=dict)
    totals: dict[str, Totals] = field(default_factory=dict)
    matched: int = 0
    foreign: int = 0
    payouts: list[PaidOut] = field(default_factory=list)

    def dump(self) -> str:
        """Return it as JSON."""
        return json.dumps(asdict(self))


def load(text: str) -> Books:
    """Read what `dump` wrote."""
    found: dict[str, Any] = json.loads(text)
    return Books(
        [Odd(**o) for o in found["odd"]],
        [Odd(**o) for o in found.get("known", ())],
        {int(k): v for k, v in found["fees"].items()},
        {k: Totals(**v) for k, v in found["totals"].items()},
        found["matched"],
        found["foreign"],
        [PaidOut(**p) for p in found.get("payouts", ())],
    )


def compare(theirs: Theirs, ours: Ours, *, since: int, until: int) -> Books:
    """Hold both sides against each other; what lies outside of the span is matched, and never odd."""
    books = Books(totals=add_up(theirs.lines, since, until))
    span = range(since, until)
    known = _Known(ours.payments)
    found = {c.id: known.find(c) for c in theirs.charges}
    _compare_charges(books, theirs, known, found, span)
    _compare_payments(books, ours.payments, {p.id for p in found.values() if p})
    mine = {c.id for c in theirs.charges if found[c.id] or c.tag} | known.charges
    _compare_refunds(books, theirs.refunds, ours.refunds, mine, span)
    for d in theirs.disputes:
        if d.charge in mine and d.created in span and d.id not in ours.disputes:
            _odd(books, "dispute_unknown", d, dispute=d.id, charge=d.charge or "")
    for s in ours.standing:
        said = {
            "amount": money.show(s.amount, s.currency),
            "theirs": money.show(s.price, s.currency),
        }
        kept = books.known if s.kind in KNOWN else books.odd
        kept.append(Odd(s.kind, {"order": s.order, **said}))
    _compare_payouts(books, theirs.payouts, mine, span)
    _compare_balance(books, theirs.balance)
    return books


class _Known:
    """Finds our payment of a charge: by the charge's id, or by its intent."""

    def __init__(self, payments: Iterable[OurPayment]) -> None:
        rows = list(payments)
        self._by_charge = {p.charge: p for p in rows if p.charge}
        self._by_intent = {p.reference: p for p in rows if p.reference}
        self.charges = set(self._by_charge)

    def find(self, charge: Charge) -> OurPayment | None:
        return self._by_charge.get(charge.id) or self._by_intent.get(charge.intent or "")


def _compare_charges(
    books: Books,
    theirs: Theirs,
    known: _Known,
    found: Mapping[str, OurPayment | None],
    span: range,
) -> None:
    fees = {line.source: line.fee for line in theirs.lines if line.kind in CHARGES}
    for c in theirs.charges:
        payment = found[c.id]
        if payment:
            books.matched += 1
            _compare_pair(books, c, payment, fees.get(c.id))
        elif c.created in span and c.tag:
            _odd(books, "charge_unknown", c, charge=c.id, order=c.order or "?")
        elif c.created in span:
            books.foreign += 1


def _compare_pair(books: Books, c: Charge, p: OurPayment, fee: int | None) -> None:
    facts = {"charge": c.id, "order": p.order}
    if money.to_stripe(p.amount, p.currency) != c.amount or p.currency != c.currency:
        said = {"amount": money.show(p.amount, p.currency), "theirs": show(c.amount, c.currency)}
        books.odd.append(Odd("amount_differs", {**facts, **said}))
    if fee is not None and p.fee is None:
        books.fees[p.id] = fee
    elif fee is not None and p.fee != fee:
        said = {"amount": show(p.fee or 0, c.currency), "theirs": show(fee, c.currency)}
        books.odd.append(Odd("fee_differs", {**facts, **said}))


def _compare_payments(books: Books, payments: Iterable[OurPayment], matched: set[int]) -> None:
    for p in payments:
        if p.due_here and p.id not in matched:
            amount = money.show(p.amount, p.currency)
            facts = {"amount": amount, "order": p.order, "charge": p.charge or p.reference or "?"}
            books.odd.append(Odd("payment_unknown", facts))


def _compare_refunds(
    books: Books,
    theirs: Sequence[Back],
    ours: Sequence[OurRefund],
    mine: set[str],
    span: range,
) -> None:
    there = {r.id: r for r in theirs}
    here = {r.stripe_id for r in ours}
    for r in theirs:
        if r.charge in mine and r.created in span and r.id not in here:
            _odd(books, "refund_unknown", r, refund=r.id, charge=r.charge or "")
    for o in ours:
        amount = money.show(o.amount, o.currency)
        twin = there.get(o.stripe_id)
        if twin is None:
            if o.due_here:
                facts = {"amount": amount, "order": o.order, "refund": o.stripe_id}
                books.odd.append(Odd("refund_missing", facts))
        elif not _same_refund(o, twin):
            facts = {"amount": amount, "order": o.order, "state": o.state, "status": twin.status}
            facts["theirs"] = show(twin.amount, twin.currency)
            books.odd.append(Odd("refund_differs", facts))


def _same_refund(ours: OurRefund, theirs: Back) -> bool:
    over = theirs.status in ("failed", "canceled")
    same_amount = money.to_stripe(ours.amount, ours.currency) == theirs.amount
    return same_amount and over is (ours.state == "failed")


def _compare_payouts(books: Books, payouts: Sequence[Payout], mine: set[str], span: range) -> None:
    for payout in payouts:
        if payout.created not in span:
            continue
        paid = payout.add_up(mine)
        books.payouts.append(paid)
        facts = {
            "payout": paid.id,
            "day": paid.arrives_on.isoformat(),
            "amount": show(paid.amount, paid.currency),
        }
        if paid.has_failed:
            books.odd.append(Odd("payout_failed", facts))
        elif not paid.agrees:
            theirs = show(paid.sum, paid.currency)
            books.odd.append(Odd("payout_differs", {**facts, "theirs": theirs}))


def _compare_balance(books: Books, balance: Mapping[str, int] | None) -> None:
    for currency, says in (balance or {}).items():
        left = books.totals.get(currency, Totals()).left
        if left != says:
            facts = {"amount": show(left, currency), "theirs": show(says, currency)}
            books.odd.append(Odd("balance_differs", facts))


def _odd(books: Books, kind: str, thing: Charge | Back | Contest, **facts: str) -> None:
    books.odd.append(Odd(kind, {"amount": show(thing.amount, thing.currency), **facts}))
