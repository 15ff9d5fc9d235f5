"""Pure answers about Stripe Checkout: what a session means, what may be reused, when to ask again."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from regsys.kernel import money
from regsys.kernel.errors import Refusal
from regsys.kernel.text import N_
from regsys.ledger.rules import MISTAKE
from regsys.ledger.states import Problem, RefundState
from regsys.payments.states import AttemptState

# Stripe takes 30 minutes at least, counted when it makes the session: 35 leave time for a slow call and its repeats.
LIFETIME = timedelta(minutes=35)
# A session with less than this left is not offered again.
ENOUGH = timedelta(minutes=5)
# So long a call is repeated with the same key and the same bytes; later Stripe's list is asked instead.
REPEAT = timedelta(minutes=4)
FIRST_ASK = timedelta(minutes=3)
ASK_EVERY = timedelta(seconds=55)
# What a payer gets to try again where a session ended before its time, or was never made.
SHORT_HOLD = timedelta(minutes=10)
# What a payer gets whose bank said no days later: the letter must find them first.
ANOTHER_TRY = timedelta(hours=24)
# A bank that takes its days is asked about so often, and so long before anybody is told.
ASK_BANK_EVERY = timedelta(minutes=55)
BANK_PATIENCE = timedelta(days=14)
# Money that we can give back by ourselves: nobody has to decide anything.
GOES_BACK = frozenset({Problem.DOUBLE, Problem.NO_PLACE})
# What a place waits for where wrong money came for it, until a person has looked.
LOOKED_AT_WITHIN = timedelta(hours=24)
# So long after an ended payment its event may be missing before anybody is told.
SILENCE = timedelta(minutes=10)
# On the return page Stripe is not asked twice within this time.
PATIENCE = timedelta(seconds=2)
LONGEST_WAIT = timedelta(hours=1)
MOST_LINES = 100
# Stripe keeps keys for 24 hours at least.
KEY_LIVES = timedelta(hours=20)
# What precedes the outcome of an event that was not delivered: it says nothing about how deliveries arrive.
FOUND = "found: "
# What is looked for in Stripe's list every minute, and once an hour.
LOOK_BACK = timedelta(hours=2)
LOOK_FAR_BACK = timedelta(days=30)
TAG = "regsys_attempt"
REFUND_TAG = "regsys_refund"
MADE_BY = "regsys_made_by"


ATTEMPT_WORDS = {
    AttemptState.CREATED: N_("Stripe was asked, and its answer did not arrive"),
    AttemptState.OPEN: N_("Stripe’s page is open"),
    AttemptState.PROCESSING: N_("The bank has not said yes yet"),
    AttemptState.PAID: N_("Paid"),
    AttemptState.EXPIRED: N_("Ended unpaid"),
    AttemptState.FAILED: N_("The bank said no"),
    AttemptState.QUARANTINED: N_("Set aside"),
    AttemptState.ABANDONED: N_("Given up"),
}
# Why a refund waits, or has failed: Stripe's words and ours.
REFUND_SAYS = {
    MISTAKE: N_("It was written down by mistake, and taken back."),
    "insufficient_funds": N_("It waits until our balance at Stripe is enough."),
    "charge_pending": N_("It waits until the payment itself has settled."),
    "processing": N_("The bank is working on it."),
    "declined": N_("The bank declined it."),
    "expired_or_canceled_card": N_("The card has expired or was cancelled."),
    "lost_or_stolen_card": N_("The card was lost or stolen."),
}

# ---- what Stripe says ----


@dataclass(frozen=True)
class Session:
    """A Checkout session as Stripe tells it; amounts in Stripe's own units. `tag` is our mark in its metadata."""

    id: str
    status: str
    payment_status: str
    amount_total: int | None
    currency: str | None
    livemode: bool
    mode: str
    url: str | None = None
    payment_intent: str | None = None
    tag: str | None = None
    fee: int | None = None
    charge: str | None = None
    intent_status: str | None = None


@dataclass(frozen=True)
class Notice:
    """What is believed of an event: everything else is asked from Stripe."""

    id: str
    type: str
    object_id: str
    livemode: bool
    api_version: str | None
    created_at: datetime


@dataclass(frozen=True)
class Asked:
    """What an attempt froze when it was made; the amount in minor units."""

    amount: int
    currency: str
    livemode: bool


class Verdict(StrEnum):
    """What a session means for its attempt. `mismatch`: money came, and it is not what we asked for."""

    OPEN = "open"
    PROCESSING = "processing"
    FAILED = "failed"
    PAID = "paid"
    MISMATCH = "mismatch"
    EXPIRED = "expired"


def judge(session: Session, asked: Asked) -> Verdict:
    """Tell what a session means; a status that we do not know means that nothing has happened yet."""
    if session.status == "expired":
        return Verdict.EXPIRED
    if session.status != "complete":
        return Verdict.OPEN
    if session.payment_status == "unpaid":
        failed = session.intent_status in ("requires_payment_method", "canceled")
        return Verdict.FAILED if failed else Verdict.PROCESSING
    return Verdict.PAID if _as_asked(session, asked) else Verdict.MISMATCH


def _as_asked(session: Session, asked: Asked) -> bool:
    return (
        session.mode == "payment"
        and session.livemode is asked.livemode
        and (session.currency or "").upper() == asked.currency
        and session.amount_total == money.to_stripe(asked.amount, asked.currency)
    )


def received(session: Session) -> tuple[int, str]:
    """Return what came in minor units, and its currency: also where it is not what we asked for."""
    currency = (session.currency or "").upper()
    amount = session.amount_total or 0
    try:
        return money.from_stripe(amount, currency), currency
    except ValueError:
        return amount // 100, currency


def on_payment(
    *, confirmed: bool, no_place: bool, due: int, paid_before: int, amount: int
) -> Problem | None:
    """Tell what is wrong with money that came as it was asked for.

    `confirmed`: it gave somebody a place. `due` and `paid_before` are how the order stood before it came.
    """
    if no_place:
        return Problem.NO_PLACE
    if confirmed or due >= amount:
        return None
    return Problem.DOUBLE if paid_before else Problem.NO_PLACE


# ---- times ----


def may_repeat(created_at: datetime, now: datetime) -> bool:
    """Tell whether a call without an answer may be repeated with the same key and the same bytes."""
    return now - created_at < REPEAT


def hold_after(expires_at: datetime, now: datetime) -> datetime | None:
    """Return until when places stay held after their session is over; None: they are free at once.

    A session that ended before its time was ended by somebody, most likely to make another one.
    """
    return now + SHORT_HOLD if now < expires_at else None


def ask_due(
    created_at: datetime, asked_at: datetime | None, now: datetime, *, at_bank: bool = False
) -> bool:
    """Tell whether the poller asks Stripe about an open attempt: after three minutes, then every minute.

    `at_bank`: the payer is done, and the bank takes days; then hourly.
    """
    every = ASK_BANK_EVERY if at_bank else ASK_EVERY
    return now - created_at >= FIRST_ASK and (asked_at is None or now - asked_at >= every)


def event_due(received_at: datetime, tries: int, now: datetime) -> bool:
    """Tell whether an event that could not be processed is tried again: later and later, but for ever."""
    wait = min(timedelta(minutes=2 ** min(tries, 10)), LONGEST_WAIT)
    return now - received_at >= wait


def is_silent(last_event: datetime | None, last_ended: datetime | None, now: datetime) -> bool:
    """Tell whether webhooks do not arrive: a session has ended, and no event came then or later."""
    if last_ended is None or now - last_ended < SILENCE:
        return False
    return last_event is None or last_event < last_ended - SILENCE


# ---- what is sent ----


@dataclass(frozen=True)
class Offer:
    """What a payer is asked to pay for; amounts in minor units. `made_by`: when an invoice was written that is paid."""

    code: str
    currency: str
    amount: int
    lines: Sequence[tuple[str, int]]
    titles: Sequence[str]
    email: str
    success_url: str
    cancel_url: str
    methods: Sequence[str] = ("card",)
    made_by: datetime | None = None


# Delayed methods work in one currency each.
METHOD_CURRENCIES = {"us_bank_account": "USD", "sepa_debit": "EUR"}


def methods_for(currency: str, delayed: Sequence[str]) -> list[str]:
    """Return how an order in this currency can be paid: by card, and by the delayed methods that are switched on."""
    return ["card", *(m for m in delayed if METHOD_CURRENCIES.get(m) == currency)]


def build_params(offer: Offer, *, tag: str, expires_at: datetime) -> dict[str, Any]:
    """Return the parameters of a new session; `tag` marks it as this attempt's."""
    metadata = {TAG: tag, "order": offer.code}
    if offer.made_by:
        metadata[MADE_BY] = offer.made_by.isoformat()
    what = f"{offer.code} · {', '.join(offer.titles)}"
    params = {
        "mode": "payment",
        "submit_type": "book",
        "allowed_payment_method_types": list(offer.methods),
        # Otherwise Stripe may take another currency than the one that we asked for.
        "adaptive_pricing": {"enabled": False},
        "client_reference_id": offer.code,
        "customer_email": offer.email,
        "expires_at": int(expires_at.timestamp()),
        "line_items": [_line(name, amount, offer.currency) for name, amount in _lines(offer, what)],
        "locale": "auto",
        "metadata": metadata,
        "payment_intent_data": {"description": what[:1000], "metadata": metadata},
        "success_url": offer.success_url,
        "cancel_url": offer.cancel_url,
    }
    return {k: v for k, v in params.items() if v != ""}


def made_by(params: Mapping[str, Any]) -> datetime | None:
    """Return when the invoice was written for which an attempt was made; None: it was made for the order."""
    found = params["metadata"].get(MADE_BY)
    return datetime.fromisoformat(found) if found else None


def _lines(offer: Offer, what: str) -> Sequence[tuple[str, int]]:
    """Return what stands on Stripe's page: line by line where the lines are prices and make the amount."""
    lines = [(name, amount) for name, amount in offer.lines if amount]
    plain = all(name and amount > 0 for name, amount in lines)
    if plain and sum(a for _, a in lines) == offer.amount and len(lines) <= MOST_LINES:
        return lines
    return [(what, offer.amount)]


def _line(name: str, amount: int, currency: str) -> dict[str, Any]:
    price = {
        "currency": currency.lower(),
        "unit_amount": money.to_stripe(amount, currency),
        "product_data": {"name": name[:250]},
    }
    return {"quantity": 1, "price_data": price}


def usable_email(address: str) -> str:
    """Return an address that Stripe takes to fill in its form, or nothing: it refuses non-ASCII ones."""
    return address if address.isascii() and "@" in address else ""


def same_offer(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Tell whether two sessions would ask the same person for the same things."""
    return all(old.get(k) == new.get(k) for k in ("line_items", "customer_email", "success_url"))


def may_reuse(
    old: Mapping[str, Any], new: Mapping[str, Any], *, expires_at: datetime, now: datetime
) -> bool:
    """Tell whether an open session is offered again instead of a new one."""
    return same_offer(old, new) and expires_at - now >= ENOUGH


def not_chargeable(amount: int, currency: str) -> Refusal:
    """Return why an amount that Stripe does not take is refused."""
    facts = {"amount": money.show(amount, currency)}
    return Refusal(
        "NotChargeable", N_("A card cannot be charged %(amount)s. Please write to us."), facts
    )


# ---- money goes back ----


def refund_state(status: str) -> RefundState:
    """Return our word for Stripe's; whatever is not over is pending."""
    over = {
        "succeeded": RefundState.SUCCEEDED,
        "failed": RefundState.FAILED,
        "canceled": RefundState.FAILED,
    }
    return over.get(status, RefundState.PENDING)


def must_look_first(requested_at: datetime, now: datetime) -> bool:
    """Tell whether Stripe may have forgotten the key of a refund, so that its list has to be read first."""
    return now - requested_at >= KEY_LIVES


@dataclass(frozen=True)
class Ways:
    """How money of an order that is too much goes back, in minor units; nobody touches what is `contested`."""

    card: int = 0
    hand: int = 0
    contested: int = 0

    def __add__(self, other: "Ways") -> "Ways":
        """Return both together."""
        return Ways(
            self.card + other.card, self.hand + other.hand, self.contested + other.contested
        )


def divide(over: int, *, by_card: int, contested: int) -> Ways:
    """Tell how what is too much goes back: what a card can take, by hand what is not contested."""
    card = max(0, min(over, by_card))
    rest = max(0, over - card)
    kept = min(rest, contested)
    return Ways(card, rest - kept, kept)
