"""What the payment page sends: its fields, its buttons, and what Stripe's form would not send."""

import re

from flask_babel import gettext as _

from regsys.sandbox import cards
from regsys.sandbox.accounts import (
    BAD_IBAN,
    CLOSED_ACCOUNT,
    GOOD_ACCOUNT,
    GOOD_IBAN,
    ROUTING,
    SEPA,
    Account,
    find_account,
)
from regsys.sandbox.cards import Card, find_card
from regsys.sandbox.events import Deliver
from regsys.sandbox.objects import Payer
from regsys.sandbox.store import Doc

Filled = dict[str, str]
Wrong = dict[str, str]

FIELDS = ("email", "number", "exp", "cvc", "holder", "zip", "routing", "account", "deliver")
# Buttons that are a card of their own.
_CARDS = {
    "decline": cards.DECLINED,
    "funds": cards.POOR,
    "asks": cards.ASKS_BACK,
    "asks_funds": cards.ASKS_BACK_POOR,
    "disputed": cards.DISPUTED,
    "refund_waits": cards.REFUND_WAITS,
    "refund_fails": cards.REFUND_FAILS,
}
# Buttons that are a bank account of their own: with dollars, with euros.
_ACCOUNTS = {
    "later_works": {"us_bank_account": GOOD_ACCOUNT, SEPA: GOOD_IBAN},
    "later_fails": {"us_bank_account": CLOSED_ACCOUNT, SEPA: BAD_IBAN},
}
_CARD_TYPED = ("pay", "close", "confirm", "busy")
PLAYS = (*_CARD_TYPED, *_CARDS, *_ACCOUNTS, "bank", "refuse", "abandon")


def first_filled(session: Doc) -> Filled:
    """Return the form as it first shows, with what always works."""
    sepa = later_method(session) == SEPA
    return {
        "email": session["customer_email"] or "",
        "number": cards.pretty(cards.GOOD),
        "exp": "12 / 34",
        "cvc": "123",
        "holder": _("Test Payer"),
        "zip": "99163",
        "routing": "" if sepa else ROUTING,
        "account": cards.pretty(GOOD_IBAN) if sepa else GOOD_ACCOUNT,
        "deliver": Deliver.NORMALLY.value,
    }


def later_method(session: Doc) -> str | None:
    """Return the bank account that this page takes, if it takes one."""
    return next((m for m in session["payment_method_types"] if m != "card"), None)


def means_of(play: str, filled: Filled, session: Doc) -> Card | Account | None:
    """Return what the button pays with, or None where this page has no such thing."""
    method = later_method(session)
    if play in _ACCOUNTS or play == "bank":
        number = filled["account"] if play == "bank" else _ACCOUNTS[play][method or SEPA]
        account = find_account(number)
        return account if account and account.method == method else None
    if "card" not in session["payment_method_types"]:
        return None
    return find_card(_CARDS.get(play, filled["number"]))


def payer_of(filled: Filled) -> Payer:
    """Return who pays."""
    return Payer(filled["email"] or None, filled["holder"] or None, filled["zip"] or None)


def deliver_of(filled: Filled) -> Deliver:
    """Return how the notice travels."""
    known = {how.value for how in Deliver}
    return Deliver(filled["deliver"]) if filled["deliver"] in known else Deliver.NORMALLY


def find_wrong(play: str, filled: Filled, session: Doc, this_month: tuple[int, int]) -> Wrong:
    """Return what Stripe's form would not send: sentences by field."""
    if play == "bank":
        return _wrong_email(filled) | _wrong_account(filled, session)
    if play in _CARD_TYPED:
        return _wrong_email(filled) | _wrong_card(filled, this_month)
    return {}


def _wrong_email(filled: Filled) -> Wrong:
    if re.fullmatch(r"[^@\s]+@[^@\s]+\.[^@\s]+", filled["email"]):
        return {}
    return {"email": _("Your email is incomplete.")}


def _wrong_account(filled: Filled, session: Doc) -> Wrong:
    found: Wrong = {}
    method, account = later_method(session), find_account(filled["account"])
    if method != SEPA and not re.fullmatch(r"\d{9}", filled["routing"], re.ASCII):
        found["routing"] = _("Your bank's routing number has nine digits.")
    if account is None or account.method != method:
        found["account"] = _("This is no test account. Take one of the numbers beside it.")
    return found


def _wrong_card(filled: Filled, this_month: tuple[int, int]) -> Wrong:
    found: Wrong = {}
    if not re.fullmatch(r"[\d\s-]{12,25}", filled["number"], re.ASCII):
        found["number"] = _("Your card number is incomplete.")
    until = re.fullmatch(r"(\d{1,2})\s*/?\s*(?:20)?(\d{2})", filled["exp"], re.ASCII)
    if until is None or not 1 <= int(until[1]) <= 12:
        found["exp"] = _("Your card's expiration date is incomplete.")
    elif (2000 + int(until[2]), int(until[1])) < this_month:
        found["exp"] = _("Your card's expiration date is in the past.")
    if not re.fullmatch(r"\d{3,4}", filled["cvc"], re.ASCII):
        found["cvc"] = _("Your card's security code is incomplete.")
    return found
