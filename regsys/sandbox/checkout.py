"""What happens to a session: opened, paid, declined, expired. Each verb runs inside one unit of the store."""

from dataclasses import dataclass
from typing import Any

from regsys.sandbox import books, objects
from regsys.sandbox.cards import Card
from regsys.sandbox.errors import StripeError, missing
from regsys.sandbox.events import BY_ITSELF, Cause, Deliver, emit
from regsys.sandbox.objects import Payer
from regsys.sandbox.store import Doc, Store


@dataclass(frozen=True)
class Wrong:
    """A mistake to make in the next payment: another amount or currency than was asked."""

    amount: int | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Attempt:
    """One press of Pay."""

    card: Card
    payer: Payer = Payer()  # noqa: RUF009  frozen, so it can be shared
    deliver: Deliver = Deliver.NORMALLY
    wrong: Wrong | None = None


@dataclass(frozen=True)
class Outcome:
    """What came of it: `error` in Stripe's shape where the bank said no, `closed` where there was nothing to pay."""

    session: Doc
    error: dict[str, Any] | None = None
    closed: bool = False


def open_session(store: Store, params: Doc, *, now: int, base_url: str, organisation: str) -> Doc:
    """Keep a new session for checked parameters."""
    session = objects.new_session(params, now=now, base_url=base_url, organisation=organisation)
    notes = [line["price_data"]["product_data"].get("description") for line in params["line_items"]]
    asked = params.get("payment_intent_data", {})
    items = objects.line_items(params, now)
    return store.add(session, items=items, notes=notes, asked=asked)


def get_session(store: Store, id: str) -> Doc:
    """Return the session or answer 404."""
    session = store.find(id, "checkout.session")
    if session is None:
        raise missing("checkout.session", id, param="session")
    return session


def expire_session(store: Store, id: str, now: int, cause: Cause = BY_ITSELF) -> Doc:
    """End an open session; Stripe refuses any other."""
    session = get_session(store, id)
    if session["status"] != "open":
        raise StripeError(
            'Only Checkout Sessions with a status in ["open"] can be expired. '
            f"This Checkout Session has a status of `{session['status']}`."
        )
    return _expire(store, session, now, cause)


def expire_due(store: Store, now: int) -> int:
    """End every session whose time has passed and return how many there were."""
    due = store.rows(
        # Every call asks this: without the hint SQLite reads all sessions there ever were.
        "SELECT id FROM object INDEXED BY open_session WHERE kind = 'checkout.session'"
        " AND json_extract(doc, '$.status') = 'open' AND json_extract(doc, '$.expires_at') <= ?", now,
    )  # fmt: skip
    for row in due:
        _expire(store, get_session(store, row["id"]), now, BY_ITSELF)
    return len(due)


def _expire(store: Store, session: Doc, now: int, cause: Cause) -> Doc:
    store.save(session | {"status": "expired", "url": None})
    session = get_session(store, session["id"])
    emit(store, "checkout.session.expired", session, now=now, cause=cause)
    return session


def pay_session(store: Store, id: str, attempt: Attempt, *, now: int, base_url: str) -> Outcome:
    """Pay once; a session that is no longer open is left alone."""
    session = get_session(store, id)
    if session["status"] != "open":
        return Outcome(session, closed=True)
    if attempt.wrong:
        session = _wrong(session, attempt.wrong)
    if session["amount_total"] == 0:
        return Outcome(_complete(store, session, attempt, "no_payment_required", now))
    intent = _intent_for(store, session, now)
    charge = store.add(objects.new_charge(intent, attempt.card, attempt.payer, now, base_url))
    if attempt.card.error:
        return _decline(store, session, intent, charge, attempt.card.error, now)
    store.note(charge["id"], refund=attempt.card.refund, later=attempt.card.later)
    _collect(store, intent, charge, now)
    return Outcome(
        _complete(store, session | {"payment_intent": intent["id"]}, attempt, "paid", now)
    )


def _wrong(session: Doc, wrong: Wrong) -> Doc:
    amount = session["amount_total"] if wrong.amount is None else wrong.amount
    currency = wrong.currency or session["currency"]
    return session | {"amount_total": amount, "amount_subtotal": amount, "currency": currency}


def _intent_for(store: Store, session: Doc, now: int) -> Doc:
    """Return the intent of an earlier declined try, or a new one."""
    if session["payment_intent"]:
        found = store.find(session["payment_intent"], "payment_intent") or {}
        same = {"amount": session["amount_total"], "currency": session["currency"]}
        return store.save(found | same)
    asked = store.inner(session["id"])["asked"]
    return store.add(objects.new_intent(session, asked, now))


def _decline(
    store: Store, session: Doc, intent: Doc, charge: Doc, error: dict[str, Any], now: int
) -> Outcome:
    said = error | {"charge": charge["id"], "payment_method_type": "card"}
    intent = store.save(intent | {"last_payment_error": said, "latest_charge": charge["id"]})
    session = store.save(session | {"payment_intent": intent["id"]})
    emit(store, "charge.failed", charge, now=now)
    emit(store, "payment_intent.payment_failed", intent, now=now)
    return Outcome(session, error=error)


def _collect(store: Store, intent: Doc, charge: Doc, now: int) -> None:
    """Take the money: charge, statement line and intent."""
    amount = charge["amount"]
    line = books.new_transaction(charge, "charge", amount, books.fee(amount), now)
    store.add(line)
    charge = store.save(charge | {"balance_transaction": line["id"]})
    done = {
        "amount_received": amount,
        "last_payment_error": None,
        "latest_charge": charge["id"],
        "payment_method": charge["payment_method"],
        "status": "succeeded",
    }
    intent = store.save(intent | done)
    emit(store, "charge.succeeded", charge, now=now)
    emit(store, "payment_intent.succeeded", intent, now=now)


def _complete(store: Store, session: Doc, attempt: Attempt, status: str, now: int) -> Doc:
    payer = attempt.payer
    if payer.email is None:
        payer = Payer(session["customer_email"], payer.name, payer.postal_code)
    done = {
        "customer_details": objects.customer_details(payer),
        "payment_status": status,
        "status": "complete",
        "url": None,
    }
    session = store.save(session | done)
    emit(store, "checkout.session.completed", session, now=now, deliver=attempt.deliver)
    return session


def edit_session(store: Store, id: str, fields: Doc) -> Doc:
    """Write anything into a session, as no one should; for tests of a product that must not believe it."""
    return store.save(get_session(store, id) | fields)
