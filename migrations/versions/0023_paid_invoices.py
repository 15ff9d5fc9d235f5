"""An invoice that is paid says so."""

from alembic import op

revision = "0023"
down_revision = "0022"
branch_labels = None
depends_on = None

STATES = ("open", "paid", "cancelled", "written_off")


def upgrade() -> None:
    listed = ", ".join(f"'{one}'" for one in STATES)
    with op.batch_alter_table("invoice", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("ck_invoice_state"), type_="check")
        batch_op.create_check_constraint("state", f"state IN ({listed})")


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
