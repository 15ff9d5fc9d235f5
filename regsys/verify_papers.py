"""The questions of `regsys verify` about receipts, invoices and credit notes; the rules are those of verify_sql.py."""

from collections.abc import Sequence

from regsys.verify_check import Check

NAME = (
    "CASE d.kind WHEN 'receipt' THEN 'R-' WHEN 'invoice' THEN 'INV-' ELSE 'CN-' END "
    "|| d.year || '-' || d.number"
)
WHOLE = "Nobody can have changed it from inside. Restore the row from a backup, and ask who has access to the database."

PAPERS: Sequence[Check] = (
    Check(
        "numbers of papers have no gap",
        """
        SELECT d.kind AS kind, d.year AS year, count(*) AS papers, max(d.number) AS newest,
               coalesce(max(n.last), 0) AS given
        FROM document d
        LEFT JOIN document_number n ON n.kind = d.kind AND n.year = d.year
        GROUP BY d.kind, d.year
        HAVING count(*) <> max(d.number) OR max(d.number) <> coalesce(max(n.last), 0)
        ORDER BY d.kind, d.year
        """,
        "Of %(kind)s there are %(papers)s in %(year)s, the newest is number %(newest)s, and %(given)s were given.",
        WHOLE,
    ),
    Check(
        "the lines of every paper make its total",
        f"""
        SELECT {NAME} AS paper, o.code AS order_code, d.currency AS currency, d.total AS money_total,
               coalesce(l.lines, 0) AS money_lines
        FROM document d JOIN orders o ON o.id = d.order_id
        LEFT JOIN (SELECT document_id, sum(amount) AS lines FROM document_line GROUP BY document_id) l
          ON l.document_id = d.id
        WHERE coalesce(l.lines, 0) <> d.total ORDER BY d.id
        """,
        "%(paper)s of order %(order_code)s says %(money_total)s, and its lines add up to %(money_lines)s.",
        WHOLE,
    ),
    Check(
        "every paper names the price that the order had then",
        f"""
        SELECT {NAME} AS paper, o.code AS order_code, d.currency AS currency,
               p.price AS money_paper, coalesce(sum(l.amount), 0) AS money_order
        FROM document d JOIN orders o ON o.id = d.order_id
        JOIN (SELECT document_id, sum(amount) AS price FROM document_line WHERE of_price
              GROUP BY document_id) p ON p.document_id = d.id
        LEFT JOIN order_line l ON l.order_id = d.order_id AND l.id <= d.through_line
        GROUP BY d.id, d.kind, d.year, d.number, o.code, d.currency, p.price
        HAVING p.price <> coalesce(sum(l.amount), 0) ORDER BY d.id
        """,
        "%(paper)s says that order %(order_code)s cost %(money_paper)s, and its lines of then say %(money_order)s.",
        "A line of the price was changed afterwards. Compare the paper with the order, and mend the line.",
    ),
    Check(
        "every receipt is for a payment that counts, in its amount",
        f"""
        SELECT {NAME} AS paper, o.code AS order_code, d.currency AS currency, d.total AS money_paper,
               coalesce(y.amount, 0) AS money_payment
        FROM document d JOIN orders o ON o.id = d.order_id
        LEFT JOIN payment y ON d.cause = 'payment:' || y.id
        WHERE d.cause LIKE 'payment:%'
          AND (y.id IS NULL OR y.amount <> d.total OR y.order_id <> d.order_id
               OR (y.problem IS NOT NULL
                   AND NOT EXISTS (SELECT 1 FROM document v WHERE v.cause = 'void:' || d.id)))
        ORDER BY d.id
        """,
        "%(paper)s of order %(order_code)s says that %(money_paper)s came, and our payment says %(money_payment)s, "
        "or does not count.",
        "Look at the order's payments; if the money is not there, make the receipt void by a credit note.",
    ),
    Check(
        "every credit note about a refund agrees with it",
        f"""
        SELECT {NAME} AS paper, o.code AS order_code, d.currency AS currency, d.total AS money_paper,
               coalesce(f.amount, 0) AS money_refund
        FROM document d JOIN orders o ON o.id = d.order_id
        LEFT JOIN refund f ON d.cause = 'refund:' || f.id
        WHERE d.cause LIKE 'refund:%' AND (f.id IS NULL OR f.amount <> d.total) ORDER BY d.id
        """,
        "%(paper)s of order %(order_code)s says that %(money_paper)s went back, and our refund says %(money_refund)s.",
        "Look at the order's refunds, and at Stripe's dashboard.",
    ),
    Check(
        "every invoice is open, or closed by its credit note",
        f"""
        SELECT {NAME} AS paper, o.code AS order_code, i.state AS state
        FROM invoice i JOIN document d ON d.id = i.document_id JOIN orders o ON o.id = i.order_id
        LEFT JOIN document v ON v.cause = 'void:' || d.id
        LEFT JOIN document w ON w.cause = 'writeoff:' || i.id
        WHERE (i.state = 'open' AND (v.id IS NOT NULL OR w.id IS NOT NULL))
           OR (i.state = 'cancelled' AND v.id IS NULL) OR (i.state = 'written_off' AND w.id IS NULL)
           OR d.order_id <> i.order_id
        ORDER BY i.id
        """,
        "Invoice %(paper)s of order %(order_code)s is %(state)s, and its credit notes say something else.",
        "Open the invoice in the workspace, and compare it with the papers of its order.",
    ),
)
