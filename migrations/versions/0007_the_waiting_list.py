"""The waiting list."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.crypt import SealedText
from regsys.kernel.db import UtcDateTime

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

STATES = ("waiting", "offered", "taken", "lapsed", "left")
LIVE = sa.text("state IN ('waiting', 'offered')")
OPEN = sa.text("ended_at IS NULL")


def upgrade() -> None:
    _settings()
    _entries()
    _offers()


def _settings() -> None:
    for column in (
        sa.Column("waitlist", sa.Boolean(), server_default=sa.true(), nullable=False),
        sa.Column("offer_hours", sa.Integer(), server_default="72", nullable=False),
        sa.Column("keep_physicians", sa.Integer(), server_default="0", nullable=False),
        sa.Column("keep_mental_health", sa.Integer(), server_default="0", nullable=False),
    ):
        op.add_column("event", column)
    waited = sa.Column("waited", sa.Boolean(), server_default=sa.false(), nullable=False)
    op.add_column("pool", waited)


def _entries() -> None:
    op.create_table(
        "waitlist_entry",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("application_id", sa.Integer(), nullable=True),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token", SealedText(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(*STATES, name="state", native_enum=False, create_constraint=True, length=40),
            nullable=False,
        ),
        sa.Column("state_at", UtcDateTime(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("size", sa.Integer(), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.Column("profession", sa.String(length=120), nullable=False),
        sa.Column("time_zone", sa.String(length=60), nullable=False),
        sa.Column("joined_at", UtcDateTime(), nullable=False),
        sa.Column("skipped_at", UtcDateTime(), nullable=True),
        sa.Column("note", sa.String(length=500), nullable=False),
        sa.Column("left_reason", sa.String(length=500), nullable=False),
        sa.CheckConstraint("size >= 1", name=op.f("ck_waitlist_entry_size_at_least_one")),
        sa.ForeignKeyConstraint(
            ["application_id"],
            ["application.id"],
            name=op.f("fk_waitlist_entry_application_id_application"),
        ),
        sa.UniqueConstraint("application_id", name=op.f("uq_waitlist_entry_application_id")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["event.id"], name=op.f("fk_waitlist_entry_event_id_event")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist_entry")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_waitlist_entry_token_hash")),
    )
    op.create_index(
        "uq_waitlist_entry_live_email",
        "waitlist_entry",
        ["event_id", "email_key"],
        unique=True,
        sqlite_where=LIVE,
        postgresql_where=LIVE,
    )
    op.create_index(
        op.f("ix_waitlist_entry_event_id_state"), "waitlist_entry", ["event_id", "state"]
    )
    op.create_table(
        "waitlist_choice",
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("ticket_type_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["waitlist_entry.id"],
            name=op.f("fk_waitlist_choice_entry_id_waitlist_entry"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["ticket_type_id"],
            ["ticket_type.id"],
            name=op.f("fk_waitlist_choice_ticket_type_id_ticket_type"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("entry_id", "ticket_type_id", name=op.f("pk_waitlist_choice")),
    )
    op.create_index(
        op.f("ix_waitlist_choice_ticket_type_id"), "waitlist_choice", ["ticket_type_id"]
    )


def _offers() -> None:
    op.create_table(
        "waitlist_offer",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("entry_id", sa.Integer(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("token", SealedText(), nullable=False),
        sa.Column("ticket_type_id", sa.Integer(), nullable=False),
        sa.Column("made_at", UtcDateTime(), nullable=False),
        sa.Column("until", UtcDateTime(), nullable=False),
        sa.Column("ended_at", UtcDateTime(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("told_at", UtcDateTime(), nullable=True),
        sa.ForeignKeyConstraint(
            ["entry_id"],
            ["waitlist_entry.id"],
            name=op.f("fk_waitlist_offer_entry_id_waitlist_entry"),
        ),
        sa.ForeignKeyConstraint(
            ["order_id"],
            ["orders.id"],
            name=op.f("fk_waitlist_offer_order_id_orders"),
            ondelete="SET NULL",
        ),
        sa.ForeignKeyConstraint(
            ["ticket_type_id"],
            ["ticket_type.id"],
            name=op.f("fk_waitlist_offer_ticket_type_id_ticket_type"),
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_waitlist_offer")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_waitlist_offer_token_hash")),
    )
    op.create_index(op.f("ix_waitlist_offer_entry_id"), "waitlist_offer", ["entry_id"])
    op.create_index(op.f("ix_waitlist_offer_order_id"), "waitlist_offer", ["order_id"])
    op.create_index(
        "uq_waitlist_offer_open",
        "waitlist_offer",
        ["entry_id"],
        unique=True,
        sqlite_where=OPEN,
        postgresql_where=OPEN,
    )
    op.create_table(
        "waitlist_place",
        sa.Column("offer_id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["claim_id"],
            ["claim.id"],
            name=op.f("fk_waitlist_place_claim_id_claim"),
            ondelete="CASCADE",
        ),
        sa.ForeignKeyConstraint(
            ["offer_id"],
            ["waitlist_offer.id"],
            name=op.f("fk_waitlist_place_offer_id_waitlist_offer"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("offer_id", "claim_id", name=op.f("pk_waitlist_place")),
    )
    op.create_index(op.f("ix_waitlist_place_claim_id"), "waitlist_place", ["claim_id"])


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
