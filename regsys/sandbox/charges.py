"""A charge in Stripe's shape, whatever it is paid with."""

from regsys.sandbox.accounts import Account
from regsys.sandbox.cards import Card
from regsys.sandbox.ids import new_id
from regsys.sandbox.objects import Payer, address_of
from regsys.sandbox.store import Doc


def card_charge(intent: Doc, card: Card, payer: Payer, now: int, base_url: str) -> Doc:
    """Return the charge that this card makes: paid, or failed with the bank's reason."""
    id, paid = new_id("ch"), card.code is None
    details = {"card": _card_details(card, intent), "type": "card"}
    return _charge(id, intent, payer, now) | {
        "amount_captured": intent["amount"] if paid else 0,
        "captured": paid,
        "failure_code": card.code,
        "failure_message": card.message or None,
        "outcome": _outcome(card),
        "paid": paid,
        "payment_method_details": details,
        "receipt_url": f"{base_url}/receipts/{id}" if paid else None,
        "status": "succeeded" if paid else "failed",
    }


def bank_charge(intent: Doc, account: Account, payer: Payer, now: int, base_url: str) -> Doc:
    """Return the charge of a bank account: on its way for days. Stripe names these `py_`."""
    id = new_id("py")
    return _charge(id, intent, payer, now) | {
        "amount_captured": intent["amount"],
        "captured": True,
        "failure_code": None,
        "failure_message": None,
        "outcome": {
            "network_status": "approved_by_network",
            "reason": None,
            "risk_level": "not_assessed",
            "seller_message": "Payment complete.",
            "type": "authorized",
        },
        "paid": False,
        "payment_method_details": {account.method: account.details, "type": account.method},
        "receipt_url": f"{base_url}/receipts/{id}",
        "status": "pending",
    }


def _charge(id: str, intent: Doc, payer: Payer, now: int) -> Doc:
    nothing = ("application", "application_fee", "application_fee_amount", "balance_transaction",
               "customer", "failure_balance_transaction", "on_behalf_of", "receipt_number",
               "review", "shipping", "source", "source_transfer", "transfer_data",
               "transfer_group")  # fmt: skip
    same = ("amount", "currency", "description", "metadata", "receipt_email",
            "statement_descriptor", "statement_descriptor_suffix")  # fmt: skip
    return {
        **dict.fromkeys(nothing),
        **{name: intent[name] for name in same},
        "id": id,
        "object": "charge",
        "amount_refunded": 0,
        "billing_details": _billing(payer),
        "calculated_statement_descriptor": "TEST",
        "created": now,
        "disputed": False,
        "fraud_details": {},
        "livemode": False,
        "payment_intent": intent["id"],
        "payment_method": new_id("pm"),
        "radar_options": {},
        "refunded": False,
    }


def _billing(payer: Payer) -> Doc:
    return {
        "address": address_of(payer),
        "email": payer.email,
        "name": payer.name,
        "phone": None,
        "tax_id": None,
    }


def _outcome(card: Card) -> Doc:
    paid = card.code is None
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None if paid else "01",
        "network_status": "approved_by_network" if paid else "declined_by_network",
        "reason": None if paid else card.decline_code or card.code,
        "risk_level": "normal",
        "risk_score": 12,
        "seller_message": "Payment complete." if paid else "The bank did not return more details.",
        "type": "authorized" if paid else "issuer_declined",
    }


def _card_details(card: Card, intent: Doc) -> Doc:
    nothing = ("installments", "mandate", "network_token", "wallet")
    wrong_code = card.code == "incorrect_cvc"
    return {
        **dict.fromkeys(nothing),
        "amount_authorized": intent["amount"] if card.code is None else None,
        "brand": card.brand,
        "checks": {
            "address_line1_check": None,
            "address_postal_code_check": "pass",
            "cvc_check": "fail" if wrong_code else "pass",
        },
        "country": "US",
        "exp_month": 12,
        "exp_year": 2034,
        "fingerprint": new_id("x")[2:18],
        "funding": "credit",
        "last4": card.last4,
        "network": card.brand,
        "regulated_status": "unregulated",
        "three_d_secure": _authentication() if card.asks_back else None,
    }


def _authentication() -> Doc:
    """Return what is said of a payer who proved to be the card's holder."""
    return {
        "authentication_flow": "challenge",
        "electronic_commerce_indicator": "05",
        "exemption_indicator": None,
        "result": "authenticated",
        "result_reason": None,
        "transaction_id": new_id("x")[2:],
        "version": "2.2.0",
    }
