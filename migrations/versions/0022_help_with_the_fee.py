"""Help with the fee: funds, requests, and the role of who decides."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.crypt import SealedText
from regsys.kernel.db import UtcDateTime

revision = "0022"
down_revision = "0021"
branch_labels = None
depends_on = None

ROLES = (
    "owner", "registrar", "treasurer", "reviewer", "steward", "committee", "check_in", "host_coordinator",
)  # fmt: skip
STATES = ("asked", "awarded", "declined", "withdrawn", "used", "returned")


def upgrade() -> None:
    with op.batch_alter_table("role_grant", schema=None) as batch_op:
        listed = ", ".join(f"'{one}'" for one in ROLES)
        batch_op.drop_constraint(batch_op.f("ck_role_grant_role"), type_="check")
        batch_op.create_check_constraint("role", f"role IN ({listed})")
    op.create_table(
        "aid_fund",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("budget", sa.Integer(), nullable=False),
        sa.Column("currency", sa.String(length=3), nullable=False),
        sa.Column("open", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("answer_days", sa.Integer(), server_default=sa.text("14"), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("budget >= 0", name=op.f("ck_aid_fund_budget_not_negative")),
        sa.CheckConstraint("answer_days >= 1", name=op.f("ck_aid_fund_answer_days_at_least_one")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aid_fund")),
    )
    op.create_table(
        "aid_fund_event",
        sa.Column("fund_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["fund_id"],
            ["aid_fund.id"],
            name=op.f("fk_aid_fund_event_fund_id_aid_fund"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["event_id"],
            ["event.id"],
            name=op.f("fk_aid_fund_event_event_id_event"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("fund_id", "event_id", name=op.f("pk_aid_fund_event")),
    )
    op.create_index(op.f("ix_aid_fund_event_event_id"), "aid_fund_event", ["event_id"])
    _requests()


def _requests() -> None:
    state = sa.Enum(*STATES, name="state", native_enum=False, create_constraint=True, length=40)
    op.create_table(
        "aid_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("fund_id", sa.Integer(), nullable=False),
        sa.Column("registration_id", sa.Integer(), nullable=False),
        sa.Column("state", state, nullable=False),
        sa.Column("state_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("words", SealedText(), nullable=False),
        sa.Column("asked_amount", sa.Integer(), nullable=True),
        sa.Column("amount", sa.Integer(), nullable=True),
        sa.Column("fee", sa.Integer(), nullable=False),
        sa.Column("answer_by", UtcDateTime(), nullable=False),
        sa.Column("decided_by", sa.String(length=200), nullable=False),
        sa.CheckConstraint("asked_amount > 0", name=op.f("ck_aid_request_asked_amount_positive")),
        sa.CheckConstraint("amount > 0", name=op.f("ck_aid_request_amount_positive")),
        sa.ForeignKeyConstraint(
            ["fund_id"], ["aid_fund.id"], name=op.f("fk_aid_request_fund_id_aid_fund")
        ),
        sa.ForeignKeyConstraint(
            ["registration_id"],
            ["registration.id"],
            name=op.f("fk_aid_request_registration_id_registration"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_aid_request")),
        sa.UniqueConstraint("registration_id", name=op.f("uq_aid_request_registration_id")),
    )
    op.create_index(op.f("ix_aid_request_fund_id"), "aid_request", ["fund_id"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
