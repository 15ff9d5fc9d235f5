"""Places that are offered."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.db import UtcDateTime

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SOURCES = ("cart", "by_hand", "application", "waiting_list")


def upgrade() -> None:
    source = sa.Enum(*SOURCES, name="source", native_enum=False, create_constraint=False, length=40)
    with op.batch_alter_table("orders", schema=None) as batch_op:
        batch_op.add_column(sa.Column("source", source, server_default="cart", nullable=False))
        batch_op.add_column(sa.Column("held_until", UtcDateTime(), nullable=True))
        listed = ", ".join(f"'{one}'" for one in SOURCES)
        batch_op.create_check_constraint("source", f"source IN ({listed})")


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
