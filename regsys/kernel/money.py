"""Money: integers in minor units and a currency; the exponent comes from one table."""

import re
from collections.abc import Hashable, Mapping
from decimal import Decimal, InvalidOperation
from typing import TypeVar

from babel.numbers import format_currency, get_currency_precision

K = TypeVar("K", bound=Hashable)

# Stripe, "Zero-decimal currencies": of these it takes whole units. Any other without a minor unit (ISK, UGX, RSD) is
# passed times one hundred; three-decimal amounts must end in 0.
STRIPE_WHOLE = frozenset(
    {
        "BIF", "CLP", "DJF", "GNF", "JPY", "KMF", "KRW", "MGA", "PYG", "RWF", "VND", "VUV", "XAF",
        "XOF", "XPF",
    }
)  # fmt: skip
THREE_DECIMALS = frozenset({"BHD", "JOD", "KWD", "OMR", "TND"})

# Stripe, "Minimum and maximum charge amounts", in minor units.
MINIMUM_CHARGE = {
    "USD": 50, "EUR": 50, "CAD": 50, "AUD": 50, "NZD": 50, "CHF": 50, "SGD": 50, "BRL": 50, "INR": 50,
    "GBP": 30, "JPY": 50, "CZK": 1500, "HUF": 17500, "DKK": 250, "SEK": 300, "NOK": 300, "PLN": 200,
    "RON": 200, "AED": 200, "MYR": 200, "HKD": 400, "MXN": 1000, "THB": 1000, "BGN": 100,
}  # fmt: skip


def exponent(currency: str) -> int:
    """Return how many decimals the currency has: 2 for USD, 0 for JPY, 3 for KWD."""
    return get_currency_precision(currency.upper())


def to_stripe(amount: int, currency: str) -> int:
    """Return Stripe's integer for an amount in minor units."""
    return amount * 100 if _is_times_100(currency) else amount


def from_stripe(amount: int, currency: str) -> int:
    """Return minor units for Stripe's integer; raise ValueError where it does not divide."""
    if not _is_times_100(currency):
        return amount
    if amount % 100:
        raise ValueError(f"{amount} is not a whole amount of {currency}")
    return amount // 100


def _is_times_100(currency: str) -> bool:
    return exponent(currency) == 0 and currency.upper() not in STRIPE_WHOLE


def chargeable(amount: int, currency: str) -> bool:
    """Tell whether Stripe takes this amount: at or above the minimum, and ending in 0 where it must."""
    if currency.upper() in THREE_DECIMALS and amount % 10:
        return False
    return amount >= MINIMUM_CHARGE.get(currency.upper(), 50)


def unit(currency: str) -> int:
    """Return what an amount that goes through Stripe must be a multiple of, in minor units."""
    return 10 if currency.upper() in THREE_DECIMALS else 1


def parse(text: str, currency: str) -> int:
    """Return minor units for what a person typed ("920", "920.00", "1,250.50"); raise ValueError."""
    plain = re.sub(r"[\s$€£¥,]", "", text.strip())
    if not re.fullmatch(r"\d{1,9}(\.\d{1,3})?", plain, re.ASCII):
        raise ValueError("not an amount")
    try:
        minor = Decimal(plain).scaleb(exponent(currency))
    except InvalidOperation:
        raise ValueError("not an amount") from None
    if minor != minor.to_integral_value():
        raise ValueError("too many decimals")
    return int(minor)


def plain(amount: int, currency: str) -> str:
    """Return "920.00": for form fields and exports."""
    digits = exponent(currency)
    return f"{Decimal(amount).scaleb(-digits):.{digits}f}"


def show(amount: int, currency: str, locale: str = "en_US") -> str:
    """Return "$920.00" in the given locale."""
    value = Decimal(amount).scaleb(-exponent(currency))
    return format_currency(value, currency.upper(), locale=locale)


def spread(amount: int, weights: Mapping[K, int]) -> dict[K, int]:
    """Divide an amount by weights to the cent: the parts always add up to it. Without any weight all get the same."""
    total = sum(weights.values())
    used = weights if total else dict.fromkeys(weights, 1)
    total = total or len(used)
    shares: dict[K, int] = {}
    before = given = 0
    for key, weight in used.items():
        before += weight
        upto = amount * before // total
        shares[key], given = upto - given, upto
    return shares
