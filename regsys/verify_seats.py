"""The questions of `regsys verify` about places that are held without a name; the rules are those of verify_sql.py."""

from collections.abc import Sequence

from regsys.verify_check import Check

# A claim counts while nobody has released it and its end, if it has one, is to come.
LIVE = "c.released_at IS NULL AND (c.until IS NULL OR c.until > :now)"
KEPT = f"""
    SELECT k.host_id, c.pool_id, count(*) AS kept FROM host_place k JOIN claim c ON c.id = k.claim_id
    WHERE {LIVE} GROUP BY k.host_id, c.pool_id
"""

SEATS: Sequence[Check] = (
    Check(
        "no host has more seats than were agreed",
        # Late money may take a place whose seat is kept again already: the sweep lets that one go.
        f"""
        SELECT e.title AS event, h.organisation AS host, p.name AS pool, h.seats AS seats, n.kept AS kept,
               coalesce(m.named, 0) AS named
        FROM host h JOIN event e ON e.id = h.event_id JOIN ({KEPT}) n ON n.host_id = h.id
        JOIN pool p ON p.id = n.pool_id
        LEFT JOIN (SELECT r.event_id, count(*) AS named FROM registration r JOIN orders o ON o.id = r.order_id
                   WHERE o.source IN ('host', 'host_seat') AND r.state_at < :soon
                     AND r.state IN ('draft', 'awaiting_payment', 'confirmed') GROUP BY r.event_id) m
          ON m.event_id = h.event_id
        WHERE n.kept + coalesce(m.named, 0) > h.seats ORDER BY h.id, p.id
        """,
        "%(host)s has %(seats)s seats in '%(event)s': %(named)s have a name, and %(kept)s are kept in the pool "
        "'%(pool)s'.",
        "Save what was agreed with the host once more: what is kept is counted anew.",
    ),
    Check(
        "every seat that is kept holds a place in each pool of its kind",
        f"""
        SELECT e.title AS event, h.organisation AS host, p.name AS pool, x.most AS kept,
               coalesce(n.kept, 0) AS held
        FROM host h JOIN event e ON e.id = h.event_id
        JOIN ticket_type_pool t ON t.ticket_type_id = h.ticket_type_id
        JOIN pool p ON p.id = t.pool_id
        JOIN (SELECT q.host_id, max(q.kept) AS most FROM ({KEPT}) q GROUP BY q.host_id) x ON x.host_id = h.id
        LEFT JOIN ({KEPT}) n ON n.host_id = h.id AND n.pool_id = p.id
        WHERE coalesce(n.kept, 0) <> x.most ORDER BY h.id, p.id
        """,
        "%(kept)s seats of %(host)s in '%(event)s' are kept, and %(held)s of them in the pool '%(pool)s'.",
        "Save what was agreed with the host once more. Where that is refused, raise the size of the pool first.",
    ),
    Check(
        "no place is held for nobody",
        f"""
        SELECT coalesce(e.title, p.name) AS event, p.name AS pool, c.id AS claim
        FROM claim c JOIN pool p ON p.id = c.pool_id LEFT JOIN event e ON e.id = p.event_id
        WHERE c.registration_id IS NULL AND {LIVE}
          AND NOT EXISTS (SELECT 1 FROM host_place k WHERE k.claim_id = c.id)
          AND NOT EXISTS (SELECT 1 FROM waitlist_place w WHERE w.claim_id = c.id) ORDER BY c.id
        """,
        "Claim %(claim)s in '%(event)s' holds a place of the pool '%(pool)s', and nobody knows for whom.",
        "One place too few is sold. Ask whoever runs this site to release the claim.",
    ),
)
