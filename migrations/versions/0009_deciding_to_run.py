"""Deciding that an event takes place."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.db import UtcDateTime

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("event", sa.Column("runs_at", UtcDateTime(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
