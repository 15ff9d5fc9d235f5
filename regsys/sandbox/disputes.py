"""A payer takes a payment up with the bank: inquiries and chargebacks, and how they end."""

from regsys.sandbox import books
from regsys.sandbox.errors import StripeError, missing
from regsys.sandbox.events import emit
from regsys.sandbox.ids import new_id
from regsys.sandbox.store import Doc, Store

FEE = 1500
_DAY = 24 * 3600
ANSWER_WITHIN = 9 * _DAY

# Here the bank has taken no money: it asks (`warning_`), or the case was stopped before it began.
_ASKS = ("warning_", "prevented")
CODES = {"fraudulent": "10.4", "product_not_received": "13.1"}
OVER = ("won", "lost", "warning_closed", "prevented")


def open_dispute(
    store: Store, charge: Doc, *, status: str, reason: str, now: int, amount: int | None = None
) -> Doc:
    """Dispute a paid charge; unless the bank only asks, the money and a fee are taken at once."""
    if not charge["paid"]:
        raise StripeError(f"Charge {charge['id']} was not paid and cannot be disputed.")
    left = charge["amount"] - charge["amount_refunded"] or charge["amount"]
    asked = {"amount": amount or left, "status": status, "reason": reason}
    dispute = store.add(_new_dispute(charge, asked, now))
    store.save(charge | {"disputed": True})
    emit(store, "charge.dispute.created", dispute, now=now)
    return dispute if status.startswith(_ASKS) else _withdraw(store, dispute, now)


def _withdraw(store: Store, dispute: Doc, now: int) -> Doc:
    note = f"Chargeback withdrawal for {dispute['charge']}"
    line = _line(store, dispute, -dispute["amount"], FEE, "dispute", note, now)
    case = {"balance_transactions": [line], "is_charge_refundable": False}
    dispute = store.save(dispute | case)
    emit(store, "charge.dispute.funds_withdrawn", dispute, now=now)
    return dispute


def _line(
    store: Store, dispute: Doc, amount: int, fee: int, category: str, note: str, now: int
) -> Doc:
    line = books.new_transaction(
        dispute, "adjustment", amount, fee, now, category=category, note=note
    )
    return store.add(line)


def update_dispute(store: Store, id: str, status: str, now: int) -> Doc:
    """Move a dispute on: evidence was sent (`under_review`), or an inquiry became a chargeback."""
    dispute = get_dispute(store, id)
    before = {"status": dispute["status"]}
    dispute = store.save(dispute | {"status": status} | _evidence(dispute, status))
    emit(store, "charge.dispute.updated", dispute, now=now, before=before)
    taken = bool(dispute["balance_transactions"])
    if not taken and not status.startswith(_ASKS) and status not in OVER:
        dispute = _withdraw(store, dispute, now)
    return dispute


def _evidence(dispute: Doc, status: str) -> Doc:
    if not status.endswith("under_review"):
        return {}
    sent = {"has_evidence": True, "submission_count": 1, "submission_method": "manual"}
    return {"evidence_details": dispute["evidence_details"] | sent}


def close_dispute(store: Store, id: str, status: str, now: int) -> Doc:
    """End a dispute; won gives the money back and keeps the fee, any other status moves no money."""
    dispute = get_dispute(store, id)
    taken = dispute["balance_transactions"]
    before = {"status": dispute["status"]}
    refundable = status != "lost" and (not taken or status == "won")
    dispute = store.save(dispute | {"status": status, "is_charge_refundable": refundable})
    if status == "won" and len(taken) == 1:
        note = f"Chargeback reversal for {dispute['charge']}"
        line = _line(store, dispute, dispute["amount"], 0, "dispute_reversal", note, now)
        dispute = store.save(dispute | {"balance_transactions": [*taken, line]})
        emit(store, "charge.dispute.funds_reinstated", dispute, now=now)
    emit(store, "charge.dispute.closed", dispute, now=now, before=before)
    return dispute


def get_dispute(store: Store, id: str) -> Doc:
    """Return the dispute or answer 404."""
    dispute = store.find(id, "dispute")
    if dispute is None:
        raise missing("dispute", id, param="dispute")
    return dispute


def list_of(store: Store, charge: str) -> list[Doc]:
    """Return the disputes of a charge, newest first."""
    return store.select("kind = 'dispute' AND json_extract(doc, '$.charge') = ?", charge)


def check_refundable(store: Store, charge: Doc) -> None:
    """Refuse to give back what the bank has taken."""
    if charge["disputed"] and any(
        not d["is_charge_refundable"] for d in list_of(store, charge["id"])
    ):
        raise StripeError(
            f"Charge {charge['id']} has been charged back; cannot issue a refund.",
            code="charge_disputed",
        )


def _new_dispute(charge: Doc, asked: Doc, now: int) -> Doc:
    asks = asked["status"].startswith(_ASKS)
    due_by = ((now + ANSWER_WITHIN) // _DAY + 1) * _DAY - 1
    details = charge["payment_method_details"]
    dispute: Doc = {
        "id": new_id("du"),
        "object": "dispute",
        **asked,
        "balance_transactions": [],
        "charge": charge["id"],
        "created": now,
        "currency": charge["currency"],
        "enhanced_eligibility_types": [],
        "evidence": _no_evidence(charge),
        "evidence_details": {
            "due_by": due_by,
            "enhanced_eligibility": {},
            "has_evidence": False,
            "past_due": False,
            "submission_count": 0,
            "submission_method": "not_submitted",
        },
        "is_charge_refundable": asks,
        "livemode": False,
        "metadata": {},
        "network_reason_code": CODES.get(asked["reason"]),
        "payment_intent": charge["payment_intent"],
    }
    if details["type"] == "card":
        dispute["payment_method_details"] = {
            "card": _case(details["card"], asked, asks),
            "type": "card",
        }
    return dispute


def _case(card: Doc, asked: Doc, asks: bool) -> Doc:
    return {
        "brand": card["brand"],
        "case_type": "inquiry" if asks else "chargeback",
        "network": card["network"],
        "network_reason_code": CODES.get(asked["reason"]),
    }


def _no_evidence(charge: Doc) -> Doc:
    nothing = ("access_activity_log", "billing_address", "cancellation_policy",
               "cancellation_policy_disclosure", "cancellation_rebuttal", "customer_communication",
               "customer_purchase_ip", "customer_signature", "duplicate_charge_documentation",
               "duplicate_charge_explanation", "duplicate_charge_id", "product_description",
               "receipt", "refund_policy", "refund_policy_disclosure", "refund_refusal_explanation",
               "service_date", "service_documentation", "shipping_address", "shipping_carrier",
               "shipping_date", "shipping_documentation", "shipping_tracking_number",
               "uncategorized_file", "uncategorized_text")  # fmt: skip
    return {
        **dict.fromkeys(nothing),
        "customer_email_address": charge["billing_details"]["email"],
        "customer_name": charge["billing_details"]["name"],
        "enhanced_evidence": {},
    }
