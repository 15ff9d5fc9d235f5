"""Moving to another event."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.add_column(sa.Column("moved_from_id", sa.Integer(), nullable=True))
        batch_op.add_column(
            sa.Column("times_moved", sa.Integer(), server_default=sa.text("0"), nullable=False)
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_registration_moved_from_id_registration"),
            "registration",
            ["moved_from_id"],
            ["id"],
        )


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
