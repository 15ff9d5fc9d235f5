"""Stripe's documented test bank accounts: money that comes days later, or not at all."""

import re
from dataclasses import dataclass
from typing import Any

from regsys.kernel.text import N_
from regsys.sandbox.ids import new_id

US, SEPA = "us_bank_account", "sepa_debit"
ROUTING = "110000000"

# The one currency of each method, and what its refunds travel by.
CURRENCIES = {US: "usd", SEPA: "eur"}
WAYS_BACK = {US: "us_bank_transfer", SEPA: "eu_bank_transfer"}


@dataclass(frozen=True)
class Account:
    """A bank account and its behaviour; `code` is set where the bank will say no."""

    method: str
    number: str
    code: str | None = None
    message: str = ""

    @property
    def last4(self) -> str:
        """Return the last four digits."""
        return self.number[-4:]

    @property
    def details(self) -> dict[str, Any]:
        """Return what a charge says about the account."""
        if self.method == SEPA:
            return {
                "bank_code": self.number[4:12],
                "branch_code": None,
                "country": self.number[:2],
                "fingerprint": new_id("x")[2:18],
                "last4": self.last4,
                "mandate": new_id("mandate"),
            }
        return {
            "account_holder_type": "individual",
            "account_type": "checking",
            "bank_name": "STRIPE TEST BANK",
            "fingerprint": new_id("x")[2:18],
            "last4": self.last4,
            "mandate": new_id("mandate"),
            "payment_reference": None,
            "routing_number": ROUTING,
        }


GOOD_ACCOUNT, CLOSED_ACCOUNT = "000123456789", "000111111113"
GOOD_IBAN, BAD_IBAN = "DE89370400440532013000", "DE62370400440532013001"

ACCOUNTS = {
    account.number: account
    for account in (
        Account(US, GOOD_ACCOUNT),
        Account(US, CLOSED_ACCOUNT, "account_closed", N_("The customer's account is closed.")),
        Account(SEPA, GOOD_IBAN),
        Account(SEPA, BAD_IBAN, "debit_not_authorized", N_("The debit was not authorized.")),
    )
}

# Shown on the page: number, and what it does.
TO_TRY = {
    US: ((GOOD_ACCOUNT, N_("works, days later")), (CLOSED_ACCOUNT, N_("fails, days later"))),
    SEPA: ((GOOD_IBAN, N_("works, days later")), (BAD_IBAN, N_("fails, days later"))),
}


def find_account(number: str) -> Account | None:
    """Return what the number does, or None where it is no test account."""
    return ACCOUNTS.get(re.sub(r"[\s-]", "", number).upper())
