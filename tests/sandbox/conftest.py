"""One stand-in for all tests of this folder that do not kill it or move its clock."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import stripe

from tests.sandbox.control import Sandbox, SandboxControl, running_sandbox
from tests.sandbox.receiver import Receiver


def order(**changes: Any) -> Any:
    """Return parameters of a good session."""
    line = {
        "quantity": 1,
        "price_data": {
            "currency": "usd",
            "unit_amount": 92000,
            "product_data": {
                "name": "Leadership Training Intensive, Spokane 2027",
                "description": "Standard place, early price · Lysander Saltmarsh",
            },
        },
    }
    return {
        "mode": "payment",
        "line_items": [line],
        "success_url": "http://site.test/paid?session_id={CHECKOUT_SESSION_ID}",
        "cancel_url": "http://site.test/back",
        "customer_email": "lysander.saltmarsh@example.org",
        "client_reference_id": "EBC-1007",
        "metadata": {"attempt": "7"},
        "payment_intent_data": {"metadata": {"attempt": "7"}, "description": "EBC-1007"},
        "allowed_payment_method_types": ["card"],
        "submit_type": "book",
        **changes,
    }


@pytest.fixture(scope="session")
def receiver() -> Iterator[Receiver]:
    """Listen as the product would."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def own_receiver() -> Iterator[Receiver]:
    """Listen for one test."""
    receiver = Receiver()
    yield receiver
    receiver.close()


@pytest.fixture
def own(own_receiver: Receiver, tmp_path: Path) -> Iterator[Sandbox]:
    """Run a stand-in for one test, to be killed or moved in time; its data folder is `own.data`."""
    with running_sandbox(tmp_path, own_receiver.url) as sandbox:
        yield sandbox


@pytest.fixture(scope="session")
def shared(receiver: Receiver, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Sandbox]:
    """Run one stand-in for the session."""
    with running_sandbox(tmp_path_factory.mktemp("sandbox"), receiver.url) as sandbox:
        yield sandbox


@pytest.fixture
def sandbox(shared: Sandbox, receiver: Receiver) -> Iterator[Sandbox]:
    """Give the stand-in without leftovers of the test before."""
    yield shared
    shared.control.clear_faults()
    shared.control.hold(False)
    receiver.answers.clear()


@pytest.fixture
def control(sandbox: Sandbox) -> SandboxControl:
    """Give the hidden controls."""
    return sandbox.control


@pytest.fixture(scope="session")
def http_client() -> Iterator[stripe.RequestsClient]:
    """Share the SDK's connections."""
    client = stripe.RequestsClient(timeout=(3, 10))
    yield client
    client.close()


@pytest.fixture
def client(sandbox: Sandbox, http_client: stripe.RequestsClient) -> stripe.StripeClient:
    """Give the real SDK."""
    return sandbox.client(http_client)


@pytest.fixture
def session(client: stripe.StripeClient) -> Any:
    """Give an open session."""
    return client.v1.checkout.sessions.create(order())
