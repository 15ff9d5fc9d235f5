"""Places handed to a colleague."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.crypt import SealedText
from regsys.kernel.db import UtcDateTime

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "hand_over",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("successor_id", sa.Integer(), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token", SealedText(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "open",
                "asked",
                "done",
                "declined",
                "withdrawn",
                name="state",
                native_enum=False,
                create_constraint=True,
                length=40,
            ),
            nullable=False,
        ),
        sa.Column("state_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("about", sa.JSON(), nullable=False),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_hand_over_registration_id_registration"),
        ),
        sa.ForeignKeyConstraint(
            ["successor_id"],
            ["registration.id"],
            name=op.f("fk_hand_over_successor_id_registration"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_hand_over")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_hand_over_token_hash")),
    )
    with op.batch_alter_table("hand_over", schema=None) as batch_op:
        batch_op.create_index(
            batch_op.f("ix_hand_over_registration_id"), ["registration_id"], unique=False
        )
        batch_op.create_index(
            "uq_hand_over_open",
            ["registration_id"],
            unique=True,
            postgresql_where=sa.text("state IN ('open', 'asked')"),
            sqlite_where=sa.text("state IN ('open', 'asked')"),
        )


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
