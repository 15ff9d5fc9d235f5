"""Pure questions of organizers: which days has a series, what keeps an event from being shown?"""

from calendar import monthrange
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from enum import StrEnum

from regsys.events.kinds import (
    GROUP_KINDS,
    Enrollment,
    EventKind,
    EventMode,
    LeaderLevel,
    Visibility,
)
from regsys.kernel.errors import Refusal
from regsys.kernel.money import MINIMUM_CHARGE, chargeable, plain
from regsys.kernel.text import N_
from regsys.kernel.zones import is_known


class Every(StrEnum):
    """How a series goes on from its first day."""

    WEEK = "week"
    TWO_WEEKS = "two_weeks"
    MONTH = "month"
    LAST_OF_MONTH = "last_of_month"


def repeat(first: date, every: Every, count: int) -> list[date]:
    """Return the days of a series: weeks by the calendar, or "the second Tuesday", or "the last Tuesday".

    A fifth weekday does not come every month: from such a day on it is the last one.
    """
    if every in (Every.WEEK, Every.TWO_WEEKS):
        step = timedelta(weeks=1 if every is Every.WEEK else 2)
        return [first + step * i for i in range(count)]
    which = (first.day - 1) // 7
    if every is Every.LAST_OF_MONTH or which == 4:
        which = -1
    months = (divmod(first.month - 1 + i, 12) for i in range(1, count))
    return [first, *(_weekday_of(first.year + y, m + 1, first.weekday(), which) for y, m in months)]


def _weekday_of(year: int, month: int, weekday: int, which: int) -> date:
    days = [date(year, month, d) for d in range(1, monthrange(year, month)[1] + 1)]
    return [d for d in days if d.weekday() == weekday][which]


@dataclass(frozen=True, kw_only=True)
class PublishFacts:
    """What decides whether an event may be shown; `prices`: of the ticket types on sale, one tuple each."""

    title: str
    kind: EventKind
    enrollment: Enrollment
    visibility: Visibility
    starts_at: datetime
    ends_at: datetime
    time_zone: str
    currency: str
    opens_at: datetime | None = None
    closes_at: datetime | None = None
    external_name: str = ""
    external_url: str = ""
    prices: Sequence[Sequence[int]] = ()
    levels: Sequence[LeaderLevel] = ()
    can_be_asked: bool = False
    has_key: bool = False


# Why a group may go without a leader is written down with the name of who decided it.
WAIVABLE = "NoLeader"
_LEADS = frozenset(LeaderLevel) - {LeaderLevel.MEMBER}


def why_not_publish(facts: PublishFacts, now: datetime) -> list[Refusal]:
    """List everything that keeps an event from being shown; the same list stands on the preview page."""
    return [*_lacks(facts), *_wrong_times(facts, now), *_cannot_be_had(facts)]


def _lacks(facts: PublishFacts) -> Iterator[Refusal]:
    if not facts.title.strip():
        yield Refusal("NoTitle", N_("It has no title yet."))
    if facts.kind in GROUP_KINDS and not _LEADS.intersection(facts.levels):
        yield Refusal(
            "NoLeader",
            N_("A group needs one leader who is at least a leader in training before it is shown."),
        )
    if facts.visibility is Visibility.PRIVATE_LINK and not facts.has_key:
        yield Refusal("NoKey", N_("It is for people with a private link: make the link first."))


def _wrong_times(facts: PublishFacts, now: datetime) -> Iterator[Refusal]:
    if not is_known(facts.time_zone):
        yield Refusal("NoZone", N_("Its time zone is not known."))
    if facts.ends_at <= now:
        yield Refusal("EventOver", N_("It is already over: its dates lie in the past."))
    if facts.opens_at and facts.closes_at and facts.opens_at >= facts.closes_at:
        yield Refusal("OpensAfterClosing", N_("Registration would close before it opens."))
    if any(t and t > facts.starts_at for t in (facts.opens_at, facts.closes_at)):
        yield Refusal("OpenAfterStart", N_("Registration must open and close before the start."))


def _cannot_be_had(facts: PublishFacts) -> Iterator[Refusal]:
    if facts.enrollment in (Enrollment.OPEN, Enrollment.APPLICATION):
        if not facts.prices:
            yield Refusal("NoPrice", N_("It needs a ticket type on sale, with a price."))
        yield from (r for p in facts.prices for a in p if (r := why_not_price(a, facts.currency)))
    elif facts.enrollment is Enrollment.EXTERNAL:
        if not facts.external_name or not facts.external_url.startswith(("https://", "http://")):
            yield Refusal(
                "NoElsewhere", N_("Say who takes the registrations, and at which address.")
            )
    elif facts.enrollment is Enrollment.CONTACT_LEADER and not facts.can_be_asked:
        yield Refusal(
            "NobodyToAsk", N_("It needs a leader on its page who can be reached by visitors.")
        )


def why_not_price(amount: int, currency: str) -> Refusal | None:
    """Refuse what a card cannot be charged with; nothing at all is fine."""
    if amount == 0 or chargeable(amount, currency):
        return None
    if amount >= MINIMUM_CHARGE.get(currency, 50):
        return Refusal(
            "PriceNotRound",
            N_("%(amount)s %(currency)s cannot be charged to a card: it must end in 0."),
            {"amount": plain(amount, currency), "currency": currency},
        )
    return Refusal(
        "PriceNotChargeable",
        N_(
            "%(amount)s %(currency)s cannot be charged to a card: "
            "make it free, or %(least)s %(currency)s or more."
        ),
        {
            "amount": plain(amount, currency),
            "currency": currency,
            "least": plain(MINIMUM_CHARGE.get(currency, 50), currency),
        },
    )


def why_not_cancel(holding: int) -> Refusal | None:
    """Refuse to cancel an event in which people hold places."""
    if not holding:
        return None
    return Refusal(
        "PlacesHeld",
        N_(
            "%(count)s places are taken or held here. Call it off together with everybody in it: "
            "they are told, and what was paid goes back."
        ),
        {"count": holding},
    )


def why_not_hide(used: bool) -> Refusal | None:
    """Refuse to make a draft of an event in which somebody ever held a place."""
    if not used:
        return None
    return Refusal(
        "PlacesUsed", N_("People have registered here, so it stays visible: close it instead.")
    )


@dataclass(frozen=True, kw_only=True)
class GapFacts:
    """What an organizer may have forgotten; none of it keeps an event from being shown."""

    mode: EventMode
    enrollment: Enrollment
    visibility: Visibility
    has_venue: bool
    has_link: bool
    has_sessions: bool
    has_leaders: bool
    has_limit: bool
    has_early_price: bool
    has_early_rule: bool


def list_gaps(facts: GapFacts) -> list[str]:
    """List, in sentences, what may have been forgotten."""
    sells = facts.enrollment in (Enrollment.OPEN, Enrollment.APPLICATION)
    found = (
        (
            facts.mode is not EventMode.ONLINE and not facts.has_venue,
            N_("No house or hall is chosen: the page says no place."),
        ),
        (
            sells and facts.mode is not EventMode.IN_PERSON and not facts.has_link,
            N_("The link for joining is missing; people find it on their page once it is here."),
        ),
        (not facts.has_sessions, N_("The schedule is empty: the page shows beginning and end.")),
        (not facts.has_leaders, N_("Nobody leads it yet.")),
        (sells and not facts.has_limit, N_("Places never run out: no number is given.")),
        (
            sells and facts.has_early_price and not facts.has_early_rule,
            N_("There are early prices, but neither a date nor a number until which they hold."),
        ),
        (
            sells and facts.has_early_rule and not facts.has_early_price,
            N_("Early prices have an end, but no ticket type has an early price."),
        ),
    )
    return [sentence for missing, sentence in found if missing]
