"""Credits that are used up in parts: how much each place uses, what goes back to them, and why one was ended."""

import sqlalchemy as sa
from alembic import op

revision = "0027"
down_revision = "0026"
branch_labels = None
depends_on = None

CREDITS = "SELECT pool_id FROM discount_code WHERE email_key IS NOT NULL"
# As it was until now: used up by any place that was confirmed, unless its event was called off.
USED = """
    UPDATE registration SET credit_used = coalesce((
        SELECT -sum(l.amount) FROM order_line l
        WHERE l.registration_id = registration.id AND l.kind = 'discount'), 0)
    WHERE code_id IN (SELECT id FROM discount_code WHERE email_key IS NOT NULL)
      AND (confirmed_at IS NOT NULL OR state IN ('draft', 'awaiting_payment'))
      AND event_id NOT IN (SELECT id FROM event WHERE state = 'cancelled')
"""


def upgrade() -> None:
    with op.batch_alter_table("discount_code", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "end_reason", sa.String(length=300), server_default=sa.text("''"), nullable=False
            )
        )
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("credit_used", sa.Integer(), server_default=sa.text("0"), nullable=False)
        )
        batch_op.create_check_constraint(
            "credit_used_of_code",
            "credit_used = 0 OR (credit_used > 0 AND code_id IS NOT NULL)",
        )
    with op.batch_alter_table("refill_promise", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("credit", sa.Integer(), server_default=sa.text("0"), nullable=False)
        )
        batch_op.drop_constraint(batch_op.f("ck_refill_promise_amount_positive"), type_="check")
        batch_op.create_check_constraint(
            "amount_positive", "amount >= 0 AND credit >= 0 AND amount + credit > 0"
        )
    op.execute(USED)
    op.execute(f"UPDATE pool SET sized = false WHERE id IN ({CREDITS})")
    op.execute(
        "UPDATE claim SET sized = false, last_number = coalesce(number, last_number), number = NULL"
        f" WHERE pool_id IN ({CREDITS})"
    )
    op.execute(f"DELETE FROM place WHERE pool_id IN ({CREDITS})")


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
