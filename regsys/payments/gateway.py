"""Speaking with Stripe: the only file that imports its library. Every call refuses to run inside a transaction."""

import json
import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from typing import TYPE_CHECKING, Any, cast

from flask import current_app

from regsys.kernel.db import forbid_in_transaction
from regsys.kernel.errors import UpstreamFailed
from regsys.kernel.text import N_
from regsys.payments.books import Back, Charge, Contest
from regsys.payments.rules import TAG, Notice, Session
from regsys.payments.shapes import (
    Endpoint,
    StripeDispute,
    StripeRefund,
    id_of,
    read_dispute,
    read_event,
    read_refund,
    read_session,
    tag_of,
)
from regsys.payments.statement import Line, Payout
from regsys.web.urls import settings

if TYPE_CHECKING:
    import stripe

SIGNATURE_TOLERANCE = 300  # seconds
# Of a session everything is asked in one call: the fee hangs on the charge's line in Stripe's books.
WHOLE_SESSION = ("payment_intent.latest_charge.balance_transaction",)
_TIMEOUT = (3, 10)  # seconds: to connect, to wait for an answer; Stripe's own default is 80
_RETRIES = 2
_MOST_PAGES = 10

_NO_ANSWER = N_("Stripe, which takes the money for us, does not answer at the moment.")
_REFUSED = N_("Stripe, which takes the money for us, did not accept what we asked for.")


class Unreachable(UpstreamFailed):
    """Stripe gave no usable answer: refused, timed out, 409, 429, 5xx or a bad key. It may have done what we asked."""


class Rejected(UpstreamFailed):
    """Stripe understood, and did nothing: `code` and `param` say why."""

    def __init__(self, said: str, code: str | None, param: str | None) -> None:
        super().__init__(_REFUSED, not_charged=True)
        self.said, self.code, self.param = said, code, param


class Missing(Rejected):
    """Stripe has no such thing under this key."""


class KeyReused(Rejected):
    """The idempotency key was used with other parameters before."""


class BadSignature(Exception):
    """A notice that Stripe did not sign, or not lately."""


# ---- sessions ----


def create_session(params: Mapping[str, Any], *, key: str) -> Session:
    """Open a session; the same key and params again return the first one."""
    with _speaking("creating a Checkout session") as client:
        sessions = client.v1.checkout.sessions
        made = sessions.create(cast(Any, dict(params)), {"idempotency_key": key})
    return read_session(made)


def retrieve_session(session_id: str) -> Session:
    """Return the session as it is now; raise Missing."""
    with _speaking("asking for a Checkout session") as client:
        found = client.v1.checkout.sessions.retrieve(session_id, {"expand": list(WHOLE_SESSION)})
    return read_session(found)


def expire_session(session_id: str) -> Session:
    """End an open session; raise Rejected if it is not open any more."""
    with _speaking("ending a Checkout session") as client:
        ended = client.v1.checkout.sessions.expire(session_id)
    return read_session(ended)


def find_session(tag: str, *, since: datetime, until: datetime) -> Session | None:
    """Find the session with our mark among those created in a span of time."""
    span = {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
    with _speaking("listing Checkout sessions") as client:
        page = client.v1.checkout.sessions.list({"created": cast(Any, span), "limit": 100})
        for _ in range(_MOST_PAGES):
            found = [s for s in map(read_session, page.data) if s.tag == tag]
            if found or not page.has_more:
                return found[0] if found else None
            page = page.next_page()
    raise Unreachable(_NO_ANSWER)


# ---- refunds ----


def create_refund(
    payment_intent: str, amount: int, *, key: str, metadata: Mapping[str, str]
) -> StripeRefund:
    """Give money back, in Stripe's units; the same key again returns the first refund."""
    params = {"payment_intent": payment_intent, "amount": amount, "metadata": dict(metadata)}
    with _speaking("refunding a payment") as client:
        made = client.v1.refunds.create(cast(Any, params), {"idempotency_key": key})
    return read_refund(made)


def list_refunds(payment_intent: str) -> list[StripeRefund]:
    """List the refunds of a payment, newest first."""
    with _speaking("listing refunds") as client:
        page = client.v1.refunds.list({"payment_intent": payment_intent, "limit": 100})
    return [read_refund(r) for r in page.data]


def retrieve_refund(refund_id: str) -> StripeRefund:
    """Return a refund as it is now; raise Missing."""
    with _speaking("asking for a refund") as client:
        return read_refund(client.v1.refunds.retrieve(refund_id))


def retrieve_dispute(dispute_id: str) -> StripeDispute:
    """Return a dispute as it is now; raise Missing."""
    with _speaking("asking for a dispute") as client:
        return read_dispute(client.v1.disputes.retrieve(dispute_id))


def find_intent(charge: str) -> str | None:
    """Return the payment intent of a charge; raise Missing."""
    with _speaking("asking for a charge") as client:
        return id_of(client.v1.charges.retrieve(charge).payment_intent)


def find_tag(payment_intent: str) -> str | None:
    """Return our mark on a payment intent, if it has one; raise Missing."""
    with _speaking("asking for a payment") as client:
        return tag_of(client.v1.payment_intents.retrieve(payment_intent).metadata, TAG)


# ---- the account ----


def ping() -> None:
    """Ask the cheapest question there is; raise Unreachable or Rejected."""
    with _speaking("asking whether Stripe is there") as client:
        client.v1.balance.retrieve()


def list_endpoints() -> list[Endpoint]:
    """List the webhook endpoints of the account."""
    with _speaking("listing webhook endpoints") as client:
        page = client.v1.webhook_endpoints.list({"limit": 100})
    return [Endpoint(e.url, e.status, e.api_version, list(e.enabled_events)) for e in page.data]


def list_events(
    *, since: datetime, types: Sequence[str], undelivered: bool, pages: int = 1
) -> list[Notice]:
    """List events of some types since a moment, newest first: at most 100 a page."""
    params: dict[str, Any] = {
        "created": {"gte": int(since.timestamp())},
        "types": list(types),
        "limit": 100,
    }
    if undelivered:
        params["delivery_success"] = False
    with _speaking("listing events") as client:
        page = client.v1.events.list(cast(Any, params))
        found = [read_event(e.to_dict(for_json=True)) for e in page.data]
        for _ in range(pages - 1):
            if not page.has_more:
                break
            page = page.next_page()
            found += [read_event(e.to_dict(for_json=True)) for e in page.data]
    return found


def api_version() -> str:
    """Return the version of Stripe's API that the library speaks."""
    return str(_stripe().api_version)


# ---- notices ----


def read_notice(body: bytes, signature: str | None, secrets: Sequence[str]) -> Notice:
    """Return what a signed notice says; raise BadSignature, or ValueError if it is no event of the first API."""
    sdk = _stripe()
    for secret in secrets:
        try:
            sdk.WebhookSignature.verify_header(body, signature, secret, SIGNATURE_TOLERANCE)
        except sdk.SignatureVerificationError:
            continue
        return read_event(json.loads(body))
    raise BadSignature


# ---- inside ----


def _stripe() -> Any:
    os.environ.setdefault("STRIPE_SUPPRESS_NOTICES", "true")
    import stripe  # slow import

    # Otherwise it writes a file into the home directory and tells Stripe about this machine.
    stripe.enable_telemetry = False
    # It would write down every address that it asks, and each holds somebody's session.
    logging.getLogger("stripe").setLevel(logging.WARNING)
    return stripe


def _client() -> "stripe.StripeClient":
    """Return the app's one client; its connections belong to the thread that uses them."""
    kept = current_app.extensions
    if "regsys.stripe" not in kept:
        known = settings()
        if not known.STRIPE_SECRET_KEY:
            raise Rejected("no key is set", None, None)
        sdk = _stripe()
        kept["regsys.stripe"] = sdk.StripeClient(
            known.STRIPE_SECRET_KEY,
            base_addresses={"api": known.STRIPE_API_BASE} if known.STRIPE_API_BASE else None,
            max_network_retries=_RETRIES,
            # The conformance tests put a client here that writes down what it sees.
            http_client=kept.get("regsys.stripe_http") or sdk.RequestsClient(timeout=_TIMEOUT),
        )
    return cast("stripe.StripeClient", kept["regsys.stripe"])


@contextmanager
def _speaking(what: str) -> Iterator["stripe.StripeClient"]:
    """Give the client outside of any transaction, and turn the library's errors into ours."""
    forbid_in_transaction(what)
    client = _client()
    sdk = _stripe()
    try:
        yield client
    except sdk.IdempotencyError as e:
        raise KeyReused(str(e), e.code, None) from e
    except (sdk.InvalidRequestError, sdk.CardError) as e:
        kind = Missing if e.code == "resource_missing" else Rejected
        raise kind(str(e), e.code, e.param) from e
    except sdk.StripeError as e:
        current_app.logger.warning("%s: %s: %s", what, type(e).__name__, e)
        raise Unreachable(_NO_ANSWER) from e


# ---- Stripe's books: every list to its end, one page after the other ----


def list_charges(since: int) -> Iterator[Charge]:
    """Return the charges that brought money since a moment (seconds since 1970), newest first."""
    return (_book_charge(c) for c in _every("charges", since) if c.status == "succeeded")


def list_all_refunds(since: int) -> Iterator[Back]:
    """Return all refunds since a moment."""
    return (
        Back(r.id, _id(r.charge), r.amount, r.currency.upper(), r.created, r.status or "pending")
        for r in _every("refunds", since)
    )


def list_disputes(since: int) -> Iterator[Contest]:
    """Return all disputes since a moment."""
    return (
        Contest(d.id, _id(d.charge), d.amount, d.currency.upper(), d.created)
        for d in _every("disputes", since)
    )


def list_balance_lines(since: int) -> Iterator[Line]:
    """Return the lines of the account's statement since a moment."""
    return map(_book_line, _every("balance_transactions", since))


def list_payouts(since: int) -> Iterator[Payout]:
    """Return the payouts since a moment, each with what is in it, where Stripe says that."""
    return map(_book_payout, _every("payouts", since))


def _book_payout(p: Any) -> Payout:
    asked = _list_all("balance_transactions", {"payout": p.id}) if p.automatic else ()
    lines = [line for line in map(_book_line, asked) if line.source != p.id]
    return Payout(
        p.id, p.amount, p.currency.upper(), p.created, p.arrival_date, p.status, p.automatic, lines
    )  # fmt: skip


def get_balance() -> dict[str, int]:
    """Return what the account holds by currency, available or not yet, in Stripe's units."""
    with _speaking("asking for the balance") as client:
        held = client.v1.balance.retrieve()
    sums: dict[str, int] = {}
    parts: list[Any] = [*held.available, *held.pending]
    for part in parts:
        sums[part.currency.upper()] = sums.get(part.currency.upper(), 0) + part.amount
    return sums


def _every(what: str, since: int) -> Iterator[Any]:
    return _list_all(what, {"created": {"gte": since}})


def _list_all(what: str, params: Mapping[str, Any]) -> Iterator[Any]:
    """Ask for the first page now, and for each other one when it is needed."""
    with _speaking(f"listing {what}") as client:
        page = getattr(client.v1, what).list({**params, "limit": 100})
    return _pages(what, page)


def _pages(what: str, page: Any) -> Iterator[Any]:
    yield from page.data
    while page.has_more:
        with _speaking(f"listing more {what}"):
            page = page.next_page()
        yield from page.data


def _book_charge(c: Any) -> Charge:
    marks = c.metadata.to_dict() if c.metadata else {}
    intent, currency = _id(c.payment_intent), c.currency.upper()
    return Charge(
        c.id, intent, c.amount, currency, c.created, marks.get(TAG), marks.get("order")
    )  # fmt: skip


def _book_line(t: Any) -> Line:
    return Line(t.type, _id(t.source), t.amount, t.fee, t.net, t.currency.upper(), t.created)


def _id(thing: Any) -> str | None:
    return thing if isinstance(thing, str) or thing is None else str(thing.id)
