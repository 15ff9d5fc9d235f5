"""Pure questions about a host's seats: who may be put on one, until when, and how a seat stands."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum

from regsys.events.kinds import Enrollment
from regsys.events.states import EventState
from regsys.hosts.kinds import Pays
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.registration.states import RegistrationState

REMIND_BEFORE = timedelta(days=7)
# Where each pays: how long an unpaid seat waits for its person.
PAY_WITHIN = timedelta(days=7)
MOST_SEATS = 60
# An inquiry asks for a visit in some weeks; a draft needs a day to begin with.
DRAFT_AHEAD = timedelta(weeks=12)
USUAL_SEATS = 12

EVENT_CLOSED = Refusal("EventClosed", N_("This event is not open at the moment."))
NAMES_OVER = Refusal(
    "NamesOver", N_("The time to put names on seats is over. Write to us if somebody cannot come.")
)
NO_SEAT_LEFT = Refusal(
    "NoSeatLeft", N_("Every seat has a name. Swap one, or write to us if you need more seats.")
)
SEATS_LET_GO = Refusal(
    "SeatsLetGo", N_("The seats that had no name in time were let go. Please write to us.")
)
PAID_SEAT = Refusal(
    "PaidSeat", N_("This seat is paid, so it keeps a name: put another one on it instead.")
)
OWN_SEAT = Refusal(
    "OwnSeat", N_("This person has paid for the seat, so only they can give it to somebody else.")
)
SEATS_NAMED = Refusal(
    "SeatsNamed", N_("More people than that have a seat already: take a name off first.")
)
TERMS_FIXED = Refusal(
    "TermsFixed",
    N_("People have seats already, so who pays, and for what kind of place, stays as it is."),
)
NOT_BY_HOST = Refusal(
    "NotByHost",
    N_("Choose “when the host’s coordinator agrees” in the basics of the event first."),
)
NOT_SHOWN_YET = Refusal(
    "NotShownYet", N_("Publish the event first: before, its private link opens nothing.")
)
NO_HOST = Refusal("NoHost", N_("Nobody gives out seats here yet. Please come back later."))
EMAIL_HERE = Refusal("EmailHere", N_("Somebody with this address has a seat here already."))


class SeatWord(StrEnum):
    """How a named seat stands, as its coordinator may know it."""

    INVITED = "invited"
    ANSWERED = "answered"
    CONFIRMED = "confirmed"


def seat_word(state: RegistrationState, *, answered: bool) -> SeatWord:
    """Return how a seat stands: it is confirmed when its person has answered, and it is paid where that is wanted."""
    if not answered:
        return SeatWord.INVITED
    paid = state is RegistrationState.CONFIRMED
    return SeatWord.CONFIRMED if paid else SeatWord.ANSWERED


@dataclass(frozen=True)
class Facts:
    """What decides about the names of a host's seats; `named` and `kept` are numbers of seats."""

    state: EventState
    starts_at: datetime
    seats: int
    named: int
    kept: int
    pays: Pays = Pays.HOST
    names_until: datetime | None = None
    kept_until: datetime | None = None

    @property
    def last_moment(self) -> datetime:
        """Return until when names can be changed."""
        return min(self.names_until or self.starts_at, self.starts_at)

    @property
    def open_seats(self) -> int:
        """Return how many seats have no name; some of them may be let go by now."""
        return max(0, self.seats - self.named)


def keep_until(starts_at: datetime, kept_until: datetime | None) -> datetime:
    """Return until when places are kept for seats without a name."""
    return min(kept_until or starts_at, starts_at)


def target(facts: Facts, now: datetime) -> int:
    """Return how many places should be kept for seats without a name at this moment."""
    over = facts.kept_until is not None and now >= facts.kept_until
    ended = facts.state is EventState.CANCELLED or now >= facts.starts_at
    return 0 if over or ended else facts.open_seats


def why_not_change_names(facts: Facts, now: datetime) -> Refusal | None:
    """Names are put on seats, swapped and taken off while the event is open, until its day for that."""
    if facts.state not in (EventState.PUBLISHED, EventState.CLOSED):
        return EVENT_CLOSED
    return NAMES_OVER if now >= facts.last_moment else None


def why_not_name(facts: Facts, now: datetime) -> Refusal | None:
    """Refuse to put one more name on a seat."""
    refusal = why_not_change_names(facts, now)
    if refusal:
        return refusal
    if not facts.open_seats:
        return NO_SEAT_LEFT
    return None if facts.kept else SEATS_LET_GO


def why_not_swap(facts: Facts, state: RegistrationState, now: datetime) -> Refusal | None:
    """Refuse to put another name on a seat; where each pays, a paid seat belongs to whoever has paid it."""
    if facts.pays is Pays.EACH and state is RegistrationState.CONFIRMED:
        return OWN_SEAT
    return why_not_change_names(facts, now)


def why_not_take_off(
    facts: Facts, state: RegistrationState, *, price: int, now: datetime
) -> Refusal | None:
    """Refuse to leave a seat without its name: not where money came for this very seat."""
    if state is RegistrationState.CONFIRMED and price:
        return OWN_SEAT if facts.pays is Pays.EACH else PAID_SEAT
    return why_not_change_names(facts, now)


def why_not_ask(
    state: EventState, starts_at: datetime, closes_at: datetime | None, now: datetime
) -> Refusal | None:
    """Refuse people who ask for a seat where nobody will read it any more."""
    if state is EventState.CANCELLED:
        return Refusal("EventCancelled", N_("This event will not take place."))
    if state is not EventState.PUBLISHED or now >= min(closes_at or starts_at, starts_at):
        return Refusal("RegistrationClosed", N_("The time to ask for a seat is over."))
    return None


def why_not_host(enrollment: Enrollment) -> Refusal | None:
    """A host's seats stand apart from what is sold: then nobody else takes them in between."""
    return None if enrollment is Enrollment.HOST_APPROVES else NOT_BY_HOST


def why_not_set(*, seats: int, named: int, same_terms: bool) -> Refusal | None:
    """Refuse changes that would take away what people have."""
    if seats < named:
        return SEATS_NAMED
    return None if same_terms or not named else TERMS_FIXED


def is_reminder_due(facts: Facts, *, invited: bool, reminded: bool, now: datetime) -> bool:
    """Tell whether the coordinator should hear that seats still have no name: once, a week before it is too late."""
    last = min(facts.kept_until or facts.last_moment, facts.last_moment)
    due = last - REMIND_BEFORE <= now < last
    return due and invited and not reminded and target(facts, now) > 0


def first_day(wished: str, today: date) -> date:
    """Return the first day to come that an inquiry names as 2027-08-19, else a Thursday in about twelve weeks."""
    for found in re.findall(r"\b\d{4}-\d{2}-\d{2}\b", wished):
        try:
            day = date.fromisoformat(found)
        except ValueError:
            continue
        if day > today:
            return day
    later = datetime.combine(today, datetime.min.time(), UTC).date() + DRAFT_AHEAD
    return later + timedelta(days=(3 - later.weekday()) % 7)
