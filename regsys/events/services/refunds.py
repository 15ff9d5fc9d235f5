"""The refund rules of an event: a change counts for places that are taken from then on."""

from datetime import datetime

from regsys.events.services.editing import changing
from regsys.kernel.actors import Actor
from regsys.policies import services as policies
from regsys.policies.rules import Terms


def set_refunds(
    event_id: int,
    title: str,
    terms: Terms,
    *,
    version: int | None,
    actor: Actor,
    now: datetime,
) -> None:
    """Give an event these refund rules as the next version; whoever has a place keeps the version they have.

    Raises IllegalMove if somebody changed the event meanwhile.
    """
    with changing(event_id, "event.refunds_set", version=version, actor=actor, now=now) as (e, m):
        old = e.policy
        e.policy = policies.save_version(title, terms, before=old, actor=actor, now=now)
        e.policy_id = e.policy.id
        m["refund_rules"] = (old.body if old else None, e.policy.body)
