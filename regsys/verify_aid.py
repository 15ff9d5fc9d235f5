"""The questions of `regsys verify` about help with the fee; the rules are those of verify_sql.py. No name is told."""

from collections.abc import Sequence

from regsys.verify_check import Check

AID: Sequence[Check] = (
    Check(
        "no fund has given more than its budget",
        """
        SELECT f.name AS fund, f.currency AS currency, f.budget AS money_budget, sum(q.amount) AS money_given
        FROM aid_fund f JOIN aid_request q ON q.fund_id = f.id
        WHERE q.state IN ('awarded', 'used')
        GROUP BY f.id, f.name, f.currency, f.budget HAVING sum(q.amount) > f.budget ORDER BY f.id
        """,
        "The fund '%(fund)s' holds %(money_budget)s, and %(money_given)s of it are given or kept for somebody.",
        "Raise its budget, or speak with the committee about the newest request.",
    ),
    Check(
        "every award that counts has lowered its price",
        """
        SELECT q.id AS request, f.name AS fund, f.currency AS currency, coalesce(q.amount, 0) AS money_given,
               coalesce(n.off, 0) AS money_off
        FROM aid_request q JOIN aid_fund f ON f.id = q.fund_id
        JOIN registration r ON r.id = q.registration_id
        LEFT JOIN (SELECT l.registration_id, -sum(l.amount) AS off FROM order_line l
                   WHERE l.kind = 'award' GROUP BY l.registration_id) n ON n.registration_id = r.id
        WHERE q.state IN ('awarded', 'used') AND r.state IN ('awaiting_payment', 'confirmed')
          AND coalesce(n.off, 0) <> coalesce(q.amount, 0) ORDER BY q.id
        """,
        "Request %(request)s of the fund '%(fund)s' was awarded %(money_given)s, and its price is lowered by "
        "%(money_off)s.",
        "Somebody pays another price than they were told. Ask the committee to compare, then mend the line.",
    ),
    Check(
        "no price is lowered by help that nobody has",
        """
        SELECT r.code AS registration, e.title AS event, o.currency AS currency, -sum(l.amount) AS money_off
        FROM registration r JOIN order_line l ON l.registration_id = r.id AND l.kind = 'award'
        JOIN orders o ON o.id = r.order_id JOIN event e ON e.id = r.event_id
        WHERE r.state IN ('awaiting_payment', 'confirmed') AND NOT EXISTS (
          SELECT 1 FROM aid_request q WHERE q.state IN ('awarded', 'used')
            AND (q.registration_id = r.id OR q.registration_id = r.moved_from_id))
        GROUP BY r.id, r.code, e.title, o.currency HAVING sum(l.amount) <> 0 ORDER BY r.id
        """,
        "The price of %(registration)s in '%(event)s' is adjusted by %(money_off)s, and no fund gives it.",
        "Ask the treasurer to compare, then mend the line.",
    ),
)
