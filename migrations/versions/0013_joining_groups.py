"""Joining a group: after a talk, after its start, for the meetings that are left."""

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None


def upgrade() -> None:
    for column in (
        sa.Column("talk_first", sa.Boolean(), server_default=sa.false(), nullable=False),
        sa.Column("join_meetings", sa.Integer(), server_default="0", nullable=False),
        sa.Column("pro_rata", sa.Boolean(), server_default=sa.false(), nullable=False),
    ):
        op.add_column("event", column)


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
