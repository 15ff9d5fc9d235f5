"""Notices: signed, in every wrong order, and never lost by a kill."""

import json
import signal
import time
from typing import Any

import pytest
import requests
import stripe

from tests.sandbox.conftest import order
from tests.sandbox.control import Sandbox, SandboxControl
from tests.sandbox.receiver import Receiver

COMPLETED = "checkout.session.completed"


def about(receiver: Receiver, session: Any, type: str = COMPLETED) -> list[dict[str, Any]]:
    return [
        e for e in receiver.events if e["type"] == type and e["data"]["object"]["id"] == session.id
    ]


def event_of(control: SandboxControl, session: Any) -> str:
    found = [e for e in control.events(COMPLETED) if e["data"]["object"]["id"] == session.id]
    return str(found[-1]["id"])


def test_notice_carries_the_whole_session_and_a_good_signature(
    sandbox: Sandbox, control: SandboxControl, receiver: Receiver, session: Any
) -> None:
    control.pay(session.id)
    control.wait_delivered(event_of(control, session))
    (event,) = about(receiver, session)
    assert event["data"]["object"]["amount_total"] == 92000
    body, signature = next(b for b in receiver.bodies if session.id.encode() in b[0])
    read = stripe.Webhook.construct_event(body.decode(), signature, sandbox.webhook_secret)  # type: ignore[no-untyped-call]
    assert read.id == event["id"]
    with pytest.raises(stripe.SignatureVerificationError):
        stripe.Webhook.construct_event(body.decode(), signature, "whsec_other")  # type: ignore[no-untyped-call]


def test_twice_means_twice_the_same_event(
    control: SandboxControl, receiver: Receiver, session: Any
) -> None:
    control.pay(session.id, deliver="twice")
    event = event_of(control, session)
    deadline = time.monotonic() + 5
    while len(about(receiver, session)) < 2 and time.monotonic() < deadline:
        time.sleep(0.01)
    assert [e["id"] for e in about(receiver, session)] == [event, event]


def test_never_and_late_stay_away(
    client: stripe.StripeClient, control: SandboxControl, receiver: Receiver
) -> None:
    made = [client.v1.checkout.sessions.create(order()) for _ in range(3)]
    for session, how in zip(made, ("never", "late", "normally"), strict=True):
        control.pay(session.id, deliver=how)
    control.wait_delivered(event_of(control, made[2]))
    assert about(receiver, made[0]) == about(receiver, made[1]) == []
    assert control.deliveries(event_of(control, made[0])) == []
    (late,) = control.deliveries(event_of(control, made[1]))
    assert 590 < late["due"] - time.time() < 610


def test_late_comes_when_the_clock_has_moved(own: Sandbox, own_receiver: Receiver) -> None:
    session = own.client().v1.checkout.sessions.create(order())
    own.control.pay(session.id, deliver="late")
    own.shift(601)
    own.control.wait_delivered(event_of(own.control, session))
    assert len(about(own_receiver, session)) == 1


def test_out_of_order_tells_the_refund_first(
    client: stripe.StripeClient, control: SandboxControl, receiver: Receiver, session: Any
) -> None:
    intent = control.pay(session.id, deliver="out_of_order")["session"]["payment_intent"]
    refund = client.v1.refunds.create({"payment_intent": intent})
    control.wait_delivered(event_of(control, session))
    mine = [
        e["type"]
        for e in receiver.events
        if session.id in str(e) or refund.id in str(e) or intent in str(e["data"]["object"])
    ]
    assert set(mine) == {COMPLETED, "refund.created", "charge.refunded", "refund.updated"}
    assert mine[-1] == COMPLETED


def test_unthanked_notice_comes_again(
    client: stripe.StripeClient, control: SandboxControl, receiver: Receiver, session: Any
) -> None:
    control.hold()
    control.pay(session.id)
    time.sleep(0.4)
    assert about(receiver, session) == []
    receiver.answers.extend([500])
    control.hold(False)
    delivery = control.wait_delivered(event_of(control, session))
    assert delivery["tries"] == 2
    assert client.v1.events.retrieve(delivery["event"]).pending_webhooks == 0


def test_by_hand_in_any_order_any_number_and_forged(
    client: stripe.StripeClient, control: SandboxControl, receiver: Receiver
) -> None:
    made = [client.v1.checkout.sessions.create(order()) for _ in range(2)]
    control.hold()
    for session in made:
        control.pay(session.id)
    second, first = (event_of(control, s) for s in made)
    before = len(receiver.bodies)
    sent = control.deliver(first, second, times=2)
    assert [(s["event"], s["code"]) for s in sent] == [
        (first, 200),
        (first, 200),
        (second, 200),
        (second, 200),
    ]
    control.deliver(first, patch={"data": {"object": {"metadata": {"attempt": "8"}}}}, offset=-301)
    control.deliver(first, first, first, parallel=True, secret="whsec_forged_forged_")
    assert len(receiver.bodies) == before + 8
    forged = receiver.events[-4]
    assert forged["data"]["object"]["metadata"] == {"attempt": "8"}
    assert forged["data"]["object"]["amount_total"] == 92000
    old = int(receiver.bodies[-4][1].split(",")[0].removeprefix("t="))
    assert 300 < time.time() - old < 310
    control.hold(False)
    time.sleep(0.4)
    ours = [b for b, _ in receiver.bodies[before:] if json.loads(b)["id"] in (first, second)]
    assert len(ours) == 8, "what was sent by hand must not come again"


def test_made_up_event(control: SandboxControl, receiver: Receiver, session: Any) -> None:
    event = control.emit("checkout.session.expired", session.id)
    (sent,) = control.deliver(event["id"])
    assert sent["code"] == 200
    assert len(about(receiver, session, "checkout.session.expired")) == 1


def test_disabled_endpoint_is_not_told(
    control: SandboxControl, receiver: Receiver, session: Any
) -> None:
    control.set_endpoint("disabled")
    control.pay(session.id)
    control.set_endpoint("enabled")
    assert control.deliveries(event_of(control, session)) == []


def test_what_was_due_survives_a_kill(own: Sandbox, own_receiver: Receiver) -> None:
    session = own.client().v1.checkout.sessions.create(order())
    own.control.hold()
    own.control.pay(session.id)
    own.stop(signal.SIGKILL)
    own.start()
    own.control.hold(False)
    own.control.wait_delivered(event_of(own.control, session))
    assert len(about(own_receiver, session)) == 1


def test_time_ends_a_session_and_says_so(own: Sandbox, own_receiver: Receiver) -> None:
    client = own.client()
    session = client.v1.checkout.sessions.create(order(expires_at=int(time.time()) + 35 * 60))
    own.shift(35 * 60 + 1)
    assert client.v1.checkout.sessions.retrieve(session.id).status == "expired"
    assert requests.post(str(session.url), {"play": "pay"}, timeout=5).status_code == 410
    other = client.v1.checkout.sessions.create(order())
    own.shift(25 * 3600)
    told = own_receiver.wait("checkout.session.expired", 2)
    assert [e["data"]["object"]["id"] for e in told] == [session.id, other.id]
