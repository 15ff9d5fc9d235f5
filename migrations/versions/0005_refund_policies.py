"""Refund policies."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.db import UtcDateTime

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "refund_policy",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("title", sa.String(length=120), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("body", sa.JSON(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("created_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint("version > 0", name=op.f("ck_refund_policy_version_positive")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_refund_policy")),
    )
    with op.batch_alter_table("event", schema=None) as batch_op:
        batch_op.add_column(sa.Column("policy_id", sa.Integer(), nullable=True))
        batch_op.create_foreign_key(
            batch_op.f("fk_event_policy_id_refund_policy"), "refund_policy", ["policy_id"], ["id"]
        )
    with op.batch_alter_table("ticket_type", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("room_part", sa.Integer(), server_default=sa.text("0"), nullable=False)
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_ticket_type_room_part_not_negative"), "room_part >= 0"
        )
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.add_column(
            sa.Column("room_part", sa.Integer(), server_default=sa.text("0"), nullable=False)
        )
        batch_op.add_column(sa.Column("policy_id", sa.Integer(), nullable=True))
        batch_op.add_column(sa.Column("promised_at", UtcDateTime(), nullable=True))
        batch_op.create_check_constraint(
            batch_op.f("ck_registration_room_part_not_negative"), "room_part >= 0"
        )
        batch_op.create_foreign_key(
            batch_op.f("fk_registration_policy_id_refund_policy"),
            "refund_policy",
            ["policy_id"],
            ["id"],
        )


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
