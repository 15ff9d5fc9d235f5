"""Giving money back: at once, pending at first, or failing later."""

from regsys.sandbox import books, disputes, objects, rules
from regsys.sandbox.accounts import WAYS_BACK
from regsys.sandbox.errors import StripeError, missing
from regsys.sandbox.events import BY_ITSELF, Cause, emit
from regsys.sandbox.store import Doc, Store

# Seconds after which a pending refund succeeds, or a good one fails.
LATER = 10


def create_refund(store: Store, params: Doc, now: int, cause: Cause) -> Doc:
    """Refund a charge in whole or in part."""
    charge = _charge_for(store, params)
    disputes.check_refundable(store, charge)
    amount = rules.check_refund(charge, params.get("amount"))
    card = store.inner(charge["id"])
    refund = store.add(objects.new_refund(charge, params, amount, now, card["refund"]))
    if card.get("later"):
        store.note(refund["id"], becomes=card["later"], becomes_at=now + LATER)
    emit(store, "refund.created", refund, now=now, cause=cause)
    if refund["status"] == "succeeded":
        refund = _pay_back(store, refund, now)
    _set_refunded(store, charge, amount, now, cause)
    if refund["status"] == "succeeded":
        _settled(store, refund, now, {"destination_details": refund["destination_details"]})
    return store.find(refund["id"], "refund") or refund


def _charge_for(store: Store, params: Doc) -> Doc:
    if ("charge" in params) == ("payment_intent" in params):
        raise StripeError("You must specify exactly one of charge and payment_intent.")
    if "payment_intent" in params:
        return _charge_of_intent(store, params["payment_intent"])
    charge = find_charge(store, params["charge"])
    if not charge["paid"]:
        raise StripeError(f"Charge {charge['id']} was not paid and cannot be refunded.")
    return charge


def find_charge(store: Store, id: str) -> Doc:
    """Return a charge by its id or by that of its intent, or refuse."""
    if id.startswith("pi_"):
        return _charge_of_intent(store, id)
    charge = store.find(id, "charge")
    if charge is None:
        raise missing("charge", id, param="charge", status=400)
    return charge


def _charge_of_intent(store: Store, id: str) -> Doc:
    intent = store.find(id, "payment_intent")
    if intent is None:
        raise missing("payment_intent", id, param="payment_intent", status=400)
    charge = store.find(intent["latest_charge"] or "", "charge")
    if charge is None or not charge["paid"]:
        raise StripeError(f"This PaymentIntent ({id}) does not have a successful charge to refund.")
    return charge


def _pay_back(store: Store, refund: Doc, now: int) -> Doc:
    kind = "refund" if refund["id"].startswith("re_") else "payment_refund"
    line = store.add(books.new_transaction(refund, kind, -refund["amount"], 0, now))
    return store.save(refund | {"balance_transaction": line["id"]})


def _set_refunded(store: Store, charge: Doc, change: int, now: int, cause: Cause) -> Doc:
    """Move the refunded sum of a charge, and tell when it grew."""
    before = {"amount_refunded": charge["amount_refunded"], "refunded": charge["refunded"]}
    total = charge["amount_refunded"] + change
    charge = store.save(charge | {"amount_refunded": total, "refunded": total == charge["amount"]})
    if change > 0:
        emit(store, "charge.refunded", charge, now=now, cause=cause, before=before)
    return charge


def _settled(store: Store, refund: Doc, now: int, before: Doc) -> Doc:
    """Note that the bank has taken the refund, with its reference."""
    way = refund["destination_details"]["type"]
    method = {back: name for name, back in WAYS_BACK.items()}.get(way, "card")
    reference = "5550006" + refund["id"][-4:]
    details = {"destination_details": objects.destination(method, reference)}
    refund = store.save(refund | details)
    emit(store, "refund.updated", refund, now=now, before=before)
    return refund


def advance(store: Store, id: str, now: int) -> Doc:
    """Let a pending refund succeed, or a good one fail, now; any other stays as it is."""
    refund = store.find(id, "refund")
    if refund is None:
        raise missing("refund", id, param="refund")
    becomes = store.inner(id).get("becomes")
    if becomes is None:
        return refund
    store.note(id, becomes=None, becomes_at=None)
    if becomes == "failed":
        return _fail(store, refund, now)
    refund.pop("pending_reason", None)
    paid = _pay_back(store, refund | {"status": "succeeded"}, now)
    return _settled(store, paid, now, {"status": "pending"})


def fail(store: Store, id: str, now: int) -> Doc:
    """Let any refund fail that has not failed yet, whatever was planned for it."""
    refund = store.find(id, "refund")
    if refund is None:
        raise missing("refund", id, param="refund")
    if refund["status"] == "failed":
        return refund
    store.note(id, becomes=None, becomes_at=None)
    refund.pop("pending_reason", None)
    return _fail(store, refund, now)


def _fail(store: Store, refund: Doc, now: int) -> Doc:
    before = {"status": refund["status"]}
    refund |= {"status": "failed", "failure_reason": "expired_or_canceled_card"}
    if refund["balance_transaction"]:  # a pending one has taken nothing that could come back
        line = books.new_transaction(refund, "refund_failure", refund["amount"], 0, now)
        refund |= {"failure_balance_transaction": store.add(line)["id"]}
    store.save(refund)
    charge = store.find(refund["charge"], "charge") or {}
    _set_refunded(store, charge, -refund["amount"], now, BY_ITSELF)
    emit(store, "refund.updated", refund, now=now, before=before)
    emit(store, "refund.failed", refund, now=now, before=before)
    return refund
