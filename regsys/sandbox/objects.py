"""Stripe's objects in the shape of 2026-10-28.endive."""

from dataclasses import dataclass
from typing import Any

from regsys.sandbox import rules
from regsys.sandbox.accounts import WAYS_BACK
from regsys.sandbox.ids import new_id
from regsys.sandbox.store import Doc

API_VERSION = "2026-10-28.endive"

# What the product subscribes to at Stripe; the stand-in tells of these only.
ENABLED_EVENTS = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)
_CARD_OPTIONS: Doc = {
    "card": {
        "installments": None,
        "mandate_options": None,
        "network": None,
        "request_three_d_secure": "automatic",
    }
}
_NO_ADDRESS: Doc = dict.fromkeys(("city", "country", "line1", "line2", "postal_code", "state"))


@dataclass(frozen=True)
class Payer:
    """Who stands behind the card."""

    email: str | None = None
    name: str | None = None
    postal_code: str | None = None


def new_session(params: Doc, *, now: int, base_url: str, organisation: str) -> Doc:
    """Return an open session for checked parameters."""
    id = new_id("cs_test")
    amount = rules.total(params)
    return {
        "id": id,
        "object": "checkout.session",
        "amount_subtotal": amount,
        "amount_total": amount,
        "created": now,
        "currency": params["line_items"][0]["price_data"]["currency"],
        "expires_at": params.get("expires_at", now + rules.LONGEST),
        "payment_intent": None,
        "payment_status": "unpaid" if amount else "no_payment_required",
        "status": "open",
        "total_details": {"amount_discount": 0, "amount_shipping": 0, "amount_tax": 0},
        "url": f"{base_url}/c/pay/{id}",
        **_session_asked(params, organisation),
        **_session_constant(),
    }


def _session_asked(params: Doc, organisation: str) -> Doc:
    email = params.get("customer_email")
    brand = params.get("branding_settings", {}).get("display_name", organisation)
    plain = ("billing_address_collection", "cancel_url", "client_reference_id", "customer_email",
             "integration_identifier", "locale", "origin_context", "submit_type", "success_url",
             "allowed_payment_method_types")  # fmt: skip
    methods = rules.methods(params)
    by_card = {"card": {"request_three_d_secure": "automatic"}} if "card" in methods else {}
    return {
        **{name: params.get(name) for name in plain},
        "branding_settings": _branding(brand),
        "custom_text": {
            "after_submit": None,
            "shipping_address": None,
            "submit": params.get("custom_text", {}).get("submit"),
            "terms_of_service_acceptance": None,
        },
        "customer_details": customer_details(Payer(email)) if email else None,
        "excluded_payment_method_types": params.get("excluded_payment_method_types", []),
        "metadata": params.get("metadata", {}),
        "mode": params["mode"],
        "payment_method_options": by_card,
        "payment_method_types": methods,
        "payment_method_collection": params.get("payment_method_collection", "if_required"),
    }


def _branding(name: str) -> Doc:
    return {
        "background_color": "#ffffff",
        "border_style": "rounded",
        "button_color": "#1f5a46",
        "display_name": name,
        "font_family": "default",
        "icon": None,
        "logo": None,
    }


def _session_constant() -> Doc:
    nothing = ("after_expiration", "client_secret", "collected_information", "consent",
               "consent_collection", "currency_conversion", "customer", "customer_account",
               "invoice", "payment_link", "payment_method_configuration_details", "permissions",
               "recovered_from", "saved_payment_method_options", "setup_intent",
               "shipping_address_collection", "shipping_cost", "subscription",
               "wallet_options")  # fmt: skip
    off = {"enabled": False}
    return {
        **dict.fromkeys(nothing),
        "adaptive_pricing": off,
        "allow_promotion_codes": None,
        "automatic_tax": {"enabled": False, "liability": None, "provider": None, "status": None},
        "custom_fields": [],
        "customer_creation": "if_required",
        "discounts": [],
        "invoice_creation": {"enabled": False, "invoice_data": _no_invoice()},
        "livemode": False,
        "managed_payments": off,
        "optional_items": [],
        "phone_number_collection": off,
        "shipping_options": [],
        "ui_mode": "hosted_page",
    }


def _no_invoice() -> Doc:
    nothing = (
        "account_tax_ids",
        "custom_fields",
        "description",
        "footer",
        "issuer",
        "rendering_options",
    )
    return {**dict.fromkeys(nothing), "metadata": {}}


def address_of(payer: Payer) -> Doc:
    """Return a billing address; nothing but the postal code is asked for."""
    return {**_NO_ADDRESS, "postal_code": payer.postal_code}


def customer_details(payer: Payer) -> Doc:
    """Return what the session says about who paid."""
    return {
        "address": address_of(payer) if payer.postal_code else None,
        "business_name": None,
        "email": payer.email,
        "individual_name": None,
        "name": payer.name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def line_items(params: Doc, now: int) -> list[Doc]:
    """Return the session's lines."""
    return [_line_item(line, now) for line in params["line_items"]]


def _line_item(line: Doc, now: int) -> Doc:
    price, quantity = line["price_data"], line["quantity"]
    amount = price["unit_amount"] * quantity
    return {
        "id": new_id("li"),
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": amount,
        "amount_tax": 0,
        "amount_total": amount,
        "currency": price["currency"],
        "description": price["product_data"]["name"],
        "metadata": line.get("metadata", {}),
        "price": _price(price, now),
        "quantity": quantity,
    }


def _price(price: Doc, now: int) -> Doc:
    nothing = ("custom_unit_amount", "lookup_key", "nickname", "recurring", "tiers_mode",
               "transform_quantity")  # fmt: skip
    return {
        **dict.fromkeys(nothing),
        "id": new_id("price"),
        "object": "price",
        "active": False,
        "billing_scheme": "per_unit",
        "created": now,
        "currency": price["currency"],
        "livemode": False,
        "metadata": {},
        "product": new_id("prod"),
        "tax_behavior": price.get("tax_behavior", "unspecified"),
        "type": "one_time",
        "unit_amount": price["unit_amount"],
        "unit_amount_decimal": str(price["unit_amount"]),
    }


def new_intent(session: Doc, asked: Doc, now: int) -> Doc:
    """Return the payment intent behind a session; `asked` is its `payment_intent_data`."""
    id = new_id("pi")
    nothing = ("application", "application_fee_amount", "canceled_at", "cancellation_reason",
               "customer", "customer_account", "last_payment_error", "latest_charge", "next_action",
               "on_behalf_of", "payment_method", "payment_method_configuration_details",
               "processing", "review", "setup_future_usage", "shipping", "source",
               "transfer_data", "transfer_group")  # fmt: skip
    said = ("description", "receipt_email", "statement_descriptor", "statement_descriptor_suffix")
    return {
        **dict.fromkeys(nothing),
        **{name: asked.get(name) for name in said},
        "id": id,
        "object": "payment_intent",
        "amount": session["amount_total"],
        "amount_capturable": 0,
        "amount_details": {"tip": {}},
        "amount_received": 0,
        "automatic_payment_methods": None,
        "capture_method": asked.get("capture_method", "automatic_async"),
        "client_secret": f"{id}_secret_{new_id('x')[2:]}",
        "confirmation_method": "automatic",
        "created": now,
        "currency": session["currency"],
        "livemode": False,
        "metadata": asked.get("metadata", {}),
        "payment_method_options": _CARD_OPTIONS
        if "card" in session["payment_method_types"]
        else {},
        "payment_method_types": session["payment_method_types"],
        "status": "requires_payment_method",
    }


def new_refund(charge: Doc, params: Doc, amount: int, now: int, status: str) -> Doc:
    """Return a refund of a charge."""
    method = charge["payment_method_details"]["type"]
    refund: dict[str, Any] = {
        "id": new_id("re" if method == "card" else "pyr"),
        "object": "refund",
        "amount": amount,
        "balance_transaction": None,
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "destination_details": destination(method),
        "metadata": params.get("metadata", {}),
        "payment_intent": charge["payment_intent"],
        "reason": params.get("reason"),
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": status,
        "transfer_reversal": None,
    }
    if status == "pending":
        refund["pending_reason"] = "insufficient_funds" if method == "card" else "processing"
    return refund


def destination(method: str, reference: str | None = None) -> Doc:
    """Return where a refund goes; `reference` is the bank's, once it has the money."""
    if method != "card":
        found = "available" if reference else "pending"
        way = WAYS_BACK[method]
        return {way: {"reference": reference, "reference_status": found}, "type": way}
    card = {
        "reference_status": "available" if reference else "pending",
        "reference_type": "acquirer_reference_number",
        "type": "refund",
    }
    return {"card": card | ({"reference": reference} if reference else {}), "type": "card"}
