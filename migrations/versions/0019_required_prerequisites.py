"""Prerequisites without which nobody comes, and what applicants say of them."""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    required = sa.Column("required", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("prerequisite", required)
    op.add_column("application", sa.Column("attested", sa.JSON(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
