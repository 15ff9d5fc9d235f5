"""What Stripe says, as plain facts: its objects read once, here, and nowhere else."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from regsys.payments.rules import REFUND_TAG, TAG, Notice, Session


@dataclass(frozen=True)
class StripeRefund:
    """A refund as Stripe tells it; the amount in Stripe's own units, `reason` why it waits or has failed."""

    id: str
    status: str
    amount: int
    tag: str | None
    reason: str = ""
    payment_intent: str | None = None
    charge: str | None = None
    why: str = ""


@dataclass(frozen=True)
class StripeDispute:
    """A dispute as Stripe tells it; the amount in Stripe's own units."""

    id: str
    status: str
    reason: str
    amount: int
    currency: str
    refundable: bool
    due_by: datetime | None
    opened_at: datetime
    payment_intent: str | None
    charge: str | None


@dataclass(frozen=True)
class Endpoint:
    """A webhook endpoint as Stripe knows it."""

    url: str
    status: str
    api_version: str | None
    events: Sequence[str]


def read_session(found: Any) -> Session:
    """Return a Checkout session's facts."""
    intent = found.payment_intent
    return Session(
        id=found.id,
        status=found.status or "",
        payment_status=found.payment_status,
        amount_total=found.amount_total,
        currency=found.currency,
        livemode=found.livemode,
        mode=found.mode,
        url=found.url,
        payment_intent=id_of(intent),
        tag=tag_of(found.metadata, TAG),
        fee=_fee(intent),
        charge=id_of(getattr(intent, "latest_charge", None)),
        intent_status=getattr(intent, "status", None),
    )


def read_refund(made: Any) -> StripeRefund:
    """Return a refund's facts."""
    return StripeRefund(
        id=made.id,
        status=made.status or "",
        amount=made.amount,
        tag=tag_of(made.metadata, REFUND_TAG),
        reason=getattr(made, "failure_reason", None) or getattr(made, "pending_reason", None) or "",
        payment_intent=id_of(made.payment_intent),
        charge=id_of(made.charge),
        why=getattr(made, "reason", None) or "",
    )


def read_dispute(found: Any) -> StripeDispute:
    """Return a dispute's facts."""
    due_by = getattr(found.evidence_details, "due_by", None)
    return StripeDispute(
        id=found.id,
        status=found.status,
        reason=found.reason,
        amount=found.amount,
        currency=found.currency.upper(),
        refundable=found.is_charge_refundable,
        due_by=datetime.fromtimestamp(due_by, UTC) if due_by else None,
        opened_at=datetime.fromtimestamp(found.created, UTC),
        payment_intent=id_of(found.payment_intent),
        charge=id_of(found.charge),
    )


def read_event(event: Any) -> Notice:
    """Return what is believed of an event; raise ValueError if it is none of the first API."""
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


def tag_of(metadata: Any, name: str) -> str | None:
    """Return our mark in the metadata of something."""
    return metadata[name] if metadata and name in metadata else None


def id_of(thing: Any) -> str | None:
    """Return the id of something that Stripe sent as an id or expanded."""
    return thing if isinstance(thing, str) or thing is None else str(thing.id)


def _fee(intent: Any) -> int | None:
    """Return the fee, where the whole chain down to the line in Stripe's books was sent."""
    charge = getattr(intent, "latest_charge", None)
    line = getattr(charge, "balance_transaction", None)
    return getattr(line, "fee", None)
