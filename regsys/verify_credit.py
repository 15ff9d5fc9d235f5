"""The questions of `regsys verify` about credits; the rules are those of verify_sql.py. No code is told."""

from collections.abc import Sequence

from regsys.verify_check import Check

# What of a credit is used: what lapsed unpaid uses nothing.
USED = """
    SELECT u.code_id, sum(u.credit_used) AS used FROM registration u
    WHERE u.state <> 'expired' GROUP BY u.code_id
"""
GIVEN = """
    SELECT l.registration_id, sum(l.amount) AS kept FROM order_line l GROUP BY l.registration_id
"""

CREDIT: Sequence[Check] = (
    Check(
        "no credit pays more than it was given",
        f"""
        SELECT r.code AS registration, e.title AS event, d.currency AS currency, d.amount AS money_given,
               n.used AS money_used
        FROM discount_code d JOIN ({USED}) n ON n.code_id = d.id
        JOIN registration r ON r.credit_id = d.id JOIN event e ON e.id = r.event_id
        WHERE d.email_key IS NOT NULL AND n.used > d.amount ORDER BY d.id
        """,
        "The credit of registration %(registration)s in '%(event)s' was given %(money_given)s, and %(money_used)s of "
        "it are used.",
        "Somebody used it twice. End it on the page of the credits, and write to the person.",
    ),
    Check(
        "every credit is made of what was kept",
        f"""
        SELECT r.code AS registration, e.title AS event, d.currency AS currency, d.amount AS money_given,
               coalesce(k.kept, 0) + r.credit_used AS money_kept
        FROM discount_code d JOIN registration r ON r.credit_id = d.id JOIN event e ON e.id = r.event_id
        LEFT JOIN ({GIVEN}) k ON k.registration_id = r.id
        LEFT JOIN ({USED}) n ON n.code_id = d.id
        WHERE CASE WHEN d.ended_at IS NULL THEN d.amount ELSE coalesce(n.used, 0) END
              > coalesce(k.kept, 0) + r.credit_used ORDER BY d.id
        """,
        "Registration %(registration)s in '%(event)s' has a credit of %(money_given)s, and %(money_kept)s of what was "
        "paid are kept.",
        "The same money went back and counts as a credit. End the credit on its page, or ask for the difference.",
    ),
    Check(
        "what a credit pays has lowered the price",
        """
        SELECT r.code AS registration, e.title AS event, e.currency AS currency, r.credit_used AS money_used,
               coalesce(n.off, 0) AS money_off
        FROM registration r JOIN event e ON e.id = r.event_id
        LEFT JOIN discount_code d ON d.id = r.code_id AND d.email_key IS NOT NULL
        LEFT JOIN (SELECT l.registration_id, -sum(l.amount) AS off FROM order_line l
                   WHERE l.kind = 'discount' GROUP BY l.registration_id) n ON n.registration_id = r.id
        WHERE r.state IN ('draft', 'awaiting_payment', 'confirmed')
          AND NOT EXISTS (SELECT 1 FROM hand_over h WHERE h.successor_id = r.id)
          AND r.credit_used <> CASE WHEN d.id IS NULL THEN 0 ELSE coalesce(n.off, 0) END ORDER BY r.id
        """,
        "Registration %(registration)s in '%(event)s' uses %(money_used)s of a credit, and a code lowers its price by "
        "%(money_off)s.",
        "Compare with the confirmation that was mailed; then mend what is used of the credit.",
    ),
)
