"""Pure questions about an event: is it on sale, at which rate, at what price?"""

from dataclasses import dataclass
from datetime import datetime

from regsys.events.kinds import Enrollment, Rate
from regsys.events.states import EventState
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_


@dataclass(frozen=True)
class SaleFacts:
    """What decides whether a place can be had; `left` None means that places never run out."""

    state: EventState
    enrollment: Enrollment
    starts_at: datetime
    opens_at: datetime | None
    closes_at: datetime | None
    left: int | None


def why_not_on_sale(facts: SaleFacts, now: datetime) -> Refusal | None:
    """Return why nobody can take a place here now, or None; the same answer greys the button and guards the verb."""
    if facts.state is EventState.CANCELLED:
        return Refusal("EventCancelled", N_("This event will not take place."))
    if facts.state is not EventState.PUBLISHED:
        return Refusal("EventClosed", N_("This event takes no registrations any more."))
    if facts.enrollment is Enrollment.EXTERNAL:
        return Refusal("RegistersElsewhere", N_("Registration for this event is elsewhere."))
    if facts.enrollment is Enrollment.CONTACT_LEADER:
        return Refusal("AsksTheLeader", N_("To join, please write to the leader."))
    if facts.enrollment is not Enrollment.OPEN:
        return Refusal(
            "ByApplication", N_("Places here are given by application; applications open soon.")
        )
    return _why_not_now(facts, now)


def _why_not_now(facts: SaleFacts, now: datetime) -> Refusal | None:
    if facts.opens_at and now < facts.opens_at:
        return Refusal("NotOpenYet", N_("Registration has not opened yet."))
    if (facts.closes_at and now >= facts.closes_at) or now >= facts.starts_at:
        return Refusal("RegistrationClosed", N_("Registration has closed."))
    if facts.left == 0:
        return Refusal("Full", N_("All places are taken or held at the moment."))
    return None


@dataclass(frozen=True)
class EarlyRule:
    """Early prices hold until a time and/or for the first N; `left` None: there is no first-N pool."""

    until: datetime | None
    left: int | None

    @property
    def exists(self) -> bool:
        """Tell whether the event has early prices at all."""
        return self.until is not None or self.left is not None


def rate_for(rule: EarlyRule, has_early_price: bool, now: datetime) -> Rate:
    """Return the rate of a hold that is made now; both limits, where both are set, must still hold."""
    if not has_early_price or not rule.exists:
        return Rate.REGULAR
    if rule.until is not None and now >= rule.until:
        return Rate.REGULAR
    return Rate.EARLY if rule.left is None or rule.left > 0 else Rate.REGULAR


def is_at_risk(
    *,
    minimum: int | None,
    decide_at: datetime | None,
    confirmed: int,
    now: datetime,
    warn_days: int = 14,
) -> bool:
    """Tell whether too few people are confirmed and the decision is near or due."""
    if not minimum or confirmed >= minimum or decide_at is None:
        return False
    return (decide_at - now).days < warn_days
