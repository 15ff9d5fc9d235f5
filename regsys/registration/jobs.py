"""The sweep: what lapsed is ended, and carts that nobody placed are forgotten."""

from collections.abc import Mapping
from typing import Any

from regsys.jobs.periodic import Handler, Periodic, for_each
from regsys.kernel import clock
from regsys.kernel.db import transaction
from regsys.registration import queries, services


def sweep(payload: Mapping[str, Any]) -> None:
    """End registrations whose hold is over, an order at a time, each in a transaction of its own."""
    now = clock.now()

    def expire(order_id: int) -> None:
        with transaction():
            services.expire_lapsed(order_id, now=now)

    for_each(queries.list_lapsed_order_ids(now=now), expire)


def forget(payload: Mapping[str, Any]) -> None:
    """Delete old carts that were never placed, with what was typed into them."""
    now = clock.now()

    def delete(order_id: int) -> None:
        with transaction():
            services.forget(order_id, now=now)

    for_each(queries.list_forgettable_order_ids(now=now), delete)


def delete_private(payload: Mapping[str, Any]) -> None:
    """Delete private answers some days after their event, as the form promised."""
    now = clock.now()

    def delete(event_id: int) -> None:
        with transaction():
            services.delete_private_answers(event_id, now=now)

    for_each(queries.list_ended_event_ids(now=now), delete)


def warn(payload: Mapping[str, Any]) -> None:
    """Warn the registrars of events for which too few people have come."""
    now = clock.now()

    def write(event_id: int) -> None:
        with transaction():
            services.warn_of_minimum(event_id, now=now)

    for_each(services.list_at_risk(now=now), write)


HANDLERS: dict[str, Handler] = {
    "registration.sweep": sweep,
    "registration.forget": forget,
    "registration.delete_private": delete_private,
    "registration.warn": warn,
}
PERIODIC = [
    Periodic("registration.sweep", every=30),
    Periodic("registration.forget", every=6 * 3600),
    Periodic("registration.delete_private", every=24 * 3600),
    Periodic("registration.warn", every=3600),
]
