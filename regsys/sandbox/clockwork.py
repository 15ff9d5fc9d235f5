"""What time does by itself: pages close, refunds and bank payments have their second act, money becomes available."""

from regsys.sandbox import books, checkout, delayed, payouts, refunds
from regsys.sandbox.store import Store


def catch_up(store: Store, now: int) -> int:
    """Do everything that is due and return how much it was."""
    moved = checkout.expire_due(store, now) + _carry_on(store, now)
    return moved + books.make_available(store, now)


def _carry_on(store: Store, now: int) -> int:
    """Play the second act of everything whose time has come."""
    due = store.rows(
        "SELECT id, kind FROM object WHERE json_extract(inner, '$.becomes_at') <= ?", now
    )
    for row in due:
        if row["kind"] == "refund":
            refunds.advance(store, row["id"], now)
        elif row["kind"] == "payout":
            payouts.arrive(store, row["id"], now)
        else:
            delayed.finish(store, row["id"], now)
    return len(due)
