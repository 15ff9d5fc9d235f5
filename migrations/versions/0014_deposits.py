"""Deposits, and a link for somebody else who pays the rest."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.crypt import SealedText
from regsys.kernel.db import UtcDateTime

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.add_column(sa.Column("deposit", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("rest_at", UtcDateTime(), nullable=True))
        batch_op.create_check_constraint(
            batch_op.f("ck_registration_deposit_positive"), "deposit > 0"
        )
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("share_hash", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("share_token", SealedText(), nullable=True))
        batch_op.create_unique_constraint(batch_op.f("uq_orders_share_hash"), ["share_hash"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
