"""Where Stripe delivers its events: stored first, then processed together with their effects."""

import logging

from flask import Blueprint, request
from flask.typing import ResponseReturnValue

from regsys.kernel import clock, killpoints
from regsys.kernel.db import transaction
from regsys.payments import gateway, services
from regsys.payments.settle import process_event
from regsys.web.guard import public
from regsys.web.urls import settings

log = logging.getLogger(__name__)
payments_webhook = Blueprint("payments_webhook", __name__)

LARGEST = 512 * 1024  # bytes


@payments_webhook.post("/webhooks/stripe")
@public
def stripe() -> ResponseReturnValue:
    """Take one event. 2xx only when it needs no second delivery: processed, seen before, or none of ours."""
    known = settings()
    if not known.STRIPE_WEBHOOK_SECRET:
        return "no signing secret is set", 503
    request.max_content_length = LARGEST
    signature = request.headers.get("Stripe-Signature")
    try:
        notice = gateway.read_notice(request.get_data(), signature, known.STRIPE_WEBHOOK_SECRET)
    except gateway.BadSignature:
        return "not signed by Stripe", 400
    except ValueError as e:
        log.warning("a signed notice cannot be read: %s", e)
        return "not an event", 400
    if notice.livemode is not known.livemode:
        log.warning("event %s is of the other mode: ignored", notice.id)
        return "of the other mode", 200
    if notice.api_version != gateway.api_version():
        log.warning("event %s comes in API version %s", notice.id, notice.api_version)
    with transaction():
        is_new = services.receive(notice, now=clock.now())
    killpoints.reach("event-committed")
    if not is_new:
        return "seen before", 200
    return ("processed", 200) if process_event(notice.id, notice) else ("not processed yet", 500)
