"""Stripe's statement: its lines added up, over a span of time and payout by payout."""

from collections.abc import Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime

from regsys.kernel import money

CHARGES = frozenset({"charge", "payment"})
REFUNDS = frozenset({"refund", "payment_refund", "refund_failure", "payment_refund_failure"})
PAYOUTS = frozenset({"payout", "payout_failure", "payout_cancel"})


@dataclass(frozen=True)
class Line:
    """One balance transaction, in Stripe's units."""

    kind: str
    source: str | None
    amount: int
    fee: int
    net: int
    currency: str
    created: int


@dataclass
class Totals:
    """Stripe's statement of one currency within the span, in Stripe's units; what left is negative."""

    gross: int = 0
    refunds: int = 0
    other: int = 0
    fees: int = 0
    paid_out: int = 0

    @property
    def net(self) -> int:
        """Return what is left of everything after fees, before payouts."""
        return self.gross + self.refunds + self.other - self.fees

    @property
    def left(self) -> int:
        """Return what has not been paid out."""
        return self.net + self.paid_out

    def add(self, line: Line) -> None:
        """Add a line."""
        self.fees += line.fee
        if line.kind in CHARGES:
            self.gross += line.amount
        elif line.kind in REFUNDS:
            self.refunds += line.amount
        elif line.kind in PAYOUTS:
            self.paid_out += line.amount
        else:
            self.other += line.amount


def add_up(lines: Iterable[Line], since: int, until: int) -> dict[str, Totals]:
    """Add up the lines within a span, by currency."""
    totals: dict[str, Totals] = {}
    for line in lines:
        if since <= line.created < until:
            totals.setdefault(line.currency, Totals()).add(line)
    return totals


@dataclass(frozen=True)
class PaidOut:
    """A payout and the sums of what is in it, in Stripe's units; `ours` of its `charges` are of our payments.

    Of one that was asked for by hand (`automatic` False) Stripe does not say what is in it.
    """

    id: str
    amount: int
    currency: str
    arrives: int
    status: str
    automatic: bool
    gross: int
    refunds: int
    other: int
    fees: int
    charges: int
    ours: int

    @property
    def sum(self) -> int:
        """Return what its lines make."""
        return self.gross + self.refunds + self.other - self.fees

    @property
    def has_failed(self) -> bool:
        """Tell whether it never reached the bank."""
        return self.status in ("failed", "canceled")

    @property
    def agrees(self) -> bool:
        """Tell whether it is the sum of its lines, as far as Stripe says what is in it."""
        return not self.automatic or self.sum == self.amount

    @property
    def arrives_on(self) -> date:
        """Return the day on which it reaches the bank."""
        return datetime.fromtimestamp(self.arrives, UTC).date()


@dataclass(frozen=True)
class Payout:
    """Money on its way to the bank, with the lines that it pays out."""

    id: str
    amount: int
    currency: str
    created: int
    arrives: int
    status: str
    automatic: bool
    lines: Sequence[Line] = ()

    def add_up(self, mine: Container[str]) -> PaidOut:
        """Return the sums of its lines; `mine` are the charges of our payments."""
        sums = Totals()
        charges = [line.source for line in self.lines if line.kind in CHARGES]
        for line in self.lines:
            sums.add(line)
        return PaidOut(
            self.id,
            self.amount,
            self.currency,
            self.arrives,
            self.status,
            self.automatic,
            sums.gross,
            sums.refunds,
            # What an earlier payout brought back goes with this one; its own line is not among them.
            sums.other + sums.paid_out,
            sums.fees,
            len(charges),
            sum(1 for c in charges if c in mine),
        )


def show(amount: int, currency: str) -> str:
    """Return an amount in Stripe's units in words."""
    try:
        return money.show(money.from_stripe(amount, currency), currency)
    except ValueError:
        return f"{amount / 100} {currency}"
