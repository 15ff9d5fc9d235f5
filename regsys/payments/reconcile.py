"""Holding our rows against Stripe's books. This counts as a door: the command and the job both come through here.

Stripe is asked with no transaction open; the result is written in one. Repeating it changes nothing but the result.
"""

from collections.abc import Callable, Iterable
from typing import TypeVar

from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.kernel.errors import UpstreamFailed
from regsys.payments import bookkeeping, books, gateway
from regsys.payments.books import Books, Theirs

T = TypeVar("T")
# Is told what is being read and how many of it there are so far.
Tell = Callable[[str, int], None]


def reconcile(reconciliation_id: int, *, tell: Tell = lambda _what, _count: None) -> Books:
    """Compare both sides for the span of a reconciliation and keep the result; raise UpstreamFailed."""
    span = bookkeeping.get_span(reconciliation_id)
    since, until = int(span.since.timestamp()), int(span.until.timestamp()) + 1
    early = since - int(bookkeeping.LATE.total_seconds())
    # Only all lines from the first one until now add up to the balance.
    whole = span.since <= bookkeeping.FIRST_DAY and span.until >= clock.now()
    try:
        theirs = _ask(early, tell, with_balance=whole)
    except UpstreamFailed as e:
        with transaction():
            bookkeeping.note_failure(reconciliation_id, str(e.__cause__ or e))
        raise
    ours = bookkeeping.read_ours(span, [(c.id, c.intent) for c in theirs.charges])
    found = books.compare(theirs, ours, since=since, until=until)
    with transaction():
        bookkeeping.finish(reconciliation_id, found, now=clock.now())
    return found


def _ask(early: int, tell: Tell, *, with_balance: bool) -> Theirs:
    return Theirs(
        _read("charges", gateway.list_charges(early), tell),
        _read("refunds", gateway.list_all_refunds(early), tell),
        _read("disputes", gateway.list_disputes(early), tell),
        _read("lines of the statement", gateway.list_balance_lines(early), tell),
        gateway.get_balance() if with_balance else None,
        _read("payouts", gateway.list_payouts(early), tell),
    )


def _read(what: str, things: Iterable[T], tell: Tell) -> list[T]:
    found: list[T] = []
    for thing in things:
        found.append(thing)
        if len(found) % 100 == 0:
            tell(what, len(found))
    tell(what, len(found))
    return found
