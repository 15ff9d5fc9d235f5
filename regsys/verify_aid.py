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
)
