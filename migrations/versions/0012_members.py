"""The list of members, and what is shown for a price."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.db import UtcDateTime

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _members()
    _proofs()


def _members() -> None:
    op.create_table(
        "member",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("valid_until", sa.Date(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("changed_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member")),
        sa.UniqueConstraint("number", name=op.f("uq_member_number")),
    )
    op.create_index(op.f("ix_member_email_key"), "member", ["email_key"])
    op.create_table(
        "member_upload",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("file_name", sa.String(length=200), nullable=False),
        sa.Column("whole", sa.Boolean(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=200), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_upload")),
    )
    op.create_index(op.f("ix_member_upload_made_at"), "member_upload", ["made_at"])
    op.create_table(
        "member_link",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("member_id", sa.Integer(), nullable=False),
        sa.Column("target", sa.String(length=500), nullable=True),
        sa.Column("expires_at", UtcDateTime(), nullable=False),
        sa.Column("used_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["member_id"],
            ["member.id"],
            name=op.f("fk_member_link_member_id_member"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_member_link")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_member_link_token_hash")),
    )
    op.create_index(op.f("ix_member_link_member_id"), "member_link", ["member_id"])
    op.create_index(op.f("ix_member_link_expires_at"), "member_link", ["expires_at"])


def _proofs() -> None:
    kinds = sa.Enum(
        "none",
        "member",
        "trainee",
        name="proof",
        native_enum=False,
        create_constraint=False,
        length=40,
    )
    with op.batch_alter_table("ticket_type", schema=None) as batch_op:
        batch_op.add_column(sa.Column("proof", kinds, server_default="none", nullable=False))
        batch_op.create_check_constraint("proof", "proof IN ('none', 'member', 'trainee')")
    for table in ("registration", "application", "waitlist_entry"):
        op.add_column(table, sa.Column("proof", sa.JSON(), nullable=True))


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
