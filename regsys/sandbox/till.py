"""The one way in which a session is paid, from the page and from the controls."""

from regsys.sandbox import checkout, clockwork, faults
from regsys.sandbox.accounts import Account
from regsys.sandbox.box import Box, now
from regsys.sandbox.cards import Card
from regsys.sandbox.checkout import Attempt, Outcome, Wrong
from regsys.sandbox.events import Deliver
from regsys.sandbox.faults import Fault
from regsys.sandbox.objects import Payer
from regsys.sandbox.store import Store

PAY = "pay"  # the name of this operation for planned faults


def pay(box: Box, id: str, card: Card | Account, payer: Payer, deliver: Deliver) -> Outcome:
    """Try a card or an account on a session and let the notices go."""
    at = now()
    with box.store.unit():
        clockwork.catch_up(box.store, at)
    with box.store.unit():
        attempt = Attempt(card, payer, deliver, _wrong(box.store))
        outcome = checkout.pay_session(box.store, id, attempt, now=at, base_url=box.base_url)
    box.courier.wake()
    return outcome


def ask_back(box: Box, id: str) -> None:
    """Let the bank ask who pays."""
    with box.store.unit():
        checkout.ask_back(box.store, id, now())


def fail_proof(box: Box, id: str) -> Outcome:
    """Let the payer fail to prove who pays."""
    at = now()
    with box.store.unit():
        clockwork.catch_up(box.store, at)
    with box.store.unit():
        outcome = checkout.fail_proof(box.store, id, at)
    box.courier.wake()
    return outcome


def _wrong(store: Store) -> Wrong | None:
    fault = faults.take(store, PAY)
    if fault is None or fault.kind is not Fault.WRONG_AMOUNT:
        return None
    return Wrong(fault.detail.get("amount"), fault.detail.get("currency"))
