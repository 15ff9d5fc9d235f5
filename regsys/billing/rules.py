"""When a paper can be written anew, how late an invoice is, and when somebody is reminded."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from regsys.billing.states import InvoiceState
from regsys.events.kinds import InvoiceTerms
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.ledger.kinds import DocumentKind
from regsys.registration.invoicing import InvoiceOffer

# Nobody needs more names on one receipt, and numbers are not for play.
MOST_ANEW = 5


def why_not_anew(kind: DocumentKind, *, void: bool, times: int) -> Refusal | None:
    """A receipt is made out to another name as long as it stands; `times`: how often the order's were already."""
    if void:
        return Refusal(
            "TakenBackAlready", N_("This paper was taken back already; look at the newest one.")
        )
    if kind is not DocumentKind.RECEIPT:
        return Refusal("NoReceipt", N_("Only receipts can be made out anew here."))
    if times >= MOST_ANEW:
        return Refusal(
            "AnewTooOften",
            N_("The papers of this order were made out anew often enough. Please write to us."),
        )
    return None


# ---- asking for an invoice

# Below this an employer cannot pay in time, so a place is not held for an invoice.
SHORTEST_HOLD = timedelta(days=3)
NOT_OFFERED = Refusal("NoInvoices", N_("This event cannot be paid by invoice. Please pay by card."))


def due_at(offer: InvoiceOffer, *, zone: str, now: datetime) -> datetime:
    """Return until when an invoice is to be paid: the end of a day, and for a held place before the event begins."""
    local = now.astimezone(ZoneInfo(zone))
    end = datetime.combine(
        local.date() + timedelta(days=offer.days + 1), time(), ZoneInfo(zone)
    ).astimezone(now.tzinfo)
    return min(end, offer.latest) if offer.terms is InvoiceTerms.HELD else end


def why_not_invoice(
    offer: InvoiceOffer | None,
    *,
    due: int,
    waiting: bool,
    holding: bool,
    open_one: bool,
    until: datetime,
    now: datetime,
) -> Refusal | None:
    """Refuse an invoice; `waiting`: somebody waits for payment, and is `holding` a place or not any more."""
    if open_one:
        return Refusal("InvoiceThere", N_("There is an invoice for this order already."))
    if offer is None:
        return NOT_OFFERED
    if due <= 0:
        return Refusal("NothingDue", N_("There is nothing to pay."))
    if waiting and not holding:
        return Refusal(
            "HoldExpired", N_("The time for which the place was held is over. Please begin again.")
        )
    if offer.terms is InvoiceTerms.HELD and waiting and until - now < SHORTEST_HOLD:
        return Refusal(
            "TooLateForInvoice",
            N_(
                "The event begins too soon for an invoice to be paid before it. Please pay by card."
            ),
        )
    return None


# ---- how it stands


class Standing(StrEnum):
    """How an invoice stands: its state, and how much of it came."""

    OPEN = "open"
    PARTLY_PAID = "partly_paid"
    PAID = "paid"
    OVERPAID = "overpaid"
    NOTHING_DUE = "nothing_due"
    CREDITED = "credited"
    WRITTEN_OFF = "written_off"


STANDING_WORDS = {
    Standing.OPEN: N_("Open"),
    Standing.PARTLY_PAID: N_("Partly paid"),
    Standing.PAID: N_("Paid"),
    Standing.OVERPAID: N_("Overpaid"),
    Standing.NOTHING_DUE: N_("Nothing to pay any more"),
    Standing.CREDITED: N_("Taken back"),
    Standing.WRITTEN_OFF: N_("Written off"),
}


@dataclass(frozen=True)
class Claimed:
    """What an invoice asks for, and how its order stands, in minor units.

    The paper says what the order cost (`price`) and what of it was paid `before`: money that came above that is for
    this invoice, up to its price. So an order can have one invoice after another. `cost` is what the order costs now,
    and `net` what came for it and did not go back.
    """

    price: int
    before: int
    cost: int
    net: int

    @property
    def received(self) -> int:
        """Return how much came for it."""
        return max(0, min(self.net, self.price) - self.before)

    @property
    def owed(self) -> int:
        """Return how much of it is open: never more than the order owes."""
        return max(0, min(self.price, self.cost) - max(self.before, self.net))

    @property
    def over(self) -> bool:
        """Tell whether more came than the order costs, and this is its newest invoice."""
        return self.net > self.cost and self.price >= self.cost


def standing(state: InvoiceState, claimed: Claimed) -> Standing:
    """Return the one word for how an invoice stands."""
    if state is InvoiceState.CANCELLED:
        return Standing.CREDITED
    if state is InvoiceState.WRITTEN_OFF:
        return Standing.WRITTEN_OFF
    if claimed.received and claimed.over:
        return Standing.OVERPAID
    if state is InvoiceState.PAID:
        return Standing.PAID
    if claimed.owed:
        return Standing.PARTLY_PAID if claimed.received else Standing.OPEN
    return Standing.PAID if claimed.received else Standing.NOTHING_DUE


# ---- how late, and when somebody is reminded


class Age(StrEnum):
    """How long an invoice has been due."""

    NOT_DUE = "not_due"
    D30 = "30"
    D60 = "60"
    D90 = "90"
    OLDER = "older"


AGE_WORDS = {
    Age.NOT_DUE: N_("Not due yet"),
    Age.D30: N_("1 to 30 days late"),
    Age.D60: N_("31 to 60 days late"),
    Age.D90: N_("61 to 90 days late"),
    Age.OLDER: N_("More than 90 days late"),
}
HELD_REMINDERS = (timedelta(days=-7), timedelta(days=-2))
REMINDERS = (timedelta(days=-7), timedelta(days=1), timedelta(days=15), timedelta(days=30))


def due_day(due: datetime, zone: str) -> date:
    """Return the last day on which an invoice is paid in time: `due` is its end, or when the event begins."""
    return (due - timedelta(seconds=1)).astimezone(ZoneInfo(zone)).date()


def days_late(due: datetime, now: datetime, zone: str) -> int:
    """Return for how many days an invoice has been due; zero or less: it is not late."""
    return (now.astimezone(ZoneInfo(zone)).date() - due_day(due, zone)).days


def age_of(late: int) -> Age:
    """Return in which column of the aged list an invoice stands."""
    if late <= 0:
        return Age.NOT_DUE
    if late <= 30:
        return Age.D30
    if late <= 60:
        return Age.D60
    return Age.D90 if late <= 90 else Age.OLDER


def reminders_of(terms: InvoiceTerms) -> Sequence[timedelta]:
    """Return when reminders go, before and after the end of the time; a held place is gone after it."""
    return HELD_REMINDERS if terms is InvoiceTerms.HELD else REMINDERS


def reminders_passed(terms: InvoiceTerms, due: datetime, now: datetime) -> int:
    """Count the reminders whose time has come."""
    return sum(due + after <= now for after in reminders_of(terms))


def why_not_remind(
    *, owed: int, open_: bool, reminded_at: datetime | None, now: datetime
) -> Refusal | None:
    """Remind by hand of what is open, once a day at most."""
    if not open_ or owed <= 0:
        return Refusal("NothingOpen", N_("Nothing of this invoice is open."))
    if reminded_at and now - reminded_at < timedelta(days=1):
        return Refusal("RemindedToday", N_("A reminder went less than a day ago."))
    return None


def why_not_close(*, open_: bool, owed: int) -> Refusal | None:
    """Take back, or write off, what is still open only."""
    if not open_:
        return Refusal(
            "ClosedAlready", N_("This invoice was closed already. Nothing more was done.")
        )
    if owed <= 0:
        return Refusal("PaidAlready", N_("This invoice is paid, so there is nothing to take back."))
    return None
