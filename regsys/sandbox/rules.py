"""What Stripe demands beyond the shape of a request; pure.

The money tables are the stand-in's own on purpose: a mistake in the product's must not be repeated by its judge.
"""

from babel.numbers import list_currencies

from regsys.sandbox.accounts import CURRENCIES
from regsys.sandbox.errors import StripeError
from regsys.sandbox.store import Doc

MINIMUM = {
    "usd": 50, "aed": 200, "aud": 50, "brl": 50, "cad": 50, "chf": 50, "czk": 1500, "dkk": 250, "eur": 50,
    "gbp": 30, "hkd": 400, "huf": 17500, "bgn": 100, "inr": 50, "jpy": 50, "mxn": 1000, "myr": 200,
    "nok": 300, "nzd": 50, "pln": 200, "ron": 200, "sek": 300, "sgd": 50, "thb": 1000,
}  # fmt: skip
THREE_DECIMALS = frozenset({"bhd", "jod", "kwd", "omr", "tnd"})
NO_MINOR_UNIT_BUT_TIMES_100 = frozenset({"isk", "ugx"})
MORE_THAN_EIGHT_DIGITS = frozenset({"idr", "jpy", "inr", "cop", "huf", "lbp", "twd"})
_KNOWN = frozenset(code.lower() for code in list_currencies())

SHORTEST, LONGEST = 30 * 60, 24 * 3600


def check_session(params: Doc, now: int) -> None:
    """Refuse a session that Stripe would refuse."""
    if not params["line_items"]:
        raise StripeError("Missing required param: line_items.", param="line_items")
    check_expiry(params.get("expires_at"), now)
    currency = _one_currency(params)
    for i, line in enumerate(params["line_items"]):
        check_amount(line["price_data"]["unit_amount"], currency, f"line_items[{i}][price_data]")
    check_total(total(params), currency)
    _check_methods(params)
    for name in ("statement_descriptor", "statement_descriptor_suffix"):
        _check_descriptor(params.get("payment_intent_data", {}).get(name), name)


def total(params: Doc) -> int:
    """Return the sum of the lines."""
    return sum(
        line["price_data"]["unit_amount"] * line["quantity"] for line in params["line_items"]
    )


def check_expiry(expires_at: int | None, now: int) -> None:
    """Refuse an end outside of 30 minutes to 24 hours from now."""
    if expires_at is None:
        return
    if expires_at - now < SHORTEST:
        problem = "at least 30 minutes from Checkout Session creation"
    elif expires_at - now > LONGEST:
        problem = "less than 24 hours from Checkout Session creation"
    else:
        return
    raise StripeError(f"The `expires_at` timestamp must be {problem}.", param="expires_at")


def _one_currency(params: Doc) -> str:
    found = {line["price_data"]["currency"] for line in params["line_items"]}
    found |= {params["currency"]} if "currency" in params else set()
    for currency in found - _KNOWN:
        raise StripeError(f"Invalid currency: {currency}", param="currency")
    if len(found) > 1:
        raise StripeError("All line items must be in one currency", param="line_items")
    return str(found.pop())


def check_amount(amount: int, currency: str, at: str) -> None:
    """Refuse an amount that the currency cannot have."""
    if currency in THREE_DECIMALS and amount % 10:
        raise StripeError(f"Amounts in {currency} must end in 0", param=f"{at}[unit_amount]")
    if currency in NO_MINOR_UNIT_BUT_TIMES_100 and amount % 100:
        raise StripeError(f"Amounts in {currency} must end in 00", param=f"{at}[unit_amount]")


def check_total(amount: int, currency: str) -> None:
    """Refuse a total below the minimum charge, or with more than eight digits."""
    if 0 < amount < MINIMUM.get(currency, 1):
        raise StripeError(
            f"The Checkout Session's total amount must be at least {MINIMUM[currency]} {currency} "
            f"in the smallest unit", code="amount_too_small",
        )  # fmt: skip
    if amount > 99999999 and currency not in MORE_THAN_EIGHT_DIGITS:
        raise StripeError("The amount must be no more than 99999999", code="amount_too_large")


def _check_methods(params: Doc) -> None:
    if not methods(params):
        raise StripeError(
            "No valid payment method types for this Checkout Session: the stand-in plays cards, "
            "us_bank_account in usd and sepa_debit in eur.", param="allowed_payment_method_types",
        )  # fmt: skip


def methods(params: Doc) -> list[str]:
    """Return what the payer may choose from: cards alone unless others were allowed by name."""
    allowed = params.get("allowed_payment_method_types") or ["card"]
    excluded = params.get("excluded_payment_method_types", [])
    currency = params["line_items"][0]["price_data"]["currency"]
    fitting = ["card", *(name for name, only in CURRENCIES.items() if only == currency)]
    return [name for name in fitting if name in allowed and name not in excluded]


def _check_descriptor(text: str | None, name: str) -> None:
    if text is None:
        return
    if any(c in "<>\\'\"*" for c in text) or not any(c.isalpha() for c in text):
        raise StripeError(
            f"The {name} needs a letter and none of < > \\ ' \" *",
            param=f"payment_intent_data[{name}]",
        )


def check_refund(charge: Doc, amount: int | None) -> int:
    """Return how much to give back, or refuse more than is left."""
    left = charge["amount"] - charge["amount_refunded"]
    if left == 0:
        raise StripeError(
            f"Charge {charge['id']} has already been refunded.", code="charge_already_refunded"
        )
    if amount is not None and amount > left:
        raise StripeError(
            f"Refund amount ({amount}) is greater than unrefunded amount on charge ({left})",
            param="amount",
        )
    return amount or left
