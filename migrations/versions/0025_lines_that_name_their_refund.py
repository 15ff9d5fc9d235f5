"""A line of the price names the refund with which it came off."""

import sqlalchemy as sa
from alembic import op

revision = "0025"
down_revision = "0024"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("order_line", schema=None) as batch_op:
        batch_op.add_column(sa.Column("refund_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_order_line_refund_id_refund"), "refund", ["refund_id"], ["id"]
        )
        batch_op.create_index(batch_op.f("ix_order_line_refund_id"), ["refund_id"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
