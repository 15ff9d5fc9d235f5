"""What the verbs share: a host's lock, the places that are kept for it, and the audit."""

from collections.abc import Sequence
from datetime import datetime
from functools import partial

from sqlalchemy import delete, insert

from regsys.audit import services as audit
from regsys.capacity import services as capacity
from regsys.hosts import queries, rules
from regsys.hosts.models import Host, host_place
from regsys.hosts.queries import Table
from regsys.kernel.db import db, lock_rows
from regsys.registration.services import Person


def lock_table(event_id: int, *, now: datetime) -> Table:
    """Lock the host of an event, then read it with its seats; raise NotFound."""
    lock_rows(Host, [queries.get_host(event_id).id])
    return queries.get_table(event_id, now=now)


def coordinator_of(host: Host) -> Person:
    """Return the coordinator as whoever pays for the seats."""
    return Person(host.first_name, host.last_name, host.email)


def keep_places(
    host: Host, count: int, *, now: datetime, anew: bool = False, at_most: bool = False
) -> int:
    """Keep places for so many seats without a name, and not one more; raise Refused where too few are free.

    Returns for how many they are kept now. `anew`: what was kept before goes first, for it was kept for another kind of
    place or until another time. `at_most`: where too few are free, these are kept; the sweep adds others when they are.
    """
    claims = queries.list_claims(host.id, now=now)
    pools = queries.pools_of(host)
    # Where the kind of place draws on other pools by now, a seat is kept in all of them or in none.
    anew = anew or set(claims) != set(pools)
    stay = 0 if anew else min([count, *map(len, claims.values())])
    _let_go(host, [c for ids in claims.values() for c in ids[stay:]], now=now)
    kept = stay
    if count > stay and pools:
        until = rules.keep_until(host.event.starts_at, host.kept_until)
        held = capacity.hold(pools, count - stay, now=now, until=until, at_most=at_most)
        kept += len(held) // len(pools)
        if held:
            rows = [{"host_id": host.id, "claim_id": c} for c in held]
            db.session.execute(insert(host_place), rows)
    db.session.flush()
    return kept


def _let_go(host: Host, claim_ids: Sequence[int], *, now: datetime) -> None:
    capacity.let_go(claim_ids, now=now)
    mine = (host_place.c.host_id == host.id, host_place.c.claim_id.in_(claim_ids))
    db.session.execute(delete(host_place).where(*mine))


def refit(event_id: int, *, now: datetime, anew: bool = False, at_most: bool = False) -> None:
    """Keep as many places as there are seats without a name by now."""
    table = queries.get_table(event_id, now=now)
    keep_places(table.host, rules.target(table.facts, now), now=now, anew=anew, at_most=at_most)


record = partial(audit.record_about, kind="host")
