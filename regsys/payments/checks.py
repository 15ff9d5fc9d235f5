"""What `regsys check` says about Stripe: whether it works, in one sentence, and what to do if not."""

from datetime import timedelta

from regsys.kernel import clock
from regsys.kernel.errors import UpstreamFailed
from regsys.kernel.settings import Settings
from regsys.payments import gateway, queries
from regsys.payments.shapes import Endpoint

Finding = tuple[bool, str, str]

PATH = "/webhooks/stripe"
# What the endpoint must be subscribed to.
EVENTS = (
    "checkout.session.completed",
    "checkout.session.async_payment_succeeded",
    "checkout.session.async_payment_failed",
    "checkout.session.expired",
    "charge.refunded",
    "refund.created",
    "refund.updated",
    "refund.failed",
    "charge.dispute.created",
    "charge.dispute.updated",
    "charge.dispute.closed",
    "charge.dispute.funds_withdrawn",
    "charge.dispute.funds_reinstated",
)


def check(settings: Settings) -> list[Finding]:
    """List (fine?, what is found, what to do); needs an app context."""
    if not settings.STRIPE_SECRET_KEY:
        return [
            (
                False,
                "No Stripe key is set: events that cost money cannot be paid by card.",
                "Set REGSYS_STRIPE_SECRET_KEY and REGSYS_STRIPE_WEBHOOK_SECRET.",
            )
        ]
    reached = _check_reach(settings)
    if not reached[0]:
        return [reached, _check_arrivals()]
    return [reached, *_check_endpoint(settings), _check_undelivered(), _check_arrivals()]


def _check_reach(settings: Settings) -> Finding:
    mode = "live money" if settings.livemode else "test money"
    try:
        gateway.ping()
    except UpstreamFailed as e:
        reason = str(e.__cause__ or e)
        return False, f"Stripe cannot be asked: {reason}", "Check the key and the network."
    return True, f"Stripe answers ({mode}).", ""


def _check_endpoint(settings: Settings) -> list[Finding]:
    address = settings.BASE_URL + PATH
    try:
        endpoints = gateway.list_endpoints()
    except UpstreamFailed:
        return [
            (
                False,
                "The key may not read the webhook endpoints.",
                "Allow it to read Webhook Endpoints, or look into Stripe's dashboard.",
            )
        ]
    ours = next((e for e in endpoints if e.url == address), None)
    if ours is None:
        events = ", ".join(EVENTS)
        return [
            (
                False,
                f"Stripe has no webhook endpoint for {address}.",
                f"Create one in API version {gateway.api_version()} with these events: {events}.",
            )
        ]
    return _judge_endpoint(ours)


def _judge_endpoint(endpoint: Endpoint) -> list[Finding]:
    found: list[Finding] = []
    if endpoint.status != "enabled":
        found.append(
            (False, f"The webhook endpoint is {endpoint.status}.", "Enable it in the dashboard.")
        )
    missing = [e for e in EVENTS if e not in endpoint.events and "*" not in endpoint.events]
    if missing:
        names = ", ".join(missing)
        found.append((False, f"The webhook endpoint does not get {names}.", "Add these events."))
    if endpoint.api_version != gateway.api_version():
        found.append(
            (
                False,
                f"The webhook endpoint speaks API version {endpoint.api_version}, "
                f"we speak {gateway.api_version()}.",
                "Its version cannot be changed: create a new endpoint, then delete the old one.",
            )
        )
    return found or [(True, "The webhook endpoint is enabled and gets what it needs.", "")]


def _check_undelivered() -> Finding:
    since = clock.now() - timedelta(days=3)
    try:
        missed = gateway.list_events(since=since, types=EVENTS, undelivered=True)
    except UpstreamFailed:
        return False, "The key may not read events.", "Allow it to read Events."
    if not missed:
        return True, "Stripe has delivered every event of the last three days.", ""
    oldest = min(e.created_at for e in missed)
    return (
        False,
        f"{len(missed)} events since {oldest:%a %d %b %Y, %H:%M} UTC could not be delivered.",
        "See why the address cannot be reached; payments are found by asking meanwhile.",
    )


def _check_arrivals() -> Finding:
    state = queries.webhooks(clock.now())
    if state.last_at is None:
        return not state.silent, "No event has come from Stripe yet.", _silent_advice(state.silent)
    sentence = f"The last event from Stripe came {state.last_at:%a %d %b %Y, %H:%M} UTC."
    return not state.silent, sentence, _silent_advice(state.silent)


def _silent_advice(silent: bool) -> str:
    advice = "Payments have ended since, and nothing was said: check the endpoint and its secret."
    return advice if silent else ""
