"""Pure questions about help with the fee: may it be asked, how much can be given, and what may be read of it?"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from regsys.kernel import money
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.registration.states import RegistrationState

# How long a place can still be paid after an answer, and how close to its beginning nobody asks any more.
TIME_TO_PAY = timedelta(days=14)
AFTER_ANSWER = timedelta(days=7)
SHORTEST = timedelta(days=2)
# Counts from one to below this are not shown in the report.
SMALL_CELL = 5
HIDDEN = "[…]"

NO_FUND = Refusal("NoFund", N_("There is no fund for this event that can be asked now."))
ASKED_ALREADY = Refusal("AskedAlready", N_("You have asked already."))
NOT_OWN = Refusal(
    "NotOwnPlace",
    N_("Help can be asked for one’s own place, in an order with nobody else in it."),
)
NOT_UNPAID = Refusal(
    "NotUnpaid", N_("Help can be asked as long as a place is held and not paid yet.")
)
NOTHING_TO_PAY = Refusal("NothingToPay", N_("There is nothing to pay for this place."))
TOO_LATE = Refusal(
    "TooLateToAsk", N_("It begins too soon: the committee could not answer in time.")
)
HAS_PAPER = Refusal(
    "HasPaper", N_("An invoice was written for this place already, and it would say another price.")
)
DECIDED = Refusal("RequestDecided", N_("This request is decided, or was taken back."))
PLACE_GONE = Refusal(
    "PlaceGone", N_("The place is paid or was let go, so there is nothing to decide any more.")
)
NOT_AN_AMOUNT = Refusal("NotAnAmount", N_("Write an amount above nothing."))


@dataclass(frozen=True)
class Case:
    """A place for which somebody would like to ask; `last_call`: when it is too late to come."""

    own: bool
    state: RegistrationState
    holding: bool
    paying: bool
    price: int
    asked: bool
    has_fund: bool
    has_paper: bool
    last_call: datetime


def below_given(given: int, currency: str) -> Refusal:
    """Refuse a budget below what was given."""
    return Refusal(
        "BelowGiven",
        N_("%(given)s is given or kept for somebody already."),
        {"given": money.show(given, currency)},
    )


def why_not_ask(case: Case, now: datetime) -> Refusal | None:
    """Refuse where the committee could not help."""
    checks = (
        (not case.own, NOT_OWN),
        (case.asked, ASKED_ALREADY),
        (case.state is not RegistrationState.AWAITING_PAYMENT or not case.holding, NOT_UNPAID),
        (case.paying, NOT_UNPAID),
        (case.price <= 0, NOTHING_TO_PAY),
        (case.has_paper, HAS_PAPER),
        (not case.has_fund, NO_FUND),
        (case.last_call - now < SHORTEST, TOO_LATE),
    )
    return next((refusal for wrong, refusal in checks if wrong), None)


def answer_by(now: datetime, days: int, last_call: datetime) -> datetime:
    """Return by when somebody who asks now is answered: never after it has begun."""
    return min(now + timedelta(days=days), last_call)


def held_for_asking(answer: datetime, last_call: datetime) -> datetime:
    """Return until when the place of somebody who asks is held: there is time to pay after any answer."""
    return min(answer + AFTER_ANSWER, last_call)


def pay_by(now: datetime, last_call: datetime) -> datetime:
    """Return until when what was awarded now waits to be claimed."""
    return min(now + TIME_TO_PAY, last_call)


def most(price: int, left: int, currency: str) -> int:
    """Return the largest award: never more than the place costs, nor than the fund has."""
    return max(0, min(price, left) // money.unit(currency) * money.unit(currency))


def why_not_award(amount: int, *, price: int, left: int, currency: str) -> Refusal | None:
    """Refuse an award that is no amount, above the fee, above what is left, or that leaves what no card can pay."""
    if amount <= 0 or (amount % money.unit(currency) and amount != price):
        return NOT_AN_AMOUNT
    if amount > price:
        return Refusal(
            "AboveFee",
            N_("The place costs %(price)s. More than that cannot be given."),
            {"price": money.show(price, currency)},
        )
    if amount > left:
        return Refusal(
            "FundShort",
            N_("The fund has %(left)s left."),
            {"left": money.show(max(0, left), currency)},
        )
    rest = price - amount
    if rest and not money.chargeable(rest, currency):
        return Refusal(
            "TooLittleLeft",
            N_("%(rest)s would be left to pay, which is less than a card can be charged with."),
            {"rest": money.show(rest, currency)},
        )
    return None


def masked(words: str, known: Sequence[str]) -> str:
    """Return what somebody wrote without what names them: their names, address and employer, in any case."""
    parts = {p for k in known for p in (k, *re.split(r"[\s@.,-]+", k)) if len(p) > 2}
    for part in sorted(parts, key=len, reverse=True):
        words = re.sub(rf"(?<!\w){re.escape(part)}(?!\w)", HIDDEN, words, flags=re.IGNORECASE)
    return words


def shown_count(n: int) -> int | None:
    """Return a count as the report may show it; None: there are some, and fewer than five."""
    return None if 0 < n < SMALL_CELL else n


def may_show_parts(counts: Sequence[int]) -> bool:
    """Tell whether the amounts behind these counts may be shown apart: none of them is a small cell."""
    return all(shown_count(n) is not None for n in counts)
