"""Pure questions about codes: does it count here, and how much does it take off?"""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from regsys.kernel import money
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_, email_key


@dataclass(frozen=True)
class Terms:
    """What a code says; `percent` in hundredths or `amount` in minor units of `currency`."""

    percent: int | None = None
    amount: int | None = None
    currency: str = ""
    starts_at: datetime | None = None
    ends_at: datetime | None = None
    min_group: int = 1
    ended: bool = False


@dataclass(frozen=True)
class Place:
    """One place to which a code may count: what the place alone costs, and where its person works ('': not said)."""

    id: int
    price: int
    workplace: str = ""


UNKNOWN = Refusal(
    "CodeUnknown",
    N_("We do not know this code here. Please compare it with the letter in which you found it."),
)
USED_UP = Refusal("CodeUsedUp", N_("This code was used as often as it may be."))
USED_BY_THEM = Refusal(
    "CodeUsedByThem", N_("This code counts once for each person, and it was used already.")
)
OF_ANOTHER = Refusal(
    "CreditOfAnother",
    N_(
        "This credit counts for the place of the person to whom it belongs, under the address at which they had it."
    ),
)
NOTHING_OFF = Refusal(
    "NothingOff", N_("There is nothing to pay here from which it could be taken.")
)
WORKPLACE_UNSAID = Refusal(
    "WorkplaceUnsaid",
    N_("This code is for people of one workplace: please write where you all work."),
)
OTHER_CODE = Refusal(
    "OtherCode", N_("One order takes one code. Take the first one off, then try the other.")
)
CODE_TAKEN = Refusal("CodeTaken", N_("There is a code of this name already."))


def discount(terms: Terms, price: int, currency: str) -> int:
    """Return what a code takes off one place, in minor units: rounded half up to what can be charged, never below zero.

    It counts for the place alone, not for what is chosen with it.
    """
    unit = money.unit(currency)
    if terms.amount is not None:
        off = terms.amount
    else:
        # Half up: percent is in hundredths, so that 10000 is everything.
        off = (price * (terms.percent or 0) * 2 + 10000 * unit) // (20000 * unit) * unit
    return min(off, price)


def why_not(terms: Terms, currency: str, now: datetime) -> Refusal | None:
    """Refuse a code that is not valid at this moment or in this currency."""
    if terms.ended or (terms.ends_at and now >= terms.ends_at):
        return Refusal("CodeOver", N_("This code is no longer valid."))
    if terms.starts_at and now < terms.starts_at:
        return Refusal("CodeNotYet", N_("This code is not valid yet."))
    if terms.amount is not None and terms.currency != currency:
        return Refusal(
            "CodeOtherCurrency",
            N_("This code is in %(code)s, and your order in %(order)s."),
            {"code": terms.currency, "order": currency},
        )
    return None


def group_of(terms: Terms, places: Sequence[Place]) -> list[Place]:
    """Return the places of the largest group of one workplace, or all where the code asks for no group."""
    if terms.min_group == 1:
        return list(places)
    keys = [email_key(p.workplace) for p in places]
    largest = Counter(k for k in keys if k).most_common(1)
    return [p for p, k in zip(places, keys, strict=True) if largest and k == largest[0][0]]


def why_not_group(terms: Terms, count: int) -> Refusal | None:
    """Refuse where fewer people of one workplace come than the code asks for."""
    if count >= terms.min_group:
        return None
    return Refusal(
        "GroupTooSmall",
        N_("This code is for at least %(n)s people from one workplace in one order."),
        {"n": terms.min_group},
    )


def why_not_left(total: int, currency: str) -> Refusal | None:
    """Refuse where so little would be left that no card can be charged with it."""
    if total == 0 or money.chargeable(total, currency):
        return None
    return Refusal(
        "TooLittleLeft",
        N_(
            "With this code %(left)s would be left to pay, which is less than a card can be charged with."
        ),
        {"left": money.show(total, currency)},
    )


def group_too_small(code: str, least: int) -> Refusal:
    """Refuse where too few people of a group are left for the code that it has."""
    return Refusal(
        "GroupTooSmall",
        N_(
            "The code %(code)s is for at least %(n)s people from one workplace. Take the code off, or add somebody."
        ),
        {"code": code, "n": least},
    )


def group_apart(code: str) -> Refusal:
    """Refuse where somebody who has a group's code works elsewhere by now."""
    sentence = N_(
        "The code %(code)s is for people from one workplace, and somebody here works elsewhere. "
        "Take the code off; then it can be used again for the others."
    )
    return Refusal("GroupApart", sentence, {"code": code})


def code_used_already(code: str) -> Refusal:
    """Refuse where somebody has used the code of their order before."""
    sentence = N_(
        "The code %(code)s counts once for each person, and somebody here has used it. Take the code off to go on."
    )
    return Refusal("CodeUsedAlready", sentence, {"code": code})


# Placing is refused by these until the code is taken off, which the review offers.
ABOUT_CODES = frozenset({"GroupTooSmall", "GroupApart", "CodeUsedAlready"})


def why_not_stay(code: str, terms: Terms, places: Sequence[Place], *, look: bool) -> Refusal | None:
    """Refuse where those who have a group's code are no group; `look`: also at where they work, as before placing."""
    group = group_of(terms, places) if look else places
    if len(group) < terms.min_group:
        return group_too_small(code, terms.min_group)
    return group_apart(code) if len(group) < len(places) else None


def why_not_reopen(*, amount: int, kept: int) -> Refusal | None:
    """Refuse to let a credit count again of whose amount less is kept now (minor units)."""
    if amount <= kept:
        return None
    sentence = N_("What this credit was made of was given back, so it cannot count again.")
    return Refusal("KeptIsGone", sentence)
