"""Pure questions about help with the fee: may it be asked, how much can be given, and what may be read of it?"""

import re
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from regsys.aid.states import OVER, RequestState
from regsys.kernel import money
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.registration.states import RegistrationState

# How long a place can still be paid after an answer, and how close to its beginning nobody asks any more.
TIME_TO_PAY = timedelta(days=14)
AFTER_ANSWER = timedelta(days=7)
SHORTEST = timedelta(days=2)
# Where somebody else pays: how long people have to ask by their own link, and how long before the hold is over the
# committee has answered. The hold is made long enough at once, since one that grows would tell that somebody asked.
TO_ASK = timedelta(days=3)
BEFORE_END = timedelta(days=1)
# Counts from one to below this are not shown in the report.
SMALL_CELL = 5
HIDDEN = "[…]"
# Addresses, links and numbers to call, whoever has them.
CONTACTS = re.compile(
    r"(?:https?://|www\.)\S+|[^\s@<>(),;]+@[^\s@<>(),;]+\.\w+|\+?\(?\d[\d\s().\-/]{6,}\d"
)
# Parts of names and addresses that name nobody.
NOBODY = frozenset({"the", "and", "for", "com", "org", "net", "edu", "www"})

NO_FUND = Refusal("NoFund", N_("There is no fund for this event that can be asked now."))
ASKED_ALREADY = Refusal("AskedAlready", N_("You have asked already."))
MOVING = Refusal(
    "PlaceMoves",
    N_(
        "This place is one to which you move from another event. Please write to us about its price."
    ),
)
NOBODY_ELSE = Refusal("NobodyElse", N_("Nobody else waits for a place in this order."))
NOT_UNPAID = Refusal(
    "NotUnpaid", N_("Help can be asked as long as a place is held and not paid yet.")
)
NOTHING_TO_PAY = Refusal("NothingToPay", N_("There is nothing to pay for this place."))
ANSWERS_FIRST = Refusal(
    "AnswersFirst",
    N_(
        "Please answer your questions first: your profession is all that the committee knows of you, "
        "and what you say of your workplace is hidden from it."
    ),
)
TOO_LATE = Refusal(
    "TooLateToAsk",
    N_("We could not answer in time: it begins too soon, or the place is not held long enough."),
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
    """A place for which somebody would like to ask; `latest`: when it is too late for an answer."""

    moving: bool
    answered: bool
    state: RegistrationState
    holding: bool
    paying: bool
    price: int
    asked: bool
    has_fund: bool
    has_paper: bool
    latest: datetime


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
        (case.asked, ASKED_ALREADY),
        (case.moving, MOVING),
        (case.state is not RegistrationState.AWAITING_PAYMENT or not case.holding, NOT_UNPAID),
        (case.paying, NOT_UNPAID),
        (case.price <= 0, NOTHING_TO_PAY),
        (case.has_paper, HAS_PAPER),
        (not case.has_fund, NO_FUND),
        (not case.answered, ANSWERS_FIRST),
        (case.latest - now < SHORTEST, TOO_LATE),
    )
    return next((refusal for wrong, refusal in checks if wrong), None)


def why_not_invite(
    *, others: int, holding: bool, paying: bool, has_fund: bool, has_paper: bool,
    until: datetime, now: datetime,
) -> Refusal | None:  # fmt: skip
    """Refuse to let the others of an order write to us first; `until`: how long their places would be held."""
    checks = (
        (not holding or paying, NOT_UNPAID),
        (not others, NOBODY_ELSE),
        (has_paper, HAS_PAPER),
        (not has_fund, NO_FUND),
        (until - BEFORE_END - now < SHORTEST, TOO_LATE),
    )
    return next((refusal for wrong, refusal in checks if wrong), None)


def latest_answer(last_call: datetime, others_until: datetime | None) -> datetime:
    """Return when it is too late for an answer; `others_until`: when the hold ends that somebody else has to use."""
    return min(last_call, others_until - BEFORE_END) if others_until else last_call


def answer_by(now: datetime, days: int, latest: datetime) -> datetime:
    """Return by when somebody who asks now is answered: never when it is too late."""
    return min(now + timedelta(days=days), latest)


def held_for_others(placed_at: datetime, days: int, last_call: datetime) -> datetime:
    """Return until when an order is held in which people may ask by their own link: doing it again changes nothing."""
    return min(placed_at + TO_ASK + timedelta(days=days) + AFTER_ANSWER, last_call)


def held_for_asking(answer: datetime, last_call: datetime) -> datetime:
    """Return until when the place of somebody who asks is held: there is time to pay after any answer."""
    return min(answer + AFTER_ANSWER, last_call)


def carried(amount: int, *, price: int, cost: int, serves: bool) -> int:
    """Return what of an award goes along to another event that its fund serves: what it costs more than the old place.

    So nothing of an award is ever given back in money.
    """
    return max(0, min(amount, price - cost)) if serves else 0


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
    """Return what somebody wrote without what names them: names, addresses, employer, in any case and accent.

    A part of two letters, like a short name, is hidden only where it is written just so.
    """
    words = CONTACTS.sub(HIDDEN, words)
    plain, spans = _plain(words), []
    for part in {p for k in known for p in (k, *re.split(r"[\s@.,/()'’-]+", k)) if len(p) > 1}:
        if part.casefold() in NOBODY:
            continue
        for found in re.finditer(rf"(?<!\w){re.escape(_plain(part))}(?!\w)", plain):
            if len(part) > 2 or words[slice(*found.span())] == part:
                spans.append(found.span())
    said, at = "", 0
    for start, end in sorted(spans):
        if start >= at:
            said += words[at:start] + HIDDEN
        at = max(at, end)
    return said + words[at:]


def _plain(text: str) -> str:
    """Return a text in small letters without accents, letter by letter, so that it is as long as before."""
    return "".join(unicodedata.normalize("NFKD", c)[0].lower()[0] for c in text)


def words_go_at(state: RequestState, state_at: datetime, ends_at: datetime, days: int) -> datetime:
    """Return when what somebody wrote is deleted: days after the event, or after the request came to nothing."""
    kept = timedelta(days=days)
    return min(ends_at, state_at) + kept if state in OVER else ends_at + kept


def shown_count(n: int) -> int | None:
    """Return a count as the report may show it; None: there are some, and fewer than five."""
    return None if 0 < n < SMALL_CELL else n


def may_show_parts(counts: Sequence[int]) -> bool:
    """Tell whether the amounts behind these counts may be shown apart: none of them is a small cell."""
    return all(shown_count(n) is not None for n in counts)
