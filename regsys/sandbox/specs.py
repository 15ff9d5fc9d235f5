"""The parameters of each endpoint, as Stripe's schema of 2026-10-28.endive names them."""

from regsys.sandbox.params import (
    Bool,
    Either,
    Email,
    Hash,
    Int,
    Kind,
    Many,
    Metadata,
    Text,
    Url,
)

_CURRENCY = Text(shape="[a-z]{3}")
_EXPAND: dict[str, Kind] = {"expand": Many(Text(), most=20)}
_PAGE: dict[str, Kind] = {
    **_EXPAND,
    "limit": Int(1, 100),
    "starting_after": Text(),
    "ending_before": Text(),
}
_MOMENT = Int(0, 10**10)
_CREATED: dict[str, Kind] = {
    "created": Either(Hash(dict.fromkeys(("gt", "gte", "lt", "lte"), _MOMENT)), _MOMENT)
}

_LOCALES = (
    "auto bg cs da de el en en-GB es es-419 et fi fil fr fr-CA hi-IN hr hu id it ja ko lt lv ms mt "
    "nb nl pl pt pt-BR ro ru sk sl sv th tr vi zh zh-HK zh-TW"
)

_PRODUCT = Hash(
    {
        "name": Text(),
        "description": Text(40000),
        "images": Many(Url(), most=8),
        "metadata": Metadata(),
        "tax_code": Text(),
        "unit_label": Text(12),
    },
    required=("name",),
)
_PRICE = Hash(
    {
        "currency": _CURRENCY,
        "unit_amount": Int(0),
        "product_data": _PRODUCT,
        "tax_behavior": Text(choices=("exclusive", "inclusive", "unspecified")),
    },
    required=("currency", "unit_amount", "product_data"),
    unplayed=frozenset({"product", "recurring", "unit_amount_decimal"}),
)
_LINE = Hash(
    {"quantity": Int(1, 999999), "price_data": _PRICE, "metadata": Metadata()},
    required=("price_data", "quantity"),
    unplayed=frozenset({"adjustable_quantity", "price", "tax_rates"}),
)
_INTENT_DATA = Hash(
    {
        "capture_method": Text(choices=("automatic", "automatic_async")),
        "description": Text(1000),
        "metadata": Metadata(),
        "receipt_email": Email(),
        "statement_descriptor": Text(22),
        "statement_descriptor_suffix": Text(22),
    },
    unplayed=frozenset(
        [
            "application_fee_amount",
            "on_behalf_of",
            "setup_future_usage",
            "shipping",
            "transfer_data",
            "transfer_group",
        ]
    ),
)
_OFF = Hash({"enabled": Bool(only=False)}, required=("enabled",))

_PLAIN: dict[str, Kind] = {
    "mode": Text(choices=("payment",)),
    "ui_mode": Text(choices=("hosted_page",)),
    "billing_address_collection": Text(choices=("auto", "required")),
    "submit_type": Text(choices=("auto", "book", "donate", "pay")),
    "locale": Text(choices=tuple(_LOCALES.split())),
    "origin_context": Text(choices=("mobile_app", "web")),
    "payment_method_collection": Text(choices=("always", "if_required")),
    "customer_creation": Text(choices=("if_required",)),
    "client_reference_id": Text(200),
    "integration_identifier": Text(200),
}
CREATE_SESSION = Hash(
    {
        **_PLAIN,
        **_EXPAND,
        "adaptive_pricing": Hash({"enabled": Bool(only=False)}),
        "allow_promotion_codes": Bool(only=False),
        "allowed_payment_method_types": Many(Text(shape="[a-z0-9_]+")),
        "automatic_tax": _OFF,
        "branding_settings": Hash(
            {"display_name": Text()},
            unplayed=frozenset(
                ["background_color", "border_style", "button_color", "font_family", "icon", "logo"]
            ),
        ),
        "cancel_url": Url(),
        "currency": _CURRENCY,
        "custom_text": Hash({"submit": Hash({"message": Text(1200)}, required=("message",))}),
        "customer_email": Email(),
        "excluded_payment_method_types": Many(Text(shape="[a-z0-9_]+")),
        "expires_at": _MOMENT,
        "invoice_creation": _OFF,
        "line_items": Many(_LINE, most=100),
        "metadata": Metadata(),
        "payment_intent_data": _INTENT_DATA,
        "phone_number_collection": _OFF,
        "success_url": Url(),
    },
    required=("mode", "line_items", "success_url"),
    unplayed=frozenset(
        [
            "after_expiration",
            "consent_collection",
            "custom_fields",
            "customer",
            "customer_account",
            "customer_update",
            "discounts",
            "managed_payments",
            "name_collection",
            "optional_items",
            "payment_method_configuration",
            "payment_method_data",
            "payment_method_options",
            "permissions",
            "redirect_on_completion",
            "return_url",
            "saved_payment_method_options",
            "setup_intent_data",
            "shipping_address_collection",
            "shipping_options",
            "subscription_data",
            "tax_id_collection",
            "wallet_options",
        ]
    ),
)
CREATE_REFUND = Hash(
    {
        **_EXPAND,
        "amount": Int(1),
        "charge": Text(),
        "payment_intent": Text(),
        "metadata": Metadata(),
        "reason": Text(choices=("duplicate", "fraudulent", "requested_by_customer")),
    },
    unplayed=frozenset(
        [
            "currency",
            "customer",
            "instructions_email",
            "origin",
            "refund_application_fee",
            "reverse_transfer",
        ]
    ),
)
EXPAND_ONLY = Hash(_EXPAND)
LIST_PLAIN = Hash(_PAGE)
LIST_SESSIONS = Hash(
    {
        **_PAGE,
        **_CREATED,
        "status": Text(choices=("complete", "expired", "open")),
        "payment_intent": Text(),
        "customer_details": Hash({"email": Text()}, required=("email",)),
    },
    unplayed=frozenset({"customer", "customer_account", "payment_link", "subscription"}),
)
LIST_INTENTS = Hash({**_PAGE, **_CREATED}, unplayed=frozenset({"customer", "customer_account"}))
LIST_CHARGES = Hash(
    {**_PAGE, **_CREATED, "payment_intent": Text()},
    unplayed=frozenset({"customer", "transfer_group"}),
)
LIST_REFUNDS = Hash({**_PAGE, **_CREATED, "payment_intent": Text(), "charge": Text()})
LIST_DISPUTES = Hash({**_PAGE, **_CREATED, "payment_intent": Text(), "charge": Text()})
LIST_TRANSACTIONS = Hash(
    {
        **_PAGE,
        **_CREATED,
        "source": Text(),
        "currency": _CURRENCY,
        "type": Text(),
        "payout": Text(),
    }
)
LIST_PAYOUTS = Hash(
    {
        **_PAGE,
        **_CREATED,
        "arrival_date": _CREATED["created"],
        "status": Text(choices=("pending", "paid", "failed", "canceled", "in_transit")),
    },
    unplayed=frozenset({"destination"}),
)
LIST_EVENTS = Hash(
    {
        **_PAGE,
        **_CREATED,
        "type": Text(),
        "types": Many(Text(), most=20),
        "delivery_success": Bool(),
    }
)
