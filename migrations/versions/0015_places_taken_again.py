"""What comes back if a place is taken again."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.db import UtcDateTime

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refill_promise",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("taken_by_id", sa.Integer(), nullable=True),
        sa.Column("amount", sa.Integer(), nullable=False),
        sa.Column("reason", sa.String(length=500), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("kept_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint("amount > 0", name=op.f("ck_refill_promise_amount_positive")),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_refill_promise_registration_id_registration"),
        ),
        sa.ForeignKeyConstraint(
            ["taken_by_id"],
            ["registration.id"],
            name=op.f("fk_refill_promise_taken_by_id_registration"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refill_promise")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_refill_promise_registration_id")),
        sa.UniqueConstraint("taken_by_id", name=op.f("uq_refill_promise_taken_by_id")),
    )


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
