"""Pure questions about carts, orders and registrations."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from regsys.events.kinds import EventKind
from regsys.events.states import EventState
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.registration.states import LIVE
from regsys.registration.states import RegistrationState as S

# Where a browser keeps the secret of its cart.
CART = "cart"
MOST_PLACES = 10
EXTRA = timedelta(minutes=15)
# Something is added to the price of a place that is confirmed: so long is asked for it.
ASK_FOR = timedelta(days=14)
# An organizer's pay link goes by mail, and people answer mail within days.
PAY_LINK = timedelta(days=7)
# What was typed into a cart that was never placed is kept for a month.
FORGET_AFTER = timedelta(days=30)
LETTERS_AN_HOUR = 1

# Where certificates are given and groups are balanced, everyone is asked for these.
WORK_FIELDS = ("credentials", "profession", "workplace")
_CERTIFIED = frozenset(
    {
        EventKind.LEADERSHIP_TRAINING_INTENSIVE,
        EventKind.INTENSIVE_ON_THE_ROAD,
        EventKind.BALINT_WEEKEND,
    }
)


def required_of_person(kind: EventKind) -> frozenset[str]:
    """Return which fields of the person must be filled in at an event of this kind."""
    return frozenset(WORK_FIELDS) if kind in _CERTIFIED else frozenset({"profession"})


# ---- holds


def hold_until(now: datetime, minutes: int) -> datetime:
    """Return the end of a cart hold that is made now."""
    return now + timedelta(minutes=minutes)


def pay_link_until(now: datetime, starts_at: datetime) -> datetime:
    """Return the end of the hold behind a mailed pay link: a week, and not beyond the start."""
    return max(min(now + PAY_LINK, starts_at), now + EXTRA)


def asked_until(
    known: datetime | None, *, starts_at: datetime, zone: str, now: datetime
) -> datetime:
    """Return until when something is to be paid that was added to the price of a confirmed place.

    Two weeks, to the end of a day in the event's zone; with a rest that is due later, and not after the start.
    """
    day = now.astimezone(ZoneInfo(zone)).date() + ASK_FOR + timedelta(days=1)
    until = datetime.combine(day, time(), ZoneInfo(zone)).astimezone(now.tzinfo)
    return max(min(until, starts_at), known or now, now)


def why_not_extend(*, extended: bool, held: bool) -> Refusal | None:
    """A cart hold that still runs may be made longer once."""
    if not held:
        return HOLD_EXPIRED
    if extended:
        return Refusal("ExtendedAlready", N_("The time was made longer once already."))
    return None


EVENT_CANCELLED = Refusal("EventCancelled", N_("This event will not take place."))
HOLD_EXPIRED = Refusal(
    "HoldExpired",
    N_("The time for which your places were held is over, so they were let go."),
)
EMAIL_TAKEN = Refusal(
    "EmailTaken",
    N_("This address can't be used again here; if it is yours, we have mailed you its link."),
)
SAME_PERSON_TWICE = Refusal(
    "SamePersonTwice",
    N_("Somebody else in this order has the same address. Each person needs their own."),
)
PLACED_ALREADY = Refusal("PlacedAlready", N_("This order is placed already."))
EMAIL_HERE = Refusal(
    "EmailHere", N_("Somebody with this address is registered for this event already.")
)
ALL_NAMED = Refusal(
    "AllNamed", N_("Every place of this kind has a name on it. Change a name, or add a place.")
)
NO_MORE_ANSWERS = Refusal("NoMoreAnswers", N_("These answers can no longer be changed."))
NOT_CONFIRMED = Refusal("NotConfirmed", N_("There is no confirmed place here to write about."))
TAKEN_AGAIN = Refusal(
    "TakenAgain", N_("These people have places again already, or somebody else took them down.")
)
NOTHING_CHOSEN = Refusal("NothingChosen", N_("Choose at least one place."))
NOT_COMPLETE = Refusal("NotComplete", N_("Something is still missing before you can go on."))
NOT_OFFERED = Refusal("NotOffered", N_("This order is not about a place that was offered."))
ONLY_OFFERED = Refusal(
    "OnlyOffered",
    N_("This place was offered to you, so it cannot be taken again here. Please write to us."),
)
GONE_ALREADY = Refusal("GoneAlready", N_("This place was given back already."))
MOVES_ALREADY = Refusal(
    "MovesAlready",
    N_("A place elsewhere is held for this person already: pay it, or keep the old place first."),
)
PRICE_CHANGED = Refusal(
    "PriceChanged",
    N_(
        "The price there has changed since you opened this page. Nothing was done; please look again."
    ),
)
PRICE_FOR_ONE = Refusal(
    "PriceForOne",
    N_(
        "The price of this place is for one person alone, so it cannot be handed on by a link. "
        "Please write to us, and we look for a way together."
    ),
)
PAYMENT_OPEN = Refusal(
    "PaymentOpen",
    N_(
        "A payment page is open for this order. Finish it, or wait until it has closed: "
        "that takes about half an hour."
    ),
)
PAID_PLACE = Refusal(
    "PaidPlace",
    N_("A paid place is cancelled together with its refund: open it from the person’s page."),
)


def why_not_in_cart(
    *, currency: str, cart_currency: str | None, wanted: int, others: int
) -> Refusal | None:
    """One cart has one currency, and not more places than one person can look after."""
    if wanted < 1:
        return NOTHING_CHOSEN
    if cart_currency and currency != cart_currency:
        return Refusal(
            "OtherCurrency",
            N_(
                "What you have chosen so far is in %(cart)s, and this event is priced in %(event)s. "
                "One order has one currency: finish the first one, then come back for this."
            ),
            {"cart": cart_currency, "event": currency},
        )
    if wanted + others > MOST_PLACES:
        return Refusal(
            "TooManyPlaces",
            N_("One order holds at most %(most)s places. For more, please write to us."),
            {"most": MOST_PLACES},
        )
    return None


@dataclass(frozen=True)
class Change:
    """What a new choice of places means for a cart: how many to claim of each type, and which to give back."""

    more: Mapping[int, int]
    less: Sequence[int]


def change_of(wanted: Mapping[int, int], have: Sequence[tuple[int, int, bool]]) -> Change:
    """Compare a choice with a cart, so that only the difference is claimed.

    `wanted` is ticket type → number; `have` lists (registration id, ticket type, whether somebody is named on it).
    Nameless places are given back first, then the last ones.
    """
    more, less = {}, []
    for type_id in dict.fromkeys([*wanted, *(t for _, t, _ in have)]):
        mine = [(named, r) for r, t, named in have if t == type_id]
        surplus = len(mine) - wanted.get(type_id, 0)
        if surplus > 0:
            less += [r for _, r in sorted(mine, key=lambda m: (m[0], -m[1]))[:surplus]]
        elif surplus < 0:
            more[type_id] = -surplus
    return Change(more, less)


# ---- where a cart stands


class Step(StrEnum):
    """Screens between the places and the review."""

    PAYER = "payer"
    PERSON = "person"
    OPTIONS = "options"
    ANSWERS = "answers"
    REVIEW = "review"


@dataclass(frozen=True)
class Seat:
    """One place of a cart, as far as its form is filled in."""

    is_payer: bool
    named: bool
    answered: bool
    chosen: bool = True


def next_step(*, payer_known: bool, seats: Sequence[Seat]) -> tuple[Step, int]:
    """Return the first screen on which something is missing, with the number of the place (1 is the first)."""
    if not payer_known:
        return Step.PAYER, 0
    for n, seat in enumerate(seats, start=1):
        if not seat.named:
            return (Step.PAYER, 0) if seat.is_payer else (Step.PERSON, n)
    if not all(seat.chosen for seat in seats):
        return Step.OPTIONS, 0
    for n, seat in enumerate(seats, start=1):
        if seat.is_payer and not seat.answered:
            return Step.ANSWERS, n
    return Step.REVIEW, 0


# ---- where an order stands


class OrderState(StrEnum):
    """How a placed order stands; derived, never stored."""

    TO_PAY = "to_pay"
    PAYING = "paying"
    CONFIRMED = "confirmed"
    PARTLY = "partly"
    EXPIRED = "expired"
    CANCELLED = "cancelled"


def order_state(
    states: Collection[S], *, due: int, holding: bool, ends_at: datetime | None
) -> OrderState:
    """Return the one state of an order; `holding`: every unpaid place has a live claim, `ends_at` None: no end."""
    if S.AWAITING_PAYMENT in states:
        if not holding:
            return OrderState.EXPIRED
        return OrderState.PAYING if ends_at is None else OrderState.TO_PAY
    if S.CONFIRMED in states:
        return OrderState.PARTLY if due else OrderState.CONFIRMED
    return OrderState.EXPIRED if S.EXPIRED in states else OrderState.CANCELLED


def why_not_pay(states: Collection[S], *, due: int, holding: bool, off: bool) -> Refusal | None:
    """Refuse to open a payment; `off`: the event will not take place."""
    if off:
        return EVENT_CANCELLED
    if S.AWAITING_PAYMENT not in states and S.EXPIRED in states:
        return HOLD_EXPIRED
    nobody = bool(states) and not any(s in LIVE for s in states)
    if due <= 0 or nobody:
        return Refusal("NothingDue", N_("There is nothing to pay."))
    if S.AWAITING_PAYMENT in states and not holding:
        return HOLD_EXPIRED
    return None


def may_answer(state: S, *, ends_at: datetime, now: datetime) -> bool:
    """Tell whether a placed registration's answers can be given or changed."""
    return state in LIVE and now < ends_at


def why_not_remove(state: S, *, paying: bool) -> Refusal | None:
    """The payer may take a person off before paying, unless a payment page with the old sum is open."""
    if state is S.CONFIRMED:
        return PAID_PLACE
    if state is not S.AWAITING_PAYMENT:
        return GONE_ALREADY
    if paying:
        return PAYMENT_OPEN
    return None


def why_not_take(*, offered: bool, holding: bool, due: int) -> Refusal | None:
    """Refuse to confirm an offered place without a payment."""
    if not offered:
        return NOT_OFFERED
    if not holding:
        return HOLD_EXPIRED
    if due > 0:
        return Refusal("SomethingDue", N_("This place is confirmed when it is paid."))
    return None


def why_not_decline(*, offered: bool, holding: bool, paying: bool) -> Refusal | None:
    """Refuse to give an offered place back; `paying`: a payment page is open."""
    if not offered:
        return NOT_OFFERED
    if not holding:
        return HOLD_EXPIRED
    return why_not_remove(S.AWAITING_PAYMENT, paying=paying)


PROOF_SEEN = Refusal("ProofSeen", N_("Somebody has looked at this already."))
DIFFERENCE_CHANGED = Refusal(
    "DifferenceChanged",
    N_("The difference has changed since you opened this page. Nothing was done; look again."),
)


def is_unseen(proof: Mapping[str, Any] | None, state: S) -> bool:
    """Tell whether nobody has looked yet at what a trainee said for the price of a place."""
    if not proof or proof["kind"] != "trainee" or state not in (S.AWAITING_PAYMENT, S.CONFIRMED):
        return False
    return not proof.get("by") and not proof.get("refused_by")


def why_not_leave(
    state: S, *, event: EventState, ends_at: datetime, now: datetime
) -> Refusal | None:
    """A confirmed place may be given up until the event is over; what comes back is another question."""
    if state is not S.CONFIRMED:
        return GONE_ALREADY
    if event is EventState.CANCELLED:
        return Refusal(
            "CalledOff", N_("This event is called off: everything is given back without you.")
        )
    if now >= ends_at:
        return Refusal("EventOver", N_("This event is over."))
    return None


def paid_of(costs: Sequence[int], spare: int) -> list[int]:
    """Return what was paid for each of these places; `spare` is what the order has above its price (below: owes).

    What is owed is taken from the first: money that came is for the places that stay.
    """
    paid = []
    for cost in costs:
        mine = max(0, min(cost, spare + cost))
        spare += cost - mine
        paid.append(mine)
    return paid


def why_not_cancel(state: S, *, paid: int, paying: bool) -> Refusal | None:
    """An organizer may cancel what nothing was paid for."""
    if state not in (S.CONFIRMED, S.AWAITING_PAYMENT):
        return Refusal("GoneAlready", N_("This registration has ended already."))
    if paid > 0:
        return PAID_PLACE
    return why_not_remove(S.AWAITING_PAYMENT, paying=paying)
