"""What a place for a trainee would have cost without their word."""

import sqlalchemy as sa
from alembic import op

revision = "0024"
down_revision = "0023"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("registration", schema=None) as batch_op:
        batch_op.add_column(sa.Column("full_price", sa.Integer(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
