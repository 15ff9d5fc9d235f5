"""Money that a person gave back by cheque, transfer or in cash."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("refund", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column(
                "method",
                sa.Enum(
                    "card",
                    "cheque",
                    "bank_transfer",
                    "cash",
                    name="method",
                    native_enum=False,
                    create_constraint=True,
                    length=40,
                ),
                server_default="card",
                nullable=False,
            )
        )
        batch_op.add_column(sa.Column("lowered", sa.Integer(), server_default="0", nullable=False))


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
