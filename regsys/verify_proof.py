"""The proof of `regsys verify`: what was counted, in lines, one for each row of an answer."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regsys.verify_sql import COUNTED, LIVE, MOVED

Facts = Mapping[str, Any]


@dataclass(frozen=True)
class Proof:
    """A question whose every row is a line of the proof."""

    title: str
    sql: str
    sentence: Callable[[Facts], str]


def _places(row: Facts) -> str:
    if not row["sized"]:
        return (
            f"{row['live']} places in '{row['event']}' ({row['pool']}, without limit): {_who(row)}."
        )
    of = f"{row['live']} of {row['size']} places"
    return f"{of} in '{row['event']}' ({row['pool']}): {_who(row)}."


def _who(row: Facts) -> str:
    return f"{row['confirmed']} confirmed, {row['live'] - row['confirmed']} held"


def _money(row: Facts) -> str:
    return (
        f"{row['payments']} payments brought {row['money_came']}, {row['money_given']} of it "
        f"went back in {row['refunds']} refunds; "
        f"{row['money_aside']} stand aside until somebody has looked."
    )


def _open(row: Facts) -> str:
    return (
        f"{row['orders']} orders have confirmed places that nobody was asked to pay by card: "
        f"{row['money_due']} are still to come by invoice, cheque or transfer."
    )


def _mail(row: Facts) -> str:
    return (
        f"{row['confirmed']} confirmations and {row['cancelled']} cancellations, each with its one letter; "
        f"{row['sent']} letters sent, {row['waiting']} wait, {row['odd']} failed or are uncertain."
    )


PROOFS: Sequence[Proof] = (
    Proof(
        "places",
        f"""
        SELECT e.title AS event, p.name AS pool, p.sized AS sized, coalesce(s.size, 0) AS size,
               coalesce(n.live, 0) AS live, coalesce(n.confirmed, 0) AS confirmed
        FROM pool p JOIN event e ON e.id = p.event_id
        LEFT JOIN (SELECT pool_id, count(*) AS size FROM place GROUP BY pool_id) s ON s.pool_id = p.id
        LEFT JOIN (SELECT c.pool_id, count(*) AS live,
                          sum(CASE WHEN r.state = 'confirmed' THEN 1 ELSE 0 END) AS confirmed
                   FROM claim c LEFT JOIN registration r ON r.id = c.registration_id
                   WHERE {LIVE} GROUP BY c.pool_id) n ON n.pool_id = p.id
        ORDER BY e.starts_at, e.id, p.id
        """,
        _places,
    ),
    Proof(
        "money",
        f"""
        SELECT y.currency AS currency, count(*) AS payments, sum(y.amount) AS money_came,
               coalesce(sum(g.given), 0) AS money_given, coalesce(sum(g.times), 0) AS refunds,
               sum(CASE WHEN y.problem IS NOT NULL THEN y.amount - coalesce(g.given, 0) ELSE 0 END)
                 AS money_aside
        FROM payment y
        LEFT JOIN (SELECT f.payment_id, sum(f.amount) AS given, count(*) AS times FROM refund f
                   WHERE {COUNTED} GROUP BY f.payment_id) g ON g.payment_id = y.id
        WHERE coalesce(y.problem, '') <> 'mistake'
        GROUP BY y.currency ORDER BY y.currency
        """,
        _money,
    ),
    Proof(
        "money that is known to be open",
        f"""
        SELECT o.currency AS currency, count(*) AS orders,
               sum(t.total - coalesce(p.paid, 0) + coalesce(g.given, 0)) AS money_due
        FROM orders o
        JOIN (SELECT l.order_id, sum(l.amount) AS total FROM order_line l GROUP BY l.order_id) t
          ON t.order_id = o.id
        LEFT JOIN (SELECT order_id, sum(amount) AS paid FROM payment WHERE problem IS NULL
                   GROUP BY order_id) p ON p.order_id = o.id
        LEFT JOIN (SELECT y.order_id, sum(f.amount) AS given FROM refund f
                   JOIN payment y ON y.id = f.payment_id
                   WHERE y.problem IS NULL AND {COUNTED} GROUP BY y.order_id) g ON g.order_id = o.id
        WHERE EXISTS (SELECT 1 FROM registration r WHERE r.order_id = o.id AND r.state = 'confirmed')
          AND NOT EXISTS (SELECT 1 FROM payment_attempt a WHERE a.order_id = o.id)
          AND t.total > coalesce(p.paid, 0) - coalesce(g.given, 0)
        GROUP BY o.currency ORDER BY o.currency
        """,
        _open,
    ),
    Proof(
        "mail",
        f"""
        SELECT (SELECT count(*) FROM audit_entry a WHERE a.action = 'registration.confirmed' AND {MOVED})
                 AS confirmed,
               (SELECT count(*) FROM audit_entry a WHERE a.action = 'registration.cancelled' AND {MOVED})
                 AS cancelled,
               coalesce(sum(CASE WHEN m.state = 'sent' THEN 1 ELSE 0 END), 0) AS sent,
               coalesce(sum(CASE WHEN m.state IN ('queued', 'sending') THEN 1 ELSE 0 END), 0) AS waiting,
               coalesce(sum(CASE WHEN m.state IN ('failed', 'uncertain') THEN 1 ELSE 0 END), 0) AS odd
        FROM message m
        """,
        _mail,
    ),
)
