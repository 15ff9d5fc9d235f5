"""Stripe's documented test cards, and what each does."""

import re
from dataclasses import dataclass
from typing import Any

from regsys.kernel.text import N_

GOOD = "4242424242424242"
DECLINED = "4000000000000002"
ASKS_BACK = "4000002500003155"
ASKS_BACK_POOR = "4000008260003178"
REFUND_WAITS = "4000000000007726"
REFUND_FAILS = "4000000000005126"
DISPUTED = "4000000000000259"
POOR = "4000000000009995"

_DECLINED = N_("Your card was declined.")
_FUNDS = N_("Your card has insufficient funds.")


@dataclass(frozen=True)
class Card:
    """A card number and its behaviour; `code` is set where the bank says no."""

    number: str
    code: str | None = None
    decline_code: str | None = None
    message: str = ""
    brand: str = "visa"
    asks_back: bool = False
    refund: str = "succeeded"
    later: str | None = None  # what the refund's state becomes after a while
    disputed: tuple[str, str] | None = None  # status and reason of the dispute that follows at once
    at_once: bool = False  # the money is available without waiting

    @property
    def last4(self) -> str:
        """Return the last four digits."""
        return self.number[-4:]

    @property
    def error(self) -> dict[str, Any] | None:
        """Return the decline in Stripe's error shape, or None where the card works."""
        if self.code is None:
            return None
        said = {"type": "card_error", "code": self.code, "message": self.message}
        return said | ({"decline_code": self.decline_code} if self.decline_code else {})


def _no(number: str, decline_code: str, message: str = _DECLINED, **more: Any) -> Card:
    return Card(number, code="card_declined", decline_code=decline_code, message=message, **more)


CARDS = {
    card.number: card
    for card in (
        Card(GOOD),
        Card("5555555555554444", brand="mastercard"),
        Card(REFUND_WAITS, refund="pending", later="succeeded"),
        Card(REFUND_FAILS, later="failed"),
        Card(DISPUTED, disputed=("needs_response", "fraudulent")),
        Card("4000000000002685", disputed=("needs_response", "product_not_received")),
        Card("4000000000001976", disputed=("warning_needs_response", "fraudulent")),
        Card("4000000000000077", at_once=True),
        Card(ASKS_BACK, asks_back=True),
        Card("4000002760003184", asks_back=True),
        _no(ASKS_BACK_POOR, "insufficient_funds", _FUNDS, asks_back=True),
        _no(DECLINED, "generic_decline"),
        _no(POOR, "insufficient_funds", _FUNDS),
        _no("4000000000009987", "lost_card"),
        _no("4000000000009979", "stolen_card"),
        _no("4100000000000019", "fraudulent"),
        Card("4000000000000069", code="expired_card", message=N_("Your card has expired.")),
        Card(
            "4000000000000127",
            code="incorrect_cvc",
            message=N_("Your card's security code is incorrect."),
        ),
        Card(
            "4000000000000119",
            code="processing_error",
            message=N_("An error occurred while processing your card. Try again in a little bit."),
        ),
    )
}

# Shown on the page: number, and what it does.
TO_TRY = (
    (GOOD, N_("works")),
    (ASKS_BACK, N_("bank asks back")),
    (POOR, N_("not enough money")),
    (DECLINED, N_("declined")),
    ("4000000000000069", N_("expired")),
    ("4000000000000127", N_("wrong security code")),
    (REFUND_WAITS, N_("refund is pending at first")),
    (REFUND_FAILS, N_("refund fails later")),
    (DISPUTED, N_("disputed at once")),
    ("4000000000001976", N_("the bank inquires")),
)

NOT_PROVEN: dict[str, Any] = {
    "type": "invalid_request_error",
    "code": "payment_intent_authentication_failure",
    "message": N_(
        "We are unable to authenticate your payment method. Please choose another one and try again."
    ),
}


def find_card(number: str) -> Card:
    """Return what the number does; a number that is no test card is declined, as at Stripe."""
    digits = re.sub(r"[\s-]", "", number)
    if not re.fullmatch(r"\d{12,19}", digits, re.ASCII) or not _luhn(digits):
        wrong = N_("Your card number is incorrect.")
        return Card(digits or "0000", code="incorrect_number", message=wrong)
    live = N_("Your card was declined. Your request was in test mode, but used a non test card.")
    return CARDS.get(digits) or _no(digits, "test_mode_live_card", live)


def pretty(number: str) -> str:
    """Return the number in groups of four."""
    return " ".join(re.findall(r"\w{1,4}", number))


def _luhn(digits: str) -> bool:
    doubled = [int(d) * 2 for d in digits[-2::-2]]
    return (sum(map(int, digits[-1::-2])) + sum(n - 9 if n > 9 else n for n in doubled)) % 10 == 0
