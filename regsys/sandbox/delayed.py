"""The second act of a payment from a bank account: the money comes, or it does not."""

from typing import Any

from regsys.sandbox import checkout
from regsys.sandbox.accounts import CLOSED_ACCOUNT, find_account
from regsys.sandbox.errors import StripeError
from regsys.sandbox.events import emit
from regsys.sandbox.store import Doc, Store

# What a bank says when nothing else was planned.
CLOSED = find_account(CLOSED_ACCOUNT)


def finish(store: Store, id: str, now: int, *, success: bool | None = None) -> Doc:
    """End the waiting of a session as its account number says, or as told."""
    session = checkout.get_session(store, id)
    becomes = store.inner(id).get("becomes")
    if becomes is None:
        raise StripeError(f"This Checkout Session ({id}) waits for no money.")
    store.note(id, becomes=None, becomes_at=None)
    if success is None:
        success = becomes == "paid"
    if success:
        return _arrive(store, session, now)
    return _fail(store, session, becomes if isinstance(becomes, dict) else _closed(), now)


def _closed() -> dict[str, Any]:
    assert CLOSED
    return {"code": CLOSED.code, "message": CLOSED.message}


def _parts(store: Store, session: Doc) -> tuple[Doc, Doc]:
    intent = store.find(session["payment_intent"], "payment_intent") or {}
    return intent, store.find(intent["latest_charge"], "charge") or {}


def _arrive(store: Store, session: Doc, now: int) -> Doc:
    intent, charge = _parts(store, session)
    checkout.collect(store, intent, charge, now)
    session = store.save(session | {"payment_status": "paid"})
    emit(store, "checkout.session.async_payment_succeeded", session, now=now)
    return session


def _fail(store: Store, session: Doc, why: dict[str, Any], now: int) -> Doc:
    intent, charge = _parts(store, session)
    said = {"failure_code": why["code"], "failure_message": why["message"], "status": "failed"}
    charge = store.save(charge | said)
    error = {
        "type": "card_error",
        "charge": charge["id"],
        "payment_method_type": charge["payment_method_details"]["type"],
        **why,
    }
    left = {
        "last_payment_error": error,
        "payment_method": None,
        "status": "requires_payment_method",
    }
    intent = store.save(intent | left)
    emit(store, "charge.failed", charge, now=now)
    emit(store, "payment_intent.payment_failed", intent, now=now)
    emit(store, "checkout.session.async_payment_failed", session, now=now)
    return session
