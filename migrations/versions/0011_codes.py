"""Codes that lower a price; their uses are places of pools without an event."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.db import UtcDateTime

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

KINDS = ("total", "ticket_type", "early", "inner_circle", "outer_circle", "room", "other", "option", "code")  # fmt: skip


def upgrade() -> None:
    kinds = ", ".join(f"'{k}'" for k in KINDS)
    with op.batch_alter_table("pool", schema=None) as batch_op:
        batch_op.alter_column("event_id", existing_type=sa.Integer(), nullable=True)
        batch_op.drop_constraint(batch_op.f("ck_pool_kind"), type_="check")
        batch_op.create_check_constraint(batch_op.f("ck_pool_kind"), f"kind IN ({kinds})")
    op.create_table(
        "discount_code",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("note", sa.String(length=300), nullable=False),
        sa.Column("percent", sa.Integer(), nullable=True),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("starts_at", UtcDateTime(), nullable=True),
        sa.Column("ends_at", UtcDateTime(), nullable=True),
        sa.Column("min_group", sa.Integer(), server_default="1", nullable=False),
        sa.Column("once", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("pool_id", sa.Integer(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.CheckConstraint(
            "(percent IS NULL AND amount > 0) OR (amount IS NULL AND percent > 0 AND percent <= 10000)",
            name=op.f("ck_discount_code_takes_something_off"),
        ),
        sa.CheckConstraint("min_group >= 1", name=op.f("ck_discount_code_group_at_least_one")),
        sa.ForeignKeyConstraint(
            ["pool_id"], ["pool.id"], name=op.f("fk_discount_code_pool_id_pool")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_discount_code")),
        sa.UniqueConstraint("code", name=op.f("uq_discount_code_code")),
        sa.UniqueConstraint("pool_id", name=op.f("uq_discount_code_pool_id")),
    )
    op.create_table(
        "discount_code_event",
        sa.Column("code_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["code_id"],
            ["discount_code.id"],
            name=op.f("fk_discount_code_event_code_id_discount_code"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["event.id"],
            name=op.f("fk_discount_code_event_event_id_event"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("code_id", "event_id", name=op.f("pk_discount_code_event")),
    )
    op.create_index(op.f("ix_discount_code_event_event_id"), "discount_code_event", ["event_id"])
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.add_column(sa.Column("code_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_registration_code_id_discount_code"),
            "discount_code",
            ["code_id"],
            ["id"],
        )
        batch_op.create_index(batch_op.f("ix_registration_code_id"), ["code_id"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
