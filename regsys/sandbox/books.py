"""The account's own books: balance transactions, the balance, and the objects around them."""

from collections import defaultdict

from regsys.sandbox.ids import new_id
from regsys.sandbox.objects import API_VERSION, ENABLED_EVENTS
from regsys.sandbox.store import Doc, Store

_DAY = 24 * 3600


def new_transaction(source: Doc, kind: str, amount: int, fee: int, now: int) -> Doc:
    """Return one line of the account's statement; `amount` is negative for money that leaves."""
    currency = source["currency"]
    details = [{"amount": fee, "application": None, "currency": currency,
                "description": "Stripe processing fees", "type": "stripe_fee"}]  # fmt: skip
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": (now // _DAY + 2) * _DAY,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details if fee else [],
        "net": amount - fee,
        "reporting_category": "charge" if kind == "charge" else "refund",
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }


def fee(amount: int) -> int:
    """Return the fee of a US card payment: 2.9 % and 30, in the smallest unit."""
    return min(amount, (amount * 29 + 500) // 1000 + 30)


def balance(store: Store, now: int) -> Doc:
    """Return what the account holds, per currency."""
    sums: dict[str, dict[str, int]] = {"available": defaultdict(int), "pending": defaultdict(int)}
    for line in store.select("kind = 'balance_transaction'"):
        side = "available" if line["available_on"] <= now else "pending"
        sums[side][line["currency"]] += line["net"]
    return {"object": "balance", "livemode": False} | {
        side: [_amount(currency, net) for currency, net in (found or {"usd": 0}).items()]
        for side, found in sums.items()
    }


def _amount(currency: str, net: int) -> Doc:
    return {"amount": net, "currency": currency, "source_types": {"card": net}}


def webhook_endpoint(store: Store, url: str, now: int) -> Doc:
    """Return the one webhook endpoint of this account."""
    return {
        "id": store.setting("endpoint_id", new_id("we")),
        "object": "webhook_endpoint",
        "api_version": API_VERSION,
        "application": None,
        "created": int(store.setting("endpoint_created", str(now))),
        "description": None,
        "enabled_events": list(ENABLED_EVENTS),
        "livemode": False,
        "metadata": {},
        "status": store.setting("endpoint_status", "enabled"),
        "url": url,
    }


def summary(store: Store) -> Doc:
    """Return counts and sums, for tests that compare the product's books with these."""
    found = store.rows(
        "SELECT kind, json_extract(doc, '$.status') AS status, json_extract(doc, '$.currency') AS currency,"
        " count(*) AS count, ifnull(sum(json_extract(doc, '$.amount')), 0) AS amount FROM object"
        " WHERE kind IN ('checkout.session', 'payment_intent', 'charge', 'refund') GROUP BY 1, 2, 3"
    )
    return {"lines": [dict(row) for row in found]}
