"""What happens to a session: opened, paid, declined, expired. Each verb runs inside one unit of the store."""

from dataclasses import dataclass
from typing import Any

from regsys.sandbox import books, charges, disputes, objects
from regsys.sandbox.accounts import Account
from regsys.sandbox.cards import NOT_PROVEN, Card
from regsys.sandbox.errors import StripeError, missing
from regsys.sandbox.events import BY_ITSELF, Cause, Deliver, emit
from regsys.sandbox.objects import Payer
from regsys.sandbox.store import Doc, Store

# Seconds until a bank account's money comes, or does not.
DELAY = 4 * 24 * 3600


@dataclass(frozen=True)
class Wrong:
    """A mistake to make in the next payment: another amount or currency than was asked."""

    amount: int | None = None
    currency: str | None = None


@dataclass(frozen=True)
class Attempt:
    """One press of Pay."""

    card: Card | Account
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
    if isinstance(attempt.card, Account):
        return _begin(store, session, intent, attempt, attempt.card, now, base_url)
    return _charge_card(store, session, intent, attempt, attempt.card, now, base_url)


def _charge_card(
    store: Store, session: Doc, intent: Doc, attempt: Attempt, card: Card, now: int, base_url: str
) -> Outcome:
    charge = store.add(charges.card_charge(intent, card, attempt.payer, now, base_url))
    if card.error:
        return _decline(store, session, intent, charge, card.error, now)
    store.note(charge["id"], refund=card.refund, later=card.later)
    charge = collect(store, intent, charge, now, at_once=card.at_once)
    session = session | {"payment_intent": intent["id"]}
    outcome = Outcome(_complete(store, session, attempt, "paid", now))
    if card.disputed:
        status, reason = card.disputed
        disputes.open_dispute(store, charge, status=status, reason=reason, now=now)
    return outcome


def _begin(
    store: Store,
    session: Doc,
    intent: Doc,
    attempt: Attempt,
    account: Account,
    now: int,
    base_url: str,
) -> Outcome:
    """Set a bank account's money on its way: the session is complete, and unpaid for days."""
    charge = store.add(charges.bank_charge(intent, account, attempt.payer, now, base_url))
    store.note(charge["id"], refund="pending", later="succeeded", session=session["id"])
    under_way = {"latest_charge": charge["id"], "status": "processing", "last_payment_error": None}
    intent = store.save(intent | under_way | {"payment_method": charge["payment_method"]})
    emit(store, "charge.pending", charge, now=now)
    emit(store, "payment_intent.processing", intent, now=now)
    session = session | {"payment_intent": intent["id"]}
    session = _complete(store, session, attempt, "unpaid", now)
    error = {"code": account.code, "message": account.message} if account.code else None
    store.note(session["id"], becomes=error or "paid", becomes_at=now + DELAY)
    return Outcome(session)


def ask_back(store: Store, id: str, now: int) -> None:
    """Note that the bank wants to know who pays; an open session stays open."""
    session = get_session(store, id)
    if session["status"] != "open" or not session["amount_total"]:
        return
    intent = _intent_for(store, session, now)
    asking = {"next_action": {"type": "use_stripe_sdk", "use_stripe_sdk": {}}}
    intent = store.save(intent | asking | {"status": "requires_action"})
    store.save(session | {"payment_intent": intent["id"]})
    emit(store, "payment_intent.requires_action", intent, now=now)


def fail_proof(store: Store, id: str, now: int) -> Outcome:
    """Let the payer fail to prove who pays: nothing is charged, and the session stays open."""
    session = get_session(store, id)
    if session["status"] != "open":
        return Outcome(session, closed=True)
    intent = _intent_for(store, session, now) | {"last_payment_error": NOT_PROVEN}
    intent = store.save(intent)
    session = store.save(session | {"payment_intent": intent["id"]})
    emit(store, "payment_intent.payment_failed", intent, now=now)
    return Outcome(session, error=NOT_PROVEN)


def _wrong(session: Doc, wrong: Wrong) -> Doc:
    amount = session["amount_total"] if wrong.amount is None else wrong.amount
    currency = wrong.currency or session["currency"]
    return session | {"amount_total": amount, "amount_subtotal": amount, "currency": currency}


def _intent_for(store: Store, session: Doc, now: int) -> Doc:
    """Return the intent of an earlier declined try, or a new one."""
    if session["payment_intent"]:
        found = store.find(session["payment_intent"], "payment_intent") or {}
        again = {
            "amount": session["amount_total"],
            "currency": session["currency"],
            "next_action": None,
            "status": "requires_payment_method",
        }
        return store.save(found | again)
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


def collect(store: Store, intent: Doc, charge: Doc, now: int, *, at_once: bool = False) -> Doc:
    """Take the money: charge, statement line and intent; return the charge."""
    amount, method = charge["amount"], charge["payment_method_details"]["type"]
    kind = "charge" if method == "card" else "payment"
    line = books.new_transaction(charge, kind, amount, books.fee(amount, method), now)
    store.add(line | ({"available_on": now, "status": "available"} if at_once else {}))
    paid = {"balance_transaction": line["id"], "paid": True, "status": "succeeded"}
    charge = store.save(charge | paid)
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
    return charge


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
