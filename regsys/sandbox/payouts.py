"""Money on its way to the account holder's own bank."""

from collections import defaultdict

from regsys.sandbox import books
from regsys.sandbox.errors import missing
from regsys.sandbox.events import emit
from regsys.sandbox.ids import new_id
from regsys.sandbox.store import Doc, Store

ON_THE_WAY = 2 * 24 * 3600


def pay_out(store: Store, now: int, *, early: bool = False) -> list[Doc]:
    """Pay out what is available, one payout per currency with more in than out; `early` waits for none of it."""
    books.make_available(store, now, early=early)
    waiting: dict[str, list[Doc]] = defaultdict(list)
    for line in store.select(
        "kind = 'balance_transaction' AND json_extract(doc, '$.status') = 'available'"
        " AND json_extract(inner, '$.payout') IS NULL", order="ASC",
    ):  # fmt: skip
        waiting[line["currency"]].append(line)
    sums = {currency: sum(line["net"] for line in lines) for currency, lines in waiting.items()}
    return [_send(store, waiting[c], total, now) for c, total in sums.items() if total > 0]


def _send(store: Store, lines: list[Doc], total: int, now: int) -> Doc:
    payout = _new_payout(lines[0]["currency"], total, now)
    line = books.new_transaction(payout, "payout", -total, 0, now)
    line |= {"available_on": now, "status": "available"}
    store.add(line, payout=payout["id"])
    for each in lines:
        store.note(each["id"], payout=payout["id"])
    arrives = payout["arrival_date"]
    payout |= {"balance_transaction": line["id"]}
    store.add(payout, becomes="paid", becomes_at=arrives)
    emit(store, "payout.created", payout, now=now)
    return payout


def arrive(store: Store, id: str, now: int) -> Doc:
    """Let a payout reach the bank."""
    payout = get_payout(store, id)
    if payout["status"] != "in_transit":
        return payout
    store.note(id, becomes=None, becomes_at=None)
    payout = store.save(payout | {"status": "paid"})
    emit(store, "payout.paid", payout, now=now)
    return payout


def fail(store: Store, id: str, now: int) -> Doc:
    """Let the bank send a payout back: the money is in the balance again, and goes with the next one."""
    payout = get_payout(store, id)
    if payout["status"] == "failed":
        return payout
    line = books.new_transaction(payout, "payout_failure", payout["amount"], 0, now)
    store.add(line | {"available_on": now, "status": "available"})
    store.note(id, becomes=None, becomes_at=None)
    why = {"failure_code": "account_closed", "failure_message": "The bank account has been closed"}
    payout |= {"status": "failed", "failure_balance_transaction": line["id"], **why}
    emit(store, "payout.failed", store.save(payout), now=now)
    return payout


def edit(store: Store, id: str, fields: Doc) -> Doc:
    """Write anything into a payout, as no one should; for tests of a product that must not believe it."""
    return store.save(get_payout(store, id) | fields)


def get_payout(store: Store, id: str) -> Doc:
    """Return the payout or answer 404."""
    payout = store.find(id, "payout")
    if payout is None:
        raise missing("payout", id, param="payout")
    return payout


def _new_payout(currency: str, total: int, now: int) -> Doc:
    nothing = ("application_fee", "application_fee_amount", "balance_transaction",
               "failure_balance_transaction", "failure_code", "failure_message", "original_payout",
               "payout_method", "reversed_by", "statement_descriptor", "trace_id")  # fmt: skip
    return {
        **dict.fromkeys(nothing),
        "id": new_id("po"),
        "object": "payout",
        "amount": total,
        "arrival_date": now + ON_THE_WAY,
        "automatic": True,
        "created": now,
        "currency": currency,
        "description": "STRIPE PAYOUT",
        "destination": "ba_stand_in",
        "livemode": False,
        "metadata": {},
        "method": "standard",
        "reconciliation_status": "completed",
        "source_type": "card",
        "status": "in_transit",
        "type": "bank_account",
    }
