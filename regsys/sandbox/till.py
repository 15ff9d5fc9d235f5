"""The one way in which a session is paid, from the page and from the controls."""

from regsys.sandbox import checkout, faults
from regsys.sandbox.box import Box, now
from regsys.sandbox.cards import Card
from regsys.sandbox.checkout import Attempt, Outcome, Wrong
from regsys.sandbox.events import Deliver
from regsys.sandbox.faults import Fault
from regsys.sandbox.objects import Payer
from regsys.sandbox.store import Store

PAY = "pay"  # the name of this operation for planned faults


def pay(box: Box, id: str, card: Card, payer: Payer, deliver: Deliver) -> Outcome:
    """Try a card on a session and let the notices go."""
    at = now()
    with box.store.unit():
        checkout.expire_due(box.store, at)
    with box.store.unit():
        attempt = Attempt(card, payer, deliver, _wrong(box.store))
        outcome = checkout.pay_session(box.store, id, attempt, now=at, base_url=box.base_url)
    box.courier.wake()
    return outcome


def _wrong(store: Store) -> Wrong | None:
    fault = faults.take(store, PAY)
    if fault is None or fault.kind is not Fault.WRONG_AMOUNT:
        return None
    return Wrong(fault.detail.get("amount"), fault.detail.get("currency"))
