"""Pure arithmetic for reports."""

from collections.abc import Mapping


def allocate(paid: int, totals: Mapping[int, int]) -> dict[int, int]:
    """Spread what an order was paid over its registrations, in the given order, each up to its own total.

    What is above all totals goes to the last one, so that the sum always equals `paid`, to the cent.
    """
    left = paid
    shares: dict[int, int] = {}
    for registration_id, total in totals.items():
        shares[registration_id] = min(left, max(0, total))
        left -= shares[registration_id]
    if left and shares:
        shares[next(reversed(shares))] += left
    return shares
