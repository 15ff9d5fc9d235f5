"""Pure questions about the waiting list: may somebody join, whose turn is it, and why not theirs?

The published rule: parties are asked in the order of the list. A party is passed over, and keeps its position, where
the organizers have skipped it, where it needs more places than are free in the types that it would take, or where the
place is kept for a profession that is missing. At night a party is not written to: its places wait for the morning.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, time, timedelta
from enum import StrEnum

from regsys.events.kinds import GROUP_KINDS, EventKind
from regsys.events.states import EventState
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.kernel.zones import moment, wall_time

MOST_PLACES = 10
# Nobody is asked for an answer between these hours of their own clock.
EVENING, MORNING = time(21), time(8)
HOURS = 72
SHORTEST = timedelta(hours=1)
# Whoever says yes at the last minute still has time to fill in the form and to pay.
TO_FINISH = timedelta(hours=2)
# The mix is counted by so many places.
CIRCLE = 8


# ---- professions


class Group(StrEnum):
    """The professions of which an event may keep a number."""

    PHYSICIAN = "physician"
    MENTAL_HEALTH = "mental_health"


_WORDS = {
    Group.PHYSICIAN: ("physician", "doctor", "psychiatrist", "pediatrician", "internist", "gp"),
    Group.MENTAL_HEALTH: (
        "psycholog", "psychotherap", "therapist", "social worker", "counsel", "mental health",
        "behavioral health", "chaplain",
    ),
}  # fmt: skip
_NO_PHYSICIAN = ("physician assistant", "physician associate", "student")


def group_of(profession: str) -> Group | None:
    """Return the group of a profession as it was written; a psychiatrist counts as a physician."""
    text = profession.casefold()
    if any(one in text for one in _NO_PHYSICIAN):
        return None
    for group, words in _WORDS.items():
        if any(one in text if len(one) > 2 else one in text.split() for one in words):
            return group
    return None


# ---- joining


ON_LIST_BY_NOW = Refusal(
    "OnListByNow",
    N_("This address can't be used again here; if it is yours, we have mailed you its link."),
)
NO_TYPE = Refusal("NoType", N_("Choose at least one kind of place."))
PLACES_FREE = Refusal("PlacesFree", N_("Places are free at this moment, so nobody needs to wait."))
NO_LIST = Refusal("NoList", N_("There is no waiting list for this event."))
NEVER_FULL = Refusal("NeverFull", N_("There is room for everyone here, so nobody needs to wait."))


def why_not_join(
    *,
    listed: bool,
    on_sale: Refusal | None,
    size: int,
    left: Sequence[int | None],
) -> Refusal | None:
    """Refuse to put a party on the list; `on_sale` is why nobody can register now, `left` by chosen ticket type."""
    if on_sale is not None and on_sale.name != "Full":
        return on_sale
    if not listed:
        return NO_LIST
    if not left:
        return NO_TYPE
    if any(n is None for n in left):
        return NEVER_FULL
    return PLACES_FREE if max(n for n in left if n is not None) >= size else None


# ---- whose turn


@dataclass(frozen=True)
class Mix:
    """How many of each group there shall be per eight places; nought: no matter."""

    physician: int = 0
    mental_health: int = 0

    def least(self, group: Group, places: int) -> int:
        """Return how many of a group an event of this size wants."""
        return int(getattr(self, group.value)) * places // CIRCLE


@dataclass(frozen=True)
class Facts:
    """How an event stands. `free` has sized pools only; `places` is the size of the whole; `present` counts by group.

    What is offered already is neither free nor missing.
    """

    listed: bool
    state: EventState
    kind: EventKind
    starts_at: datetime
    pools: Mapping[int, Sequence[int]]
    free: Mapping[int, int]
    total: int | None = None
    places: int = 0
    mix: Mix = Mix()
    present: Mapping[Group, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Waiting:
    """One party in line; `registered`: its address has a place in the event by now."""

    id: int
    size: int
    types: Sequence[int]
    zone: str
    group: Group | None = None
    skipped: str | None = None
    registered: bool = False


@dataclass(frozen=True)
class Turn:
    """What is decided for one party: an offer of places of this type, or why not."""

    id: int
    type_id: int | None = None
    why_not: Refusal | None = None


def why_resting(facts: Facts, now: datetime) -> Refusal | None:
    """Return why nothing is offered to anybody."""
    if facts.state is EventState.CANCELLED:
        return Refusal("EventCancelled", N_("The event does not take place."))
    if now >= facts.starts_at:
        if facts.kind in GROUP_KINDS:
            return Refusal("GroupRuns", N_("The group has begun, and its circle stays as it is."))
        return Refusal("EventBegun", N_("The event has begun."))
    if facts.state is not EventState.PUBLISHED:
        return Refusal("EventClosed", N_("The event takes nobody in any more."))
    return None if facts.listed else NO_LIST


def take_turns(facts: Facts, line: Sequence[Waiting], now: datetime) -> list[Turn]:
    """Decide for each party in line, first to last, what is offered to it or why not.

    What one is offered, or is kept for the morning, is gone for those behind.
    """
    rest = why_resting(facts, now)
    turns = []
    for one in line:
        type_id = None if rest else fitting_type(facts, one)
        why_not = rest or _why_not(facts, one, type_id, now)
        turns.append(Turn(one.id, None if why_not else type_id, why_not))
        if type_id is not None and (why_not is None or why_not.name == "AtNight"):
            facts = _without(facts, one, type_id)
    return turns


def _why_not(facts: Facts, one: Waiting, type_id: int | None, now: datetime) -> Refusal | None:
    if one.skipped is not None:
        return Refusal("Skipped", N_("Passed over for now: %(note)s"), {"note": one.skipped})
    if one.registered:
        return Refusal("HasPlace", N_("This address has a place here by now."))
    if type_id is None:
        return _too_few(facts, one)
    kept = kept_for(facts, one)
    if kept:
        return kept
    morning = next_morning(now, one.zone)
    if morning:
        return Refusal("AtNight", N_("It is night where they are. The letter goes at 8 AM."))
    return None


def fitting_type(facts: Facts, one: Waiting) -> int | None:
    """Return the first ticket type, as the party named them, that has places for the whole party."""
    return next((t for t in one.types if _left(facts, t) >= one.size), None)


def _left(facts: Facts, type_id: int) -> int:
    free = [facts.free[p] for p in facts.pools.get(type_id, ()) if p in facts.free]
    return min(free, default=MOST_PLACES)


def _too_few(facts: Facts, one: Waiting) -> Refusal:
    left = max((_left(facts, t) for t in one.types), default=0)
    if left == 0:
        return Refusal("Full", N_("No place is free for them."))
    sentence = N_("They wait for %(size)s places together, and only %(left)s is free.")
    return Refusal("TooFewPlaces", sentence, {"size": one.size, "left": left})


def kept_for(facts: Facts, one: Waiting) -> Refusal | None:
    """Refuse where a place given to this party would be missing for the professions that the event keeps."""
    free = facts.free.get(facts.total) if facts.total is not None else None
    if free is None:
        return None
    missing = _missing(facts, facts.present)
    after = _missing(facts, _with(facts.present, one.group))
    need, left = sum(after.values()), free - one.size
    if need <= left or (one.size == 1 and need < sum(missing.values())):
        return None
    sentences: dict[tuple[Group, ...], str] = {
        (Group.PHYSICIAN,): N_("The place is kept for a physician."),
        (Group.MENTAL_HEALTH,): N_("The place is kept for a mental-health professional."),
    }
    groups = tuple(g for g in Group if after[g])
    both = N_("The place is kept for a physician or a mental-health professional.")
    return Refusal("KeptForMix", sentences.get(groups, both))


def _missing(facts: Facts, present: Mapping[Group, int]) -> dict[Group, int]:
    return {g: max(0, facts.mix.least(g, facts.places) - present.get(g, 0)) for g in Group}


def _with(present: Mapping[Group, int], group: Group | None) -> dict[Group, int]:
    return dict(present) if group is None else {**present, group: present.get(group, 0) + 1}


def _without(facts: Facts, one: Waiting, type_id: int) -> Facts:
    drawn = facts.pools[type_id]
    free = {p: n - one.size if p in drawn else n for p, n in facts.free.items()}
    return replace(facts, free=free, present=_with(facts.present, one.group))


def why_not_by_hand(facts: Facts, one: Waiting, now: datetime) -> Refusal | None:
    """Refuse an offer that an organizer makes out of turn; only places and the event itself stand in the way."""
    rest = why_resting(replace(facts, listed=True), now)
    if rest or one.registered:
        return rest or _why_not(facts, replace(one, skipped=None), None, now)
    return None if fitting_type(facts, one) is not None else _too_few(facts, one)


# ---- times


def next_morning(now: datetime, zone: str) -> datetime | None:
    """Return when the night ends that it is now in a zone; None by day."""
    wall = wall_time(now, zone)
    if MORNING <= wall.time() < EVENING:
        return None
    day = wall.date() + timedelta(days=1 if wall.time() >= EVENING else 0)
    return moment(datetime.combine(day, MORNING), zone).at


def offer_until(now: datetime, hours: int, starts_at: datetime, zone: str) -> datetime:
    """Return until when an offer is open: the event's hours, and a third of what is left before the start at most.

    An end that falls into the night moves to an hour after waking, if the event has not begun by then.
    """
    longest = max((starts_at - now) / 3, SHORTEST)
    end = now + min(timedelta(hours=hours), longest)
    morning = next_morning(end, zone)
    if morning and morning + SHORTEST < starts_at:
        end = morning + SHORTEST
    return min(end, max(starts_at, now + SHORTEST)).replace(microsecond=0)


def finish_until(until: datetime, now: datetime) -> datetime:
    """Return until when an accepted offer is held: as long as it was open, and never less than two hours."""
    return max(until, now + TO_FINISH)


# ---- answering


OFFER_OVER = Refusal(
    "OfferOver",
    N_("The time to answer is over, so the place was offered to the next person."),
)


OFFER_ANSWERED = Refusal("OfferAnswered", N_("This offer was answered or taken back already."))


def why_not_answer(*, until: datetime, ended: bool, now: datetime) -> Refusal | None:
    """Refuse an answer that comes too late, or a second one; the hold itself ended at that moment."""
    if now >= until:
        return OFFER_OVER
    return OFFER_ANSWERED if ended else None
