"""What `regsys check` says about Stripe. The numbers are those of payments.md."""

from datetime import timedelta

import pytest

from regsys.kernel.settings import Settings
from regsys.payments import gateway
from regsys.payments.checks import EVENTS, _judge_endpoint, check
from regsys.payments.gateway import Endpoint
from regsys.payments.jobs import poll
from tests.payments.shop import Shop


def words(shop: Shop, settings: Settings) -> list[tuple[bool, str]]:
    shop.fresh()
    return [(fine, sentence) for fine, sentence, _ in check(settings)]


@pytest.fixture
def settings(settings: Settings) -> Settings:
    """Be at the address to which the stand-in delivers."""
    return settings.replace(BASE_URL="http://127.0.0.1:9")


def test_rule_07_everything_is_well(shop: Shop, settings: Settings) -> None:
    order = shop.order()
    session = shop.open(order)
    shop.pay(session)
    shop.deliver_all(session)
    found = words(shop, settings)
    assert found[0] == (True, "Stripe answers (test money).")
    assert found[1] == (True, "The webhook endpoint is enabled and gets what it needs.")
    assert found[-1] == (True, "The last event from Stripe came Tue 24 Nov 2026, 17:00 UTC.")


def test_rule_07_a_disabled_endpoint_is_found(shop: Shop, settings: Settings) -> None:
    shop.control.set_endpoint("disabled")
    try:
        assert (False, "The webhook endpoint is disabled.") in words(shop, settings)
    finally:
        shop.control.set_endpoint("enabled")


def test_rule_07_an_endpoint_that_is_not_there_is_found(shop: Shop, settings: Settings) -> None:
    elsewhere = settings.replace(BASE_URL="https://circle.example.org")
    sentence = "Stripe has no webhook endpoint for https://circle.example.org/webhooks/stripe."
    assert (False, sentence) in words(shop, elsewhere)


@pytest.mark.parametrize(
    ("version", "events", "sentence"),
    [
        ("2020-08-27", EVENTS, "speaks API version 2020-08-27"),
        (None, EVENTS, "speaks API version None"),
        ("", EVENTS[1:], "does not get checkout.session.completed."),
    ],
)
def test_rule_07_an_endpoint_with_the_wrong_version_or_events_is_found(
    shop: Shop, version: str | None, events: list[str], sentence: str
) -> None:
    spoken = gateway.api_version() if version == "" else version
    [(fine, said, advice)] = _judge_endpoint(Endpoint("https://x/", "enabled", spoken, events))
    assert not fine
    assert sentence in said
    assert advice


def test_rule_07_an_endpoint_for_all_events_is_enough() -> None:
    [(fine, _, _)] = _judge_endpoint(
        Endpoint("https://x/", "enabled", gateway.api_version(), ["*"])
    )
    assert fine


def test_rule_07_events_that_could_not_be_delivered_are_counted(
    shop: Shop, settings: Settings
) -> None:
    session = shop.open(shop.order())
    shop.control.pay(session)  # the delivery is kept back
    assert any("could not be delivered" in said for fine, said in words(shop, settings) if not fine)


def test_rule_07_silence_is_found(shop: Shop, settings: Settings) -> None:
    order = shop.order()
    shop.pay(shop.open(order))
    shop.clock.move(minutes=5)
    poll({})
    shop.clock.to(shop.clock.now + timedelta(minutes=11))
    [last] = [f for f in check(settings) if "No event has come" in f[1]]
    assert not last[0]
    assert "check the endpoint and its secret" in last[2]


def test_stripe_that_is_away_is_one_sentence_with_what_to_do(
    shop: Shop, settings: Settings
) -> None:
    shop.control.fail("get_balance", "500", times=3)
    fine, said, advice = check(settings)[0]
    assert (fine, said.startswith("Stripe cannot be asked: ")) == (False, True)
    assert advice == "Check the key and the network."


def test_a_missing_key_is_said(shop: Shop, settings: Settings) -> None:
    bare = settings.replace(STRIPE_SECRET_KEY="", STRIPE_API_BASE=None)
    [(fine, said, advice)] = check(bare)
    assert not fine
    assert "No Stripe key is set" in said
    assert "REGSYS_STRIPE_SECRET_KEY" in advice
