"""Stripe's API, as far as a registration system goes: /v1."""

from collections.abc import Callable

from flask import Blueprint, Response

from regsys.sandbox import books, checkout, expand, refunds, rules, specs
from regsys.sandbox.calls import Call, Operation, run
from regsys.sandbox.errors import missing
from regsys.sandbox.params import Hash
from regsys.sandbox.store import Doc

api = Blueprint("api", __name__, url_prefix="/v1")


def operation(
    method: str, path: str, spec: Hash = specs.EXPAND_ONLY
) -> Callable[[Operation], Operation]:
    """Register a function from Call to document under a path."""

    def register(work: Operation) -> Operation:
        name = work.__name__

        def view(**ids: str) -> Response:
            return run(name, spec, work, ids)

        api.add_url_rule(path, name, view, methods=[method])
        return work

    return register


def _list(call: Call, kind: str, *fields: str) -> Doc:
    """Return a page of things of a kind, narrowed by when they were made and by these fields."""
    query = expand.Query(kind)
    query.created(call.params.get("created"))
    for field in fields:
        query.equal(field, call.params.get(field))
    return expand.page(call.store, query, call.params, f"/v1/{kind}s")


def _get(call: Call, kind: str, id: str, param: str) -> Doc:
    doc = call.store.find(id, kind)
    if doc is None:
        raise missing(kind, id, param=param)
    return doc


@operation("POST", "/checkout/sessions", specs.CREATE_SESSION)
def create_session(call: Call) -> Doc:
    """Open a session for a hosted payment page."""
    rules.check_session(call.params, call.now)
    call.executing()
    return checkout.open_session(
        call.store,
        call.params,
        now=call.now,
        base_url=call.box.base_url,
        organisation=call.box.organisation,
    )


@operation("GET", "/checkout/sessions", specs.LIST_SESSIONS)
def list_sessions(call: Call) -> Doc:
    """List sessions, newest first."""
    query = expand.Query("checkout.session")
    query.created(call.params.get("created"))
    query.equal("status", call.params.get("status"))
    query.equal("payment_intent", call.params.get("payment_intent"))
    details = call.params.get("customer_details", {})
    query.equal("customer_details.email", details.get("email"))
    return expand.page(call.store, query, call.params, "/v1/checkout/sessions")


@operation("GET", "/checkout/sessions/<id>")
def get_session(call: Call) -> Doc:
    """Return one session."""
    return checkout.get_session(call.store, call.ids["id"])


@operation("GET", "/checkout/sessions/<id>/line_items", specs.LIST_PLAIN)
def list_line_items(call: Call) -> Doc:
    """Return the lines of a session."""
    checkout.get_session(call.store, call.ids["id"])
    return expand.line_items(call.store, call.ids["id"])


@operation("POST", "/checkout/sessions/<id>/expire")
def expire_session(call: Call) -> Doc:
    """End an open session."""
    call.executing()
    return checkout.expire_session(call.store, call.ids["id"], call.now, call.cause)


@operation("GET", "/payment_intents", specs.LIST_INTENTS)
def list_payment_intents(call: Call) -> Doc:
    """List payment intents, newest first."""
    return _list(call, "payment_intent")


@operation("GET", "/payment_intents/<id>")
def get_payment_intent(call: Call) -> Doc:
    """Return one payment intent."""
    return _get(call, "payment_intent", call.ids["id"], "intent")


@operation("GET", "/charges", specs.LIST_CHARGES)
def list_charges(call: Call) -> Doc:
    """List charges, newest first."""
    return _list(call, "charge", "payment_intent")


@operation("GET", "/charges/<id>")
def get_charge(call: Call) -> Doc:
    """Return one charge."""
    return _get(call, "charge", call.ids["id"], "charge")


@operation("POST", "/refunds", specs.CREATE_REFUND)
def create_refund(call: Call) -> Doc:
    """Give money back."""
    call.executing()
    return refunds.create_refund(call.store, call.params, call.now, call.cause)


@operation("GET", "/refunds", specs.LIST_REFUNDS)
def list_refunds(call: Call) -> Doc:
    """List refunds, newest first."""
    return _list(call, "refund", "payment_intent", "charge")


@operation("GET", "/refunds/<id>")
def get_refund(call: Call) -> Doc:
    """Return one refund."""
    return _get(call, "refund", call.ids["id"], "refund")


@operation("GET", "/disputes", specs.LIST_DISPUTES)
def list_disputes(call: Call) -> Doc:
    """List disputes, newest first."""
    return _list(call, "dispute", "payment_intent", "charge")


@operation("GET", "/disputes/<id>")
def get_dispute(call: Call) -> Doc:
    """Return one dispute."""
    return _get(call, "dispute", call.ids["id"], "dispute")


@operation("GET", "/payouts", specs.LIST_PAYOUTS)
def list_payouts(call: Call) -> Doc:
    """List payouts, newest first."""
    query = expand.Query("payout")
    query.created(call.params.get("created"))
    arrival = call.params.get("arrival_date")
    query.created(arrival, "json_extract(doc, '$.arrival_date')")
    query.equal("status", call.params.get("status"))
    return expand.page(call.store, query, call.params, "/v1/payouts")


@operation("GET", "/payouts/<id>")
def get_payout(call: Call) -> Doc:
    """Return one payout."""
    return _get(call, "payout", call.ids["id"], "payout")


@operation("GET", "/events", specs.LIST_EVENTS)
def list_events(call: Call) -> Doc:
    """List what happened, newest first."""
    query = expand.Query("event")
    query.created(call.params.get("created"))
    types = [t.replace("*", "%") for t in call.params.get("types", [])]
    types += [call.params["type"].replace("*", "%")] if "type" in call.params else []
    if types:
        like = " OR ".join(["json_extract(doc, '$.type') LIKE ?"] * len(types))
        query.add(f"({like})", *types)
    delivered = call.params.get("delivery_success")
    if delivered is not None:
        query.add(f"json_extract(doc, '$.pending_webhooks') {'=' if delivered else '>'} 0")
    return expand.page(call.store, query, call.params, "/v1/events")


@operation("GET", "/events/<id>")
def get_event(call: Call) -> Doc:
    """Return one event."""
    return _get(call, "event", call.ids["id"], "id")


@operation("GET", "/webhook_endpoints", specs.LIST_PLAIN)
def list_webhook_endpoints(call: Call) -> Doc:
    """List the one endpoint there is."""
    endpoint = books.webhook_endpoint(call.store, call.box.courier.url, call.now)
    return expand.as_list([endpoint], "/v1/webhook_endpoints", False)


@operation("GET", "/webhook_endpoints/<id>")
def get_webhook_endpoint(call: Call) -> Doc:
    """Return the endpoint."""
    endpoint = books.webhook_endpoint(call.store, call.box.courier.url, call.now)
    if endpoint["id"] != call.ids["id"]:
        raise missing("webhook endpoint", call.ids["id"], param="webhook_endpoint")
    return endpoint


@operation("GET", "/balance_transactions", specs.LIST_TRANSACTIONS)
def list_balance_transactions(call: Call) -> Doc:
    """List the account's statement, newest first."""
    query = expand.Query("balance_transaction")
    query.created(call.params.get("created"))
    for field in ("source", "currency", "type"):
        query.equal(field, call.params.get(field))
    if "payout" in call.params:
        _get(call, "payout", call.params["payout"], "payout")
        query.add("json_extract(inner, '$.payout') = ?", call.params["payout"])
    return expand.page(call.store, query, call.params, "/v1/balance_transactions")


@operation("GET", "/balance_transactions/<id>")
def get_balance_transaction(call: Call) -> Doc:
    """Return one line of the statement."""
    return _get(call, "balance_transaction", call.ids["id"], "id")


@operation("GET", "/balance")
def get_balance(call: Call) -> Doc:
    """Return what the account holds; the cheapest way to see that Stripe is there."""
    return books.balance(call.store, call.now)
