"""Whether a colleague may take a place, whether one may move to another event, and what is carried over."""

from dataclasses import dataclass
from datetime import datetime, time, timedelta

from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.kernel.zones import moment, wall_time
from regsys.policies.rules.refunds import Refund
from regsys.policies.rules.terms import Allowed, Carried, Taker, Terms, limit_of, months_on

NOT_ALLOWED = Refusal(
    "NoSubstitute", N_("A place here cannot be handed to somebody else. Please cancel it instead.")
)
TOO_LATE = Refusal("TooLateToHandOver", N_("It is too late now to hand this place on."))
NOT_EMPLOYER = Refusal(
    "NotPaidByEmployer",
    N_("Here a place can be handed on where an employer or somebody else has paid for it."),
)
OTHER_WORKPLACE = Refusal(
    "OtherWorkplace", N_("Here a place can be handed on to a colleague of the same workplace only.")
)
NO_TRANSFER = Refusal("NoTransfer", N_("One cannot move from here to another event."))
TRANSFER_TOO_LATE = Refusal("TransferTooLate", N_("It is too late now to move to another event."))
TRANSFERRED_ALREADY = Refusal(
    "TransferredAlready", N_("This place has come from another event and cannot move once more.")
)
TOO_FAR = Refusal("TransferTooFar", N_("That event is too far away to move to it."))


@dataclass(frozen=True)
class Handing:
    """What decides whether a place can be handed on; None of the last two: it is not known yet."""

    starts_at: datetime
    zone: str
    paid_by_other: bool | None = None
    same_workplace: bool | None = None


def why_not_hand_over(terms: Terms, when: datetime, facts: Handing) -> Refusal | None:
    """Refuse to let a colleague take a place."""
    rule = terms.substitute
    if rule.allowed is Allowed.NO:
        return NOT_ALLOWED
    limit = limit_of(rule.until, terms, starts_at=facts.starts_at, zone=facts.zone)
    if when >= limit:
        return TOO_LATE
    if rule.taker is Taker.EMPLOYER_PAID and facts.paid_by_other is False:
        return NOT_EMPLOYER
    if rule.taker is Taker.SAME_WORKPLACE and facts.same_workplace is False:
        return OTHER_WORKPLACE
    return None


def why_not_transfer(
    terms: Terms, when: datetime, facts: Handing, *, moved: int, other_starts_at: datetime
) -> Refusal | None:
    """Refuse a move to an event that begins at `other_starts_at`; `moved`: how often the place has moved already."""
    rule = terms.transfer
    if rule.allowed is Allowed.NO:
        return NO_TRANSFER
    if when >= limit_of(rule.until, terms, starts_at=facts.starts_at, zone=facts.zone):
        return TRANSFER_TOO_LATE
    if moved >= rule.times:
        return TRANSFERRED_ALREADY
    if (other_starts_at - facts.starts_at).days > rule.within_months * 31:
        return TOO_FAR
    return None


def credit_until(terms: Terms, *, starts_at: datetime, zone: str) -> datetime:
    """Return before when a later event has to begin for which what is kept counts: the end of a day, months after."""
    zone = terms.zone or zone
    last = months_on(wall_time(starts_at, zone).date(), terms.credit.months)
    return moment(datetime.combine(last + timedelta(days=1), time()), zone).at


def carried_over(terms: Terms, made: Refund) -> int:
    """Return what of the amount that is kept counts for a later event, in minor units."""
    kept = made.paid - made.amount
    if not terms.credit.months:
        return 0
    return min(kept, terms.deposit) if terms.credit.what is Carried.DEPOSIT else kept
