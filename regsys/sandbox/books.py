"""The account's own books: balance transactions, the balance, and the objects around them."""

from collections import defaultdict

from regsys.sandbox.ids import new_id
from regsys.sandbox.objects import API_VERSION, ENABLED_EVENTS
from regsys.sandbox.store import Doc, Store

_DAY = 24 * 3600
_CATEGORIES = {
    "charge": "charge",
    "payment": "charge",
    "refund": "refund",
    "payment_refund": "refund",
    "refund_failure": "refund_failure",
    "payout": "payout",
    "payout_failure": "payout_reversal",
}


def new_transaction(
    source: Doc, kind: str, amount: int, fee: int, now: int, *, category: str = "", note: str = ""
) -> Doc:
    """Return one line of the account's statement; `amount` is negative for money that leaves."""
    currency = source["currency"]
    taken = "Dispute fee" if kind == "adjustment" else "Stripe processing fees"
    details = [{"amount": fee, "application": None, "currency": currency,
                "description": taken, "type": "stripe_fee"}]  # fmt: skip
    return {
        "id": new_id("txn"),
        "object": "balance_transaction",
        "amount": amount,
        "available_on": (now // _DAY + 2) * _DAY,
        "balance_type": "payments",
        "created": now,
        "currency": currency,
        "description": note or source.get("description"),
        "exchange_rate": None,
        "fee": fee,
        "fee_details": details if fee else [],
        "net": amount - fee,
        "reporting_category": category or _CATEGORIES[kind],
        "source": source["id"],
        "status": "pending",
        "type": kind,
    }


def fee(amount: int, method: str = "card") -> int:
    """Return the fee of a payment in the smallest unit: a US card's 2.9 % and 30, or a bank account's."""
    if method == "us_bank_account":
        return min(500, (amount * 8 + 500) // 1000)
    if method == "sepa_debit":
        return min(amount, 35)
    return min(amount, (amount * 29 + 500) // 1000 + 30)


def make_available(store: Store, now: int, *, early: bool = False) -> int:
    """Let the money of earlier days be available; `early` waits for none of it."""
    until = 10**11 if early else now
    return store.run(
        "UPDATE object INDEXED BY pending_line"
        " SET doc = json_set(doc, '$.status', 'available', '$.available_on',"
        " min(json_extract(doc, '$.available_on'), ?))"
        " WHERE kind = 'balance_transaction' AND json_extract(doc, '$.status') = 'pending'"
        " AND json_extract(doc, '$.available_on') <= ?", now, until,
    )  # fmt: skip


def list_lines(store: Store) -> list[Doc]:
    """Return the whole statement, oldest first."""
    return store.select("kind = 'balance_transaction'", order="ASC")


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
        " WHERE kind IN ('checkout.session', 'payment_intent', 'charge', 'refund', 'dispute', 'payout')"
        " GROUP BY 1, 2, 3"
    )
    return {"lines": [dict(row) for row in found]}
