"""Speaking with Stripe: the only file that imports its library. Every call refuses to run inside a transaction."""

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from flask import current_app

from regsys.kernel.db import forbid_in_transaction
from regsys.kernel.errors import UpstreamFailed
from regsys.kernel.text import N_
from regsys.payments.rules import REFUND_TAG, TAG, Notice, Session
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


@dataclass(frozen=True)
class StripeRefund:
    """A refund as Stripe tells it; the amount in Stripe's own units."""

    id: str
    status: str
    amount: int
    tag: str | None
    reason: str = ""


@dataclass(frozen=True)
class Endpoint:
    """A webhook endpoint as Stripe knows it."""

    url: str
    status: str
    api_version: str | None
    events: Sequence[str]


# ---- sessions ----


def create_session(params: Mapping[str, Any], *, key: str) -> Session:
    """Open a session; the same key and params again return the first one."""
    with _speaking("creating a Checkout session") as client:
        sessions = client.v1.checkout.sessions
        made = sessions.create(cast(Any, dict(params)), {"idempotency_key": key})
    return _session(made)


def retrieve_session(session_id: str) -> Session:
    """Return the session as it is now; raise Missing."""
    with _speaking("asking for a Checkout session") as client:
        found = client.v1.checkout.sessions.retrieve(session_id, {"expand": list(WHOLE_SESSION)})
    return _session(found)


def expire_session(session_id: str) -> Session:
    """End an open session; raise Rejected if it is not open any more."""
    with _speaking("ending a Checkout session") as client:
        ended = client.v1.checkout.sessions.expire(session_id)
    return _session(ended)


def find_session(tag: str, *, since: datetime, until: datetime) -> Session | None:
    """Find the session with our mark among those created in a span of time."""
    span = {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
    with _speaking("listing Checkout sessions") as client:
        page = client.v1.checkout.sessions.list({"created": cast(Any, span), "limit": 100})
        for _ in range(_MOST_PAGES):
            found = [s for s in map(_session, page.data) if s.tag == tag]
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
    return _refund(made)


def list_refunds(payment_intent: str) -> list[StripeRefund]:
    """List the refunds of a payment, newest first."""
    with _speaking("listing refunds") as client:
        page = client.v1.refunds.list({"payment_intent": payment_intent, "limit": 100})
    return [_refund(r) for r in page.data]


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


def list_events(*, since: datetime, types: Sequence[str], undelivered: bool) -> list[Notice]:
    """List at most 100 events of some types since a moment, newest first."""
    params: dict[str, Any] = {
        "created": {"gte": int(since.timestamp())},
        "types": list(types),
        "limit": 100,
    }
    if undelivered:
        params["delivery_success"] = False
    with _speaking("listing events") as client:
        page = client.v1.events.list(cast(Any, params))
        return [_notice(e.to_dict(for_json=True)) for e in page.data]


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
        return _notice(json.loads(body))
    raise BadSignature


def _notice(event: Any) -> Notice:
    try:
        if event["object"] != "event":
            raise ValueError(f"no event of Stripe's first API: {event['object']}")
        return Notice(
            id=str(event["id"]),
            type=str(event["type"]),
            object_id=str(event["data"]["object"].get("id") or ""),
            livemode=bool(event["livemode"]),
            api_version=event.get("api_version"),
            created_at=datetime.fromtimestamp(event["created"], UTC),
        )
    except (KeyError, TypeError, AttributeError) as e:
        raise ValueError(f"not the shape of an event: {e!r}") from None


# ---- inside ----


def _stripe() -> Any:
    os.environ.setdefault("STRIPE_SUPPRESS_NOTICES", "true")
    import stripe  # slow import

    # Otherwise it writes a file into the home directory and tells Stripe about this machine.
    stripe.enable_telemetry = False
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


def _session(found: "stripe.checkout.Session") -> Session:
    intent = found.payment_intent
    metadata = found.metadata
    return Session(
        id=found.id,
        status=found.status or "",
        payment_status=found.payment_status,
        amount_total=found.amount_total,
        currency=found.currency,
        livemode=found.livemode,
        mode=found.mode,
        url=found.url,
        payment_intent=intent if isinstance(intent, str) or intent is None else intent.id,
        tag=metadata[TAG] if metadata and TAG in metadata else None,
        fee=_fee(intent),
        charge=_charge(intent),
    )


def _fee(intent: Any) -> int | None:
    """Return the fee, where the whole chain down to the line in Stripe's books was sent."""
    charge = getattr(intent, "latest_charge", None)
    line = getattr(charge, "balance_transaction", None)
    return getattr(line, "fee", None)


def _charge(intent: Any) -> str | None:
    """Return the id of the charge, where the intent was sent with it, expanded or not."""
    charge = getattr(intent, "latest_charge", None)
    return charge if isinstance(charge, str) or charge is None else str(charge.id)


def _refund(made: "stripe.Refund") -> StripeRefund:
    metadata = made.metadata
    return StripeRefund(
        id=made.id,
        status=made.status or "",
        amount=made.amount,
        tag=metadata[REFUND_TAG] if metadata and REFUND_TAG in metadata else None,
        reason=getattr(made, "failure_reason", None) or getattr(made, "pending_reason", None) or "",
    )
