"""Hosts and their seats; private links that can be read again."""

import sqlalchemy as sa
from alembic import op

from regsys.kernel.crypt import SealedText
from regsys.kernel.db import UtcDateTime

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None

SOURCES = ("cart", "by_hand", "application", "waiting_list", "host", "host_seat")
STATES = ("waiting", "approved", "declined")
WAITING = sa.text("state = 'waiting'")


def upgrade() -> None:
    op.add_column("event", sa.Column("private_key", SealedText(), nullable=True))
    with op.batch_alter_table("orders", schema=None) as batch_op:
        listed = ", ".join(f"'{one}'" for one in SOURCES)
        batch_op.drop_constraint(batch_op.f("ck_orders_source"), type_="check")
        batch_op.create_check_constraint("source", f"source IN ({listed})")
    _hosts()
    _requests()


def _hosts() -> None:
    op.create_table(
        "host",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("organisation", sa.String(length=200), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("user_id", sa.Integer(), nullable=True),
        sa.Column("invited_at", UtcDateTime(), nullable=True),
        sa.Column("seats", sa.Integer(), nullable=False),
        sa.Column("ticket_type_id", sa.Integer(), nullable=False),
        sa.Column("pays", _choice("pays", ("host", "each")), nullable=False),
        sa.Column("agreed_sum", sa.Integer(), nullable=True),
        sa.Column("names_until", UtcDateTime(), nullable=True),
        sa.Column("kept_until", UtcDateTime(), nullable=True),
        sa.Column("order_id", sa.Integer(), nullable=True),
        sa.Column("reminded_at", UtcDateTime(), nullable=True),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.CheckConstraint("seats >= 1", name=op.f("ck_host_seats_at_least_one")),
        sa.CheckConstraint("agreed_sum >= 0", name=op.f("ck_host_agreed_sum_not_negative")),
        sa.ForeignKeyConstraint(["event_id"], ["event.id"], name=op.f("fk_host_event_id_event")),
        sa.ForeignKeyConstraint(["user_id"], ["account.id"], name=op.f("fk_host_user_id_account")),
        sa.ForeignKeyConstraint(
            ["ticket_type_id"],
            ["ticket_type.id"],
            name=op.f("fk_host_ticket_type_id_ticket_type"),
        ),
        sa.ForeignKeyConstraint(["order_id"], ["orders.id"], name=op.f("fk_host_order_id_orders")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_host")),
        sa.UniqueConstraint("event_id", name=op.f("uq_host_event_id")),
        sa.UniqueConstraint("order_id", name=op.f("uq_host_order_id")),
    )
    op.create_table(
        "host_place",
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("claim_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(
            ["host_id"], ["host.id"], name=op.f("fk_host_place_host_id_host"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["claim_id"],
            ["claim.id"],
            name=op.f("fk_host_place_claim_id_claim"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("host_id", "claim_id", name=op.f("pk_host_place")),
    )
    op.create_index(op.f("ix_host_place_claim_id"), "host_place", ["claim_id"])


def _requests() -> None:
    op.create_table(
        "seat_request",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("host_id", sa.Integer(), nullable=False),
        sa.Column("state", _choice("state", STATES), nullable=False),
        sa.Column("state_at", UtcDateTime(), nullable=False),
        sa.Column("created_at", UtcDateTime(), nullable=False),
        sa.Column("first_name", sa.String(length=100), nullable=False),
        sa.Column("last_name", sa.String(length=100), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("email_key", sa.String(length=254), nullable=False),
        sa.ForeignKeyConstraint(
            ["host_id"], ["host.id"], name=op.f("fk_seat_request_host_id_host")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_seat_request")),
    )
    op.create_index(op.f("ix_seat_request_host_id"), "seat_request", ["host_id"])
    op.create_index(
        "uq_seat_request_waiting_email",
        "seat_request",
        ["host_id", "email_key"],
        unique=True,
        postgresql_where=WAITING,
        sqlite_where=WAITING,
    )


def _choice(name: str, values: tuple[str, ...]) -> sa.Enum:
    return sa.Enum(*values, name=name, native_enum=False, create_constraint=True, length=40)


def downgrade() -> None:
    raise NotImplementedError("restore the backup that upgrade made: going back would lose data")
