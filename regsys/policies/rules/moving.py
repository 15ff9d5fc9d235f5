"""What a move to another event means in money."""

from dataclasses import dataclass
from datetime import datetime

from regsys.policies.rules.deposits import Split


@dataclass(frozen=True)
class Moving:
    """A move to another event, with its amounts in minor units.

    `cost` is what the old place costs and `fee` what the move does; `to_pay` is asked for before it counts, and `later`
    by the day on which the rest is due there; `card` and `by_hand` go back, `kept` does not. `spared`: what the
    organizers do not ask for. `behind`: whoever waits there is served first. `adjusted`: what goes along of what was
    off the old price for this person; `dropped`: what does not. `parts`: the new place is sure for a deposit.
    """

    event_id: int
    ticket_type_id: int
    price: int
    cost: int = 0
    fee: int = 0
    to_pay: int = 0
    card: int = 0
    by_hand: int = 0
    kept: int = 0
    spared: int = 0
    behind: bool = True
    adjusted: int = 0
    dropped: int = 0
    later: int = 0
    parts: Split | None = None

    @property
    def back(self) -> int:
        return self.card + self.by_hand

    @property
    def dearer(self) -> bool:
        """Tell whether more is to be paid than before, now or later."""
        more = self.price - self.adjusted + self.fee - self.cost
        return self.to_pay > 0 or (self.later > 0 and more > 0)

    @property
    def rest_at(self) -> datetime | None:
        """Return when the rest is due; None: all of it is paid at once."""
        return self.parts.rest_at if self.parts else None


def price_move(
    event_id: int, ticket_type_id: int, *, price: int, fee: int, cost: int,
    total: int, net: int, cards: int, most: int | None = None, adjusted: int = 0,
    parts: Split | None = None,
) -> Moving:  # fmt: skip
    """Tell what a move means in money.

    `total` and `net` are what the whole order costs, without what is due later for others, and what is paid of it now.
    Only what the new place costs less goes back: what somebody has paid too much otherwise is another matter. `most`:
    what giving the old place up would give back, so that nobody gets more by a move than by leaving. `adjusted` comes
    off the price. `parts`: a deposit is enough for what is left of it; what was paid so far counts for that first.
    """
    more = price - adjusted + fee - cost
    after = total + more
    less = min(max(0, net - after), max(0, -more))
    back = less if most is None else min(less, most)
    card = min(back, cards)
    owed = max(0, after - net)
    to_pay = owed if more > 0 else 0
    if parts:
        to_pay = max(0, owed - (price - adjusted - parts.first))
    return Moving(
        event_id, ticket_type_id, price, cost, fee, to_pay, card, back - card, less - back,
        adjusted=adjusted, later=owed - to_pay if parts else 0, parts=parts,
    )  # fmt: skip
