"""Help with the fee: what people wrote is deleted on its day."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.crypt import SealedText

revision = "0026"
down_revision = "0025"
branch_labels = None
depends_on = None


def upgrade() -> None:
    days = sa.Column(
        "delete_after_days", sa.Integer(), server_default=sa.text("30"), nullable=False
    )
    with op.batch_alter_table("aid_fund", schema=None) as batch_op:
        batch_op.add_column(days)
        # A rebuild would store this default with parentheses around it.
        batch_op.alter_column(
            "answer_days", existing_type=sa.Integer(), server_default=sa.text("14")
        )
        batch_op.create_check_constraint(
            batch_op.f("ck_aid_fund_delete_after_days_not_negative"), "delete_after_days >= 0"
        )
    with op.batch_alter_table("aid_request", schema=None) as batch_op:
        batch_op.alter_column("words", existing_type=SealedText(), nullable=True)


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
