"""What a move to another event means in money."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Moving:
    """A move to another event, with its amounts in minor units.

    `cost` is what the old place costs and `fee` what the move does; `to_pay` is asked for before it counts, `card` and
    `by_hand` go back, `kept` does not. `spared`: what the organizers do not ask for. `behind`: whoever waits there is
    served first. `adjusted`: what goes along of what was off the old price for this person; `dropped`: what does not.
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

    @property
    def back(self) -> int:
        return self.card + self.by_hand


def price_move(
    event_id: int, ticket_type_id: int, *, price: int, fee: int, cost: int,
    total: int, net: int, cards: int, most: int | None = None, adjusted: int = 0,
) -> Moving:  # fmt: skip
    """Tell what a move means in money.

    `total` and `net` are what the whole order costs and what is paid of it now. Only what the new place costs less
    goes back: what somebody has paid too much otherwise is another matter. `most`: what giving the old place up would
    give back, so that nobody gets more by a move than by leaving. `adjusted` comes off the price.
    """
    more = price - adjusted + fee - cost
    after = total + more
    less = min(max(0, net - after), max(0, -more))
    back = less if most is None else min(less, most)
    card = min(back, cards)
    to_pay = max(0, after - net) if more > 0 else 0
    return Moving(
        event_id, ticket_type_id, price, cost, fee, to_pay, card, back - card, less - back,
        adjusted=adjusted,
    )  # fmt: skip
