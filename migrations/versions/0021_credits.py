"""Credits: codes of one person, made of what was kept of their price."""

import sqlalchemy as sa
from alembic import op

revision = "0021"
down_revision = "0020"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("discount_code", schema=None) as batch_op:
        batch_op.add_column(sa.Column("email_key", sa.String(length=254), nullable=True))
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.add_column(sa.Column("credit_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_registration_credit_id_discount_code"),
            "discount_code",
            ["credit_id"],
            ["id"],
        )
        batch_op.create_unique_constraint(batch_op.f("uq_registration_credit_id"), ["credit_id"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
